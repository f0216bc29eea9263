"""Proportions of a body, and the frame of joints that the parser and the template draw on.

Lengths are fractions of the person's height. Bone lengths and joint places follow Drillis and
Contini's segment table (Winter, "Biomechanics and Motor Control of Human Movement", table 4.1);
widths were measured on photos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dancecli.errors import NoPersonError
from dancecli.types import JOINT, SEEN, BoolArray, FloatArray, Skeleton

SIDES = ("left", "right")

BONE_LENGTHS = {
    ("neck", "mid_hip"): 0.29,
    ("right_shoulder", "left_shoulder"): 0.215,
    ("right_shoulder", "right_elbow"): 0.175,
    ("left_shoulder", "left_elbow"): 0.175,
    ("right_elbow", "right_wrist"): 0.150,
    ("left_elbow", "left_wrist"): 0.150,
    ("right_hip", "right_knee"): 0.240,
    ("left_hip", "left_knee"): 0.240,
    ("right_knee", "right_ankle"): 0.235,
    ("left_knee", "left_ankle"): 0.235,
}
"""Joint pair -> length / height.

Finer than the table of `dance_mediapipe.silhouette`, where heights only scale widths: here unseen
joints are placed by the same shares (`_complete`)."""

HEAD_ABOVE_NECK = 0.105
"""Neck to the middle between the ears, / height."""


@dataclass(frozen=True, eq=False)
class BodyFrame:
    """A skeleton made usable for drawing: joints with gaps filled, and its scale.

    joints: float32 (25, 2) pixels. known: bool (25,), seen or completed; others are meaningless.
    height: the person's standing height in pixels. head: float32 (2,), middle of the head.
    depth: float32 (25,) pixels towards the camera, 0 where unknown. facing: cosine of the turn
    away from the camera, 1 frontal, 0 in profile, -1 from behind.
    """

    joints: FloatArray
    known: BoolArray
    height: float
    head: FloatArray
    depth: FloatArray
    facing: float

    def has(self, *names: str) -> bool:
        """Whether all the named joints are known."""
        return all(bool(self.known[JOINT[name]]) for name in names)

    def at(self, name: str) -> FloatArray:
        """(x, y) of a joint."""
        return np.asarray(self.joints[JOINT[name]], np.float32)

    def depth_at(self, *names: str) -> float:
        """Mean depth of the named joints, pixels towards the camera."""
        return float(np.mean([self.depth[JOINT[name]] for name in names]))


def body_frame(skeleton: Skeleton) -> BodyFrame:
    """Completes and measures a skeleton. Raises NoPersonError when it has no two joints apart."""
    joints = skeleton.body[:, :2].astype(np.float32).copy()
    known = skeleton.body[:, 2] >= SEEN
    depth = skeleton.depth()
    depth = np.zeros(25, np.float32) if depth is None else np.nan_to_num(depth, nan=0.0)
    height = body_height(skeleton)
    facing = _facing(joints, known, depth, height)
    _complete(joints, known, height, facing)
    if not known[JOINT["neck"]]:
        raise NoPersonError("The pose has neither head, shoulders nor hips; use another photo.")
    return BodyFrame(joints, known, height, _head(joints, known, height), depth, facing)


def body_height(skeleton: Skeleton) -> float:
    """Standing height in pixels, from the bones seen.

    Projection only shortens a bone, so the height is the mean of the two largest estimates; with
    `Skeleton.depth` the bones are measured in space first. Raises NoPersonError without a bone.
    """
    depth = skeleton.depth()
    z = np.zeros(25, np.float32) if depth is None else depth
    estimates = []
    for (a, b), share in BONE_LENGTHS.items():
        if skeleton.seen(a, b):
            plane = float(np.hypot(*(skeleton.joint(a) - skeleton.joint(b))))
            rise = float(np.nan_to_num(z[JOINT[a]] - z[JOINT[b]]))
            # Estimated depth is noisy: it may lengthen a bone by half, not more.
            estimates.append(min(float(np.hypot(plane, rise)), 1.5 * plane) / share)
    face = skeleton.face[skeleton.face[:, 2] >= SEEN, :2]
    if len(face) > 1:
        estimates.append(float(np.ptp(face[:, 1])) / 0.085)
    estimates = sorted(estimates)[-2:]
    if not estimates or max(estimates) < 8:
        raise NoPersonError(
            "The pose shows no limb to measure the person by; use a photo that shows the body."
        )
    return float(np.mean(estimates))


def _facing(joints: FloatArray, known: BoolArray, depth: FloatArray, height: float) -> float:
    """Cosine of the turn: the shoulders' and hips' signed width against the frontal one."""
    turns = []
    for joint, share in (("shoulder", 0.215), ("hip", 0.11)):
        left, right = JOINT[f"left_{joint}"], JOINT[f"right_{joint}"]
        if known[left] and known[right]:
            width = float(joints[left, 0] - joints[right, 0])
            rise = float(depth[left] - depth[right])
            length = float(np.hypot(width, rise)) if rise else share * height
            turns.append(width / max(length, 1e-3))
    if not turns:
        return 1.0
    return float(np.clip(np.mean(turns), -1, 1))


def _complete(joints: FloatArray, known: BoolArray, height: float, facing: float) -> None:
    """Fills trunk and legs in place where not seen; arms and feet are never invented."""

    def put(name: str, place: FloatArray) -> None:
        if not known[JOINT[name]]:
            joints[JOINT[name]], known[JOINT[name]] = place, True

    def at(name: str) -> FloatArray:
        return np.asarray(joints[JOINT[name]], np.float32)

    def has(*names: str) -> bool:
        return all(bool(known[JOINT[n]]) for n in names)

    down = np.array([0, height], np.float32)
    across = np.array([height * (1 if facing >= 0 else -1), 0], np.float32)
    head = [JOINT[n] for n in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]
    head = [j for j in head if known[j]]
    if has("left_shoulder", "right_shoulder"):
        put("neck", (at("left_shoulder") + at("right_shoulder")) / 2)
    if has("left_hip", "right_hip"):
        put("mid_hip", (at("left_hip") + at("right_hip")) / 2)
    if head:
        put("neck", joints[head].mean(0) + HEAD_ABOVE_NECK * down)
    if has("mid_hip"):
        put("neck", at("mid_hip") - 0.29 * down)
    if not has("neck"):
        return
    put("mid_hip", at("neck") + 0.29 * down)
    for sign, side in ((1, "left"), (-1, "right")):
        put(f"{side}_shoulder", at("neck") + sign * 0.107 * across)
        put(f"{side}_hip", at("mid_hip") + sign * 0.055 * across)
        put(f"{side}_knee", at(f"{side}_hip") + 0.24 * down + sign * 0.01 * across)
        put(f"{side}_ankle", at(f"{side}_knee") + 0.235 * down)


def _head(joints: FloatArray, known: BoolArray, height: float) -> FloatArray:
    """Middle of the head: between the ears, else the nose, else above the neck."""
    ears = [JOINT[n] for n in ("left_ear", "right_ear") if known[JOINT[n]]]
    if len(ears) == 2:
        return np.asarray(joints[ears].mean(0), np.float32)
    if known[JOINT["nose"]]:
        return np.asarray(joints[[*ears, JOINT["nose"]]].mean(0), np.float32)
    neck, hip = joints[JOINT["neck"]], joints[JOINT["mid_hip"]]
    axis = (neck - hip) / max(float(np.hypot(*(neck - hip))), 1e-3)
    return np.asarray(neck + HEAD_ABOVE_NECK * height * axis, np.float32)


def segment_distance(
    points: FloatArray, start: FloatArray, end: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Distance of points (N, 2) to a bone, and place along it: 0 at start, 1 at end, unclipped."""
    axis = (end - start).astype(np.float32)
    length2 = max(float(axis @ axis), 1e-6)
    t = ((points - start) @ axis) / np.float32(length2)
    nearest = start + np.clip(t, 0, 1)[:, None] * axis
    return np.hypot(*(points - nearest).T).astype(np.float32), t.astype(np.float32)
