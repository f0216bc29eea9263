"""FAN as face aligner."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dancecli import libraries, weights
from dancecli.device import resolve
from dancecli.stages import Settings
from dancecli.types import Box, FloatArray, Frame, UInt8Array

if TYPE_CHECKING:
    from dance_fan.networks import Networks

INSTALL = "pip install numba scikit-image && pip install --no-deps 'face-alignment>=1.5'"
"""Its own requirements would bring a second OpenCV, which overwrites the one that is here."""

REACH = 3.0
"""Side of what is searched about a hint, over the hint's extent."""

SMALLEST = 8
"""Pixels of the shorter side of what is looked at."""

PUPILS = np.zeros((2, 3), np.float32)
"""The last two of our 70 face points, which FAN does not know."""


class FANAligner:
    """Face points of `dance.face_align` by the Face Alignment Network; pupils are not seen."""

    INTERFACE_VERSION = 1
    LICENCE = "face-alignment, code: BSD-3-Clause; terms of weights and training pictures unclear"
    COMMERCIAL = None

    def __init__(self, settings: Settings) -> None:
        """Loads its networks on first use.

        Raises PluginError without face-alignment, UsageError for a device that is not here,
        WeightsError without the weights.
        """
        libraries.require("fan", INSTALL, "face_alignment", "numba", "skimage")
        self.device = resolve(settings.device)
        self.fan, self.s3fd = weights.locate("fan_2d"), weights.locate("s3fd")

    @cached_property
    def networks(self) -> Networks:
        """Detector and landmark network."""
        library = libraries.load("fan", INSTALL, "face_alignment")
        from dance_fan.networks import Networks

        return Networks(library, self.fan, self.s3fd, self.device)

    def landmarks(self, frame: Frame, hint: FloatArray | None = None) -> FloatArray | None:
        """Float32 (70, 3) points of the face nearest `hint`, or of the largest; None if none.

        Raises PluginError where face-alignment does not load, WeightsError for weights of
        something else.
        """
        seen = None if hint is None else hint[hint[:, 2] > 0, :2]
        face = self._face(frame, None if seen is None or len(seen) < 3 else seen)
        if face is None:
            return None
        return np.concatenate([self.networks.points(frame.rgb, face), PUPILS])

    def _face(self, frame: Frame, hint: FloatArray | None) -> Box | None:
        for place in _places(frame, hint):
            faces = self._inside(frame.rgb, place)
            if faces:
                return _nearest(faces, hint)
        return None

    def _inside(self, rgb: UInt8Array, place: Box) -> list[Box]:
        left, top, right, bottom = place.pixels(rgb.shape[1], rgb.shape[0])
        if min(right - left, bottom - top) < SMALLEST:
            return []
        found = self.networks.faces(np.ascontiguousarray(rgb[top:bottom, left:right]))
        boxes = [Box(f.left + left, f.top + top, f.right + left, f.bottom + top) for f in found]
        return [box for box in boxes if min(box.width, box.height) > 1]


def _places(frame: Frame, hint: FloatArray | None) -> Iterator[Box]:
    """Where to look: about the hint, then everywhere."""
    if hint is not None:
        (left, top), (right, bottom) = hint.min(0), hint.max(0)
        side = REACH * max(float(right - left), float(bottom - top), SMALLEST)
        x, y = float(left + right) / 2, float(top + bottom) / 2
        yield Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    yield Box(0, 0, frame.width, frame.height)


def _nearest(faces: list[Box], hint: FloatArray | None) -> Box:
    """The face nearest the hint, else the largest."""
    if hint is None:
        return max(faces, key=lambda face: face.width * face.height)
    x, y = hint.mean(0)
    return min(faces, key=lambda face: np.hypot(face.center[0] - x, face.center[1] - y))
