"""Face, hair and hat: what lies about the face's landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dance_builtin.body import BodyFrame
from dance_builtin.colour import ColourModel, central, generic_skin, lab, learn
from dance_builtin.pixels import CLEAR, FEW, Pixels
from dance_builtin.regions import FAR, polygon_distance
from dance_builtin.skin import even_skin
from dancecli.types import SEEN, BoolArray, FloatArray, Skeleton

FOREHEAD = 0.42
"""Height of the forehead over that of brows to chin; hair may begin lower, skin colour decides."""

ON_HEAD = 0.6
"""Score of the head within which a cover is hair or hat."""

BALD = 0.45
"""Overlap of the colours of crown and face from which the crown is bare."""

LONG_HAIR = 0.36
"""How far from the middle of the head hair is looked for, / height."""


@dataclass(frozen=True, eq=False)
class Head:
    """Of the N pixels: hair and hat, bool (N,), surely so. hair_model, hat_model: their colours,
    None where there is none."""

    hair: BoolArray
    hat: BoolArray
    hair_model: ColourModel | None
    hat_model: ColourModel | None


@dataclass(frozen=True, eq=False)
class Face:
    """Of the N pixels: scores of the landmarks' hull with the forehead (outline) and without it
    (core), FAR where no face is seen; sample, bool (N,), what is surely its skin."""

    outline: FloatArray
    core: FloatArray
    sample: BoolArray


def find_face(points: FloatArray, body: BodyFrame, skeleton: Skeleton) -> Face:
    """The face by its landmarks; nowhere (FAR) if fewer than 60 of the 68 are seen.

    points: (N, 2), pixels.
    """
    face = skeleton.face
    if (face[:68, 2] >= SEEN).sum() < 60:
        nowhere = np.full(len(points), FAR, np.float32)
        return Face(nowhere, nowhere, np.zeros(len(points), bool))
    brows, chin = face[17:27, :2], face[8, :2]
    lift = FOREHEAD * (brows.mean(0) - chin)
    outline, _ = _score(points, np.concatenate([face[:68, :2], brows + lift]), body)
    core, depth = _score(points, face[:68, :2], body)
    sample = (core <= 0) & (depth > 0.003 * body.height)
    for first, last in ((17, 27), (36, 42), (42, 48), (48, 60)):
        sample &= ~polygon_distance(points, _hull(face[first:last, :2]))[0]
    return Face(outline, core, sample)


def _score(
    points: FloatArray, corners: FloatArray, body: BodyFrame
) -> tuple[FloatArray, FloatArray]:
    inside, distance = polygon_distance(points, _hull(corners))
    score = np.where(inside, 0.0, distance / np.float32(0.02 * body.height))
    return score.astype(np.float32), distance


def _hull(points: FloatArray) -> FloatArray:
    return np.asarray(cv2.convexHull(points.astype(np.float32)).reshape(-1, 2), np.float32)


def find_hair(pixels: Pixels, body: BodyFrame, face: Face, skin: ColourModel) -> Head:
    """Hair and hat: what is on the head and neither face nor skin, and what hangs down from it."""
    none = np.zeros(len(pixels.points), bool)
    regions = pixels.regions
    on_head = (regions.head < ON_HEAD) & (face.core > 0.5)
    # Under the chin it may be a collar.
    on_head &= _above_head(pixels, body) > -0.03 * body.height
    covered = on_head & ((skin(pixels.lab) < CLEAR) | _unlike_face(pixels, body, face, on_head))
    if covered.sum() < max(FEW, 0.05 * (regions.head < ON_HEAD).sum()):
        return Head(none, none, None, None)
    hat, hat_model = _hat(pixels, body, covered)
    tuft = covered & ~hat
    if tuft.sum() < FEW:
        return Head(none, hat, None, hat_model)
    colours = pixels.lab[tuft]
    model = learn(colours[central(colours, 3.5)])
    return Head(tuft | _hanging(pixels, body, tuft, model, skin), hat, model, hat_model)


def _unlike_face(pixels: Pixels, body: BodyFrame, face: Face, on_head: BoolArray) -> BoolArray:
    """Fair and red hair is near to skin under another light, but not to this face in this light."""
    above = _above_head(pixels, body)
    crown = on_head & (above > np.quantile(above[on_head], 0.7)) if on_head.any() else on_head
    skin = even_skin(pixels.rgb[face.sample], generic_skin())
    if crown.sum() < FEW or len(skin) < FEW:
        return np.zeros_like(on_head)
    colours = pixels.lab[crown]
    crown_model, skin_model = learn(colours[central(colours, 2.5)]), learn(lab(skin[None])[0])
    if crown_model.overlap(skin_model) > BALD:
        return np.zeros_like(on_head)
    return np.asarray(crown_model(pixels.lab) > skin_model(pixels.lab) + 1.5)


def _above_head(pixels: Pixels, body: BodyFrame) -> FloatArray:
    """How far up from the middle of the head, pixels (N,)."""
    up = body.head - body.at("neck")
    along = (pixels.points - body.head) @ (up / max(float(np.hypot(*up)), 1e-3))
    return np.asarray(along, np.float32)


def _hat(
    pixels: Pixels, body: BodyFrame, covered: BoolArray
) -> tuple[BoolArray, ColourModel | None]:
    """A hat is a cover above the ears in a colour that no hair has: blue, green, bright red."""
    crown = covered & (_above_head(pixels, body) > 0.03 * body.height)
    if crown.sum() < FEW:
        return np.zeros_like(covered), None
    _, a, b = np.median(pixels.lab[crown].astype(np.float32), axis=0) - 128
    if not (b < -8 or a < -8 or a > 26):
        return np.zeros_like(covered), None
    return crown, learn(pixels.lab[crown])


def _hanging(
    pixels: Pixels, body: BodyFrame, tuft: BoolArray, model: ColourModel, skin: ColourModel
) -> BoolArray:
    """Pixels below the head in the hair's colour, joined to it; none if the clothes share it."""
    regions, hair = pixels.regions, model(pixels.lab)
    cloth = (regions.torso < 0.46) & (regions.axis > 0.45) & (regions.axis < 0.85)
    if cloth.sum() >= FEW and (hair[cloth] > CLEAR).mean() > 0.4:
        return np.zeros_like(tuft)
    near = np.hypot(*(pixels.points - body.head).T) < LONG_HAIR * body.height
    like = near & (hair > CLEAR) & (hair > skin(pixels.lab) + 0.5)
    picture = pixels.grid(like | tuft).astype(np.uint8)
    picture = cv2.morphologyEx(picture, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    picture |= pixels.grid(tuft).astype(np.uint8)
    _, pieces = cv2.connectedComponents(picture, connectivity=8)
    pieces = pieces[pixels.person]
    joined = np.bincount(pieces[tuft], minlength=int(pieces.max()) + 1) >= 0.3 * tuft.sum()
    joined[0] = False
    hanging: BoolArray = like & joined[pieces]
    return hanging
