"""What a body looks like, and how the morph targets make it.

The targets and the way their weights combine are MakeHuman's (CC0 data; the formula is restated in
the pack's README, "Macro formula").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from dancecli.errors import UsageError

if TYPE_CHECKING:
    from dance_synth.assets import Assets
    from dancecli.types import FloatArray

RACES = ("african", "asian", "caucasian")

ADULT = 0.36
"""The least age, 18 years: nobody younger is made."""


STOUT = (
    "arms/l-lowerarm-fat-incr", "arms/l-upperarm-fat-incr", "arms/r-lowerarm-fat-incr",
    "arms/r-upperarm-fat-incr", "buttocks/buttocks-volume-incr", "head/head-fat-incr",
    "hip/hip-scale-depth-incr", "hip/hip-scale-horiz-incr", "legs/l-lowerleg-fat-incr",
    "legs/l-upperleg-fat-incr", "legs/r-lowerleg-fat-incr", "legs/r-upperleg-fat-incr",
    "neck/neck-double-incr", "stomach/stomach-pregnant-incr", "torso/measure-waist-circ-incr",
    "torso/torso-scale-depth-incr", "torso/torso-scale-horiz-incr",
)  # fmt: skip
"""Details that make a stout body, all with about the same weight, 0.2 to 0.8: `weight` alone moves
the skin by 2 cm at most."""


@dataclass(frozen=True)
class Shape:
    """One adult body and face. Every number is in [0, 1] and 0.5 is average unless said otherwise.

    gender: 0 female, 1 male. age: 0.36 is 18 years, 0.5 is 25, 1 is 90; at least `ADULT`.
    muscle, weight, height: little to much. proportions: uncommon to ideal. cup: small to large,
    counts for the female share. races: shares of `RACES` by name, at least one above 0; they are
    divided by their sum.
    details: further targets by name (`detail_names`) with weights in [0, 1]. Of a pair that ends
    in -incr/-decr, -up/-down, -in/-out, ... only one should be given; l-/r- pairs together.

    Raises UsageError for a number outside its range or a race that is not known.
    """

    gender: float = 0.5
    age: float = 0.5
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    cup: float = 0.5
    races: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(RACES, 1.0))
    details: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        least = {"age": ADULT}
        for name in ("gender", "age", "muscle", "weight", "height", "proportions", "cup"):
            _in_range(name, getattr(self, name), least.get(name, 0.0))
        for name, weight in self.details.items():
            _in_range(f"detail {name!r}", weight, 0.0)
        unknown = sorted(set(self.races) - set(RACES))
        if unknown or min(self.races.values(), default=0) < 0 or sum(self.races.values()) <= 0:
            raise UsageError(
                f"races must be shares of {', '.join(RACES)} with a sum above 0, "
                f"not {dict(self.races)}"
            )


def _in_range(name: str, value: float, least: float) -> None:
    if not least <= value <= 1:
        raise UsageError(f"a body's {name} must be from {least:g} to 1, not {value:g}")


def detail_names(assets: Assets) -> tuple[str, ...]:
    """Names that `Shape.details` may hold, sorted: faces, limbs, torso and expressions."""
    return tuple(sorted(n for n in assets.target_names if not n.startswith("macrodetails/")))


def morph(assets: Assets, shape: Shape) -> FloatArray:
    """The unposed base mesh (19158, 3) float32 of a shape, metres.

    Raises UsageError for a detail that is not known.
    """
    known = assets.target_names
    unknown = sorted(set(shape.details) - set(known))
    if unknown:
        raise UsageError(f"no morph target is called {unknown[0]!r}; see shape.detail_names")
    targets = assets.targets
    vertices = assets.body["verts"].astype(np.float32)
    for name, weight in [*macro_weights(shape), *sorted(shape.details.items())]:
        if weight > 0 and name in known:
            part = slice(*targets["offsets"][known[name] : known[name] + 2])
            vertices[targets["index"][part]] += targets["delta"][part] * np.float32(weight * 1e-4)
    return vertices


def macro_weights(shape: Shape) -> Iterator[tuple[str, float]]:
    """Targets and weights of all but the details. Some of the names have no target: no change."""
    genders = {"male": shape.gender, "female": 1 - shape.gender}
    ages = _ages(shape.age)
    total = sum(shape.races.values())
    for race, gender, age in product(RACES, genders, ages):
        share = shape.races.get(race, 0.0) / total
        yield f"macrodetails/{race}-{gender}-{age}", share * genders[gender] * ages[age]
    muscles, weights = _levels(shape.muscle, "muscle"), _levels(shape.weight, "weight")
    heights = {"minheight": max(0.0, 1 - 2 * shape.height), "maxheight": 2 * shape.height - 1}
    ideal = 2 * shape.proportions - 1
    builds = {"idealproportions": ideal, "uncommonproportions": -ideal}
    for gender, age, muscle, weight in product(genders, ages, muscles, weights):
        build = f"{gender}-{age}-{muscle}-{weight}"
        share = genders[gender] * ages[age] * muscles[muscle] * weights[weight]
        yield f"macrodetails/universal-{build}", share
        for kind, amount in heights.items():
            yield f"macrodetails/height/{build}-{kind}", share * amount
        for kind, amount in builds.items():
            yield f"macrodetails/proportions/{build}-{kind}", share * amount
    for kind, amount in (("mincup", 1 - 2 * shape.cup), ("maxcup", 2 * shape.cup - 1)):
        name = f"breast/female-young-averagemuscle-averageweight-{kind}-averagefirmness"
        yield name, genders["female"] * amount


def _ages(age: float) -> dict[str, float]:
    """Shares of the three ages that have targets."""
    if age < 0.5:
        young = min((age - 0.1875) * 3.2, 1.0)
        return {"young": young, "child": 1 - young}
    return {"young": 2 - 2 * age, "old": 2 * age - 1}


def _levels(value: float, name: str) -> dict[str, float]:
    """Shares of least, average and most."""
    high, low = max(0.0, 2 * value - 1), max(0.0, 1 - 2 * value)
    return {f"min{name}": low, f"average{name}": 1 - high - low, f"max{name}": high}
