"""The pixels of one person as a list, which is what distances and colours are computed on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dance_builtin.body import BodyFrame
from dance_builtin.colour import ColourModel, lab
from dance_builtin.regions import Regions, measure
from dancecli.types import BoolArray, FloatArray, Skeleton, UInt8Array

FEW = 24
"""Pixels below which a colour model is not learnt."""

CLEAR = 2.0
"""Log-likelihood ratio from which a pixel surely has a model's colour."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """The N pixels of a silhouette, in raster order.

    person: bool (h, w), the silhouette. points: (N, 2) pixel centres. rgb, lab: uint8 (N, 3).
    """

    person: BoolArray
    points: FloatArray
    rgb: UInt8Array
    lab: UInt8Array
    regions: Regions

    def grid(self, values: BoolArray) -> BoolArray:
        """Values of the N pixels as a picture (h, w), False around them."""
        picture = np.zeros(self.person.shape, bool)
        picture[self.person] = values
        return picture


def pixels_of(rgb: UInt8Array, person: BoolArray, body: BodyFrame, skeleton: Skeleton) -> Pixels:
    """Lists the person's pixels and scores them against the body's parts.

    rgb: (h, w, 3). person: (h, w). body, skeleton: in the same pixels.
    """
    rows, columns = np.nonzero(person)
    points = np.stack([columns, rows], 1).astype(np.float32) + 0.5
    return Pixels(person, points, rgb[person], lab(rgb)[person], measure(points, body, skeleton))


def evidence(model: ColourModel | None, colours: UInt8Array) -> FloatArray:
    """Log-likelihood ratios (N,), clipped to what one pixel may weigh; -50 where there is no model.

    colours: (N, 3), as `lab` gives them.
    """
    if model is None:
        return np.full(len(colours), -50, np.float32)
    return np.clip(model(colours), -2.5, 6).astype(np.float32)
