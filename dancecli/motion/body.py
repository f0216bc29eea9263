"""The body as a tree of bones, and how long each is in a person of a given height.

Shares of standing height follow Drillis and Contini (1966), as printed in Winter, "Biomechanics
and Motor Control of Human Movement", figure 4.1, moved to the joint centres that BODY_25 means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.types import JOINT, SEEN, Skeleton

Points = NDArray[np.floating[Any]]
"""(T, K, 2) pixels."""


@dataclass(frozen=True)
class Bone:
    """parent, child: rows of BODY_25. share: length / standing height. rest: unit vector (x, y)
    of a person standing in front of the camera. mirror: the other side's index in `BONES`."""

    parent: int
    child: int
    share: float
    rest: tuple[float, float]
    mirror: int


def _bones() -> tuple[Bone, ...]:
    sides = ("right", -1.0), ("left", 1.0)
    limbs = (
        ("neck", "shoulder", 0.105, (1.0, 0.05)),
        ("shoulder", "elbow", 0.172, (0.1, 1.0)),
        ("elbow", "wrist", 0.150, (0.05, 1.0)),
        ("mid_hip", "hip", 0.055, (1.0, 0.0)),
        ("hip", "knee", 0.245, (0.03, 1.0)),
        ("knee", "ankle", 0.246, (0.0, 1.0)),
        ("ankle", "big_toe", 0.120, (0.5, 0.4)),
        ("ankle", "small_toe", 0.110, (0.6, 0.35)),
        ("ankle", "heel", 0.045, (0.0, 1.0)),
    )
    rows = [("mid_hip", "neck", 0.288, (0.0, -1.0), 0)]
    for parent, child, share, (x, y) in limbs:
        for side, sign in sides:
            start = parent if parent in JOINT else f"{side}_{parent}"
            rest = np.array([x * sign, y]) / np.hypot(x, y)
            other = len(rows) + (1 if side == "right" else -1)
            rows.append((start, f"{side}_{child}", share, (float(rest[0]), float(rest[1])), other))
    return tuple(Bone(JOINT[a], JOINT[b], share, rest, other) for a, b, share, rest, other in rows)


BONES = _bones()
"""Parents before children; the right side of a pair first; the spine is number 0."""

PARENTS = np.array([bone.parent for bone in BONES])
CHILDREN = np.array([bone.child for bone in BONES])
SHARES = np.array([bone.share for bone in BONES])
MIRRORS = np.array([bone.mirror for bone in BONES])

LONG = np.flatnonzero(SHARES > 0.14)
"""Spine, upper arms, forearms, thighs, shins: long enough to measure by."""


def bone_between(parent: str, child: str) -> int:
    """The bone, a row of `BONES`, that joins two joints."""
    ends = JOINT[parent], JOINT[child]
    return next(i for i, bone in enumerate(BONES) if (bone.parent, bone.child) == ends)


SPINE = BONES[0].share
LEG = sum(
    BONES[bone_between(*ends)].share
    for ends in (("right_hip", "right_knee"), ("right_knee", "right_ankle"))
)
"""Hip to ankle, share of standing height."""

FOOT = "ankle", "heel", "big_toe", "small_toe"
TREAD = "big_toe", "small_toe", "heel"
"""Joints of a foot, and those that touch the ground, without their side. Both are summed over, and
in another order the sums' last bits would be others."""

OVER_HEAD = 0.10
"""How far a head goes on above its keypoints, share of standing height."""

HEAD_JOINTS = np.array([JOINT[n] for n in ("nose", "right_eye", "left_eye", "right_ear",
                                           "left_ear")])  # fmt: skip
EARS = np.array([JOINT["right_ear"], JOINT["left_ear"]])
EYES = np.array([JOINT["right_eye"], JOINT["left_eye"]])
NECK_TO_EARS, EAR_TO_EAR, EYE_TO_EYE, NOSE_TO_EARS = 0.115, 0.085, 0.037, 0.065
PORTRAIT = (
    ("right_shoulder", "left_shoulder", 2 * 0.105),
    ("neck", "right_ear", np.hypot(NECK_TO_EARS, EAR_TO_EAR / 2)),
    ("neck", "left_ear", np.hypot(NECK_TO_EARS, EAR_TO_EAR / 2)),
    ("right_ear", "left_ear", EAR_TO_EAR),
    ("right_eye", "left_eye", EYE_TO_EYE),
)
"""What head and shoulders span, as shares of standing height."""

PALM = 0.055
"""Wrist to the first joint of the middle finger, share of height."""

PLAUSIBLE = 0.75, 1.35
"""Bone lengths outside of the table by more than these factors are measuring errors."""


def bone_vectors(points: Points) -> Points:
    """(T, bones, 2 or 3) child minus parent of joints (T, 25, 2 or 3)."""
    vectors: Points = points[:, CHILDREN] - points[:, PARENTS]
    return vectors


def bones_seen(confidence: Points) -> NDArray[np.bool_]:
    """(T, bones): both ends seen, of confidences (T, 25)."""
    seen = confidence >= SEEN
    both: NDArray[np.bool_] = seen[:, CHILDREN] & seen[:, PARENTS]
    return both


def height_of(skeleton: Skeleton) -> float:
    """Rough standing height in pixels: by long bones, where fewer than two are seen by head and
    shoulders; 0 where they are hidden, too."""
    return height_by_bones(skeleton) or _by_head_and_shoulders(skeleton)


def height_by_bones(skeleton: Skeleton) -> float:
    """Standing height in pixels: the long bones of the picture against the table.

    Foreshortening only shortens, so the third longest estimate is taken; 0 where fewer than two
    bones are seen.
    """
    heights = np.sort(_by_each_bone(skeleton))
    return float(heights[-min(3, len(heights))]) if len(heights) > 1 else 0.0


def height_by_one_bone(skeleton: Skeleton) -> float:
    """The same by the one long bone, or side of the trunk, that tells most; 0 without any."""
    sides = [
        float(np.linalg.norm(skeleton.joint(f"{side}_shoulder") - skeleton.joint(f"{side}_hip")))
        for side in ("left", "right")
        if skeleton.seen(f"{side}_shoulder", f"{side}_hip")
    ]
    return max([*_by_each_bone(skeleton), *(length / SHARES[0] for length in sides)], default=0.0)


def _by_each_bone(skeleton: Skeleton) -> Points:
    """Standing heights (n,) in pixels by the long bones that are seen."""
    body = skeleton.body[None].astype(np.float64)
    use = LONG[bones_seen(body[..., 2])[0, LONG]]
    lengths: Points = np.linalg.norm(bone_vectors(body[..., :2])[0, use], axis=1) / SHARES[use]
    return lengths


def _by_head_and_shoulders(skeleton: Skeleton) -> float:
    """The median of what the spans of a portrait tell."""
    spans = [
        float(np.linalg.norm(skeleton.joint(a) - skeleton.joint(b))) / share
        for a, b, share in PORTRAIT
        if skeleton.seen(a, b)
    ]
    return float(np.median(spans)) if spans else 0.0
