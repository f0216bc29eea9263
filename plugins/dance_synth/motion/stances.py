"""Everyday stances, which dance clips lack: most photos show people who just stand there.

A stance is a trunk, two arms and two legs, each chosen from a list and varied. Arms and legs are
given by where the wrist or ankle is and where the elbow or knee points; the joints follow by
two-bone inverse kinematics. Numbers are metres on the neutral body, for the LEFT side in the rest
pose's axes (+x the person's left, +y up, +z ahead); the right side is the mirror image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dance_synth.motion.hands import Hand, random_hand
from dance_synth.motion.retarget import JOINT, JOINTS, SIDES, Rig
from dance_synth.motion.rotations import MIRROR, Float64Array, about, about_axis, unit

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Arm:
    """wrist: from the shoulder. elbow: the way it points. fingers: the way they point.

    palm: the way the palm looks. hand: a name of `HANDS`, "" for a likely one. All within the
    chest's axes.
    """

    wrist: Vector
    elbow: Vector
    fingers: Vector
    palm: Vector
    hand: str = ""


@dataclass(frozen=True)
class Legs:
    """left, right: ankles from where the hip joint is in rest, in the heading's axes.

    knees: the way the left and right knee point. heels: how far each heel is raised, radians.
    pelvis: pitch (above 0 bends forward), degrees. Right-hand values are mirrored: x away from
    the middle.
    """

    left: Vector
    right: Vector
    knees: tuple[Vector, Vector] = ((0.15, 0, 1), (0.15, 0, 1))
    heels: tuple[float, float] = (0.0, 0.0)
    pelvis: float = 0.0


ARMS: Mapping[str, Arm] = {
    "hanging": Arm((0.08, -0.435, 0.03), (0.3, 0, -1), (0, -1, 0.1), (-1, 0, -0.15), "relaxed"),
    "loose": Arm((0.13, -0.40, 0.08), (0.5, 0, -1), (0.05, -1, 0.25), (-1, 0, -0.4), "relaxed"),
    "hip": Arm((0.075, -0.345, 0.03), (1, 0, -0.35), (-0.6, -0.45, 0.65), (-0.75, 0, -0.65)),
    "pocket": Arm((0.07, -0.385, 0.04), (0.6, 0, -1), (-0.1, -1, 0.3), (-1, 0, -0.1), "grip"),
    "clasped": Arm((-0.09, -0.38, 0.165), (1, 0, -0.4), (-0.75, -0.6, 0.15), (-0.1, -0.1, -1)),
    "behind": Arm((-0.06, -0.38, -0.14), (1, 0, -0.5), (-0.7, -0.7, -0.1), (0, 0, -1), "relaxed"),
    "crossed": Arm((-0.21, -0.195, 0.165), (0.7, -0.8, 0.1), (-1, 0.25, -0.25), (0, -0.2, -1)),
    "wave": Arm((0.20, 0.16, 0.10), (0.4, -1, -0.2), (0.15, 1, 0.1), (0, 0.1, 1), "open"),
    "up": Arm((0.10, 0.43, 0.02), (1, 0, -0.2), (0.05, 1, 0), (-0.4, 0, 1), "open"),
    "high": Arm((0.28, 0.34, 0.03), (0.3, -0.6, -1), (0.6, 1, 0), (-0.3, 0.2, 1), "open"),
    "side": Arm((0.45, 0.0, 0.0), (0, -0.3, -1), (1, 0, 0), (0, -1, 0.1), "flat"),
    "out": Arm((0.31, -0.31, 0.03), (0, 0, -1), (0.7, -0.75, 0.1), (-0.7, -0.7, 0)),
    "ahead": Arm((0.02, -0.03, 0.43), (0.6, -1, 0), (0, 0.05, 1), (-0.3, -1, 0)),
    "point": Arm((0.18, 0.03, 0.38), (0.5, -1, 0), (0.4, 0.1, 1), (-0.5, -1, 0), "point"),
    "aside": Arm((0.40, 0.12, 0.12), (0, -1, -0.3), (1, 0.3, 0.25), (0, -0.6, 0.8), "point"),
    "chin": Arm((-0.11, -0.03, 0.19), (0.35, -1, 0.15), (-0.35, 1, -0.25), (-0.3, 0.1, -1), "grip"),
    "phone": Arm((-0.03, 0.075, 0.13), (0.7, -1, 0.2), (-0.2, 0.9, -0.35), (-1, 0, 0.1), "grip"),
    "look": Arm((-0.06, -0.17, 0.27), (0.6, -1, 0), (-0.35, 0.5, 0.8), (-0.3, 0.8, -0.6), "grip"),
    "swung ahead": Arm((0.06, -0.37, 0.20), (0.3, 0, -1), (0, -0.9, 0.45), (-1, 0, 0), "relaxed"),
    "swung back": Arm((0.10, -0.40, -0.14), (0.3, 0, -1), (0, -1, -0.2), (-1, 0, 0), "relaxed"),
    "runs ahead": Arm((0.0, -0.16, 0.24), (0.3, -0.6, -1), (-0.2, 0.6, 0.8), (-1, 0, 0.1), "fist"),
    "runs back": Arm((0.10, -0.27, -0.04), (0.3, 0.1, -1), (0, -0.4, 1), (-1, 0, 0.1), "fist"),
    "talks": Arm((0.12, -0.25, 0.24), (0.5, -0.8, -0.6), (0.15, 0.15, 1), (-0.6, 0.75, 0.2)),
    "nape": Arm((-0.05, 0.15, -0.07), (1, 0.2, 0.15), (-1, 0.2, -0.3), (-0.3, -0.1, 1)),
    "flex": Arm((0.17, 0.15, 0.05), (1, -0.4, -0.2), (-0.3, 1, 0.1), (-1, 0, 0.2), "fist"),
    "knee": Arm((0.02, -0.34, 0.27), (1, 0, -0.3), (-0.1, -0.6, 0.9), (-0.1, -1, -0.2)),
}  # fmt: skip

_SEATED = ((0.1, 0.4, 1.0), (0.1, 0.4, 1.0))
_SPLAYED = ((0.45, 0.2, 1.0), (0.35, 0.2, 1.0))

LEGS: Mapping[str, Legs] = {
    "together": Legs((-0.02, -0.803, 0.0), (-0.02, -0.803, 0.0)),
    "apart": Legs((0.05, -0.801, 0.0), (0.05, -0.801, 0.0)),
    "wide": Legs((0.17, -0.783, 0.0), (0.17, -0.783, 0.0), ((0.4, 0, 1), (0.4, 0, 1))),
    "one ahead": Legs((0.01, -0.785, 0.12), (0.0, -0.795, -0.05), heels=(0.0, 0.08)),
    "one aside": Legs((-0.02, -0.803, 0.0), (0.09, -0.785, 0.05), ((0.1, 0, 1), (0.45, 0, 1))),
    "crossed": Legs((-0.13, -0.793, 0.08), (-0.02, -0.803, 0.0), ((-0.1, 0, 1), (0.1, 0, 1))),
    "walk": Legs((-0.02, -0.745, 0.24), (-0.02, -0.725, -0.25), heels=(-0.25, 0.55)),
    "stride": Legs((-0.02, -0.70, 0.36), (-0.02, -0.66, -0.36), heels=(-0.3, 0.8), pelvis=5),
    "run": Legs((-0.02, -0.55, 0.20), (-0.02, -0.55, -0.42), heels=(-0.1, 1.4), pelvis=10),
    "knee up": Legs((0.0, -0.45, 0.28), (-0.03, -0.79, 0.0), heels=(0.3, 0.0)),
    "lunge": Legs((0.02, -0.55, 0.36), (0.0, -0.55, -0.50), heels=(0.0, 0.9)),
    "sit": Legs((0.03, -0.40, 0.40), (0.03, -0.40, 0.40), _SEATED, pelvis=-5),
    "crouch": Legs((0.08, -0.36, 0.02), (0.08, -0.36, 0.0), _SPLAYED, (0.3, 0.5), 22),
    "half squat": Legs((0.08, -0.58, 0.0), (0.08, -0.58, 0.0), _SPLAYED, pelvis=25),
    "kneel": Legs((0.02, -0.50, 0.32), (0.02, -0.42, -0.34), heels=(0.0, 1.3)),
}  # fmt: skip


@dataclass(frozen=True)
class Stance:
    """Arms (left, right) and legs by name; lean: the trunk's bend forward, degrees."""

    arms: tuple[str, str]
    legs: tuple[str, ...]
    weight: float
    lean: float = 0.0


_UPRIGHT = ("together", "together", "apart", "apart", "wide", "one ahead", "one aside", "crossed")

STANCES: Mapping[str, Stance] = {
    "relaxed": Stance(("hanging", "hanging"), _UPRIGHT, 20),
    "loose": Stance(("loose", "hanging"), _UPRIGHT, 7),
    "hands on hips": Stance(("hip", "hip"), _UPRIGHT, 7),
    "one hand on hip": Stance(("hip", "hanging"), _UPRIGHT, 5),
    "pockets": Stance(("pocket", "pocket"), _UPRIGHT, 6),
    "one pocket": Stance(("pocket", "loose"), _UPRIGHT, 4),
    "arms crossed": Stance(("crossed", "crossed"), _UPRIGHT, 7),
    "hands in front": Stance(("clasped", "clasped"), _UPRIGHT, 6),
    "hands behind": Stance(("behind", "behind"), _UPRIGHT, 4),
    "waving": Stance(("wave", "hanging"), _UPRIGHT, 5),
    "both wave": Stance(("wave", "wave"), _UPRIGHT, 2),
    "arms up": Stance(("up", "up"), _UPRIGHT, 3),
    "cheering": Stance(("high", "high"), (*_UPRIGHT, "knee up"), 4),
    "one arm up": Stance(("high", "hip"), _UPRIGHT, 3),
    "T": Stance(("side", "side"), ("together", "apart"), 2),
    "A": Stance(("out", "out"), ("apart", "wide"), 5),
    "pointing": Stance(("point", "hanging"), _UPRIGHT, 2),
    "pointing aside": Stance(("aside", "hip"), _UPRIGHT, 2),
    "thinking": Stance(("chin", "crossed"), _UPRIGHT, 2),
    "telephone": Stance(("phone", "pocket"), (*_UPRIGHT, "walk"), 3),
    "looking at a phone": Stance(("look", "hanging"), (*_UPRIGHT, "sit"), 3),
    "talking": Stance(("talks", "talks"), _UPRIGHT, 5),
    "one hand talks": Stance(("talks", "loose"), _UPRIGHT, 3),
    "hands at the nape": Stance(("nape", "nape"), _UPRIGHT, 1.5),
    "flexing": Stance(("flex", "flex"), ("apart", "wide"), 1.5),
    "walking": Stance(("swung back", "swung ahead"), ("walk", "walk", "stride"), 9),
    "running": Stance(("runs back", "runs ahead"), ("run", "stride"), 3, 8),
    "sitting": Stance(("knee", "knee"), ("sit",), 6),
    "sitting, crossed": Stance(("crossed", "crossed"), ("sit",), 1.5),
    "crouching": Stance(("knee", "knee"), ("crouch",), 2.5, 20),
    "squatting": Stance(("ahead", "ahead"), ("half squat", "crouch"), 3, 5),
    "lunging": Stance(("hip", "hip"), ("lunge", "kneel"), 2.5),
}  # fmt: skip

_TRUNK_JOINTS = "abdomen", "chest", "neck", "head"


def stance(
    rig: Rig, rng: np.random.Generator, name: str = ""
) -> tuple[Float64Array, tuple[Hand, Hand]]:
    """World rotations of `JOINTS` from the rig's rest, (19, 3, 3), facing +z, and both hands.

    name: of `STANCES`; by default a likely one. Half of them are mirrored.
    """
    weights = np.array([s.weight for s in STANCES.values()])
    name = name or str(rng.choice(list(STANCES), p=weights / weights.sum()))
    chosen = STANCES[name]
    legs = LEGS[str(rng.choice(chosen.legs))]
    order = (0, 1) if rng.random() < 0.5 else (1, 0)
    turned = _trunk(rng, legs.pelvis, chosen.lean)
    hands = []
    for side, which in zip(SIDES, order, strict=True):
        arm = ARMS[chosen.arms[which]]
        _place_arm(rig, turned, side, arm, rng)
        _place_leg(rig, turned, side, legs, which, rng)
        hands.append(random_hand(rng, arm.hand))
    return turned, (hands[0], hands[1])


def _trunk(rng: np.random.Generator, pelvis: float, lean: float) -> Float64Array:
    """Hip to head: a little random, the head mostly upright and looking ahead."""
    turned = np.tile(np.eye(3), (len(JOINTS), 1, 1))
    degrees = rng.normal(
        0, [(2, 4, 2), (2, 3, 2), (2, 4, 2), (3, 5, 2), (4, 9, 4)]
    )  # pitch, yaw, roll
    degrees[:, 0] += (
        pelvis,
        lean * 0.5 + 1,
        lean * 0.5 + 1,
        -0.3 * (pelvis + lean),
        -0.5 * (pelvis + lean),
    )
    world = np.eye(3)
    for joint, angles in zip(("hip", *_TRUNK_JOINTS), np.radians(degrees), strict=True):
        pitch, yaw, roll = (about_axis(axis, angle) for axis, angle in enumerate(angles))
        world = world @ yaw @ pitch @ roll
        turned[JOINT[joint]] = world
    return turned


def _place_arm(
    rig: Rig, turned: Float64Array, side: str, arm: Arm, rng: np.random.Generator
) -> None:
    letter, flip = side.lower(), np.eye(3) if side == "L" else MIRROR
    chest = turned[JOINT["chest"]]
    shoulder, elbow, wrist = (
        rig.at(f"{bone}.{side}") for bone in ("upperarm01", "lowerarm01", "wrist")
    )
    target = np.array(arm.wrist) + rng.normal(0, 0.02, 3)
    collar = about_axis(2, np.clip(target[1] / 0.45, 0, 1) * np.radians(25))
    turned[JOINT[letter + "Collar"]] = chest @ flip @ collar @ flip
    upper, fore = _two_bones(
        elbow - shoulder, wrist - elbow, np.cross(elbow - shoulder, wrist - elbow),
        chest @ flip @ target, chest @ flip @ _jittered(arm.elbow, rng),
    )  # fmt: skip
    knuckles = rig.at(f"finger3-1.{side}")
    turned[JOINT[letter + "Shldr"]], turned[JOINT[letter + "ForeArm"]] = upper, fore
    turned[JOINT[letter + "Hand"]] = (
        chest @ flip @ _frame(_jittered(arm.fingers, rng), np.array(arm.palm)) @ flip
    ) @ (flip @ _frame(flip @ (knuckles - wrist), flip @ rig.palm(side)) @ flip).T


def _place_leg(
    rig: Rig, turned: Float64Array, side: str, legs: Legs, which: int, rng: np.random.Generator
) -> None:
    letter, flip = side.lower(), np.eye(3) if side == "L" else MIRROR
    hip, knee, ankle = (rig.at(f"{bone}.{side}") for bone in ("upperleg01", "lowerleg01", "foot"))
    pelvis, root = turned[JOINT["hip"]], rig.at("root")
    sunk = pelvis @ (hip - root) - (hip - root)
    target = np.array((legs.left, legs.right)[which]) + rng.normal(0, (0.015, 0.0, 0.02))
    pointing = _jittered(legs.knees[which], rng)
    upper, lower = _two_bones(
        knee - hip, ankle - knee, np.cross([0.0, 0, 1], knee - hip), flip @ target - sunk,
        flip @ pointing,
    )  # fmt: skip
    outward = np.arctan2(pointing[0], pointing[2]) * 0.7 + rng.normal(0, 0.08)
    foot = about_axis(1, float(outward)) @ about_axis(0, legs.heels[which])
    turned[JOINT[letter + "Thigh"]], turned[JOINT[letter + "Shin"]] = upper, lower
    turned[JOINT[letter + "Foot"]] = flip @ foot @ flip


def _jittered(direction: Vector, rng: np.random.Generator) -> Float64Array:
    return unit(unit(np.array(direction)) + rng.normal(0, 0.08, 3))


def _frame(first: Float64Array, second: Float64Array) -> Float64Array:
    """Columns: first, what of second is across it, and their cross product."""
    x = unit(first)
    y = unit(second - (second @ x) * x)
    return np.stack([x, y, np.cross(x, y)], 1)


def _two_bones(
    upper: Float64Array,
    lower: Float64Array,
    hinge: Float64Array,
    target: Float64Array,
    pole: Float64Array,
) -> tuple[Float64Array, Float64Array]:
    """Rotations of two bones so that the chain's end is at target, the middle towards pole.

    upper, lower: the bones at rest; hinge: the axis about which lower is bent against upper.
    A target out of reach is drawn in.
    """
    first, second = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
    reach = float(
        np.clip(np.linalg.norm(target), abs(first - second) + 0.02, (first + second) * 0.997)
    )
    cosine = (first**2 + reach**2 - second**2) / (2 * first * reach)
    towards = unit(target)
    axis = unit(np.cross(pole, towards))
    bent = about(axis, -float(np.arccos(np.clip(cosine, -1, 1)))) @ towards
    rest = towards * reach - bent * first
    return tuple(  # type: ignore[return-value]
        _frame(turned, axis) @ _frame(bone, hinge).T
        for bone, turned in ((upper, bent), (lower, rest))
    )
