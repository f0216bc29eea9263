"""How people are looked at: the kinds of shots, and cameras that move."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dance_synth.camera import axes, framed
from dance_synth.parts import Camera, Posed
from dancecli.types import JOINT, FloatArray

KINDS = {"full": 0.6, "far": 0.07, "knees": 0.1, "upper": 0.13, "head": 0.04, "cut": 0.06}
"""Shares of the kinds of shots."""

UPPER = (
    *(JOINT[name] for name in ("nose", "neck", "left_shoulder", "right_shoulder", "mid_hip")),
    *(JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "ear", "elbow")),
)
KNEES = (*UPPER, JOINT["left_knee"], JOINT["right_knee"])
HEAD = (JOINT["left_shoulder"], JOINT["right_shoulder"], *range(67, 137))


@dataclass(frozen=True)
class Shot:
    """What a camera is to show.

    kind: of `KINDS`. yaw, pitch: as `Camera`. focal: in heights of the picture. fill: share of the
    picture that it fills. centre: where in the picture, as shares.
    """

    kind: str
    yaw: float
    pitch: float
    focal: float
    fill: float
    centre: tuple[float, float]

    def camera(self, poses: list[Posed], height: int, width: int) -> Camera:
        """The camera that shows all the poses so."""
        points = np.concatenate([self._shown(pose) for pose in poses])
        start = Camera((0.0, 1.0, 0.0), self.yaw, self.pitch, self.focal * height, height, width)
        return framed(points, start, self.fill, self.centre)

    def _shown(self, pose: Posed) -> FloatArray:
        rows = {"upper": UPPER, "knees": KNEES, "head": HEAD}.get(self.kind)
        return pose.vertices[::7] if rows is None else pose.points[list(rows)]


def shot(rng: np.random.Generator, kind: str | None = None) -> Shot:
    """A shot at random; most are of the whole person, from about the height of a chest."""
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    low, high = {
        "full": (0.62, 0.95), "far": (0.32, 0.6), "knees": (0.7, 0.95), "upper": (0.6, 0.95),
        "head": (0.65, 0.95), "cut": (0.9, 1.5),
    }[kind]  # fmt: skip
    centre = (0.5 + float(rng.normal(0, 0.04)), 0.5 + float(rng.normal(0, 0.02)))
    if kind == "cut":
        centre = (float(rng.uniform(0.25, 0.75)), float(rng.uniform(0.3, 0.7)))
    return Shot(
        kind, float(rng.normal(0, 0.3)), _pitch(rng), float(np.exp(rng.uniform(0.0, 0.9))),
        float(rng.uniform(low, high)), centre,
    )  # fmt: skip


def plain_shot(rng: np.random.Generator) -> Shot:
    """The whole person from the front, with room to move in: for driving videos and photos."""
    return Shot(
        "full", float(rng.normal(0, 0.12)), float(rng.normal(0.05, 0.04)),
        float(rng.uniform(1.3, 2.0)), float(rng.uniform(0.78, 0.9)), (0.5, 0.5),
    )  # fmt: skip


def _pitch(rng: np.random.Generator) -> float:
    kind = rng.choice(3, p=[0.82, 0.12, 0.06])
    return float((rng.normal(0.06, 0.07), rng.uniform(0.2, 0.6), rng.uniform(-0.25, -0.05))[kind])


@dataclass(frozen=True)
class Path:
    """A camera's slow way around what it looks at. swing: radians; push: share of the distance.

    Both are the largest departure; period: seconds of a whole swing.
    """

    swing: float = 0.0
    push: float = 0.0
    period: float = 8.0

    def at(self, camera: Camera, middle: FloatArray, seconds: float) -> Camera:
        """Where the camera is; middle: (3,), what stays at its place in the picture."""
        phase = math.sin(2 * math.pi * seconds / self.period)
        turned = replace(camera, yaw=camera.yaw + self.swing * phase)
        offset = (np.float32(camera.position) - middle) @ axes(camera).T
        offset[2] *= 1 + self.push * phase
        x, y, z = (float(value) for value in middle + offset @ axes(turned))
        return replace(turned, position=(x, y, z))


STILL = Path()


def path(rng: np.random.Generator) -> Path:
    """Mostly a camera on a tripod, else one that moves a little."""
    if rng.random() < 0.6:
        return STILL
    swing, push = rng.uniform(-0.3, 0.3), rng.uniform(-0.15, 0.15)
    return Path(float(swing), float(push), float(rng.uniform(5, 14)))
