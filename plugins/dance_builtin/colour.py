"""Colour models of skin, hair and clothes: smoothed histograms in CIE Lab."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from dancecli.types import BoolArray, FloatArray, UInt8Array

BINS = (24, 32, 32)
"""Bins of L, a and b."""

RANGE = ((0, 256), (64, 192), (64, 192))
"""Lab as OpenCV's 8 bits have it; a and b beyond this range are clipped."""

FLOOR = 0.08
"""Share of a model given to colours never seen in it, spread evenly."""

PALETTE = np.array(
    [
        (250, 220, 195), (235, 190, 160), (215, 160, 125), (190, 130, 95),
        (160, 105, 75), (125, 82, 60), (92, 60, 45), (62, 42, 34),
    ],
    np.uint8,
)  # fmt: skip
"""Skin from light to dark in even light, RGB: what is assumed where no face can be sampled."""

GREY = 8.0
"""Distance from the grey axis in Lab's a and b up to which a colour is taken for cloth."""

SHADES = (0.65, 0.78, 0.9, 1.0, 1.1, 1.2)
"""One material under more or less light: gains on RGB."""


def lab(rgb: UInt8Array) -> UInt8Array:
    """RGB (H, W, 3) as OpenCV's 8-bit Lab."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8)


@dataclass(frozen=True, eq=False)
class ColourModel:
    """log_density: float32 BINS, log of the probability per bin over the even distribution's."""

    log_density: FloatArray

    def __call__(self, colours: UInt8Array) -> FloatArray:
        """Log-likelihood ratio to "any colour" of Lab colours (N, 3), float32 (N,)."""
        ratios: FloatArray = self.log_density[tuple(_bins(colours).T)]
        return ratios

    def mixed(self, other: ColourModel, share: float) -> ColourModel:
        """A model that gives `share` of its probability to another."""
        density = (1 - share) * np.exp(self.log_density) + share * np.exp(other.log_density)
        return ColourModel(np.log(density).astype(np.float32))

    def overlap(self, other: ColourModel) -> float:
        """Bhattacharyya coefficient, 0 disjoint to 1 equal."""
        both = np.exp((self.log_density + other.log_density) / 2)
        return float(both.mean())


def learn(colours: UInt8Array, floor: float = FLOOR) -> ColourModel:
    """A model of Lab colours (N, 3), N >= 1, as `lab` gives them; floor: as FLOOR."""
    flat = np.ravel_multi_index(tuple(_bins(colours).T), BINS)
    counts = np.bincount(flat, minlength=int(np.prod(BINS))).reshape(BINS).astype(np.float32)
    density = gaussian_filter(counts, 0.9, mode="nearest", truncate=3.0)
    density *= np.prod(BINS) / density.sum()
    return ColourModel(np.log((1 - floor) * density + floor).astype(np.float32))


def learn_skin(rgb: UInt8Array, floor: float = 0.02) -> ColourModel:
    """A model of skin under other light than the sample's, RGB (N, 3)."""
    shaded = [np.clip(rgb * gain, 0, 255).astype(np.uint8) for gain in SHADES]
    return learn(lab(np.concatenate(shaded)[None])[0], floor)


def generic_skin() -> ColourModel:
    """Any person's skin; never grey or black, which shaded dark skin comes close to."""
    steps = np.linspace(0, len(PALETTE) - 1, 64)
    tones = [np.interp(steps, np.arange(len(PALETTE)), PALETTE[:, c]) for c in range(3)]
    model = learn_skin(np.stack(tones, 1).astype(np.uint8), 0.05)
    a, b = (np.linspace(*RANGE[c], 2 * BINS[c] + 1)[1::2] - 128 for c in (1, 2))
    grey = np.hypot(a[:, None], b) < GREY
    return ColourModel(np.where(grey, model.log_density.min(), model.log_density))


def central(colours: UInt8Array, spread: float = 3.0) -> BoolArray:
    """Which of the colours (N, 3) lie within `spread` median deviations of the median."""
    values = colours.astype(np.float32)
    offset = np.abs(values - np.median(values, axis=0))
    scale = np.maximum(np.median(offset, axis=0), 2.0) * 1.4826
    keep: BoolArray = (offset < spread * scale).all(1)
    return keep


def _bins(colours: UInt8Array) -> NDArray[np.int32]:
    low = np.array([r[0] for r in RANGE], np.float32)
    step = np.array([(r[1] - r[0]) / n for r, n in zip(RANGE, BINS, strict=True)], np.float32)
    bins = ((colours - low) / step).astype(np.int32)
    return np.clip(bins, 0, np.array(BINS, np.int32) - 1)
