"""Meshes as the renderer wants them: one table of triangles and texels for all in a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dance_synth.compiled import compiled
from dance_synth.parts import Human, IntArray, Material
from dancecli.types import BoolArray, FloatArray, UInt8Array

KINDS = {"skin": 0, "cloth": 1, "hair": 2, "eye": 3, "leather": 4}
"""Kind of a material -> its number in the kernels."""

CLOSED = ("skin", "eye")
"""Kinds whose inside is never seen."""

LEVELS = 6
"""Sizes kept of each texture, each half the one before."""

PROP = 0
"""Owner of what is no person; the person whose picture it is is 1, others follow."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with all that their looks need.

    triangles: int32 (T, 3) into V vertices. weld: int32 (V,). uv: float32 (V, 2). Per triangle:
    material (into mips), kind (of `KINDS`), closed, cutout, label 0-21, owner (`PROP`, 1, ...) and
    texel_area, its size in texels of the finest texture. mips: int64 (M, LEVELS, 3), first texel,
    height and width of each material's textures. texels: uint8 (N, 4), sRGB and alpha.
    """

    triangles: IntArray
    weld: IntArray
    uv: FloatArray
    material: IntArray
    kind: UInt8Array
    closed: BoolArray
    cutout: BoolArray
    label: UInt8Array
    owner: UInt8Array
    texel_area: FloatArray
    mips: NDArray[np.int64]
    texels: UInt8Array


def mesh_of(human: Human, owner: int) -> Mesh:
    """A person's dressed surface."""
    return mesh_from(
        human.triangles, human.weld, human.uv, human.material.astype(np.int32), human.materials,
        human.labels, owner,
    )  # fmt: skip


def mesh_from(
    triangles: IntArray, weld: IntArray, uv: FloatArray, material: IntArray,
    materials: Sequence[Material], label: UInt8Array, owner: int,
) -> Mesh:  # fmt: skip
    """A mesh made ready; arrays as in `Human`, owner as in `Mesh`."""
    packed = [_pyramid(each.texture, each.cutout) for each in materials]
    mips, texels = _packed(packed)
    kinds = np.array([KINDS[each.kind] for each in materials], np.uint8)
    closed = np.array([each.kind in CLOSED and not each.cutout for each in materials])
    cutout = np.array([each.cutout for each in materials])
    sizes = np.array([each.texture.shape[:2] for each in materials], np.float32)
    corners = uv[triangles]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2 * sizes.prod(1)[material]
    return Mesh(
        np.ascontiguousarray(triangles, np.int32), np.ascontiguousarray(weld, np.int32),
        np.ascontiguousarray(uv, np.float32), material.astype(np.int32), kinds[material],
        closed[material], cutout[material], label, np.full(len(triangles), owner, np.uint8),
        area.astype(np.float32), mips, texels,
    )  # fmt: skip


def joined(parts: Sequence[Mesh]) -> Mesh:
    """Several meshes as one; the vertices follow each other in the same order."""
    if len(parts) == 1:
        return parts[0]
    points = np.cumsum([0, *(len(each.weld) for each in parts)])
    materials = np.cumsum([0, *(len(each.mips) for each in parts)])
    texels = np.cumsum([0, *(len(each.texels) for each in parts)])
    both = list(zip(parts, range(len(parts)), strict=True))
    return Mesh(
        np.concatenate([each.triangles + np.int32(points[i]) for each, i in both]),
        np.concatenate([each.weld + np.int32(points[i]) for each, i in both]),
        np.concatenate([each.uv for each in parts]),
        np.concatenate([each.material + np.int32(materials[i]) for each, i in both]),
        np.concatenate([each.kind for each in parts]),
        np.concatenate([each.closed for each in parts]),
        np.concatenate([each.cutout for each in parts]),
        np.concatenate([each.label for each in parts]),
        np.concatenate([each.owner for each in parts]),
        np.concatenate([each.texel_area for each in parts]),
        np.concatenate([each.mips + np.array([texels[i], 0, 0]) for each, i in both]),
        np.concatenate([each.texels for each in parts]),
    )


def normals(vertices: FloatArray, mesh: Mesh) -> FloatArray:
    """Unit normals (V, 3) out of the surface, smooth over seams of the texture."""
    return _normals(vertices, mesh.triangles, mesh.weld)  # type: ignore[no-any-return]


def _pyramid(texture: UInt8Array, cutout: bool) -> list[UInt8Array]:
    """The texture and its halves; transparent texels lend no colour to their neighbours."""
    levels = [np.ascontiguousarray(texture)]
    while len(levels) < LEVELS:
        height, width = levels[-1].shape[:2]
        size = (max(1, width // 2), max(1, height // 2))
        levels.append(_halved(levels[-1], size) if cutout else _shrunk(levels[-1], size))
    return levels


def _shrunk(texture: UInt8Array, size: tuple[int, int]) -> UInt8Array:
    return np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _halved(texture: UInt8Array, size: tuple[int, int]) -> UInt8Array:
    weighted = texture.astype(np.float32)
    weighted[..., :3] *= weighted[..., 3:] + 1e-3
    weighted = cv2.resize(weighted, size, interpolation=cv2.INTER_AREA)
    weighted[..., :3] /= weighted[..., 3:] + 1e-3
    return (weighted + 0.5).clip(0, 255).astype(np.uint8)


def _packed(pyramids: Sequence[list[UInt8Array]]) -> tuple[NDArray[np.int64], UInt8Array]:
    sizes = [[level.shape[:2] for level in levels] for levels in pyramids]
    shapes = np.array(sizes, np.int64).reshape(len(pyramids), LEVELS, 2)
    ends = np.cumsum(shapes.prod(2)).reshape(len(pyramids), LEVELS)
    mips = np.concatenate([(ends - shapes.prod(2))[..., None], shapes], 2)
    texels = np.concatenate([level.reshape(-1, 4) for levels in pyramids for level in levels])
    return mips, texels


@compiled
def mip_level(local, a, b, c, texel_area):  # type: ignore[no-untyped-def]
    """The size of its texture at which a texel of a triangle is about as large as a sample.

    local: of `raster.projected`. a, b, c: the triangle's corners.
    """
    za, zb, zc = local[a, 2], local[b, 2], local[c, 2]
    if za <= 0.0 or zb <= 0.0 or zc <= 0.0:
        return 0
    x0, y0 = local[a, 0] / za, local[a, 1] / za
    x1, y1 = local[b, 0] / zb - x0, local[b, 1] / zb - y0
    x2, y2 = local[c, 0] / zc - x0, local[c, 1] / zc - y0
    area = abs(x1 * y2 - x2 * y1)
    level = 0
    while level < LEVELS - 1 and texel_area > area:
        level += 1
        area *= 4.0
    return level


@compiled
def alpha_at(texels, mip, u, v):  # type: ignore[no-untyped-def]
    """Alpha 0-255 of a texture at (u, v), between texels linearly; repeated outside [0, 1]."""
    first, height, width = mip[0], mip[1], mip[2]
    x = (u - np.floor(u)) * width - 0.5
    y = (1.0 - (v - np.floor(v))) * height - 0.5
    j, i = int(np.floor(x)), int(np.floor(y))
    x, y = x - j, y - i
    j0, j1 = j % width, (j + 1) % width
    top, bottom = first + (i % height) * width, first + ((i + 1) % height) * width
    upper = (1.0 - x) * texels[top + j0, 3] + x * texels[top + j1, 3]
    lower = (1.0 - x) * texels[bottom + j0, 3] + x * texels[bottom + j1, 3]
    return (1.0 - y) * upper + y * lower


@compiled
def _normals(vertices, triangles, weld):  # type: ignore[no-untyped-def]
    total = np.zeros((len(vertices), 3), np.float32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x1, y1 = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1]
        z1 = vertices[b, 2] - vertices[a, 2]
        x2, y2 = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1]
        z2 = vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
        for corner in range(3):
            point = weld[triangles[t, corner]]
            total[point, 0] += nx
            total[point, 1] += ny
            total[point, 2] += nz
    out = np.zeros((len(vertices), 3), np.float32)
    for k in range(len(vertices)):
        n = total[weld[k]]
        length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
        if length > 0.0:
            out[k] = n / length
    return out
