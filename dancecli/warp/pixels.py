"""Distances of pixels, and values taken from the nearest one that has any."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dancecli.types import BoolArray, FloatArray

AnyArray: TypeAlias = NDArray[Any]


def pixel_centres(height: int, width: int) -> FloatArray:
    """Float32 (height, width, 2): x and y of every pixel's centre."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([x + 0.5, y + 0.5], -1)


def segment_distance(points: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Distance (...) of points (..., 2) to the segment a-b, same units."""
    bone = b - a
    t = ((points - a) @ bone) / max(float(bone @ bone), 1e-6)
    nearest = a + np.clip(t, 0, 1)[..., None] * bone
    distance: FloatArray = np.hypot(*np.moveaxis(points - nearest, -1, 0)).astype(np.float32)
    return distance


def polygon_distance(polygon: FloatArray, height: int, width: int) -> FloatArray:
    """Float32 (H, W): distance to a convex polygon's outline, negative inside."""
    import cv2

    pixels = pixel_centres(height, width)
    ends = zip(polygon, np.roll(polygon, -1, 0), strict=True)
    edges = [segment_distance(pixels, a, b) for a, b in ends]
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.round(polygon * 16).astype(np.int32)], 1, shift=4)
    distance: FloatArray = np.where(inside > 0, -1, 1) * np.minimum.reduce(edges)
    return distance.astype(np.float32)


def unit(vector: FloatArray) -> FloatArray:
    """The vector (2,) at length 1; a zero vector stays zero."""
    shortened: FloatArray = vector / max(float(np.hypot(*vector)), 1e-6)
    return shortened


def nearest(known: BoolArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Each pixel's nearest known one, int64 (H, W), as an index into the flat picture, and how far
    away it is, float32 (H, W); something is known."""
    import cv2

    away, index = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros(int(index.max()) + 1, np.int64)
    places[index[known]] = np.flatnonzero(known)
    return places[index], np.asarray(away, np.float32)


def nearest_fill(values: AnyArray, known: BoolArray, wanted: BoolArray) -> AnyArray:
    """A copy with each wanted pixel set to the nearest known one's value.

    values: (H, W, ...); come back themselves where nothing is known or wanted. known, wanted:
    (H, W).
    """
    if not known.any() or not wanted.any():
        return values
    source, _ = nearest(known)
    out = values.copy()
    out[wanted] = values.reshape(-1, *values.shape[2:])[source[wanted]]
    return out


def distance(mask: BoolArray) -> FloatArray:
    """Float32 (H, W): pixels from the nearest one of the mask; far beyond any where it is empty."""
    import cv2

    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(away, np.float32)


def shrunk(mask: BoolArray, radius: float) -> BoolArray:
    """The mask (H, W) without what is within `radius` pixels of its edge."""
    import cv2

    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(inside > radius)


def soft(mask: BoolArray, sigma: float) -> FloatArray:
    """The mask with a smooth edge, float32 in [0, 1]."""
    import cv2

    blurred: FloatArray = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(sigma, 0.6))
    return blurred


def closed(mask: BoolArray, radius: float) -> BoolArray:
    """The mask with notches narrower than two radii closed."""
    import cv2

    side = 2 * round(radius) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    shut: BoolArray = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return shut
