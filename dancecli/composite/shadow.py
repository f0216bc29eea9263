"""A soft contact shadow under the feet.

Not in the paper, whose section on limitations leaves shadows unsolved: without any, a person pasted
onto a photo floats. Only the darkening right under the soles is drawn, which needs no knowledge of
the lights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dancecli.composite.placing import SOLE
from dancecli.motion.body import FOOT
from dancecli.types import JOINT, SEEN, FloatArray, Layer, Skeleton

SHADOW = 0.45
"""Strength on photo, driving, image and video backgrounds; a plain colour gets none."""

WIDTH, DEPTH = 0.075, 0.018
"""Half axes of one foot's shadow, shares of standing height."""

LIFT = 0.10
"""A foot this share of the height above the ground casts no contact shadow."""


def contact_shadow(
    layer: Layer, skeleton: Skeleton, height: float, strength: float, ground: float | None = None
) -> Layer:
    """The layer with a shadow under its feet: black beneath z, in the same z and m.

    skeleton: in canvas pixels. height: the person's standing height in canvas pixels. ground: y of
    the floor in canvas pixels as `ground_point` gives it, None for the lowest foot, so that a jump
    keeps its shadow unless the caller knows better. strength: 0 none to 1 black.
    """
    feet = list(_feet(skeleton))
    if strength <= 0 or not feet or height <= 0:
        return layer
    floor = max(y for _, y, _ in feet) + SOLE * height if ground is None else ground
    clear = np.ones_like(layer.m)
    for x, y, span in feet:
        lift = abs(floor - y - SOLE * height) / (LIFT * height)
        if lift < 1:
            # Centred on the keypoints, under the shoe: only its rim shows, as in life.
            _darken(clear, x, y, span / 2 + WIDTH * height, height, strength * (1 - lift))
    return _under(layer, 1 - clear)


def _feet(skeleton: Skeleton) -> Iterator[tuple[float, float, float]]:
    """(x, y of the lowest point, width in x) of each foot that is seen."""
    for side in ("left", "right"):
        rows = [JOINT[f"{side}_{part}"] for part in FOOT]
        points = skeleton.body[rows]
        points = points[points[:, 2] >= SEEN].astype(float)
        if len(points):
            xs = points[:, 0]
            yield float(xs.mean()), float(points[:, 1].max()), float(np.ptp(xs))


def _darken(
    clear: FloatArray, x: float, y: float, wide: float, height: float, strength: float
) -> None:
    """Multiply an ellipse of 1 - strength, falling off smoothly to its rim, into `clear`."""
    deep = DEPTH * height + 0.15 * wide
    rows = slice(max(0, int(y - deep)), max(0, int(y + deep) + 2))
    columns = slice(max(0, int(x - wide)), max(0, int(x + wide) + 2))
    part = clear[rows, columns]
    down = (np.arange(part.shape[0], dtype=np.float32) + rows.start + 0.5 - y) / deep
    across = (np.arange(part.shape[1], dtype=np.float32) + columns.start + 0.5 - x) / wide
    inside = np.clip(1 - down[:, None] ** 2 - across[None] ** 2, 0, 1)
    part *= 1 - np.float32(strength) * inside**2


def _under(layer: Layer, shadow: FloatArray) -> Layer:
    """Black of that alpha put beneath the layer."""
    rows, columns = np.flatnonzero(shadow.any(1)), np.flatnonzero(shadow.any(0))
    if not len(rows):
        return layer
    under = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    z, m = layer.z.copy(), layer.m.copy()
    m[under] += shadow[under] * (1 - m[under])
    z[under] *= (layer.m[under] / np.maximum(m[under], np.float32(1e-6)))[..., None]
    return replace(layer, z=z, m=m)
