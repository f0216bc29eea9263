"""OpenPose's arrays -> Skeleton: the only place that knows its orders and thresholds.

openpose:src/openpose/pose/poseParameters.cpp, include/openpose/flags.hpp. Hands and face have our
order already: 21 points from the wrist, 68 contour points and two pupils.
"""

from __future__ import annotations

import numpy as np

from dancecli.keypoints import body_25, calibrated
from dancecli.types import BODY_25, FloatArray, Skeleton

COCO_18 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
    "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip",
    "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
"""Joint names of the COCO model, which the PyTorch port has: no mid-hip, no feet."""

ORDERS = {len(BODY_25): BODY_25, len(COCO_18): COCO_18}

HAND, FACE = 21, 70
"""Points of a hand and of a face."""

BODY_SEEN, HAND_SEEN, FACE_SEEN = 0.05, 0.2, 0.4
"""Scores from which OpenPose draws a point (its render thresholds)."""

LICENCE = (
    "OpenPose, code and models: academic or non-profit non-commercial research only, "
    "Carnegie Mellon University"
)


def skeleton(
    body: FloatArray,
    left_hand: FloatArray | None = None,
    right_hand: FloatArray | None = None,
    face: FloatArray | None = None,
) -> Skeleton:
    """A person of OpenPose's own scores.

    body: (25, 3) or (18, 3). Hands (21, 3) and face (70, 3), None where not looked for. Of a
    COCO-18 body the mid-hip is the mean of the hips, and the feet are not seen.
    """
    points = calibrated(body, BODY_SEEN)
    joints = dict(zip(ORDERS[len(points)], points, strict=True))
    return Skeleton(
        body_25(joints),
        _part(left_hand, HAND, HAND_SEEN),
        _part(right_hand, HAND, HAND_SEEN),
        _part(face, FACE, FACE_SEEN),
    )


def _part(points: FloatArray | None, count: int, seen: float) -> FloatArray:
    if points is None:
        return np.zeros((count, 3), np.float32)
    return calibrated(points, seen)
