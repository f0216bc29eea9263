"""A flat puppet with known limbs, and the tracks it makes: truth for the tests of motion."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from dancecli.motion import Observation, Track, build_track
from dancecli.motion.body import BONES, NECK_TO_EARS, SHARES
from dancecli.types import BODY_25, JOINT, Skeleton

FPS = Fraction(25)
SIZE = (1000, 1000)
BONE = {BODY_25[bone.child]: index for index, bone in enumerate(BONES)}
"""Name of a bone's far end -> its index."""

_HEAD = {"nose": (0, 0.02), "right_eye": (-0.018, -0.01), "left_eye": (0.018, -0.01),
         "right_ear": (-0.042, 0.0), "left_ear": (0.042, 0.0)}  # fmt: skip


def bones(height: float, factors: dict[str, float] | None = None) -> np.ndarray:
    """Lengths of a person of that height, the table's times `factors` ("knee": both thighs)."""
    lengths = SHARES * height
    for name, factor in (factors or {}).items():
        for index, bone in enumerate(BONES):
            if BODY_25[bone.child].endswith(name):
                lengths[index] *= factor
    return lengths


def rest_angles() -> np.ndarray:
    """Radians of each bone of a person who stands."""
    return np.array([np.arctan2(bone.rest[1], bone.rest[0]) for bone in BONES])


def puppet(
    lengths: np.ndarray,
    angles: np.ndarray | None = None,
    foot: tuple[float, float] = (500.0, 900.0),
    anchor: str = "lowest",
) -> Skeleton:
    """The skeleton with these bones and directions; `anchor` (a joint, or the lowest point of the
    feet, x of the hips) lies at `foot`."""
    angles = rest_angles() if angles is None else angles
    body = np.zeros((25, 3), np.float64)
    body[:, 2] = 1.0
    for bone, length, angle in zip(BONES, lengths, angles, strict=True):
        body[bone.child, :2] = body[bone.parent, :2] + length * np.array(
            [np.cos(angle), np.sin(angle)]
        )
    height = lengths[0] / SHARES[0]
    ears = body[JOINT["neck"], :2] + [0, -NECK_TO_EARS * height]
    for name, offset in _HEAD.items():
        body[JOINT[name], :2] = ears + np.array(offset) * height
    if anchor == "lowest":
        at = np.array([body[JOINT["mid_hip"], 0], body[:, 1].max()])
    else:
        at = body[JOINT[anchor], :2]
    body[:, :2] += np.array(foot) - at
    return Skeleton(body.astype(np.float32))


def observed(skeletons: Sequence[Skeleton | None], **fields: object) -> list[Observation]:
    return [Observation(skeleton, **fields) for skeleton in skeletons]  # type: ignore[arg-type]


def track_of(skeletons: Sequence[Skeleton], smooth: float = 0.0) -> Track:
    return build_track(observed(skeletons), FPS, SIZE, smooth)


def swing(frames: int, seed: int = 0, size: float = 0.6) -> np.ndarray:
    """(frames, bones) directions: arms and legs that wave smoothly in the picture's plane."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / float(FPS)
    count = len(BONES)
    wave = np.sin(time * rng.uniform(2, 5, count) + rng.uniform(0, 6, count)) * size
    still = [i for i, b in enumerate(BONES) if b.share < 0.14 or i == 0]
    wave[:, still] = 0
    return np.asarray(rest_angles() + wave)


def xy(skeletons: Sequence[Skeleton], joint: str) -> np.ndarray:
    """(T, 2) path of a joint."""
    return np.stack([s.joint(joint) for s in skeletons]).astype(np.float64)


def vectors(skeletons: Sequence[Skeleton]) -> np.ndarray:
    """(T, bones, 2)."""
    body = np.stack([s.body[:, :2] for s in skeletons]).astype(np.float64)
    return np.asarray(body[:, [b.child for b in BONES]] - body[:, [b.parent for b in BONES]])


def bending(frames: int) -> list[Skeleton]:
    """Arms spread and a trunk that bends far aside within two seconds and stays there."""
    clip, upper = [], [*range(8), *range(15, 19)]
    for t in range(frames):
        body = puppet(bones(300), foot=(400, 900)).body.copy()
        hip, angle = body[JOINT["mid_hip"], :2].copy(), 1.2 * min(t / 60, 1)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        body[upper, :2] = (body[upper, :2] - hip) @ turn.T + hip
        clip.append(Skeleton(body))
    return clip


def head_and_shoulders(skeleton: Skeleton) -> Skeleton:
    """The same, with what a close-up shows alone seen."""
    shown = ("nose", "neck", "shoulder", "eye", "ear")
    body = skeleton.body.copy()
    hidden = [row for name, row in JOINT.items() if not any(part in name for part in shown)]
    body[hidden, 2] = 0.0
    return Skeleton(body)
