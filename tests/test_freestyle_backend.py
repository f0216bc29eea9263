"""The backend: what the networks are given, equations 3 to 6 and 8 end to end, untrained."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from dance_builtin.template import TemplateDense
from dance_freestyle import appearance, inputs
from dance_freestyle.b2f import B2F
from dance_freestyle.backend import FreestyleBackend
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.fr import FR
from dance_freestyle.networks import assemble
from dance_freestyle.p2b import P2B
from dance_freestyle.parser import Parser
from dance_freestyle.presets import COMPACT, PAPER, Preset
from dance_freestyle.texture import VISIBLE
from freestyle_tiny import TINY, TINY_PAPER
from made_dancers import made_landmarks, motions, target_with_face
from made_samples import made_hand
from PIL import Image

from dancecli import registry, stages, testing
from dancecli.cli.main import main
from dancecli.drawing import hand_labels
from dancecli.errors import NoPersonError, WeightsError
from dancecli.figures import made_target, standing_skeleton
from dancecli.job import Job
from dancecli.labels import Label
from dancecli.media import sha256_of
from dancecli.plate import colour_plate
from dancecli.provenance import sidecar_path
from dancecli.stages import Settings
from dancecli.steps.placing import Scene
from dancecli.steps.stages import Stages
from dancecli.types import Canvas, DenseMap, Frame, LabelMap, Motion, Skeleton, Target
from dancecli.warp import cut

torch.set_num_threads(1)


def backend_of(preset: Preset) -> FreestyleBackend:
    torch.manual_seed(0)
    nets = assemble(P2B(preset.p2b), B2F(preset.b2f), FR(preset.fr))
    return FreestyleBackend(Settings(device="cpu"), nets)


def untrained(folder: Path, preset: Preset, roles: str = "p2b b2f fr") -> Path:
    """A bundle as training begins with it."""
    torch.manual_seed(0)
    build = {"p2b": P2B, "b2f": B2F, "fr": FR, "parser": Parser}
    networks = {role: build[role](getattr(preset, role)) for role in roles.split()}
    save_bundle(folder, folder.name, networks, "MIT", True)
    return folder


@pytest.fixture(params=["paper", "compact"])
def backend(request: pytest.FixtureRequest) -> Iterator[FreestyleBackend]:
    preset = {"paper": TINY_PAPER, "compact": TINY}[request.param]
    yield backend_of(preset)


@pytest.mark.parametrize("preset", [TINY, TINY_PAPER], ids=["compact", "paper"])
def test_it_keeps_the_interface(preset: Preset, tmp_path: Path) -> None:
    """The suite that every plugin passes, on a bundle that is read from its folder."""
    bundle = untrained(tmp_path / preset.name, preset)
    outcomes = list(testing.check("dance.backend", "freestyle", weights=str(bundle)))
    # An untrained P2B paints no person, so that the paper's mask has nothing to show.
    failed = [o for o in outcomes if not o.passed and "nothing is painted" not in o.detail]
    assert len(outcomes) >= 5 and not failed


def test_a_batch_gives_what_single_frames_give(backend: FreestyleBackend) -> None:
    person = backend.prepare(target_with_face())
    clip = motions(3, backend.canvas[0] if backend.canvas else 64)
    together = backend.render(person, clip)
    for motion, layer in zip(clip, together, strict=True):
        (alone,) = backend.render(person, [motion])
        np.testing.assert_allclose(layer.z, alone.z, atol=1e-4)
        np.testing.assert_allclose(layer.m, alone.m, atol=1e-4)
        assert layer.canvas == motion.canvas
        assert layer.labels is not None and layer.labels.labels.shape == layer.m.shape
        np.testing.assert_allclose(layer.landmarks, alone.landmarks, atol=1e-3)


def test_fr_aligns_by_the_face_as_it_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = backend_of(TINY)
    person = backend.prepare(target_with_face())
    (motion,) = motions(1)
    face = motion.skeleton.face
    left, right = np.zeros((2, *TINY.p2b.size), np.uint8)
    (x, y), scale = face[:68, :2].mean(0), TINY.p2b.size[0] / motion.canvas.height
    row, column = int(y * scale), int(x * scale)
    left[row - 6 : row + 6, column - 5 : column + 5] = Label.FACE
    right[row + 20 : row + 32, column - 5 : column + 5] = Label.FACE
    found = []
    for labels in (left, right):
        monkeypatch.setattr(
            "dance_freestyle.backend.hard_labels", lambda _, m=labels: torch.from_numpy(m)[None]
        )
        (layer,) = backend.render(person, [motion])
        found.append(layer.landmarks)
    assert np.array_equal(found[0], face)
    middle = found[1][:68, :2].mean(0)
    np.testing.assert_allclose(middle, (x, y + 26 / scale), atol=4)


def test_faces_that_are_as_fine_as_the_output_are_not_refined() -> None:
    backend = backend_of(TINY.with_overrides({"fr.enlarged": 1.5}))
    person = backend.prepare(target_with_face())
    (motion,) = motions(1)
    for scale, wanted in ((1.0, False), (1.6, True)):
        canvas = dataclasses.replace(motion.canvas, scale=scale)
        (layer,) = backend.render(person, [dataclasses.replace(motion, canvas=canvas)])
        assert (layer.landmarks is not None) == wanted


def test_untrained_compact_renders_the_warp() -> None:
    backend, target = backend_of(TINY), target_with_face()
    (motion,) = motions(1)
    (layer,) = backend.render(backend.prepare(target), [motion])
    warped = cut(target).pose(motion.skeleton, 128, 80)
    assert (warped.alpha > 0.5).sum() > 500
    np.testing.assert_allclose(layer.m, warped.alpha, atol=1e-4)
    shown = np.abs(layer.z - warped.colour) * warped.alpha[..., None]
    assert shown[warped.alpha > 1 / 255].mean() < 1e-3
    assert np.abs(layer.z - warped.colour)[warped.alpha > VISIBLE].mean() < 1e-4


def test_a_back_view_has_no_landmarks_and_is_not_refined(backend: FreestyleBackend) -> None:
    person = backend.prepare(target_with_face())
    height, width = backend.canvas or (64, 40)
    motion = Motion(standing_skeleton(width, height), None, Canvas(width, height))
    (layer,) = backend.render(person, [motion])
    assert layer.landmarks is None
    frame = Frame(np.full((300, 200, 3), 90, np.uint8))
    assert backend.refine(person, frame, layer.landmarks) is frame


def test_refine_changes_the_face_and_nothing_else(backend: FreestyleBackend) -> None:
    person = backend.prepare(target_with_face())
    frame = Frame(np.full((300, 200, 3), 90, np.uint8), 7, 0.25)
    refined = backend.refine(person, frame, made_landmarks((100, 90), 100))
    changed = (refined.rgb != frame.rgb).any(-1)
    assert changed[80:120, 80:120].mean() > 0.9
    assert not changed[170:].any() and not changed[:, :40].any()
    assert (refined.index, refined.time) == (7, 0.25)


@pytest.mark.parametrize("size", [40, 150, 290, 800])
def test_faces_of_any_size_are_refined_where_they_are(backend: FreestyleBackend, size: int) -> None:
    """Those across the frame's edge and outside of it too."""
    person = backend.prepare(target_with_face())
    frame = Frame(np.full((300, 200, 3), 90, np.uint8))
    for centre in ((100, 150), (0, 150), (-3 * size, 150)):
        refined = backend.refine(person, frame, made_landmarks(centre, size))
        changed = (refined.rgb != frame.rgb).any(-1)
        x = np.flatnonzero(changed.any(0))
        assert len(x) == 0 if centre[0] < -size else len(x) > 0.3 * min(size, 100)
        assert all(abs(k - centre[0]) < size for k in x)


def test_without_fr_or_without_a_face_in_the_photo_nothing_is_refined() -> None:
    frame, face = Frame(np.full((300, 200, 3), 90, np.uint8)), made_landmarks((100, 90), 100)
    backend = backend_of(TINY)
    assert backend.refine(backend.prepare(made_target()), frame, face) is frame
    without = backend_of(TINY.with_overrides({"fr": "off"}))
    assert without.refine(without.prepare(target_with_face()), frame, face) is frame


def test_it_is_a_backend() -> None:
    assert isinstance(backend_of(TINY), stages.Backend)
    assert backend_of(TINY).canvas == (128, 80)
    assert PAPER.b2f.canvas == (512, 320)
    assert backend_of(TINY).uses_dense and backend_of(TINY).refines
    plain = backend_of(TINY.with_overrides({"p2b.use_dp": "off", "fr": "off"}))
    assert not plain.uses_dense and not plain.refines
    found = registry.load_class(registry.find("dance.backend", "freestyle"))
    assert found is FreestyleBackend


def test_without_weights_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DANCE_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="no trained weights called 'paper'") as caught:
        FreestyleBackend(Settings(weights="paper"))
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_fr_alone_refines_and_paints_nobody(tmp_path: Path) -> None:
    bundle = untrained(tmp_path / "fr", TINY, "fr")
    backend = FreestyleBackend(Settings("cpu", str(bundle)))
    assert backend.refines and not backend.uses_dense and backend.canvas is None
    target = target_with_face()
    empty = LabelMap(np.zeros_like(target.labels.labels))
    person = backend.prepare(dataclasses.replace(target, labels=empty))
    frame = Frame(np.full((300, 200, 3), 90, np.uint8))
    assert backend.refine(person, frame, made_landmarks((100, 90), 100)) is not frame
    with pytest.raises(NoPersonError, match="nobody can be painted"):
        backend.render(person, motions(1))
    with pytest.raises(WeightsError, match="the bundle has no p2b, only fr"):
        backend.prepare(target)


def test_faces_are_refined_without_reading_the_other_networks(tmp_path: Path) -> None:
    bundle = untrained(tmp_path / "all", TINY)
    backend = FreestyleBackend(Settings("cpu", str(bundle)))
    for role in ("p2b", "b2f"):
        (bundle / f"{role}.safetensors").unlink()
    target = target_with_face()
    empty = LabelMap(np.zeros_like(target.labels.labels))
    person = backend.prepare(dataclasses.replace(target, labels=empty))
    frame = Frame(np.full((300, 200, 3), 90, np.uint8))
    assert backend.refine(person, frame, made_landmarks((100, 90), 100)) is not frame
    with pytest.raises(WeightsError, match=r"p2b\.safetensors"):
        FreestyleBackend(Settings("cpu", str(bundle)))


def test_it_says_which_weights_it_uses(tmp_path: Path) -> None:
    bundle = untrained(tmp_path / "mine", TINY)
    backend = FreestyleBackend(Settings("cpu", str(bundle)))
    about = backend.weights()
    assert (backend.COMMERCIAL, backend.device) == (True, "cpu")
    assert (about["name"], about["licence"], about["commercial"]) == ("mine", "MIT", True)
    p2b = (bundle / "p2b.safetensors").read_bytes()
    assert about["sha256"]["p2b"] == hashlib.sha256(p2b).hexdigest()
    assert about["sha256"].keys() == {"p2b", "b2f", "fr"}
    assert backend_of(TINY).weights() == {}


# As a user runs it


def reenact(photo: Path, video: Path, folder: Path, *options: object) -> tuple[int, np.ndarray]:
    """Exit code of a run of half a second at the demo's speed, and its frames."""
    with pytest.raises(SystemExit) as caught:
        main([
            "reenact", str(photo), str(video), "-o", str(folder), "--start", "1", "--end", "1.2",
            "--size", "288x384", "--shadow", "0", "--device", "cpu", *map(str, options),
        ])  # fmt: skip
    pictures = [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]
    return int(caught.value.code or 0), np.stack(pictures) if pictures else np.zeros(0)


def test_reenact_with_untrained_compact_weights_looks_like_posewarp(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    bundle = untrained(tmp_path / "bundle", COMPACT.with_overrides({"fr": "off"}), "p2b b2f")
    code, painted = reenact(
        demo_photo, demo_video, tmp_path / "painted", "--backend", "freestyle", "--weights", bundle
    )
    assert code == 0 and painted.shape == (6, 384, 288, 3)
    made_with = json.loads(sidecar_path(tmp_path / "painted").read_text())["weights"]
    for role in ("p2b", "b2f"):
        assert made_with["sha256"][role] == sha256_of(bundle / f"{role}.safetensors")
    code, warped = reenact(demo_photo, demo_video, tmp_path / "warped", "--backend", "posewarp")
    assert code == 0
    away = np.abs(painted.astype(int) - warped).max(-1)
    # The canvas differs (512x320 resized, against the output's own pixels), so edges may.
    assert away.mean() < 2 and (away > 40).mean() < 0.01
    moved = np.abs(painted[-1].astype(int) - painted[0]).max(-1)
    assert (moved > 40).mean() > 0.003


@pytest.mark.parametrize(("damaged", "substitute"), [("b2f", "posewarp"), ("parser", "heuristic")])
def test_a_damaged_default_is_said_aloud_and_what_needs_no_weights_takes_its_place(
    damaged: str, substitute: str, demo_photo: Path, demo_video: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    shipped = untrained(tmp_path / "shipped" / "compact", TINY, "p2b b2f parser")
    monkeypatch.setattr("dance_freestyle.bundles.SHIPPED", shipped.parent)
    file = shipped / f"{damaged}.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    code, painted = reenact(demo_photo, demo_video, tmp_path / "out")
    assert code == 0 and len(painted) == 6
    assert "WARNING" in caplog.text and f"{damaged}.safetensors" in caplog.text
    used = json.loads(sidecar_path(tmp_path / "out").read_text())["plugins"]
    names = {p["group"]: p["name"] for p in used}
    wanted = {"dance.backend": "freestyle", "dance.parser": "builtin"}
    group = "dance.backend" if damaged == "b2f" else "dance.parser"
    assert {key: names[key] for key in wanted} == {**wanted, group: substitute}
    for_sale = Stages(Job(Path(), Path(), Path(), stages.DEFAULTS, licence="commercial"))
    for_sale.refuse_forbidden()
    for_sale.settle()
    assert for_sale.infos[group].name == substitute
    code, _ = reenact(
        demo_photo, demo_video, tmp_path / "asked", "--backend", "freestyle", "--weights", shipped
    )
    assert code == 1 and not (tmp_path / "asked").exists()


def test_labels_that_were_kept_are_not_those_of_another_parsers_weights(tmp_path: Path) -> None:
    keys = []
    for width in (8, 16):
        bundle = tmp_path / str(width)
        preset = TINY.with_overrides({"parser.widths": f"8,{width}"})
        used = Stages(
            Job(
                Path(),
                Path(),
                Path(),
                stages.DEFAULTS,
                weights=str(untrained(bundle, preset, "parser")),
            )
        )
        keys.append(used.identity("parser"))
    assert keys[0] != keys[1]


def test_reenact_without_weights_says_so_in_one_line(
    demo_photo: Path, demo_video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = reenact(
        demo_photo, demo_video, tmp_path / "out", "--backend", "freestyle", "--weights", "none"
    )
    said = capsys.readouterr().err.splitlines()
    assert code == 1
    assert said[-1].startswith("dance: error: no trained weights called 'none' are here")
    assert not any("pose" in line for line in said), "the poses were looked for first"
    assert not (tmp_path / "out").exists()


# What the networks are given


def test_parts_are_the_boxes_of_equation_4() -> None:
    labels = np.zeros((100, 80), np.uint8)
    labels[10:20, 30:40] = Label.FACE
    labels[20:60, 20:50] = Label.UPPER_CLOTHES
    labels[60:64, 20:24] = Label.LEFT_SHOE  # 16 pixels: too few
    rgb = np.full((100, 80, 3), 200, np.uint8)
    rgb[labels == Label.UPPER_CLOTHES] = (10, 20, 30)
    parts = appearance.separate(rgb, labels, 64)
    assert parts.images.shape == (5, 64, 64, 3)
    assert parts.present.tolist() == [True, True, False, False, False]
    assert parts.images[0, :16].mean() == 200  # t1 keeps what is around the face
    upper = parts.images[1]
    assert (upper[32, 32] == (10, 20, 30)).all()
    assert (upper[32, 2] == appearance.MEAN_COLOUR).all()  # 40 high, 30 wide: padded to a square
    assert (parts.images[3] == appearance.MEAN_COLOUR).all()


def test_the_target_map_is_centred_and_has_the_canvas_proportions() -> None:
    target = made_target()
    found = inputs.target_map(target, COMPACT.p2b)
    assert found.shape == (256, 160)
    assert set(np.unique(found)) == set(np.unique(target.labels.labels))
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    assert len(range(rows[0], rows[-1] + 1)) == pytest.approx(256 / 1.2, abs=2)
    assert rows[0] + rows[-1] == pytest.approx(255, abs=2)
    assert columns[0] + columns[-1] == pytest.approx(159, abs=2)


def test_a_photo_without_labels_still_makes_a_map() -> None:
    target = made_target()
    empty = dataclasses.replace(target, labels=LabelMap(np.zeros_like(target.labels.labels)))
    assert not inputs.target_map(empty, TINY.p2b).any()


def target_with_hands() -> Target:
    """A figure whose labels end at the wrists."""
    target = made_target()
    hands = [made_hand(target.skeleton.joint(f"{side}_wrist"), 12) for side in ("left", "right")]
    skeleton = Skeleton(target.skeleton.body, *hands)
    return dataclasses.replace(target, skeleton=skeleton)


def test_hands_are_drawn_into_the_target_map_unless_they_are_switched_off() -> None:
    target, bare = target_with_hands(), dataclasses.replace(COMPACT.p2b, hand_labels=False)
    assert {20, 21} <= set(np.unique(inputs.target_map(target, COMPACT.p2b)))
    without = inputs.target_map(made_target(), bare)
    np.testing.assert_array_equal(inputs.target_map(target, bare), without)


def test_the_photo_looks_as_it_does_in_training_with_its_hands() -> None:
    backend, target = backend_of(TINY_PAPER), target_with_hands()
    drawn = LabelMap(hand_labels(target.labels.labels, target.skeleton))
    looks = [
        backend.prepare(each).looks for each in (target, dataclasses.replace(target, labels=drawn))
    ]
    assert looks[0] is not None and looks[1] is not None
    torch.testing.assert_close(looks[0].start, looks[1].start, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "hand", "brow", "count"),
    [
        ({}, 20, 22, 27),
        ({"hand_labels": "off"}, Label.LEFT_ARM, 20, 25),
        ({"face_labels": "off"}, 20, Label.FACE, 22),
        ({"hand_labels": "off", "face_labels": "off"}, Label.LEFT_ARM, Label.FACE, 20),
    ],
)
def test_labels_that_are_switched_off_join_their_neighbours(
    changes: dict[str, str], hand: int, brow: int, count: int
) -> None:
    preset = PAPER.with_overrides(changes).b2f
    labels = np.array([[[0, Label.LEFT_HAND, Label.EYEBROWS, Label.FACE]]], np.uint8)
    channels = inputs.label_channels(labels, preset)
    assert channels.shape == (1, count, 1, 4)
    assert channels.argmax(1)[0, 0].tolist() == [0, hand, brow, 13]
    assert torch.equal(channels.sum(1), torch.ones(1, 1, 4))


def test_face_labels_that_are_switched_off_cover_nothing() -> None:
    landmarks, labels = made_landmarks((40, 60), 60), np.zeros((128, 80), np.uint8)
    labels[20:100, 10:70] = Label.FACE
    labels[int(landmarks[48:60, 1].min()) : 100, 10:70] = Label.LEFT_HAND  # before the mouth
    off = PAPER.with_overrides({"face_labels": "off"}).b2f
    assert (inputs.with_face(labels, landmarks, off) == labels).all()
    drawn = inputs.with_face(labels, landmarks, PAPER.b2f)
    assert ((labels == Label.LEFT_HAND) & (drawn == Label.LIPS)).any()


def test_landmarks_that_miss_the_face_are_moved_onto_it() -> None:
    face = np.zeros((128, 80), np.bool_)
    face[10:40, 25:55] = True
    near, far = made_landmarks((40, 25), 30), made_landmarks((40, 90), 60)
    assert inputs.on_face(near, face) is near
    moved = inputs.on_face(far, face)[:68, :2]
    assert moved.min(0).tolist() >= [24, 9] and (moved.max(0) <= (56, 41)).all()
    middle = (moved.min(0) + moved.max(0)) / 2
    np.testing.assert_allclose(middle, (40, 25), atol=0.6)
    assert inputs.on_face(far, np.zeros_like(face)) is far


def test_dense_maps_are_scaled_to_one() -> None:
    dense = DenseMap(np.dstack([np.full((8, 5), 24.0), np.full((8, 5), 0.5), np.zeros((8, 5))])
                     .astype(np.float32))  # fmt: skip
    found = inputs.dense_tensor(dense, (16, 10))
    assert found.shape == (3, 16, 10)
    assert found.mean((1, 2)).tolist() == [1.0, 0.5, 0.0]
    assert not inputs.dense_tensor(None, (16, 10)).any()


def test_reading_weights_does_not_import_torchs_compiler() -> None:
    """It would take a second or two of every run."""
    script = """
import sys
from dance_freestyle.backend import FreestyleBackend
from dancecli.stages import Settings
assert FreestyleBackend(Settings(device="cpu")).nets.body
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


class DenseOfPictures(TemplateDense):
    """The template, as if it were read from the driving frame."""

    from_skeleton = False


@pytest.mark.parametrize("poser", [TemplateDense, DenseOfPictures])
def test_the_dense_map_is_as_fine_as_p2b_sees_it(poser: type[TemplateDense]) -> None:
    """And where the skeleton is: half a pixel is a lot at that size."""
    backend, factor = FreestyleBackend(Settings(device="cpu")), 4
    size = COMPACT.p2b.size
    assert backend.dense_size == backend.nets.body.p2b.preset.size
    backend.dense_size = size
    job_stages = Stages(Job(Path("p.jpg"), Path("v.mp4"), Path("o.mp4")))
    job_stages.__dict__.update(backend=backend, dense=poser(Settings()))
    height, width = factor * size[0], factor * size[1]
    skeleton = standing_skeleton(width, height)
    driver, driving = skeleton.moved(2, 0, 0), Frame(np.zeros((2 * height, 2 * width, 3), np.uint8))
    scene = Scene(
        colour_plate((0, 0, 0), (width, height)), (skeleton,), (driver,),
        (Canvas(width, height),), np.array([height], np.float32), float(height), (width, height),
        Fraction(25), 0.0,
    )  # fmt: skip
    dense = scene.motion(0, driving, job_stages).dense
    assert dense is not None and dense.iuv.shape == (*size, 3)
    small = Frame(np.zeros((*size, 3), np.uint8))
    wanted = TemplateDense(Settings()).dense(small, None, skeleton.moved(1 / factor, 0, 0))
    middles = [np.argwhere(each.iuv[..., 0] > 0).mean(0) for each in (wanted, dense)]
    assert np.abs(middles[0] - middles[1]).max() < 0.2
    same = (wanted.iuv[..., 0] == dense.iuv[..., 0])[wanted.iuv[..., 0] > 0]
    assert same.mean() > 0.95
