"""Who is who: choosing among the people of a frame and recognising the one that is followed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import UsageError
from dancecli.motion.body import LONG, bone_vectors, bones_seen, height_by_bones, height_of
from dancecli.motion.camera import Small
from dancecli.types import JOINT, SEEN, FloatArray, Skeleton

SAME_PLACE, SAME_SIZE = 0.1, 1.2
"""Body heights and factor within which two results for one frame are of one person."""

_TORSO = ("right_shoulder", "left_shoulder", "left_hip", "right_hip")
_THIGHS = (("right_hip", "right_knee"), ("left_hip", "left_knee"))


def check_person(person: str) -> str:
    """The --person value itself; raises UsageError when it means nothing."""
    if person in ("largest", "left", "right") or (person.isdecimal() and int(person) >= 1):
        return person
    raise UsageError(
        f"--person {person!r} is unknown: say largest, left, right or a number from 1 "
        "(`dance reenact --list-people` writes a numbered picture)"
    )


def left_to_right(people: Sequence[Skeleton]) -> list[Skeleton]:
    """People in the order of their numbers, 1 first: by the middle of the body."""
    return sorted(people, key=lambda skeleton: float(middle(skeleton)[0]))


def choose(people: Sequence[Skeleton], person: str) -> Skeleton:
    """The one --person names among at least one; raises UsageError for a number that is not there.

    "largest" is the tallest by `height_of`, ties by area of the box.
    """
    if person == "largest":
        return max(people, key=_size)
    ordered = left_to_right(people)
    if person in ("left", "right"):
        return ordered[0 if person == "left" else -1]
    if int(person) > len(ordered):
        found = "1 person is" if len(ordered) == 1 else f"{len(ordered)} people are"
        raise UsageError(
            f"--person {person}: only {found} seen where somebody first appears; "
            f"give {_numbers(len(ordered))} (`dance reenact --list-people` numbers them)"
        )
    return ordered[int(person) - 1]


def _numbers(count: int) -> str:
    return "1" if count == 1 else f"1-{count}, counted from the left"


def _size(skeleton: Skeleton) -> tuple[float, float]:
    """Standing height; of head and shoulders no more than is seen: a spectator's are near."""
    box = skeleton.box()
    if box is None:
        return 0.0, 0.0
    return height_by_bones(skeleton) or box.height, box.width * box.height


def middle(skeleton: Skeleton) -> NDArray[np.float64]:
    """(x, y) of the body: the torso's joints, or all seen points where it is hidden."""
    torso = skeleton.body[[JOINT[name] for name in _TORSO]]
    use = torso[torso[:, 2] >= SEEN]
    if len(use) < 2:
        points = skeleton.points()
        use = points[points[:, 2] >= SEEN]
    if len(use) == 0:
        return np.zeros(2)
    return np.asarray(use[:, :2].mean(0), np.float64)


def same_person(
    one: Skeleton | None, other: Skeleton | None, place: float = SAME_PLACE, size: float = SAME_SIZE
) -> bool:
    """Whether two results for the same frame are of the same person; False where one is None.

    place: heights of the first by which they may lie apart. size: factor by which they may differ.
    """
    if one is None or other is None:
        return False
    apart = float(np.linalg.norm(middle(one) - middle(other)))
    larger = abs(np.log(size_ratio(one, other)))
    return apart < place * max(height_of(one), 1.0) and larger < np.log(size)


def size_ratio(skeleton: Skeleton, reference: Skeleton) -> float:
    """Median over the bones seen in both of length / reference length; 1 where none is."""
    a, b = skeleton.body[None].astype(float), reference.body[None].astype(float)
    both = (bones_seen(a[..., 2]) & bones_seen(b[..., 2]))[0, LONG]
    if not both.any():
        return 1.0
    lengths = [np.linalg.norm(bone_vectors(p[..., :2])[0, LONG][both], axis=1) for p in (a, b)]
    return float(np.median((lengths[0] + 1e-3) / (lengths[1] + 1e-3)))


def appearance(small: Small, skeleton: Skeleton) -> FloatArray:
    """Colours of the chest and of the thighs: two histograms of 64, float32 (128,), sum 1 each.

    Empty where the torso is not seen; thighs that are not seen count as zeros.
    """
    if not skeleton.seen(*_TORSO):
        return np.zeros(0, np.float32)
    a, b, c, d = (skeleton.joint(name) * np.float64(small.scale) for name in _TORSO)
    u, v = np.meshgrid(np.linspace(0.15, 0.85, 12), np.linspace(0.1, 0.9, 16))
    u, v = u.reshape(-1, 1), v.reshape(-1, 1)
    chest = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
    ends = [
        [skeleton.joint(name) * np.float64(small.scale) for name in thigh]
        for thigh in _THIGHS
        if skeleton.seen(*thigh)
    ]
    along = np.linspace(0.1, 0.9, 24)[:, None]
    thighs = [p + along * (q - p) for p, q in ends] or [np.zeros((0, 2))]
    return np.concatenate([_colours(small, chest), _colours(small, np.concatenate(thighs))])


def _colours(small: Small, points: NDArray[np.float64]) -> FloatArray:
    """Histogram of the pixels at (N, 2), 4 levels per channel, with soft edges between levels."""
    height, width = small.gray.shape
    inside = (points >= 0).all(1) & (points < [width, height]).all(1)
    x, y = points[inside].astype(int).T
    if len(x) == 0:
        return np.zeros(64, np.float32)
    level = np.clip(small.rgb[y, x].astype(float) / 64 - 0.5, 0, 3)
    low = np.minimum(level.astype(int), 2)
    part, out = level - low, np.zeros((4, 4, 4))
    for corner in np.ndindex(2, 2, 2):
        weight = np.where(np.array(corner) == 1, part, 1 - part).prod(1)
        np.add.at(out, tuple((low + corner).T), weight)
    return np.asarray(out.ravel() / out.sum(), np.float32)


def likeness(one: FloatArray, other: FloatArray) -> float:
    """Overlap of two of `appearance`, 0 to 1; 0.5 (says nothing) where either was not seen."""
    if len(one) == 0 or len(other) == 0:
        return 0.5
    overlap = np.minimum(one, other).reshape(2, -1).sum(1)
    if one.reshape(2, -1)[1].sum() == 0 or other.reshape(2, -1)[1].sum() == 0:
        return float(overlap[0])
    return float(overlap.mean())
