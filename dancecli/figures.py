"""A made figure with known labels, mask and skeleton: what tests look at without any media."""

from __future__ import annotations

import itertools

import numpy as np

from dancecli.labels import Label
from dancecli.types import (
    BODY_25,
    Frame,
    LabelMap,
    PersonMask,
    Skeleton,
    Target,
    UInt8Array,
)

STANDING = {
    "nose": (0.50, 0.12), "neck": (0.50, 0.20), "right_shoulder": (0.41, 0.21),
    "right_elbow": (0.36, 0.34), "right_wrist": (0.33, 0.46), "left_shoulder": (0.59, 0.21),
    "left_elbow": (0.64, 0.34), "left_wrist": (0.67, 0.46), "mid_hip": (0.50, 0.50),
    "right_hip": (0.45, 0.50), "right_knee": (0.44, 0.70), "right_ankle": (0.43, 0.90),
    "left_hip": (0.55, 0.50), "left_knee": (0.56, 0.70), "left_ankle": (0.57, 0.90),
    "right_eye": (0.485, 0.105), "left_eye": (0.515, 0.105), "right_ear": (0.465, 0.115),
    "left_ear": (0.535, 0.115), "left_big_toe": (0.60, 0.945), "left_small_toe": (0.62, 0.94),
    "left_heel": (0.565, 0.92), "right_big_toe": (0.40, 0.945), "right_small_toe": (0.38, 0.94),
    "right_heel": (0.435, 0.92),
}  # fmt: skip
"""A person facing the camera, (x, y) as fractions of the picture."""


def standing_skeleton(width: int = 200, height: int = 320) -> Skeleton:
    """The figure of STANDING in a picture of that size, every body joint seen."""
    body = np.ones((25, 3), np.float32)
    for index, name in enumerate(BODY_25):
        x, y = STANDING[name]
        body[index, :2] = x * width, y * height
    return Skeleton(body)


_TRUNK = ("right_shoulder", "left_shoulder", "left_hip", "right_hip")
_LIMBS: tuple[tuple[Label, float, tuple[str, ...]], ...] = (
    (Label.RIGHT_LEG, 0.032, ("right_hip", "right_knee", "right_ankle")),
    (Label.LEFT_LEG, 0.032, ("left_hip", "left_knee", "left_ankle")),
    (Label.RIGHT_SHOE, 0.02, ("right_heel", "right_big_toe")),
    (Label.LEFT_SHOE, 0.02, ("left_heel", "left_big_toe")),
    (Label.RIGHT_ARM, 0.022, ("right_shoulder", "right_elbow", "right_wrist")),
    (Label.LEFT_ARM, 0.022, ("left_shoulder", "left_elbow", "left_wrist")),
)
_PAINT = {
    Label.UPPER_CLOTHES: (60, 90, 180), Label.RIGHT_LEG: (40, 40, 60), Label.LEFT_LEG: (50, 50, 90),
    Label.RIGHT_SHOE: (150, 40, 40), Label.LEFT_SHOE: (190, 60, 60), Label.FACE: (220, 170, 140),
    Label.RIGHT_ARM: (210, 160, 130), Label.LEFT_ARM: (200, 150, 120),
}  # fmt: skip


def made_target(width: int = 200, height: int = 320) -> Target:
    """A flat-coloured figure with known labels, mask and skeleton on a grey ground."""
    import cv2

    skeleton = standing_skeleton(width, height)
    labels = np.zeros((height, width), np.uint8)
    trunk = np.array([skeleton.joint(name) for name in _TRUNK])
    for label, radius, names in _LIMBS[:4]:
        _stroke(labels, skeleton, names, int(label), radius * height)
    cv2.fillPoly(labels, [np.rint(trunk).astype(np.int32)], int(Label.UPPER_CLOTHES))
    _stroke(labels, skeleton, ("neck", "mid_hip"), int(Label.UPPER_CLOTHES), 0.06 * height)
    _stroke(labels, skeleton, ("neck", "nose"), int(Label.FACE), 0.025 * height)
    centre = tuple(int(v) for v in skeleton.joint("nose"))
    cv2.circle(labels, centre, int(0.055 * height), int(Label.FACE), -1)
    for label, radius, names in _LIMBS[4:]:
        _stroke(labels, skeleton, names, int(label), radius * height)
    rgb = np.full((height, width, 3), 128, np.uint8)
    for label, colour in _PAINT.items():
        rgb[labels == label] = colour
    mask = PersonMask((labels > 0).astype(np.float32))
    return Target(Frame(rgb), mask, LabelMap(labels), skeleton)


def _stroke(
    labels: UInt8Array, skeleton: Skeleton, names: tuple[str, ...], value: int, radius: float
) -> None:
    import cv2

    points = [tuple(int(v) for v in np.rint(skeleton.joint(name))) for name in names]
    for start, end in itertools.pairwise(points):
        cv2.line(labels, start, end, value, max(1, round(2 * radius)))
