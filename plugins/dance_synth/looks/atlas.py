"""What is where on the skin's texture: the base mesh spread out over its uv square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.surface import normals, triangulated
from dancecli.types import FloatArray, UInt8Array

Values = TypeVar("Values", bound=np.generic)


@dataclass(frozen=True, eq=False)
class SkinAtlas:
    """The N texels that show skin, of a square texture.

    size: its side. texels: int64 (N,), row * size + column. place: float32 (N, 3), metres on the
    neutral body. nearest: int32 (size * size,), for every texel the nearest of the N.
    scalp, ear, cavity: float32 (N,), 0-1. part: uint8 (N,), `coarse_names` of the pack.
    masks: float32 (N,) each, 0-1: "lips", "eyelids", "fingernails", "toenails", "inside-mouth".
    landmarks: float32 (70, 3), the face points on the same body.
    """

    size: int
    texels: NDArray[np.int64]
    place: FloatArray
    nearest: NDArray[np.int32]
    scalp: FloatArray
    ear: FloatArray
    cavity: FloatArray
    part: UInt8Array
    masks: dict[str, FloatArray]
    landmarks: FloatArray

    def picture(self, values: NDArray[Values]) -> NDArray[Values]:
        """Values (N, ...) as a picture (size, size, ...); gaps take the nearest texel's."""
        return values[self.nearest].reshape(self.size, self.size, *values.shape[1:])


_MASKS = "lips", "eyelids", "fingernails", "toenails", "inside-mouth"


def skin_atlas(assets: Assets, size: int) -> SkinAtlas:
    """The pack's skin at a texture size; made once."""
    found: SkinAtlas = assets.once(f"atlas/{size}", lambda: _make(assets, size))
    return found


def _make(assets: Assets, size: int) -> SkinAtlas:
    body, labels = assets.body, assets.vertex_labels
    skin = assets.group("body")
    faces, corners = body["faces"][skin], body["face_uvs"][skin]
    base = body["verts"].astype(np.float32)
    triangles, _ = triangulated(faces, corners)
    soft = [_smoothed(labels[name].astype(np.float32), triangles, 2) for name in ("scalp", "ear")]
    values = np.column_stack([base, *soft, _cavities(base, triangles)]).astype(np.float32)
    whole = labels["coarse_part"][faces].astype(np.uint8)
    spread, part, seen = _spread(values[faces], whole, body["uvs"][corners], size)
    texels = np.flatnonzero(seen)
    fields = spread[texels]
    points = [base[rows].mean(0) for rows in assets.keypoints["face70"]]
    return SkinAtlas(
        size, texels, np.ascontiguousarray(fields[:, :3]),
        _nearest(seen.reshape(size, size), texels),
        fields[:, 3], fields[:, 4], fields[:, 5], part[texels],
        {name: _mask(assets, name, size)[texels] for name in _MASKS},
        np.stack(points).astype(np.float32),
    )  # fmt: skip


def _cavities(base: FloatArray, triangles: NDArray[np.int32]) -> FloatArray:
    """How hollow the surface is at each vertex, 0-1: where less light comes in."""
    outwards = normals(base, triangles)
    total = np.zeros(len(base), np.float32)
    for rounds, depth in ((3, 0.0015), (12, 0.005)):
        inside = ((_smoothed(base, triangles, rounds) - base) * outwards).sum(1)
        total += np.clip(inside / depth, 0, 1) / 2
    return total


def _smoothed(values: FloatArray, triangles: NDArray[np.int32], rounds: int) -> FloatArray:
    """Values (P,) or (P, C) moved halfway to the mean of their neighbours, some rounds long."""
    edges = triangles[:, [0, 1, 1, 2, 2, 0, 1, 0, 2, 1, 0, 2]].reshape(-1, 2)
    degree = np.maximum(np.bincount(edges[:, 0], minlength=len(values)), 1)
    columns = values.reshape(len(values), -1).T.astype(np.float64)
    for _ in range(rounds):
        sums = [np.bincount(edges[:, 0], c[edges[:, 1]], len(values)) for c in columns]
        columns = (columns + np.stack(sums) / degree) / 2
    return columns.T.reshape(values.shape).astype(np.float32)


def _spread(
    values: FloatArray, kinds: UInt8Array, uv: FloatArray, size: int
) -> tuple[FloatArray, UInt8Array, NDArray[np.bool_]]:
    """Values (F, 4, C) and kinds (F, 4) at quads' corners, per texel, and which texels have them.

    Every quad is sampled densely, as a bilinear patch; finer for larger ones.
    """
    picture = np.zeros((size * size, values.shape[2]), np.float32)
    kind, seen = np.zeros(size * size, np.uint8), np.zeros(size * size, bool)
    extent = (uv.max(1) - uv.min(1)).max(1) * size
    steps = np.ceil(extent * 1.5 + 1).astype(int)
    for step in np.unique(steps):
        which = steps == step
        s, t = (
            grid.reshape(-1)
            for grid in np.meshgrid(*[(np.arange(step) + np.float32(0.5)) / step] * 2)
        )
        corners = np.stack([(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t], 1)
        corners = corners.astype(np.float32)
        column, row = np.moveaxis((corners @ uv[which] * (1, -1) + (0, 1)) * size, -1, 0)
        texel = np.clip(row, 0, size - 1).astype(np.int64) * size
        texel += np.clip(column, 0, size - 1).astype(np.int64)
        picture[texel] = corners @ values[which]
        kind[texel] = kinds[which][:, corners.argmax(1)]
        seen[texel] = True
    return picture, kind, seen


def _nearest(seen: NDArray[np.bool_], texels: NDArray[np.int64]) -> NDArray[np.int32]:
    """For every texel the number of the nearest that shows skin."""
    _, labels = cv2.distanceTransformWithLabels(
        (~seen).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(int(labels.max()) + 1, np.int32)
    number[labels.reshape(-1)[texels]] = np.arange(len(texels), dtype=np.int32)
    found: NDArray[np.int32] = number[labels.reshape(-1)]
    return found


def _mask(assets: Assets, name: str, size: int) -> FloatArray:
    data = np.frombuffer(assets.content(f"textures/mpfb_{name}.png"), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    scaled = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled.reshape(-1).astype(np.float32) / 255)
