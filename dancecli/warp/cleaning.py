"""Background that a mask took for the person, taken out again."""

from __future__ import annotations

import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.pixels import distance, nearest_fill

_ALIKE, _UNLIKE = 20.0, 60.0
"""Distances of colours in RGB, of 441 at most."""


def without_background(rgb: UInt8Array, alpha: FloatArray, size: float) -> FloatArray:
    """Alpha (H, W) less the slips of background that masks leave beside limbs and between legs.

    A pixel near the outline goes when it looks like the background next to it and unlike the
    person further in. Where the person looks like the background anyway, or is too thin to have a
    further in, the mask is trusted.
    """
    import cv2

    band = max(2, round(0.018 * size))
    person = (alpha > 0.5).astype(np.uint8)
    inside = cv2.distanceTransform(person, cv2.DIST_L2, 5)
    clear = cv2.distanceTransform(1 - person, cv2.DIST_L2, 5) > 0.3 * band
    behind = _continued(rgb, clear, size)
    if behind is None:
        return alpha
    picture = cv2.GaussianBlur(rgb, (3, 3), 0).astype(np.float32)
    to_background = np.linalg.norm(picture - behind, axis=-1)
    deep = inside > band
    core = deep & (to_background > 2 * _ALIKE)
    front = _continued(rgb, core, size)
    if front is None:
        return alpha
    share, all_deep = (cv2.blur(m.astype(np.float32), (4 * band, 4 * band)) for m in (core, deep))
    distinct = share > 0.7 * all_deep
    beside = distance(core) < 1.6 * band
    slip = beside & distinct & (inside < 2 * band) & (to_background < _ALIKE)
    slip &= np.linalg.norm(picture - front, axis=-1) > _UNLIKE
    opened = cv2.morphologyEx(slip.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    cleared: FloatArray = alpha * (1 - cv2.GaussianBlur(opened.astype(np.float32), (3, 3), 0))
    return cleared


def _continued(rgb: UInt8Array, known: BoolArray, size: float) -> UInt8Array | None:
    """Smooth colours of the known pixels continued everywhere; None where nothing is known."""
    import cv2

    if not known.any():
        return None
    filled = nearest_fill(rgb, known, ~known)
    return np.asarray(cv2.GaussianBlur(filled, (0, 0), 0.006 * size), np.uint8)
