"""Somebody who can act: a person made from a seed and a number, and how they take a pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dance_synth.assets import Assets
from dance_synth.catalogue import catalogue
from dance_synth.crowd.bodies import in_mood
from dance_synth.human import Body, build, posed
from dance_synth.parts import Material, Posed
from dance_synth.recipe import Recipe, materials, sample
from dance_synth.skinning import RigPose
from dancecli.types import JOINT

KEPT = 6
"""People who are remembered: some 15 MB each."""

APART = (0.15, 0.85), (0.38, 0.62)
"""Of a pair of bodies, the lighter's and the heavier's weight, and their heights."""


@dataclass(frozen=True, eq=False)
class Actor:
    """A dressed person. leg: hip to sole, metres. about: their recipe as JSON values."""

    human: Body
    leg: float
    about: Mapping[str, Any]

    def pose(self, rig: RigPose) -> Posed:
        """The person in a pose of the rig."""
        return posed(self.human, rig)


def actor(assets: Assets, seed: int, number: int) -> Actor:
    """Person `number` of a seed; the last few of a pack are remembered.

    Raises WeightsError for a damaged pack.
    """
    kept: dict[tuple[int, int], Actor] = assets.once("actors", dict)
    key = seed, number
    if key not in kept:
        kept[key] = make_actor(assets, seed, number)
        while len(kept) > KEPT:
            del kept[next(iter(kept))]
    return kept[key]


def make_actor(assets: Assets, seed: int, number: int) -> Actor:
    """As `actor`, made anew."""
    return _built(assets, sample(seed, number, catalogue(assets)))


def moody(assets: Assets, seed: int, number: int, mood: int) -> Actor:
    """Person `number` with the expression `mood`; made anew, in the clothes of the last one."""
    recipe = sample(seed, number, catalogue(assets))
    rng = np.random.default_rng([seed, number, 98, mood])
    worn: dict[tuple[int, int], Mapping[str, Material]] = assets.once("moody", dict)
    if (seed, number) not in worn:
        worn.clear()
        worn[seed, number] = materials(recipe, assets)
    recipe = replace(recipe, shape=in_mood(rng, catalogue(assets), recipe.shape))
    return _built(assets, recipe, worn[seed, number])


def actor_pair(assets: Assets, seed: int, index: int) -> tuple[Actor, Actor]:
    """Two people far apart in weight and height; which of them is the larger is random."""
    rng = np.random.default_rng([seed, index, 99])
    pair = [sample(seed, 2 * index + k, catalogue(assets)) for k in (0, 1)]
    order = rng.permutation(2)
    made = []
    for recipe, size in zip(pair, order, strict=True):
        weight, height = (float(ends[size] + rng.uniform(-0.08, 0.08)) for ends in APART)
        shape = replace(recipe.shape, weight=weight, height=height)
        made.append(_built(assets, replace(recipe, shape=shape)))
    return made[0], made[1]


def _built(assets: Assets, recipe: Recipe, worn: Mapping[str, Material] | None = None) -> Actor:
    worn = materials(recipe, assets) if worn is None else worn
    human = build(assets, recipe.shape, recipe.outfit, worn)
    bones = len(human.rig.parents)
    rest = RigPose(np.tile(np.eye(3, dtype=np.float32), (bones, 1, 1)), np.zeros(3, np.float32))
    leg = float(posed(human, rest).points[JOINT["mid_hip"], 1])
    return Actor(human, leg, {**recipe.as_json(), "metres": round(human.height, 3)})
