"""Legs below a skirt at whose hem the photo ends: bare, not in the skirt's cloth."""

from __future__ import annotations

import numpy as np

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.anatomy import LEG, MID_HIP, NECK, Figure, thighs_raised
from dancecli.warp.layers import LEFT_LEG, RIGHT_LEG, TORSO
from dancecli.warp.lighting import FLATNESS, light
from dancecli.warp.limbs import Chain
from dancecli.warp.pixels import pixel_centres, segment_distance, unit

GARMENT = 0.01
"""Least area of a skirt below the hips, squares of the body's height."""

STUB = 0.008
"""Least area of both legs that is more than the skirt's edge; a thigh has 0.025."""

_SKIRTS = (Label.SKIRT, Label.DRESS)
_LEGS = (LEFT_LEG, RIGHT_LEG)


def hemmed(owner: UInt8Array, labels: UInt8Array, figure: Figure) -> UInt8Array:
    """Owners (H, W) in which all of the legs that a skirt shows belongs to the trunk, if that is
    hardly anything: the photo ends there."""
    legs = np.isin(owner, _LEGS)
    feet = figure.known[[limb[2] for limb in LEG.values()]]
    if feet.any() or any(thighs_raised(figure)) or not skirted(owner, labels, figure):
        return owner
    if legs.sum() > STUB * figure.size**2:
        return owner
    return np.where(legs, np.uint8(TORSO), owner)


def skirted(owner: UInt8Array, labels: UInt8Array, figure: Figure) -> bool:
    """Whether a skirt or dress hangs from the trunk below the hips. owner, labels: (H, W)."""
    hips = figure.points[MID_HIP]
    below = (pixel_centres(*labels.shape) - hips) @ unit(hips - figure.points[NECK]) > 0
    skirt: BoolArray = below & (owner == TORSO) & np.isin(labels, _SKIRTS)
    return bool(skirt.sum() > GARMENT * figure.size**2)


def bare_leg(
    skin: UInt8Array, chain: Chain, radii: FloatArray, shape: tuple[int, ...], size: float
) -> UInt8Array:
    """Colours uint8 (H, W, 3) of a round leg in a colour of skin (3,). radii: (4,), pixels."""
    pixels = pixel_centres(*shape)
    height = np.zeros(shape, np.float32)
    for bone in range(3):
        start, end = chain.joints[bone : bone + 2]
        off, along = segment_distance(pixels, start, end), end - start
        t = np.clip((pixels - start) @ along / max(float(along @ along), 1e-6), 0, 1)
        radius = (1 - t) * radii[bone] + t * radii[bone + 1]
        height = np.maximum(height, np.sqrt(np.maximum(radius**2 - off**2, 0)))
    lit = skin * light(FLATNESS * height, 0.01 * size)[..., None]
    return np.clip(lit, 0, 255).astype(np.uint8)
