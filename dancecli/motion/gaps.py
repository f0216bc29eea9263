"""Filling what was not seen, along time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, end) of each run of True in (T,), end exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def interpolate(values: Values, known: Mask) -> Values:
    """Values (T, ...) with the unknown frames of (T,) on straight lines, the ends held.

    At least one frame must be known.
    """
    times = np.flatnonzero(known)
    at = np.arange(len(values))
    after = np.clip(np.searchsorted(times, at), 0, len(times) - 1)
    before = np.where(times[after] == at, after, np.maximum(after - 1, 0))
    a, b = times[before], times[after]
    part = np.clip((at - a) / np.maximum(b - a, 1), 0, 1)
    part = np.where(at < times[0], 1.0, part).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[a] * (1 - part) + values[b] * part)


def fill_short(values: Values, known: Mask, longest: int) -> tuple[Values, Mask]:
    """Points (T, K, D) whose gaps of at most `longest` frames between known ones are interpolated.

    Returns the values and which of (T, K) were filled.
    """
    out, filled = values.copy(), np.zeros_like(known)
    for k in np.flatnonzero(~known.all(0) & known.any(0)):
        for start, end in runs(~known[:, k]):
            if start > 0 and end < len(known) and end - start <= longest:
                filled[start:end, k] = True
        line = interpolate(values[:, k], known[:, k])
        out[filled[:, k], k] = line[filled[:, k]]
    return out, filled
