"""Clips of one's own: who is followed, for how long, and what becomes of bad files."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from dance_footage.clips import clips_in, key_of
from dance_footage.reader import FootageReader
from mediapipe_media import DEMO, media

from dancecli.data.job import Job
from dancecli.data.people import Options, Person, Skipped
from dancecli.errors import UsageError
from dancecli.media import VideoStream
from dancecli.stages import Settings
from dancecli.types import UInt8Array

DANCE = DEMO / "dance.mp4"


def write(path: Path, frames: list[UInt8Array], rate: int = 30) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "16"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")))
        container.mux(stream.encode())
    return path


@cache
def dancing(stop: int, path: Path = DANCE, side: int = 640) -> list[UInt8Array]:
    stream = VideoStream(path, max_side=side)
    return [frame.rgb for frame in stream.frames(0, stop)]


def read(folder: Path, unit: str, **options: object) -> list[Person | Skipped]:
    reader = FootageReader(Settings())
    return list(reader.read(folder, unit, Options(**options)))  # type: ignore[arg-type]


def people(folder: Path, unit: str, **options: object) -> list[Person]:
    found = read(folder, unit, **options)
    assert all(isinstance(each, Person) for each in found), found
    return [each for each in found if isinstance(each, Person)]


def test_clips_are_found_at_any_depth_in_one_order(tmp_path: Path) -> None:
    for name in ("b.MP4", "a/c.webm", "a/notes.txt", "z.mov", "photo.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "b.MP4")
    assert clips_in(tmp_path) == ["a/c.webm", "b.MP4", "z.mov"]
    for root in (None, tmp_path / "nowhere", tmp_path / "z.mov"):
        with pytest.raises(UsageError, match="folder with video files"):
            clips_in(root)
    with pytest.raises(UsageError, match="no clips"):
        clips_in(Path(__file__).parent / "contract")


def test_names_of_clips_become_safe_and_differ() -> None:
    names = ["été 1.mp4", "été_1.mp4", "a/x.mp4", "b/x.mp4", "...", "x" * 300 + ".mp4"]
    keys = [key_of(name) for name in names]
    assert len(set(keys)) == len(keys)
    assert all(key.replace("_", "").replace("-", "").isalnum() and key.isascii() for key in keys)
    assert max(map(len, keys)) < 60


@pytest.mark.parametrize("change", [{"rate": "0"}, {"rate": "fast"}, {"looks": "3"}])
def test_settings_that_are_none_are_refused(tmp_path: Path, change: dict[str, str]) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(UsageError, match="rate"):
        FootageReader(Settings()).units(tmp_path, Options(set=change))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with a cut in it, one of a wall, and one that is no video."""
    folder = tmp_path_factory.mktemp("clips")
    height, width = dancing(1)[0].shape[:2]
    tiles = np.random.default_rng(0).integers(30, 220, (height // 40, width // 40, 3), np.uint8)
    scene = np.kron(tiles, np.ones((40, 40, 1), np.uint8))
    write(folder / "cut.mp4", [*dancing(45), *[scene] * 8, *dancing(90)[60:]])
    write(folder / "wall.mp4", [np.full((320, 240, 3), 120, np.uint8)] * 12)
    (folder / "broken.mp4").write_bytes(b"not a video at all")
    return folder


def test_the_dancer_is_followed_and_a_cut_ends_the_sample(folder: Path) -> None:
    found = people(folder, "cut.mp4", frames=4)
    spans = [[view.number for view in person.views] for person in found]
    assert len(found) == 2, "before and after the cut"
    assert max(spans[0]) < 45 and min(spans[1]) >= 53
    assert all(a < b for span in spans for a, b in pairwise(span))
    assert found[0].key != found[1].key
    for person in found:
        for view in person.views:
            assert view.mask is not None and view.people is not None and view.skeleton is not None
            assert (view.people | ~view.mask).all() and 0.02 < view.mask.mean() < 0.6
            x, y = view.skeleton.joint("mid_hip").astype(int)
            assert view.mask[y, x]


def test_views_of_one_sample_lie_no_farther_apart_than_the_gap(folder: Path) -> None:
    found = people(folder, "cut.mp4", frames=3, gap=24)
    spans = [[view.number for view in person.views] for person in found]
    assert len(found) > 2
    assert all(span[-1] - span[0] <= 24 and len(span) <= 3 for span in spans)
    assert max(len(span) for span in spans) == 3
    limited = people(folder, "cut.mp4", frames=3, gap=24, people=1)
    assert [person.key for person in limited] == [found[0].key]


def test_a_wall_has_nobody_and_a_broken_file_is_named(folder: Path) -> None:
    assert read(folder, "wall.mp4") == []
    assert read(folder, "broken.mp4") == [Skipped("broken.mp4", "unreadable or damaged video")]


def test_two_people_stay_two_people(tmp_path: Path) -> None:
    """Side by side, one of them another dancer: no sample mixes them."""
    left = dancing(40, side=480)
    right = dancing(40, media("drive_single_static_arms.mp4"), 480)
    height, width = min(left[0].shape[0], right[0].shape[0]), left[0].shape[1]
    height -= height % 2
    frames = [np.concatenate([a[:height], b[:height]], 1) for a, b in zip(left, right, strict=True)]
    frames = [f[:, : f.shape[1] // 2 * 2] for f in frames]
    write(tmp_path / "pair.mp4", frames)
    found = people(tmp_path, "pair.mp4", frames=3)
    assert len(found) == 2
    for person in found:
        middles = [view.skeleton.joint("neck")[0] for view in person.views if view.skeleton]
        assert len(middles) == 3
        assert len({x < width for x in middles}) == 1
        both = person.views[0]
        assert both.people is not None and both.mask is not None
        assert both.people.sum() > 1.3 * both.mask.sum(), "the other one is among the people"


def test_the_background_comes_from_the_looks_that_show_it(tmp_path: Path) -> None:
    """A still camera and a walker who uncovers what he hid: the plate shows the true ground."""
    ground = np.random.default_rng(0).integers(60, 200, (16, 24, 3), np.uint8)
    ground = np.kron(ground, np.ones((40, 40, 1), np.uint8))
    stream = VideoStream(media("drive_single_static_juggle.mp4"), max_side=640)
    frame = next(stream.frames())
    reader = FootageReader(Settings())
    pose, mask = reader._pose(Options()), reader._plugin("mask", Options())
    (skeleton,) = pose.extract(frame)
    alpha = mask.mask(frame, skeleton).alpha[..., None]
    frames = []
    for step in range(8):
        shift = 60 * step - 240
        walker, cover = np.roll(frame.rgb, shift, 1), np.roll(alpha, shift, 1)
        back = ground[: frame.height, : frame.width]
        frames.append(np.rint(walker * cover + back * (1 - cover)).astype(np.uint8))
    write(tmp_path / "walk.mp4", frames, rate=5)
    person = max(people(tmp_path, "walk.mp4", frames=8), key=lambda found: len(found.views))
    for view in person.views[2:6]:
        assert view.plate is not None and view.mask is not None
        truth = ground[: frame.height, : frame.width].astype(int)
        assert np.abs(view.plate - truth)[view.mask].mean() < 12


def test_a_job_prepares_footage_with_the_poses_that_were_followed(folder: Path) -> None:
    job = Job("video", folder, Options(frames=2, people=3))
    assert job.units() == ["broken.mp4", "cut.mp4", "wall.mp4"]
    (person,) = job.people("cut.mp4")
    (sample,) = job.samples("cut.mp4")
    assert sample.key == person.key
    assert sample.about["clip"] == "cut.mp4" and sample.about["dataset"] == "video"
    box, crop = sample.about["boxes"][0], sample.crops[0]
    assert person.views[0].skeleton is not None
    back = crop.skeleton.moved((box[3] - box[1]) / 512, box[0], box[1])
    assert np.allclose(back.body, person.views[0].skeleton.body, atol=0.01)
    assert crop.labels.any() and crop.plate.shape == crop.rgb.shape
