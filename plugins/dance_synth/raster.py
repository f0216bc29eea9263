"""Which surface is seen at each sample of a picture: z-buffers in perspective and from afar.

Triangles are tested in homogeneous coordinates (Olano and Greer 1997, "Triangle scan conversion
using 2D homogeneous coordinates"): the plane of each is found before the division by depth, so
that weights are perspective-correct, and one that crosses the plane of the eye needs no cutting:
its samples nearer than `NEAR` are passed over.

Of two surfaces at one depth, the triangle that comes first wins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dance_synth.camera import NEAR, seen_from
from dance_synth.compiled import compiled
from dance_synth.meshes import Mesh, alpha_at, mip_level
from dance_synth.parts import Camera, IntArray
from dancecli.types import FloatArray

FAR = np.float32(np.inf)


@dataclass(frozen=True, eq=False)
class Samples:
    """What is seen at each of (h, w) samples.

    depth: float32, metres along the camera's axis, infinite where there is nothing. triangle:
    int32, -1 where there is nothing. weights: float32 (h, w, 2) of its second and third corner.
    """

    depth: FloatArray
    triangle: IntArray
    weights: FloatArray

    @staticmethod
    def empty(height: int, width: int) -> Samples:
        """Nothing seen anywhere."""
        return Samples(
            np.full((height, width), FAR, np.float32),
            np.full((height, width), -1, np.int32),
            np.zeros((height, width, 2), np.float32),
        )

    def copy(self) -> Samples:
        """The same, to be drawn over."""
        return Samples(self.depth.copy(), self.triangle.copy(), self.weights.copy())


def projected(camera: Camera, vertices: FloatArray, grid: int) -> FloatArray:
    """Vertices (V, 3) of the world as (x·depth, y·depth, depth), x and y in samples."""
    local = seen_from(camera, vertices)
    depth = local[:, 2]
    local[:, 0] = local[:, 0] * (camera.focal * grid) + depth * (camera.width * grid / 2)
    local[:, 1] = local[:, 1] * (camera.focal * grid) + depth * (camera.height * grid / 2)
    return local


def draw(
    samples: Samples, local: FloatArray, mesh: Mesh, grid: int,
    first: int = 0, stop: int | None = None,
) -> None:  # fmt: skip
    """Draws triangles first to stop of the surfaces over what is there.

    local: of `projected`. grid: samples per pixel and axis; sample (i, j) lies at
    ((j + 0.5) / grid, (i + 0.5) / grid). Closed surfaces show their front alone.
    """
    stop = len(mesh.triangles) if stop is None else stop
    _draw(
        local, mesh.triangles, mesh.closed, mesh.cutout, mesh.uv,
        mesh.material, mesh.mips, mesh.texels, mesh.texel_area, first, stop, grid,
        samples.depth, samples.triangle, samples.weights,
    )  # fmt: skip


@compiled
def _opacity(texels, mip, uv, a, b, c, w1, w2):  # type: ignore[no-untyped-def]
    """Of the texture, 0-255, at the weights of a triangle's second and third corner."""
    w0 = 1.0 - w1 - w2
    u = w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0]
    v = w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1]
    return alpha_at(texels, mip, u, v)


@compiled
def _between(low, high, least, most):  # type: ignore[no-untyped-def]
    """The first and last sample whose middle lies from low to high, within least and most."""
    return max(least, int(np.ceil(low - 0.5))), min(most, int(np.floor(high - 0.5)))


@compiled
def _draw(
    local, triangles, closed, cutout, uv, material, mips, texels, texel_area, first, stop, grid,
    depth, seen, weights,
):  # type: ignore[no-untyped-def]  # fmt: skip
    height, width = depth.shape
    for t in range(first, stop):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = np.float64(local[a, 0]), np.float64(local[a, 1]), np.float64(local[a, 2])
        x1, y1, z1 = np.float64(local[b, 0]), np.float64(local[b, 1]), np.float64(local[b, 2])
        x2, y2, z2 = np.float64(local[c, 0]), np.float64(local[c, 1]), np.float64(local[c, 2])
        if z0 < NEAR and z1 < NEAR and z2 < NEAR:
            continue
        left, right, top, bottom = 0, width - 1, 0, height - 1
        if z0 >= NEAR and z1 >= NEAR and z2 >= NEAR:
            u0, u1, u2 = x0 / z0, x1 / z1, x2 / z2
            v0, v1, v2 = y0 / z0, y1 / z1, y2 / z2
            left, right = _between(min(u0, u1, u2), max(u0, u1, u2), left, right)
            top, bottom = _between(min(v0, v1, v2), max(v0, v1, v2), top, bottom)
            if left > right or top > bottom:
                continue
        # Rows of the adjugate of [corner 0, corner 1, corner 2]: the corners' weights times S.
        ax, ay, az = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
        bx, by, bz = y2 * z0 - z2 * y0, z2 * x0 - x2 * z0, x2 * y0 - y2 * x0
        cx, cy, cz = y0 * z1 - z0 * y1, z0 * x1 - x0 * z1, x0 * y1 - y0 * x1
        volume = x0 * ax + y0 * ay + z0 * az
        if volume == 0.0 or (closed[t] and volume > 0.0):
            continue
        sign = 1.0 if volume > 0.0 else -1.0
        mip = mips[material[t], mip_level(local, a, b, c, texel_area[t]) if cutout[t] else 0]
        for i in range(top, bottom + 1):
            y = i + 0.5
            for j in range(left, right + 1):
                x = j + 0.5
                w0 = sign * (ax * x + ay * y + az)
                w1 = sign * (bx * x + by * y + bz)
                w2 = sign * (cx * x + cy * y + cz)
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                total = w0 + w1 + w2
                if total <= 0.0:
                    continue
                z = np.float32(sign * volume / total)
                if z < NEAR or z >= depth[i, j]:
                    continue
                w1, w2 = w1 / total, w2 / total
                if cutout[t]:
                    opacity = _opacity(texels, mip, uv, a, b, c, w1, w2)
                    if opacity <= _threshold(i, j, grid, t):
                        continue
                depth[i, j] = z
                seen[i, j] = t
                weights[i, j, 0] = w1
                weights[i, j, 1] = w2


@compiled
def _threshold(i, j, grid, t):  # type: ignore[no-untyped-def]
    """An even spread of 0-1 over the samples of a pixel, in another order in every pixel.

    Hashed alpha testing (Wyman and McGuire 2017), in shares of a pixel's samples, so that a half
    transparent surface covers about half of each pixel.
    """
    pixel = np.uint32(i // grid) * np.uint32(73856093) ^ np.uint32(j // grid) * np.uint32(19349663)
    pixel ^= np.uint32(t) * np.uint32(83492791)
    pixel ^= pixel >> np.uint32(13)
    pixel *= np.uint32(0x5BD1E995)
    pixel ^= pixel >> np.uint32(15)
    number = np.uint32((i % grid) * grid + j % grid)
    count = np.uint32(grid * grid)
    slot = (number + pixel) % count
    jitter = np.float32((pixel >> np.uint32(8)) & np.uint32(0xFFFF)) / np.float32(65536.0)
    return 255.0 * (np.float32(slot) + jitter) / np.float32(count)


@dataclass(frozen=True, eq=False)
class FarMap:
    """Depths seen from infinitely far away along a direction: what a light reaches.

    rows: float32 (3, 4); world point p falls on (x, y) = rows[:2] · (p, 1), and rows[2] · (p, 1)
    is its depth in metres, less being nearer to the light. depth: float32 (n, n).
    """

    rows: FloatArray
    depth: FloatArray


def corners(points: FloatArray) -> FloatArray:
    """The eight corners (8, 3) of the upright box about points (N, 3)."""
    low, high = points.min(0), points.max(0)
    takes = np.indices((2, 2, 2)).reshape(3, 8).T
    return np.where(takes, high, low).astype(np.float32)


def far_map(direction: FloatArray, around: FloatArray, size: int) -> FarMap:
    """An empty map, of size x size, that takes in all points around (N, 3).

    direction: towards the light.
    """
    z = -direction / np.linalg.norm(direction)
    x = np.cross(z, (0.0, 1.0, 0.0) if abs(z[1]) < 0.9 else (0.0, 0.0, 1.0))
    x /= np.linalg.norm(x)
    basis = np.stack([x, np.cross(z, x), z])
    local = around @ basis.T.astype(np.float32)
    low, high = local.min(0), local.max(0)
    scale = (size - 4) / max(float((high - low)[:2].max()), 1e-3)
    rows = np.zeros((3, 4))
    rows[:, :3] = basis
    rows[:2] *= scale
    rows[:2, 3] = size / 2 - scale * (low + high)[:2] / 2
    return FarMap(rows.astype(np.float32), np.full((size, size), FAR, np.float32))


def draw_far(
    target: FarMap, vertices: FloatArray, mesh: Mesh, first: int = 0, stop: int | None = None
) -> None:
    """Draws triangles first to stop over what is there; cut-outs where they are half opaque.

    vertices: (V, 3), metres, world.
    """
    local = vertices @ target.rows[:, :3].T + target.rows[:, 3]
    stop = len(mesh.triangles) if stop is None else stop
    _draw_far(
        local, mesh.triangles, mesh.cutout, mesh.uv, mesh.material, mesh.mips,
        mesh.texels, first, stop, target.depth,
    )  # fmt: skip


@compiled
def _draw_far(local, triangles, cutout, uv, material, mips, texels, first, stop, depth):  # type: ignore[no-untyped-def]
    size = depth.shape[0]
    for t in range(first, stop):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1 = local[a, 0], local[a, 1], local[b, 0], local[b, 1]
        x2, y2 = local[c, 0], local[c, 1]
        left, right = _between(min(x0, x1, x2), max(x0, x1, x2), 0, size - 1)
        top, bottom = _between(min(y0, y1, y2), max(y0, y1, y2), 0, size - 1)
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if left > right or top > bottom or area == 0.0:
            continue
        for i in range(top, bottom + 1):
            y = i + 0.5
            for j in range(left, right + 1):
                x = j + 0.5
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / area
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / area
                w0 = 1.0 - w1 - w2
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                z = np.float32(w0 * local[a, 2] + w1 * local[b, 2] + w2 * local[c, 2])
                if z >= depth[i, j]:
                    continue
                mip = mips[material[t], 3]
                if cutout[t] and _opacity(texels, mip, uv, a, b, c, w1, w2) < 128.0:
                    continue
                depth[i, j] = z
