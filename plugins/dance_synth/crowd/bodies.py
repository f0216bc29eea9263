"""Drawing bodies and faces at random: adults of all kinds, few of them extreme."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dance_synth.catalogue import Catalogue
from dance_synth.shape import ADULT, RACES, Shape

DETAIL, DETAIL_LIMB = 0.25, 0.12
"""Chances of a detail of head and trunk, and of one that goes by left and right."""

STRONGEST = 0.35
"""Weight of a detail at most; more gives caricatures."""

SMILES = 0.45
"""Share of people who smile, as most do in photos."""

_SMILE, _PARTED = "mouth-corner-puller", "mouth-part-later"

_RESTRAINED = {"eyebrows-down": 0.15, "eye-closure": 0.15, "mouth-open": 0.3, "eye-opened-up": 0.25}
"""Expressions that look wrong at full strength, and their most."""


def sample_shape(rng: np.random.Generator, catalogue: Catalogue) -> Shape:
    """A body: half women, half men."""
    male = bool(rng.random() < 0.5)
    races = rng.dirichlet((0.45, 0.45, 0.55))
    softness = float(rng.beta(1.2, 7))
    return Shape(
        gender=1 - softness if male else softness,
        age=age_value(_years(rng)),
        muscle=_bounded(rng.normal(0.56 if male else 0.46, 0.15), 0.1, 0.95),
        weight=_bounded(rng.beta(2, 2.4), 0.05, 0.95),
        height=_bounded(rng.normal(0.5, 0.12), 0.25, 0.75),
        proportions=_bounded(rng.normal(0.6, 0.16), 0.1, 1),
        cup=_bounded(rng.normal(0.45, 0.18), 0, 1),
        races={name: round(float(share), 4) for name, share in zip(RACES, races, strict=True)},
        details={**_details(rng, catalogue), **_expression(rng, catalogue)},
    )


def _years(rng: np.random.Generator) -> float:
    low, high = ((18, 40), (40, 60), (60, 80))[int(rng.choice(3, p=[0.62, 0.27, 0.11]))]
    return float(rng.uniform(low, high))


def age_value(years: float) -> float:
    """`Shape.age` of 18 to 90 years: 0.5 is 25, 1 is 90."""
    value = 0.5 + (years - 25) / 130 if years >= 25 else 0.5 - (25 - years) / 7 * (0.5 - ADULT)
    return round(_bounded(value, ADULT, 1), 4)


def years(shape: Shape) -> float:
    """The age in years that a shape stands for."""
    if shape.age >= 0.5:
        return 25 + (shape.age - 0.5) * 130
    return 25 - (0.5 - shape.age) / (0.5 - ADULT) * 7


def _details(rng: np.random.Generator, catalogue: Catalogue) -> dict[str, float]:
    found: dict[str, float] = {}
    for group in catalogue.details:
        paired = len(group[0]) > 1
        if rng.random() < (DETAIL_LIMB if paired else DETAIL):
            chosen = group[int(rng.integers(len(group)))]
            found |= dict.fromkeys(chosen, round(float(rng.uniform(0, STRONGEST)), 3))
    return found


def in_mood(rng: np.random.Generator, catalogue: Catalogue, shape: Shape) -> Shape:
    """The same body and face with another expression."""
    moving = {name for group in catalogue.expressions for pair in group for name in pair}
    kept = {name: weight for name, weight in shape.details.items() if name not in moving}
    return replace(shape, details={**kept, **_expression(rng, catalogue)})


def _expression(rng: np.random.Generator, catalogue: Catalogue) -> dict[str, float]:
    found: dict[str, float] = {}
    smiles = rng.random() < SMILES
    for group in catalogue.expressions:
        for pair in group:
            kind = pair[0].rpartition("/")[2].replace("-left-", "-")
            most = next((m for name, m in _RESTRAINED.items() if name == kind), 0.5)
            if rng.random() < 0.07:
                found |= dict.fromkeys(pair, round(float(rng.uniform(0, most)), 3))
            if smiles and kind in (_SMILE, _PARTED):
                most = 0.7 if kind == _SMILE else 0.35
                found |= dict.fromkeys(pair, round(float(rng.uniform(0, most)), 3))
    return found


def _bounded(value: float, low: float, high: float) -> float:
    return round(float(np.clip(value, low, high)), 4)
