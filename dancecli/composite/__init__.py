"""Equation 7 and everything about where the person lands in the output frame."""

from dancecli.composite.blend import compose, compose_rgba, foreground
from dancecli.composite.canvas import LiveCanvas, canvas_for
from dancecli.composite.placing import (
    Placement,
    cover,
    ground_point,
    place_at,
    place_centred,
    place_cut_off,
    place_within,
    reach,
    shown,
    standing_height,
)
from dancecli.composite.shadow import SHADOW, contact_shadow
from dancecli.composite.size import LONGEST, even_size, output_size

__all__ = [
    "LONGEST",
    "SHADOW",
    "LiveCanvas",
    "Placement",
    "canvas_for",
    "compose",
    "compose_rgba",
    "contact_shadow",
    "cover",
    "even_size",
    "foreground",
    "ground_point",
    "output_size",
    "place_at",
    "place_centred",
    "place_cut_off",
    "place_within",
    "reach",
    "shown",
    "standing_height",
]
