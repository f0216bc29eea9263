"""Noise of several scales: on the plane, where it can be tiled, and in space, without seams."""

from __future__ import annotations

import cv2
import numpy as np

from dancecli.types import FloatArray

_PRIMES = np.array([73856093, 19349663, 83492791], np.uint32)
_TABLE = 1 << 14


def clouds(
    rng: np.random.Generator, size: int, cells: int | tuple[int, int], octaves: int = 3
) -> FloatArray:
    """Tileable noise (size, size), mean 0 and standard deviation 1.

    cells: lumps per side (or down and across) in the coarsest octave; each finer one has twice as
    many at half the strength.
    """
    down, across = (cells, cells) if isinstance(cells, int) else cells
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = (min(down << octave, size), min(across << octave, size))
        total += _stretched(rng.standard_normal(grid, np.float32), size) * np.float32(0.5**octave)
    return np.asarray((total - total.mean()) / max(float(total.std()), 1e-6), np.float32)


def _stretched(grid: FloatArray, size: int) -> FloatArray:
    """A periodic grid as a smooth picture (size, size) whose opposite edges meet."""
    pad = 3
    wrapped = np.pad(grid, pad, mode="wrap")
    scale = size / grid.shape[0], size / grid.shape[1]
    turn = np.array([[1 / scale[1], 0, pad], [0, 1 / scale[0], pad]], np.float32)
    found: FloatArray = cv2.warpAffine(
        wrapped, turn, (size, size), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    return found


def grain(rng: np.random.Generator, size: int) -> FloatArray:
    """White noise (size, size), standard deviation 1."""
    return rng.standard_normal((size, size), np.float32)


def noise_in_space(rng: np.random.Generator, points: FloatArray, lump: float) -> FloatArray:
    """Smooth noise at points (N, 3), standard deviation about 1; lump: metres.

    Value noise: random numbers at the corners of a lattice, blended within its cells (Perlin 1985,
    simplified). Corners take theirs from a table by a hash (Teschner et al. 2003, "Optimized
    spatial hashing"), so that a fine lattice costs no more than a coarse one.
    """
    place = points / np.float32(lump)
    corner = np.floor(place)
    share = place - corner
    share = share * share * (3 - 2 * share)
    hashed = corner.astype(np.int64).astype(np.uint32) * _PRIMES
    table = rng.standard_normal(_TABLE, np.float32)
    x, y, z = share.T
    total = np.zeros(len(points), np.float32)
    for step in np.ndindex(2, 2, 2):
        a, b, c = (hashed[:, axis] + _PRIMES[axis] * np.uint32(step[axis]) for axis in range(3))
        weight = (x if step[0] else 1 - x) * (y if step[1] else 1 - y) * (z if step[2] else 1 - z)
        total += weight * table[((a ^ b ^ c) >> np.uint32(7)) % np.uint32(_TABLE)]
    return total * np.float32(1.9)
