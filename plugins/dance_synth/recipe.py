"""One synthetic person in full, and how people are drawn at random.

sample(seed, index, catalogue) ─► Recipe ─► materials(recipe, assets)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dance_synth.assets import Assets
from dance_synth.catalogue import Catalogue
from dance_synth.crowd.bodies import sample_shape
from dance_synth.crowd.complexions import is_male, sample_complexion, sample_eyes, sample_grey
from dance_synth.crowd.outfits import sample_fabrics, sample_outfit
from dance_synth.looks import hair
from dance_synth.looks.cloth import cut_cloth, garment_cloth
from dance_synth.looks.complexion import Colour, Complexion
from dance_synth.looks.fabric import Fabric
from dance_synth.looks.skin import paint_skin
from dance_synth.outfit import PLAIN_HAIR, Outfit, slots
from dance_synth.parts import Material
from dance_synth.shape import Shape

_SCALP = {"": 0.0, "shaved": 0.55}
"""How densely the scalp is painted where there is no hair on it; under hair, fully."""

_KINDS = {"shoes": "leather", "gloves": "leather", "sunglasses": "leather"}


@dataclass(frozen=True)
class Recipe:
    """Everything about one person that does not depend on the pose.

    fabrics: by surface (`outfit.SLOTS`). eyes: name of the irises. grey: share of white hair.
    """

    shape: Shape
    outfit: Outfit
    complexion: Complexion
    fabrics: Mapping[str, Fabric]
    eyes: str
    grey: float

    def as_json(self) -> dict[str, Any]:
        """Numbers, strings, lists and dictionaries alone."""
        return asdict(self)


def sample(seed: int, index: int, catalogue: Catalogue) -> Recipe:
    """Person `index` of a crowd; depends on seed, index and the catalogue alone."""
    rng = np.random.default_rng([seed, index])
    shape = sample_shape(rng, catalogue)
    complexion = sample_complexion(rng, shape)
    outfit = sample_outfit(rng, catalogue, "m" if is_male(shape) else "f")
    grey = sample_grey(rng, shape)
    complexion = replace(
        complexion, hair=_greyed(complexion.hair, grey), scalp=_SCALP.get(outfit.hair, 0.92)
    )
    fabrics = sample_fabrics(rng, catalogue, outfit)
    eyes = sample_eyes(rng, complexion.melanin, catalogue.eyes)
    return Recipe(shape, outfit, complexion, fabrics, eyes, grey)


def _greyed(colour: Colour, grey: float) -> Colour:
    """Dark and white hairs mixed, as brows, beard and scalp show them."""
    share = 0.85 * grey
    red, green, blue = (
        round(c + (w - c) * share) for c, w in zip(colour, (178, 176, 174), strict=True)
    )
    return red, green, blue


def materials(recipe: Recipe, assets: Assets, skin_size: int = 512) -> dict[str, Material]:
    """Material of every surface in `slots(recipe.outfit)`.

    skin_size: side of the skin's texture; 1024 for close-ups.
    """
    return {slot: _material(recipe, assets, slot, skin_size) for slot in slots(recipe.outfit)}


def _material(recipe: Recipe, assets: Assets, slot: str, skin_size: int) -> Material:
    outfit, person = recipe.outfit, recipe.complexion
    if slot == "skin":
        return paint_skin(assets, person, skin_size)
    if slot == "eyes":
        return hair.eyes(assets, recipe.eyes)
    if slot == "teeth":
        return hair.teeth(assets)
    if slot == "brows":
        return hair.brows(assets, outfit.brows, person.hair)
    if slot == "lashes":
        return hair.lashes(assets, outfit.lashes, person.lids is not None)
    if slot == "hair":
        return hair.hair(assets, outfit.hair, person.hair, recipe.grey, person.seed)
    return _cloth(recipe, assets, slot)


def _cloth(recipe: Recipe, assets: Assets, slot: str) -> Material:
    fabric, worn = recipe.fabrics[slot], getattr(recipe.outfit, slot, "")
    knitted = fabric.pattern not in ("leather", "own")
    kind = "cloth" if slot == "gloves" and knitted else _KINDS.get(slot, "cloth")
    if fabric.pattern == "leather":
        kind = "leather"
    if isinstance(worn, str) and worn in assets.garments and worn not in PLAIN_HAIR:
        return garment_cloth(assets, worn, slot, fabric, kind)
    if fabric.pattern == "own":
        fabric = replace(fabric, pattern="plain")
    return cut_cloth(fabric, kind)
