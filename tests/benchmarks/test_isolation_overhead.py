"""What it costs to have a plugin in another process (`make bench`): plugins that do nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import second_environment as second
from pytest_benchmark.fixture import BenchmarkFixture

from dancecli import registry
from dancecli.figures import made_target, standing_skeleton
from dancecli.isolation.isolating import isolate
from dancecli.isolation.proxy import isolated_class
from dancecli.stages import Settings
from dancecli.types import Canvas, Frame, Motion

pytestmark = pytest.mark.bench

SIZE = (1280, 720)
FRAME = Frame(np.random.default_rng(0).integers(0, 256, (*SIZE[::-1], 3), np.uint8))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("environment")
    python = second.make_environment(room / "env")
    second.install(python, second.build_wheel(room, "2.0"))
    return python


@pytest.fixture(autouse=True)
def isolated(python: Path) -> None:
    isolate("tiny", python)
    isolated_class.cache_clear()


def test_a_frame_over(benchmark: BenchmarkFixture) -> None:
    """As for poses: 2.8 MB there, next to nothing back."""
    pose = registry.load("dance.pose", "tiny", Settings())
    assert benchmark(pose.extract, FRAME, []) == []


def test_a_frame_and_a_hole_over_and_a_frame_back(benchmark: BenchmarkFixture) -> None:
    """3.7 MB there, 2.8 MB back."""
    hole = np.zeros(FRAME.rgb.shape[:2], np.uint8)
    inpainter = registry.load("dance.inpaint", "tiny", Settings())
    assert np.array_equal(benchmark(inpainter.inpaint, FRAME, hole).rgb, FRAME.rgb)


def test_a_layer_back(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """As for backends: a skeleton there, 14.7 MB back; its making counts."""
    backend = registry.load("dance.backend", "tiny", Settings(weights=str(tmp_path)))
    person = backend.prepare(made_target())
    motion = Motion(standing_skeleton(*SIZE), None, Canvas(*SIZE))
    assert benchmark(backend.render, person, [motion])[0].m.all()
