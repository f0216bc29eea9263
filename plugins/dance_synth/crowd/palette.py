"""Colours as people really have and wear them: hair, eyes, cloth. Shares are set by eye."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from dance_synth.looks.complexion import Colour

NEUTRAL: Mapping[Colour, float] = {
    (28, 28, 30): 20, (232, 230, 226): 16, (66, 68, 72): 9, (128, 130, 134): 9, (186, 187, 188): 6,
    (34, 44, 72): 14, (58, 84, 122): 8, (96, 126, 160): 5, (198, 182, 154): 6, (118, 98, 78): 4,
    (222, 210, 188): 4,
}  # fmt: skip
"""Black, white, greys, navy, blues, beiges."""

MUTED: Mapping[Colour, float] = {
    (110, 36, 44): 5, (70, 84, 62): 6, (92, 98, 64): 4, (150, 76, 50): 3, (178, 140, 70): 3,
    (60, 100, 104): 3, (156, 112, 126): 4, (196, 160, 166): 4, (112, 96, 130): 3,
    (142, 168, 186): 5, (168, 182, 150): 3, (84, 52, 70): 3, (134, 152, 132): 3, (208, 184, 196): 3,
}  # fmt: skip

VIVID: Mapping[Colour, float] = {
    (190, 34, 42): 6, (28, 84, 176): 6, (24, 130, 84): 3, (232, 186, 50): 3, (226, 112, 40): 3,
    (206, 60, 124): 4, (120, 62, 160): 3, (40, 160, 180): 3, (150, 200, 60): 1, (240, 120, 150): 3,
}  # fmt: skip

DENIM: Mapping[Colour, float] = {
    (44, 60, 92): 6, (62, 84, 122): 6, (96, 122, 156): 4, (140, 162, 186): 2, (38, 40, 48): 4,
    (110, 112, 118): 2, (208, 208, 204): 1,
}  # fmt: skip

CAMOUFLAGES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((104, 108, 76), (74, 82, 56), (92, 72, 52)), ((170, 152, 118), (132, 112, 82), (100, 96, 74)),
    ((128, 132, 136), (92, 96, 102), (56, 60, 66)), ((62, 74, 96), (92, 104, 124), (40, 46, 58)),
)  # fmt: skip

SHOE: Mapping[Colour, float] = {
    (30, 29, 30): 9, (226, 224, 220): 7, (84, 54, 36): 5, (124, 84, 52): 3, (110, 110, 114): 3,
    (40, 54, 90): 3, (170, 40, 44): 1.5, (196, 176, 146): 2, (70, 74, 60): 1,
}  # fmt: skip

SUIT: Mapping[Colour, float] = {
    (34, 36, 40): 6, (38, 46, 70): 6, (78, 80, 86): 4, (118, 118, 120): 2, (110, 88, 66): 2,
    (164, 146, 118): 1.5, (84, 38, 46): 0.7,
}  # fmt: skip

LIPSTICK: Mapping[Colour, float] = {
    (176, 72, 78): 5, (160, 34, 48): 3, (196, 110, 110): 5, (124, 40, 58): 2, (206, 90, 120): 2,
    (150, 90, 78): 3,
}  # fmt: skip

EYESHADOW: Mapping[Colour, float] = {
    (110, 80, 66): 4, (92, 82, 92): 3, (150, 100, 100): 2, (84, 96, 120): 1, (60, 50, 50): 3,
}  # fmt: skip

NAILS: Mapping[Colour, float] = {
    (168, 30, 46): 4, (222, 160, 160): 4, (110, 24, 44): 2, (236, 232, 228): 2, (30, 30, 36): 1,
    (90, 120, 170): 1, (200, 90, 140): 2,
}  # fmt: skip

DARK_HAIR: Mapping[Colour, float] = {(24, 20, 19): 5, (36, 27, 23): 4, (52, 37, 29): 2}
LIGHT_HAIR: Mapping[Colour, float] = {
    (28, 23, 21): 2, (48, 34, 26): 4, (74, 52, 37): 5, (104, 76, 52): 4, (142, 108, 70): 3,
    (186, 152, 106): 3, (212, 186, 142): 1.5, (138, 72, 40): 1.5,
}  # fmt: skip
DYED_HAIR: Mapping[Colour, float] = {
    (130, 36, 40): 3, (70, 60, 130): 1, (190, 110, 150): 1, (40, 110, 120): 1, (226, 214, 190): 3,
    (150, 60, 30): 3,
}  # fmt: skip

DARK_EYES: Mapping[str, float] = {"brown": 9, "brownlight": 1}
LIGHT_EYES: Mapping[str, float] = {
    "brown": 3, "brownlight": 3, "blue": 2, "lightblue": 1, "grey": 1.5, "green": 1,
    "bluegreen": 0.7, "ice": 0.4, "deepblue": 0.4,
}  # fmt: skip

Choice = TypeVar("Choice")


def pick(rng: np.random.Generator, shares: Mapping[Choice, float]) -> Choice:
    """One of the keys, as likely as its share."""
    names = list(shares)
    weights = np.array(list(shares.values()), float)
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


def pick_colour(rng: np.random.Generator, shares: Mapping[Colour, float]) -> Colour:
    """One of the colours, a little changed in hue, saturation and brightness."""
    red, green, blue = pick(rng, shares)
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    hue = (hue + rng.normal(0, 0.012)) % 1
    saturation = float(np.clip(saturation * rng.normal(1, 0.12), 0, 1))
    value = float(np.clip(value * rng.normal(1, 0.09), 0.06, 0.93))
    return as_colour(colorsys.hsv_to_rgb(hue, saturation, value))


def as_colour(values: Sequence[float]) -> Colour:
    """Three numbers 0-1 as 0-255."""
    red, green, blue = (int(np.clip(round(v * 255), 0, 255)) for v in values)
    return red, green, blue


def worn_colour(rng: np.random.Generator) -> Colour:
    """A colour of clothes: two in three neutral, one in ten vivid."""
    return pick_colour(rng, (NEUTRAL, MUTED, VIVID)[int(rng.choice(3, p=[0.64, 0.26, 0.10]))])


def companions(rng: np.random.Generator, ground: Colour) -> tuple[Colour, Colour, Colour]:
    """A ground and two colours that go with it: lighter or darker, or across the wheel."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(v / 255 for v in ground))
    found = [ground]
    for _ in range(2):
        kind = rng.random()
        if kind < 0.45:
            colour = pick_colour(rng, NEUTRAL)
        elif kind < 0.75:
            turn = (hue + rng.choice([0.0, 0.08, -0.08, 0.5]) + rng.normal(0, 0.02)) % 1
            level = rng.uniform(0.25, 0.9)
            dull = float(np.clip(saturation * rng.uniform(0.4, 1.0), 0, 0.75))
            colour = as_colour(colorsys.hsv_to_rgb(turn, dull, level))
        else:
            colour = worn_colour(rng)
        found.append(_apart(colour, ground))
    return found[0], found[1], found[2]


def _apart(colour: Colour, ground: Colour) -> Colour:
    """The colour, made lighter or darker if it would not be seen on the ground."""
    gap = sum(colour) / 3 - sum(ground) / 3
    if abs(gap) > 30:
        return colour
    shift = 60 if sum(ground) / 3 < 128 else -60
    red, green, blue = (int(np.clip(v + shift - gap / 2, 0, 255)) for v in colour)
    return red, green, blue
