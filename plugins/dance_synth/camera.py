"""Pinhole cameras: where a point of the world falls in the picture, and the ray of a pixel."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dance_synth.parts import Camera
from dancecli.types import FloatArray

NEAR = 0.05
"""Metres in front of the camera within which nothing is seen."""

LOWEST = 0.15
"""Metres above the ground below which no camera is placed."""


def axes(camera: Camera) -> FloatArray:
    """Rows: the world's directions right, down and forward as the camera has them, (3, 3)."""
    cy, sy = math.cos(camera.yaw), math.sin(camera.yaw)
    cp, sp = math.cos(camera.pitch), math.sin(camera.pitch)
    right = (cy, 0.0, sy)
    down = (-sy * sp, -cp, cy * sp)
    forward = (sy * cp, -sp, -cy * cp)
    return np.array([right, down, forward], np.float32)


def seen_from(camera: Camera, points: FloatArray) -> FloatArray:
    """Points (..., 3) of the world in camera coordinates (..., 3): metres right, down and away."""
    return (points - np.float32(camera.position)) @ axes(camera).T


def project(camera: Camera, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Picture coordinates (N, 2) and depths (N,) of points (N, 3) of the world.

    Coordinates of points nearer than `NEAR` are meaningless.
    """
    local = seen_from(camera, points)
    depth = local[:, 2]
    middle = np.array([camera.width / 2, camera.height / 2], np.float32)
    xy = camera.focal * local[:, :2] / np.maximum(depth, NEAR)[:, None] + middle
    return xy.astype(np.float32), depth


def rays(camera: Camera) -> FloatArray:
    """Directions (H, W, 3) in the world through the pixels' centres, one metre deep each."""
    x = (np.arange(camera.width, dtype=np.float32) + 0.5 - camera.width / 2) / camera.focal
    y = (np.arange(camera.height, dtype=np.float32) + 0.5 - camera.height / 2) / camera.focal
    right, down, forward = axes(camera)
    rows: FloatArray = y[:, None, None] * down + (x[:, None] * right + forward)
    return rows


def framed(
    points: FloatArray, camera: Camera, fill: float, centre: tuple[float, float] = (0.5, 0.5)
) -> Camera:
    """The camera moved until points (N, 3) fill so much of the picture; its turn stays.

    fill: of the height, or of the width where the points are wider than the picture is. centre:
    where the middle of the points' box comes to lie, in shares of width and height. A camera that
    would come below `LOWEST` is kept there.
    """
    right, down, forward = axes(camera)
    middle = (points.min(0) + points.max(0)) / 2
    reach = float(np.linalg.norm(points - middle, axis=1).max())
    distance = camera.focal * 2 * reach / (fill * camera.height)
    position = middle - forward * distance
    for _ in range(6):
        camera = _at(camera, position)
        xy, depth = project(camera, points)
        low, high = xy.min(0), xy.max(0)
        size = max((high[1] - low[1]) / camera.height, (high[0] - low[0]) / camera.width) / fill
        mean = float(np.median(depth))
        step = np.clip(mean * (size - 1), -0.5 * mean, 2 * mean)
        off = (low + high) / 2 - np.array([camera.width, camera.height]) * np.array(centre)
        sideways = (off[0] * right + off[1] * down) * (mean / camera.focal)
        position = np.array(camera.position) + sideways - forward * step
    return _at(camera, position)


def _at(camera: Camera, position: FloatArray) -> Camera:
    x, y, z = (float(value) for value in position)
    return replace(camera, position=(x, max(y, LOWEST), z))
