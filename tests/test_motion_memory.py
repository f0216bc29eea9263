"""What the poses of a long video take."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from motion_puppet import FPS, SIZE, bones, puppet

from dancecli.motion import Observation, build_track, retarget
from dancecli.types import Skeleton

HOUR = 3600 * 30


def observations(frames: int) -> Iterator[Observation]:
    """Somebody who sways, with hands, face, depth and flow, now and then not found."""
    rng = np.random.default_rng(3)
    for t in range(frames):
        body = puppet(bones(400), foot=(500 + 60 * np.sin(t / 9), 900)).body
        hands, face = (np.ones((n, 3), np.float32) * 300 for n in (21, 70))
        hands[:, 2] = face[:, 2] = 1
        world = rng.normal(0, 0.3, (25, 3)).astype(np.float32)
        skeleton = Skeleton(body, hands.copy(), hands.copy(), face, world)
        colours = np.zeros(128, np.float32)
        drift = np.full((137, 3), 0.5, np.float16)
        yield Observation(None if t % 97 == 5 else skeleton, appearance=colours, drift=drift)


def danced(frames: int) -> int:
    """Bytes at most while a clip of so many frames becomes a dance, with what was observed."""
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    track = build_track(list(observations(frames)), FPS, SIZE)
    retarget(track, puppet(bones(300)), SIZE)
    return tracemalloc.get_traced_memory()[1] - before


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
def test_the_poses_of_an_hour_fit_beside_everything_else() -> None:
    danced(60)  # what is imported on the way
    few, many = danced(300), danced(900)
    assert (many - few) / 600 * HOUR < 1.1 * 2**30
