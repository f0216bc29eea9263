"""Which shift fills which pixel of the hole: the fewest and least visible seams.

A Markov random field over the hole, as in He and Sun (2014), solved by max-product belief
propagation in sweeps along rows and columns (Tappen and Freeman 2003) rather than by graph cuts.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from dance_opencv.candidates import ACROSS, UPRIGHT, surprise
from dance_opencv.level import IntArray, Level, looked_up
from dancecli.types import BoolArray, FloatArray

SEAM, TORN, JOIN = 8.0, 0.3, 0.05
"""What a seam costs: per squared difference of features, up to that one, and by being there."""

HOLD, AMAZED = 6.0, 0.6
"""What a place that differs from the guess costs per squared colour, up to that one: objects are
not put where the surroundings show none."""

AGREE, WIDEST = 2.0, 4
"""Weight of agreeing with what is known within one cell, and within so many."""

NEVER = 20.0
"""Cost of a place that must not be copied from."""

SWEEPS = 6
"""Passes of the messages over the cells."""

Cost = NDArray[np.float32]
Numbers = NDArray[np.int64]


def chosen(level: Level, unsafe: BoolArray, expected: FloatArray, shifts: IntArray) -> Numbers:
    """The number of the shift that fills each cell, (h, w); -1 where the picture is known."""
    at = np.argwhere(level.hole).astype(np.int32)
    features = level.features
    values, safe = looked_up(features, unsafe, at, shifts)
    cost, _ = surprise(level, unsafe, expected, at, shifts)
    unary = _agreement(level, features, at, shifts)
    unary += HOLD * np.minimum(cost, AMAZED) + np.where(safe, 0, np.float32(NEVER))
    index = np.full(level.hole.shape, -1)
    index[level.hole] = np.arange(len(at))
    out = index.copy()
    out[level.hole] = _settled(unary.astype(np.float32), _seams(values), index)
    return out


def _agreement(level: Level, features: FloatArray, at: IntArray, shifts: IntArray) -> Cost:
    """(N, K): how far the picture about a cell (N, 2) differs from that about its source."""
    height, width = level.hole.shape
    top, left = np.maximum(at.min(0) - WIDEST, 0)
    bottom, right = at.max(0) + WIDEST + 1
    box = np.s_[top:bottom, left:right]
    known, here = ~level.hole[box], features[box]
    within = at - np.array([top, left], np.int32)
    out = np.zeros((len(at), len(shifts)), np.float32)
    size, shown = known.shape[::-1], (~level.hole).astype(np.uint8)
    for number, (up, along) in enumerate(shifts.tolist()):
        move = np.array([[1, 0, -along - left], [0, 1, -up - top]], np.float32)
        there = cv2.warpAffine(features, move, size, flags=cv2.INTER_NEAREST)
        both = known & (cv2.warpAffine(shown, move, size, flags=cv2.INTER_NEAREST) > 0)
        cost = _differing(np.minimum(((here - there) ** 2).sum(2), TORN), known, both)
        far = UPRIGHT * (up / height) ** 2 + ACROSS * (along / width) ** 2
        out[:, number] = cost[within[:, 0], within[:, 1]] + 0.2 * far
    return out


def _differing(apart: FloatArray, known: BoolArray, both: BoolArray) -> Cost:
    """(h, w): differences near each cell, where both are known, and a little where one is not."""
    cost = np.zeros(known.shape, np.float32)
    for reach, weight in ((1, 2 / 3), (WIDEST, 1 / 9)):
        unseen = _summed((known & ~both).astype(np.float32), reach)
        cost += AGREE * weight * (_summed(apart * both, reach) + 0.1 * unseen)
    return cost


def _summed(values: FloatArray, reach: int) -> FloatArray:
    side = (2 * reach + 1, 2 * reach + 1)
    return np.asarray(
        cv2.boxFilter(values, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
    )


def _seams(values: FloatArray) -> Cost:
    """(N, K, K): how much two shifts differ at each cell, whose values are (N, K, C)."""
    square = (values * values).sum(2)
    apart = square[:, :, None] + square[:, None] - 2 * values @ values.transpose(0, 2, 1)
    join = np.float32(JOIN) * (1 - np.eye(values.shape[1], dtype=np.float32))
    return np.asarray(np.float32(SEAM) * np.clip(apart, 0, np.float32(TORN)) + join)


def _settled(unary: Cost, seams: Cost, index: Numbers) -> Numbers:
    """(N,) labels of least cost: `unary` (N, K) each, seams of both cells between neighbours."""
    arriving = np.zeros((4, *unary.shape), np.float32)
    directions = [list(_steps(index, side)) for side in range(4)]
    for _ in range(SWEEPS):
        for side, steps in enumerate(directions):
            for here, there in steps:
                told = unary[here] + arriving[:, here].sum(0) - arriving[side ^ 1, here]
                message = (told[:, :, None] + seams[here] + seams[there]).min(1)
                arriving[side, there] = message - message.min(1, keepdims=True)
    return np.asarray((unary + arriving.sum(0)).argmin(1))


def _steps(index: Numbers, side: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Cells and their neighbours rightwards, leftwards, downwards or upwards, line by line."""
    lines = index.T if side < 2 else index
    order = range(len(lines) - 1) if side % 2 == 0 else range(len(lines) - 1, 0, -1)
    for line in order:
        here, there = lines[line], lines[line + (1 if side % 2 == 0 else -1)]
        both = (here >= 0) & (there >= 0)
        if both.any():
            yield here[both], there[both]
