"""COCO-WholeBody's 133 points -> Skeleton: the only place that knows their order.

mmpose:configs/_base_/datasets/coco_wholebody.py. 0-16 body, 17-22 feet, 23-90 face, 91-111 left
hand, 112-132 right hand; hands and face have our order already.
"""

from __future__ import annotations

import numpy as np

from dancecli.keypoints import body_25
from dancecli.types import FloatArray, Skeleton

BODY = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle", "left_big_toe", "left_small_toe",
    "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip

FACE, LEFT_HAND, RIGHT_HAND = slice(23, 91), slice(91, 112), slice(112, 133)
POINTS = 133

PUPILS = np.zeros((2, 3), np.float32)
"""The last two of our 70 face points, which it does not have."""


def skeleton(points: FloatArray) -> Skeleton:
    """A person of (133, 3), x, y and confidence.

    Neck and mid-hip lie between shoulders and hips; pupils are not seen.
    """
    return Skeleton(
        body_25(dict(zip(BODY, points, strict=False))),
        points[LEFT_HAND].copy(),
        points[RIGHT_HAND].copy(),
        np.concatenate([points[FACE], PUPILS]),
    )
