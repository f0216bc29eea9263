"""What lies under what: pressing a layer below the one over it, and leaving out what is hidden.

A point is covered where a short ray along its normal meets an outer layer. That decides alike for
skin under clothes, shirts under jackets and socks under shoes, whatever is combined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dance_synth.compiled import compiled
from dance_synth.neighbours import Neighbours
from dance_synth.parts import IntArray
from dance_synth.surface import Sheet, normals
from dancecli.types import BoolArray, FloatArray

BEHIND = 0.02
"""How far inside a point an outer layer may lie and still count as over it, metres."""

THICK = 0.04
"""The same below a coat, where what is worn has folds."""

AHEAD = 0.045
"""How far outside, metres."""

GAP = 0.004
"""Room that a pressed point has below the outer layer, metres."""

CELL = 0.03
"""Edge of the cubes that triangles are sorted into, metres."""

MARGIN = 0.03
"""How far skin goes on below the edge of clothes, metres along the skin."""

TUCK = 0.015
"""The same of a garment below another, and of skin in a shoe."""


@dataclass(frozen=True, eq=False)
class _Grid:
    """Triangles by the cubes that their boxes touch: those of cube c are order[starts[c]:...]."""

    origin: FloatArray
    shape: NDArray[np.int64]
    starts: NDArray[np.int64]
    order: NDArray[np.int64]


def clearance(
    points: FloatArray, directions: FloatArray, outer: Sequence[Sheet],
    behind: float = BEHIND, ahead: float = AHEAD,
) -> FloatArray:  # fmt: skip
    """How far along its unit direction each point meets the outer sheets; (P,), inf: nowhere.

    points, directions: (P, 3), metres. Of several places the one nearest to the point counts; below
    0 it lies behind the point. Points with a zero direction meet nothing. behind, ahead: metres
    looked at either way.
    """
    corners = [sheet.points[sheet.triangles] for sheet in outer if len(sheet.triangles)]
    if not corners:
        return np.full(len(points), np.inf, np.float32)
    faces = np.concatenate(corners).astype(np.float32)
    grid = _sorted(faces)
    middle = faces.mean(1)
    radius = np.sqrt(((faces - middle[:, None]) ** 2).sum(2).max(1))
    return np.asarray(
        _meet(
            points.astype(np.float32), directions.astype(np.float32), faces, middle, radius,
            grid.origin, grid.shape, grid.starts, grid.order, np.float32(behind), np.float32(ahead),
        )
    )  # fmt: skip


def _sorted(faces: FloatArray) -> _Grid:
    low, high = faces.min(1), faces.max(1)
    origin = low.min(0) - np.float32(1e-4)
    first = ((low - origin) / CELL).astype(np.int64)
    last = ((high - origin) / CELL).astype(np.int64)
    shape = last.max(0) + 1
    extent = last - first + 1
    count = extent.prod(1)
    triangle = np.repeat(np.arange(len(faces)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    wide = extent[triangle]
    x, y, z = (
        step // (wide[:, 1] * wide[:, 2]), step // wide[:, 2] % wide[:, 1], step % wide[:, 2]
    )  # fmt: skip
    at = first[triangle] + np.stack([x, y, z], 1)
    cell = (at[:, 0] * shape[1] + at[:, 1]) * shape[2] + at[:, 2]
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(shape.prod() + 1))
    return _Grid(origin, shape, starts, triangle[order])


@compiled
def _meet(
    points: FloatArray, rays: FloatArray, faces: FloatArray, middle: FloatArray,
    radius: FloatArray, origin: FloatArray, shape: NDArray[np.int64], starts: NDArray[np.int64],
    order: NDArray[np.int64], behind: np.float32, ahead: np.float32,
) -> FloatArray:  # fmt: skip
    out = np.full(len(points), np.inf, np.float32)
    low, high = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for p in range(len(points)):
        a, b, c = rays[p]
        if a == 0 and b == 0 and c == 0:
            continue
        for axis in range(3):
            one = points[p, axis] - behind * rays[p, axis] - origin[axis]
            two = points[p, axis] + ahead * rays[p, axis] - origin[axis]
            low[axis] = max(int(np.floor(min(one, two) / CELL)), 0)
            high[axis] = min(int(np.floor(max(one, two) / CELL)), shape[axis] - 1)
        best = np.float32(np.inf)
        for x in range(low[0], high[0] + 1):
            for y in range(low[1], high[1] + 1):
                for z in range(low[2], high[2] + 1):
                    cell = (x * shape[1] + y) * shape[2] + z
                    for k in range(starts[cell], starts[cell + 1]):
                        f = order[k]
                        dx = middle[f, 0] - points[p, 0]
                        dy = middle[f, 1] - points[p, 1]
                        dz = middle[f, 2] - points[p, 2]
                        along = dx * a + dy * b + dz * c
                        r = radius[f]
                        if (
                            along - r > ahead
                            or along + r < -behind
                            or (dx * dx + dy * dy + dz * dz - along * along > r * r)
                        ):
                            continue
                        t = _along(points[p], rays[p], faces[f])
                        if -behind <= t <= ahead and abs(t) < abs(best):
                            best = t
        out[p] = best
    return out


@compiled
def _along(point: FloatArray, ray: FloatArray, face: FloatArray) -> np.float32:
    """Where the line point + t ray meets a triangle (Moeller and Trumbore); t, or inf."""
    none = np.float32(np.inf)
    e1x, e1y, e1z = face[1, 0] - face[0, 0], face[1, 1] - face[0, 1], face[1, 2] - face[0, 2]
    e2x, e2y, e2z = face[2, 0] - face[0, 0], face[2, 1] - face[0, 1], face[2, 2] - face[0, 2]
    px = ray[1] * e2z - ray[2] * e2y
    py = ray[2] * e2x - ray[0] * e2z
    pz = ray[0] * e2y - ray[1] * e2x
    det = e1x * px + e1y * py + e1z * pz
    if abs(det) < 1e-12:
        return none
    sx, sy, sz = point[0] - face[0, 0], point[1] - face[0, 1], point[2] - face[0, 2]
    u = (sx * px + sy * py + sz * pz) / det
    if u < -1e-4 or u > 1.0001:
        return none
    qx, qy, qz = sy * e1z - sz * e1y, sz * e1x - sx * e1z, sx * e1y - sy * e1x
    v = (ray[0] * qx + ray[1] * qy + ray[2] * qz) / det
    if v < -1e-4 or u + v > 1.0001:
        return none
    return np.float32((e2x * qx + e2y * qy + e2z * qz) / det)


def pressed(points: FloatArray, directions: FloatArray, room: FloatArray) -> FloatArray:
    """Points moved back along their directions until `room` (P,) is at least `GAP`."""
    back = np.where(np.isfinite(room), np.minimum(room - np.float32(GAP), 0), 0)
    return np.asarray(points + directions * back[:, None], np.float32)


def inner(
    covered: BoolArray, points: FloatArray, triangles: IntArray, near: Neighbours, margin: float
) -> BoolArray:
    """Triangles (T,) that are covered and farther than the margin from what is not.

    covered: (P,). The way is measured along the edges of the mesh.
    """
    way = np.where(covered, np.float32(np.inf), np.float32(0))
    _walk(way, points, near.starts, near.points, np.float32(margin))
    return np.asarray((way[triangles] > margin).all(1))


@compiled
def _walk(
    way: FloatArray, points: FloatArray, starts: NDArray[np.int64], near: NDArray[np.int64],
    most: np.float32,
) -> None:  # fmt: skip
    """Shortens `way` to the length of the shortest way from where it is 0, as far as `most`."""
    changed = True
    while changed:
        changed = False
        for p in range(len(way)):
            if way[p] > most:
                for k in range(starts[p], starts[p + 1]):
                    q = near[k]
                    if way[q] < most:
                        x, y, z = points[p] - points[q]
                        length = way[q] + np.sqrt(x * x + y * y + z * z)
                        if length < way[p]:
                            way[p] = length
                            changed = True


@dataclass(frozen=True, eq=False)
class Over:
    """An outer layer, and the part of it (None: all) that hides what is below.

    margin: how far what is below goes on under its edge, and behind: how far below the surface of
    that it may lie in places, metres.
    """

    sheet: Sheet
    hides: Sheet | None = None
    margin: float = TUCK
    behind: float = BEHIND


def below(
    points: FloatArray, triangles: IntArray, outer: Sequence[Over]
) -> tuple[FloatArray, BoolArray]:
    """A mesh pressed below outer layers: points (P, 3), and which triangles (T,) are hidden.

    Each layer hides by itself, so that one sees into a gap between two.
    """
    out = normals(points, triangles)
    room = np.full(len(points), np.inf, np.float32)
    hidden = np.zeros(len(triangles), bool)
    near = Neighbours.of(triangles, len(points))
    for layer in outer:
        found = clearance(points, out, [layer.sheet], layer.behind)
        room = np.where(np.abs(found) < np.abs(room), found, room)
        if layer.hides is not None:
            found = clearance(points, out, [layer.hides], layer.behind)
        hidden |= inner(np.isfinite(found), points, triangles, near, layer.margin)
    return pressed(points, out, room), hidden
