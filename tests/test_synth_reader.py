"""The `synth` data set: people on demand, with truth that agrees with itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("numba")

from dance_synth import clips
from dance_synth.actor import actor, moody
from dance_synth.assets import open_assets
from dance_synth.clips import cross_pair
from dance_synth.reader import SynthReader
from dance_synth.render import body_mask
from dance_synth.scene import Setting, moving, stream, take, views
from dance_synth.shots import shot

from dancecli.data.people import Options, Person, Skipped, View
from dancecli.errors import UsageError, WeightsError
from dancecli.labels import Label
from dancecli.stages import DatasetReader, Settings
from dancecli.types import JOINT

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "assets" / "humans"
ASSETS = Path(os.environ.get("DANCE_TEST_ASSETS") or _BESIDE)

needs_assets = pytest.mark.skipif(
    not (ASSETS / "MANIFEST.json").is_file(),
    reason=f"the human asset pack is not in {ASSETS}; set DANCE_TEST_ASSETS",
)

SMALL = {"size": "256x192"}


@pytest.fixture
def reader() -> SynthReader:
    return SynthReader(Settings())


@lru_cache(maxsize=1)
def people() -> tuple[Person, ...]:
    """A few people, made once for all tests that only look at them."""
    options = Options(people=4, frames=2, seed=11, set={**SMALL, "others": "0", "things": "0"})
    reader = SynthReader(Settings())
    found = [next(reader.read(ASSETS, unit, options)) for unit in reader.units(ASSETS, options)]
    assert all(isinstance(each, Person) for each in found)
    return tuple(found)  # type: ignore[arg-type]


def all_views() -> list[View]:
    return [view for person in people() for view in person.views]


class TestOptions:
    def test_it_is_a_data_set_reader_without_files(self, reader):
        assert isinstance(reader, DatasetReader)
        assert reader.layout == ""
        assert reader.COMMERCIAL is True
        assert "mocap.cs.cmu.edu" in reader.LICENCE

    @needs_assets
    def test_units_are_numbers_of_one_length(self, reader):
        units = reader.units(ASSETS, Options(people=12))
        assert units[0] == "000000"
        assert units[-1] == "000011"
        assert units == sorted(units)
        assert len(reader.units(ASSETS, Options())) == 1000

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("hat", "red", "backgrounds"),
            ("together", "never", "shared"),
            ("size", "512", "HEIGHTxWIDTH"),
            ("size", "31x40", "64-2048"),
            ("others", "2", "0 to 1"),
            ("things", "many", "0 to 1"),
            ("backgrounds", "/nowhere/at/all", "backgrounds"),
        ],
    )
    def test_a_wrong_setting_is_refused_in_one_line(self, reader, name, value, words):
        with pytest.raises(UsageError, match=words) as caught:
            reader.units(ASSETS, Options(set={name: value}))
        assert "\n" not in str(caught.value)

    def test_a_folder_without_photos_is_refused(self, reader, tmp_path):
        with pytest.raises(UsageError, match=r"\.png"):
            reader.units(ASSETS, Options(set={"backgrounds": str(tmp_path)}))

    def test_without_a_pack_it_says_where_to_put_one(self, reader, tmp_path, monkeypatch):
        monkeypatch.delenv("DANCE_ASSETS", raising=False)
        monkeypatch.setenv("DANCE_CACHE", str(tmp_path))
        with pytest.raises(WeightsError, match="DANCE_ASSETS"):
            reader.units(None, Options())
        with pytest.raises(WeightsError, match="no human assets"):
            reader.units(tmp_path, Options())

    @needs_assets
    def test_the_pack_is_found_by_environment_and_setting(self, reader, monkeypatch):
        monkeypatch.delenv("DANCE_ASSETS", raising=False)
        assert reader.units(None, Options(people=1, set={"assets": str(ASSETS)})) == ["000000"]
        monkeypatch.setenv("DANCE_ASSETS", str(ASSETS))
        assert reader.units(None, Options(people=1)) == ["000000"]

    @needs_assets
    def test_a_name_that_is_no_number_is_refused(self, reader):
        with pytest.raises(UsageError, match="number"):
            next(reader.read(ASSETS, "../x", Options()))


@needs_assets
class TestTruth:
    def test_every_view_is_whole(self):
        for person in people():
            numbers = [view.number for view in person.views]
            assert numbers == sorted(set(numbers))
            for view in person.views:
                assert view.rgb.shape == view.plate.shape == (256, 192, 3)
                assert view.labels.max() < 22
                assert ((view.labels > 0) == view.mask).all()
                assert not (view.mask & ~view.people).any()
                assert np.isfinite(view.skeleton.world).all()

    def test_seen_keypoints_lie_on_the_person(self):
        shares = []
        for view in all_views():
            near = cv2.dilate(view.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            body = view.skeleton.body[view.skeleton.body[:, 2] == 1]
            x, y = body[:, :2].astype(int).T
            shares.append(near[y, x].mean())
        assert np.mean(shares) > 0.97

    def test_dense_map_lies_on_the_person_and_hands_and_feet_are_their_own(self):
        for view in all_views():
            iuv = view.dense.iuv
            assert not (iuv[~view.mask] > 0).any()
            assert set(np.unique(iuv[..., 0])) <= set(range(25))
            assert (iuv[..., 0] > 0).sum() > 0.6 * view.mask.sum()

    def test_dense_silhouette_is_that_of_the_undressed_body(self):
        assets = open_assets(ASSETS)
        for number in range(3):
            rng = stream(1, number, 1)
            hero = moving(actor(assets, 1, number), assets, rng, 1.0)
            aim = shot(rng, "full")
            camera = aim.camera([hero.at(0.5)], 256, 192)
            made = take(assets, Setting(things=0.0), [hero], rng, aim, camera)
            dense = made.picture(0.5, camera, None).iuv[..., 0] > 0
            body = body_mask(made.stage, hero.at(0.5), camera)
            assert (dense & body).sum() / (dense | body).sum() > 0.98

    def test_left_and_right_agree_between_labels_points_and_parts(self):
        checked = 0
        for view in all_views():
            for side, label, part in (("left", Label.LEFT_HAND, 4), ("right", Label.RIGHT_HAND, 3)):
                hand = view.skeleton.left_hand if side == "left" else view.skeleton.right_hand
                seen = hand[hand[:, 2] == 1]
                here = view.labels == label
                if len(seen) < 15 or here.sum() < 20:
                    continue
                y, x = (axis.mean() for axis in np.nonzero(here))
                size = np.ptp(view.skeleton.body[view.skeleton.body[:, 2] > 0, 1])
                assert np.hypot(*(seen[:, :2].mean(0) - (x, y))) < 0.08 * size
                assert (view.dense.iuv[here, 0] == part).mean() > 0.7
                checked += 1
        assert checked >= 3

    def test_clean_plate_shows_nobody(self):
        for view in all_views():
            apart = np.abs(view.rgb.astype(int) - view.plate).max(2)
            assert (apart > 10)[view.mask].mean() > 0.4
            away = ~cv2.dilate(view.people.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
            assert (apart > 30)[away].mean() < 0.25

    def test_joints_in_metres_agree_with_the_picture(self):
        person = people()[0]
        for view, about in zip(person.views, person.about["views"], strict=True):
            camera, world = about["camera"], view.skeleton.world
            seen = view.skeleton.body[:, 2] > 0
            wide = np.ptp(view.skeleton.body[seen, 1]) / np.ptp(world[seen, 1])
            assert 0.5 < wide * 4 / camera["focal"] < 4 / 0.5
            assert (
                0.9
                < np.linalg.norm(world[JOINT["left_shoulder"]] - world[JOINT["left_ankle"]]) + 0.6
                < 2.4
            )


@needs_assets
class TestRepeatable:
    def test_a_unit_is_the_same_alone_in_another_process_on_a_bare_machine(self):
        script = (
            "import hashlib, sys\n"
            "bare = 'mediapipe moviepy av stevedore appdirs filelock scipy PIL webdataset'\n"
            "sys.modules |= dict.fromkeys(bare.split())\n"  # importing them fails
            "from pathlib import Path\n"
            "from dance_synth.reader import SynthReader\n"
            "from dancecli.data.people import Options\n"
            "from dancecli.stages import Settings\n"
            "options = Options(people=4, frames=2, seed=11,"
            " set={'size': '256x192', 'others': '0', 'things': '0'})\n"
            "person = next(SynthReader(Settings()).read(Path(sys.argv[1]), '000002', options))\n"
            "for view in person.views:\n"
            "    for each in (view.rgb, view.labels, view.dense.iuv, view.skeleton.points()):\n"
            "        print(hashlib.sha256(each.tobytes()).hexdigest())\n"
        )
        from hashlib import sha256

        done = subprocess.run(
            [sys.executable, "-c", script, str(ASSETS)], capture_output=True, text=True, check=True
        )
        here = [
            sha256(each.tobytes()).hexdigest()
            for view in people()[2].views
            for each in (view.rgb, view.labels, view.dense.iuv, view.skeleton.points())
        ]
        assert done.stdout.split() == here

    def test_people_and_seeds_differ(self):
        first, second = people()[:2]
        assert first.key != second.key
        assert not np.array_equal(first.views[0].rgb, second.views[0].rgb)
        assets = open_assets(ASSETS)
        other, _ = next(views(assets, Setting((256, 192)), 12, 0, 1, 250))
        assert not np.array_equal(first.views[0].rgb, other.rgb)


@needs_assets
class TestOwnPhotos:
    def test_photos_are_stood_before_and_a_broken_one_is_skipped_with_its_name(
        self, reader, tmp_path
    ):
        colour = np.full((90, 120, 3), (10, 240, 20), np.uint8)
        cv2.imwrite(str(tmp_path / "a.png"), colour)
        chosen = {**SMALL, "backgrounds": str(tmp_path), "together": "changed", "others": "0"}
        options = Options(people=1, frames=8, seed=1, set=chosen)
        person = next(reader.read(ASSETS, "000000", options))
        green = [
            view.plate[..., 1].mean() - view.plate[..., 0].mean() > 60 for view in person.views
        ]
        assert 1 <= sum(green) < 8
        (tmp_path / "a.png").write_bytes(b"no picture")
        skipped = next(reader.read(ASSETS, "000000", options))
        assert isinstance(skipped, Skipped)
        assert "a.png" in skipped.reason


@needs_assets
class TestClips:
    def test_one_motion_on_two_bodies_far_apart(self):
        pair = cross_pair(open_assets(ASSETS), 3, 0, frames=4, size=(256, 192))
        assert len(pair.driver) == len(pair.truth) == 4
        b, a = pair.driver[2], pair.truth[2]
        assert abs(pair.about["a"]["shape"]["weight"] - pair.about["b"]["shape"]["weight"]) > 0.3
        assert abs(pair.about["a"]["metres"] - pair.about["b"]["metres"]) > 0.05
        np.testing.assert_array_equal(a.plate, b.plate)
        # The same pose: every limb points the same way.
        for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee")):
            rows = [JOINT[f"left_{start}"], JOINT[f"left_{end}"]]
            ways = [np.diff(view.skeleton.world[rows], axis=0)[0] for view in (a, b)]
            ways = [way / np.linalg.norm(way) for way in ways]
            assert ways[0] @ ways[1] > 0.97
        assert pair.photo.mask.mean() > 0.05

    def test_a_clip_is_written_with_its_truth(self, reader, tmp_path, monkeypatch):
        from dancecli.media import VideoStream

        monkeypatch.setattr(clips, "SECONDS", 1.0)

        options = Options(people=1, frames=5, seed=2, set={"size": "64x64", "clips": str(tmp_path)})
        person = next(reader.read(ASSETS, "000000", options))
        assert isinstance(person, Person)
        truth = json.loads((tmp_path / "000000.json").read_text())
        frames = list(VideoStream(tmp_path / "000000.mp4").frames())
        assert len(frames) == len(truth["frames"]) == 31
        assert 2 <= len(person.views) <= 5
        middle = person.views[1]
        stored = truth["frames"][middle.number]
        np.testing.assert_allclose(stored["body"], middle.skeleton.body, atol=1e-3)
        difference = np.abs(frames[middle.number].rgb.astype(int) - middle.rgb).mean()
        assert difference < 12
        assert "mocap.cs.cmu.edu" in truth["credit"]


@needs_assets
def test_heads_are_large_and_each_has_a_mood_of_its_own() -> None:
    options = Options(people=1, frames=3, seed=3, set={**SMALL, "shot": "head", "others": "0"})
    reader = SynthReader(Settings())
    (person,) = reader.read(ASSETS, reader.units(ASSETS, options)[0], options)
    assert isinstance(person, Person)
    for view in person.views:
        assert view.skeleton is not None and view.labels is not None
        rows = np.flatnonzero((view.labels == Label.FACE).any(1))
        assert np.ptp(rows) > 0.12 * view.rgb.shape[0]  # of people shown whole it is half of that
        assert view.labels.astype(bool).mean() > 0.15
    shown = {int(label) for view in person.views for label in np.unique(view.labels)}
    assert Label.FACE in shown and Label.LEFT_SHOE not in shown


@needs_assets
def test_a_mood_changes_the_face_and_nothing_else() -> None:
    pack = open_assets(ASSETS)
    base, moods = actor(pack, 3, 0), [moody(pack, 3, 0, k) for k in range(3)]
    for each in moods:
        shape, own = each.about["shape"], base.about["shape"]
        changed = set(shape["details"].items()) ^ set(own["details"].items())
        assert all(name.startswith("expression/") for name, _ in changed)
        assert {**shape, "details": {}} == {**own, "details": {}}
        assert each.about["outfit"] == base.about["outfit"]
    assert len({tuple(sorted(each.about["shape"]["details"].items())) for each in moods}) > 1


@needs_assets
def test_clips_are_of_whole_people(reader: SynthReader, tmp_path: Path) -> None:
    asked = {"shot": "head", "clips": str(tmp_path)}
    with pytest.raises(UsageError, match="shot and clips exclude each other"):
        reader.units(ASSETS, Options(people=1, set=asked))


def test_another_shot_is_refused_with_those_there_are(reader: SynthReader) -> None:
    with pytest.raises(UsageError, match=r"shot=ear.*full, far, knees, upper, head, cut"):
        reader.units(ASSETS, Options(people=1, set={"shot": "ear"}))


@needs_assets
@pytest.mark.slow
def test_a_pose_extractor_takes_rendered_people_for_people():
    from dance_mediapipe.pose import MediaPipePose
    from synth_measuring import found_in, full_views, measure

    extractor = MediaPipePose(Settings())
    pairs = [(view, found_in(view, extractor)) for view in full_views(ASSETS, 100)]
    measured = measure(pairs)
    print(json.dumps(measured, indent=1, default=float))
    assert measured["frames"] == 100
    assert measured["found"] >= 0.95
    assert measured["frame_error"]["median"] < 0.03
