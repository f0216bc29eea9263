"""One dressed person, built once, and put into poses.

Shape ─► base mesh ─► skin, garments, head ─► pressed, hidden ─► Body ─► pose ─► Posed
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dance_synth.assembly import Charts, Part, assembled
from dance_synth.assets import Assets
from dance_synth.drape import Drape, drape
from dance_synth.extras import shod
from dance_synth.garments import EYES, Piece, head_pieces, pieces
from dance_synth.keypoints import Keypoints, keypoints
from dance_synth.labelling import average_body, divided_skin, head_charts
from dance_synth.layers import BEHIND, MARGIN, THICK, TUCK, Over, below
from dance_synth.outfit import Outfit, slots
from dance_synth.parts import Human, IntArray, Material, Posed
from dance_synth.shape import Shape, morph
from dance_synth.skinning import Rig, RigPose, bone_heads, skinned, transforms
from dance_synth.surface import Sheet, fitted_sheet, group_sheet
from dancecli.errors import UsageError
from dancecli.labels import Label
from dancecli.types import FloatArray

MALE = 0.75
"""The gender from which a chest may be bare."""


@dataclass(frozen=True, eq=False)
class Body(Human):
    """A person and what moves it: `rig` of the points that `weld` numbers, and its keypoints.

    drape: None where nothing hangs. drawn: rows of the rig's points that are drawn.
    """

    rig: Rig
    keypoints: Keypoints
    drape: Drape | None
    drawn: IntArray


def build(assets: Assets, shape: Shape, outfit: Outfit, materials: Mapping[str, Material]) -> Body:
    """A person of a shape in an outfit; `materials` by slot (`outfit.slots` says which).

    Raises UsageError for a name that is not known, a material that lacks or a bare chest on a
    female body, WeightsError for a damaged pack.
    """
    lacking = [name for name in slots(outfit) if name not in materials]
    if lacking:
        raise UsageError(f"the outfit needs a material for {', '.join(lacking)}")
    if not outfit.upper and outfit.coat in ("", "open") and shape.gender < MALE:
        raise UsageError(f"an outfit without upper is for bodies of gender {MALE:g} and above")
    base = morph(assets, shape)
    parts = _parts(assets, base, outfit)
    surface = assembled(parts, materials)
    bare = parts[0].sheet
    height = float(np.ptp(bare.points[bare.triangles][..., 1]))
    heads = bone_heads(assets, base)
    drawn = np.unique(surface.weld[surface.triangles])
    lowest = surface.points[drawn, 1].min()
    origin = np.array([heads[0, 0], lowest, heads[0, 2]], np.float32)
    parents = assets.body["bone_parent"].astype(np.int64)
    rig = Rig(surface.points - origin, surface.bones, surface.weights, heads - origin, parents)
    marks = keypoints(assets, base)
    hanging = None
    if len(surface.hanging):
        hanging = drape(assets, base - origin, heads - origin, rig.rest, surface.hanging)
    return Body(
        surface.triangles, surface.weld, surface.uv, surface.material, surface.materials,
        surface.labels, surface.part, surface.part_uv, surface.naked, surface.naked_part,
        surface.naked_uv, height, rig, replace(marks, rest=marks.rest - origin), hanging, drawn,
    )  # fmt: skip


def posed(body: Body, pose: RigPose) -> Posed:
    """The person in a pose. Raises UsageError for a pose of another rig."""
    moves = transforms(body.rig, pose)
    points = skinned(body.rig.rest, body.rig.bones, body.rig.weights, moves)
    if body.drape is not None:
        points = body.drape.hung(points, moves)
    marks, directions = body.keypoints.posed(moves)
    if pose.grounded:
        lowest = np.array([0, points[body.drawn, 1].min(), 0], np.float32)
        points, marks = points - lowest, marks - lowest
    return Posed(points[body.weld], marks, directions)


def _parts(assets: Assets, base: FloatArray, outfit: Outfit) -> list[Part]:
    """The naked skin first, then all that is drawn."""
    skin = divided_skin(assets)
    worn = list(pieces(assets, base, outfit))
    head = list(head_pieces(assets, base, outfit))
    over = [*worn, *(piece for piece in head if piece.slot == "hat")]
    bare, drawn, shown = _skins(assets, base, over)
    if outfit.hair:
        hairy = skin.scalp[shown]
        drawn = replace(drawn, labels=np.where(hairy, np.uint8(Label.HAIR), drawn.labels))
    parts = [
        Part(bare, "skin", (skin.part, skin.part_uv), drawn=False, naked=True),
        Part(drawn, "skin", (skin.part[shown], skin.part_uv[shown])),
    ]
    for piece in [*(_below_others(piece, worn) for piece in worn), *head]:
        eyes = piece.slot == "eyes"
        charts = _eye_charts(assets) if eyes else None
        parts.append(Part(piece.sheet, piece.slot, charts, naked=eyes, hangs=piece.hangs))
    return parts


def _skins(
    assets: Assets, base: FloatArray, over: list[Piece]
) -> tuple[Sheet, Sheet, NDArray[np.intp]]:
    """The naked skin; what of it is drawn below the pieces, pressed; and which triangles that is.

    Both have the same points: the naked ones, then those that were pressed elsewhere.
    """
    skin = divided_skin(assets)
    body = group_sheet(assets, base, "body").triangles
    layers = [
        Over(piece.sheet, piece.hides, TUCK if piece.slot == "shoes" else MARGIN) for piece in over
    ]
    pressed, hidden = below(base, body, layers)
    if any(piece.slot == "shoes" for piece in over):
        hidden |= (shod(assets)[body] < 0).all(1)
    shown = np.flatnonzero(~hidden[skin.parent])
    bare = skin.sheet(base)
    moved = skin.extend(pressed)
    used = np.unique(skin.triangles[shown])
    other = used[(moved[used] != bare.points[used]).any(1)]
    number = np.arange(len(moved), dtype=np.int32)
    number[other] = len(moved) + np.arange(len(other))
    whole = replace(
        bare, points=np.concatenate([bare.points, moved[other]]),
        bones=np.concatenate([bare.bones, bare.bones[other]]),
        weights=np.concatenate([bare.weights, bare.weights[other]]),
    )  # fmt: skip
    drawn = replace(whole, triangles=number[whole.triangles]).take(shown)
    return whole, drawn, shown


def _eye_charts(assets: Assets) -> Charts:
    def make() -> Charts:
        eyes = fitted_sheet(assets, average_body(assets), "eyes", EYES)
        return head_charts(assets, eyes)

    found: Charts = assets.once("eye_charts", make)
    return found


def _below_others(piece: Piece, worn: list[Piece]) -> Piece:
    """A piece pressed below those over it, without what they hide."""
    over = [
        Over(other.sheet, other.hides, behind=THICK if other.slot == "coat" else BEHIND)
        for other in worn
        if other.level > piece.level
    ]
    if not over:
        return piece
    sheet = piece.sheet
    pressed, hidden = below(sheet.points, sheet.triangles, over)
    return replace(piece, sheet=sheet.moved(pressed).take(~hidden))
