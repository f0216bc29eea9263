"""One-Euro filter (Casiez, Roussel and Vogel, CHI 2012) of many points at once, without lag."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_CUTOFF = 1.5
"""Hz at rest: removes the trembling of a standing person."""

BETA = 10.0
"""Hz per unit/second, units of a body height: a wrist at one height per second passes at 11 Hz."""

SPEED_CUTOFF = 2.0
"""Hz, for the speed that steers the filter."""


def one_euro(
    values: NDArray[np.float64], valid: NDArray[np.bool_], fps: float, strength: float = 1.0
) -> NDArray[np.float64]:
    """Values (T, K, D) smoothed over time, run forwards and backwards and averaged.

    Values are in body heights, so that the constants mean the same for everybody. The two runs lag
    equally in opposite directions: the mean has no lag. A point is filtered anew after frames
    where it is not `valid` (T, K); those frames are returned as they came. `strength` 0 changes
    nothing, 1 is the default, more is smoother.
    """
    if strength == 0 or len(values) < 2:
        return values
    forwards = _filter(values, valid, fps, strength)
    backwards = _filter(values[::-1], valid[::-1], fps, strength)[::-1]
    return np.where(valid[..., None], (forwards + backwards) / 2, values)


def _filter(
    values: NDArray[np.float64], valid: NDArray[np.bool_], fps: float, strength: float
) -> NDArray[np.float64]:
    out = values.copy()
    speed = np.zeros_like(values[0])
    for t in range(1, len(values)):
        going = (valid[t] & valid[t - 1])[:, None]
        raw = np.where(going, (values[t] - values[t - 1]) * fps, 0.0)
        a = _weight(SPEED_CUTOFF, fps)
        speed = np.where(going, a * raw + (1 - a) * speed, 0.0)
        pace = np.linalg.norm(speed, axis=1, keepdims=True)
        weight = _weight((MIN_CUTOFF + BETA * pace) / strength, fps)
        out[t] = np.where(going, weight * values[t] + (1 - weight) * out[t - 1], values[t])
    return out


def _weight(cutoff: NDArray[np.float64] | float, fps: float) -> NDArray[np.float64]:
    """Share of the newest sample in a first-order low-pass filter of that cutoff, Hz."""
    return np.asarray(1.0 / (1.0 + fps / (2 * np.pi * cutoff)))


def gaussian(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Values (T, ...) blurred along time, sigma in frames; the ends are held."""
    from scipy.ndimage import gaussian_filter1d

    if sigma <= 0 or len(values) < 2:
        return values
    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest"))
