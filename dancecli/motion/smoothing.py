"""One-Euro filter (Casiez, Roussel and Vogel, CHI 2012) of many points at once, without lag."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_CUTOFF = 0.5
"""Hz at rest: removes the trembling of a standing person."""

BETA = 30.0
"""Hz per unit/second, units of a body height: a wrist at one height per second passes at 30 Hz.

Both by what four clips look like danced by their own dancers (docs/evaluation.md): slower cutoffs
flatten motion, higher ones at rest let the trembling pass. Points that are held to the picture's
flow need less of it (`track.FOLLOWED`).
"""

SPEED_CUTOFF = 1.0
"""Hz, for the speed that steers the filter."""


def one_euro(
    values: NDArray[np.float64],
    valid: NDArray[np.bool_],
    fps: float,
    strength: float | NDArray[np.float64] = 1.0,
) -> NDArray[np.float64]:
    """Values (T, K, D) smoothed over time, run forwards and backwards and averaged.

    Values are in body heights, so that the constants mean the same for everybody. The two runs lag
    equally in opposite directions: the mean has no lag. A point is filtered anew after frames
    where it is not `valid` (T, K); those frames are returned as they came. `strength`, of all or of
    each (T, K): 0 changes nothing, 1 is the default, more is smoother.
    """
    each = np.broadcast_to(strength, valid.shape)
    if not each.any() or len(values) < 2:
        return values
    mean = _filter(values, valid, fps, each)
    mean += _filter(values[::-1], valid[::-1], fps, each[::-1])[::-1]
    mean /= 2
    return np.where(valid[..., None], mean, values)


def _filter(
    values: NDArray[np.float64],
    valid: NDArray[np.bool_],
    fps: float,
    strength: NDArray[np.float64],
) -> NDArray[np.float64]:
    one_euro, out = OneEuro(), np.empty_like(values)
    for t, (now, ok) in enumerate(zip(values, valid, strict=True)):
        out[t] = one_euro.step(now, ok, fps, strength[t][:, None])
    return out


class OneEuro:
    """The filter, one frame after the other: `one_euro` without the run backwards."""

    def __init__(self, strength: float = 1.0) -> None:
        self.strength = strength
        self._last: tuple[NDArray[np.float64], NDArray[np.bool_]] | None = None
        self._smooth = self._speed = np.zeros(0)

    def step(
        self,
        values: NDArray[np.float64],
        valid: NDArray[np.bool_],
        fps: float,
        strength: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """The next frame's values (K, D), valid (K,); fps: one over the seconds since the last.

        strength: of each point, (K, 1), instead of the filter's own.
        """
        own = np.asarray(self.strength) if strength is None else strength
        if self._last is None:
            self._smooth, self._speed = values.copy(), np.zeros_like(values)
        elif (own > 0).any():
            before, known = self._last
            going = (valid & known)[:, None]
            raw = np.where(going, (values - before) * fps, 0.0)
            a = _weight(SPEED_CUTOFF, fps)
            self._speed = np.where(going, a * raw + (1 - a) * self._speed, 0.0)
            pace = np.linalg.norm(self._speed, axis=1, keepdims=True)
            weight = _weight((MIN_CUTOFF + BETA * pace) / np.maximum(own, 1e-9), fps)
            smooth = weight * values + (1 - weight) * self._smooth
            self._smooth = np.where(going, smooth, values)
        else:
            self._smooth = values.copy()
        self._last = values, valid
        return self._smooth


def _weight(cutoff: NDArray[np.float64] | float, fps: float) -> NDArray[np.float64]:
    """Share of the newest sample in a first-order low-pass filter of that cutoff, Hz."""
    return np.asarray(1.0 / (1.0 + fps / (2 * np.pi * cutoff)))


def gaussian(values: NDArray[np.floating[Any]], sigma: float) -> NDArray[np.floating[Any]]:
    """Values (T, ...) blurred along time, sigma in frames; the ends are held."""
    from scipy.ndimage import gaussian_filter1d

    if sigma <= 0 or len(values) < 2:
        return values
    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest"))


def median(values: NDArray[np.floating[Any]], window: int) -> NDArray[np.floating[Any]]:
    """Running median of values (T,) over an odd `window` of frames; the ends are held."""
    from scipy.ndimage import median_filter

    half = window // 2
    if half == 0 or len(values) == 0:
        return values
    # Padded here: SciPy 1.15 makes nothing of a window that is wider than what it is given.
    padded = np.pad(values, half, mode="edge")
    return np.asarray(median_filter(padded, window, mode="nearest")[half:-half])
