"""`dance refine-face`: FR alone on a finished video, as a user runs it; and the face's way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from commands import Ran, Run
from dance_freestyle.backend import FreestyleBackend
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.fr import FR
from dance_freestyle.presets import COMPACT
from freestyle_tiny import TINY
from made_dancers import made_landmarks
from PIL import Image

from dancecli.media import VideoStream, probe, read_photo
from dancecli.motion import Observation
from dancecli.progress import Progress
from dancecli.refining import Refinement, refine_faces
from dancecli.steps.faces import steady
from dancecli.types import FloatArray, Skeleton, UInt8Array
from dancecli.workdir import WorkDir

torch.set_num_threads(1)

HEAD = (slice(60, 175), slice(85, 175))
"""Rows and columns that hold the demo dancer's head, hair and all, in `dancing`'s frames."""

SEEN, GONE = 30, 4
"""Frames of `clip` with the dancer, and after them without."""


@pytest.fixture
def run(run: Run) -> Run:
    """`dance refine-face` in this process."""
    return partial(run, "refine-face")


def error_of(ran: Ran) -> str:
    lines = ran.err.splitlines()
    assert ran.code and sum(line.startswith("dance: error:") for line in lines) == 1, ran.err
    assert "Traceback" not in ran.err
    return lines[-1]


def write_video(path: Path, frames: list[UInt8Array], fps: int = 30, sound: bool = False) -> Path:
    """Lossless enough to see the same faces again."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=fps, options={"crf": "12"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        track: Any = file.add_stream("aac", rate=48000) if sound else None
        for rgb in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
        if track is not None:
            wave = np.sin(np.arange(48000 * len(frames) // fps) / 17).astype(np.float32)
            tone = av.AudioFrame.from_ndarray(wave[None] * 0.3, format="fltp", layout="mono")
            tone.sample_rate = 48000
            file.mux(track.encode(tone))
            file.mux(track.encode(None))
    return path


@pytest.fixture(scope="module")
def dancing(demo_video: Path) -> list[UInt8Array]:
    """Frames of the demo about its dancer, 288 wide and 400 high."""
    frames = VideoStream(demo_video).frames(0, SEEN)
    return [np.ascontiguousarray(frame.rgb[120:520, 40:328]) for frame in frames]


@pytest.fixture(scope="module")
def clip(dancing: list[UInt8Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dancer, then nobody, with sound."""
    empty = [np.full_like(dancing[0], 90)] * GONE
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", dancing + empty, sound=True)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FR and nothing else, untrained: faces become something else, which is easy to see."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights") / "fr-alone"
    save_bundle(folder, "fr-alone", {"fr": FR(COMPACT.fr)}, "MIT", True)
    return folder


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the module, so that each clip's poses are extracted once."""
    return tmp_path_factory.mktemp("work")


def frames_of(path: Path) -> np.ndarray:
    return np.stack([frame.rgb for frame in VideoStream(path).frames()])


def pictures_in(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def test_the_face_changes_and_nothing_else_does(
    run: Run, clip: Path, bundle: Path, demo_photo: Path, work: Path, tmp_path: Path
) -> None:
    ran = run(
        clip, "--photo", demo_photo, "-o", tmp_path / "out", "--weights", bundle,
        "--work-dir", work, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    summary = json.loads(ran.out)
    assert summary["frames"] == SEEN + GONE
    assert summary["refined"] == SEEN and summary["untouched"] == GONE
    before, after = frames_of(clip), pictures_in(tmp_path / "out")
    assert before.shape == after.shape
    assert np.array_equal(before[SEEN:], after[SEEN:])
    changed = (before != after).any(-1)
    assert all(each[HEAD].sum() > 100 for each in changed[:SEEN])
    changed[:, HEAD[0], HEAD[1]] = False
    assert not changed.any()


def test_blurred_faces_get_the_photos_sharpness(
    run: Run, dancing: list[UInt8Array], work: Path, tmp_path: Path
) -> None:
    """With the weights that ship and nothing else said; the photo is a frame of the dance."""
    large = [cv2.resize(each, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for each in dancing]
    Image.fromarray(large[0]).save(tmp_path / "photo.png")
    blurred = [cv2.GaussianBlur(each, (0, 0), 2.0) for each in large[:8]]
    clip = write_video(tmp_path / "blurred.mp4", blurred)
    ran = run(clip, "--photo", tmp_path / "photo.png", "-o", tmp_path / "out", "--work-dir", work)
    assert ran.code == 0, ran.err
    before, after, true = frames_of(clip), pictures_in(tmp_path / "out"), np.stack(large[:8])
    face = (before != after).any(-1)

    def off(frames: np.ndarray) -> float:
        return float(np.abs(frames.astype(float) - true)[face].mean())

    def detail(frames: np.ndarray) -> float:
        return float(np.abs(np.diff(frames.astype(float).mean(-1), axis=2))[face[:, :, 1:]].mean())

    assert face.sum() > 8 * 1000
    assert off(after) < 0.9 * off(before)
    assert detail(after) > detail(before) + 0.3 * (detail(true) - detail(before))


def test_sound_time_and_origin_are_kept(
    run: Run, clip: Path, bundle: Path, demo_photo: Path, work: Path, tmp_path: Path
) -> None:
    ran = run(
        clip, "--photo", demo_photo, "-o", tmp_path / "out.mp4", "--weights", bundle,
        "--work-dir", work,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.out.strip() == str(tmp_path / "out.mp4")
    assert f"face refined in {SEEN} of {SEEN + GONE} frames" in ran.err
    info = probe(tmp_path / "out.mp4")
    assert (info.frames, info.fps, info.has_audio) == (SEEN + GONE, Fraction(30), True)
    about = json.loads((tmp_path / "out.mp4.json").read_text())
    assert about["synthetic media"] is True
    assert about["faces"] == {"refined": SEEN, "untouched": GONE}
    assert about["weights"]["name"] == "fr-alone" and about["weights"]["licence"] == "MIT"
    assert len(about["weights"]["sha256"]["fr"]) == 64
    assert about["inputs"].keys() == {"video", "photo"}
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert "refined after a photo" in " ".join(container.metadata.values())
    again = run(
        clip, "--photo", demo_photo, "-o", tmp_path / "out.mp4", "--weights", bundle,
    )  # fmt: skip
    assert "--force" in error_of(again)


def test_a_stopped_run_goes_on_to_the_same_frames_and_counts(
    clip: Path, bundle: Path, demo_photo: Path, work: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    refine = FreestyleBackend.refine
    asked: list[int] = []

    def counted(self: Any, person: Any, frame: Any, landmarks: Any) -> Any:
        asked.append(frame.index)
        if len(asked) == stop_after:
            raise KeyboardInterrupt
        return refine(self, person, frame, landmarks)

    monkeypatch.setattr(FreestyleBackend, "refine", counted)

    def go(name: str) -> dict[str, Any]:
        asked.clear()
        ask = Refinement(clip, demo_photo, tmp_path / name, device="cpu", weights=str(bundle))
        return refine_faces(ask, WorkDir(work), Progress("quiet"))

    stop_after = 28
    with pytest.raises(KeyboardInterrupt):
        go("broken.mp4")
    assert not (tmp_path / "broken.mp4").exists()
    stop_after = -1
    resumed = go("broken.mp4")
    assert len(asked) < 15  # the photo's own face, and what was not yet stored
    whole = go("whole.mp4")
    assert {**resumed, "out": ""} == {**whole, "out": ""}
    assert np.array_equal(frames_of(tmp_path / "broken.mp4"), frames_of(tmp_path / "whole.mp4"))


def test_a_face_alone_is_enough_in_photo_and_video(
    run: Run, dancing: list[UInt8Array], bundle: Path, demo_photo: Path, tmp_path: Path
) -> None:
    heads = [cv2.resize(rgb[55:125, 100:170], (240, 240)) for rgb in dancing[:6]]
    close = write_video(tmp_path / "close.mp4", heads)
    still = read_photo(demo_photo).rgb
    portrait = tmp_path / "portrait.png"
    top, left = face_of(still)
    Image.fromarray(still[top : top + 160, left : left + 160]).save(portrait)
    ran = run(close, "--photo", portrait, "-o", tmp_path / "out", "--weights", bundle, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["refined"] == 6


def face_of(rgb: UInt8Array) -> tuple[int, int]:
    """Row and column of a square of 160 about the only face of the demo photo."""
    from dance_mediapipe.face import MediaPipeFaceAligner

    from dancecli.stages import Settings
    from dancecli.types import Frame

    points = MediaPipeFaceAligner(Settings()).landmarks(Frame(rgb))
    assert points is not None
    x, y = points[:68, :2].mean(0)
    return max(0, int(y) - 80), max(0, int(x) - 80)


@pytest.mark.parametrize("who", ["left", "right"])
def test_of_two_people_the_one_asked_for_is_refined(
    run: Run, dancing: list[UInt8Array], bundle: Path, demo_photo: Path, tmp_path: Path, who: str
) -> None:
    pairs = [np.concatenate([rgb, rgb[:, ::-1]], 1) for rgb in dancing[:3]]
    video = write_video(tmp_path / "pair.mp4", pairs)
    ran = run(
        video, "--photo", demo_photo, "-o", tmp_path / "out", "--weights", bundle,
        "--person", who, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["refined"] == 3
    changed = (frames_of(video) != pictures_in(tmp_path / "out")).any((0, 1, 3))
    columns = np.flatnonzero(changed)
    middle = pairs[0].shape[1] // 2
    assert columns.max() < middle if who == "left" else columns.min() >= middle


def test_an_odd_size_loses_its_last_row(
    run: Run, dancing: list[UInt8Array], bundle: Path, demo_photo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "odd.gif"
    pictures = [Image.fromarray(rgb[:399, :287]) for rgb in dancing[:2]]
    pictures[0].save(folder, save_all=True, append_images=pictures[1:], duration=100)
    ran = run(folder, "--photo", demo_photo, "-o", tmp_path / "o.mp4", "--weights", bundle)
    assert ran.code == 0, ran.err
    info = probe(tmp_path / "o.mp4")
    assert (info.width, info.height) == (286, 398)


# What cannot be done is said in one line


def test_what_the_licence_forbids_is_refused_before_any_work(
    run: Run, clip: Path, demo_photo: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "closed"
    save_bundle(bundle, "closed", {"fr": FR(TINY.fr)}, "for research", commercial=False)
    out = ("-o", tmp_path / "o.mp4", "--work-dir", tmp_path / "work", "--weights", bundle)
    ran = run(clip, "--photo", demo_photo, *out, "--licence", "commercial")
    assert "freestyle" in error_of(ran) and "commercial" in error_of(ran)
    assert not list(tmp_path.glob("o.mp4*"))


def test_a_sidecar_takes_no_other_file_s_place_unasked(
    run: Run, clip: Path, demo_photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "o.mp4.json").write_text("mine")
    ran = run(clip, "--photo", demo_photo, "-o", tmp_path / "o.mp4", "--work-dir", tmp_path / "w")
    assert "o.mp4.json exists, and the sidecar would replace it" in error_of(ran)
    assert (tmp_path / "o.mp4.json").read_text() == "mine" and not (tmp_path / "w").exists()


def test_without_weights_it_says_so_before_any_work(
    run: Run, clip: Path, demo_photo: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    ran = run(
        clip, "--photo", demo_photo, "-o", tmp_path / "o.mp4", "--work-dir", work,
        "--weights", "absent",
    )  # fmt: skip
    assert "no trained weights called 'absent' are here" in error_of(ran)
    assert not list(tmp_path.glob("o.mp4*"))
    assert not list(work.rglob("*.jsonl"))


def test_weights_or_a_backend_without_fr_are_refused(
    run: Run, clip: Path, demo_photo: Path, tmp_path: Path
) -> None:
    from dance_freestyle.p2b import P2B

    save_bundle(tmp_path / "p2b", "p2b", {"p2b": P2B(TINY.p2b)}, "MIT")
    out = ("-o", tmp_path / "o.mp4")
    ran = run(clip, "--photo", demo_photo, *out, "--weights", tmp_path / "p2b")
    assert "refines no faces" in error_of(ran) and "FR" in ran.err
    ran = run(clip, "--photo", demo_photo, *out, "--backend", "posewarp")
    assert "posewarp refines no faces" in error_of(ran)
    ran = run(clip, "--photo", demo_photo, *out, "--backend", "freestile")
    assert ran.code == 2 and "did you mean 'freestyle'" in error_of(ran)


def test_a_photo_or_a_video_without_a_face_is_refused(
    run: Run, clip: Path, bundle: Path, demo_photo: Path, tmp_path: Path
) -> None:
    nobody = tmp_path / "sky.png"
    Image.fromarray(np.full((300, 200, 3), 120, np.uint8)).save(nobody)
    out = ("-o", tmp_path / "o.mp4", "--weights", bundle)
    assert "sky.png: no face is seen" in error_of(run(clip, "--photo", nobody, *out))
    ran = run(clip, "--photo", demo_photo, *out, "--photo-person", "2")
    assert "person 2 asked for, 1 found" in error_of(ran)
    small = tmp_path / "small.png"
    Image.fromarray(read_photo(demo_photo).rgb).resize((192, 256)).save(small)
    assert "small.png" in error_of(run(clip, "--photo", small, *out))
    grey = write_video(tmp_path / "grey.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 3)
    assert "not seen in any of its 3 frames" in error_of(run(grey, "--photo", demo_photo, *out))
    assert not list(tmp_path.glob("o.mp4*"))


# How a face is followed


def noisy(
    count: int, noise: float = 0.0, step: tuple[float, float] = (0, 0)
) -> Iterator[FloatArray]:
    rng = np.random.default_rng(3)
    for t in range(count):
        face = made_landmarks((200 + t * step[0], 150 + t * step[1]), 90)
        face[:, :2] += rng.normal(0, noise, 2)
        yield face


def seen(count: int, cuts: tuple[int, ...] = ()) -> list[Observation]:
    nobody = Skeleton(np.zeros((25, 3), np.float32))
    return [Observation(nobody, cut=t in cuts) for t in range(count)]


FPS = Fraction(30)


def test_trembling_is_smoothed_without_lag() -> None:
    raw = list(noisy(60, noise=1.0, step=(2.0, 0.0)))
    true = np.stack(list(noisy(60, step=(2.0, 0.0))))[:, :68, :2]
    error = steady(raw, seen(60), FPS, 1.0).points[:, :68, :2] - true
    before = np.stack(raw)[:, :68, :2] - true
    trembling = [np.diff(each, axis=0).std() for each in (error, before)]
    assert trembling[0] < 0.5 * trembling[1]
    assert np.abs(error[10:-10].mean((0, 1))).max() < 0.5
    unsmoothed = steady(raw, seen(60), FPS, 0.0)
    np.testing.assert_allclose(unsmoothed.points, np.stack(raw), atol=1e-3)
    assert (unsmoothed.strength == 1).all()


def test_short_gaps_are_bridged_and_long_ones_fade_out_and_in() -> None:
    faces: list[FloatArray | None] = list(noisy(60))
    faces[10] = faces[11] = None
    faces[30:45] = [None] * 15
    track = steady(faces, seen(60), FPS, 1.0)
    assert (track.strength[:27] == 1).all()
    assert track.strength[26:46].tolist() == [1, 0.75, 0.5, 0.25, *[0] * 15, 0.25]
    assert (np.diff(track.strength[45:50]) >= 0).all() and (track.strength[49:] == 1).all()
    np.testing.assert_allclose(track.points[10, :68, :2], faces[9][:68, :2], atol=1.0)
    assert not track.points[35, :, 2].any()


def test_a_cut_neither_fades_nor_smooths() -> None:
    left, right = list(noisy(20)), [made_landmarks((600, 300), 90)] * 20
    track = steady([*left, *right], seen(40, cuts=(20,)), FPS, 1.0)
    assert (track.strength == 1).all()
    np.testing.assert_allclose(track.points[19, :68, :2], left[19][:68, :2], atol=0.1)
    np.testing.assert_allclose(track.points[20, :68, :2], right[0][:68, :2], atol=0.1)
    empty = steady([*left, *[None] * 20], seen(40, cuts=(20,)), FPS, 1.0)
    assert (empty.strength[:20] == 1).all() and not empty.strength[20:].any()


def test_what_is_far_too_small_for_the_face_is_not_taken_for_it() -> None:
    faces: list[FloatArray | None] = list(noisy(40))
    faces[20:24] = [made_landmarks((230, 170), 40)] * 4
    track = steady(faces, seen(40), FPS, 1.0)
    assert not track.strength[20:24].any()
    assert (track.strength[:16] == 1).all()


def test_a_face_that_is_never_seen_has_no_strength() -> None:
    track = steady([None] * 5, seen(5), FPS, 1.0)
    assert not track.strength.any() and track.points.shape == (5, 70, 3)
