"""A person of flat-coloured parts in any pose, for tests that must know what went where."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from dancecli.figures import standing_skeleton
from dancecli.labels import Label
from dancecli.types import (
    JOINT,
    FloatArray,
    Frame,
    LabelMap,
    PersonMask,
    Skeleton,
    Target,
    UInt8Array,
)

WIDTH, HEIGHT = 280, 440
GROUND = (40, 220, 40)
COLOURS: dict[Label, tuple[int, int, int]] = {
    Label.UPPER_CLOTHES: (90, 90, 200), Label.FACE: (230, 190, 160), Label.HAIR: (70, 30, 10),
    Label.LEFT_ARM: (250, 40, 40), Label.RIGHT_ARM: (250, 220, 40), Label.LEFT_LEG: (250, 40, 250),
    Label.RIGHT_LEG: (40, 230, 250),
}  # fmt: skip
_LIMBS = (
    (Label.RIGHT_LEG, 0.034, ("right_hip", "right_knee", "right_ankle", "right_big_toe")),
    (Label.LEFT_LEG, 0.034, ("left_hip", "left_knee", "left_ankle", "left_big_toe")),
    (Label.RIGHT_ARM, 0.024, ("right_shoulder", "right_elbow", "right_wrist", "right_tip")),
    (Label.LEFT_ARM, 0.024, ("left_shoulder", "left_elbow", "left_wrist", "left_tip")),
)


def standing() -> Skeleton:
    """Facing us, arms a little spread, in the middle of the picture; all depth 0."""
    return with_world(standing_skeleton(WIDTH, HEIGHT).moved(0.9, 0.05 * WIDTH, 0.05 * HEIGHT))


def with_world(skeleton: Skeleton, **towards_us: float) -> Skeleton:
    """World joints that agree with the picture; keyword joints lie that many metres nearer."""
    metres = 1.7 / (0.85 * 0.9 * HEIGHT)
    world = np.zeros((25, 3), np.float32)
    world[:, :2] = (skeleton.body[:, :2] - skeleton.joint("mid_hip")) * metres
    world[JOINT["nose"], 2] = -0.1
    for joint, near in towards_us.items():
        world[JOINT[joint], 2] = -near
    return replace(skeleton, world=world)


def bent(skeleton: Skeleton, **degrees: float) -> Skeleton:
    """Joints turned about their parents: `left_elbow=90` turns the whole arm about the shoulder."""
    body = skeleton.body.copy()
    for joint, angle in degrees.items():
        side, part = joint.split("_", 1)
        chain = ("shoulder", "elbow", "wrist") if part in ("elbow", "wrist") else _LEG
        start = chain.index(part)
        pivot = body[JOINT[f"{side}_{chain[start - 1]}"], :2].copy()
        moved = [JOINT[f"{side}_{name}"] for name in chain[start:]]
        a = np.radians(angle)
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]], np.float32)
        body[moved, :2] = (body[moved, :2] - pivot) @ turn.T + pivot
    return with_world(replace(skeleton, body=body))


def leaning() -> Skeleton:
    """Turned aside and bent over, with shoulders and hips level in the picture, both arms ahead."""
    skeleton = standing()
    body, hip = skeleton.body.copy(), skeleton.joint("mid_hip")
    trunk = float(np.hypot(*(skeleton.joint("neck") - hip)))
    breadth = float(np.hypot(*(skeleton.joint("left_shoulder") - skeleton.joint("right_shoulder"))))
    neck = hip + trunk * np.array([0.7, -0.7])
    body[_HEAD, :2] += neck - skeleton.joint("neck")
    body[JOINT["neck"], :2] = neck
    for side, sign in (("left", 1), ("right", -1)):
        steps = np.array([(0.22 * sign * breadth, 0), (0.35 * trunk, 0.35 * trunk),
                          (0.15 * trunk, -0.5 * trunk)])  # fmt: skip
        rows = [JOINT[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")]
        body[rows, :2] = neck + np.cumsum(steps, 0)
    body[:, 0] -= 0.2 * WIDTH
    far = 0.45 * breadth * 1.7 / (0.85 * 0.9 * HEIGHT)
    depths = {f"left_{name}": -far for name in ("shoulder", "elbow", "wrist")}
    depths |= {f"right_{name}": far for name in ("shoulder", "elbow", "wrist")}
    return with_world(replace(skeleton, body=body), **depths, left_hip=-far / 2, right_hip=far / 2)


_HEAD = [JOINT[name] for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]
_LEG = ("hip", "knee", "ankle", "heel", "small_toe", "big_toe")


def photo_of(skeleton: Skeleton, without: tuple[Label, ...] = (), rows: int = HEIGHT) -> Target:
    """A photo of the person in that pose. without: parts not drawn. rows: the photo ends there."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for label, radius, names in _LIMBS[:2]:
        if label not in without:
            _stroke(labels, skeleton, names, label, radius)
    trunk = [
        skeleton.joint(n) for n in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")
    ]
    cv2.fillPoly(labels, [np.rint(trunk).astype(np.int32)], int(Label.UPPER_CLOTHES))
    _stroke(labels, skeleton, ("neck", "mid_hip"), Label.UPPER_CLOTHES, 0.05)
    _stroke(labels, skeleton, ("left_hip", "right_hip"), Label.UPPER_CLOTHES, 0.03)
    _stroke(labels, skeleton, ("left_shoulder", "right_shoulder"), Label.UPPER_CLOTHES, 0.024)
    _stroke(labels, skeleton, ("neck", "nose"), Label.FACE, 0.022)
    x, y = skeleton.joint("nose")
    cv2.circle(labels, (round(x), round(y - 0.02 * HEIGHT)), round(0.055 * HEIGHT), Label.HAIR, -1)
    cv2.circle(labels, (round(x), round(y)), round(0.045 * HEIGHT), int(Label.FACE), -1)
    for label, radius, names in _LIMBS[2:]:
        if label not in without:
            _stroke(labels, skeleton, names, label, radius)
    labels = labels[:rows]
    rgb = np.full((*labels.shape, 3), GROUND, np.uint8)
    for label, colour in COLOURS.items():
        rgb[labels == label] = colour
    mask = PersonMask((labels > 0).astype(np.float32))
    return Target(Frame(rgb), mask, LabelMap(_with_hands(labels, skeleton)), skeleton)


def _with_hands(labels: UInt8Array, skeleton: Skeleton) -> UInt8Array:
    """Arm labels beyond the wrists become hand labels."""
    out = labels.copy()
    for side, arm, hand in (
        ("left", Label.LEFT_ARM, Label.LEFT_HAND), ("right", Label.RIGHT_ARM, Label.RIGHT_HAND),
    ):  # fmt: skip
        near = np.zeros(labels.shape, np.uint8)
        x, y = tip(skeleton, side)
        cv2.circle(near, (round(x), round(y)), round(0.05 * HEIGHT), 1, -1)
        out[(labels == arm) & (near > 0)] = hand
    return out


def tip(skeleton: Skeleton, side: str) -> FloatArray:
    """Where the middle of a hand is drawn, pixels (2,)."""
    elbow, wrist = skeleton.joint(f"{side}_elbow"), skeleton.joint(f"{side}_wrist")
    place: FloatArray = wrist + (wrist - elbow) * np.float32(0.35)
    return place


def _stroke(
    labels: UInt8Array, skeleton: Skeleton, names: tuple[str, ...], value: int, radius: float
) -> None:
    points = [
        tip(skeleton, name.split("_")[0]) if name.endswith("_tip") else skeleton.joint(name)
        for name in names
    ]
    for a, b in pairwise(points):
        ends = [tuple(int(v) for v in np.rint(p)) for p in (a, b)]
        cv2.line(labels, ends[0], ends[1], int(value), max(1, round(2 * radius * HEIGHT)))
