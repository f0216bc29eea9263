"""Points held to how the picture moves under them.

A pose network looks at every frame anew, and where it sees a joint trembles by some pixels. Optical
flow knows nothing of joints, but tells how what lies at one has moved on by the next frame, to a
part of a pixel. So a point's path is the one that fits best, in least squares, where the network
saw it and how the picture moved: trembling goes, and motion is not flattened as by a filter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.body import height_of
from dancecli.types import SEEN, FloatArray, Frame, Skeleton, UInt8Array

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIDE = 512
"""Pixels of the window's height at which flow is looked for. DIS's ULTRAFAST at 512 gives the same
paths as MEDIUM at 288, in half the time."""

ROOM = 0.12
"""Longer sides of the person's box about it that are looked at as well."""

SPOT = 0.012
"""Heights of the body: radius of what counts as lying at a point."""

LARGEST = 12
"""Pixels of the window that such a radius has at most, as of a face that fills the picture."""

TREMBLE = 0.008
"""Heights by which the network errs, other than always to the same side."""

DRIFTS, SHARE = 0.0006, 0.15
"""Heights by which flow errs at rest, and the share of the way by which it does."""

DISAGREE = 0.7
"""Share that counts of what flow there and back, and of neighbouring pixels, disagree by."""

ASTRAY = 0.045
"""Heights by which flow and the network's own motion differ where flow is of something else."""

SPANS = 1, 2, 4, 8, 16
"""Frames over which that is looked at: what moves slowly leaves a wall behind it slowly."""

LEAST = 16
"""Pixels: of less flow is not asked."""


def drift(before: Frame, now: Frame, start: Skeleton, end: Skeleton) -> NDArray[np.float16] | None:
    """How the picture moved at a person's points, float16 (137, 3): x, y and doubt, frame pixels.

    start, end: the person in the two frames; the motion is that at the points of `start`. Infinite
    doubt where a point was not seen or lies outside; None where nothing can be told.
    """
    import cv2

    points, size = start.points(), (now.width, now.height)
    window = _window(points, end.points(), size)
    if window is None or before.rgb.shape != now.rgb.shape:
        return None
    rows, columns = window
    scale = min(1.0, SIDE / (rows.stop - rows.start))
    first, second = (_gray(frame.rgb[window], scale) for frame in (before, now))
    if min(first.shape) < LEAST:
        return None
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    pairs = (first, second), (second, first)
    there, back = (np.asarray(dis.calc(a, b, None)) for a, b in pairs)
    radius = round(min(max(SPOT * (height_of(start) or SIDE) * scale, 1), LARGEST))
    places = (points[:, :2] - (columns.start, rows.start)) * scale
    moved, doubt = _at(places, there, back, radius)
    doubt[points[:, 2] < SEEN] = np.inf
    return np.asarray(np.column_stack([moved, doubt]) / scale, np.float16)


def _window(a: FloatArray, b: FloatArray, size: tuple[int, int]) -> tuple[slice, slice] | None:
    """Rows and columns about the seen ones of two sets of points (137, 3)."""
    points = np.concatenate([a, b])
    points = points[points[:, 2] >= SEEN, :2]
    if not len(points):
        return None
    room = ROOM * np.ptp(points, axis=0).max()
    left, top = np.maximum(points.min(0) - room, 0).astype(int)
    right, bottom = np.minimum(points.max(0) + room, size).astype(int)
    if min(right - left, bottom - top) < LEAST:
        return None
    return slice(top, bottom), slice(left, right)


def _gray(rgb: UInt8Array, scale: float) -> UInt8Array:
    import cv2

    gray = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _at(
    places: FloatArray, there: FloatArray, back: FloatArray, radius: int
) -> tuple[FloatArray, FloatArray]:
    """Median flow (K, 2) in discs about places (K, 2), and how far it is to be doubted (K,).

    there, back: flow (h, w, 2) from one picture to the other and from that one back.
    """
    import cv2

    steps = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1).T[:, ::-1]
    steps = steps[(steps**2).sum(1) <= radius**2]
    pixels = np.floor(places).astype(int)[:, None] + steps
    height, width = there.shape[:2]
    outside = ((pixels < 0) | (pixels >= (width, height))).any(-1)
    x, y = np.moveaxis(np.clip(pixels, 0, (width - 1, height - 1)), -1, 0)
    flow = there[y, x]
    ends = (np.stack([x, y], -1) + flow).astype(np.float32)
    home = cv2.remap(back, ends, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    middle = np.median(flow, 1)
    doubt = np.median(np.linalg.norm(flow + home, axis=-1), 1)
    doubt += np.median(np.linalg.norm(flow - middle[:, None], axis=-1), 1)
    doubt[outside.any(1)] = np.inf
    return middle, doubt


def held(
    points: Values, known: Mask, moves: Values, doubt: Values, strength: float = 1.0
) -> tuple[Values, Mask]:
    """Points (T, K, 2) on the paths that fit best what was `known` (T, K) and how they moved; and
    which of them (T, K) are held to the frame before or after.

    moves: (T - 1, K, 2), from each frame to the next; doubt: (T - 1, K). All in body heights. Flow
    that goes another way than the points is of something else and does not count. strength: above
    0; of more the points' own places count less.
    """
    out = points.copy()
    linked = known[1:] & known[:-1] & np.isfinite(doubt) & np.isfinite(moves).all(-1)
    way = np.where(linked[..., None], moves, 0)
    linked &= ~_elsewhere(np.where(linked[..., None], np.diff(points, axis=0) - way, 0))
    error = DRIFTS + SHARE * np.linalg.norm(way, axis=-1)
    error += DISAGREE * np.where(linked, doubt, 0)
    tied = np.where(linked, (TREMBLE * strength / error) ** 2, 0)
    for k in np.flatnonzero(linked.any(0)):
        path = _best(points[:, k], way[:, k], tied[:, k])
        out[:, k] = np.where(known[:, k, None], path, points[:, k])
    alone = np.zeros_like(linked[:1])
    return out, np.concatenate([linked, alone]) | np.concatenate([alone, linked])


def _elsewhere(apart: Values) -> Mask:
    """Links (T - 1, K) over which, alone or with their next, flow leaves the points by `ASTRAY`.

    apart: (T - 1, K, 2), by how much more the points moved. However many links are summed, what
    the network errs at their ends is all that it adds: so what a slow arm passes is found too.
    """
    out, apart = np.zeros(apart.shape[:2], bool), apart.copy()
    for links in (n for n in SPANS if n <= len(apart)):
        way = np.concatenate([np.zeros_like(apart[:1]), np.cumsum(apart, 0)])
        far = np.linalg.norm(way[links:] - way[:-links], axis=-1) >= ASTRAY
        for first in range(links):
            out[first : first + len(far)] |= far
        apart[out] = 0
    return out


def _best(seen: Values, way: Values, tied: Values) -> Values:
    """Path x (T, 2) of least sum |x_t - seen_t|² + tied_t |x_t+1 - x_t - way_t|².

    way: (T - 1, 2). tied: (T - 1,), 0 where nothing is known of the way.
    """
    from scipy.linalg import solveh_banded

    bands = np.ones((2, len(seen)))
    bands[0, 1:] = -tied
    bands[1, :-1] += tied
    bands[1, 1:] += tied
    wanted, pull = seen.copy(), tied[:, None] * way
    wanted[:-1] -= pull
    wanted[1:] += pull
    return np.asarray(solveh_banded(bands, wanted))
