"""Bare shoulders, which tell what a bare chest looks like behind the arms that hide it."""

from __future__ import annotations

import numpy as np

from dancecli.labels import Label
from dancecli.types import BoolArray
from dancecli.warp.anatomy import ARM, SIDES
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import pixel_centres

HUE = 8.0
"""Distance of median colours, a and b of 8-bit Lab, below which trunk and arms are of one skin."""

BARE = 0.2
"""Share of a trunk that labels see as skin from which on it may be bare."""

SHOULDER = 0.09
"""Heights of the body about a shoulder in which an arm's skin tells of the chest's."""


def shoulders(picture: Picture, trunk: BoolArray, arms: BoolArray) -> BoolArray:
    """Arms' skin about the shoulders (H, W) if what is seen of the trunk is skin as well, else
    nothing: a chest goes up to them, into the light, out of the shade that arms before it throw.

    trunk: (H, W), what is seen of it above the hips. arms: (H, W), well inside them.
    """
    import cv2

    skin = arms & _near_shoulders(picture)
    bare = (picture.labels[trunk] == Label.TORSO_SKIN).sum() > BARE * trunk.sum()
    if not (bare and skin.any()):
        return np.zeros_like(trunk)
    hues = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32)
    apart = np.linalg.norm(np.median(hues[trunk], 0) - np.median(hues[skin], 0))
    return np.asarray(skin & (apart < HUE))


def _near_shoulders(picture: Picture) -> BoolArray:
    pixels = pixel_centres(*picture.alpha.shape)
    ends = (picture.figure.points[ARM[side][0]] for side in SIDES)
    away = (np.hypot(*np.moveaxis(pixels - end, -1, 0)) for end in ends)
    return np.asarray(np.minimum(*away) < SHOULDER * picture.figure.size)
