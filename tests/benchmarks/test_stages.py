"""How long each stage takes on this machine (`make bench`); nothing is asserted about time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dance_mediapipe.mask import MediaPipeMasker
from dance_mediapipe.pose import MediaPipePose
from dance_posewarp.backend import PoseWarpBackend
from pytest_benchmark.fixture import BenchmarkFixture

from dancecli.composite import compose
from dancecli.figures import made_target, standing_skeleton
from dancecli.media import VideoStream
from dancecli.stages import Settings
from dancecli.types import Canvas, Frame, Motion

pytestmark = pytest.mark.bench

SIZE = (450, 720)
"""(width, height) of the rendered person's canvas."""


@pytest.fixture(scope="module")
def frame(demo_video: Path) -> Frame:
    return next(VideoStream(demo_video).frames())


def test_pose_of_a_tracked_frame(benchmark: BenchmarkFixture, frame: Frame) -> None:
    pose = MediaPipePose(Settings())
    box = pose.extract(frame)[0].box()
    assert box is not None
    assert benchmark(pose.extract, frame, [box])


def test_mask_of_a_frame(benchmark: BenchmarkFixture, frame: Frame) -> None:
    skeleton = MediaPipePose(Settings()).extract(frame)[0]
    assert benchmark(MediaPipeMasker(Settings()).mask, frame, skeleton).alpha.any()


def test_posewarp_prepare(benchmark: BenchmarkFixture) -> None:
    target = made_target(*SIZE)
    benchmark(PoseWarpBackend(Settings()).prepare, target)


def test_posewarp_render(benchmark: BenchmarkFixture) -> None:
    backend, target = PoseWarpBackend(Settings()), made_target(*SIZE)
    person = backend.prepare(target)
    motion = Motion(standing_skeleton(*SIZE), None, Canvas(*SIZE))
    assert benchmark(backend.render, person, [motion])[0].m.any()


def test_compose_at_720p(benchmark: BenchmarkFixture) -> None:
    backend, target = PoseWarpBackend(Settings()), made_target(*SIZE)
    motion = Motion(standing_skeleton(*SIZE), None, Canvas(*SIZE, 1.0, 400.0, 0.0))
    (layer,) = backend.render(backend.prepare(target), [motion])
    plate = np.full((720, 1280, 3), 90, np.uint8)
    assert (benchmark(compose, layer, plate) != plate).any()
