"""What pose plugins share: networks' points and confidences into a `Skeleton`'s.

Points are float32 (n, 3), x and y in pixels and confidence in [0, 1], as in `dancecli.types`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from dancecli.types import BODY_25, JOINT, SEEN, Box, FloatArray, Skeleton

MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
"""Joints of BODY_25 that most networks lack -> those between which they lie."""

MAIN = tuple(
    JOINT[name]
    for name in (
        "nose", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
        "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle",
    )
)  # fmt: skip
"""Rows of the joints that every network knows."""

RIGHT_EYE, LEFT_EYE, NOSE, MOUTH = range(36, 42), range(42, 48), 30, (48, 54)
"""Of the face points, those behind the five that faces are aligned by."""

MOSTLY = 0.5
"""Share of a person's box that must lie in the box in which they are looked for."""


def calibrated(points: ArrayLike, seen: float, sure: float = 1.0) -> FloatArray:
    """Points whose third column, a network's own score, becomes a confidence.

    seen: score from which its authors draw a point; becomes SEEN. sure: score that becomes 1.
    Scores between are interpolated; below 0, above `sure` or not finite they are 0, 1 and 0. Where
    the confidence is 0, so are x and y.
    """
    raw = np.asarray(points, np.float64).reshape(-1, 3)
    finite = np.isfinite(raw).all(1)
    score = np.where(finite, raw[:, 2], 0.0)
    confidence = np.interp(score, [0.0, seen, sure], [0.0, SEEN, 1.0]).astype(np.float32)
    xy = np.where((confidence > 0)[:, None], raw[:, :2], 0.0)
    return np.column_stack([xy, confidence]).astype(np.float32)


def body_25(joints: Mapping[str, FloatArray]) -> FloatArray:
    """`Skeleton.body` of named joints (3,); neck and mid-hip, if not given, lie in the middle.

    A point between two others is as certain as the less certain one; joints not given are not
    seen.
    """
    body = np.zeros((len(BODY_25), 3), np.float32)
    for name, point in joints.items():
        body[JOINT[name]] = point
    for name, ends in MIDDLES.items():
        if name not in joints:
            body[JOINT[name]] = between(*(body[JOINT[end]] for end in ends))
    return body


def between(one: FloatArray, other: FloatArray) -> FloatArray:
    """The middle (3,) of two points; not seen where one of them is not."""
    confidence = min(one[2], other[2])
    if confidence <= 0:
        return np.zeros(3, np.float32)
    return np.array([*(one[:2] + other[:2]) / 2, confidence], np.float32)


def joints_seen(skeleton: Skeleton) -> int:
    """How many of the main joints are seen: few where a network looked at no person."""
    return int((skeleton.body[list(MAIN), 2] >= SEEN).sum())


def largest_first(people: Iterable[Skeleton]) -> list[Skeleton]:
    """Those of whom anything is seen, by the area of their boxes."""
    boxes = [(person.box(), person) for person in people]
    sized = [(box.width * box.height, person) for box, person in boxes if box is not None]
    return [person for _, person in sorted(sized, key=lambda pair: -pair[0])]


def best_in(people: Sequence[Skeleton], box: Box) -> Skeleton | None:
    """The person whom a box shows best: mostly inside it, then of the largest overlap."""
    boxes = [(person.box(), person) for person in people]
    inside = [
        (own.iou(box), person)
        for own, person in boxes
        if own is not None and _share(own, box) > MOSTLY
    ]
    return max(inside, key=lambda pair: pair[0], default=(0.0, None))[1]


def _share(inner: Box, outer: Box) -> float:
    """Part of a box's area that lies in another."""
    width = min(inner.right, outer.right) - max(inner.left, outer.left)
    height = min(inner.bottom, outer.bottom) - max(inner.top, outer.top)
    area = max(inner.width * inner.height, 1e-6)
    return max(width, 0.0) * max(height, 0.0) / area
