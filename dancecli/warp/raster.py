"""Textured triangles on a canvas: exact inverse maps, then one remap per piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.texture import Piece

IntArray = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles over a piece. vertices: float32 (n, 2), picture pixels. triangles: (m, 3)."""

    vertices: FloatArray
    triangles: IntArray


@dataclass(frozen=True, eq=False)
class Painted:
    """A piece on the canvas: where (left, top), and arrays of its size.

    rgba: uint8 (h, w, 4). real: uint8 (h, w). depth: float32 (h, w).
    """

    left: int
    top: int
    rgba: UInt8Array
    real: UInt8Array
    depth: FloatArray


def grid_mesh(piece: Piece, spacing: float) -> Mesh:
    """Two triangles for each cell of a grid in which the piece shows anything.

    spacing: a cell's side at most, picture pixels.
    """
    import cv2

    height, width = piece.real.shape
    rows, columns = (max(1, int(np.ceil(side / spacing))) for side in (height, width))
    y, x = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(np.float32)
    vertices = np.stack([x * width / columns, y * height / rows], -1).reshape(-1, 2)
    shown = (piece.rgba[..., 3] > 2).astype(np.float32)
    padded = cv2.dilate(shown, np.ones((3, 3), np.uint8))
    cells = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA) > 0
    corner = np.arange((rows + 1) * (columns + 1), dtype=np.int32).reshape(rows + 1, -1)
    a, b = corner[:-1, :-1][cells], corner[:-1, 1:][cells]
    c, d = corner[1:, :-1][cells], corner[1:, 1:][cells]
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    used, compact = np.unique(triangles, return_inverse=True)
    offset = np.array([piece.left, piece.top], np.float32)
    return Mesh(vertices[used] + offset, compact.reshape(-1, 3).astype(np.int32))


def paint(
    piece: Piece, texture_scale: float, points: FloatArray, vertices: FloatArray,
    triangles: IntArray, depth: FloatArray, canvas: tuple[int, int],
) -> Painted | None:  # fmt: skip
    """The piece with `vertices` (n, 2; picture pixels) moved to `points` (n, 2; canvas pixels).

    texture_scale: texture pixels per picture pixel. depth: float32 (n,), towards the camera:
    nearer triangles hide others of the same piece. canvas: (height, width). None when nothing of
    it falls on the canvas.
    """
    import cv2

    window = _window(points[triangles.reshape(-1)], canvas) if len(triangles) else None
    if window is None:
        return None
    left, top, right, bottom = window
    nearness = depth[triangles].mean(1)
    order = np.argsort(nearness, kind="stable")
    corners = points[triangles[order]] - np.array([left, top], np.float32)
    origin = np.array([piece.left, piece.top], np.float32)
    texture = (vertices[triangles[order]] - origin) * texture_scale
    maps, sound = _affine_maps(corners, texture)
    ids = _triangle_ids(corners, sound, (bottom - top, right - left))
    u, v = _places(maps, ids)
    rgba = cv2.remap(piece.rgba, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    real = cv2.remap(piece.real, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    edge = cv2.blur((ids > 0).astype(np.uint8) * 255, (3, 3)).astype(np.float32) * (1.2 / 255)
    covered = np.where(ids > 0, np.minimum(edge, 1), 0)
    rgba[..., 3] = np.round(rgba[..., 3] * covered).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(rgba[..., 3])
    if not width:
        return None
    shows = np.s_[y : y + height, x : x + width]
    painted_depth = np.append(np.float32(0), nearness[order])[ids[shows]]
    return Painted(left + x, top + y, rgba[shows], real[shows], painted_depth)


def _window(points: FloatArray, canvas: tuple[int, int]) -> tuple[int, int, int, int] | None:
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), canvas[1]), min(int(high[1]), canvas[0])
    return (left, top, right, bottom) if right > left and bottom > top else None


def _affine_maps(corners: FloatArray, texture: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Float32 (6, m + 1): texture x, y = maps @ (canvas x, y, 1); row 0 maps to nowhere.

    Second: bool (m,), False for triangles without area.
    """
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    sound = np.abs(area) > 0.02
    inverse = 1 / np.where(sound, area, 1)
    t, tab, tac = texture[:, 0], texture[:, 1] - texture[:, 0], texture[:, 2] - texture[:, 0]
    by_x = (tab * ac[:, 1:] - tac * ab[:, 1:]) * inverse[:, None]
    by_y = (tac * ab[:, :1] - tab * ac[:, :1]) * inverse[:, None]
    # OpenCV's pixel centres are whole numbers.
    shift = t - by_x * a[:, :1] - by_y * a[:, 1:] - 0.5
    rows = [by_x[:, 0], by_y[:, 0], shift[:, 0], by_x[:, 1], by_y[:, 1], shift[:, 1]]
    maps = np.zeros((6, len(corners) + 1), np.float32)
    maps[:, 1:] = rows
    maps[[2, 5], 0] = -10
    return maps, sound


def _places(maps: FloatArray, ids: IntArray) -> tuple[FloatArray, FloatArray]:
    """Texture x and y, float32 (h, w), of the canvas pixels that the triangles `ids` cover."""
    height, width = ids.shape
    column = np.arange(width, dtype=np.float32)[None] + np.float32(0.5)
    row = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    at = ids.astype(np.intp)
    x, y = (by_x.take(at) * column for by_x in maps[[0, 3]])
    for place, (by_y, shift) in ((x, maps[1:3]), (y, maps[4:6])):
        place += by_y.take(at) * row
        place += shift.take(at)
    return x, y


def _triangle_ids(corners: FloatArray, sound: BoolArray, shape: tuple[int, int]) -> IntArray:
    """Int32 (h, w): number + 1 of the last triangle drawn on each pixel, 0 for none."""
    import cv2

    ids = np.zeros(shape, np.int32)
    fixed = np.clip(np.round((corners - 0.5) * 16), -(2**20), 2**20).astype(np.int32)
    for number in np.flatnonzero(sound):
        cv2.fillConvexPoly(ids, fixed[number], int(number) + 1, lineType=cv2.LINE_8, shift=4)
    return ids
