"""Meshes with skin weights, and cutting them exactly along a line where a field is zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets, Fitted
from dance_synth.neighbours import Neighbours
from dance_synth.parts import IntArray
from dancecli.types import BoolArray, FloatArray, UInt8Array

INFLUENCES = 8
"""Bones that may move one point."""

BONES = 79

BASE = 19158
"""Points of the base mesh, helpers and joint cubes among them."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A surface on the unposed person.

    points: float32 (P, 3), metres. bones: uint8 (P, 8) and weights: float32 (P, 8), rows of which
    sum to 1, largest first. triangles: int32 (T, 3) into points; corners: int32 (T, 3) into
    uvs: float32 (M, 2). labels: uint8 (T,), 0-21.
    """

    points: FloatArray
    bones: UInt8Array
    weights: FloatArray
    triangles: IntArray
    corners: IntArray
    uvs: FloatArray
    labels: UInt8Array

    def take(self, which: BoolArray | NDArray[np.intp]) -> Sheet:
        """Only some of the triangles, a mask (T,) or their numbers; the points stay."""
        return replace(
            self, triangles=self.triangles[which], corners=self.corners[which],
            labels=self.labels[which],
        )  # fmt: skip

    def labelled(self, label: int) -> Sheet:
        """All triangles with one label."""
        return replace(self, labels=np.full(len(self.triangles), label, np.uint8))

    def moved(self, points: FloatArray) -> Sheet:
        """The same with its points (P, 3) elsewhere."""
        return replace(self, points=points.astype(np.float32))

    def compact(self) -> Sheet:
        """Without the points that no triangle uses."""
        used, triangles = np.unique(self.triangles, return_inverse=True)
        return replace(
            self, points=self.points[used], bones=self.bones[used], weights=self.weights[used],
            triangles=triangles.reshape(-1, 3).astype(np.int32),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cut:
    """New points on edges: (1 - place) * value[start] + place * value[end], appended."""

    start: NDArray[np.intp]
    end: NDArray[np.intp]
    place: FloatArray

    def extend(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (P, ...) of the old points, then those of the new ones."""
        place = self.place.reshape(-1, *(1,) * (values.ndim - 1))
        new = values[self.start] * (1 - place) + values[self.end] * place
        return np.concatenate([values, new.astype(values.dtype)])


@dataclass(frozen=True, eq=False)
class Split:
    """Triangles of a mesh cut in two along a line.

    triangles, corners: (T', 3), into points and uvs extended by the cuts. parent: (T',) the
    triangle each comes from. inside: (T',) whether the field is above 0 there.
    """

    triangles: IntArray
    corners: IntArray
    parent: NDArray[np.intp]
    inside: BoolArray
    points: Cut
    uvs: Cut


def split(
    triangles: IntArray, corners: IntArray, field: FloatArray, count: tuple[int, int],
    only: BoolArray | None = None,
) -> Split:  # fmt: skip
    """Cuts the triangles (those of `only`) that the line field = 0 crosses.

    field: (P,), linear along edges. count: numbers of points and uvs so far.
    """
    above = (field > 0)[triangles]
    number = above.sum(1)
    crossed = (number == 1) | (number == 2)
    if only is not None:
        crossed &= only
    which = np.flatnonzero(crossed)
    # The corner that is alone on its side comes first.
    alone = np.where(number[which] == 1, above[which].argmax(1), (~above[which]).argmax(1))
    order = (alone[:, None] + np.arange(3)) % 3
    tri = np.take_along_axis(triangles[which], order, 1).astype(np.int64)
    uv = np.take_along_axis(corners[which], order, 1).astype(np.int64)
    ends = np.concatenate([tri[:, [0, 1]], tri[:, [0, 2]]])
    points, new_point = _on_edges(ends, field, count[0])
    uvs, new_uv = _beside(np.concatenate([uv[:, [0, 1]], uv[:, [0, 2]]]), ends, points, new_point)
    half = len(which)
    cut_tri = _three(tri, new_point[:half] + count[0], new_point[half:] + count[0])
    cut_uv = _three(uv, new_uv[:half] + count[1], new_uv[half:] + count[1])
    lone_above = above[which, alone]
    whole = ~crossed
    middle = field[triangles[whole]].sum(1) > 0
    return Split(
        np.concatenate([triangles[whole], cut_tri]).astype(np.int32),
        np.concatenate([corners[whole], cut_uv]).astype(np.int32),
        np.concatenate([np.flatnonzero(whole), which, which, which]),
        np.concatenate([middle, lone_above, ~lone_above, ~lone_above]), points, uvs,
    )  # fmt: skip


def _three(tri: NDArray[np.int64], first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """The lone corner's triangle, then the two of the quadrangle that is left."""
    return np.concatenate([
        np.stack([tri[:, 0], first, second], 1), np.stack([first, tri[:, 1], tri[:, 2]], 1),
        np.stack([first, tri[:, 2], second], 1),
    ])  # fmt: skip


def _on_edges(ends: NDArray[Any], field: FloatArray, count: int) -> tuple[Cut, NDArray[np.intp]]:
    """One new point per edge, and which of them each row of ends (E, 2) has."""
    low, high = ends.min(1), ends.max(1)
    _, first, new = np.unique(low * count + high, return_index=True, return_inverse=True)
    start, end = low[first], high[first]
    gap = field[start] - field[end]
    place = field[start] / np.where(gap == 0, 1, gap)
    return Cut(start, end, np.clip(place, 0, 1).astype(np.float32)), new.reshape(-1)


def _beside(
    uv: NDArray[Any], ends: NDArray[Any], points: Cut, new: NDArray[np.intp]
) -> tuple[Cut, NDArray[np.intp]]:
    """The same places between uv rows; on a seam one point has two of them."""
    turned = ends[:, 0] > ends[:, 1]
    uv = np.where(turned[:, None], uv[:, ::-1], uv)
    rows = np.column_stack([new, uv])
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return Cut(uv[first, 0], uv[first, 1], points.place[new[first]]), which.reshape(-1)


def clipped(sheet: Sheet, fields: Sequence[FloatArray]) -> Sheet:
    """What is left of a sheet where all the fields (P,) are above 0."""
    rest = [np.asarray(f, np.float32) for f in fields]
    while rest:
        sheet, cut = _kept(sheet, rest[0])
        rest = [cut.extend(f) for f in rest[1:]]
    return sheet.compact()


def _kept(sheet: Sheet, field: FloatArray) -> tuple[Sheet, Cut]:
    """What of a sheet is above 0, and how its points were extended."""
    made = split(sheet.triangles, sheet.corners, field, (len(sheet.points), len(sheet.uvs)))
    bones, weights = extend_skin(sheet.bones, sheet.weights, made.points)
    whole = Sheet(
        made.points.extend(sheet.points), bones, weights, made.triangles, made.corners,
        made.uvs.extend(sheet.uvs), sheet.labels[made.parent],
    )  # fmt: skip
    return whole.take(made.inside), made.points


def extend_skin(bones: UInt8Array, weights: FloatArray, cut: Cut) -> tuple[UInt8Array, FloatArray]:
    """Skin weights of the old points, (P, 8) as in `Sheet`, then of the new ones: (P + N, 8)."""
    start, end = (dense_skin(bones[rows], weights[rows]) for rows in (cut.start, cut.end))
    mixed = start + cut.place[:, None] * (end - start)
    new_bones, new_weights = sparse_skin(np.asarray(mixed, np.float32))
    return np.concatenate([bones, new_bones]), np.concatenate([weights, new_weights])


def dense_skin(bones: UInt8Array, weights: FloatArray) -> FloatArray:
    """Weights of all bones, float32 (P, 79)."""
    out = np.zeros((len(bones), BONES), np.float32)
    np.add.at(out, (np.arange(len(bones))[:, None], bones), weights)
    return out


def sparse_skin(dense: FloatArray) -> tuple[UInt8Array, FloatArray]:
    """The largest weights of each row, largest first, made to sum to 1: bones and weights (P, 8).

    dense: (P, bones).
    """
    order = np.argsort(-dense, axis=1, kind="stable")[:, :INFLUENCES]
    weights = np.take_along_axis(dense, order, 1)
    weights = np.where(weights < 1e-3, 0, weights)
    return order.astype(np.uint8), (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def base_skin(assets: Assets) -> tuple[UInt8Array, FloatArray]:
    """Skin weights of the base mesh: bones and weights (V, 8), as in `Sheet`."""

    def make() -> tuple[UInt8Array, FloatArray]:
        file = assets.body
        return sparse_skin(dense_skin(file["skin_index"], file["skin_weight"].astype(np.float32)))

    found: tuple[UInt8Array, FloatArray] = assets.once("base_skin", make)
    return found


def group_sheet(assets: Assets, base: FloatArray, group: str) -> Sheet:
    """A group of the base mesh ("helper-tights", ...) on a morphed base (V, 3), label 0."""

    def make() -> tuple[IntArray, IntArray]:
        which = assets.group(group)
        return triangulated(assets.body["faces"][which], assets.body["face_uvs"][which])

    triangles, corners = assets.once(f"group/{group}", make)
    bones, weights = base_skin(assets)
    labels = np.zeros(len(triangles), np.uint8)
    return Sheet(base, bones, weights, triangles, corners, assets.body["uvs"], labels)


def fitted_sheet(
    assets: Assets, base: FloatArray, kind: str, name: str, components: Sequence[int] | None = None
) -> Sheet:
    """A garment, hair, eyes ... on a morphed base (V, 3), label 0; only some components of it.

    Raises WeightsError where the pack has none of that kind and name.
    """
    mesh = assets.fitted(kind, name)
    key = f"sheet/{kind}/{name}/{components}"
    bones, weights, triangles, corners = assets.once(
        key, lambda: _fitted_parts(assets, mesh, components)
    )
    labels = np.zeros(len(triangles), np.uint8)
    return Sheet(mesh.place(base), bones, weights, triangles, corners, mesh.uvs, labels)


def _fitted_parts(
    assets: Assets, mesh: Fitted, components: Sequence[int] | None
) -> tuple[UInt8Array, FloatArray, IntArray, IntArray]:
    bones, weights = base_skin(assets)
    mixed = np.zeros((len(mesh.bind_index), BONES), np.float32)
    for corner in range(3):
        rows = mesh.bind_index[:, corner]
        mixed += mesh.bind_weight[:, corner, None] * dense_skin(bones[rows], weights[rows])
    faces, corners = mesh.faces, mesh.corners
    if components is not None:
        which = np.isin(mesh.component, components)
        faces, corners = faces[which], corners[which]
    mixed = np.maximum(mixed, np.float32(0))
    return (*sparse_skin(mixed), *triangulated(faces, corners))


def triangulated(faces: IntArray, corners: IntArray) -> tuple[IntArray, IntArray]:
    """Two triangles per quad, one where the fourth vertex repeats the first.

    faces, corners: (F, 4); both int32 (T, 3) then.
    """
    quads = faces[:, 3] != faces[:, 0]

    def both(rows: IntArray) -> IntArray:
        parts = [rows[:, [0, 1, 2]], rows[quads][:, [0, 2, 3]]]
        return np.asarray(np.concatenate(parts), np.int32)

    return both(faces), both(corners)


def group_neighbours(assets: Assets, group: str) -> Neighbours:
    """Neighbours within a group of the base mesh; made once."""

    def make() -> Neighbours:
        return Neighbours.of(group_sheet(assets, assets.body["verts"], group).triangles, BASE)

    found: Neighbours = assets.once(f"neighbours/{group}", make)
    return found


def normals(points: FloatArray, triangles: IntArray) -> FloatArray:
    """Unit normals (P, 3) of the points, weighted by area; zero where no triangle is."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros((len(points), 3))
    for axis in range(3):
        flat = np.repeat(face[:, axis], 3)
        out[:, axis] = np.bincount(triangles.reshape(-1), flat, len(points))
    length = np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    return np.asarray(out / length, np.float32)
