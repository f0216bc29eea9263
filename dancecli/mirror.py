"""Skeletons, face points and body parts in a mirror: the left becomes the right.

Labels have their own in `dancecli.labels.mirrored`.
"""

from __future__ import annotations

import numpy as np

from dancecli.types import BODY_25, FloatArray, Skeleton


def _other_sides() -> list[int]:
    swap = {"left": "right", "right": "left"}
    sides = [name.split("_", 1) for name in BODY_25]
    names = ["_".join([swap.get(side[0], side[0]), *side[1:]]) for side in sides]
    return [BODY_25.index(name) for name in names]


OTHER_SIDE = _other_sides()
"""BODY_25 joint -> the one in its place in a mirror."""

OTHER_FACE = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65, 69, 68,
]  # fmt: skip
"""OpenPose's face point 0-69 -> the one in its place in a mirror."""

OTHER_PART = [0, 1, 2, *(part + (1 if part % 2 else -1) for part in range(3, 25))]
"""DensePose's part number -> the one in its place in a mirror: they come in pairs but the trunk."""


def mirrored_points(points: FloatArray, width: int) -> FloatArray:
    """Keypoints (N, 3) in the mirror of a picture that wide, in their order."""
    out = points.copy()
    out[:, 0] = width - out[:, 0]
    return out


def mirrored_skeleton(skeleton: Skeleton, width: int) -> Skeleton:
    """The skeleton in the mirror of a picture that wide: x turned round, sides exchanged."""
    world = skeleton.world
    return Skeleton(
        mirrored_points(skeleton.body, width)[OTHER_SIDE],
        mirrored_points(skeleton.right_hand, width),
        mirrored_points(skeleton.left_hand, width),
        mirrored_points(skeleton.face, width)[OTHER_FACE],
        None if world is None else world[OTHER_SIDE] * np.array([-1, 1, 1], np.float32),
    )
