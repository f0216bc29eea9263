"""The colours of one person's skin."""

from __future__ import annotations

import numpy as np

from dance_builtin.body import SIDES
from dance_builtin.colour import ColourModel, central, generic_skin, lab, learn_skin
from dance_builtin.pixels import CLEAR, FEW, Pixels
from dancecli.types import BoolArray, UInt8Array

TONE = 12.0
"""Distance in Lab's a and b within which a hand's skin may be the face's; in L, which light
changes more, four times as far."""


def learn_person_skin(pixels: Pixels, sample: BoolArray) -> ColourModel:
    """From the face and what is like it on the hands; without a face, from what may be skin on
    head, arms and hands; without that, of people in general. sample: bool (N,), face skin."""
    anyone, regions = generic_skin(), pixels.regions
    face = even_skin(pixels.rgb[sample], anyone)
    hands = np.minimum(regions.hands["left"], regions.hands["right"]) < 0.5
    if len(face) >= FEW:
        offset = pixels.lab - np.median(lab(face[None])[0].astype(np.float32), axis=0)
        alike = hands & (np.hypot(offset[:, 1], offset[:, 2]) < TONE)
        alike &= np.abs(offset[:, 0]) < 4 * TONE
        # Light differs from face to limbs, so anyone's skin is a second guess.
        return learn_skin(np.concatenate([face, pixels.rgb[alike]])).mixed(anyone, 0.2)
    arms = np.minimum(*(regions.arms[s].score for s in SIDES)) < 0.5
    often_bare = hands | arms | (regions.head < 0.4)
    likely = pixels.rgb[often_bare & (anyone(pixels.lab) > CLEAR)]
    if len(likely) >= FEW:
        likely = likely[central(lab(likely[None])[0], 2.5)]
    return learn_skin(likely) if len(likely) >= FEW else anyone


def even_skin(face: UInt8Array, anyone: ColourModel) -> UInt8Array:
    """Of a face's RGB (N, 3), what is neither in shadow, stubble, glass nor highlight: a model of
    those would fit black and white cloth too."""
    if len(face) < FEW:
        return face
    colours = lab(face[None])[0]
    dark, bright = np.quantile(colours[:, 0], (0.2, 0.95))
    even = (colours[:, 0] >= dark) & (colours[:, 0] <= bright) & central(colours, 2.0)
    # In grey or coloured light no skin looks usual: better none than a model that fits cloth.
    return np.asarray(face[even & (anyone(colours) > 0)], np.uint8)
