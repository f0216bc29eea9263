"""Which points of a mesh are neighbours, and values spread evenly among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dance_synth.compiled import compiled
from dance_synth.parts import IntArray
from dancecli.types import FloatArray


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Which points of a mesh share an edge: those of p are points[starts[p]:starts[p + 1]]."""

    starts: NDArray[np.int64]
    points: NDArray[np.int64]

    @staticmethod
    def of(triangles: IntArray, count: int) -> Neighbours:
        """Of a mesh of `count` points; triangles: (T, 3) into them."""
        pairs = triangles[:, [0, 1, 1, 2, 2, 0, 1, 0, 2, 1, 0, 2]].reshape(-1, 2).astype(np.int64)
        pairs = np.unique(pairs[:, 0] * count + pairs[:, 1])
        starts = np.searchsorted(pairs // count, np.arange(count + 1))
        return Neighbours(starts, pairs % count)

    def smoothed(self, values: FloatArray, rounds: int, share: float = 0.5) -> FloatArray:
        """Values (P,) or (P, C) moved towards the mean of their neighbours, some rounds long.

        share: of the way, each round.
        """
        flat = values.reshape(len(values), -1).astype(np.float32)
        for _ in range(rounds):
            flat = _one_round(flat, self.starts, self.points, np.float32(share))
        return flat.reshape(values.shape)


@compiled
def _one_round(
    values: FloatArray, starts: NDArray[np.int64], points: NDArray[np.int64], share: np.float32
) -> FloatArray:
    out = values.copy()
    for p in range(len(values)):
        first, end = starts[p], starts[p + 1]
        if first == end:
            continue
        for column in range(values.shape[1]):
            total = np.float32(0)
            for k in range(first, end):
                total += values[points[k], column]
            out[p, column] += share * (total / np.float32(end - first) - values[p, column])
    return out
