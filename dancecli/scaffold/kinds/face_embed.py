"""A face as its own small picture: light and dark, without colour.

Replace `embed` by your own network. Faces come aligned; see `dancecli.types`.
"""

from __future__ import annotations

import cv2
import numpy as np

from dancecli.stages import Settings
from dancecli.types import FloatArray, UInt8Array

SIDE = 16


class MyEmbedder:
    """`FaceEmbedder`: unit vectors, nearer for pictures that are alike."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT; OpenCV: Apache-2.0"
    COMMERCIAL = True

    size = SIDE * SIDE
    """Length of the embedding."""

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""

    def embed(self, face: UInt8Array) -> FloatArray:
        """Float32 (size,) of an aligned face, uint8 (256, 256, 3) RGB; zeros for an even one."""
        grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        values = small.ravel() - small.mean()
        unit: FloatArray = values / max(float(np.linalg.norm(values)), 1e-6)
        return unit
