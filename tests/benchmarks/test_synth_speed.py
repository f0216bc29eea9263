"""How fast synthetic people are made and rendered, one process (`make bench`)."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

pytest.importorskip("numba")

from dance_synth.actor import make_actor
from dance_synth.assets import Assets, open_assets
from dance_synth.scene import Setting, views

pytestmark = pytest.mark.bench

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "assets" / "humans"
ASSETS = Path(os.environ.get("DANCE_TEST_ASSETS") or _BESIDE)


@pytest.fixture(scope="module")
def assets() -> Assets:
    if not (ASSETS / "MANIFEST.json").is_file():
        pytest.skip(f"the human asset pack is not in {ASSETS}; set DANCE_TEST_ASSETS")
    cv2.setNumThreads(1)
    return open_assets(ASSETS)


def test_a_new_person(benchmark: BenchmarkFixture, assets: Assets) -> None:
    numbers = iter(range(1, 10_000))
    make_actor(assets, 5, 0)
    benchmark.pedantic(lambda: make_actor(assets, 5, next(numbers)), rounds=6)


@pytest.mark.parametrize("together", ["shared", "changed"])
def test_eight_frames_of_a_person_of_512x320(
    benchmark: BenchmarkFixture, assets: Assets, together: str
) -> None:
    """All included: person, company, places, truth. Divide by eight for a frame."""
    setting, numbers = Setting(together=together), iter(range(10_000))

    def person() -> list[object]:
        return list(views(assets, setting, 6, next(numbers), 8, 250))

    person()
    made = benchmark.pedantic(person, rounds=6)
    assert np.mean([view.mask.mean() for view, _ in made]) > 0
