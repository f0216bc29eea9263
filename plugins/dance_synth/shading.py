"""How bright and of what colour each sample is: texture, sky, sun with shadows, gloss.

All light is linear; pictures are encoded at the very end. Skin is lit beyond the shadow line,
furthest in red, as light that has passed through it would (wrap lighting: Green 2004, "Real-time
approximations to subsurface scattering", GPU Gems 16).
"""

from __future__ import annotations

import math

import numpy as np

from dance_synth.compiled import compiled
from dance_synth.light import Light
from dance_synth.meshes import Mesh, mip_level, normals
from dance_synth.parts import Camera
from dance_synth.raster import Samples, corners, draw_far, far_map
from dancecli.types import FloatArray

SHADOW_SIZE = 512
"""Side of the sun's map."""

SKY_SIZE = 96
"""Side of the maps that tell how much of the sky a point sees."""

BIAS = 0.012
"""Metres by which a surface must lie behind another to be in its shadow."""

SHIFT = np.float32(0.008)
"""Metres off the surface at which its shadow is asked for."""

SKY_BIAS = 0.03
"""The same for the coarse maps of the sky."""

SRGB: FloatArray = np.where(
    np.arange(256) <= 10,
    np.arange(256) / 255 / 12.92,
    ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
).astype(np.float32)
"""Linear light of the 256 sRGB values."""

WRAP: FloatArray = np.array(
    [(0.42, 0.22, 0.14), (0.1, 0.1, 0.1), (0.35, 0.35, 0.35), (0.3, 0.3, 0.3), (0.0, 0.0, 0.0)],
    np.float32,
)
"""Per kind of `KINDS`: how far past the shadow line light reaches, in cosines, RGB."""

GLOSS: FloatArray = np.array(
    [(0.028, 22, 0.5), (0.02, 6, 0.15), (0.045, 30, 0.6), (0.04, 250, 1.0), (0.04, 40, 1.0)],
    np.float32,
)
"""Per kind: reflectance seen head-on, Blinn-Phong exponent, share of the sky's reflection."""


def _sky_directions() -> FloatArray:
    """Seven directions whose maps tell how much of the sky is hidden: up, and around.

    float32 (7, 3), unit, world.
    """
    turn = np.arange(6) * (2 * math.pi / 6)
    tilt = np.where(np.arange(6) % 2, 0.75, 0.15)
    ring = np.stack([np.cos(tilt) * np.sin(turn), np.sin(tilt), np.cos(tilt) * np.cos(turn)], 1)
    return np.concatenate([[(0.0, 1.0, 0.0)], ring]).astype(np.float32)


class Shades:
    """The shadows that one frame's things cast, drawn once and asked often."""

    def __init__(self, light: Light, vertices: FloatArray, mesh: Mesh) -> None:
        self.light = light
        self._box = corners(vertices)
        self.sun = far_map(light.direction, self._box, SHADOW_SIZE)
        self._vertices, self._mesh = vertices, mesh

    def cast(self, first: int, stop: int) -> None:
        """Lets triangles first to stop cast the sun's shadow, besides those that do."""
        draw_far(self.sun, self._vertices, self._mesh, first, stop)

    def openness(self, points: FloatArray, directions: FloatArray) -> FloatArray:
        """The share (N,) of the sky over surfaces (N, 3) that nothing hides, by cosine."""
        seen = np.zeros(len(points), np.float32)
        total = np.full(len(points), 1e-4, np.float32)
        shifted = points + np.float32(0.01) * directions
        for direction in _sky_directions():
            target = far_map(direction, self._box, SKY_SIZE)
            draw_far(target, self._vertices, self._mesh)
            facing = directions @ direction
            _add_open(target.rows, target.depth, shifted, facing, seen, total)
        return (seen + 0.3) / (total + 0.3)


@compiled
def _add_open(rows, depth, points, facing, seen, total):  # type: ignore[no-untyped-def]
    for k in range(len(points)):
        cosine = facing[k]
        if cosine <= 0.0:
            continue
        total[k] += cosine
        seen[k] += cosine * lit_share(
            rows, depth, points[k, 0], points[k, 1], points[k, 2], SKY_BIAS, 1
        )


@compiled
def lit_share(rows, depth, x, y, z, bias, reach):  # type: ignore[no-untyped-def]
    """The share of the light's map about a point, reach texels each way, that it sees."""
    u = rows[0, 0] * x + rows[0, 1] * y + rows[0, 2] * z + rows[0, 3]
    v = rows[1, 0] * x + rows[1, 1] * y + rows[1, 2] * z + rows[1, 3]
    d = rows[2, 0] * x + rows[2, 1] * y + rows[2, 2] * z - bias
    j, i = int(np.floor(u)), int(np.floor(v))
    size = depth.shape[0]
    count, total = 0, 0
    for di in range(-reach, reach + 1):
        for dj in range(-reach, reach + 1):
            a, b = i + di, j + dj
            total += 1
            if a < 0 or b < 0 or a >= size or b >= size or depth[a, b] >= d:
                count += 1
    return np.float32(count) / np.float32(total)


class Shader:
    """Lights one frame's surfaces for one camera; local: of `raster.projected`."""

    def __init__(
        self, camera: Camera, vertices: FloatArray, local: FloatArray, mesh: Mesh,
        shades: Shades,
    ) -> None:  # fmt: skip
        self._camera, self._vertices, self._local = camera, vertices, local
        self._mesh, self._shades = mesh, shades
        self._normals = normals(vertices, mesh)
        open_sky = shades.openness(vertices, self._normals)[:, None]
        self._sky = shades.light.ambient(self._normals) * open_sky
        self._mirrored = shades.light.ambient(self._reflections()) * open_sky

    def _reflections(self) -> FloatArray:
        view = np.float32(self._camera.position) - self._vertices
        view /= np.linalg.norm(view, axis=1, keepdims=True) + 1e-6
        facing = (view * self._normals).sum(1, keepdims=True)
        out: FloatArray = 2 * facing * self._normals - view
        return out

    def over(self, background: FloatArray, samples: Samples, grid: int) -> FloatArray:
        """The samples' mean in each pixel over a background, linear (H, W, 3)."""
        light, parts = self._shades.light, self._mesh
        return _over(
            background, samples.triangle, samples.weights, grid, self._local, self._vertices,
            self._normals, self._sky, self._mirrored, parts.triangles, parts.uv, parts.material,
            parts.kind, parts.closed, parts.mips, parts.texels, parts.texel_area,
            self._shades.sun.rows, self._shades.sun.depth, light.direction, light.sun,
            np.array(self._camera.position, np.float32), SRGB, WRAP, GLOSS,
        )  # type: ignore[no-any-return]  # fmt: skip


@compiled
def _over(
    background, seen, weights, grid, local, vertices, normal, sky, mirrored, triangles, uv,
    material, kind, closed, mips, texels, texel_area, rows, depth, direction, sun, eye, srgb, wrap,
    gloss,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """What one triangle shows in one pixel is lit once, at the middle of its samples there."""
    out = background.copy()
    count = grid * grid
    colour, point = np.zeros(3, np.float32), np.zeros(3, np.float32)
    facing, above, shine = np.zeros(3, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)
    for i in range(background.shape[0]):
        for j in range(background.shape[1]):
            for first in range(count):
                t = seen[i * grid + first // grid, j * grid + first % grid]
                if t < 0:
                    continue
                same, w1, w2 = 0, np.float32(0.0), np.float32(0.0)
                for k in range(count):
                    y, x = i * grid + k // grid, j * grid + k % grid
                    if seen[y, x] != t:
                        continue
                    if k < first:
                        same = -1
                        break
                    same += 1
                    w1 += weights[y, x, 0]
                    w2 += weights[y, x, 1]
                if same < 0:
                    continue
                w1, w2 = w1 / np.float32(same), w2 / np.float32(same)
                w0 = 1 - w1 - w2
                a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                for k in range(3):
                    point[k] = w0 * vertices[a, k] + w1 * vertices[b, k] + w2 * vertices[c, k]
                    facing[k] = w0 * normal[a, k] + w1 * normal[b, k] + w2 * normal[c, k]
                    above[k] = w0 * sky[a, k] + w1 * sky[b, k] + w2 * sky[c, k]
                    shine[k] = w0 * mirrored[a, k] + w1 * mirrored[b, k] + w2 * mirrored[c, k]
                u = w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0]
                v = w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1]
                # A whole pixel's texel is twice as wide as a sample's.
                level = mip_level(local, a, b, c, texel_area[t]) + (same == count)
                _texel(texels, mips[material[t], min(level, mips.shape[1] - 1)], u, v, srgb, colour)
                _lighten(
                    colour, point, facing, above, shine, kind[t], closed[t], rows, depth, direction,
                    sun, eye, wrap, gloss,
                )  # fmt: skip
                share = np.float32(same) / np.float32(count)
                for k in range(3):
                    out[i, j, k] += share * (colour[k] - background[i, j, k])
    return out


@compiled
def _texel(texels, mip, u, v, srgb, out):  # type: ignore[no-untyped-def]
    """Linear colour of a texture at (u, v), between texels linearly; repeated outside [0, 1]."""
    first, height, width = mip[0], mip[1], mip[2]
    x = (u - np.floor(u)) * width - np.float32(0.5)
    y = (1 - (v - np.floor(v))) * height - np.float32(0.5)
    j, i = int(np.floor(x)), int(np.floor(y))
    fx, fy = np.float32(x - j), np.float32(y - i)
    j0, j1 = j % width, (j + 1) % width
    top, bottom = first + (i % height) * width, first + ((i + 1) % height) * width
    for k in range(3):
        upper = srgb[texels[top + j0, k]] * (1 - fx) + srgb[texels[top + j1, k]] * fx
        lower = srgb[texels[bottom + j0, k]] * (1 - fx) + srgb[texels[bottom + j1, k]] * fx
        out[k] = upper * (1 - fy) + lower * fy


@compiled
def _lighten(
    colour, point, facing, above, shine, kind, closed, rows, depth, direction, sun, eye, wrap, gloss
):  # type: ignore[no-untyped-def]
    """Turns a surface's colour into the light that it sends to the eye."""
    length = np.sqrt(facing[0] ** 2 + facing[1] ** 2 + facing[2] ** 2) + np.float32(1e-6)
    vx, vy, vz = eye[0] - point[0], eye[1] - point[1], eye[2] - point[2]
    far = np.sqrt(vx * vx + vy * vy + vz * vz)
    vx, vy, vz = vx / far, vy / far, vz / far
    nx, ny, nz = facing[0] / length, facing[1] / length, facing[2] / length
    to_eye = nx * vx + ny * vy + nz * vz
    inside = not closed and to_eye < 0
    if inside:
        nx, ny, nz, to_eye = -nx, -ny, -nz, -to_eye
    to_sun = nx * direction[0] + ny * direction[1] + nz * direction[2]
    seen, glint = np.float32(0.0), np.float32(0.0)
    if to_sun > -wrap[kind, 0]:
        x, y, z = point[0] + SHIFT * nx, point[1] + SHIFT * ny, point[2] + SHIFT * nz
        seen = lit_share(rows, depth, x, y, z, BIAS, 1)
    edge = 1 - min(max(to_eye, np.float32(0.0)), np.float32(1.0))
    fresnel = gloss[kind, 0] + (1 - gloss[kind, 0]) * np.float32(0.35) * edge**5
    if seen > 0 and to_sun > 0:
        hx, hy, hz = vx + direction[0], vy + direction[1], vz + direction[2]
        half = np.sqrt(hx * hx + hy * hy + hz * hz) + np.float32(1e-6)
        to_half = max((nx * hx + ny * hy + nz * hz) / half, np.float32(0.0))
        power = gloss[kind, 1]
        glint = fresnel * (power + 8) / 8 * to_half**power * to_sun * seen
    dim = np.float32(0.45) if inside else np.float32(1.0)
    for k in range(3):
        w = wrap[kind, k]
        warm = max((to_sun + w) / (1 + w), np.float32(0.0))
        light = above[k] * dim + sun[k] * warm * seen
        colour[k] = colour[k] * light + glint * sun[k] + fresnel * gloss[kind, 2] * shine[k] * dim
