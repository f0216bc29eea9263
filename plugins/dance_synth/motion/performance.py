"""Moving people: recorded clips and everyday stances become poses of the rig.

clip ─► Performance (mirrored or not, heading, hands, noise: once) ─► .at(seconds) ─► RigPose
stance ─► RigPose
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dance_synth.assets import Assets
from dance_synth.motion.bvh import Clip, parse_bvh
from dance_synth.motion.hands import Hand, bend_fingers, random_hand
from dance_synth.motion.retarget import (
    JOINT,
    JOINTS,
    SIDES,
    SWAPPED,
    Rig,
    accumulate,
    bone_rotations,
    joint_parents,
    to_zero_pose,
)
from dance_synth.motion.rotations import (
    MIRROR,
    Float64Array,
    about_axis,
    continuous,
    from_vector,
    matrices,
    quaternions,
    smooth,
    unit,
)
from dance_synth.motion.stances import stance
from dance_synth.skinning import RigPose
from dancecli.errors import MediaError

HEADING = 0.6
"""Standard deviation of the angle between the camera and where people look, radians."""

JUMP = 0.1
"""Leg lengths above its usual height from which a foot has left the ground."""

_NOISE: dict[str, float] = {
    "abdomen": 2, "chest": 2, "neck": 3, "head": 5, "Collar": 2, "Shldr": 5, "ForeArm": 6,
    "Hand": 7, "Thigh": 2.5, "Shin": 2.5, "Foot": 2.5,
}  # fmt: skip
"""Standard deviation of the noise at each joint, degrees."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A clip made ready for the rig.

    joints: float64 (F, 19, 4), continuous quaternions of `JOINTS` in the world.
    root: float64 (F, 3), the hip's place in leg lengths, y above where it is in standing.
    zero: float64 (19, 3, 3), `to_zero_pose`. lift: (F,), the lower foot above the ground, leg
    lengths.
    """

    name: str
    joints: Float64Array
    root: Float64Array
    zero: Float64Array
    lift: Float64Array
    fps: float

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return (len(self.joints) - 1) / self.fps


@dataclass(frozen=True, eq=False)
class JointNoise:
    """Small turns about all joints' axes, smooth in time: a sum of slow sines.

    size, hertz, phase: float64 (waves, 19, 3); radians.
    """

    size: Float64Array
    hertz: Float64Array
    phase: Float64Array

    def at(self, seconds: float) -> Float64Array:
        """Rotations (19, 3, 3) within the parent."""
        waves = self.size * np.sin(2 * np.pi * self.hertz * seconds + self.phase)
        return np.stack([from_vector(vector) for vector in waves.sum(0)])


def joint_noise(rng: np.random.Generator, strength: float = 1.0) -> JointNoise:
    """Noise of `strength` times the usual size; its mean over a clip is not zero."""
    degrees = [_NOISE.get(name) or _NOISE.get(name[1:], 0.0) for name in JOINTS]
    # Half of it is an offset for the whole clip (the slowest wave), half moves.
    hertz = np.stack([rng.uniform(low, high, (19, 3)) for low, high in ((0, 0.03), (0.2, 0.9))])
    size = strength * np.radians(degrees)[None, :, None] * np.ones((2, 19, 3))
    return JointNoise(size, hertz, rng.uniform(0, 2 * np.pi, (2, 19, 3)))


@dataclass(frozen=True, eq=False)
class Performance:
    """One person's way of dancing a clip; `at` is a function of time alone.

    mirrored: left and right exchanged. yaw: radians about y, added so that the heading at `start`
    (seconds into the clip) is as wanted. grounded: as `RigPose`. hands: left, right.
    """

    rig: Rig
    motion: Motion
    start: float
    mirrored: bool
    yaw: float
    grounded: bool
    hands: tuple[Hand, Hand]
    noise: JointNoise

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.motion.seconds - self.start

    def at(self, seconds: float, leg: float = 0.83) -> RigPose:
        """The pose some seconds after the start (held at the clip's end).

        leg: length of the person's legs, hip to sole, metres; scales how far they travel.
        """
        frame = (self.start + seconds) * self.motion.fps
        world = self._joints(frame)
        path = smooth(self.motion.root, frame) - smooth(
            self.motion.root * (1, 0, 1), self.start * self.motion.fps
        )
        if self.mirrored:
            world, path = MIRROR @ world[list(SWAPPED)] @ MIRROR, MIRROR @ path
        heading = about_axis(1, self.yaw)
        turned = heading @ _add_noise(world, self.noise.at(seconds))
        return rig_pose(self.rig, turned, self.hands, heading @ path * leg, self.grounded)

    def _joints(self, frame: float) -> Float64Array:
        return matrices(smooth(self.motion.joints, frame)) @ self.motion.zero


def _add_noise(world: Float64Array, noise: Float64Array) -> Float64Array:
    """Turn every joint, and all that hangs on it, a little within its parent."""
    parents = joint_parents()
    local = world.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            local[joint] = noise[joint] @ world[parent].T @ world[joint]
    return accumulate(parents, local)


def rig_pose(
    rig: Rig,
    joints: Float64Array,
    hands: tuple[Hand, Hand],
    shift: Float64Array | None = None,
    grounded: bool = True,
) -> RigPose:
    """A pose by world rotations of the joints from the rig's rest, (19, 3, 3)."""
    bones = bone_rotations(rig, joints)
    for side, hand in zip(SIDES, hands, strict=True):
        bend_fingers(rig, bones, side, hand)
    place = np.zeros(3) if shift is None else shift
    return RigPose(bones.astype(np.float32), place.astype(np.float32), grounded)


def rig_of(assets: Assets) -> Rig:
    """The pack's skeleton in the neutral body's rest pose."""

    def make() -> Rig:
        body = assets.body
        heads = body["verts"].astype(np.float64)[body["bone_head_verts"]].mean(1)
        return Rig(assets.bone_names, tuple(int(p) for p in body["bone_parent"]), heads)

    found: Rig = assets.once("rig", make)
    return found


def clips(assets: Assets) -> tuple[str, ...]:
    """Names of the pack's motion clips, sorted."""
    return assets.names("motions", ".bvh")


def motion(assets: Assets, name: str) -> Motion:
    """A clip of the pack. Raises MediaError when it is not a BVH of a body with these joints."""

    def make() -> Motion:
        return prepare(parse_bvh(name, assets.content(f"motions/{name}.bvh")), rig_of(assets))

    found: Motion = assets.once(f"motion/{name}", make)
    return found


def prepare(clip: Clip, rig: Rig) -> Motion:
    """A recorded clip made ready for the rig.

    Raises MediaError when one of `JOINTS` is missing.
    """
    missing = [name for name in JOINTS if name not in clip.joints]
    if missing:
        raise MediaError(f"Motion clip {clip.name} has no joint {', '.join(missing[:4])}")
    world = accumulate(clip.parents, clip.rotations)
    columns = [clip.joints.index(name) for name in JOINTS]
    leg = -(_offset(clip, "lShin") + _offset(clip, "lFoot"))[1]
    root, lift = clip.root / leg, _lift(clip, world) / leg
    # Standing, the hip is at its usual height when the lower foot is down.
    root[:, 1] -= np.median(root[:, 1] - lift)
    turns = continuous(quaternions(world[:, columns]))
    return Motion(clip.name, turns, root, to_zero_pose(rig, _zero_directions(clip)), lift, clip.fps)


def _offset(clip: Clip, joint: str) -> Float64Array:
    place: Float64Array = clip.offsets[clip.joints.index(joint)]
    return place


def _zero_directions(clip: Clip) -> dict[str, Float64Array]:
    ends = {"Shldr": "ForeArm", "ForeArm": "Hand", "Thigh": "Shin", "Shin": "Foot"}
    pairs = {side + start: side + end for side in "lr" for start, end in ends.items()}
    return {start: unit(_offset(clip, end)) for start, end in pairs.items()}


def _lift(clip: Clip, world: Float64Array) -> Float64Array:
    """How far the lower ankle is above where it is most of the time it is down, (F,)."""
    places = np.empty((len(world), len(clip.joints), 3))
    for joint, parent in enumerate(clip.parents):
        places[:, joint] = clip.root
        if parent >= 0:
            step = np.einsum("fij,j->fi", world[:, parent], clip.offsets[joint])
            places[:, joint] = places[:, parent] + step
    feet = places[:, [clip.joints.index("lFoot"), clip.joints.index("rFoot")], 1].min(1)
    lifted: Float64Array = feet - np.percentile(feet, 20)
    return lifted


def heading(joints: Float64Array) -> float:
    """Yaw of the hip, radians about y: 0 faces +z.

    joints: rotations (19, 3, 3) to the world, in the order of `JOINTS`.
    """
    forward = joints[JOINT["hip"]] @ np.array([0.0, 0.0, 1.0])
    return float(np.arctan2(forward[0], forward[2]))


def perform(
    rig: Rig,
    source: Motion,
    rng: np.random.Generator,
    seconds: float = 0.0,
    yaw: float | None = None,
    start: float | None = None,
) -> Performance:
    """A random performance of a clip of at least `seconds`, if the clip is so long.

    yaw: the heading at its start, radians, 0 towards +z; by default `random_heading`.
    start: seconds into the clip; by default anywhere.
    """
    anywhere = float(rng.uniform(0, max(source.seconds - seconds, 0)))
    start = anywhere if start is None else float(np.clip(start, 0, source.seconds))
    mirrored = bool(rng.random() < 0.5)
    wanted = random_heading(rng)
    hands = (random_hand(rng), random_hand(rng))
    noise = joint_noise(rng)
    played = Performance(rig, source, start, mirrored, 0.0, True, hands, noise)
    first = matrices(smooth(source.joints, start * source.fps)) @ source.zero
    found = heading(first) * (-1 if mirrored else 1)
    jumps = _lift_within(source, start, seconds) > JUMP
    return replace(played, yaw=(wanted if yaw is None else yaw) - found, grounded=not jumps)


def random_heading(rng: np.random.Generator) -> float:
    """Mostly towards the camera, one in nine to the side, one in twelve away.

    Radians, as `heading`.
    """
    kind = rng.choice(3, p=[0.8, 0.115, 0.085])
    side = 1 if rng.random() < 0.5 else -1
    middle = (0.0, side * np.pi / 2, np.pi)[kind]
    spread = (HEADING, 0.25, 0.4)[kind]
    return float(middle + rng.normal(0, spread))


def _lift_within(source: Motion, start: float, seconds: float) -> float:
    first = int(start * source.fps)
    last = int((start + max(seconds, 0)) * source.fps) + 2
    return float(source.lift[first:last].max())


def pose_at(
    assets: Assets, clip: str, seconds: float, rng: np.random.Generator, leg: float = 0.83
) -> RigPose:
    """One pose, `seconds` into a clip, with a random heading, side, hands and noise."""
    played = perform(rig_of(assets), motion(assets, clip), rng, start=seconds)
    return played.at(0.0, leg)


def standing_pose(assets: Assets, rng: np.random.Generator, yaw: float | None = None) -> RigPose:
    """A random everyday stance: mostly standing, also walking, sitting, crouching.

    yaw: the heading in radians, as `perform`.
    """
    rig = rig_of(assets)
    wanted = random_heading(rng) if yaw is None else yaw
    found, hands = stance(rig, rng)
    turned = about_axis(1, wanted) @ _add_noise(found, joint_noise(rng, 0.35).at(0.0))
    return rig_pose(rig, turned, hands)
