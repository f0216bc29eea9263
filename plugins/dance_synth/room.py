"""Made rooms: a floor and walls with doors, windows, pictures and skirting, lit like the people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from dance_synth.backdrop import REACH, muted
from dance_synth.camera import rays
from dance_synth.light import Light, lamp_light, turning
from dance_synth.noise import clouds
from dance_synth.parts import Camera
from dancecli.types import FloatArray

SIDE = 512
"""Texels of a wall's or floor's picture."""

METRES = 4.0
"""What the picture shows, each way; it is repeated."""


@dataclass(frozen=True, eq=False)
class Room:
    """Four walls and a ceiling about the origin, upright, turned; open towards a camera outside.

    half: metres from the origin to the walls at +x, -x, +z, -z. ceiling: its height. seed, walls:
    of what is on the surfaces; the walls' colours, linear (4, 3).
    """

    half: tuple[float, float, float, float]
    ceiling: float
    turn: float
    seed: int
    walls: FloatArray
    light: Light

    def picture(self, camera: Camera) -> tuple[FloatArray, FloatArray]:
        """See `Backdrop`."""
        spin = turning(self.turn)
        origin = np.float32(camera.position) @ spin
        ray = rays(camera) @ spin
        distance, number = self._hit(origin, ray)
        points = origin + distance[..., None] * ray
        seen = self._coloured(points, number) * self._lit(spin)[number]
        seen *= self._corners(points)[..., None]
        world = points @ spin.T
        far = (np.linalg.norm(points - origin, axis=2) > REACH) | (number == len(_NORMALS))
        world[far] = np.nan
        return seen.astype(np.float32), world.astype(np.float32)

    def _hit(self, origin: FloatArray, ray: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distance to, and number of, the first surface along each ray; 6 where there is none."""
        best = np.full(ray.shape[:2], np.float32(60.0))
        number = np.full(ray.shape[:2], len(_NORMALS), np.int64)
        for k, (normal, offset) in enumerate(zip(_NORMALS, self._offsets(), strict=True)):
            inside = float(normal @ origin) + offset
            if inside <= 0.02:
                continue
            towards = -(ray @ normal)
            t = np.where(towards > 1e-6, inside / np.maximum(towards, 1e-6), np.float32(np.inf))
            nearer = t < best
            best, number = np.where(nearer, t, best), np.where(nearer, k, number)
        return best, number

    def _offsets(self) -> tuple[float, ...]:
        return (*self.half, self.ceiling, 0.0)

    def _lit(self, spin: FloatArray) -> FloatArray:
        """Light on each surface (7, 3); the last, for rays that meet nothing, is none."""
        light = self.light.full((_NORMALS @ spin.T).astype(np.float32))
        return np.concatenate([light, np.zeros((1, 3), np.float32)])

    def _coloured(self, points: FloatArray, number: FloatArray) -> FloatArray:
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        out = np.zeros((*number.shape, 3), np.float32)
        flat = ((z, -y), (z, -y), (x, -y), (x, -y), (x, z), (x, z))
        scale = np.float32(SIDE / METRES)
        for k, (u, v) in enumerate(flat):
            here = number == k
            if here.any():
                seen = cv2.remap(
                    _surface(self, k), u * scale - 0.5, v * scale - 0.5, cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_WRAP,
                )  # fmt: skip
                np.copyto(out, seen, where=here[..., None])
        return out

    def _corners(self, points: FloatArray) -> FloatArray:
        """Less light where surfaces meet."""
        dark = np.ones(points.shape[:2], np.float32)
        for normal, offset in zip(_NORMALS, self._offsets(), strict=True):
            gap = np.maximum(points @ normal + np.float32(offset), 0)
            dark *= 1 - 0.28 * np.exp(-gap / 0.35) * (gap > 1e-3)
        return dark


_NORMALS = np.array(
    [(-1, 0, 0), (1, 0, 0), (0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0)], np.float32
)
"""Into the room, of its surfaces in order."""


@lru_cache(maxsize=12)
def _surface(place: Room, number: int) -> FloatArray:
    """Linear float32 (SIDE, SIDE, 3) of a wall, the ceiling (4) or the floor (5)."""
    rng = np.random.default_rng([place.seed, number])
    if number < 4:
        return _wall(rng, place.walls[number])
    if number == 5:
        return _floor(rng)
    return np.full((SIDE, SIDE, 3), rng.uniform(0.6, 0.85), np.float32)


def room(rng: np.random.Generator) -> Room:
    """A room of random size and furnishing."""
    x0, x1, z0, z1 = (float(value) for value in rng.uniform(1.3, 5.0, 4))
    light = lamp_light(rng)
    level = float(light.full(np.array([[0, 0.5, 0.85]], np.float32)).mean())
    light = light.scaled(rng.uniform(0.35, 0.75) / level)
    wall = _paint(rng)
    walls = np.stack([wall if rng.random() < 0.7 else _paint(rng) for _ in range(4)])
    height, turn = float(rng.uniform(2.4, 3.9)), float(rng.uniform(0, 2 * math.pi))
    return Room((x0, x1, z0, z1), height, turn, int(rng.integers(2**31)), walls, light)


def _paint(rng: np.random.Generator) -> FloatArray:
    """A wall's colour, linear: mostly pale."""
    if rng.random() < 0.7:
        pale = rng.uniform(0.35, 0.85) * (1 + rng.uniform(-0.12, 0.12, 3))
        return np.clip(pale, 0.02, 0.95).astype(np.float32)
    return muted(rng)


def _wall(rng: np.random.Generator, colour: FloatArray) -> FloatArray:
    """Row 0 is the floor's level; rows grow downwards, so that the last ones are just above."""
    image = np.empty((SIDE, SIDE, 3), np.float32)
    image[:] = colour
    kind = rng.choice(["plaster", "brick", "stripes", "panels", "concrete"], p=_WALLS)
    if kind == "brick":
        image *= _bricks(rng)
    elif kind == "stripes":
        image *= _stripes(rng)
    elif kind == "panels":
        image *= _grid(rng, int(rng.integers(32, 128)), int(rng.integers(64, 256)))
    rough = 0.35 if kind == "concrete" else 0.1
    image *= _stained(rng, rough)
    for _ in range(int(rng.integers(0, 5))):
        _hang(rng, image)
    if rng.random() < 0.6:
        image[SIDE - int(rng.integers(6, 16)) :] = _paint(rng)
    return np.ascontiguousarray(image)


_WALLS = (0.4, 0.15, 0.15, 0.15, 0.15)


def _hang(rng: np.random.Generator, image: FloatArray) -> None:
    """A picture, a window or a door: a frame and what is in it."""
    width, height = (int(value) for value in rng.integers(24, 150, 2))
    base = int(rng.integers(SIDE // 2 - 100, SIDE - 110))
    if rng.random() < 0.35:
        width, height, base = int(rng.integers(100, 130)), 262, SIDE
    left = int(rng.integers(0, SIDE - width))
    top = max(base - height, 0)
    frame = int(rng.integers(2, 8))
    image[top:base, left : left + width] = muted(rng)
    inner = image[top + frame : max(base - frame, 0), left + frame : left + width - frame]
    if inner.size == 0:
        return
    first, second = muted(rng), muted(rng)
    mix = 0.5 + 0.2 * _lumps(rng, 4)[: inner.shape[0], : inner.shape[1], None]
    mix = np.clip(mix, 0, 1)
    steps = rng.choice([0, 3, 8])
    mix = np.round(mix * steps) / steps if steps else mix
    inner[:] = first * mix + second * (1 - mix)


def _floor(rng: np.random.Generator) -> FloatArray:
    if rng.random() < 0.6:
        colour = rng.uniform(0.08, 0.5) * np.array(
            [1.0, rng.uniform(0.55, 0.95), rng.uniform(0.3, 0.8)]
        )
    else:
        colour = rng.uniform(0.03, 0.6) * (1 + rng.uniform(-0.25, 0.25, 3))
    image = np.empty((SIDE, SIDE, 3), np.float32)
    image[:] = np.clip(colour, 0.02, 0.9)
    kind = rng.choice(["planks", "tiles", "carpet", "concrete"])
    if kind == "planks":
        image *= _planks(rng)
    elif kind == "tiles":
        side = int(rng.choice([32, 64, 128]))
        image *= _grid(rng, side, side)
    image *= _stained(rng, 0.3)
    if kind == "carpet":
        image *= 1 + 0.15 * rng.standard_normal((SIDE, SIDE, 1), np.float32)
    return np.ascontiguousarray(np.clip(image, 0.005, 1))


def _stained(rng: np.random.Generator, strength: float) -> FloatArray:
    """Factors (SIDE, SIDE, 1) about 1."""
    return np.maximum(1 + strength * 0.2 * _lumps(rng, 4), 0.2)[..., None]  # type: ignore[no-any-return]


def _lumps(rng: np.random.Generator, cells: int | tuple[int, int]) -> FloatArray:
    """Noise (SIDE, SIDE) of mean 0 and deviation 1, without its finest grain."""
    coarse = clouds(rng, SIDE // 4, cells, 4)
    return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))


def _bricks(rng: np.random.Generator) -> FloatArray:
    height, width = int(rng.choice([8, 16])), int(rng.choice([32, 64]))
    rows, columns = np.divmod(np.arange(SIDE * SIDE).reshape(SIDE, SIDE), SIDE)
    course = rows // height
    columns = (columns + (course % 2) * (width // 2)) % SIDE
    shade = rng.uniform(0.75, 1.15, (SIDE // height, SIDE // width)).astype(np.float32)
    out = shade[course, columns // width]
    joint = (rows % height < 2) | (columns % width < 2)
    return np.where(joint, np.float32(rng.uniform(0.6, 1.4)), out)[..., None]


def _stripes(rng: np.random.Generator) -> FloatArray:
    period = int(rng.choice([16, 32, 64]))
    column = np.arange(SIDE) % period < period * rng.uniform(0.2, 0.8)
    tone = np.where(column, 1.0, rng.uniform(0.6, 0.95)).astype(np.float32)
    return np.broadcast_to(tone[None, :, None], (SIDE, SIDE, 1))


def _grid(rng: np.random.Generator, width: int, height: int) -> FloatArray:
    rows, columns = np.arange(SIDE)[:, None], np.arange(SIDE)[None]
    joint = (rows % height < 2) | (columns % width < 2)
    shade = rng.uniform(0.92, 1.05, (SIDE // height + 1, SIDE // width + 1)).astype(np.float32)
    return np.where(
        joint, np.float32(rng.uniform(0.5, 0.9)), shade[rows // height, columns // width]
    )[..., None]


def _planks(rng: np.random.Generator) -> FloatArray:
    width = int(rng.choice([8, 16, 32]))
    rows, columns = np.arange(SIDE)[:, None], np.arange(SIDE)[None]
    shift = rng.integers(0, SIDE, SIDE // width)[columns // width]
    along = 3 * ((rows + shift) % SIDE)
    shade = rng.uniform(0.75, 1.15, (3, SIDE // width)).astype(np.float32)
    shade = shade[along // SIDE, columns // width]
    joint = (columns % width < 1) | (along % SIDE < 3)
    grain = 1 + 0.04 * _lumps(rng, (4, 32))
    return (np.where(joint, np.float32(0.55), shade) * grain)[..., None]
