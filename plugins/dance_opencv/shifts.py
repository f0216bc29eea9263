"""Where each pixel of a hole is copied from: a few shifts of the rest of the picture.

Found and shared out on coarse cells, then brought to the pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from dance_opencv.candidates import along_rows, from_border, guess
from dance_opencv.labelling import TORN, Numbers, chosen
from dance_opencv.level import IntArray, Level, coarsened, inside, looked_up, nearest, places
from dancecli.types import BoolArray, FloatArray

CELLS = 2200
"""Cells of the hole that shifts are shared out among, about: bounds time and memory."""

COARSEST = 8
"""Pixels per cell at most."""

COMPARED = 400
"""Pixels of a border at most by which a shift is brought to the pixel."""


def sources(level: Level) -> IntArray | None:
    """(row, column) that each pixel is copied from, int32 (h, w, 2); a known one is its own.

    None where the picture has next to nothing to copy from.
    """
    wide = int(np.ceil(np.sqrt(level.hole.sum() / CELLS)))
    factor = min(COARSEST, max(1, wide))
    cells, unsafe = coarsened(level, factor)
    if not cells.hole.any() or unsafe.all():
        return None
    expected = guess(cells)
    shifts = np.concatenate([from_border(cells), along_rows(cells, unsafe, expected)])
    if not len(shifts):
        return None
    labels = _finer(chosen(cells, unsafe, expected, shifts), level.hole, factor)
    exact = _exact(level, labels, shifts * factor, factor)
    return _places(level.hole, labels, exact)


def _finer(labels: Numbers, hole: BoolArray, factor: int) -> Numbers:
    """The cells' labels at their pixels (h, w); hole in a cell that counts as known takes the
    nearest one's."""
    height, width = hole.shape
    fine = labels.repeat(factor, 0).repeat(factor, 1)[:height, :width]
    near = nearest(fine >= 0)
    return np.where(hole, fine[near[..., 0], near[..., 1]], -1)


def _exact(level: Level, labels: Numbers, shifts: IntArray, factor: int) -> IntArray:
    """Each shift moved by at most a cell, to where its region's border agrees best."""
    features, hole = level.features, level.hole
    reach = np.ones((2 * factor + 3, 2 * factor + 3), np.uint8)
    nudges = places(2 * factor + 1, 2 * factor + 1).reshape(-1, 2) - np.int32(factor)
    out = shifts.copy()
    for number in np.unique(labels[labels >= 0]):
        region = (labels == number).astype(np.uint8)
        border = np.argwhere((cv2.dilate(region, reach) > 0) & ~hole).astype(np.int32)
        if len(border) >= 10:
            few = border[np.linspace(0, len(border) - 1, COMPARED).astype(int)]
            price = _prices(features, hole, few, shifts[number] + nudges)
            price += 1e-4 * np.abs(nudges).sum(1)
            if np.isfinite(price).any():
                out[number] += nudges[price.argmin()]
    return out


def _prices(features: FloatArray, hole: BoolArray, at: IntArray, shifts: IntArray) -> FloatArray:
    """(K,): how far the pixels (N, 2) differ from those a shift away; inf where few are known."""
    there, known = looked_up(features, hole, at, shifts)
    apart = there - features[at[:, 0], at[:, 1]][:, None]
    cost = np.minimum((apart**2).sum(2), TORN)
    mean = (cost * known).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known.mean(0) < 0.6, np.inf, mean)


def _places(hole: BoolArray, labels: Numbers, shifts: IntArray) -> IntArray:
    """The labels' places; the nearest known one where that is out of the picture or hole."""
    here = places(*hole.shape)
    there, known = inside(np.where(hole[..., None], here + shifts[labels], here), hole)
    return np.where(known[..., None], there, nearest(~hole))
