"""From the 19 joints that a motion turns to the 79 bones of the rig."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dance_synth.motion.rotations import Float64Array, about, between, partway, quaternions, unit

SIDES = ("L", "R")

JOINTS = (
    "hip", "abdomen", "chest", "neck", "head",
    "lCollar", "lShldr", "lForeArm", "lHand", "rCollar", "rShldr", "rForeArm", "rHand",
    "lThigh", "lShin", "lFoot", "rThigh", "rShin", "rFoot",
)  # fmt: skip
"""Joints that drive the rig, by their names in the motion clips."""

JOINT = {name: index for index, name in enumerate(JOINTS)}

SWAPPED = tuple(
    JOINT[{"l": "r", "r": "l"}[name[0]] + name[1:] if name[1].isupper() else name]
    for name in JOINTS
)
"""For each joint, the one on the other side."""

_TORSO: Mapping[str, tuple[str, str, float]] = {
    "root": ("hip", "hip", 0), "spine05": ("hip", "hip", 0),
    "spine04": ("hip", "abdomen", 0.5), "spine03": ("abdomen", "abdomen", 0),
    "spine02": ("abdomen", "chest", 0.5), "spine01": ("chest", "chest", 0),
    "neck01": ("chest", "neck", 0.5), "neck02": ("neck", "neck", 0),
    "neck03": ("neck", "head", 0.5), "head": ("head", "head", 0),
}  # fmt: skip
_LIMBS: Mapping[str, tuple[str, str, float]] = {
    "clavicle": ("Collar", "Collar", 0), "shoulder01": ("Collar", "Shldr", 0.25),
    "upperarm01": ("Shldr", "Shldr", 0), "upperarm02": ("Shldr", "Shldr", 0),
    "lowerarm01": ("ForeArm", "ForeArm", 0), "lowerarm02": ("ForeArm", "ForeArm", 0),
    "wrist": ("Hand", "Hand", 0),
    "upperleg01": ("Thigh", "Thigh", 0), "upperleg02": ("Thigh", "Thigh", 0),
    "lowerleg01": ("Shin", "Shin", 0), "lowerleg02": ("Shin", "Shin", 0),
    "foot": ("Foot", "Foot", 0),
}  # fmt: skip

FOREARM_TWIST = 0.5
"""Share of the hand's turn about the forearm's axis that the forearm's lower half takes part in."""


def joint_parents() -> tuple[int, ...]:
    """Of `JOINTS`, as a body is built: collars on the chest, thighs on the hip."""
    above = {
        "abdomen": "hip", "chest": "abdomen", "neck": "chest", "head": "neck",
        "Collar": "chest", "Shldr": "Collar", "ForeArm": "Shldr", "Hand": "ForeArm",
        "Thigh": "hip", "Shin": "Thigh", "Foot": "Shin",
    }  # fmt: skip
    parents = [-1]
    for name in JOINTS[1:]:
        parent = above.get(name) or above[name[1:]]
        parents.append(JOINT.get(parent, JOINT.get(name[0] + parent, -1)))
    return tuple(parents)


@dataclass(frozen=True, eq=False)
class Rig:
    """The skeleton in its rest pose.

    bones: names, parents before children. parents: of each bone, -1 for the root.
    heads: float64 (B, 3), metres.
    """

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    heads: Float64Array

    def at(self, bone: str) -> Float64Array:
        """Where a bone starts, (3,)."""
        place: Float64Array = self.heads[self.bones.index(bone)]
        return place

    def along(self, start: str, end: str) -> Float64Array:
        """Unit vector (3,) from one bone's head to another's."""
        return unit(self.at(end) - self.at(start))

    def palm(self, side: str) -> Float64Array:
        """Unit vector (3,) out of the palm of "L" or "R", away from the back of the hand."""
        wrist = self.at(f"wrist.{side}")
        index, little = self.at(f"finger2-1.{side}"), self.at(f"finger5-1.{side}")
        normal = unit(np.cross(little - wrist, index - wrist))
        return normal if side == "L" else -normal


def limb_directions(rig: Rig) -> dict[str, Float64Array]:
    """Rest directions (3,) of the joints whose limb does not point as in a T-pose."""
    found = {}
    for side in SIDES:
        letter = side.lower()
        found[letter + "Shldr"] = rig.along(f"upperarm01.{side}", f"lowerarm01.{side}")
        found[letter + "ForeArm"] = rig.along(f"lowerarm01.{side}", f"wrist.{side}")
        found[letter + "Thigh"] = rig.along(f"upperleg01.{side}", f"lowerleg01.{side}")
        found[letter + "Shin"] = rig.along(f"lowerleg01.{side}", f"foot.{side}")
    return found


def to_zero_pose(rig: Rig, directions: Mapping[str, Float64Array]) -> Float64Array:
    """Per joint the rotation A, (19, 3, 3), from the rig's rest to a source's zero pose.

    directions: of the source's limbs in its zero pose, by joint, as `limb_directions`.

    The smallest rotation along each chain: the forearm's is counted from where the upper arm's
    takes it, so that the elbow opens about its own hinge and the palm does not roll. The hand
    goes with its forearm; a foot stays as it is.
    """
    rest = limb_directions(rig)
    turns = np.tile(np.eye(3), (len(JOINTS), 1, 1))
    for upper, lower, end in (("Shldr", "ForeArm", "Hand"), ("Thigh", "Shin", None)):
        for letter in "lr":
            first, second = letter + upper, letter + lower
            turn = between(rest[first], directions[first])
            turns[JOINT[first]] = turn
            turns[JOINT[second]] = between(turn @ rest[second], directions[second]) @ turn
            if end:
                turns[JOINT[letter + end]] = turns[JOINT[second]]
    return turns


def bone_rotations(rig: Rig, joints: Float64Array) -> Float64Array:
    """World rotations of all bones from rest, (B, 3, 3), by those of the joints, (19, 3, 3).

    Bones between two joints turn by half; those without a joint follow their parent.
    """
    turned = np.empty((len(rig.bones), 3, 3))
    for number, bone in enumerate(rig.bones):
        source = _source(bone)
        if source is None:
            turned[number] = turned[rig.parents[number]]
            continue
        first, second, share = source
        turned[number] = joints[JOINT[first]]
        if share:
            turned[number] = partway(joints[JOINT[first]], joints[JOINT[second]], share)
    for side in SIDES:
        _twist_forearm(rig, turned, side)
    return turned


def _source(bone: str) -> tuple[str, str, float] | None:
    name, _, side = bone.partition(".")
    if not side:
        return _TORSO.get(name)
    if name not in _LIMBS:
        return None
    first, second, share = _LIMBS[name]
    return side.lower() + first, side.lower() + second, share


def _twist_forearm(rig: Rig, turned: Float64Array, side: str) -> None:
    """Spread the hand's turn about the forearm, which would wring the wrist like a sweet's paper.

    The lower half's head is the wrist, so a turn about the forearm's axis leaves it in place.
    """
    lower, hand = rig.bones.index(f"lowerarm02.{side}"), rig.bones.index(f"wrist.{side}")
    axis = rig.along(f"lowerarm01.{side}", f"wrist.{side}")
    quaternion = quaternions(turned[lower].T @ turned[hand])
    angle = 2 * float(np.arctan2(quaternion[1:] @ axis, quaternion[0]))
    turned[lower] = turned[lower] @ about(axis, FOREARM_TWIST * angle)


def accumulate(parents: Sequence[int], local: Float64Array) -> Float64Array:
    """World rotations (..., J, 3, 3) from rotations within the parent; parents come first."""
    world = local.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            world[..., joint, :, :] = world[..., parent, :, :] @ local[..., joint, :, :]
    return world
