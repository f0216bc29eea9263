"""Holes closed from their edges inwards by OpenCV.

Replace `filled` by your own network. Conventions: `dancecli.types`.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from dancecli.stages import Settings
from dancecli.types import Frame, UInt8Array

RADIUS = 3
"""Pixels about each point that it is made from."""


class MyInpainter:
    """`Inpainter`: Telea's method, quick and blurred."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT; OpenCV: Apache-2.0"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""

    def inpaint(self, frame: Frame, hole: UInt8Array) -> Frame:
        """The frame with the hole filled; other pixels are the frame's own, bit for bit."""
        rgb = frame.rgb.copy()
        rgb[hole > 0] = filled(frame.rgb, hole)[hole > 0]
        return replace(frame, rgb=rgb)


def filled(rgb: UInt8Array, hole: UInt8Array) -> UInt8Array:
    """The picture with the hole (H, W), 0 or 255, filled; where all is hole, with its mean."""
    if hole.all():
        return np.full_like(rgb, rgb.mean((0, 1)).round())
    done: UInt8Array = cv2.inpaint(rgb, hole, RADIUS, cv2.INPAINT_TELEA)
    return done
