"""What the pack has no mesh for: gloves, socks, knitted hats, caps, sunglasses, scarves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.cutting import suit
from dance_synth.labelling import HEAD, REGION, Skin, average_body, divided_skin
from dance_synth.neighbours import Neighbours
from dance_synth.parts import IntArray
from dance_synth.surface import BASE, Sheet, clipped, normals
from dancecli.types import FloatArray, UInt8Array

CLOTH = 1.6
"""Metres of skin that the base mesh's uv square is across, about."""

GLOVE, SOCK, KNIT = 0.0025, 0.002, 0.011
"""How far these stand off the skin, metres."""


def gloves(assets: Assets, base: FloatArray) -> Sheet:
    """Both hands and a bit of the forearms of a base (V, 3), blown up a little."""
    skin = divided_skin(assets)
    places = skin.extend(_toward_hand(assets))
    wide = np.isin(skin.region, [REGION[f"{s}_{p}"] for s in ("left", "right")
                                 for p in ("hand", "lower_arm")])  # fmt: skip
    return _blown(skin, base, wide, GLOVE, [places])


def socks(assets: Assets, base: FloatArray, length: float, in_shoes: bool) -> Sheet:
    """Feet and lower legs up to a height: 0 the ankle, 1 the knee; in shoes without the toes."""
    skin = divided_skin(assets)
    height = np.float32(-0.735 + 0.36 * length)
    legs = np.isin(skin.region, [REGION[f"{s}_{p}"] for s in ("left", "right")
                                 for p in ("foot", "lower_leg")])  # fmt: skip
    fields = [height - skin.extend(average_body(assets))[:, 1]]
    if in_shoes:
        fields.append(skin.extend(shod(assets)))
    return _blown(skin, base, legs, SOCK, fields)


def shod(assets: Assets) -> FloatArray:
    """Below 0 at base vertices of forefoot and sole, which every shoe has inside it; (19158,)."""
    _, y, z = average_body(assets).T
    inside = np.minimum(np.float32(0.09) - z, y + np.float32(0.785))
    return np.asarray(np.maximum(inside, y + np.float32(0.72)), np.float32)


def knitted_hat(assets: Assets, base: FloatArray, thickness: float = KNIT) -> Sheet:
    """The head above a tilted plane over the ears, blown up by `thickness` metres and smoothed."""
    skin = divided_skin(assets)
    pattern = skin.extend(average_body(assets))
    above = pattern[:, 1] - (0.752 + 0.3 * (pattern[:, 2] - 0.03))
    ears = skin.extend(assets.vertex_labels["ear"].astype(np.float32))[skin.triangles].max(1) > 0
    return _blown(skin, base, (skin.region == HEAD) & ~ears, thickness, [above], 12)


def cap(assets: Assets, base: FloatArray) -> tuple[Sheet, Sheet]:
    """A thin knitted hat, and its visor."""
    crown = knitted_hat(assets, base, 0.8 * KNIT)
    front = float(crown.points[:, 2].max())
    low = float(crown.points[crown.points[:, 2] > front - 0.02][:, 1].min())
    half = 0.42 * float(np.ptp(crown.points[:, 0]))
    a, s = np.meshgrid(np.linspace(-1.3, 1.3, 17), np.linspace(0, 1, 5))
    out = np.cos(a)
    visor = np.stack([
        half * np.sin(a) * (1 + 0.1 * s), low + 0.012 - 0.022 * s - 0.014 * np.sin(a) ** 2,
        0.02 + (front - 0.03) * out + 0.085 * s * np.sqrt(out),
    ], -1)  # fmt: skip
    return crown, rigid(assets, _grid(visor), "head")


def sunglasses(assets: Assets, base: FloatArray) -> Sheet:
    """Two bent ellipses before the eyes, a bridge, and bars to the ears."""
    points = assets.keypoints["body25"]
    right, left, right_ear, left_ear = (
        base[points[name]].mean(0) for name in ("REye", "LEye", "REar", "LEar")
    )
    apart = float(left[0] - right[0])
    brow = base[[assets.keypoints["face70"][i][0] for i in (19, 24, 27)]]
    depth = float(brow[:, 2].max()) + 0.006
    wide, tall = 0.46 * apart, 0.36 * apart
    bow = 0.35 / apart

    def before(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        middle = (left[0] + right[0]) / 2
        return np.stack([x, y, depth - bow * 0.12 * (x - middle) ** 2], -1)

    turn, out = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(0, 1, 4))
    pieces = []
    for eye in (right, left):
        x, y = eye[0] + wide * out * np.cos(turn), eye[1] + tall * out * np.sin(turn) - 0.002
        pieces.append(_grid(before(x, y)))
    across = np.linspace(right[0] + 0.9 * wide, left[0] - 0.9 * wide, 5)
    x, y = np.meshgrid(across, eye[1] + np.array([0.5, 0.25]) * tall, indexing="ij")
    pieces.append(_grid(before(x, y)))
    for eye, ear, sign in ((right, right_ear, -1), (left, left_ear, 1)):
        hinge = before(np.array(eye[0] + sign * wide * 0.95), np.array(eye[1] + 0.3 * tall))
        temple = np.array([ear[0] + sign * 0.004, ear[1] + 0.022, ear[2] + 0.01])
        way = hinge + np.linspace(0, 1, 7)[:, None] * (temple - hinge)
        way[1:-1, 0] += sign * 0.004
        pieces.append(_grid(np.stack([way, way + np.array([0, 0.005, 0])], 1)))
    return merged([rigid(assets, piece, "head") for piece in pieces])


def scarf(assets: Assets, base: FloatArray) -> Sheet:
    """A ring of cloth about the neck, and one end that hangs down the chest."""
    pattern, skin = average_body(assets), divided_skin(assets)
    neck = np.flatnonzero((np.abs(pattern[:, 1] - 0.585) < 0.02) & (np.abs(pattern[:, 0]) < 0.07))
    neck = np.intersect1d(neck, skin.triangles[skin.region != HEAD])
    middle, extent = base[neck].mean(0), np.ptp(base[neck], axis=0) / 2
    turn, around = np.meshgrid(
        np.linspace(0, 2 * np.pi, 37), np.linspace(0, 2 * np.pi, 13), indexing="ij"
    )
    thick = 0.026 + 0.005 * np.sin(3 * turn + 2 * around)
    ring = 0.9 * thick * np.cos(around)
    x = (extent[0] + 0.018 + ring) * np.sin(turn)
    z = (extent[2] + 0.018 + ring) * np.cos(turn)
    y = 1.25 * thick * np.sin(around) - 0.25 * z + 0.004 * np.sin(2 * turn)
    places = np.stack([x, y, z], -1) + middle
    torus = _nearest_skin(assets, base, _grid(places))
    return merged([torus, _hanging_end(assets, base)])


def _hanging_end(assets: Assets, base: FloatArray) -> Sheet:
    """A strip of the body suit down the left of the chest, standing off it."""
    pattern = average_body(assets)
    x, y, z = pattern.T
    sheet = suit(assets, base, 0.6, 0.024)
    fields = (0.045 - np.abs(x - 0.055), 0.575 - y, y - 0.25, z - 0.02)
    return clipped(sheet, [np.asarray(f, np.float32) for f in fields])


def _toward_hand(assets: Assets) -> FloatArray:
    """Base vertices' distance beyond a cuff 4 cm above the wrist, metres on the pattern."""
    pattern, points = average_body(assets), assets.keypoints["body25"]
    out = np.full(BASE, -1, np.float32)
    for side in "LR":
        elbow, wrist = (pattern[points[side + name]].mean(0) for name in ("Elbow", "Wrist"))
        along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        here = (pattern[:, 0] > 0) == (side == "L")
        out = np.where(here, (pattern - wrist) @ along + np.float32(0.04), out)
    return out


def _blown(
    skin: Skin, base: FloatArray, which: NDArray[np.bool_], off: float,
    fields: list[FloatArray], rounds: int = 0,
) -> Sheet:  # fmt: skip
    """Part of the skin moved outwards, where the fields are above 0; smoothed some rounds."""
    sheet = skin.sheet(base)
    out = normals(sheet.points, sheet.triangles)
    sheet = sheet.take(which)
    points = sheet.points
    if rounds:
        points = Neighbours.of(sheet.triangles, len(points)).smoothed(points, rounds)
    # Smoothing shrinks what is round; nothing may come nearer to the skin than a third.
    stands = np.maximum(((points - sheet.points) * out).sum(1) + off, off / 3)
    slid = points - out * ((points - sheet.points) * out).sum(1)[:, None]
    sheet = replace(sheet.moved(slid + out * stands[:, None]), uvs=sheet.uvs * np.float32(CLOTH))
    return clipped(sheet, fields)


def _grid(places: NDArray[np.float64]) -> Sheet:
    """A sheet through a grid of places (R, C, 3), facing where rows x columns points.

    uv: metres along both ways. It has no skin weights yet.
    """
    rows, columns = places.shape[:2]
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    quads = np.stack([a, b, c, d], -1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    u = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(places[:, 0], axis=0), axis=1))])
    v = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(places[0], axis=0), axis=1))])
    uvs = np.stack(np.meshgrid(u, v, indexing="ij"), -1).reshape(-1, 2).astype(np.float32)
    count = rows * columns
    return Sheet(
        places.reshape(-1, 3).astype(np.float32), np.zeros((count, 8), np.uint8),
        np.zeros((count, 8), np.float32), triangles, triangles, uvs,
        np.zeros(len(triangles), np.uint8),
    )  # fmt: skip


def rigid(assets: Assets, sheet: Sheet, bone: str) -> Sheet:
    """The sheet following one bone."""
    bones = np.full((len(sheet.points), 8), assets.bone_names.index(bone), np.uint8)
    weights = np.zeros((len(sheet.points), 8), np.float32)
    weights[:, 0] = 1
    return replace(sheet, bones=bones, weights=weights)


def _nearest_skin(assets: Assets, base: FloatArray, sheet: Sheet) -> Sheet:
    """The sheet following, at each point, the skin that is nearest in rest."""
    skin = divided_skin(assets)
    rows = np.unique(skin.triangles)
    points = skin.extend(base)[rows]
    gaps = ((sheet.points[:, None] - points[None]) ** 2).sum(-1)
    nearest = rows[gaps.argmin(1)]
    return replace(sheet, bones=skin.bones[nearest], weights=skin.weights[nearest])


def merged(sheets: list[Sheet]) -> Sheet:
    """Several sheets as one."""
    points = np.cumsum([0, *(len(s.points) for s in sheets)])
    uvs = np.cumsum([0, *(len(s.uvs) for s in sheets)])

    def shifted(which: list[IntArray], by: NDArray[np.int64]) -> IntArray:
        rows = [w + n for w, n in zip(which, by, strict=False)]
        return np.asarray(np.concatenate(rows), np.int32)

    labels: UInt8Array = np.concatenate([s.labels for s in sheets])
    return Sheet(
        np.concatenate([s.points for s in sheets]), np.concatenate([s.bones for s in sheets]),
        np.concatenate([s.weights for s in sheets]),
        shifted([s.triangles for s in sheets], points), shifted([s.corners for s in sheets], uvs),
        np.concatenate([s.uvs for s in sheets]), labels,
    )  # fmt: skip
