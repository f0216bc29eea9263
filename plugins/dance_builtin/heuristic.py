"""Human parsing without a learned model: silhouette, skeleton and colour.

For every pixel of the person and every label a cost is added up from three things: how far the
pixel is from the bones where that label lives (`regions`), how unlike the label's colour model it
is (`colour`; skin is learnt from the face, hair from around it, clothes from where trunk and legs
surely are), and on which side of a garment's end it lies (`garments`: neckline, waist, sleeves and
hems, found by cutting the chains of bones where the colour changes). The costs are smoothed by a
guided filter that follows the photo's edges (Hosni et al., "Fast Cost-Volume Filtering for Visual
Correspondence and Beyond", PAMI 2013), and the cheapest label wins.

Limits. It does not know what things are. A garment in the colour of the wearer's skin reads as
skin, and in coloured or grey light skin may read as cloth. Hair in the colour of the coat ends at
the collar, hair in the colour of the skin is face. What is held in the hand gets the label of the
nearest limb. Coats, scarves and glasses are never named: they come out as upper clothes or face.
Gloves are hands. A hat is named only in a colour that no hair has; a dark cap is hair. A skirt
needs legs apart to be told from shorts; cloth of one colour from shoulder to thigh is a dress
unless the legs are seen to be parted. Several layers of clothing count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from dance_builtin.body import body_frame
from dance_builtin.costs import label_costs
from dance_builtin.head import find_face, find_hair
from dance_builtin.pixels import pixels_of
from dance_builtin.skin import learn_person_skin
from dance_builtin.smoothing import cheapest
from dance_builtin.wardrobe import dress_up
from dancecli.errors import NoPersonError
from dancecli.stages import Settings
from dancecli.types import BoolArray, Box, Frame, LabelMap, PersonMask, Skeleton, UInt8Array

INSIDE = 0.5
"""Alpha from which a pixel is the person's."""

WORKING_HEIGHT = 384
"""Pixels of the crop that the costs are computed on."""


class HeuristicParser:
    """HumanParser from silhouette, skeleton and colour; see the module for its limits."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "MIT"
    COMMERCIAL: ClassVar[bool | None] = True

    takes_weights = False

    def __init__(self, settings: Settings) -> None:
        """Settings are not needed: nothing is random, nothing is loaded."""

    def parse(
        self, frame: Frame, skeleton: Skeleton | None = None, mask: PersonMask | None = None
    ) -> LabelMap:
        """The 22 labels, uint8 (H, W): 0 where alpha < 0.5, above 0 everywhere else.

        Raises NoPersonError when the skeleton or the mask is missing or empty.
        """
        if skeleton is None or mask is None:
            raise NoPersonError("The heuristic parser needs a pose and a person mask.")
        inside = mask.alpha >= INSIDE
        if not inside.any():
            raise NoPersonError("The person mask is empty; use a photo that shows the person.")
        crop = _Crop.around(frame.rgb, inside, skeleton)
        labels = np.zeros(inside.shape, np.uint8)
        left, top, right, bottom = crop.window
        labels[top:bottom, left:right] = crop.parse() * inside[top:bottom, left:right]
        return LabelMap(labels)


@dataclass(frozen=True, eq=False)
class _Crop:
    """The person's window of the photo, small enough to think about.

    window: left, top, right, bottom in the photo. rgb, person, skeleton: at working size.
    """

    window: tuple[int, int, int, int]
    rgb: UInt8Array
    person: BoolArray
    skeleton: Skeleton

    @classmethod
    def around(cls, rgb: UInt8Array, inside: BoolArray, skeleton: Skeleton) -> _Crop:
        """Cuts a margin of 4 pixels about the silhouette and scales to at most WORKING_HEIGHT."""
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        box = Box(columns[0] - 4.0, rows[0] - 4.0, columns[-1] + 5.0, rows[-1] + 5.0)
        left, top, right, bottom = window = box.pixels(inside.shape[1], inside.shape[0])
        scale = min(1.0, WORKING_HEIGHT / max(bottom - top, right - left))
        size = (max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1))
        small = cv2.resize(rgb[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
        cover = cv2.resize(
            inside[top:bottom, left:right].astype(np.float32), size, interpolation=cv2.INTER_AREA
        )
        person = cover >= min(0.5, float(cover.max()))
        return cls(window, small, person, skeleton.moved(scale, -left * scale, -top * scale))

    def parse(self) -> UInt8Array:
        """Labels of every pixel of the window at the photo's resolution, all above 0."""
        body = body_frame(self.skeleton)
        pixels = pixels_of(self.rgb, self.person, body, self.skeleton)
        face = find_face(pixels.points, body, self.skeleton)
        skin = learn_person_skin(pixels, face.sample)
        head = find_hair(pixels, body, face, skin)
        worn = dress_up(pixels, body, skin, head)
        costs = label_costs(pixels, body, face, head, worn)
        left, top, right, bottom = self.window
        return cheapest(self.rgb, self.person, costs, (bottom - top, right - left))
