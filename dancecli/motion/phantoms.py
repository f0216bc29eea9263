"""Heads and trunks that an extractor makes up.

Of somebody whose head the picture's upper edge cuts off it says that it is before the chest; of
legs alone, or of somebody blurred or upside down, that the trunk is folded up at the hips. Legs
tell how far the rest must reach, in the picture and in `world`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.body import HEAD_JOINTS, LEG, NECK_TO_EARS, SPINE
from dancecli.types import JOINT, SEEN, FloatArray

Mask = NDArray[np.bool_]

CRUSHED = 0.48
"""Length of a trunk in `world`, legs, below which it is made up: those that are seen measure 0.52
to 0.75, squats and bends among them, and made up ones 0.1 to 0.46."""

SQUEEZED = 0.9
"""Share of its length below which a trunk that would leave the picture is not believed; legs that
bend make that length too short rather than too long."""

MARGIN = 0.05
"""Legs by which a head must lie above the picture to be made up where it is said to be in it."""

LEANING = 0.85
"""Share of a trunk's length that the picture shows from which on it counts as upright, and its
head."""

_NECK, _HIP = JOINT["neck"], JOINT["mid_hip"]
_LEGS = [[JOINT[f"{side}_{n}"] for n in ("hip", "knee", "ankle")] for side in ("right", "left")]
_HEAD = [*HEAD_JOINTS, *range(67, 137)]
_TRUNK = [_NECK, JOINT["right_shoulder"], JOINT["left_shoulder"]]
_ARMS = [*(JOINT[f"{s}_{n}"] for s in ("right", "left") for n in ("elbow", "wrist")),
         *range(25, 67)]  # fmt: skip


def forget_phantoms(keypoints: FloatArray, world: FloatArray) -> None:
    """Makes what is made up unseen, in place.

    keypoints: (T, 137, 3), pixels of the picture. world: (T, 25, 3), NaN where unknown.
    """
    seen = _Upright.of(keypoints[:, :25], world)
    crushed = _crushed(world)
    squeezed = crushed | _squeezed(seen)
    headless = squeezed | _headless(seen)
    for joints, frames in ((_HEAD, headless), (_TRUNK, squeezed), (_ARMS, crushed)):
        times = np.flatnonzero(frames)[:, None]
        keypoints[times, joints, 2] = 0
        world[times, [joint for joint in joints if joint < 25]] = np.nan


def _crushed(world: FloatArray) -> Mask:
    """The frames (T,) whose trunk is shorter than that of any body with such legs."""
    trunk = np.linalg.norm(world[:, _NECK] - world[:, _HIP], axis=-1)
    return np.asarray(trunk < CRUSHED * _leg(world))  # never where one is NaN


def _squeezed(seen: _Upright) -> Mask:
    """The frames (T,) whose trunk would leave the picture and ends in it."""
    whole = seen.leg * SPINE / LEG * seen.flat
    cut = seen.body[:, _HIP, 1] - seen.rise * whole < 0
    return np.asarray((seen.leg > 0) & cut & (seen.trunk < SQUEEZED * whole))


def _headless(seen: _Upright) -> Mask:
    """The frames (T,) whose head would sit above the picture and is said to be in it.

    A head leans as its trunk does: one that is bowed on an upright trunk, there, is given up.
    """
    throat = seen.leg * np.minimum(seen.flat / LEANING, 1) * NECK_TO_EARS / LEG
    over = seen.body[:, _NECK, 1] - seen.rise * throat < -MARGIN * seen.leg
    head = seen.body[:, HEAD_JOINTS]
    inside = ((head[..., 2] >= SEEN) & (head[..., 1] >= 0)).any(1)
    return np.asarray((seen.leg > 0) & over & inside)


def _flat(lines: FloatArray) -> FloatArray:
    """(T,): the share of each line (T, 3) of `world` that the picture shows; 1 where not known.

    Whoever bends towards the camera is as short as that.
    """
    share = np.hypot(lines[:, 0], lines[:, 1]) / np.maximum(np.linalg.norm(lines, axis=-1), 1e-9)
    return np.asarray(np.nan_to_num(share, nan=1.0))


@dataclass(frozen=True, eq=False)
class _Upright:
    """Bodies (T, 25, 3) in the picture, and how they stand, (T,) each.

    leg: the longer of the legs that are seen whole, pixels; 0 where neither is, or the trunk is
    not seen or hangs down. trunk: its length, pixels. rise: how upright it is, 0 to 1. flat: the
    share of it that the picture shows.
    """

    body: FloatArray
    leg: FloatArray
    trunk: FloatArray
    rise: FloatArray
    flat: FloatArray

    @classmethod
    def of(cls, body: FloatArray, world: FloatArray) -> _Upright:
        trunk = body[:, _NECK, :2] - body[:, _HIP, :2]
        length = np.hypot(*trunk.T)
        rise = -trunk[:, 1] / np.maximum(length, 1e-6)
        told = (body[:, [_NECK, _HIP], 2] >= SEEN).all(1) & (rise > 0)
        whole = np.stack([(body[:, joints, 2] >= SEEN).all(1) for joints in _LEGS], 1)
        leg = _leg(body[..., :2], whole & told[:, None])
        return cls(body, leg, length, rise, _flat(world[:, _NECK] - world[:, _HIP]))


def _leg(joints: FloatArray, whole: Mask | None = None) -> FloatArray:
    """(T,): the longer of the legs of (T, 25, D); with `whole` (T, 2), of those, else 0."""
    bones = [np.linalg.norm(np.diff(joints[:, leg], axis=1), axis=-1).sum(1) for leg in _LEGS]
    lengths = np.stack(bones, 1)
    return np.asarray((lengths if whole is None else np.where(whole, lengths, 0)).max(1))
