"""Hand poses: fingers that curl about their own axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dance_synth.motion.retarget import Rig
from dance_synth.motion.rotations import Float64Array, about, unit

FINGERS = (1, 2, 3, 4, 5)
"""Thumb, index, middle, ring, little, as the rig numbers them."""


@dataclass(frozen=True)
class Hand:
    """How far fingers are bent from the rig's rest, radians, thumb first.

    curl: each finger's bend at the knuckle; the middle and end joints bend by `REACH` of it.
    spread: between neighbouring fingers.
    """

    curl: tuple[float, float, float, float, float]
    spread: float = 0.0


REACH = (1.0, 1.15, 0.75)
"""Bend of knuckle, middle and end joint, relative to the knuckle's."""

HANDS: Mapping[str, Hand] = {
    "rest": Hand((0.0, 0.0, 0.0, 0.0, 0.0)),
    "relaxed": Hand((0.1, 0.2, 0.3, 0.35, 0.4)),
    "fist": Hand((0.75, 1.25, 1.3, 1.3, 1.3)),
    "open": Hand((-0.15, -0.15, -0.15, -0.15, -0.15), 0.1),
    "point": Hand((0.5, -0.1, 1.2, 1.25, 1.25)),
    "flat": Hand((0.1, -0.12, -0.12, -0.12, -0.12), -0.03),
    "grip": Hand((0.35, 0.7, 0.75, 0.8, 0.8)),
    "victory": Hand((0.6, -0.1, -0.1, 1.2, 1.2), 0.12),
    "thumb up": Hand((-0.35, 1.25, 1.3, 1.3, 1.3)),
}

_LIKELY = {"relaxed": 0.55, "rest": 0.15, "open": 0.1, "fist": 0.08, "grip": 0.07, "point": 0.05}


def random_hand(rng: np.random.Generator, name: str = "") -> Hand:
    """A named pose (by default a likely one) with fingers a little apart from it."""
    if not name:
        name = str(rng.choice(list(_LIKELY), p=list(_LIKELY.values())))
    hand = HANDS[name]
    together, apart = rng.normal(0, 0.08), rng.normal(0, 0.05, 5)
    curl = [
        float(np.clip(c + together + a, -0.25, 1.4)) for c, a in zip(hand.curl, apart, strict=True)
    ]
    return Hand(
        (curl[0], curl[1], curl[2], curl[3], curl[4]), hand.spread + float(rng.normal(0, 0.02))
    )


def curl_axis(rig: Rig, side: str, finger: int) -> Float64Array:
    """The axis in rest, (3,), about which a right-handed turn bends a finger into the palm.

    For the fingers: cross(bone direction, palm normal). The thumb comes across the palm instead,
    towards the base of the little finger.
    """
    direction = rig.along(f"finger{finger}-1.{side}", f"finger{finger}-3.{side}")
    towards = rig.palm(side)
    if finger == 1:
        across = rig.along(f"finger1-1.{side}", f"finger5-1.{side}")
        towards = unit(across + 0.5 * towards)
    return unit(np.cross(direction, towards))


def bend_fingers(rig: Rig, turned: Float64Array, side: str, hand: Hand) -> None:
    """Bend one hand's fingers in place, on bones (B, 3, 3) whose wrist is turned already."""
    wrist = turned[rig.bones.index(f"wrist.{side}")]
    palm = rig.palm(side) * (1 if side == "L" else -1)
    for finger in FINGERS:
        axis = curl_axis(rig, side, finger)
        fan = about(palm, hand.spread * (3 - finger)) if finger > 1 else np.eye(3)
        bend = 0.0
        for joint, reach in enumerate(REACH, start=1):
            share = 0.5 if finger == 1 else 1.0
            bend += hand.curl[finger - 1] * reach * share
            bone = rig.bones.index(f"finger{finger}-{joint}.{side}")
            turned[bone] = wrist @ fan @ about(axis, bend)
