"""Drawing clothes, hair styles and cloth at random."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dance_synth.catalogue import Catalogue
from dance_synth.crowd.palette import (
    CAMOUFLAGES,
    DENIM,
    NEUTRAL,
    SHOE,
    SUIT,
    companions,
    pick,
    pick_colour,
    worn_colour,
)
from dance_synth.looks.complexion import Colour
from dance_synth.looks.fabric import Fabric
from dance_synth.looks.prints import PRINTS
from dance_synth.outfit import CUT_COATS, DUNGAREES, Outfit, slots

CHANCES: Mapping[str, float] = {
    "dress": 0.20, "skirt": 0.28, "coat": 0.24, "hat": 0.14, "gloves": 0.08, "scarf": 0.09,
    "sunglasses": 0.09, "barefoot": 0.05, "print": 0.25,
}  # fmt: skip
"""How likely each is. "dress" and "skirt" (of those without a dress) count among women, "print"
among tops of one colour; higher than in life where a parsing label would be too rare."""

_PATTERNS: Mapping[str, Mapping[str, float]] = {
    "upper": {
        "plain": 40, "own": 8, "heather": 10, "stripes": 11, "plaid": 6, "gingham": 2, "dots": 2,
        "flowers": 3, "camouflage": 2, "knit": 7, "gradient": 1, "batik": 2, "zigzag": 1,
        "blocks": 4, "pinstripes": 2,
    },
    "lower": {
        "plain": 40, "own": 18, "denim": 24, "heather": 7, "camouflage": 2, "plaid": 3,
        "flowers": 1, "pinstripes": 2, "leather": 2, "stripes": 1,
    },
    "dress": {
        "plain": 34, "flowers": 24, "dots": 9, "stripes": 9, "knit": 5, "plaid": 4, "batik": 4,
        "gradient": 3, "zigzag": 3, "gingham": 4, "blocks": 2,
    },
    "coat": {"plain": 48, "own": 14, "heather": 10, "denim": 9, "leather": 9, "plaid": 6,
             "knit": 5},
    "shoes": {"own": 60, "leather": 30, "plain": 10},
    "socks": {"plain": 75, "stripes": 13, "knit": 8, "dots": 4},
    "gloves": {"leather": 40, "knit": 40, "plain": 20},
    "scarf": {"knit": 35, "plain": 30, "plaid": 20, "stripes": 10, "flowers": 5},
    "hat": {"plain": 45, "knit": 30, "heather": 10, "denim": 8, "stripes": 4, "camouflage": 3},
    "sunglasses": {"plain": 1},
}  # fmt: skip

_PRINTED_ON = ("plain", "heather", "knit", "gradient", "own")

_BROW_SHARES = {"eyebrow002": 0.25, "eyebrow003": 0.2, "eyebrow009": 0.4}
"""Brows that frown, or bush, on most faces: rarer than the rest, which have 1."""

_HAIR_SHARES: Mapping[str, Mapping[str, float]] = {
    "f": {"": 0.6, "shaved": 2, "afro01": 3, "bob01": 14, "bob02": 16, "braid01": 14, "long01": 24,
          "ponytail01": 22, "short03": 8},
    "m": {"": 8, "shaved": 16, "afro01": 2, "short01": 20, "short02": 20, "short03": 10,
          "short04": 18},
}  # fmt: skip


def sample_outfit(rng: np.random.Generator, catalogue: Catalogue, gender: str) -> Outfit:
    """Clothes, hair and extras for "f" or "m"."""
    dress = gender == "f" and _happens(rng, "dress")
    coat = str(rng.choice(catalogue.coats[gender])) if _happens(rng, "coat") else ""
    if dress:
        upper, lower = "dress", "cut" if rng.random() < 0.25 else ""
        coat = coat and CUT_COATS[0]
    else:
        upper, lower = _top(rng, catalogue, gender), _bottom(rng, catalogue, gender)
    hat = str(rng.choice(catalogue.hats)) if _happens(rng, "hat") else ""
    return Outfit(
        upper=upper, lower=lower, coat=coat,
        sleeve=_sleeve(rng), coat_sleeve=_share(rng, 0.75, 1), neck=_neck(rng),
        hem=_share(rng, 0.25, 1), leg=1.0 if dress else _leg(rng), skirt=_share(rng, 0, 1),
        flare=_share(rng, 0.05, 0.8), coat_length=_share(rng, 0, 0.95),
        fit=round(float(rng.beta(2, 2.5)), 3),
        shoes="" if _happens(rng, "barefoot") else str(rng.choice(catalogue.shoes)),
        socks=_socks(rng, lower in ("", "skirt")), hair=_hair(rng, catalogue, gender), hat=hat,
        brows=pick(rng, {name: _BROW_SHARES.get(name, 1) for name in catalogue.brows}),
        lashes=str(rng.choice(catalogue.lashes)),
        sunglasses=_happens(rng, "sunglasses"), gloves=_happens(rng, "gloves"),
        scarf=_happens(rng, "scarf"),
    )  # fmt: skip


def _happens(rng: np.random.Generator, what: str) -> bool:
    return bool(rng.random() < CHANCES[what])


def _share(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 3)


def _top(rng: np.random.Generator, catalogue: Catalogue, gender: str) -> str:
    """Half cut, with free lengths, half modelled."""
    modelled = [name for name in catalogue.tops[gender] if name not in ("cut", "dress")]
    return "cut" if not modelled or rng.random() < 0.5 else str(rng.choice(modelled))


def _bottom(rng: np.random.Generator, catalogue: Catalogue, gender: str) -> str:
    names = catalogue.bottoms[gender]
    skirts = [name for name in names if name in ("skirt", "female_elegantsuit01")]
    trousers = [name for name in names if name not in ("cut", *skirts)]
    if skirts and _happens(rng, "skirt"):
        return "skirt" if rng.random() < 0.7 else str(rng.choice(skirts))
    return "cut" if rng.random() < 0.4 else str(rng.choice(trousers))


def _sleeve(rng: np.random.Generator) -> float:
    kind = rng.choice(4, p=[0.1, 0.42, 0.13, 0.35])
    low, high = ((0, 0.08), (0.25, 0.48), (0.55, 0.8), (0.94, 1.0))[kind]
    return _share(rng, low, high)


def _neck(rng: np.random.Generator) -> float:
    kind = rng.choice(3, p=[0.25, 0.62, 0.13])
    low, high = ((0.1, 0.4), (0.42, 0.62), (0.8, 1.0))[kind]
    return _share(rng, low, high)


def _leg(rng: np.random.Generator) -> float:
    kind = rng.choice(4, p=[0.12, 0.16, 0.1, 0.62])
    low, high = ((0.15, 0.35), (0.38, 0.55), (0.6, 0.85), (0.93, 1.0))[kind]
    return _share(rng, low, high)


def _socks(rng: np.random.Generator, bare_legs: bool) -> float:
    kind = rng.choice(4, p=[0.62, 0.2, 0.06, 0.12] if bare_legs else [0.3, 0.48, 0.13, 0.09])
    low, high = ((0, 0), (0.2, 0.4), (0.4, 0.7), (0.8, 1.0))[kind]
    return _share(rng, low, high)


def _hair(rng: np.random.Generator, catalogue: Catalogue, gender: str) -> str:
    known = _HAIR_SHARES[gender]
    return pick(rng, {name: known.get(name, 5) for name in catalogue.hairs[gender]})


def sample_fabrics(
    rng: np.random.Generator, catalogue: Catalogue, outfit: Outfit
) -> dict[str, Fabric]:
    """Cloth for every worn surface of `_PATTERNS`."""
    found = {
        slot: _fabric(rng, catalogue, outfit, slot) for slot in slots(outfit) if slot in _PATTERNS
    }
    # Suits, and tracksuits, are mostly of one cloth.
    if outfit.coat and outfit.coat == outfit.lower:
        found["lower"] = found["coat"]
    elif outfit.upper == outfit.lower and "upper" in found and rng.random() < 0.35:
        found["lower"] = Fabric("plain", found["upper"].colours, 1.0, "", found["upper"].seed)
    return found


def _fabric(rng: np.random.Generator, catalogue: Catalogue, outfit: Outfit, slot: str) -> Fabric:
    pattern = pick(rng, _PATTERNS[slot])
    colours = companions(rng, _ground(rng, outfit, slot, pattern))
    if pattern == "camouflage":
        colours = CAMOUFLAGES[int(rng.integers(len(CAMOUFLAGES)))]
    printed = (
        slot in ("upper", "dress")
        and pattern in _PRINTED_ON
        and (slot == "dress" or outfit.upper == "cut" or outfit.upper in catalogue.printable)
    )
    name = str(rng.choice(list(PRINTS))) if printed and _happens(rng, "print") else ""
    if pattern == "own" and name:
        pattern = "plain"
    return Fabric(
        pattern, colours, round(float(rng.uniform(0.8, 1.4)), 3), name, int(rng.integers(1 << 31))
    )


def _ground(rng: np.random.Generator, outfit: Outfit, slot: str, pattern: str) -> Colour:
    """The main colour of a surface."""
    worn = getattr(outfit, slot, "")
    jeans = slot == "lower" and ((pattern == "own" and worn != "cut") or worn == DUNGAREES)
    if pattern == "denim" or jeans:
        return pick_colour(rng, DENIM)
    if isinstance(worn, str) and "elegantsuit" in worn:
        return pick_colour(rng, SUIT)
    if slot in ("shoes", "gloves") or pattern == "leather":
        return pick_colour(rng, SHOE)
    if slot == "sunglasses":
        return 24, 24, 26
    if slot == "socks" or (slot in ("lower", "coat") and rng.random() < 0.6):
        return pick_colour(rng, NEUTRAL)
    return worn_colour(rng)
