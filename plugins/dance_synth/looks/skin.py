"""Skin painted from scratch, for the pack has no skin textures.

Two pigments make its colour: melanin and blood (Tsumura et al. 2003, "Image-based skin color and
texture analysis/synthesis by extracting hemoglobin and melanin information"). Both vary over the
body as fields on the atlas; paint and hair lie on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.looks.atlas import SkinAtlas, skin_atlas
from dance_synth.looks.complexion import Colour, Complexion
from dance_synth.looks.face import FaceFields, face_fields
from dance_synth.noise import noise_in_space
from dance_synth.parts import Material
from dancecli.types import FloatArray

TONES = (
    (0.0, (243, 211, 193)), (0.2, (231, 191, 167)), (0.35, (214, 169, 141)),
    (0.5, (190, 143, 112)), (0.65, (155, 110, 83)), (0.8, (114, 79, 61)), (1.0, (66, 46, 38)),
)  # fmt: skip
"""Melanin and the skin's sRGB at middling blood: chosen by eye."""

PALM_PALENESS = 0.28
"""Most that palms and soles fall short of the rest's melanin."""

_EXTREMITIES = ("l_hand", "r_hand", "l_foot", "r_foot")
_SUNNY = ("head", "l_lower_arm", "r_lower_arm", "l_hand", "r_hand", "l_lower_leg", "r_lower_leg")


@dataclass(frozen=True, eq=False)
class _Canvas:
    """Skin being painted: colour float32 (N, 3), 0-1, one row per texel of the atlas."""

    atlas: SkinAtlas
    face: FaceFields
    parts: tuple[str, ...]
    person: Complexion
    rng: np.random.Generator
    colour: FloatArray

    def on(self, *parts: str) -> NDArray[np.bool_]:
        """Which texels belong to parts of the body."""
        return np.isin(self.atlas.part, [self.parts.index(name) for name in parts])

    def lay(self, colour: Sequence[float] | FloatArray, share: FloatArray) -> None:
        """A colour (0-1) over everything, by share (N,)."""
        self.colour[:] += (np.asarray(colour, np.float32) - self.colour) * share[:, None]

    def lay_on_face(self, colour: Sequence[float] | FloatArray, share: FloatArray) -> None:
        """The same over the head, share (M,)."""
        head = self.colour[self.face.rows]
        head += (np.asarray(colour, np.float32) - head) * share[:, None]
        self.colour[self.face.rows] = head


def paint_skin(assets: Assets, person: Complexion, size: int = 512) -> Material:
    """The skin's texture, uint8 (size, size, 4) in the base mesh's uv."""
    atlas = skin_atlas(assets, size)
    canvas = _Canvas(
        atlas, face_fields(assets, size),
        tuple(str(name) for name in assets.vertex_labels["coarse_names"]), person,
        np.random.default_rng(person.seed), np.empty((len(atlas.place), 3), np.float32),
    )  # fmt: skip
    _bare(canvas)
    _age(canvas)
    _mouth(canvas)
    _eyes(canvas)
    _nails(canvas)
    _scalp(canvas)
    _beard(canvas)
    flat = (np.clip(canvas.colour, 0, 1) * 255 + 0.5).astype(np.uint8)
    opaque = np.full((len(flat), 1), 255, np.uint8)
    return Material(atlas.picture(np.hstack([flat, opaque])), "skin")


def _bare(canvas: _Canvas) -> None:
    """Skin as its two pigments make it, darker in its hollows."""
    atlas, person, rng = canvas.atlas, canvas.person, canvas.rng
    broad, middle, small = (noise_in_space(rng, atlas.place, lump) for lump in (0.1, 0.022, 0.006))
    inner = _inner_sides(canvas)
    melanin = person.melanin + 0.012 * broad + 0.012 * middle + 0.01 * small
    melanin += 0.12 * person.tan * (canvas.on(*_SUNNY) - 0.3) + _spots(canvas)
    melanin -= inner * min(PALM_PALENESS, 0.5 * person.melanin)
    melanin[canvas.face.rows] += 0.05 * canvas.face.fields["under eyes"]
    blood = person.blood - 0.5 + 0.12 * (broad - middle) + 0.1 * small
    blood += 0.3 * inner + 0.6 * atlas.ear + 0.25 * canvas.on(*_EXTREMITIES)
    field = canvas.face.fields
    blood[canvas.face.rows] += 0.7 * field["cheeks"] + 0.6 * field["nose"] + 0.3 * field["lids"]
    canvas.colour[:] = _from_pigments(melanin, blood)
    # Light that comes back out of a hollow has met skin more than once: it is redder.
    canvas.colour[:] *= 1 - atlas.cavity[:, None] * np.array([0.14, 0.2, 0.22], np.float32)
    canvas.colour[:] *= 1 + 0.02 * rng.standard_normal((len(blood), 1), np.float32)


def _from_pigments(melanin: FloatArray, blood: FloatArray) -> FloatArray:
    stops, tones = zip(*TONES, strict=True)
    table, values = np.array(tones) / 255, np.clip(melanin, 0, 1)
    colour = np.stack([np.interp(values, stops, table[:, c]) for c in range(3)], 1)
    strength = (1 - 0.55 * values) * blood
    return np.asarray(colour * (1 + strength[:, None] * (0.035, -0.085, -0.06)), np.float32)


def _inner_sides(canvas: _Canvas) -> FloatArray:
    """Palms and soles, 0-1: in the rest pose palms look inwards and down, soles down."""
    x, y, z = canvas.atlas.place.T
    # Across the left hand's plane, along the palm's normal.
    palm = np.clip((0.503 - (np.abs(x) * 0.81 + y * 0.57 + z * 0.1)) / 0.008, 0, 1)
    sole = np.clip((-0.805 - y) / 0.01, 0, 1)
    hands, feet = canvas.on(*_EXTREMITIES[:2]), canvas.on(*_EXTREMITIES[2:])
    return np.asarray(hands * palm + feet * sole, np.float32)


def _spots(canvas: _Canvas) -> FloatArray:
    """Freckles over nose and cheeks, moles anywhere, (N,) of melanin."""
    atlas, rng = canvas.atlas, canvas.rng
    total = np.zeros(atlas.size * atlas.size, np.float32)
    scale = atlas.size / 512
    for texel in rng.choice(atlas.texels, rng.poisson(10)):
        _dot(total, texel, rng.uniform(0.4, 1.1) * scale, rng.uniform(0.15, 0.5))
    freckles = int(canvas.person.freckles * 250)
    if freckles:
        likely = np.maximum(canvas.face.fields["cheeks"], canvas.face.fields["nose"]) ** 2
        rows = rng.choice(canvas.face.rows, freckles, p=likely / likely.sum())
        for texel in atlas.texels[rows]:
            _dot(total, texel, rng.uniform(0.4, 0.7) * scale, rng.uniform(0.06, 0.2))
    found: FloatArray = total[atlas.texels]
    return found


def _dot(total: FloatArray, texel: int, radius: float, strength: float) -> None:
    """A soft disc about a texel of a flattened square picture."""
    size, reach = int(len(total) ** 0.5), np.arange(-3, 4)
    rows = np.clip(texel // size + reach, 0, size - 1)
    columns = np.clip(texel % size + reach, 0, size - 1)
    where = rows[:, None] * size + columns
    disc = np.exp(-(reach[:, None] ** 2 + reach**2) / radius**2) * strength
    total[where] = np.maximum(total[where], disc)


def _age(canvas: _Canvas) -> None:
    """Folds from nose to mouth, and lines on the forehead of the old."""
    age, field = canvas.person.age, canvas.face.fields
    lines = field["folds"] + field["forehead"] * np.clip(age * 2 - 0.7, 0, 1)
    canvas.colour[canvas.face.rows] *= 1 - (0.03 + 0.2 * age**1.5) * lines[:, None] * np.array(
        [0.8, 1.1, 1.1], np.float32
    )


def _mouth(canvas: _Canvas) -> None:
    lips, parting = canvas.atlas.masks["lips"], canvas.face.fields["parting"]
    tone = np.median(canvas.colour, 0)
    canvas.lay(tone * (0.9, 0.7, 0.72) + (0.04, 0, 0.01), 0.7 * lips)
    _paint(canvas, canvas.person.lips, 0.7 * lips)
    canvas.colour[canvas.face.rows] *= 1 - 0.45 * parting[:, None]
    canvas.lay((0.36, 0.13, 0.13), canvas.atlas.masks["inside-mouth"])


def _paint(canvas: _Canvas, colour: Colour | None, share: FloatArray) -> None:
    if colour:
        canvas.lay(np.array(colour) / 255, share)


def _eyes(canvas: _Canvas) -> None:
    """Lids: eye shadow, the crease, the line where lashes grow; a trace of brows."""
    person, field = canvas.person, canvas.face.fields
    if person.lids:
        canvas.lay_on_face(np.array(person.lids) / 255, 0.4 * field["shadow"])
    canvas.colour[canvas.face.rows] *= 1 - 0.16 * field["crease"][:, None]
    canvas.lay_on_face((0.12, 0.08, 0.07), (0.7 if person.lids else 0.35) * field["rims"])
    canvas.lay_on_face(np.array(person.hair) / 255, 0.25 * field["brows"])


def _nails(canvas: _Canvas) -> None:
    tone = np.median(canvas.colour, 0)
    for name in ("fingernails", "toenails"):
        mask = canvas.atlas.masks[name]
        canvas.lay(np.clip(tone * (1.1, 1.0, 1.0), 0, 1), 0.6 * mask)
        _paint(canvas, canvas.person.nails, 0.9 * mask)


def _scalp(canvas: _Canvas) -> None:
    """Hair on the scalp: shaved stubble, or what shows between the strands of a style."""
    atlas, person, rng = canvas.atlas, canvas.person, canvas.rng
    rows = np.flatnonzero(atlas.scalp > 0)
    ragged = 0.25 * noise_in_space(rng, atlas.place[rows], 0.01)
    density = np.clip(atlas.scalp[rows] * 2 - 0.7 + ragged * (atlas.scalp[rows] < 0.9), 0, 1)
    stubble = 1 + 0.12 * rng.standard_normal(len(rows), np.float32)
    share = np.zeros(len(atlas.place), np.float32)
    share[rows] = np.clip(person.scalp * density * stubble, 0, 1)
    canvas.lay(np.array(person.hair) / 255, share)


def _beard(canvas: _Canvas) -> None:
    person, rng, face = canvas.person, canvas.rng, canvas.face
    if not person.beard:
        return
    area = face.fields[person.beard_style]
    ragged = 0.15 * noise_in_space(rng, canvas.atlas.place[face.rows], 0.006)
    density = np.clip(area * 1.5 - 0.3 + ragged * (area > 0.1), 0, 1)
    density *= 1 - canvas.atlas.masks["lips"][face.rows]
    strands = 1 + 0.25 * rng.standard_normal(len(density), np.float32)
    # Stubble shows bluish through the skin; a full beard hides it.
    shade = np.array(person.hair) / 255 * 0.8 + (0.0, 0.01, 0.02)
    canvas.lay_on_face(shade, np.clip(density * strands * (0.15 + 0.75 * person.beard), 0, 0.95))
