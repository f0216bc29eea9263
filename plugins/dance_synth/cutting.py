"""Garments cut from the body suit and the skirt that come with the base mesh.

Lines are drawn on the pattern: the average body in rest, metres, where the waist is at y = 0.17,
the crotch at -0.04, the knees at -0.34, and the collarbones at 0.55. What a line keeps is the same
on every body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dance_synth.assets import Assets
from dance_synth.labelling import REGION, average_body, region_scores
from dance_synth.parts import IntArray
from dance_synth.surface import Sheet, clipped, group_neighbours, group_sheet, normals
from dancecli.types import FloatArray

SUIT, SKIRT = "helper-tights", "helper-skirt"

WAIST, HIPS, CROTCH = 0.17, 0.06, -0.04

LOOSE = 0.022
"""How far the loosest garment stands off the suit, metres."""

COAT = 0.012
"""How far a coat stands off what a top of the same fit would."""

_WAYS = (
    ("torso", ("torso", "neck", "head"), 0.15), ("left_arm", ("left_upper_arm", "left_lower_arm",
     "left_hand"), 0.05), ("right_arm", ("right_upper_arm", "right_lower_arm", "right_hand"), 0.05),
    ("left_leg", ("left_upper_leg", "left_lower_leg", "left_foot"), 0.08),
    ("right_leg", ("right_upper_leg", "right_lower_leg", "right_foot"), 0.08),
)  # fmt: skip
"""Tubes that cloth is wound around: regions, and the radius that gives u in metres."""


def suit(assets: Assets, base: FloatArray, fit: float, extra: float = 0.0) -> Sheet:
    """The whole body suit on a morphed base, with cloth uv, `fit` (0-1) loose, `extra` farther.

    base: float32 (V, 3). extra: metres.
    """
    sheet = _with_cloth_uv(assets, group_sheet(assets, base, SUIT), SUIT)
    near = group_neighbours(assets, SUIT)
    points = sheet.points
    out = near.smoothed(normals(points, sheet.triangles), 4)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    # Cloth lies on the shoulders and at the collar, and stands off elsewhere.
    collar = np.clip((0.57 - average_body(assets)[:, 1]) / 0.12, 0, 1)
    standing = (1 - 0.85 * np.clip(out[:, 1], 0, 1)) * collar
    if fit > 0:
        hung = near.smoothed(points, 2 + round(10 * fit), 0.4)
        share = min(1.0, 2 * fit) * _tube_scores(assets)[:, 0] * collar
        points = points + share[:, None] * (hung - points)
    away = LOOSE * fit * standing + extra * np.maximum(collar, 0.5)
    return sheet.moved(points + out * away[:, None])


def top(
    assets: Assets, base: FloatArray, *, sleeve: float, neck: float, hem: float, fit: float
) -> Sheet:
    """From T-shirt to polo neck; base as in `suit`, numbers as in `Outfit`."""
    pattern = average_body(assets)
    lowest = WAIST + (CROTCH + 0.01 - WAIST) * hem
    fields = (
        pattern[:, 1] - np.float32(lowest), _below_neck(pattern, neck), _sleeve(assets, sleeve),
    )  # fmt: skip
    return clipped(suit(assets, base, fit), fields)


def trousers(assets: Assets, base: FloatArray, *, leg: float, fit: float) -> Sheet:
    """From hot pants to leggings that end at the ankle; base and numbers as in `top`."""
    y = average_body(assets)[:, 1]
    lowest = -0.09 + (-0.745 + 0.09) * leg
    return clipped(suit(assets, base, 0.7 * fit), (np.float32(0.12) - y, y - np.float32(lowest)))


def skirt(
    assets: Assets, base: FloatArray, *, length: float, flare: float, highest: float = 0.14
) -> Sheet:
    """A skirt from the waist down; `highest` is its upper edge on the pattern, metres.

    Base and other numbers as in `top`.
    """
    y = average_body(assets)[:, 1]
    return clipped(
        _flared(assets, base, flare), (np.float32(highest) - y, y - np.float32(skirt_end(length)))
    )


def skirt_end(length: float) -> float:
    """The height of a skirt's hem on the pattern."""
    return -0.17 - 0.38 * length


def open_coat(
    assets: Assets, base: FloatArray, *, sleeve: float, length: float, fit: float
) -> tuple[Sheet, Sheet]:
    """Upper and hanging part of a coat that is open at the front; base and numbers as in `top`."""
    pattern = average_body(assets)
    y = pattern[:, 1]
    opening = _beside_opening(pattern)
    upper_fields = (
        y - np.float32(HIPS), _below_neck(pattern, 0.55), _sleeve(assets, sleeve), opening,
    )  # fmt: skip
    upper = clipped(suit(assets, base, fit, COAT + LOOSE * 0.3), upper_fields)
    lowest = np.float32(-0.05 - 0.3 * length)
    hanging = _flared(assets, base, 0.15, 0.5 * LOOSE * fit + COAT + 0.01)
    return upper, clipped(hanging, (np.float32(HIPS + 0.03) - y, y - lowest, opening))


def _flared(assets: Assets, base: FloatArray, flare: float, extra: float = 0.0) -> Sheet:
    sheet = _with_cloth_uv(assets, group_sheet(assets, base, SKIRT), SKIRT)
    drop = np.maximum(HIPS - average_body(assets)[:, 1], 0)
    middle = sheet.points[sheet.triangles.reshape(-1)].mean(0)
    out = (sheet.points - middle) * np.array([1, 0, 1], np.float32)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    return sheet.moved(sheet.points + out * (0.3 * flare * drop + extra)[:, None])


def _below_neck(pattern: FloatArray, neck: float) -> FloatArray:
    """Above 0 below a neckline: a tilted plane that rises to the sides."""
    marks = (0.0, 0.5, 1.0)
    front = np.interp(neck, marks, (0.46, 0.553, 0.64))
    back = np.interp(neck, marks, (0.55, 0.588, 0.69))
    rise = np.interp(neck, marks, (0.6, 0.35, 0.0))
    share = (0.1 - pattern[:, 2]) / 0.14
    edge = front + (back - front) * share + rise * np.abs(pattern[:, 0])
    return np.asarray(edge - pattern[:, 1], np.float32)


def _beside_opening(pattern: FloatArray) -> FloatArray:
    """Above 0 beside and behind the opening of a coat, which widens downwards."""
    half = 0.03 + 0.1 * np.clip(0.5 - pattern[:, 1], 0, 0.7)
    return np.maximum(np.abs(pattern[:, 0]) - half, 0.03 - pattern[:, 2]).astype(np.float32)


def _sleeve(assets: Assets, sleeve: float) -> FloatArray:
    """Above 0 where a sleeve of that length covers."""
    ends = np.interp(sleeve, (0.0, 0.1, 1.0), (-0.08, 0.08, 1.02))
    return np.asarray(np.float32(ends) - _arm_places(assets), np.float32)


def _arm_places(assets: Assets) -> FloatArray:
    """Where along the arm each base vertex lies, float32 (V,).

    0 shoulder, 1 wrist, below 0 towards the trunk. Between arm and trunk the values are spread
    evenly over the suit, so that its lines of one value are rings.
    """

    def make() -> FloatArray:
        pattern, scores = average_body(assets), _tube_scores(assets)
        arms = scores[:, 1] + scores[:, 2]
        along = np.maximum(*(_along_arm(assets, pattern, side) for side in "LR"))
        fixed = (arms > 0.97) | (arms < 0.02)
        place = np.where(arms > 0.97, along, np.float32(-0.3))
        near = group_neighbours(assets, SUIT)
        for _ in range(150):
            place = np.where(fixed, place, near.smoothed(place, 1, 1.0))
        return np.asarray(place, np.float32)

    found: FloatArray = assets.once("arm_places", make)
    return found


def _along_arm(assets: Assets, pattern: FloatArray, side: str) -> FloatArray:
    """Place along shoulder-elbow-wrist in [0, 1] by projection; 0 on the other side."""
    points = assets.keypoints["body25"]
    shoulder, elbow, wrist = (
        pattern[points[side + name]].mean(0) for name in ("Shoulder", "Elbow", "Wrist")
    )
    upper, lower = (float(np.linalg.norm(b - a)) for a, b in ((shoulder, elbow), (elbow, wrist)))
    first = (pattern - shoulder) @ (elbow - shoulder) / upper
    second = (pattern - elbow) @ (wrist - elbow) / lower
    place = np.where(first < upper, first, upper + np.maximum(second, 0)) / (upper + lower)
    here = (pattern[:, 0] > 0) == (side == "L")
    return np.where(here, place, 0).astype(np.float32)


def _tube_scores(assets: Assets) -> FloatArray:
    """How much each base vertex belongs to each of `_WAYS`, float32 (19158, 5)."""

    def make() -> FloatArray:
        scores = region_scores(assets)
        return np.stack([scores[:, [REGION[n] for n in names]].sum(1) for _, names, _ in _WAYS], 1)

    found: FloatArray = assets.once("tube_scores", make)
    return found


def _with_cloth_uv(assets: Assets, sheet: Sheet, key: str) -> Sheet:
    """The same sheet with uv in metres of cloth."""
    corners, uvs = assets.once(f"cloth_uv/{key}", lambda: _cloth_uv(assets, sheet.triangles, key))
    return replace(sheet, corners=corners, uvs=uvs)


def _cloth_uv(assets: Assets, triangles: IntArray, key: str) -> tuple[IntArray, FloatArray]:
    """Cloth wound about trunk and limbs: u angle times radius, v height or length; both metres."""
    pattern, scores = average_body(assets), _tube_scores(assets)
    way = scores[triangles].mean(1).argmax(1) if key == SUIT else np.zeros(len(triangles), int)
    uv = np.zeros((len(triangles), 3, 2), np.float32)
    for number, (name, _, radius) in enumerate(_WAYS):
        rows = way == number
        if rows.any():
            wide = 0.2 if key == SKIRT else radius
            uv[rows] = _wound(pattern[triangles[rows]], _axis(assets, pattern, name), wide)
    rows = np.column_stack([triangles.reshape(-1), np.round(uv.reshape(-1, 2) * 1e4)])
    _, first, corners = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return corners.reshape(-1, 3).astype(np.int32), uv.reshape(-1, 2)[first]


def _axis(assets: Assets, pattern: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
    """Start and direction of a tube's axis on the pattern."""
    points = assets.keypoints["body25"]
    side = name[0].upper()
    ends = {"arm": ("Shoulder", "Wrist"), "leg": ("Hip", "Ankle")}.get(name[-3:])
    if ends is None:
        return np.array([0, 0, 0.03], np.float32), np.array([0, -1, 0], np.float32)
    start, end = (pattern[points[side + joint]].mean(0) for joint in ends)
    return start, (end - start) / np.linalg.norm(end - start)


def _wound(points: FloatArray, axis: Sequence[FloatArray], radius: float) -> FloatArray:
    """uv (T, 3, 2) of triangles about an axis; the angle runs on across the seam at the back."""
    start, along = axis
    offset = points - start
    front = np.array([0, 0, 1], np.float32)
    front = front - along * (front @ along)
    front = front / np.linalg.norm(front)
    side = np.cross(along, front)
    angle = np.arctan2(offset @ side, offset @ front)
    angle = np.where(angle - angle[:, :1] > np.pi, angle - 2 * np.pi, angle)
    angle = np.where(angle - angle[:, :1] < -np.pi, angle + 2 * np.pi, angle)
    return np.asarray(np.stack([-angle * radius, -(offset @ along)], -1), np.float32)
