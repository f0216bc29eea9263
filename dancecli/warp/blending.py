"""Painted pieces laid over each other, and the cracks between them closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.raster import Painted

Bounds: TypeAlias = tuple[slice, slice]

CRACK, PINHOLE = 0.012, 0.03
"""Gaps narrower than the first and enclosed holes smaller than a square of the second are faults
of the warp, not openings of the pose; heights of the body."""

LEAST, SOLID = 0.02, 0.8
"""Alpha less than which is not missed, and that a seam has on both sides."""


SMUDGE, FIRMNESS = 0.015, 4.0
"""Breadth from which a half-transparent rim is no outline, heights of the body, and how many times
narrower it gets."""

BROAD = (0.85, 1.3, 8.0, 16.0)
"""Such breadths at which rims begin to get narrower, do so wholly, begin to be no rims but thin all
over, and are left alone. The gradient of a sharp edge is measured as one of 0.75."""


@dataclass(frozen=True, eq=False)
class Warped:
    """The person painted in a new pose.

    colour: float32 (h, w, 3), RGB in [0, 1], not multiplied by alpha, 0 where alpha is 0.
    alpha: float32 (h, w), [0, 1]. validity: float32 (h, w), 1 where the photo's own pixels show,
    0 where texture was made up or nothing is. layer: uint8 (h, w), which piece shows, 1-10, 0 for
    none. depth: float32 (h, w), pixels towards the camera, 0 at mid-hip and off the person.
    """

    colour: FloatArray
    alpha: FloatArray
    validity: FloatArray
    layer: UInt8Array
    depth: FloatArray


def blend(layers: list[tuple[int, Painted]], height: int, width: int, size: float) -> Warped:
    """(Layer number, piece) pairs, the first one lowest. size: the body's height, pixels."""
    import cv2

    colour = np.zeros((height, width, 3), np.float32)
    alpha, validity, depth = (np.zeros((height, width), np.float32) for _ in range(3))
    layer = np.zeros((height, width), np.uint8)
    if not layers:
        return Warped(colour, alpha, validity, layer, depth)
    body = _bounds(layers, height, width)
    # Planes red, green, blue, validity, alpha, multiplied by alpha.
    planes = np.zeros((5, *alpha[body].shape), np.float32)
    for number, painted in layers:
        window = _window(painted, body)
        red, green, blue, opacity = cv2.split(painted.rgba)
        a = opacity * np.float32(1 / 255)
        planes[:, window[0], window[1]] *= 1 - a
        share = a * np.float32(1 / 255)
        for plane, values in zip(planes[:4], (red, green, blue, painted.real), strict=True):
            plane[window] += values * share
        planes[4][window] += a
        shows = a > 0.5
        layer[body][window][shows] = number
        depth[body][window][shows] = painted.depth[shows]
    _close(planes, layer[body], depth[body], size)
    _firm(planes, size)
    _smooth_outline(planes)
    alpha[body] = np.clip(planes[4], 0, 1)
    planes[:3] /= np.maximum(planes[4], 1e-4)
    colour[body] = cv2.merge(list(np.clip(planes[:3], 0, 1)))
    validity[body] = np.clip(planes[3], 0, 1)
    return Warped(colour, alpha, validity, layer, depth)


def _bounds(layers: list[tuple[int, Painted]], height: int, width: int) -> Bounds:
    """The window of all pieces with a free border where the canvas leaves one."""
    top, left = (min(getattr(p, side) for _, p in layers) - 2 for side in ("top", "left"))
    bottom = max(p.top + p.real.shape[0] for _, p in layers) + 2
    right = max(p.left + p.real.shape[1] for _, p in layers) + 2
    return np.s_[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]


def _window(painted: Painted, body: Bounds) -> Bounds:
    """The piece's window within the body's."""
    (h, w), top, left = painted.real.shape, body[0].start, body[1].start
    return np.s_[
        painted.top - top : painted.top - top + h, painted.left - left : painted.left - left + w
    ]


def _close(planes: FloatArray, layer: UInt8Array, depth: FloatArray, size: float) -> None:
    """Fills cracks and pinholes with what surrounds them, in place; `planes` as in `blend`."""
    import cv2

    missing = _faults(planes[4], size)
    hole = missing > 0
    if not hole.any():
        return
    missing = missing[hole]
    reach = _reach(planes[4], hole, size)
    weight = np.maximum(cv2.blur(planes[4], (reach, reach))[hole], 1e-4)
    for plane in planes[:3]:
        plane[hole] += missing * cv2.blur(plane, (reach, reach))[hole] / weight
    near = cv2.blur(depth * planes[4], (reach, reach))[hole] / weight
    planes[4][hole] += missing
    empty = hole & (layer == 0) & (planes[4] > 0.5)
    layer[empty] = cv2.dilate(layer, np.ones((reach, reach), np.uint8))[empty]
    depth[empty] = near[empty[hole]]


def _firm(planes: FloatArray, size: float) -> None:
    """Ends in an outline, in place, what fades out over a smudge: the soft rims of pieces that are
    made to lie over others, where nothing is behind them."""
    import cv2

    fading = ((planes[4] > LEAST) & (planes[4] < 1 - LEAST)).astype(np.uint8)
    side = max(3, round(SMUDGE * size))
    broad = cv2.morphologyEx(fading, cv2.MORPH_OPEN, np.ones((side // 2 + 1,) * 2, np.uint8))
    if not broad.any():
        return
    left, top, width, height = cv2.boundingRect(broad)
    window = planes[:, max(top - side, 0) : top + height + side,
                    max(left - side, 0) : left + width + side]  # fmt: skip
    alpha = window[4]
    narrower = np.interp(_breadth(alpha, side), BROAD, (1.0, FIRMNESS, FIRMNESS, 1.0))
    firm = np.clip((alpha - 0.5) * narrower.astype(np.float32) + 0.5, 0, 1)
    window *= np.where(alpha > 1e-4, firm / np.maximum(alpha, 1e-4), 1)


def _breadth(alpha: FloatArray, side: int) -> FloatArray:
    """Float32 (H, W): over how many times `side` pixels alpha falls from 1 to 0, where it falls
    fastest nearby."""
    import cv2

    smooth = cv2.GaussianBlur(alpha, (0, 0), 0.3 * side)
    slope = np.hypot(*(cv2.Sobel(smooth, -1, x, y, scale=1 / 8) for x, y in ((1, 0), (0, 1))))
    steepest = cv2.dilate(slope, np.ones((2 * side + 1,) * 2, np.uint8))
    return np.asarray(1 / np.maximum(side * steepest, 1e-4), np.float32)


STRAIGHT = 4 / 3
"""One over what the blur leaves of a pixel beside a straight edge: such a pixel stays whole, lest
the person shrink, and corners give way."""


def _smooth_outline(planes: FloatArray) -> None:
    """Takes the stairs off outlines, in place: where a mesh ends, its pixels are all or nothing."""
    import cv2

    alpha = np.clip(planes[4], 0, 1)
    softer = STRAIGHT * cv2.GaussianBlur(alpha, (3, 3), 0, borderType=cv2.BORDER_REPLICATE)
    edge = softer < alpha - 1e-3
    planes[:, edge] *= softer[edge] / planes[4][edge]


def _reach(alpha: FloatArray, hole: BoolArray, size: float) -> int:
    """Side of a window that holds some of the person wherever it stands in the hole."""
    import cv2

    side = 2 * max(2, round(CRACK * size)) + 1
    if cv2.blur(alpha, (side, side))[hole].min() > 0.01:
        return side
    return 2 * max(2, round(PINHOLE * size)) + 1


def _faults(alpha: FloatArray, size: float) -> FloatArray:
    """Float32 (H, W): alpha that the warp left out by mistake, 0 elsewhere."""
    import cv2

    side = 2 * max(1, round(CRACK * size / 2)) + 1
    body = np.pad(np.clip(np.rint(alpha * 255), 0, 255).astype(np.uint8), side)
    solid = (body > 127).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, kernel)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < max((PINHOLE * size) ** 2, 4)
    small[0] = False
    body[((closed > 0) | small[pieces]) & (solid == 0)] = 255
    # Seams, where two soft edges meet, are cracks that are not open all the way. What is thin and
    # soft on both sides, as hair is, stays.
    whole = cv2.morphologyEx(body, cv2.MORPH_CLOSE, kernel)
    filled = whole[side:-side, side:-side] * np.float32(1 / 255)
    missing: FloatArray = np.where((filled > SOLID) & (filled > alpha + LEAST), filled - alpha, 0)
    return missing
