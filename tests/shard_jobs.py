"""Jobs of drawn people for tests of shards: small, picklable, and able to misbehave on order."""

from __future__ import annotations

import os
import signal
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dancecli.data.people import Skipped
from dancecli.data.samples import Crop, Sample
from dancecli.types import DenseMap, Skeleton

HEIGHT, WIDTH = 64, 40


def drawn_crop(rng: np.random.Generator, number: int = 0) -> Crop:
    """A crop of noise and blocks that keeps to the format."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[10:50, 12:28] = np.repeat(rng.integers(0, 22, (8, 4), dtype=np.uint8), 5, 0).repeat(4, 1)
    uv = rng.integers(0, 256, (HEIGHT, WIDTH, 2)).astype(np.float32) / np.float32(255)
    part = np.minimum(labels, 24).astype(np.float32)[..., None]
    plate = np.full((HEIGHT, WIDTH, 3), rng.integers(0, 256, 3), np.uint8)
    rgb = np.where(labels[..., None] > 0, rng.integers(0, 256, 3), plate).astype(np.uint8)
    points = [rng.normal(30, 9, (n, 3)).astype(np.float32) for n in (25, 21, 21, 70)]
    parsed = None if number else np.where(labels > 0, 5, 0).astype(np.uint8)
    return Crop(rgb, labels, DenseMap(np.concatenate([part, uv], -1) * (part > 0)),
                Skeleton(*points), plate, number, parsed)  # fmt: skip


def drawn_sample(key: str, seed: int = 0, frames: int = 2) -> Sample:
    """One person, a function of the arguments."""
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    crops = tuple(drawn_crop(rng, 10 * k) for k in range(frames))
    return Sample(key, crops, {"dataset": "drawn", "licence": "MIT", "commercial": True})


@dataclass(frozen=True)
class DrawnJob:
    """One person per unit; every `hollow`-th unit has none.

    marks: a folder where each unit leaves a file when it is begun. deadly: the unit whose process
    kills itself, `deaths` times. broken: the unit that raises an error. pause: seconds per unit.
    twins: all people have one name.
    """

    count: int = 10
    seed: int = 0
    hollow: int = 5
    marks: Path | None = None
    deadly: str = ""
    deaths: int = 1
    broken: str = ""
    pause: float = 0.0
    twins: bool = False

    def units(self) -> list[str]:
        return [f"unit-{n:03d}" for n in range(self.count)]

    def samples(self, unit: str) -> Iterator[Sample | Skipped]:
        begun = self._mark(unit)
        time.sleep(self.pause)
        if unit == self.deadly and begun <= self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        if unit == self.broken:
            raise ZeroDivisionError("drawn badly")
        if self.units().index(unit) % self.hollow == self.hollow - 1:
            yield Skipped(unit, "person too small")
        else:
            yield drawn_sample("twin" if self.twins else f"drawn_{unit}", self.seed)

    def describe(self) -> dict[str, Any]:
        return {"dataset": "drawn", "options": {"seed": self.seed, "hollow": self.hollow}}

    def _mark(self, unit: str) -> int:
        """How often this unit was begun, this time included."""
        if self.marks is None:
            return 1
        (self.marks / f"{unit}.{os.getpid()}.{time.monotonic_ns()}").touch()
        return len(list(self.marks.glob(f"{unit}.*")))


def tree(folder: Path) -> dict[str, bytes]:
    """All files that a run leaves, by name."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.name != ".lock"}
