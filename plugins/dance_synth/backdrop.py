"""What is behind the people, and the ground that they stand on: y = 0 everywhere.

Every backdrop brings the light that belongs to it, so that person and place agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from dance_synth.assets import Assets
from dance_synth.camera import rays
from dance_synth.light import Light, environments, lamp_light, turning
from dance_synth.noise import clouds
from dance_synth.parts import Camera
from dance_synth.shading import SRGB
from dancecli.errors import MediaError
from dancecli.types import FloatArray, UInt8Array

REACH = 9.0
"""Metres from the camera beyond which the ground takes no shadow."""

TRIPOD = 1.6
"""Metres above the ground at which the panoramas were taken (an estimate)."""

DOME = 14.0
"""Metres from a panorama's middle where its ground ends and its upright picture begins."""


class Backdrop(Protocol):
    """A place."""

    light: Light

    def picture(self, camera: Camera) -> tuple[FloatArray, FloatArray]:
        """What a camera sees of it without people, linear (H, W, 3), and where that is.

        The second is float32 (H, W, 3), metres in the world; NaN for what takes no shadow.
        """
        ...


@dataclass(frozen=True, eq=False)
class Panorama:
    """A photographed surround, laid on the ground and on an upright cylinder about its middle.

    image: uint8 (h, 2h, 3) sRGB, equirectangular, its middle column +z before the turn.
    """

    image: UInt8Array
    turn: float
    middle: tuple[float, float]
    light: Light

    def picture(self, camera: Camera) -> tuple[FloatArray, FloatArray]:
        """See `Backdrop`."""
        origin = np.float32(camera.position)
        ray = rays(camera)
        points, ground = _on_dome(origin, ray, self.middle)
        centre = np.array([self.middle[0], TRIPOD, self.middle[1]], np.float32)
        x, y, z = np.moveaxis((points - centre) @ turning(self.turn), -1, 0)
        height, width = self.image.shape[:2]
        u = (np.arctan2(-x, z) / math.pi + 1) / 2 * width - 0.5
        v = np.arctan2(np.hypot(x, z), y) / math.pi * height - 0.5
        seen = cv2.remap(self.image, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
        near = ground & (np.linalg.norm(points - origin, axis=2) < REACH)
        return SRGB[seen], np.where(near[..., None], points, np.float32(np.nan))


def _on_dome(
    origin: FloatArray, ray: FloatArray, middle: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Where rays (H, W, 3) meet the ground or the upright wall, and whether it is the ground."""
    off = origin[[0, 2]] - np.float32(middle)
    a = ray[..., 0] ** 2 + ray[..., 2] ** 2 + np.float32(1e-9)
    b = ray[..., 0] * off[0] + ray[..., 2] * off[1]
    wall = (-b + np.sqrt(np.maximum(b * b - a * (off @ off - DOME**2), 0))) / a
    floor = -origin[1] / np.minimum(ray[..., 1], np.float32(-1e-6))
    ground = floor < wall
    points = origin + np.minimum(floor, wall)[..., None] * ray
    return points.astype(np.float32), ground


@dataclass(frozen=True, eq=False)
class Screen:
    """A picture that fills the view whatever the camera does; shadows fall on a level ground.

    image: linear float32 (h, w, 3), cut to the picture's shape about its middle.
    """

    image: FloatArray
    light: Light

    def picture(self, camera: Camera) -> tuple[FloatArray, FloatArray]:
        """See `Backdrop`."""
        height, width = self.image.shape[:2]
        scale = max(camera.height / height, camera.width / width)
        size = (max(round(width * scale), camera.width), max(round(height * scale), camera.height))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        whole = cv2.resize(self.image, size, interpolation=way)
        top, left = (size[1] - camera.height) // 2, (size[0] - camera.width) // 2
        seen = whole[top : top + camera.height, left : left + camera.width]
        return np.ascontiguousarray(seen, np.float32), ground_points(camera)


def ground_points(camera: Camera) -> FloatArray:
    """Where the rays of the pixels meet the ground within `REACH`, (H, W, 3); NaN elsewhere."""
    ray = rays(camera)
    t = -camera.position[1] / np.minimum(ray[..., 1], np.float32(-1e-6))
    points = np.float32(camera.position) + t[..., None] * ray
    points[t * np.linalg.norm(ray, axis=2) > REACH] = np.nan
    return points.astype(np.float32)


def panorama(assets: Assets, rng: np.random.Generator) -> Panorama:
    """One of the asset pack's surrounds, turned at random, with its light as bright as it is.

    Raises MediaError when its picture cannot be read.
    """
    lights = environments(assets)
    name = sorted(lights)[rng.integers(len(lights))]
    image = assets.once(f"env/{name}", lambda: decoded(assets.content(f"env/{name}.jpg"), name))
    turn = float(rng.uniform(0, 2 * math.pi))
    light = lights[name].turned(turn).scaled(_exposure(image, lights[name]), rng.uniform(0.6, 1.2))
    return Panorama(image, turn, (float(rng.normal(0, 0.3)), float(rng.normal(0, 0.3))), light)


def _exposure(image: UInt8Array, light: Light) -> float:
    """Picture value of radiance 1, by the mean over the sphere of all but the sun."""
    rows = np.sin((np.arange(len(image)) + 0.5) / len(image) * math.pi)
    mean = float((SRGB[image].mean(2).mean(1) * rows).sum() / rows.sum())
    return mean / max(0.282 * float(light.sky[:, 0].mean()), 1e-3)


def read_picture(path: Path) -> UInt8Array:
    """A photo as uint8 (H, W, 3) RGB.

    Raises MediaError when it is none.
    """
    try:
        return decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})") from error


def decoded(data: bytes, name: str) -> UInt8Array:
    """A JPEG or PNG file's picture, uint8 (H, W, 3) RGB.

    Raises MediaError.
    """
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise MediaError(f"{name}: not a picture that OpenCV reads; give JPEG or PNG files")
    return np.ascontiguousarray(picture[..., ::-1])


def photo(path: Path, rng: np.random.Generator) -> Screen:
    """A photo of one's own, under a made light of its mean brightness and colour.

    Raises MediaError.
    """
    image = SRGB[read_picture(path)]
    small = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)
    mean = np.maximum(small.mean((0, 1)), 0.03)
    light = lamp_light(rng)
    level = light.full(np.array([[0, 0.7, 0.7]], np.float32))[0]
    return Screen(image, light.scaled((mean / level * rng.uniform(1.2, 2.2)).astype(np.float32)))


def plain(rng: np.random.Generator) -> Screen:
    """A screen of one colour, a gradient, or soft coloured noise, under a made light."""
    side = 128
    colour = muted(rng)
    other = np.clip(colour * rng.uniform(0.3, 1.5) + rng.normal(0, 0.05, 3), 0, 1)
    ramp = np.linspace(0, 1, side, dtype=np.float32)[:, None, None] ** rng.uniform(0.5, 3)
    image = np.broadcast_to(colour * (1 - ramp) + other.astype(np.float32) * ramp, (side, side, 3))
    if rng.random() < 0.4:
        grey = clouds(rng, side, int(rng.integers(2, 12)), 5)[..., None]
        tints = np.stack([clouds(rng, side, 3, 4) for _ in range(3)], 2)
        image = image * np.clip(1 + 0.3 * grey + rng.uniform(0, 0.25) * tints, 0.1, 2)
    light = lamp_light(rng)
    level = float(light.full(np.array([[0, 0.7, 0.7]], np.float32)).mean())
    seen = np.ascontiguousarray(image, np.float32)
    return Screen(seen, light.scaled(rng.uniform(0.3, 0.6) / level))


def muted(rng: np.random.Generator) -> FloatArray:
    """A linear colour (3,) as walls and things have it: one in five is strong."""
    colour = float(np.exp(rng.uniform(np.log(0.04), np.log(0.75)))) * np.ones(3)
    spread = 0.8 if rng.random() < 0.2 else 0.15
    colour = colour * np.exp(rng.normal(0, spread, 3))
    return np.clip(colour, 0.015, 0.9).astype(np.float32)
