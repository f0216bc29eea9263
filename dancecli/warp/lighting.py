"""Light on skin that is drawn, from above."""

from __future__ import annotations

import numpy as np

from dancecli.types import FloatArray

FLATNESS = 0.6
"""Of the relief of what is drawn, which skin lets light into."""

LIGHT = np.array([-0.25, -0.55, 0.80], np.float32)
"""Where it comes from in the picture: x right, y down, z towards us."""


def light(height: FloatArray, soft: float) -> FloatArray:
    """Lambert's law on a surface (h, w), pixels towards us, smoothed a little; about 1 where it
    faces us."""
    import cv2

    smooth = cv2.GaussianBlur(height, (0, 0), max(soft, 0.6))
    # With a border: a hand may be a single pixel.
    down, across = (g[1:-1, 1:-1] for g in np.gradient(np.pad(smooth, 1, mode="edge")))
    facing = (LIGHT[2] - LIGHT[0] * across - LIGHT[1] * down) / np.sqrt(1 + across**2 + down**2)
    light: FloatArray = 0.5 + 0.68 * np.maximum(facing, 0)
    return light.astype(np.float32)
