"""Where people hide the background: masks grown until nothing of the person is left outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dancecli.types import JOINT, SEEN, FloatArray, Skeleton, UInt8Array

FAINT = 0.1
"""Alpha from which a pixel shows some of the person."""

GROW, CLOSE = 0.02, 0.03
"""By how much a mask grows, and half the width of a gap in it that counts as person, shares of its
height."""

WIDE = 0.08
"""`CLOSE` for a picture that stands alone: between arms, legs and trunk the ground lies in the
body's shade, and what is filled in about it would go on with that."""

WORK_SIDE = 480
"""Longest side of the picture that masks are grown on: exact to two pixels, and fast."""

FOOT, FOOT_GROW = 0.08, 0.06
"""The lowest share of a person is feet, and the growth sideways there: contact shadows."""

_BONES = (
    ("neck", "mid_hip", 0.20), ("right_shoulder", "right_elbow", 0.09),
    ("right_elbow", "right_wrist", 0.08), ("left_shoulder", "left_elbow", 0.09),
    ("left_elbow", "left_wrist", 0.08), ("right_hip", "right_knee", 0.12),
    ("right_knee", "right_ankle", 0.09), ("left_hip", "left_knee", 0.12),
    ("left_knee", "left_ankle", 0.09), ("neck", "nose", 0.14),
)  # fmt: skip
"""Thickness of the parts, shares of standing height."""


def person_hole(alpha: FloatArray | UInt8Array, gaps: float = CLOSE) -> UInt8Array:
    """What to paint out for one or more people, uint8 (H, W), 0 or 255.

    alpha: (H, W), float 0-1 or uint8 0-255, the union of all people's masks. The hole is the mask
    grown by 2% of the tallest one's height, more sideways at the feet, without gaps narrower than
    `gaps` of the height to either side and without small islands of background inside.
    """
    import cv2

    height, width = alpha.shape
    seen = alpha > (FAINT * 255 if alpha.dtype == np.uint8 else FAINT)
    scale = min(1.0, WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    grown = _grown(np.where(small > 0, np.uint8(255), np.uint8(0)), gaps)
    hole = cv2.resize(grown, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where((hole > 0) | seen, np.uint8(255), np.uint8(0))


def _grown(hole: UInt8Array, gaps: float) -> UInt8Array:
    import cv2

    count, _, boxes, _ = cv2.connectedComponentsWithStats(hole, connectivity=8)
    if count < 2:
        return hole
    tall = float(boxes[1:, cv2.CC_STAT_HEIGHT].max())
    pad = int(gaps * tall) + 2
    hole = cv2.copyMakeBorder(hole, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    hole = cv2.morphologyEx(_with_feet(hole, tall), cv2.MORPH_CLOSE, _ellipse(gaps * tall))
    hole = cv2.dilate(hole, _ellipse(GROW * tall + 1))[pad:-pad, pad:-pad]
    return _without_islands(hole, (2 * gaps * tall) ** 2)


def body_region(skeleton: Skeleton, shape: tuple[int, int], height: float) -> UInt8Array:
    """A generous body drawn from the skeleton alone, uint8 (H, W), 0 or 255.

    For frames whose mask cannot be trusted. height: standing height in pixels.
    """
    import cv2

    region = np.zeros(shape, np.uint8)
    for start, end, share in _BONES:
        if skeleton.seen(start, end):
            a, b = (_pixel(skeleton.body[JOINT[name]]) for name in (start, end))
            cv2.line(region, a, b, 255, max(1, round(share * height)))
    for points in (skeleton.left_hand, skeleton.right_hand, skeleton.body[19:25]):
        for point in points[points[:, 2] >= SEEN]:
            cv2.circle(region, _pixel(point), max(1, round(0.025 * height)), 255, -1)
    if skeleton.seen("nose"):
        cv2.circle(region, _pixel(skeleton.body[0]), max(1, round(0.085 * height)), 255, -1)
    return region


def _pixel(point: NDArray[np.float32]) -> tuple[int, int]:
    far = 30000  # beyond any picture, within what cv2's integers draw
    x, y = np.clip(point[:2], -far, far)
    return int(x), int(y)


def _ellipse(radius: float, flat: float = 1.0) -> NDArray[np.uint8]:
    import cv2

    size = (2 * round(radius) + 1, 2 * round(radius * flat) + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)


def _with_feet(hole: UInt8Array, tall: float) -> UInt8Array:
    """The lowest part of every blob widened, for the shadow that feet cast around them."""
    import cv2

    _, _, boxes, _ = cv2.connectedComponentsWithStats(hole, connectivity=8)
    out = hole.copy()
    kernel = _ellipse(FOOT_GROW * tall, 0.35)
    reach = kernel.shape[1] // 2 + 1
    for left, top, width, height, _ in boxes[1:]:
        if height < tall / 3:
            continue
        bottom = top + height
        rows = slice(bottom - max(1, round(FOOT * tall)), min(bottom + reach, hole.shape[0]))
        columns = slice(max(0, left - reach), left + width + reach)
        foot = cv2.dilate(np.ascontiguousarray(hole[rows, columns]), kernel)
        np.maximum(out[rows, columns], foot, out=out[rows, columns])
    return out


def _without_islands(hole: UInt8Array, area: float) -> UInt8Array:
    """Patches of background enclosed by the hole, smaller than `area` pixels, become hole."""
    import cv2

    count, labels, boxes, _ = cv2.connectedComponentsWithStats(255 - hole, connectivity=4)
    small = boxes[:, cv2.CC_STAT_AREA] < area
    small[0] = False
    if count > 1 and small.any():
        hole = np.where(small[labels], np.uint8(255), hole)
    return hole
