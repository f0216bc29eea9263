"""Hair, brows, lashes, eyes and teeth: the pack's pictures in a person's own colours."""

from __future__ import annotations

import cv2
import numpy as np

from dance_synth.assets import Assets
from dance_synth.looks.complexion import Colour
from dance_synth.looks.images import brightness, packed, picture
from dance_synth.noise import clouds
from dance_synth.parts import Material
from dancecli.types import FloatArray, UInt8Array

EYE_SIZE = 256

SCLERA = np.array([0.86, 0.81, 0.77], np.float32)
"""By which eyeballs are dimmed: as painted they shine out of the lids' shade."""


def hair(assets: Assets, style: str, colour: Colour, grey: float, seed: int) -> Material:
    """A style's strands. grey: share of white strands, 0-1."""
    rng = np.random.default_rng(seed)
    name = assets.garments[style]["diffuse"]
    if name is None:
        strands, alpha = _made_strands(rng, style)
    else:
        painted = picture(assets, name.removeprefix("textures/"))
        strands, alpha = _even(painted), painted[..., 3]
    tint = np.array(colour, np.float32) / 255
    rgb = tint * (0.3 + 0.7 * strands[..., None]) ** np.array([0.9, 1.0, 1.1], np.float32)
    if grey:
        streaks = clouds(rng, strands.shape[0], (4, 48), 3)
        streaks = cv2.resize(streaks, strands.shape[1::-1])
        white = np.clip(grey + 0.25 * streaks * min(1.0, 4 * grey * (1 - grey)), 0, 1)[..., None]
        rgb += (strands[..., None] * np.array([0.72, 0.71, 0.7], np.float32) - rgb) * white
    return Material(packed(rgb, alpha), "hair", cutout=True)


def _even(painted: UInt8Array) -> FloatArray:
    """Strands' light and dark about 1, whatever colour they were painted in."""
    light, opaque = brightness(painted), painted[..., 3] > 128
    middle = float(np.median(light[opaque])) if opaque.any() else 0.5
    spread = np.clip(light / max(middle, 0.05), 0, 2.2)
    return np.asarray(1 + (spread - 1) * (0.75 if middle > 0.15 else 0.35), np.float32)


def _made_strands(rng: np.random.Generator, style: str) -> tuple[FloatArray, UInt8Array]:
    """Strands for styles that lost their picture: curls with gaps for the afro, else straight."""
    curly = style.startswith("afro")
    strands = np.clip(1 + 0.22 * clouds(rng, 512, (48, 48) if curly else (3, 96), 3), 0.3, 1.9)
    gaps = clouds(rng, 512, 96, 2) < -1.6 if curly else np.zeros((512, 512), bool)
    return strands, np.where(gaps, 0, 255).astype(np.uint8)


def brows(assets: Assets, name: str, colour: Colour) -> Material:
    """Brows are a little darker than the hair, and not as hard as painted."""
    painted = picture(assets, f"{name}.png")
    tint = np.array(colour, np.float32) / 255 * 0.75
    rgb = np.broadcast_to(tint, (*painted.shape[:2], 3))
    return Material(packed(rgb, painted[..., 3] * np.float32(0.8)), "hair", cutout=True)


def lashes(assets: Assets, name: str, made_up: bool) -> Material:
    """Lashes, thin unless made up."""
    painted = picture(assets, f"{name}.png")
    rgb = np.broadcast_to(np.array([0.09, 0.07, 0.06], np.float32), (*painted.shape[:2], 3))
    alpha = painted[..., 3] * np.float32(0.9 if made_up else 0.5)
    return Material(packed(rgb, alpha), "hair", cutout=True)


def eyes(assets: Assets, name: str) -> Material:
    """Eyeballs: the irises of the pack are lurid, the whites too bright."""
    painted = picture(assets, f"{name}_eye.png", EYE_SIZE)
    rgb = painted[..., :3].astype(np.float32) / 255
    grey = brightness(painted)[..., None]
    iris = np.clip((np.ptp(rgb, axis=2, keepdims=True) + (0.55 - grey)) * 3, 0, 1)
    dull = grey + (rgb - grey) * 0.48
    return Material(packed(dull * (SCLERA + (0.9 - SCLERA) * iris)), "eye")


def teeth(assets: Assets) -> Material:
    """Teeth, tongue and gums."""
    painted = picture(assets, "teeth.png")
    rgb = painted[..., :3].astype(np.float32) / 255 * np.array([1.3, 1.24, 1.12], np.float32)
    return Material(packed(rgb), "skin")
