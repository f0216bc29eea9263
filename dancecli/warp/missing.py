"""What the photo does not show of a limb: how much, and what is drawn instead.

A hidden half of a limb is borrowed from the other side, mirrored. Where both sides are hidden,
sleeves and trousers are continued (`texture`), hands are drawn as relaxed hands in the colour of
the face, and feet below the photo's edge as dark shoes.
"""

from __future__ import annotations

import numpy as np

from dancecli.labels import Label
from dancecli.types import UInt8Array
from dancecli.warp.anatomy import ARM, LEG
from dancecli.warp.layers import HEAD_PART, LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG
from dancecli.warp.limbs import Chain
from dancecli.warp.picture import Picture

LIMBS = {
    LEFT_ARM: ARM["left"], RIGHT_ARM: ARM["right"], LEFT_LEG: LEG["left"], RIGHT_LEG: LEG["right"],
}  # fmt: skip
OTHER = {LEFT_ARM: RIGHT_ARM, RIGHT_ARM: LEFT_ARM, LEFT_LEG: RIGHT_LEG, RIGHT_LEG: LEFT_LEG}

HAND, HINT_OF_HAND = 0.0013, 0.0004
"""Least area labelled as a hand that is one, and that is one if there is other evidence; squares
of the body's height. A whole hand has about 0.003."""

SLIVER = 0.3
"""Least of a foot beside the other one, by their pixels, that is one and no rim behind that."""

_HANDS = (Label.LEFT_HAND, Label.RIGHT_HAND, Label.GLOVE)
_SKIN = (Label.FACE, Label.TORSO_SKIN, Label.LEFT_ARM, Label.RIGHT_ARM)


def chain_of(picture: Picture, part: int) -> Chain:
    """The limb's joints in the picture."""
    return Chain(picture.figure.points[list(LIMBS[part])])


def shown(picture: Picture, part: int) -> tuple[float, float]:
    """How much of a limb's upper and lower half the photo shows, each in [0, 1].

    The lower half counts as not shown when its hand or foot is not. A limb folded back on itself
    shows only one side of each half, which is worth less.
    """
    chain = chain_of(picture, part)
    upper = _on_own(picture, part, chain, 0, 0.3, 1.0)
    lower = _on_own(picture, part, chain, 1, 0.1, 0.9)
    worth = 0.7 if float(chain.direction(0) @ chain.direction(1)) < -0.2 else 1.0
    return worth * upper, worth * lower if end_shown(picture, part) else 0.0


def end_shown(picture: Picture, part: int) -> bool:
    """Whether the photo shows the hand or foot."""
    chain, size = chain_of(picture, part), picture.figure.size
    if part in (LEFT_LEG, RIGHT_LEG):
        on_own = _on_own(picture, part, chain, 2, 0.0, 0.6) > 0.5
        return on_own and _beyond(picture, part) >= SLIVER * _beyond(picture, OTHER[part])
    hand = (picture.owner == part) & np.isin(picture.labels, _HANDS)
    if np.isin(picture.labels, _HANDS).any() or (picture.labels == Label.FACE).any():
        return _hand_shown(picture, part, float(hand.sum()) / size**2)
    return _on_own(picture, part, chain, 2, 0.0, 0.6) > 0.5


def _hand_shown(picture: Picture, part: int, labelled: float) -> bool:
    """Gloves and clasped hands get few hand labels: keypoints or enough beyond the wrist help."""
    if not HINT_OF_HAND < labelled < HAND:
        return labelled >= HAND
    if picture.figure.known[LIMBS[part][3]]:
        return True
    return _beyond(picture, part) > 2 * HAND * picture.figure.size**2


def _beyond(picture: Picture, part: int) -> int:
    """Pixels of a limb beyond its wrist or ankle."""
    own = np.argwhere(picture.owner == part)[:, ::-1].astype(np.float32)
    past = chain_of(picture, part).past(own, 2, 0.03 * picture.figure.size)
    return int((past > 0).sum())


def _on_own(
    picture: Picture, part: int, chain: Chain, bone: int, start: float, end: float
) -> float:
    """Share of a bone's middle line that lies on the limb's own pixels."""
    t = np.linspace(start, end, 16)[:, None]
    points = chain.joints[bone] + t * (chain.joints[bone + 1] - chain.joints[bone])
    height, width = picture.owner.shape
    x, y = points.astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    owner = picture.owner[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return float((inside & (owner == part)).mean())


def skin_colour(picture: Picture) -> UInt8Array:
    """Uint8 (3,): the median of the face, or of other skin, or of the whole head."""
    solid = picture.alpha > 0.9
    for where in (
        solid & (picture.labels == Label.FACE), solid & np.isin(picture.labels, _SKIN),
        solid & (picture.owner == HEAD_PART), solid,
    ):  # fmt: skip
        if where.sum() > 20:
            return np.asarray(np.median(picture.rgb[where], axis=0), np.uint8)
    return np.array([205, 165, 145], np.uint8)
