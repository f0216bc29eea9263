"""What an outfit is made of: its pieces, fitted to a body, from the skin outwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from dance_synth import cutting, extras
from dance_synth.assets import Assets
from dance_synth.labelling import average_body
from dance_synth.layers import clearance
from dance_synth.neighbours import Neighbours
from dance_synth.outfit import (
    CUT_BOTTOMS,
    CUT_HATS,
    CUT_TOPS,
    DUNGAREES,
    PLAIN_HAIR,
    Outfit,
    whole_tops,
)
from dance_synth.surface import (
    Sheet,
    clipped,
    dense_skin,
    fitted_sheet,
    sparse_skin,
)
from dancecli.errors import UsageError
from dancecli.labels import Label
from dancecli.types import FloatArray

SHOE_LABELS = {"lshoe": Label.LEFT_SHOE, "rshoe": Label.RIGHT_SHOE}

EYES = "low-poly"

WAISTBAND = 0.14
"""Below this distance from its upper edge, a hanging piece hides nothing: one can look under it,
metres."""

SPAN = 12
"""Rounds of smoothing of the weights of what hangs."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of the outfit. level: pieces of a higher one lie over it. slot: of its material.

    hides: what of it hides the layers below; None: all of it. hangs: a skirt or coat tail.
    """

    sheet: Sheet
    slot: str
    level: int
    hides: Sheet | None = None
    hangs: bool = False


def pieces(assets: Assets, base: FloatArray, outfit: Outfit) -> Iterator[Piece]:
    """All that is worn on the body, in no order. Raises UsageError for an unknown name.

    base: float32 (V, 3), the morphed mesh, metres.
    """
    if outfit.socks > 0:
        sheet = extras.socks(assets, base, outfit.socks, bool(outfit.shoes))
        yield Piece(sheet.labelled(Label.SOCKS), "socks", 1)
    if outfit.gloves:
        yield Piece(extras.gloves(assets, base).labelled(Label.GLOVE), "gloves", 1)
    if outfit.lower:
        yield from _lower(assets, base, outfit)
    if outfit.shoes:
        yield _shoes(assets, base, outfit.shoes)
    if outfit.coat and outfit.coat != "open":
        yield from _suit_coat(assets, base, outfit.coat)
    elif outfit.upper:
        yield from _upper(assets, base, outfit)
    if outfit.coat == "open":
        yield from _open_coat(assets, base, outfit)
    if outfit.scarf:
        scarf = extras.scarf(assets, base).labelled(Label.SCARF)
        # It stands off: one sees the neck inside it.
        yield Piece(scarf, "scarf", 8, hides=scarf.take(np.zeros(len(scarf.triangles), bool)))


def _lower(assets: Assets, base: FloatArray, outfit: Outfit) -> Iterator[Piece]:
    if outfit.lower == "cut":
        fit = 0.0 if outfit.upper == "dress" else outfit.fit
        sheet = cutting.trousers(assets, base, leg=outfit.leg, fit=fit)
        # Leggings go into the shoes, trousers over them.
        yield Piece(sheet.labelled(Label.PANTS), "lower", 2 if fit < 0.4 else 4)
    elif outfit.lower == "skirt":
        sheet = cutting.skirt(assets, base, length=outfit.skirt, flare=outfit.flare)
        yield _hanging(sheet.labelled(Label.SKIRT), "lower", 6)
        yield _briefs(assets, base, Label.SKIRT, "lower")
    else:
        found = dict(_suit_pieces(assets, base, outfit.lower, ("pants", "skirt")))
        if not found:
            raise _unknown("lower", outfit.lower)
        level = 6 if outfit.lower == DUNGAREES else 4
        if "pants" in found:
            yield Piece(found["pants"].labelled(Label.PANTS), "lower", level)
        if "skirt" in found:
            yield _hanging(found["skirt"].labelled(Label.SKIRT), "lower", 6)
            yield _briefs(assets, base, Label.SKIRT, "lower")


def _upper(assets: Assets, base: FloatArray, outfit: Outfit) -> Iterator[Piece]:
    if outfit.upper not in CUT_TOPS:
        found = dict(_suit_pieces(assets, base, outfit.upper, ("upper",)))
        if "upper" not in found or outfit.upper not in whole_tops(assets):
            raise _unknown("upper", outfit.upper)
        yield Piece(found["upper"].labelled(Label.UPPER_CLOTHES), "upper", 5)
        return
    dress = outfit.upper == "dress"
    label = Label.DRESS if dress else Label.UPPER_CLOTHES
    sheet = cutting.top(
        assets, base, sleeve=outfit.sleeve, neck=outfit.neck,
        hem=0.9 if dress else outfit.hem, fit=0.3 * outfit.fit if dress else outfit.fit,
    )  # fmt: skip
    yield Piece(sheet.labelled(label), outfit.upper if dress else "upper", 5)
    if dress:
        length, flare = outfit.skirt, outfit.flare
        hanging = cutting.skirt(assets, base, length=length, flare=flare, highest=0.2)
        yield _hanging(hanging.labelled(label), "dress", 6)
        yield _briefs(assets, base, label, "dress")


def _open_coat(assets: Assets, base: FloatArray, outfit: Outfit) -> Iterator[Piece]:
    upper, hanging = cutting.open_coat(
        assets, base, sleeve=outfit.coat_sleeve, length=outfit.coat_length, fit=outfit.fit
    )
    yield Piece(upper.labelled(Label.COAT), "coat", 7)
    yield _hanging(hanging.labelled(Label.COAT), "coat", 7)


def _suit_coat(assets: Assets, base: FloatArray, name: str) -> Iterator[Piece]:
    """The coat of a suit with what the suit has below it, in the coat's material."""
    found = dict(_suit_pieces(assets, base, name, ("upper", "coat")))
    if "coat" not in found:
        raise _unknown("coat", name)
    yield Piece(found["coat"].labelled(Label.COAT), "coat", 7)
    if "upper" in found:
        # Modelled to lie below its own coat as it is.
        yield Piece(found["upper"].labelled(Label.UPPER_CLOTHES), "coat", 7)


def _suit_pieces(
    assets: Assets, base: FloatArray, name: str, slots: tuple[str, ...]
) -> Iterator[tuple[str, Sheet]]:
    """The wanted pieces of a modelled garment; one that joins two is parted at the waist."""
    for slot, components in assets.garments.get(name, {"slots": {}})["slots"].items():
        wanted = [part for part in slot.split("+") if part in slots]
        if not wanted:
            continue
        sheet = fitted_sheet(assets, base, "clothes", name, tuple(components))
        if "+" not in slot:
            yield slot, sheet
            continue
        place = assets.fitted("clothes", name).place(average_body(assets))
        for part in wanted:
            yield part, _half(sheet, place[:, 1], upper=part == "upper")


def _half(sheet: Sheet, height: FloatArray, upper: bool) -> Sheet:
    """The part of a suit above or below the waist; the two overlap."""
    field = height - np.float32(0.10) if upper else np.float32(0.14) - height
    return clipped(sheet, [field])


def _shoes(assets: Assets, base: FloatArray, name: str) -> Piece:
    slots = assets.garments.get(name, {"slots": {}})["slots"]
    if "lshoe" not in slots:
        raise _unknown("shoes", name)
    sides = [
        fitted_sheet(assets, base, "clothes", name, tuple(slots[slot])).labelled(label)
        for slot, label in SHOE_LABELS.items()
    ]
    return Piece(extras.merged(sides).compact(), "shoes", 4)


def _briefs(assets: Assets, base: FloatArray, label: Label, slot: str) -> Piece:
    """What is worn below a skirt, of its cloth."""
    return Piece(cutting.trousers(assets, base, leg=0, fit=0).labelled(label), slot, 1)


def _hanging(sheet: Sheet, slot: str, level: int) -> Piece:
    """A piece that spans the legs: its weights change gently from one to the other."""
    sheet = sheet.compact()
    near = Neighbours.of(sheet.triangles, len(sheet.points))
    bones, weights = sparse_skin(near.smoothed(dense_skin(sheet.bones, sheet.weights), SPAN))
    sheet = replace(sheet, bones=bones, weights=weights)
    height = sheet.points[sheet.triangles][..., 1]
    hides = sheet.take(height.min(1) > height.max() - WAISTBAND)
    return Piece(sheet, slot, level, hides, hangs=True)


def head_pieces(assets: Assets, base: FloatArray, outfit: Outfit) -> Iterator[Piece]:
    """Eyes, teeth, brows, lashes, hair, hat, sunglasses; base and error as of `pieces`."""
    yield Piece(_face(assets, base, "eyes", EYES), "eyes", 0)
    yield Piece(_face(assets, base, "teeth", "teeth_base"), "teeth", 0)
    if outfit.brows:
        yield Piece(_face(assets, base, "eyebrows", outfit.brows), "brows", 0)
    if outfit.lashes:
        yield Piece(_face(assets, base, "eyelashes", outfit.lashes), "lashes", 0)
    if outfit.sunglasses:
        glasses = extras.sunglasses(assets, base).labelled(Label.SUNGLASSES)
        yield Piece(glasses, "sunglasses", 0)
    hat = _hat(assets, base, outfit.hat) if outfit.hat else None
    if hat is not None:
        yield hat
    if outfit.hair not in PLAIN_HAIR:
        if outfit.hair not in assets.meshes("hair"):
            raise _unknown("hair", outfit.hair)
        hair = fitted_sheet(assets, base, "hair", outfit.hair).labelled(Label.HAIR)
        yield Piece(hair if hat is None else _under_hat(assets, base, hair, hat.sheet), "hair", 1)


def _face(assets: Assets, base: FloatArray, kind: str, name: str) -> Sheet:
    if name not in assets.meshes(kind):
        raise _unknown(kind, name)
    return fitted_sheet(assets, base, kind, name).labelled(Label.FACE)


def _hat(assets: Assets, base: FloatArray, name: str) -> Piece:
    if name == "cap":
        crown, visor = (part.labelled(Label.HAT) for part in extras.cap(assets, base))
        return Piece(extras.merged([crown, visor]), "hat", 2, hides=crown)
    if name == "beanie":
        return Piece(extras.knitted_hat(assets, base).labelled(Label.HAT), "hat", 2)
    if "hat" not in assets.garments.get(name, {"slots": {}})["slots"]:
        raise _unknown("hat", name)
    return Piece(fitted_sheet(assets, base, "clothes", name).labelled(Label.HAT), "hat", 2)


def _under_hat(assets: Assets, base: FloatArray, hair: Sheet, hat: Sheet) -> Sheet:
    """Hair without what the hat holds; what sticks out of it is pushed inside.

    Seen from the middle of the head, hair in the direction of the hat is in it or below it.
    """
    middle = base[assets.vertex_labels["scalp"]].mean(0)
    ways = hair.points - middle
    reach = np.linalg.norm(ways, axis=1)
    ways = ways / np.maximum(reach, 1e-6)[:, None]
    room = clearance(np.broadcast_to(middle, ways.shape), ways, [hat], 0.0, 0.3)
    covered = np.isfinite(room)
    kept = hair.take(~covered[hair.triangles].all(1))
    inside = np.where(covered, np.minimum(reach, 0.96 * np.where(covered, room, 1)), reach)
    return replace(kept, points=(middle + ways * inside[:, None]).astype(np.float32))


def _unknown(field: str, name: str) -> UsageError:
    choices = {"lower": CUT_BOTTOMS, "upper": CUT_TOPS, "hat": CUT_HATS}.get(field, ())
    also = f" (besides names of garments: {', '.join(choices)})" if choices else ""
    return UsageError(f"the human assets have no {field} called {name!r}{also}")
