"""What a person's skin, hair and make-up are like: numbers that a recipe draws."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]
"""sRGB, 0-255."""


@dataclass(frozen=True)
class Complexion:
    """Skin, painted hair and make-up. Numbers are in [0, 1].

    melanin: fairest to darkest human skin. blood: pale to ruddy. tan: how much darker what the
    sun sees is. freckles: none to many. age: lines in the face. hair: colour of scalp and beard.
    scalp: how densely hair is painted on the scalp, 0 for a bald head. beard: 0 none, 0.3 stubble,
    1 full; beard_style: "full", "goatee" or "moustache". lips, lids, nails: make-up or None.
    seed: of all that is noise.
    """

    melanin: float = 0.3
    blood: float = 0.5
    tan: float = 0.2
    freckles: float = 0.0
    age: float = 0.2
    hair: Colour = (60, 40, 30)
    scalp: float = 0.9
    beard: float = 0.0
    beard_style: str = "full"
    lips: Colour | None = None
    lids: Colour | None = None
    nails: Colour | None = None
    seed: int = 0
