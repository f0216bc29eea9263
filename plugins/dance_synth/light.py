"""Light from all around, as spherical harmonics, and one sun or lamp that casts shadows.

Irradiance is divided by pi, so that a white matt surface sends out just that. Order and constants
of the harmonics: Y00, y, z, x, xy, yz, 3z2-1, xz, x2-y2 (Ramamoorthi and Hanrahan 2001).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dance_synth.assets import Assets
from dancecli.types import FloatArray

_CONSTANTS = np.array(
    [
        0.5 / math.sqrt(math.pi),
        *(3 * [math.sqrt(3 / (4 * math.pi))]),
        *(2 * [math.sqrt(15 / (4 * math.pi))]),
        math.sqrt(5 / (16 * math.pi)),
        math.sqrt(15 / (4 * math.pi)),
        math.sqrt(15 / (16 * math.pi)),
    ],
    np.float32,
)


@dataclass(frozen=True, eq=False)
class Light:
    """Where light comes from, far away.

    sky: float32 (3, 9), irradiance/pi of all but the sun, RGB. direction: (3,) unit, towards the
    sun. sun: float32 (3,), its irradiance/pi on a surface that faces it.
    """

    sky: FloatArray
    direction: FloatArray
    sun: FloatArray

    def ambient(self, normals: FloatArray) -> FloatArray:
        """Irradiance/pi (N, 3) of surfaces with unit normals (N, 3), without the sun."""
        out: FloatArray = np.maximum(harmonics(normals) @ self.sky.T, 0)
        return out

    def full(self, normals: FloatArray) -> FloatArray:
        """Irradiance/pi (N, 3) with the sun, nothing in its way."""
        facing = np.maximum(normals @ self.direction, 0)
        return self.ambient(normals) + facing[:, None] * self.sun

    def turned(self, angle: float) -> Light:
        """The light turned about the vertical by radians, +z towards +x for angles above 0."""
        turn = turning(angle)
        probes = _probes()
        values = harmonics(probes @ turn) @ self.sky.T
        sky = np.linalg.lstsq(harmonics(probes), values, rcond=None)[0].T
        return replace(self, sky=sky.astype(np.float32), direction=turn @ self.direction)

    def scaled(self, gain: float | FloatArray, sun: float = 1.0) -> Light:
        """Brighter by a gain, one or (3,) per channel, its sun by another factor besides."""
        gains = np.ones(3, np.float32) * np.float32(gain)
        return replace(self, sky=self.sky * gains[:, None], sun=self.sun * gains * np.float32(sun))


def turning(angle: float) -> FloatArray:
    """The rotation (3, 3) by radians about the vertical, +z towards +x, for column vectors."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([(c, 0, s), (0, 1, 0), (-s, 0, c)], np.float32)


def harmonics(directions: FloatArray) -> FloatArray:
    """The nine real harmonics (N, 9) at unit directions (N, 3)."""
    x, y, z = directions[:, 0], directions[:, 1], directions[:, 2]
    one = np.ones_like(x)
    terms = [one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    out: FloatArray = np.stack(terms, 1).astype(np.float32) * _CONSTANTS
    return out


def _probes() -> FloatArray:
    """64 directions, evenly spread (a spiral), to fit harmonics to."""
    k = np.arange(64) + 0.5
    height, turn = 1 - 2 * k / 64, k * math.pi * (3 - math.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], 1).astype(np.float32)


def environments(assets: Assets) -> dict[str, Light]:
    """The lights of the asset pack's panoramas by name; mean radiance 1."""

    def make() -> dict[str, Light]:
        table = assets.arrays("env/lighting.npz")
        rows = zip(table["names"], table["sh"], table["sun"], strict=True)
        return {str(name): _light(sh, sun) for name, sh, sun in rows}

    found: dict[str, Light] = assets.once("lights", make)
    return found


def _light(sky: FloatArray, sun: FloatArray) -> Light:
    direction = sun[:3] / np.linalg.norm(sun[:3])
    return Light(*(part.astype(np.float32) for part in (sky, direction, sun[3:])))


def lamp_light(rng: np.random.Generator) -> Light:
    """A made light: a soft surround of one tint, brighter above, and one lamp or window."""
    warm = rng.uniform(-0.12, 0.12)
    tint = np.array([1 + warm, 1.0, 1 - warm], np.float32)
    sky = np.zeros((3, 9), np.float32)
    level = rng.uniform(0.35, 0.9)
    sky[:, 0] = level / _CONSTANTS[0] * tint
    sky[:, 1] = level * rng.uniform(0.0, 0.6) * tint
    side = rng.uniform(0, 2 * math.pi)
    sky[:, 2] = level * rng.uniform(0.0, 0.5) * math.cos(side) * tint
    sky[:, 3] = level * rng.uniform(0.0, 0.5) * math.sin(side) * tint
    turn, height = rng.normal(0, 1.0), rng.uniform(0.35, 1.2)
    direction = (
        math.sin(turn) * math.cos(height),
        math.sin(height),
        math.cos(turn) * math.cos(height),
    )
    cast = np.array([1 - warm, 1.0, 1 + warm], np.float32)
    sun = rng.uniform(0.0, 1.2) * cast
    return Light(sky, np.array(direction, np.float32), sun.astype(np.float32))
