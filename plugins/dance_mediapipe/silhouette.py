"""Which pixels of a rough segmentation are one person's: capsules about the skeleton's limbs."""

from __future__ import annotations

import cv2
import numpy as np

from dancecli.types import SEEN, BoolArray, FloatArray, Skeleton, UInt8Array

LIMBS: tuple[tuple[str, str, float], ...] = (
    ("neck", "mid_hip", 0.085), ("right_shoulder", "right_hip", 0.06),
    ("left_shoulder", "left_hip", 0.06), ("right_shoulder", "left_shoulder", 0.06),
    ("right_hip", "left_hip", 0.07), ("neck", "nose", 0.06), ("right_ear", "left_ear", 0.07),
    ("right_shoulder", "right_elbow", 0.04), ("right_elbow", "right_wrist", 0.033),
    ("left_shoulder", "left_elbow", 0.04), ("left_elbow", "left_wrist", 0.033),
    ("right_hip", "right_knee", 0.06), ("right_knee", "right_ankle", 0.045),
    ("left_hip", "left_knee", 0.06), ("left_knee", "left_ankle", 0.045),
    ("right_heel", "right_big_toe", 0.03), ("left_heel", "left_big_toe", 0.03),
)  # fmt: skip
"""Limb's ends and half thickness, in body heights."""

THIN = 0.35
"""Part of a limb's thickness that surely is body: the bone's near surroundings."""


FINGER = 0.008
"""Thickness of a finger in body heights."""


def body_height(skeleton: Skeleton) -> float:
    """About the standing height in pixels, from the longest seen limbs; at least 8."""
    # Rougher than `dance_builtin.body.BONE_LENGTHS`, by up to 4 %: those heights also place joints,
    # these only scale widths and must be had of any pose. LIMBS's and FINGER's are in them.
    parts = {
        ("neck", "mid_hip"): 0.30, ("right_hip", "right_knee"): 0.24,
        ("left_hip", "left_knee"): 0.24, ("right_knee", "right_ankle"): 0.24,
        ("left_knee", "left_ankle"): 0.24, ("right_shoulder", "right_elbow"): 0.17,
        ("left_shoulder", "left_elbow"): 0.17, ("right_shoulder", "left_shoulder"): 0.22,
    }  # fmt: skip
    sizes = [
        float(np.linalg.norm(skeleton.joint(a) - skeleton.joint(b))) / share
        for (a, b), share in parts.items()
        if skeleton.seen(a, b)
    ]
    box = skeleton.box()
    # Foreshortening only shortens, so the larger estimates are the better ones.
    fallback = max(box.width, box.height) if box else 8.0
    return max(float(np.quantile(sizes, 0.75)) if sizes else fallback, 8.0)


def capsules(skeleton: Skeleton, shape: tuple[int, ...], part: float = 1.0) -> UInt8Array:
    """Uint8 (H, W), 255 within `part` of the limbs' thickness of the seen limbs."""
    canvas, height = np.zeros(shape, np.uint8), body_height(skeleton)
    for a, b, radius in LIMBS:
        if skeleton.seen(a, b):
            width = max(1, round(2 * radius * part * height))
            cv2.line(canvas, _pixel(skeleton.joint(a)), _pixel(skeleton.joint(b)), 255, width)
    return canvas


def closeness(skeleton: Skeleton, shape: tuple[int, ...]) -> FloatArray:
    """Float32 (H, W): pixels to the nearest limb's surface, 0 inside, infinite without limbs."""
    body = capsules(skeleton, shape)
    if not body.any():
        return np.full(shape, np.inf, np.float32)
    distance: FloatArray = cv2.distanceTransform(255 - body, cv2.DIST_L2, 3)
    depth: FloatArray = cv2.distanceTransform(body, cv2.DIST_L2, 3)
    return distance - depth


def owned(skeleton: Skeleton, others: list[Skeleton], shape: tuple[int, ...]) -> BoolArray:
    """Pixels nearer to this skeleton's limbs than to any other's, bool (H, W)."""
    keep = np.ones(shape, bool)
    if not others:
        return keep
    mine = closeness(skeleton, shape)
    for other in others:
        keep &= mine <= closeness(other, shape)
    return keep


def connected(mask: BoolArray, skeleton: Skeleton) -> BoolArray:
    """The parts of a mask that the skeleton's thin capsules touch; all if they touch none.

    mask: bool (H, W).
    """
    inner = bones(skeleton, mask.shape)
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    touched = np.zeros(count, bool)
    touched[np.unique(labels[inner & mask])] = True
    touched[0] = False
    return touched[labels] if touched.any() else mask


def without_specks(mask: BoolArray, largest: float) -> BoolArray:
    """Fills holes of at most `largest` pixels; larger ones are gaps between limbs.

    mask: bool (H, W).
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), None, 4)
    small = stats[:, cv2.CC_STAT_AREA] <= largest
    small[0] = False
    return mask | small[labels] if count > 1 else mask


def bones(skeleton: Skeleton, shape: tuple[int, ...]) -> BoolArray:
    """Bool (H, W), true about the bones of seen limbs, well inside the body."""
    return capsules(skeleton, shape, THIN) > 0


def fingers(skeleton: Skeleton, shape: tuple[int, ...]) -> BoolArray:
    """Bool (H, W), true on the fingers of well seen hands, which segmentations often lose."""
    canvas = np.zeros(shape, np.uint8)
    width = max(1, round(FINGER * body_height(skeleton)))
    for hand in (skeleton.left_hand, skeleton.right_hand):
        for first in range(1, 21, 4):
            chain = hand[[0, *range(first, first + 4)]]
            if (chain[:, 2] >= 2 * SEEN).all():
                line = np.round(chain[:, :2] - 0.5).astype(np.int32)
                cv2.polylines(canvas, [line], False, 255, width)
    return canvas > 0


def _pixel(point: FloatArray) -> tuple[int, int]:
    x, y = np.clip(np.round(point - 0.5), -30000, 30000).astype(int)
    return int(x), int(y)
