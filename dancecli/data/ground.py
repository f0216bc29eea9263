"""The ground of a crop without people: "the dilated union of all" inpainted (section 3.2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dancecli.data.cropping import Window, crop_alpha, crop_picture
from dancecli.plate.holes import person_hole
from dancecli.stages import Inpainter
from dancecli.types import BoolArray, Frame, UInt8Array

COARSER = 2
"""Inpainting is done at so many crop pixels in one: 3.6 times faster than at one (0.7 s for a crop
of 512x320 on one core), and no worse to look at, since what is invented has little detail."""


def inpainted(
    rgb: UInt8Array, people: BoolArray, window: Window, inpainter: Inpainter
) -> UInt8Array:
    """The window of a picture (H, W, 3) with people (H, W) painted out, at the crop's size.

    With some of the surroundings, since a crop is mostly person. A picture mirrored beyond its
    edges shows people there too, and they are painted out like the others.
    """
    import cv2

    wide, border = window.wider()
    full, alpha = crop_picture(rgb, wide), crop_alpha(people, wide, mirrored=True)
    coarse = replace(wide, size=(wide.size[0] // COARSER, wide.size[1] // COARSER))
    hole = person_hole(crop_alpha(people, coarse, mirrored=True))
    filled = inpainter.inpaint(Frame(crop_picture(rgb, coarse)), hole).rgb
    size = (wide.size[1], wide.size[0])
    behind = cv2.resize(filled, size, interpolation=cv2.INTER_CUBIC)
    ground = np.where(person_hole(alpha)[..., None] > 0, behind, full)
    return np.ascontiguousarray(ground[border:-border, border:-border])
