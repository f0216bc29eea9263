"""Metrics of two pictures or two pairs of neighbours: uint8 (H, W, 3) RGB, masks bool (H, W)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array

SMALLEST = 7
"""Pixels a side below which SSIM's window does not fit."""


def ssim(real: Any, fake: Any, span: float = 255.0) -> float:
    """Mean structural similarity over channels, 7x7 uniform window (Wang et al. 2004, skimage).

    Raises ValueError for pictures below 7 pixels a side.
    """
    from skimage.metrics import structural_similarity

    return float(structural_similarity(real, fake, channel_axis=-1, data_range=span))


def structure(real: UInt8Array, fake: UInt8Array) -> dict[str, float]:
    """SSIM in every convention that is printed under that name; raises as `ssim` does."""
    from skimage.color import rgb2lab

    similar = ssim(real, fake)
    lab = ssim(rgb2lab(real), rgb2lab(fake), 100.0)
    return {
        "ssim": similar, "one_minus_ssim": 1 - similar,
        "dssim_rgb": (1 - similar) / 2, "dssim_lab": (1 - lab) / 2,
    }  # fmt: skip


def psnr(real: UInt8Array, fake: UInt8Array) -> float:
    """Peak signal to noise in dB; 100 for equal pictures, so that means stay finite."""
    error = float(np.mean((real.astype(np.float32) - fake) ** 2))
    return 100.0 if error == 0 else min(100.0, 10 * math.log10(255**2 / error))


def masked_l1(real: UInt8Array, fake: UInt8Array, mask: BoolArray) -> float:
    """Mean absolute difference within a mask, 0 to 1; NaN for an empty mask."""
    if not mask.any():
        return math.nan
    return float(np.abs(real[mask].astype(np.int16) - fake[mask]).mean()) / 255


def _gradient(rgb: UInt8Array) -> FloatArray:
    grey = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    down, across = np.gradient(grey)
    strength: FloatArray = np.hypot(down, across)
    return strength


def sharpness(real: UInt8Array, fake: UInt8Array, mask: BoolArray) -> float:
    """Mean gradient of the fake over the real one's within a mask; NaN where the real is flat."""
    truth = float(_gradient(real)[mask].mean()) if mask.any() else 0.0
    return float(_gradient(fake)[mask].mean()) / truth if truth > 0 else math.nan


def changes(
    real: tuple[UInt8Array, UInt8Array], fake: tuple[UInt8Array, UInt8Array], mask: BoolArray
) -> dict[str, float]:
    """Flicker of two neighbouring frames within a mask; NaN for an empty mask."""
    if not mask.any():
        return {"flicker": math.nan, "change_error": math.nan}
    moved = [pair[1][mask].astype(np.int16) - pair[0][mask] for pair in (real, fake)]
    excess = np.maximum(np.abs(moved[1]) - np.abs(moved[0]), 0)
    return {
        "flicker": float(excess.mean()) / 255,
        "change_error": float(np.abs(moved[1] - moved[0]).mean()) / 255,
    }
