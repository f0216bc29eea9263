"""Errors of the pose extractor that time gives away: bodies overturned for a moment, spikes, and
exchanged left and right limbs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.gaps import runs
from dancecli.types import JOINT, FloatArray

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPIKE = 0.08
"""Body heights by which a point must leave its neighbours in time to count as a spike."""

HARDEST = 40.0
"""Body heights per second squared at which a hand turns round when it waves widely, twice a
second; of a few frames per second most turns would look like spikes."""

SWAP = 0.25
"""Body heights of summed acceleration that an exchange of limbs must save on each of its ends."""

LONGEST_SWAP = 0.5
"""Seconds; limbs exchanged for longer are taken as seen."""

BRIEFEST = 0.2
"""Seconds within which nobody stands on the head and is back on the feet."""

_UPPER = [
    JOINT[n] for n in ("nose", "neck", "right_shoulder", "left_shoulder", "right_ear", "left_ear")
]
_LOWER = [JOINT[f"{side}_{n}"] for side in ("right", "left") for n in ("hip", "knee", "ankle")]

_HANDS = list(range(25, 67))
_PAIRS = tuple(
    [(JOINT[f"right_{name}"], JOINT[f"left_{name}"]) for name in names]
    for names in (
        ("hip", "knee", "ankle", "big_toe", "small_toe", "heel"),
        ("knee", "ankle", "big_toe", "small_toe", "heel"),
        ("elbow", "wrist"),
    )
)
"""Limbs that extractors exchange: legs with and without the hips, and arms."""


def overturned(points: Values | FloatArray, seen: Mask, fps: float) -> Mask:
    """(T,): sights for less than `BRIEFEST` of somebody head over heels, beside longer ones, as of
    slivers of a person at the picture's edge. points (T, 25, 2), seen (T, 25)."""
    up, known = _up(points, seen)
    out = np.zeros(len(points), bool)
    times = np.flatnonzero(known)
    turns = np.flatnonzero((up[times[1:]] * up[times[:-1]]).sum(1) < 0) + 1
    parts = np.split(times, turns)
    long = [len(part) and part[-1] - part[0] + 1 >= BRIEFEST * fps for part in parts]
    for n, part in enumerate(parts):
        if not long[n] and any(long[max(n - 1, 0) : n + 2]):
            out[part] = True
    return out


def _up(points: Values | FloatArray, seen: Mask) -> tuple[Values, Mask]:
    """(T, 2): from the middle of hips and legs to that of head and shoulders, as far as each is
    seen, and where (T,) both are."""
    middles = []
    for rows in (_UPPER, _LOWER):
        weight = seen[:, rows, None] / np.maximum(seen[:, rows].sum(1), 1)[:, None, None]
        middles.append((points[:, rows] * weight).sum(1))
    return middles[0] - middles[1], seen[:, _UPPER].any(1) & seen[:, _LOWER].any(1)


def spikes(points: Values, seen: Mask, fps: float) -> Mask:
    """(T, K): single frames in which a point of (T, K, 2), body heights, jumps away and back.

    The point must be farther from both neighbours' mean than `SPIKE`, than a body can turn round
    in that time, and than three times the neighbours' own distance.
    """
    out = np.zeros_like(seen)
    if len(points) < 3:
        return out
    before, here, after = points[:-2], points[1:-1], points[2:]
    away = np.linalg.norm(here - (before + after) / 2, axis=-1)
    own = np.linalg.norm(after - before, axis=-1)
    least = max(SPIKE, HARDEST / 2 / fps**2)
    out[1:-1] = (away > np.maximum(least, 3 * own)) & seen[:-2] & seen[1:-1] & seen[2:]
    return out


def exchanged(points: Values, seen: Mask, fps: float) -> list[tuple[int, int, int]]:
    """(start, end, group) of short stretches where left and right must be exchanged back.

    Viterbi over "as seen" and "exchanged" with the summed second difference of the pair's joints
    (T, K, 2), body heights, as cost: passing legs keep their course, exchanged ones jump twice.
    """
    found = []
    taken = np.zeros(len(points), bool)
    for group, pairs in enumerate(_PAIRS):
        states = _viterbi(_accelerations(points, seen, pairs), SWAP)
        if group == 1:
            states &= ~taken
        for start, end in runs(states):
            if end - start <= LONGEST_SWAP * fps and start > 0 and end < len(points):
                found.append((start, end, group))
                taken[start:end] |= group == 0
    return found


def _accelerations(points: Values, seen: Mask, pairs: list[tuple[int, int]]) -> Values:
    """Cost (T, 2, 2, 2): summed |second difference| at t, if t-2, t-1 and t are in those states."""
    right, left = np.array(pairs).T
    both = seen[:, right] & seen[:, left]
    sides = np.stack([points[:, right], points[:, left]])  # 2, T, J, 2
    cost = np.zeros((len(points), 2, 2, 2))
    for a, b, c in np.ndindex(2, 2, 2):
        for side in (0, 1):
            jerk = (
                sides[side ^ c, 2:] - 2 * sides[side ^ b, 1:-1] + sides[side ^ a, :-2]
            )  # fmt: skip
            size = np.minimum(np.linalg.norm(jerk, axis=-1), 0.5)
            cost[2:, a, b, c] += (size * (both[2:] & both[1:-1] & both[:-2])).sum(1)
    return cost


def _viterbi(cost: Values, change: float) -> Mask:
    """The cheapest states (T,), True for exchanged; each change of state costs `change`."""
    frames = len(cost)
    if frames < 3:
        return np.zeros(frames, bool)
    switch = change * np.array([[0.0, 1.0], [1.0, 0.0]])
    total = switch + np.array([[0.0], [1e-3]])  # (state of t-1, state of t), starts as seen
    back = np.zeros((frames, 2, 2), np.int8)
    for t in range(2, frames):
        options = total[:, :, None] + cost[t] + switch[None]
        back[t] = options.argmin(0)
        total = options.min(0)
    states = np.zeros(frames, np.int8)
    states[-2], states[-1] = np.unravel_index(int(total.argmin()), (2, 2))
    for t in range(frames - 1, 1, -1):
        states[t - 2] = back[t, states[t - 1], states[t]]
    return states.astype(bool)


def exchange(points: NDArray[np.floating[Any]], start: int, end: int, group: int) -> None:
    """Exchange left and right of a group in place, points (T, 25 or more, ...), with the hands."""
    right, left = (list(side) for side in np.array(_PAIRS[group]).T)
    if group == 2 and points.shape[1] > 25:
        left, right = left + _HANDS[:21], right + _HANDS[21:]
    part = points[start:end]
    part[:, right], part[:, left] = part[:, left].copy(), part[:, right].copy()
