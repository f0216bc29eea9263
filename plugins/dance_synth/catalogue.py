"""What there is to choose from, as names alone, so that drawing people needs no meshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dance_synth import outfit as wardrobe
from dance_synth.assets import Assets
from dance_synth.looks.cloth import printable
from dance_synth.shape import detail_names

GENDERS = ("f", "m")

_ENDS = (
    "decr", "incr", "down", "up", "in", "out", "backward", "forward", "concave", "convex",
    "compress", "uncompress",
)  # fmt: skip

_NEVER = (
    "pelvis/bulge", "pregnant", "averagefirmness", "ear-shape-pointed", "hip-trans", "head-trans",
    "torso-trans", "neck-trans", "foot-trans", "hand-trans", "foot-scale", "hand-scale", "measure-",
    "neck-platysma", "-height-", "eye-push",
)  # fmt: skip
"""Targets that displace, lengthen or caricature rather than vary."""


@dataclass(frozen=True)
class Catalogue:
    """Names to choose from; everything sorted.

    tops, bottoms, coats, hairs: by gender, "f" or "m". printable: tops with one flat chest panel.
    details: groups of alternatives, each a tuple of morph targets to be set together, such as
    (("l-ear-scale-decr", "r-ear-scale-decr"), ("l-ear-scale-incr", "r-ear-scale-incr")).
    expressions: groups of the same kind that move the face.
    """

    tops: Mapping[str, tuple[str, ...]]
    bottoms: Mapping[str, tuple[str, ...]]
    coats: Mapping[str, tuple[str, ...]]
    hairs: Mapping[str, tuple[str, ...]]
    shoes: tuple[str, ...]
    hats: tuple[str, ...]
    brows: tuple[str, ...]
    lashes: tuple[str, ...]
    eyes: tuple[str, ...]
    printable: tuple[str, ...]
    details: tuple[tuple[tuple[str, ...], ...], ...]
    expressions: tuple[tuple[tuple[str, ...], ...], ...]


def catalogue(assets: Assets) -> Catalogue:
    """All that the pack has; made once."""
    found: Catalogue = assets.once("catalogue", lambda: _make(assets))
    return found


def _make(assets: Assets) -> Catalogue:
    def by_gender(names: object) -> dict[str, tuple[str, ...]]:
        return {gender: names(assets, gender) for gender in GENDERS}  # type: ignore[operator]

    eyes = [name for name in assets.names("textures", ".png") if name.endswith("_eye")]
    targets = detail_names(assets)
    moving = tuple(name for name in targets if name.startswith("expression/"))
    still = tuple(name for name in targets if name not in moving)
    tops = by_gender(wardrobe.tops)
    return Catalogue(
        tops, by_gender(wardrobe.bottoms), by_gender(wardrobe.coats), by_gender(wardrobe.hairs),
        wardrobe.shoes(assets), wardrobe.hats(assets), wardrobe.brows(assets),
        wardrobe.lashes(assets), tuple(name.removesuffix("_eye") for name in eyes),
        printable(assets, sorted({name for names in tops.values() for name in names})),
        groups(still), groups(moving),
    )  # fmt: skip


def groups(names: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Targets sorted into alternatives, left and right together."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in names:
        if any(part in name for part in _NEVER):
            continue
        both = _without_side(name)
        stem, _, end = both.rpartition("-")
        key = stem if end in _ENDS else both
        found.setdefault(key, {}).setdefault(both, []).append(name)
    return tuple(
        tuple(tuple(sorted(pair)) for _, pair in sorted(group.items()))
        for _, group in sorted(found.items())
    )


def _without_side(name: str) -> str:
    folder, _, last = name.rpartition("/")
    if last[:2] in ("l-", "r-"):
        last = last[2:]
    return f"{folder}/{last.replace('-left-', '-').replace('-right-', '-')}"
