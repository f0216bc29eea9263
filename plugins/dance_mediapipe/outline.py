"""From a rough mask to one whose outline follows the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array

SOFT = 1.6
"""Width of the soft edge in pixels."""

COLOUR_STEP = 12.0
"""Grey levels that count as an edge for the guided filter."""


def follow_edges(picture: UInt8Array, rough: FloatArray, cell: float) -> BoolArray:
    """The mask moved to the picture's edges within a band about its own outline.

    picture: uint8 (H, W, 3). rough: float32 (H, W), [0, 1]. cell: pixels of one cell of the model
    that made it, so about how far it may be wrong. A guided filter (He, Sun & Tang 2013) fits the
    mask by the local colours; outside the band the rough mask stands.
    """
    radius = max(2, round(2.5 * cell))
    fitted = cv2.ximgproc.guidedFilter(picture, rough, radius, COLOUR_STEP**2)
    inner, outer = _band((rough > 0.5), 1.5 * cell)
    mask: BoolArray = (fitted > 0.5) & outer | inner
    return mask


def _band(mask: BoolArray, width: float) -> tuple[BoolArray, BoolArray]:
    """The mask without and with a margin of `width` pixels."""
    size = 2 * max(1, round(width)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    plane = mask.astype(np.uint8)
    return cv2.erode(plane, kernel) > 0, cv2.dilate(plane, kernel) > 0


def softened(mask: BoolArray) -> FloatArray:
    """Alpha, float32 (H, W): a smooth outline with an edge of `SOFT` pixels, 1 inside."""
    # The mean over a small disc straightens the staircase that thresholds leave.
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)
    alpha: FloatArray = np.clip((smooth - 0.5) * (2.5 / SOFT) + 0.5, 0, 1).astype(np.float32)
    return alpha
