"""Is it the same body? Lengths, widths and colours of the parts of two people in one pose.

The paper's claim that the target's body is kept, not the driver's (Fig. 6), as numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.evaluate.bodies import iou
from dancecli.evaluate.eyes import Seen
from dancecli.types import JOINT, BoolArray, Skeleton, UInt8Array

LIMBS = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"),
                         ("knee", "ankle"))
)  # fmt: skip
"""Limbs whose lengths and widths are compared."""

TRUNK = (("neck", "mid_hip"), ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
"""Lengths only."""

WIDEST = 0.15
"""Widths above this share of the body's height are of more than the limb, and left out."""

APART = 100.0
"""Distance of black and white in CIE Lab: what colours count that are not there."""


def limb_lengths(real: Skeleton, fake: Skeleton | None) -> float:
    """Mean difference of lengths in heights of the real person; a missing limb counts whole.

    NaN where the real frame shows no limb.
    """
    tall, errors = _height(real), []
    for one, other in (*LIMBS, *TRUNK):
        truth = _length(real, one, other)
        if truth is None:
            continue
        found = None if fake is None else _length(fake, one, other)
        errors.append(truth if found is None else abs(found - truth))
    return float(np.mean(errors)) / tall if errors and tall > 0 else math.nan


def limb_widths(
    real: Skeleton, real_mask: BoolArray, fake: Skeleton | None, fake_mask: BoolArray
) -> float:
    """Mean difference of the silhouette's widths across the limbs' middles, in heights.

    Masks: (H, W). A limb that the fake lacks counts whole. NaN where no limb stands free in the
    real frame.
    """
    tall, errors = _height(real), []
    for one, other in LIMBS:
        truth = _width(real, real_mask, one, other, tall)
        if truth is None:
            continue
        found = None if fake is None else _width(fake, fake_mask, one, other, tall)
        errors.append(truth if found is None else abs(found - truth))
    return float(np.mean(errors)) / tall if errors and tall > 0 else math.nan


def _height(skeleton: Skeleton) -> float:
    box = skeleton.box()
    return box.height if box else 0.0


def _length(skeleton: Skeleton, one: str, other: str) -> float | None:
    if not skeleton.seen(one, other):
        return None
    return float(np.linalg.norm(skeleton.joint(one) - skeleton.joint(other)))


def _width(skeleton: Skeleton, mask: BoolArray, one: str, other: str, tall: float) -> float | None:
    """Pixels of the mask across the limb's middle; None where that is not the limb alone."""
    long = _length(skeleton, one, other)
    if not long or tall <= 0:
        return None
    a, b = skeleton.body[JOINT[one], :2], skeleton.body[JOINT[other], :2]
    across = np.array([a[1] - b[1], b[0] - a[0]]) / long
    steps = np.arange(-WIDEST * tall, WIDEST * tall + 0.5, 0.5)
    places = (a + b) / 2 + steps[:, None] * across
    inside = _sampled(mask, places)
    middle = len(steps) // 2
    if not inside[middle]:
        return None
    left = middle - np.argmin(inside[middle::-1]) if not inside[: middle + 1].all() else -1
    right = middle + np.argmin(inside[middle:]) if not inside[middle:].all() else -1
    wide = float(right - left) / 2
    return wide if left >= 0 and right >= 0 and wide <= WIDEST * tall else None


def _sampled(mask: BoolArray, places: NDArray[Any]) -> BoolArray:
    columns, rows = np.floor(places).astype(int).T
    height, width = mask.shape
    known = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    out = np.zeros(len(places), bool)
    out[known] = mask[rows[known], columns[known]]
    return out


def colours(
    real: UInt8Array, real_labels: UInt8Array, fake: UInt8Array, fake_labels: UInt8Array
) -> float:
    """Distance of the labels' mean colours in CIE Lab (1976), weighted by the real areas.

    Of labels that both show; APART where the fake shows none of the real ones. NaN where the real
    frame shows none.
    """
    from skimage.color import rgb2lab

    total = weight = 0.0
    for label in np.unique(real_labels[real_labels > 0]):
        one, two = real_labels == label, fake_labels == label
        if not two.any():
            continue
        means = [
            rgb2lab(picture[area].mean(0)[None, None] / 255)[0, 0]
            for picture, area in ((real, one), (fake, two))
        ]
        area = float(one.sum())
        total, weight = total + area * float(np.linalg.norm(means[0] - means[1])), weight + area
    if weight:
        return total / weight
    return APART if real_labels.any() else math.nan


def body_kept(real: Seen, fake: Seen) -> dict[str, float]:
    """All of these, in the whole frame.

    Lengths and widths in heights, colours in CIE Lab, silhouette as IoU. `real` shows somebody.
    """
    assert real.skeleton is not None
    return {
        "silhouette": iou(real.mask, fake.mask),
        "limb_lengths": limb_lengths(real.skeleton, fake.skeleton),
        "limb_widths": limb_widths(real.skeleton, real.mask, fake.skeleton, fake.mask),
        "colours": colours(real.frame.rgb, real.labels, fake.frame.rgb, fake.labels),
    }
