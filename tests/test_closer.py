"""Videos whose dancer a detector of people does not see, such as one without a head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from dance_mediapipe.pose import MediaPipePose
from mediapipe_media import DEMO, stills
from motion_puppet import bones, puppet, track_of
from scripted_tracking import wall
from test_reenact import dance, frames_of

from dancecli.motion import Closer, retarget
from dancecli.stages import Settings
from dancecli.types import JOINT, Box, Frame, Skeleton

TRUNK = [JOINT[n] for n in ("right_shoulder", "left_shoulder", "right_hip", "left_hip", "neck")]


@pytest.fixture(scope="module")
def pose() -> MediaPipePose:
    return MediaPipePose(Settings())


def beheaded(frame: Frame, neck: int) -> Frame:
    return Frame(frame.rgb[neck:].copy(), frame.index)


@pytest.mark.parametrize("number", [0, 1])
def test_a_body_is_found_by_itself(pose: MediaPipePose, number: int) -> None:
    whole = stills(DEMO / "dance.mp4", 4)[number]
    truth = pose.extract(whole)[0].body
    neck = int(truth[JOINT["neck"], 1])
    found = Closer(pose).extract(beheaded(whole, neck))
    assert len(found) == 1
    off = found[0].body[TRUNK, :2] + [0, neck] - truth[TRUNK, :2]
    assert np.hypot(*off.T).max() < 0.06 * whole.height


@pytest.mark.parametrize("picture", [wall(1)[:400, :600], np.full((480, 640, 3), 120, np.uint8)])
def test_where_nobody_is_nobody_is_found(pose: MediaPipePose, picture: np.ndarray) -> None:
    assert Closer(pose).extract(Frame(picture)) == []


@pytest.mark.parametrize("size", [(2, 720), (1280, 30), (1, 1)])
def test_a_strip_too_narrow_for_anybody_is_not_cut_into_thousands(size: tuple[int, int]) -> None:
    looked: list[int] = []

    class Blind:
        def extract(self, _: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
            looked.append(len(boxes or ()))
            return []

    pose: Any = Blind()
    width, height = size
    assert Closer(pose).extract(Frame(np.zeros((height, width, 3), np.uint8))) == []
    assert looked == [0, 1]


def test_a_video_of_somebody_without_a_head_is_danced(
    demo_photo: Path, tmp_path: Path, pose: MediaPipePose
) -> None:
    frames = stills(DEMO / "dance.mp4", 180)[:8]
    neck = int(pose.extract(frames[0])[0].joint("neck")[1]) // 2 * 2
    with av.open(str(tmp_path / "headless.mp4"), "w") as file:
        stream = file.add_stream("libx264", Fraction(30), {"crf": "12"})
        stream.height, stream.width = frames[0].height - neck, frames[0].width
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(beheaded(frame, neck).rgb, "rgb24")
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    done = dance(
        "reenact", demo_photo, "headless.mp4", "-o", "out.mp4", "--size", "180x240",
        "--backend", "posewarp", "--background", "#808080", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "looking closer" in done.stderr
    painted = np.abs(frames_of(tmp_path / "out.mp4").astype(int) - 128).max(-1) > 40
    assert len(painted) == 8 and painted.mean((1, 2)).min() > 0.03


@pytest.mark.parametrize("away", [False, True])
def test_a_head_that_is_never_seen_turns_with_the_trunk(away: bool) -> None:
    """Somebody from behind does not look over the shoulder into the camera."""
    clip = [headless(away) for _ in range(10)]
    danced = retarget(track_of(clip), puppet(bones(500), foot=(400, 650)), (800, 700))
    for skeleton in danced:
        left, right = skeleton.joint("left_ear"), skeleton.joint("right_ear")
        shoulders = skeleton.joint("left_shoulder") - skeleton.joint("right_shoulder")
        assert skeleton.seen("left_ear", "right_ear", "nose")
        assert (left - right)[0] * shoulders[0] > 0
        assert left[1] < skeleton.joint("neck")[1] and right[1] < skeleton.joint("neck")[1]


def headless(away: bool) -> Skeleton:
    """Somebody facing the camera or turned away, of whose head only the third dimension knows."""
    facing = puppet(bones(400))
    body = facing.body.copy()
    if away:
        body[:, 0] = 1000 - body[:, 0]
    world = np.column_stack([body[:, :2] / 400, np.zeros(25)]).astype(np.float32)
    body[[JOINT[n] for n in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")], 2] = 0
    return replace(facing, body=body, world=world)
