"""Keypoints of a posed person in a picture, and which of them can be seen."""

from __future__ import annotations

import numpy as np

from dance_synth.camera import NEAR, project, seen_from
from dance_synth.parts import Camera, Posed
from dancecli.types import BODY_25, JOINT, FloatArray, Skeleton, UInt8Array

HIDDEN = 0.5
"""Confidence of a point inside the picture that something covers."""

_DEPTHS = {
    "nose": 0.03, "neck": 0.14, "shoulder": 0.11, "elbow": 0.07, "wrist": 0.05, "hip": 0.2,
    "knee": 0.09, "ankle": 0.07, "eye": 0.035, "ear": 0.04, "toe": 0.06, "heel": 0.07,
}  # fmt: skip
"""Metres, of a person of 1.7 m, by which a joint may lie under the skin that covers it."""

HAND_DEPTH, FACE_DEPTH = 0.03, 0.025


def _tolerances() -> FloatArray:
    body = [next(_DEPTHS[word] for word in _DEPTHS if word in name) for name in BODY_25]
    return np.array([*body, *(42 * [HAND_DEPTH]), *(70 * [FACE_DEPTH])], np.float32)


TOLERANCE: FloatArray = _tolerances()
"""Per point of `Skeleton.points`."""


def skeleton_of(
    pose: Posed, camera: Camera, depth: FloatArray, owner: UInt8Array, grid: int, height: float
) -> Skeleton:
    """The person's keypoints; confidence as `Rendered.skeleton` says.

    depth, owner: (H·grid, W·grid), what is nearest at each sample and whose (1: this person's).
    A point is seen unless something covers it: a thing or another person before it, or the person's
    own surface by more than a joint's depth under the skin. Face points must look at the camera.
    """
    xy, far = project(camera, pose.points)
    inside = (
        (far > NEAR) & (xy >= 0).all(1) & (xy[:, 0] < camera.width) & (xy[:, 1] < camera.height)
    )
    j, i = np.floor(np.where(inside[:, None], xy, 0) * grid).astype(np.int64).T
    allowed = np.where(owner[i, j] == 1, TOLERANCE * (height / 1.7), 0)
    seen = depth[i, j] >= far - allowed
    view = pose.points - np.float32(camera.position)
    seen &= (pose.normals * view).sum(1) <= 0
    confidence = np.where(inside, np.where(seen, 1.0, HIDDEN), 0.0)
    points = np.concatenate([xy, confidence[:, None]], 1).astype(np.float32)
    points[~inside] = 0
    local = seen_from(camera, pose.points[:25])
    world = (local - local[JOINT["mid_hip"]]).astype(np.float32)
    return Skeleton(points[:25], points[25:46], points[46:67], points[67:], world)
