"""Hands before their own upper arm, and a relaxed one for arms whose hand the photo does not show:
fingers and palm as rounded solids, lit from above, in the colour of the face."""

from __future__ import annotations

import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.layers import HANDS, LEFT_ARM, RIGHT_ARM
from dancecli.warp.lighting import FLATNESS, light
from dancecli.warp.missing import chain_of, end_shown, skin_colour
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import pixel_centres

REACH = 0.098
"""From the wrist to the tip of the middle finger, heights of the body: the unit below."""

# x from the wrist to the fingertips, y to the thumb's side, and half the thickness at both ends.
_BONES = np.array([
    ((-0.30, 0.00, 0.185), (0.05, 0.00, 0.185)),  # wrist
    ((0.08, 0.06, 0.180), (0.44, 0.10, 0.120)),  # palm
    ((0.08, -0.05, 0.180), (0.42, -0.11, 0.120)),
    ((0.42, 0.165, 0.070), (0.90, 0.210, 0.052)),  # index
    ((0.44, 0.035, 0.072), (0.98, 0.050, 0.054)),
    ((0.42, -0.090, 0.068), (0.91, -0.115, 0.052)),
    ((0.36, -0.195, 0.058), (0.75, -0.255, 0.045)),
    ((0.05, 0.15, 0.095), (0.33, 0.335, 0.072)),  # thumb
    ((0.33, 0.335, 0.072), (0.55, 0.390, 0.052)),
], np.float32)  # fmt: skip


ON_UPPER = 1e-4
"""Least of a hand before its own upper arm, squares of the body's height."""


def drawn_hand(picture: Picture, part: int) -> tuple[FloatArray, UInt8Array]:
    """Alpha float32 (H, W) and colours uint8 (H, W, 3) of a hand that continues the forearm."""
    chain, unit = chain_of(picture, part), REACH * picture.figure.size
    along = chain.direction(1)
    alpha, colours = np.zeros(picture.owner.shape, np.float32), np.zeros_like(picture.rgb)
    if not along.any():
        return alpha, colours  # a forearm that points at us has no direction
    # Palms face the thighs: both thumbs point forward, drawn towards the body.
    inward = 1.0 if part == LEFT_ARM else -1.0
    frame = np.stack([along, inward * np.array([-along[1], along[0]])])
    places = (pixel_centres(*picture.owner.shape) - chain.joints[2]) @ frame.T / unit
    near = np.abs(places).max(-1) < 1.5
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if len(rows) and len(columns):
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        depth, height = _solid(places[window].astype(np.float32))
        alpha[window] = np.clip(depth * unit / 1.5 + 0.5, 0, 1)
        lit = skin_colour(picture) * light(FLATNESS * height * unit, 0.02 * unit)[..., None]
        colours[window] = np.clip(lit, 0, 255).astype(np.uint8)
    return alpha, colours


def _solid(places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far inside the hand (h, w) places (h, w, 2) are, and how high it is there, units."""
    depth = np.full(places.shape[:2], -np.inf, np.float32)
    height = np.zeros(places.shape[:2], np.float32)
    for (*start, thick), (*end, thin) in _BONES:
        bone = np.array(end, np.float32) - start
        t = np.clip((places - np.array(start, np.float32)) @ bone / (bone @ bone), 0, 1)
        radius = thick + t * (thin - thick)
        off = np.hypot(*np.moveaxis(places - start - t[..., None] * bone, -1, 0))
        depth = np.maximum(depth, radius - off)
        height = np.maximum(height, np.sqrt(np.maximum(radius**2 - off**2, 0)))
    return depth, height


def hand_on_upper(
    picture: Picture, part: int, own: BoolArray, upper: FloatArray
) -> BoolArray | None:
    """Where the hand of a folded arm, seen or drawn, lies before its own upper half (H, W), with
    which it does not move; None where it does not. own: the limb; upper: the half's share."""
    import cv2

    if part not in (LEFT_ARM, RIGHT_ARM):
        return None
    if not end_shown(picture, part):
        hand = drawn_hand(picture, part)[0] > 0.5
    else:
        hand = own & np.isin(picture.labels, HANDS)
        _, pieces, stats, _ = cv2.connectedComponentsWithStats(hand.astype(np.uint8))
        if len(stats) > 1:
            hand = pieces == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    return hand if (hand & (upper > 0.02)).sum() > ON_UPPER * picture.figure.size**2 else None
