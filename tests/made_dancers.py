"""The made figure with a face, and motions of it, for what paints people."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from dance_freestyle import faces

from dancecli.figures import made_target, standing_skeleton
from dancecli.types import Canvas, DenseMap, FloatArray, Motion, Target


def made_landmarks(centre: tuple[float, float], size: float, angle: float = 0.0) -> FloatArray:
    """70 points of a frontal face: five groups at the template's places, a jaw round them."""
    points = np.zeros((70, 3), np.float64)
    t = np.linspace(0, math.pi, 17)
    jaw = np.stack([56 - 42 * np.cos(t), 62 + 48 * np.sin(t)], 1)
    points[:17, :2] = jaw
    points[17:27, :2] = np.stack([np.linspace(20, 92, 10), np.full(10, 40)], 1)
    points[27:36, :2] = faces.ARCFACE[2]
    points[36:42, :2], points[42:48, :2] = faces.ARCFACE[0], faces.ARCFACE[1]
    points[48:68, :2] = faces.ARCFACE[3:].mean(0)
    points[48, :2], points[54, :2] = faces.ARCFACE[3], faces.ARCFACE[4]
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points[:, :2] = (points[:, :2] - 56) / 112 * size @ turn.T + np.array(centre)
    points[:, 2] = 1
    return points.astype(np.float32)


def target_with_face() -> Target:
    target = made_target()
    skeleton = dataclasses.replace(target.skeleton, face=made_landmarks((100, 40), 60))
    return dataclasses.replace(target, skeleton=skeleton)


def motions(count: int, height: int = 128) -> list[Motion]:
    width = height * 5 // 8
    face = made_landmarks((width / 2, height * 0.12), height * 0.2)
    found = []
    for index in range(count):
        skeleton = dataclasses.replace(standing_skeleton(width, height), face=face)
        skeleton = skeleton.moved(1, 3.0 * index, 0)
        dense = np.zeros((height, width, 3), np.float32)
        dense[20:90, 20:40] = (12, 0.5, 0.25)
        found.append(Motion(skeleton, DenseMap(dense), Canvas(width, height), index))
    return found
