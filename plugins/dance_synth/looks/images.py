"""Reading the pack's pictures and changing their colours."""

from __future__ import annotations

import cv2
import numpy as np

from dance_synth.assets import Assets
from dancecli.errors import WeightsError
from dancecli.types import FloatArray, UInt8Array

GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of R, G and B in brightness (ITU-R BT.601)."""


def picture(assets: Assets, name: str, size: int | None = None) -> UInt8Array:
    """A picture of the pack, uint8 (h, w, 4) RGBA, read once; square of `size` if given.

    Raises WeightsError when it cannot be decoded.
    """

    def make() -> UInt8Array:
        data = np.frombuffer(assets.content(f"textures/{name}"), np.uint8)
        found = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        if found is None or found.dtype != np.uint8:
            raise WeightsError(f"textures/{name} of the human assets is not an 8-bit picture")
        if found.ndim == 2:
            found = cv2.cvtColor(found, cv2.COLOR_GRAY2BGR)
        code = cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGBA
        rgba = cv2.cvtColor(found, code)
        if size and rgba.shape[:2] != (size, size):
            rgba = cv2.resize(rgba, (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(rgba, np.uint8)

    kept: UInt8Array = assets.once(f"picture/{name}/{size}", make)
    return kept


def brightness(rgba: UInt8Array) -> FloatArray:
    """(h, w), 0-1."""
    found: FloatArray = rgba[..., :3].astype(np.float32) @ (GREY / 255)
    return found


def packed(rgb: FloatArray, alpha: FloatArray | UInt8Array | int = 255) -> UInt8Array:
    """Colour (h, w, 3), 0-1, and alpha, 0-255, as uint8 (h, w, 4)."""
    out = np.empty((*rgb.shape[:2], 4), np.uint8)
    out[..., :3] = np.clip(rgb * 255 + 0.5, 0, 255)
    out[..., 3] = alpha
    return out


def relief(rgba: UInt8Array, width: float) -> FloatArray:
    """A picture's fine light and dark, (h, w), about 1: its brightness over that of around."""
    light = brightness(rgba)
    around = cv2.GaussianBlur(light, (0, 0), width)
    return np.asarray(np.clip((light + 0.05) / (around + 0.05), 0.5, 1.6))
