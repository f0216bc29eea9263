"""Things that stand about: boxes, tables, benches, shelves, posts. They hide, and are no people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dance_synth.backdrop import muted
from dance_synth.light import turning
from dance_synth.meshes import PROP, Mesh, mesh_from
from dance_synth.noise import clouds
from dance_synth.parts import Material
from dancecli.types import FloatArray, UInt8Array

Block = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Middle of the base and size (x, y, z), metres."""

KINDS = ("box", "table", "bench", "shelf", "post", "stack")


@dataclass(frozen=True, eq=False)
class Prop:
    """A thing in its place. vertices: float32 (V, 3), world."""

    vertices: FloatArray
    mesh: Mesh


def prop(rng: np.random.Generator, x: float, z: float) -> Prop:
    """A thing of random kind, size and paint that stands at (x, z)."""
    blocks = _blocks(rng, str(rng.choice(KINDS)))
    return built(blocks, _paint(rng), x, z, float(rng.uniform(0, 2 * np.pi)))


def built(blocks: Sequence[Block], texture: UInt8Array, x: float, z: float, turn: float) -> Prop:
    """Upright blocks as one thing that stands at (x, z), metres, turned about its own middle.

    texture: uint8 (h, w, 4), as `Material` has it. turn: radians about the vertical.
    """
    corners, uv, triangles = [], [], []
    for middle, size in blocks:
        for face in _faces(np.float32(middle), np.float32(size)):
            first = 4 * len(corners)
            corners.append(face)
            triangles += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
            side, rise = (float(np.linalg.norm(face[k] - face[0])) for k in (1, 3))
            uv.append(np.array([(0, 0), (side, 0), (side, rise), (0, rise)]) + middle[0])
    vertices = np.concatenate(corners) @ turning(turn).T + np.float32((x, 0, z))
    count = len(triangles)
    mesh = mesh_from(
        np.array(triangles, np.int32), np.arange(len(vertices), dtype=np.int32),
        np.concatenate(uv).astype(np.float32), np.zeros(count, np.int32),
        (Material(texture, "cloth"),), np.zeros(count, np.uint8), PROP,
    )  # fmt: skip
    return Prop(vertices.astype(np.float32), mesh)


def _faces(middle: FloatArray, size: FloatArray) -> list[FloatArray]:
    """The six faces (4, 3) of a block, counter-clockwise from outside."""
    low, high = middle - size * (0.5, 0, 0.5), middle + size * (0.5, 1, 0.5)
    x0, y0, z0 = low
    x1, y1, z1 = high
    faces = [
        [(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)],
        [(x1, y0, z0), (x0, y0, z0), (x0, y1, z0), (x1, y1, z0)],
        [(x1, y0, z1), (x1, y0, z0), (x1, y1, z0), (x1, y1, z1)],
        [(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)],
        [(x0, y1, z1), (x1, y1, z1), (x1, y1, z0), (x0, y1, z0)],
        [(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)],
    ]
    return [np.array(face, np.float32) for face in faces]


def _blocks(rng: np.random.Generator, kind: str) -> list[Block]:
    w, d = (float(value) for value in rng.uniform(0.35, 0.9, 2))
    if kind == "box":
        return [((0, 0, 0), (w, float(rng.uniform(0.25, 0.9)), d))]
    if kind == "post":
        side = float(rng.uniform(0.08, 0.3))
        return [((0, 0, 0), (side, float(rng.uniform(0.9, 3.2)), side))]
    if kind == "stack":
        low = float(rng.uniform(0.3, 0.5))
        return [((0, 0, 0), (w, low, d)), ((0.05, low, 0), (0.7 * w, 0.3, 0.7 * d))]
    tall = {"table": 0.74, "bench": 0.45, "shelf": 1.2}[kind] * float(rng.uniform(0.9, 1.1))
    long = w + (0.6 if kind != "shelf" else 0.0)
    if kind == "bench":
        d = 0.4
    leg, half, deep = 0.05, long / 2 - 0.04, d / 2 - 0.04
    legs: list[Block] = [
        ((x, 0, z), (leg, tall, leg)) for x in (-half, half) for z in (-deep, deep)
    ]
    levels = (0.33, 0.66, 1.0) if kind == "shelf" else (1.0,)
    return [*legs, *(((0.0, tall * level - 0.02, 0.0), (long, 0.04, d)) for level in levels)]


def _paint(rng: np.random.Generator) -> UInt8Array:
    """A square metre of the thing's surface."""
    colour = 255 * muted(rng) ** (1 / 2.2)
    if rng.random() < 0.4:
        colour = np.array([150, 105, 65]) * rng.uniform(0.5, 1.4)
    grain = 1 + 0.08 * clouds(rng, 128, (4, int(rng.choice([4, 32]))), 4)[..., None]
    texture = np.full((128, 128, 4), 255, np.uint8)
    texture[..., :3] = np.clip(colour * grain, 0, 255)
    return texture
