"""Exact poses made as imperfect as a pose extractor's, so that P2B learns from what it will see.

What was measured is MediaPipe 0.10.21 alone; lengths are shares of the body's height, medians.
SYNTHETIC: 115 frames of 80 people of the `synth` data set (those with at least 14 joints in view;
others and furniture may hide parts) against their truth, by tests/benchmarks/test_pose_noise.py.
REAL: 200 frames of five filmed dances, each against its own mirror image.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from dancecli.motion.body import height_of
from dancecli.types import BODY_25, BoolArray, FloatArray, Skeleton

NOISES = ("measured", "none")
"""Values of --noise."""

JOINT_ERRORS = {
    "nose": 0.012, "eye": 0.008, "ear": 0.026, "neck": 0.020, "shoulder": 0.023, "elbow": 0.014,
    "wrist": 0.011, "hip": 0.019, "knee": 0.014, "ankle": 0.019, "toe": 0.017, "heel": 0.022,
}  # fmt: skip
"""Distance from the truth by the last word of a joint's name (SYNTHETIC). Half or more of it is
another notion of where a joint is: REAL, in which that cancels, has 0.005-0.010."""

UNSTEADY = 0.45
"""Deviation of the logarithm of a frame's mean error: some frames are worse in all their points
(SYNTHETIC: 0.42 and 0.51, as the renderer changed)."""

LARGEST = 0.08
"""Longer steps are cut to this; whatever was found farther off was another limb or person."""

HAND_ERRORS, FACE_ERRORS = (0.0023, 0.0051), (0.0017, 0.0035)
"""By how much a hand or face is off as a whole, and its points besides (SYNTHETIC)."""

HAND_LOST, FACE_LOST = 0.25, 0.28
"""Share in which none was found although at least VISIBLE of it showed (SYNTHETIC). Where less
showed, 95% of hands and 96% of faces were not found: here, all."""

VISIBLE, HIDDEN = 0.5, 0.5
"""Share of the points, and the confidence up to which a true point is there but not in sight."""

ARM_LOST, LEG_LOST = 0.03, 0.0025
"""Share of frames where an elbow or wrist, a knee or a joint below, was not seen (REAL; SYNTHETIC
has 0.03 and 0.01)."""

SWAPPED = 0.005
"""Share of frames in which left and right arms, or legs, are exchanged. None was in REAL (187 with
both arms seen, 200 with both legs) and SYNTHETIC (26 and 39 in which they lie apart), so that it is
below 0.014 with 95% certainty; this is about a third of that bound, not a measurement."""

DOUBT = {"heel": 0.17, "shoulder": 0.004, "hip": 0.004, "neck": 0.004, "nose": 0.004, "eye": 0.004,
         "ear": 0.004}  # fmt: skip
LIMB_DOUBT, HAND_DOUBT, FACE_DOUBT = 0.05, 0.08, 0.12
"""Mean of one minus the confidence, which falls off exponentially (medians and 5% of REAL)."""


def generator(seed: int, key: str, number: int) -> Generator:
    """The random numbers of one frame of one person: a function of these three alone."""
    digest = hashlib.sha256(f"{seed}/{key}/{number}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


def noisy(skeleton: Skeleton, rng: Generator) -> Skeleton:
    """An extractor's view of a true pose, in the same pixels.

    Points that the truth does not show (confidence 0) stay unseen, hidden ones keep their lower
    confidence. `world` keeps its numbers, changes sides with the limbs and is NaN where lost.
    """
    height = height_of(skeleton) or _box_height(skeleton)
    size = height * float(rng.lognormal(0, UNSTEADY))
    hands = [
        _found_part(points, HAND_ERRORS, HAND_DOUBT, HAND_LOST, size, rng)
        for points in (skeleton.left_hand, skeleton.right_hand)
    ]
    moved = replace(
        skeleton,
        body=_moved_body(skeleton.body, size, LARGEST * height, rng),
        left_hand=hands[0], right_hand=hands[1],
        face=_found_part(skeleton.face, FACE_ERRORS, FACE_DOUBT, FACE_LOST, size, rng),
    )  # fmt: skip
    return _exchanged(_without_limbs(moved, rng), rng)


def _box_height(skeleton: Skeleton) -> float:
    box = skeleton.box()
    return box.height if box else 0.0


def _per_joint(values: dict[str, float], otherwise: float) -> NDArray[np.float64]:
    """(25,) of what is given by the last word of a joint's name."""
    return np.array([values.get(name.split("_")[-1], otherwise) for name in BODY_25])


_ERRORS = _per_joint(JOINT_ERRORS, 0.0)
_DOUBTS = _per_joint(DOUBT, LIMB_DOUBT)

_DEVIATION = 1 / np.sqrt(2 * np.log(2))
"""Deviation along x and along y of points whose median distance is 1 (Rayleigh)."""


def _moved_body(body: FloatArray, size: float, largest: float, rng: Generator) -> FloatArray:
    step = rng.normal(0, 1, (25, 2)) * (_DEVIATION * _ERRORS * size)[:, None]
    length = np.linalg.norm(step, axis=1, keepdims=True)
    step *= np.minimum(1, largest / np.maximum(length, 1e-9))
    return _with(body, step, rng.exponential(_DOUBTS))


def _found_part(
    points: FloatArray, errors: tuple[float, float], doubt: float, lost: float, size: float,
    rng: Generator,
) -> FloatArray:  # fmt: skip
    """A hand or face moved as a whole, stretched and sheared; all unseen where it is not found.

    Points of a detected hand or face err together: they always make up a hand or a face.
    """
    shift = rng.normal(0, _DEVIATION * errors[0] * size, 2)
    centred = points[:, :2] - points[:, :2].mean(0)
    reach = float(np.sqrt((centred**2).sum(1).mean()))
    bend = rng.normal(0, _DEVIATION * errors[1] * size / max(reach, 1e-6), (2, 2))
    seen = _with(points, shift + centred @ bend, rng.exponential(doubt, len(points)))
    shows = (points[:, 2] > HIDDEN).mean() >= VISIBLE
    return seen if shows and rng.random() >= lost else np.zeros_like(points)


def _with(points: FloatArray, step: NDArray[np.float64], doubt: NDArray[np.float64]) -> FloatArray:
    confidence = points[:, 2] * np.clip(1 - doubt, 0.05, 1)
    out = np.column_stack([points[:, :2] + step, confidence])
    return np.where(points[:, 2:] > 0, out, 0).astype(np.float32)


_ARM, _LEG = ("elbow", "wrist"), ("knee", "ankle", "big_toe", "small_toe", "heel")


def _rows(side: str, parts: tuple[str, ...]) -> list[int]:
    return [BODY_25.index(f"{side}_{part}") for part in parts]


def _without_limbs(skeleton: Skeleton, rng: Generator) -> Skeleton:
    """Joints lost one by one, and with each what hangs on it."""
    lost: BoolArray = np.zeros(25, bool)
    for side in ("left", "right"):
        for parts, share in ((_ARM, ARM_LOST), (_LEG, LEG_LOST)):
            first = np.flatnonzero(rng.random(2) < share)
            lost[_rows(side, parts[int(first[0]) :] if len(first) else ())] = True
    body = np.where(lost[:, None], np.float32(0), skeleton.body)
    if skeleton.world is None:
        return replace(skeleton, body=body)
    return replace(
        skeleton, body=body, world=np.where(lost[:, None], np.float32(np.nan), skeleton.world)
    )


def _exchanged(skeleton: Skeleton, rng: Generator) -> Skeleton:
    """Left and right arms (with their hands) or legs exchanged, now and then."""
    arms, legs = rng.random(2) < SWAPPED
    order = np.arange(25)
    for parts, swap in ((_ARM, arms), (_LEG, legs)):
        if swap:
            left, right = _rows("left", parts), _rows("right", parts)
            order[left], order[right] = right, left
    world = None if skeleton.world is None else skeleton.world[order]
    hands = (skeleton.left_hand, skeleton.right_hand)
    left_hand, right_hand = hands[::-1] if arms else hands
    return replace(
        skeleton, body=skeleton.body[order], world=world,
        left_hand=left_hand, right_hand=right_hand,
    )  # fmt: skip
