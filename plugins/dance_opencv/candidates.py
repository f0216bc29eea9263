"""Shifts by which the rest of a picture may go on into its hole.

He and Sun, Image Completion Approaches Using the Statistics of Similar Patches (2014), fill a hole
from few shifts of the whole picture. Theirs are the commonest between alike patches; ours are
those by which the hole's border agrees with the picture elsewhere, and those along the rows that
bring what a plain guess expects.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from dance_opencv.level import IntArray, Level, looked_up
from dance_opencv.poisson import from_gradients
from dancecli.types import BoolArray, FloatArray

BAND = 5
"""Width of the border that is compared, cells."""

STRETCH, EACH, PIECES = 12, 3, 64
"""The border is compared in pieces of that many cells, each of which offers so many shifts; and at
most so many pieces, lest a hole in a thousand specks take a minute."""

BORDER, ROWS = 48, 20
"""Shifts kept of either kind."""

MOSTLY = 0.4
"""Share of the hole beside a piece of border that may be unknown where the shift leads."""

UPRIGHT, ACROSS = 0.1, 0.01
"""Cost, in squared features, of a shift by the picture's height or width. Under a level camera
things of one size and one lighting stand on one row."""

DOWN = 0.1
"""How well colours spread along columns in the guess, rows being 1. Walls, floors and horizons go
on sideways: on 21 person-shaped holes whose contents are known 0.1 was nearest (1: 11% worse)."""

SOFT = 0.7
"""Standard deviation, cells, of what is compared with the guess."""

STRICT = 30.0
"""How quickly a place that differs from the guess stops counting, per squared colour."""

TWICE = 2.0
"""Such places that every cell of the hole should have."""


def guess(level: Level) -> FloatArray:
    """The hole filled without texture, float32 (h, w, 3): colours spread, chiefly along rows."""
    still = np.zeros((*level.hole.shape, 6), np.float32)
    return from_gradients(level.image, still, level.hole, screen=1e-9, down=DOWN)


def surprise(
    level: Level, unsafe: BoolArray, expected: FloatArray, at: IntArray, shifts: IntArray
) -> tuple[FloatArray, BoolArray]:
    """Squared difference (N, K) of the picture at `at` moved by each shift and the guess at `at`.

    And where that is a place to copy from.
    """
    known = (~level.hole).astype(np.float32)
    image = np.where(level.hole[..., None], np.float32(0), level.image)
    plain = _soft(image) / np.maximum(_soft(known), 1e-3)[..., None]
    there, safe = looked_up(plain, unsafe, at, shifts)
    wanted = _soft(expected)[at[:, 0], at[:, 1]]
    return np.asarray(((there - wanted[:, None]) ** 2).sum(2)), safe


def _soft(image: FloatArray) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), SOFT), np.float32)


def from_border(level: Level) -> IntArray:
    """(K, 2) shifts (rows, columns), the best of every piece of the hole's border first."""
    found: list[tuple[float, int, int]] = []
    for score, top, left in _scores(level):
        for _ in range(EACH):
            row, column = divmod(int(score.argmin()), score.shape[1])
            if not np.isfinite(score[row, column]):
                break
            found.append((float(score[row, column]), row - top, column - left))
            score[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = np.inf
    kept: list[tuple[int, int]] = []
    for _, row, column in sorted(found):
        if all(abs(row - r) + abs(column - c) > 1 for r, c in kept):
            kept.append((row, column))
    return np.array(kept[:BORDER], np.int32).reshape(-1, 2)


def _scores(level: Level) -> Iterator[tuple[FloatArray, int, int]]:
    """Per piece of the border: what every place costs that it may be laid on, and where it is."""
    features, hole = level.features, level.hole
    height, width = hole.shape
    unknown = hole.astype(np.float32)
    reach = np.ones((2 * BAND + 1, 2 * BAND + 1), np.uint8)
    band = (cv2.dilate(hole.astype(np.uint8), reach) > 0) & ~hole
    for top, left in _pieces(band):
        rows = slice(max(0, top - 2), min(height, top + STRETCH + 2))
        columns = slice(max(0, left - 2), min(width, left + STRETCH + 2))
        shape = band[rows, columns].astype(np.float32)
        there = np.ascontiguousarray(features[rows, columns])
        cost = cv2.matchTemplate(features, there, cv2.TM_SQDIFF, mask=shape) / shape.sum()
        hidden = cv2.matchTemplate(unknown, shape, cv2.TM_CCORR)
        missing = _missing(unknown, rows, columns)
        up = (np.arange(cost.shape[0]) - rows.start)[:, None] / height
        along = (np.arange(cost.shape[1]) - columns.start) / width
        cost = cost + UPRIGHT * up**2 + ACROSS * along**2 + 0.05 * missing
        cost[(hidden > 0.5) | (missing > MOSTLY)] = np.inf
        yield cost, rows.start, columns.start


def _pieces(band: BoolArray) -> list[tuple[int, int]]:
    """Corners (row, column) of the squares that the border has enough cells in."""
    rows, columns = np.nonzero(band)
    corners = np.stack([rows // STRETCH, columns // STRETCH], 1)
    squares, counts = np.unique(corners, axis=0, return_counts=True)
    squares = squares[counts >= 3 * BAND] * STRETCH
    few = np.unique(np.linspace(0, len(squares) - 1, PIECES).astype(int)) if len(squares) else []
    return [(int(row), int(column)) for row, column in squares[few]]


def _missing(unknown: FloatArray, rows: slice, columns: slice) -> FloatArray:
    """Share of the hole within the border's width of a piece that is unknown at each place."""
    height, width = unknown.shape
    top, left = max(0, rows.start - BAND), max(0, columns.start - BAND)
    bottom, right = min(height, rows.stop + BAND), min(width, columns.stop + BAND)
    around = (rows.start - top, bottom - rows.stop), (columns.start - left, right - columns.stop)
    beside = np.ascontiguousarray(unknown[top:bottom, left:right])
    padded = np.pad(unknown, around, constant_values=1)
    overlap = cv2.matchTemplate(padded, beside, cv2.TM_CCORR)
    return np.asarray(overlap / max(1.0, float(beside.sum())), np.float32)


def along_rows(level: Level, unsafe: BoolArray, expected: FloatArray) -> IntArray:
    """(K, 2) shifts, at most `ROWS`, until every cell of the hole has `TWICE` places that look as
    guessed or no shift brings many more."""
    height, width = level.hole.shape
    at = np.argwhere(level.hole).astype(np.int32)
    offered = np.array([
        (up, along)
        for up in sorted({0, -(height // 16), height // 16}, key=abs)
        for along in range(1 - width, width, 2) if abs(along) > 3
    ], np.int32).reshape(-1, 2)  # fmt: skip
    likely = np.zeros((len(offered), len(at)), np.float32)
    for part in np.array_split(np.arange(len(offered)), 8):
        cost, safe = surprise(level, unsafe, expected, at, offered[part])
        likely[part] = np.where(safe, np.exp(-STRICT * cost), 0).T
    likely[offered[:, 0] != 0] *= 0.9
    wanted, picked = np.full(len(at), TWICE), []
    for _ in range(min(ROWS, len(offered))):
        gain = np.minimum(likely, wanted).sum(1)
        best = int(gain.argmax())
        if gain[best] < 0.01 * len(at):
            break
        picked.append(best)
        wanted = np.maximum(wanted - likely[best], 0)
        likely[best] = 0
    return offered[picked]
