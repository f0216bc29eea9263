"""A made person of blocks for the renderer's tests, so that they need no asset pack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from dance_synth.parts import Human, Material, Posed
from dance_synth.props import _faces

from dancecli.labels import Label
from dancecli.types import JOINT, FloatArray

BLOCKS = {
    "head": ((0.0, 1.45, 0.0), (0.2, 0.25, 0.2), Label.FACE, 24),
    "torso": ((0.0, 0.8, 0.0), (0.4, 0.65, 0.25), Label.UPPER_CLOTHES, 2),
    "left_arm": ((0.45, 1.3, 0.0), (0.5, 0.12, 0.08), Label.LEFT_ARM, 15),
    "right_arm": ((-0.45, 1.3, 0.0), (0.5, 0.12, 0.08), Label.RIGHT_ARM, 16),
    "left_leg": ((0.11, 0.0, 0.0), (0.16, 0.8, 0.18), Label.LEFT_LEG, 10),
    "right_leg": ((-0.11, 0.0, 0.0), (0.16, 0.8, 0.18), Label.RIGHT_LEG, 9),
}
"""Name -> middle of the base, size, label, part; metres, facing +z."""

JOINTS = {
    "nose": (0.0, 1.55, 0.09), "neck": (0.0, 1.4, 0.0), "mid_hip": (0.0, 0.85, 0.0),
    "left_shoulder": (0.19, 1.36, 0.0), "right_shoulder": (-0.19, 1.36, 0.0),
    "left_elbow": (0.45, 1.36, 0.0), "right_elbow": (-0.45, 1.36, 0.0),
    "left_wrist": (0.65, 1.36, 0.0), "right_wrist": (-0.65, 1.36, 0.0),
    "left_hip": (0.11, 0.85, 0.0), "right_hip": (-0.11, 0.85, 0.0),
    "left_knee": (0.11, 0.45, 0.0), "right_knee": (-0.11, 0.45, 0.0),
    "left_ankle": (0.11, 0.08, 0.0), "right_ankle": (-0.11, 0.08, 0.0),
}  # fmt: skip


def block_person(kind: str = "cloth", alpha: int = 255) -> tuple[Human, Posed]:
    """A person of blocks who stands with arms held out; alpha below 255 makes a cut-out of them."""
    corners, triangles, labels, parts = [], [], [], []
    for middle, size, label, part in BLOCKS.values():
        for face in _faces(np.float32(middle), np.float32(size)):
            first = 4 * len(corners)
            corners.append(face)
            triangles += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
            labels += 2 * [int(label)]
            parts += 2 * [part]
    vertices = np.concatenate(corners)
    uv = np.tile(np.float32([(0, 0), (1, 0), (1, 1), (0, 1)]), (len(corners), 1))
    mesh = np.array(triangles, np.int32)
    texture = np.full((16, 16, 4), (180, 120, 90, alpha), np.uint8)
    part, part_uv = np.array(parts, np.uint8), uv[mesh]
    human = Human(
        mesh, np.arange(len(vertices), dtype=np.int32), uv, np.zeros(len(mesh), np.uint8),
        (Material(texture, kind, alpha < 255),), np.array(labels, np.uint8), part, part_uv,
        mesh, part, part_uv, 1.7,
    )  # fmt: skip
    points, normals = np.zeros((137, 3), np.float32), np.zeros((137, 3), np.float32)
    points[:] = JOINTS["nose"]
    for name, place in JOINTS.items():
        points[JOINT[name]] = place
    points[25:46], points[46:67] = JOINTS["left_wrist"], JOINTS["right_wrist"]
    normals[67:] = (0, 0, 1)
    return human, Posed(vertices.astype(np.float32), points, normals)


def turned_away(pose: Posed) -> Posed:
    """The same with their back to +z."""
    flip = np.float32([-1, 1, -1])
    return Posed(pose.vertices * flip, pose.points * flip, pose.normals * flip)


def moved(pose: Posed, x: float, y: float, z: float) -> Posed:
    """The same somewhere else, metres."""
    step: FloatArray = np.float32([x, y, z])
    return replace(pose, vertices=pose.vertices + step, points=pose.points + step)
