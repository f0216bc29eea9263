"""The main job from end to end, as a user runs it, on the project's own media."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from commands import Run
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.fr import FR
from freestyle_tiny import TINY
from PIL import Image

from dancecli.media import VideoStream, probe
from dancecli.motion import Observation
from dancecli.motion.tracking import Tracker
from dancecli.steps.output import Outputs, Painted
from dancecli.types import Frame

SECOND = ("--start", "1", "--end", "2")
SMALL = ("--size", "192x256")
"""Of the photo's shape: what is compared of two runs does not depend on the size."""

WHOLE = 24
"""Frames of a piece that is followed and of a part that is painted: less of them is not kept."""


def dance(
    *args: object, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dancecli", *map(str, args)],
        capture_output=True, text=True, cwd=cwd, timeout=600, env={**os.environ, **(env or {})},
    )  # fmt: skip


def frames_of(path: Path) -> np.ndarray:
    return np.stack([frame.rgb for frame in VideoStream(path).frames()])


@pytest.fixture(scope="module")
def first_run(
    demo_photo: Path, demo_video: Path, shared_cache: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, object]]:  # fmt: skip
    folder = tmp_path_factory.mktemp("first")
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "out.mp4", *SECOND, *SMALL,
        "--contact-sheet", "sheet.png", "--save-foreground", "fg.mov", "--poses", "poses.json",
        "--json", cwd=folder, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_a_contact_sheet_says_that_it_is_synthetic(
    first_run: tuple[Path, dict[str, object]],
) -> None:
    with Image.open(first_run[0] / "sheet.png") as sheet:
        assert "synthetic" in sheet.info["Title"]
        assert sheet.info["Comment"].startswith("synthetic media: made with dance")


def test_the_video_has_the_drivers_time_and_the_size_asked_for(
    first_run: tuple[Path, dict[str, object]], demo_video: Path
) -> None:
    folder, summary = first_run
    info = probe(folder / "out.mp4")
    assert info.fps == probe(demo_video).fps == Fraction(30)
    assert info.frames == summary["frames"] == 30
    assert (info.width, info.height) == (192, 256)
    assert info.has_audio
    with av.open(str(folder / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert "synthetic" in " ".join(container.metadata.values()).lower()


def test_without_a_size_the_video_has_the_photos_and_shows_the_same(
    first_run: tuple[Path, dict[str, object]], demo_photo: Path, demo_video: Path,
    shared_cache: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "out.mp4", *SECOND[:2], "--end", "1.2",
        cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    info = probe(tmp_path / "out.mp4")
    assert (info.width, info.height, info.frames) == (768, 1024, 6)
    whole = frames_of(tmp_path / "out.mp4")
    assert whole.shape == (6, 1024, 768, 3)
    scaled = whole.reshape(6, 256, 4, 192, 4, 3).mean((2, 4))
    small = frames_of(first_run[0] / "out.mp4")[:6].astype(float)
    assert np.abs(scaled - small).mean() < 4


def test_the_person_moves_and_the_background_stays(
    first_run: tuple[Path, dict[str, object]],
) -> None:
    frames = frames_of(first_run[0] / "out.mp4").astype(int)
    change = np.abs(frames[-1] - frames[0]).max(-1)
    assert (change > 40).mean() > 0.01
    assert np.median(change) < 6


def test_the_sidecar_says_what_was_done(
    first_run: tuple[Path, dict[str, object]], demo_photo: Path
) -> None:
    folder, _ = first_run
    about = json.loads((folder / "out.mp4.json").read_text())
    text = json.dumps(about)
    assert about["synthetic media"] is True
    assert "Apache-2.0" in text
    assert demo_photo.name in text
    assert str(demo_photo.parent) not in text


def test_poses_are_written_and_can_be_edited_and_used(
    first_run: tuple[Path, dict[str, object]], demo_photo: Path, demo_video: Path,
    shared_cache: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    poses = json.loads((first_run[0] / "poses.json").read_text())
    assert len(poses["frames"]) == 30
    for frame in poses["frames"]:
        points = frame["people"][0]["pose_keypoints_2d"]
        points[3 * 4 + 1] = points[3 * 1 + 1] - 100  # the right wrist above the neck
    (tmp_path / "poses.json").write_text(json.dumps(poses))
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "edited.mp4", *SECOND, *SMALL,
        "--poses", "poses.json", cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = frames_of(first_run[0] / "out.mp4"), frames_of(tmp_path / "edited.mp4")
    assert (np.abs(before.astype(int) - after).max(-1) > 40).mean() > 0.002


def test_poses_of_a_larger_copy_of_the_video_fit_and_of_another_shape_are_refused(
    first_run: tuple[Path, dict[str, object]], demo_photo: Path, demo_video: Path,
    shared_cache: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    poses = json.loads((first_run[0] / "poses.json").read_text())
    poses["width"], poses["height"] = 2 * poses["width"], 2 * poses["height"]
    for frame in poses["frames"]:
        frame["camera"][2] *= 2
        frame["camera"][5] *= 2
        for key, values in frame["people"][0].items():
            if key.endswith("2d"):
                values[0::3], values[1::3] = ([2 * v for v in values[k::3]] for k in (0, 1))
    (tmp_path / "large.json").write_text(json.dumps(poses))
    run = partial(dance, "reenact", demo_photo, demo_video, *SECOND, *SMALL,
                  "--poses", "large.json", cwd=tmp_path, env=shared_cache)  # fmt: skip
    done = run("--no-audio", "-o", "out.mp4")
    assert done.returncode == 0, done.stderr
    first, second = (frames_of(f / "out.mp4").astype(int) for f in (first_run[0], tmp_path))
    assert np.abs(first - second).mean() < 0.5
    poses["height"] //= 2
    (tmp_path / "large.json").write_text(json.dumps(poses))
    refused = run("-o", "flat.mp4")
    assert refused.returncode == 2 and "another shape" in refused.stderr.splitlines()[-1]


def test_a_foreground_with_more_frames_than_its_sidecar_is_told(
    first_run: tuple[Path, dict[str, object]], shared_cache: dict[str, str], demo_photo: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    shutil.copy(first_run[0] / "fg.mov", tmp_path)
    about = json.loads((first_run[0] / "fg.mov.json").read_text())
    about["landmarks"] = about["landmarks"][:-4]
    (tmp_path / "fg.mov.json").write_text(json.dumps(about))
    done = dance(
        "composite", "fg.mov", "--background", "white", "-o", "white.mp4", "--photo", demo_photo,
        cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 1 and "26 frames, it has 30" in done.stderr.splitlines()[-1]


def test_a_foreground_goes_on_another_background(
    first_run: tuple[Path, dict[str, object]], shared_cache: dict[str, str], tmp_path: Path
) -> None:
    shutil.copy(first_run[0] / "fg.mov", tmp_path)
    shutil.copy(first_run[0] / "fg.mov.json", tmp_path)
    done = dance(
        "composite", "fg.mov", "--background", "#00ff00", "-o", "green.mp4",
        cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    frames = frames_of(tmp_path / "green.mp4")
    assert len(frames) == 30
    corner = frames[:, :20, :20].reshape(-1, 3).mean(0)
    assert corner[1] > 230
    assert max(corner[0], corner[2]) < 40
    green = (frames[0][..., 1] > 200) & (frames[0][..., 0] < 80)
    assert 0.02 < 1 - green.mean() < 0.6


def test_a_foreground_s_face_is_not_refined_by_what_the_licence_forbids(
    first_run: tuple[Path, dict[str, object]], shared_cache: dict[str, str], demo_photo: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    for name in ("fg.mov", "fg.mov.json"):
        shutil.copy(first_run[0] / name, tmp_path)
    save_bundle(tmp_path / "closed", "closed", {"fr": FR(TINY.fr)}, "for research", False)
    done = dance(
        "composite", "fg.mov", "--background", "white", "-o", "white.mp4", "--photo", demo_photo,
        "--backend", "freestyle", "--weights", "closed", "--licence", "commercial",
        cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 1 and "--licence commercial refuses" in done.stderr
    assert not (tmp_path / "white.mp4").exists()


def test_a_second_run_gives_the_same_frames(
    first_run: tuple[Path, dict[str, object]], demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "out.mp4", *SECOND, *SMALL, "--no-cache",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert np.array_equal(frames_of(tmp_path / "out.mp4"), frames_of(first_run[0] / "out.mp4"))


def followed(work: Path) -> int:
    """Frames whose poses an earlier run has kept."""
    return sum(len(path.read_bytes().splitlines()) for path in work.glob("driver/*/journal.jsonl"))


def painted(work: Path) -> int:
    """Frames of the parts that an earlier run has completed, each taken for a long one."""
    return WHOLE * len(list(work.glob("render/*/frames/*.sha256")))


def made_from_now_on(monkeypatch: pytest.MonkeyPatch) -> dict[Callable[[Path], int], list[int]]:
    """The numbers of frames that runs in this process follow and paint."""
    made: dict[Callable[[Path], int], list[int]] = {followed: [], painted: []}
    step, write = Tracker.step, Outputs.write

    def follow(tracker: Tracker, frame: Frame) -> Observation:
        made[followed].append(frame.index)
        return step(tracker, frame)

    def paint(outputs: Outputs, frame: Painted) -> None:
        made[painted].append(frame.index)
        write(outputs, frame)

    monkeypatch.setattr(Tracker, "step", follow)
    monkeypatch.setattr(Outputs, "write", paint)
    return made


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("kept", [followed, painted])
def test_a_killed_run_resumes_to_the_same_frames(
    first_run: tuple[Path, dict[str, object]], demo_photo: Path, demo_video: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, run: Run, kept: Callable[[Path], int],
) -> None:  # fmt: skip
    command = (
        "reenact", demo_photo, demo_video, "-o", "out.mp4", *SECOND, *SMALL, "--work-dir", "work",
    )  # fmt: skip
    words, work = [sys.executable, "-m", "dancecli", *map(str, command)], tmp_path / "work"
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and kept(work) < WHOLE:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "out.mp4").exists()
    before = {followed: followed(work), painted: painted(work)}
    monkeypatch.chdir(tmp_path)
    made = made_from_now_on(monkeypatch)
    done = run(*command)
    assert done.code == 0, done.err
    assert np.array_equal(frames_of(tmp_path / "out.mp4"), frames_of(first_run[0] / "out.mp4"))
    for what, frames in made.items():
        assert min(frames, default=WHOLE) >= min(before[what], WHOLE), f"{what.__name__} again"
    assert [p.name for p in tmp_path.glob("out.mp4*")] and not list(tmp_path.glob("*.part"))


def test_a_png_folder_holds_one_picture_per_frame(
    first_run: tuple[Path, dict[str, object]], demo_photo: Path, demo_video: Path,
    shared_cache: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "frames", *SECOND, "--size", "192x256",
        cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "frames").glob("*.png"))) == 30


def test_composite_carries_what_made_the_foreground_also_for_commercial_use(
    first_run: tuple[Path, dict[str, object]], shared_cache: dict[str, str], demo_photo: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    for name in ("fg.mov", "fg.mov.json"):
        shutil.copy(first_run[0] / name, tmp_path)
    done = dance(
        "composite", "fg.mov", "--background", "white", "-o", "white.mp4", "--photo", demo_photo,
        "--licence", "commercial", cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, told = (
        json.loads((tmp_path / f"{n}.json").read_text()) for n in ("fg.mov", "white.mp4")
    )
    for key in ("plugins", "licences", "weights", "seed"):
        assert told[key] == first[key] and (key == "seed" or told[key]), key
    assert told["inputs"]["photo"]["file"] == demo_photo.name
    assert told["refined"] == {"backend": "freestyle", "weights": first["weights"]}
