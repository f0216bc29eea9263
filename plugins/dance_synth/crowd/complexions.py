"""Drawing skin, hair and make-up at random, to go with a body."""

from __future__ import annotations

import numpy as np

from dance_synth.crowd.bodies import years
from dance_synth.crowd.palette import (
    DARK_EYES,
    DARK_HAIR,
    DYED_HAIR,
    EYESHADOW,
    LIGHT_EYES,
    LIGHT_HAIR,
    LIPSTICK,
    NAILS,
    pick,
    pick_colour,
)
from dance_synth.looks.complexion import Colour, Complexion
from dance_synth.shape import Shape

TYPICAL_MELANIN = {"african": 0.8, "asian": 0.33, "caucasian": 0.17}

DYED = 0.05
MADE_UP = 0.5
"""Share of women who wear some make-up."""


def is_male(shape: Shape) -> bool:
    """Whether clothes and hair for men are chosen."""
    return shape.gender > 0.5


def sample_complexion(rng: np.random.Generator, shape: Shape) -> Complexion:
    """Skin tied loosely to the body's ancestry, and what is painted on it.

    `scalp` is left for the hair style to decide.
    """
    melanin = float(np.clip(_ancestry(shape, TYPICAL_MELANIN) + rng.normal(0, 0.1), 0.02, 0.98))
    male, made_up = is_male(shape), rng.random() < MADE_UP
    beard, style = _beard(rng) if male else (0.0, "full")
    painted = not male and bool(made_up)

    def paint(chance: float, colours: dict[Colour, float]) -> Colour | None:
        return pick_colour(rng, colours) if painted and rng.random() < chance else None

    return Complexion(
        melanin=round(melanin, 4),
        blood=round(float(np.clip(rng.normal(0.5, 0.18), 0, 1)), 4),
        tan=round(float(rng.beta(1.2, 3)), 4),
        freckles=round(float(rng.uniform(0.2, 1)), 4) if rng.random() < 0.5 - melanin else 0.0,
        age=round(float(np.clip((years(shape) - 18) / 62, 0, 1)), 4),
        hair=sample_hair_colour(rng, shape, melanin),
        beard=beard, beard_style=style,
        lips=paint(0.85, dict(LIPSTICK)), lids=paint(0.5, dict(EYESHADOW)),
        nails=paint(0.45, dict(NAILS)),
        seed=int(rng.integers(1 << 31)),
    )  # fmt: skip


def _ancestry(shape: Shape, values: dict[str, float]) -> float:
    total = sum(shape.races.values())
    return sum(values[name] * share for name, share in shape.races.items()) / total


def _beard(rng: np.random.Generator) -> tuple[float, str]:
    kind = rng.choice(4, p=[0.42, 0.28, 0.14, 0.16])
    if kind == 0:
        return 0.0, "full"
    style = str(rng.choice(["full", "goatee", "moustache"], p=[0.75, 0.17, 0.08]))
    low, high = ((0.08, 0.3), (0.3, 0.7), (0.7, 1.0))[kind - 1]
    return round(float(rng.uniform(low, high)), 4), "full" if kind == 1 else style


def sample_hair_colour(rng: np.random.Generator, shape: Shape, melanin: float) -> Colour:
    """Light hair goes with light skin; one in twenty is dyed; it greys with age (`grey_share`)."""
    if rng.random() < DYED:
        return pick_colour(rng, DYED_HAIR)
    light = _ancestry(shape, {"african": 0.0, "asian": 0.05, "caucasian": 1.0}) > 0.5
    return pick_colour(rng, LIGHT_HAIR if light and melanin < 0.45 else DARK_HAIR)


def sample_grey(rng: np.random.Generator, shape: Shape) -> float:
    """Share of white hair: rarely any before 45, mostly all after 75."""
    mean = (years(shape) - 45) / 36
    return round(float(np.clip(rng.normal(mean, 0.25), 0, 1)), 3) if years(shape) > 33 else 0.0


def sample_eyes(rng: np.random.Generator, melanin: float, known: tuple[str, ...]) -> str:
    """An iris of the catalogue, mostly brown where skin is dark."""
    shares = LIGHT_EYES if melanin < 0.3 else DARK_EYES
    return pick(rng, {name: share for name, share in shares.items() if name in known})
