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

SWEEPS, ROUNDS = 6, 8
"""Passes of the messages over the cells; and of moving the seams, pixel by pixel."""

Cost = NDArray[np.float32]
Numbers = NDArray[np.int64]
_SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))


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
    size = known.shape[::-1]
    for number, (up, along) in enumerate(shifts.tolist()):
        move = np.array([[1, 0, -along - left], [0, 1, -up - top]], np.float32)
        there = cv2.warpAffine(features, move, size, flags=cv2.INTER_NEAREST)
        shown = (~level.hole).astype(np.uint8)
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


def moved_seams(level: Level, labels: Numbers, shifts: IntArray) -> Numbers:
    """The labels (h, w), each seam moved pixel by pixel to where it shows least."""
    features, labels = level.features, labels.copy()
    for _ in range(ROUNDS):
        before = labels.copy()
        for parity in (0, 1):
            at = _at_seams(labels, parity)
            if len(at):
                labels[at[:, 0], at[:, 1]] = _better(level, features, labels, shifts, at)
        if np.array_equal(before, labels):
            break
    return labels


def _at_seams(labels: Numbers, parity: int) -> IntArray:
    """Every other (N, 2) of the hole's pixels that have a neighbour of another label."""
    seam = np.zeros(labels.shape, bool)
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        differ = labels[first] != labels[second]
        seam[first] |= differ
        seam[second] |= differ
    at = np.argwhere(seam & (labels >= 0)).astype(np.int32)
    return np.asarray(at[at.sum(1) % 2 == parity])


def _better(
    level: Level, features: FloatArray, labels: Numbers, shifts: IntArray, at: IntArray
) -> Numbers:
    """The cheapest of each pixel's label and its neighbours'."""
    best = labels[at[:, 0], at[:, 1]]
    least = _price(level, features, labels, shifts, at, best)
    for side in _SIDES:
        beside = _neighbours(labels, at, side)[0]
        other = np.where(beside < 0, best, beside)
        price = _price(level, features, labels, shifts, at, other)
        cheaper = price < least - 1e-7
        best, least = np.where(cheaper, other, best), np.where(cheaper, price, least)
    return np.asarray(best)


def _neighbours(labels: Numbers, at: IntArray, side: tuple[int, int]) -> tuple[Numbers, IntArray]:
    there = np.clip(at + np.array(side, np.int32), 0, np.array(labels.shape, np.int32) - 1)
    return labels[there[:, 0], there[:, 1]], there


def _price(
    level: Level, features: FloatArray, labels: Numbers, shifts: IntArray, at: IntArray,
    chosen: Numbers,
) -> Cost:  # fmt: skip
    """(N,): what the seams to the four neighbours cost if the pixels take those labels."""

    def value(where: IntArray, label: Numbers) -> tuple[FloatArray, BoolArray]:
        return _read(features, level.hole, where + shifts[label])

    own, safe = value(at, chosen)
    total = np.where(safe, np.float32(0), np.float32(NEVER))
    for side in _SIDES:
        label, there = _neighbours(labels, at, side)
        known = label < 0
        beyond, _ = value(there, chosen)
        theirs = np.where(known, 0, label)
        back, _ = value(at, theirs)
        kept, _ = value(there, theirs)
        kept = np.where(known[:, None], features[there[:, 0], there[:, 1]], kept)
        edge = _torn(beyond, kept)
        seam = np.where(known, 2 * edge, _torn(own, back) + edge + np.float32(JOIN))
        total += np.where(label == chosen, np.float32(0), seam)
    return np.asarray(total)


def _read(features: FloatArray, closed: BoolArray, where: IntArray) -> tuple[FloatArray, BoolArray]:
    inside = np.clip(where, 0, np.array(closed.shape, np.int32) - 1)
    rows, columns = inside[:, 0], inside[:, 1]
    return features[rows, columns], (where == inside).all(1) & ~closed[rows, columns]


def _torn(first: FloatArray, second: FloatArray) -> Cost:
    return np.asarray(np.minimum(((first - second) ** 2).sum(1), np.float32(TORN)))
