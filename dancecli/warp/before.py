"""Hands before the head: skin before skin, which parsers take for face, and what they hide."""

from __future__ import annotations

import numpy as np

from dancecli.drawing import hand_labels
from dancecli.labels import Label
from dancecli.types import BoolArray, Skeleton, UInt8Array
from dancecli.warp.anatomy import ARM, HEAD, SIDES, Figure
from dancecli.warp.layers import HANDS, HEAD_PART, LEFT_ARM, ON_HEAD, RIGHT_ARM
from dancecli.warp.pixels import pixel_centres

FLESH = 0.005
"""Heights of the body by which a hand is wider than its bones as they are drawn."""

BEHIND = 0.05
"""Heights of the body by which a wrist is farther than the head's centre if it is behind it."""

ROUND, LARGEST = 0.065, 0.085
"""Radii about its centre of the least and the most of a head that a hand hides, heights of the
body: between locks of long hair an arm hides nothing."""


def with_hands(labels: UInt8Array, skeleton: Skeleton, figure: Figure) -> UInt8Array:
    """Labels (H, W) with the hands of the skeleton where they lie before head or neck.

    A hand that is surely behind the head is left as it is.
    """
    import cv2

    drawn = hand_labels(np.zeros_like(labels), skeleton)
    side = 2 * max(1, round(FLESH * figure.size)) + 1
    drawn = cv2.dilate(drawn, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    least = figure.depth[HEAD] - BEHIND * figure.size
    nearer = [figure.depth[ARM[s][2]] > least for s in SIDES]
    hands = [hand for hand, near in zip(HANDS, nearer, strict=True) if near]
    before = np.isin(drawn, hands) & np.isin(labels, (*ON_HEAD, Label.TORSO_SKIN))
    return np.where(before, drawn, labels)


def hidden_head(owner: UInt8Array, figure: Figure) -> BoolArray:
    """Where an arm lies before the head (H, W): within the outline of what shows of it."""
    import cv2

    arms = np.isin(owner, (LEFT_ARM, RIGHT_ARM))
    most = _disc(owner.shape, figure, LARGEST)
    head = most & (owner == HEAD_PART) | _disc(owner.shape, figure, ROUND)
    outline = np.zeros(owner.shape, np.uint8)
    if head.any():
        hull = cv2.convexHull(cv2.findNonZero(head.astype(np.uint8)))
        cv2.fillConvexPoly(outline, hull, 1)
    return arms & (outline > 0)


def _disc(shape: tuple[int, ...], figure: Figure, radius: float) -> BoolArray:
    """(H, W): what lies within a radius, heights of the body, of the head's centre."""
    away = pixel_centres(*shape) - figure.points[HEAD]
    return np.asarray(np.hypot(away[..., 0], away[..., 1]) < radius * figure.size)
