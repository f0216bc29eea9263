"""Shadows on the ground: the sun's, and the dark close under whatever stands on it."""

from __future__ import annotations

import cv2
import numpy as np

from dance_synth.compiled import compiled
from dance_synth.shading import BIAS, Shades, lit_share
from dancecli.types import FloatArray


def lit_ground(
    shades: Shades, picture: FloatArray, points: FloatArray, contact: FloatArray | None
) -> FloatArray:
    """A background (H, W, 3) with the shadows that things cast on it.

    points: (H, W, 3), where in the world its pixels are, NaN for those too far off. contact:
    (H, W), 1 to 0, how much of the sky's light is left close under things; None for all of it.
    """
    up = np.array([[0.0, 1.0, 0.0]], np.float32)
    light = shades.light
    sky, sun = light.ambient(up)[0], light.sun * max(float(light.direction[1]), 0.05)
    left = np.ones(picture.shape[:2], np.float32) if contact is None else contact
    return _lit_ground(picture, points, left, shades.sun.rows, shades.sun.depth, sky, sun)  # type: ignore[no-any-return]


@compiled
def _lit_ground(picture, points, contact, rows, depth, sky, sun):  # type: ignore[no-untyped-def]
    out = picture.copy()
    for i in range(picture.shape[0]):
        for j in range(picture.shape[1]):
            x, y, z = points[i, j, 0], points[i, j, 1], points[i, j, 2]
            if np.isnan(x):
                continue
            seen, left = lit_share(rows, depth, x, y, z, BIAS, 2), contact[i, j]
            if seen == 1.0 and left == 1.0:
                continue
            for c in range(3):
                out[i, j, c] *= (sky[c] * left + sun[c] * seen) / (sky[c] + sun[c] + 1e-6)
    return out


def contact(low: FloatArray, points: FloatArray) -> FloatArray:
    """What is left of the sky's light at points (H, W, 3) of the ground near things, (H, W).

    low: vertices (N, 3) close above the ground; what is under them, and a hand's breadth around,
    is darkened.
    """
    cell, size = 0.02, 160
    centre = (low[:, [0, 2]].min(0) + low[:, [0, 2]].max(0)) / 2
    spot = np.floor((low[:, [0, 2]] - centre) / cell + size / 2).astype(np.int64)
    weight = np.exp(-np.maximum(low[:, 1], 0) / 0.06).astype(np.float32)
    near = ((spot >= 0) & (spot < size)).all(1)
    grid = np.zeros((size, size), np.float32)
    np.maximum.at(grid, (spot[near, 1], spot[near, 0]), weight[near])
    grid = cv2.dilate(grid, np.ones((3, 3), np.uint8))
    dark = 0.55 * cv2.GaussianBlur(grid, (0, 0), 2.0) + 1.3 * cv2.GaussianBlur(grid, (0, 0), 9.0)
    x = ((points[..., 0] - centre[0]) / cell + size / 2 - 0.5).astype(np.float32)
    z = ((points[..., 2] - centre[1]) / cell + size / 2 - 0.5).astype(np.float32)
    on_ground = np.abs(points[..., 1]) < 0.01
    shade = cv2.remap(
        dark, np.where(on_ground, x, -9), np.where(on_ground, z, -9), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=0,
    )  # fmt: skip
    out: FloatArray = 1 - 0.8 * np.clip(shade, 0, 1)
    return out
