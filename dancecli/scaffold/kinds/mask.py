"""The person as thick limbs about the skeleton; the pixels are not read.

Replace `alpha_of` by your own segmentation network. Conventions: `dancecli.types`.
"""

from __future__ import annotations

import cv2
import numpy as np

from dancecli.stages import Settings
from dancecli.types import FloatArray, Frame, PersonMask, Skeleton

LIMBS = (
    ("neck", "nose", 0.06), ("neck", "mid_hip", 0.09), ("right_shoulder", "right_hip", 0.04),
    ("left_shoulder", "left_hip", 0.04), ("right_shoulder", "right_elbow", 0.03),
    ("right_elbow", "right_wrist", 0.03), ("left_shoulder", "left_elbow", 0.03),
    ("left_elbow", "left_wrist", 0.03), ("right_hip", "right_knee", 0.045),
    ("right_knee", "right_ankle", 0.035), ("left_hip", "left_knee", 0.045),
    ("left_knee", "left_ankle", 0.035), ("right_heel", "right_big_toe", 0.025),
    ("left_heel", "left_big_toe", 0.025),
)  # fmt: skip
"""Joints, and half the limb's thickness in heights of the person."""


class MyMasker:
    """`PersonMasker`: limbs drawn about the bones that are seen."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""

    def mask(self, frame: Frame, skeleton: Skeleton) -> PersonMask:
        """Alpha of the person with this skeleton, all 0 when nothing of it is seen."""
        return PersonMask(alpha_of(skeleton, frame.height, frame.width))


def alpha_of(skeleton: Skeleton, height: int, width: int) -> FloatArray:
    """Float32 (height, width), 1 on the limbs, soft at their edge."""
    box = skeleton.box()
    drawn = np.zeros((height, width), np.uint8)
    for start, end, half in LIMBS:
        if box is not None and skeleton.seen(start, end):
            ends = [np.rint(skeleton.joint(joint)).astype(int).tolist() for joint in (start, end)]
            cv2.line(drawn, ends[0], ends[1], 255, max(1, round(2 * half * box.height)))
    soft: FloatArray = cv2.GaussianBlur(drawn, (3, 3), 0).astype(np.float32) / 255
    return soft
