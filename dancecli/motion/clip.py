"""A scene as arrays, and supposing the limbs that the driving video does not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.body import (
    BONES,
    CHILDREN,
    EARS,
    HEAD_JOINTS,
    PARENTS,
    bone_vectors,
    bones_seen,
)
from dancecli.motion.camera import Affine, apply
from dancecli.motion.gaps import interpolate
from dancecli.motion.proportions import Proportions, of_target
from dancecli.motion.standing import LEGS, never_shown, on_planted_feet
from dancecli.motion.track import FILLED, skeleton_of
from dancecli.types import JOINT, SEEN, FloatArray, Skeleton, stack_points

Values = NDArray[np.floating[Any]]

FRAMES_AT_ONCE = 256
"""Frames that are mapped at a time, in double precision."""

BLEND = 0.15
"""Seconds over which a limb passes between what was seen and what is supposed."""

HIP, NECK = JOINT["mid_hip"], JOINT["neck"]
LIMBS = np.union1d(PARENTS, CHILDREN)
"""Rows of the body that bones hang on: all but the head."""

_REST = np.array([bone.rest for bone in BONES])


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of one person.

    points: float32 (T, 137, 2), pixels. confidence: float32 (T, 137). world: float32 (T, 25, 3),
    NaN unknown. scale: float64 (T,) pixels per unit of the dancer's `Proportions`. fps: frames per
    second. In single precision, since a video may be hours long.
    """

    points: FloatArray
    confidence: FloatArray
    world: FloatArray
    scale: Values
    fps: float

    @classmethod
    def of(cls, skeletons: Sequence[Skeleton], fps: float) -> Clip:
        """The arrays of skeletons, scale 1."""
        stacked = stack_points(skeletons)
        nothing = np.full((25, 3), np.nan, np.float32)
        world = np.stack([nothing if s.world is None else s.world for s in skeletons])
        points, confidence = stacked[..., :2], stacked[..., 2].copy()
        return cls(points, confidence, world, np.ones(len(skeletons)), fps)

    def part(self, frames: slice) -> Clip:
        """Some of the frames."""
        return Clip(self.points[frames], self.confidence[frames], self.world[frames],
                    self.scale[frames], self.fps)  # fmt: skip

    def body(self) -> Clip:
        """Without hands and face: points (T, 25, 2)."""
        return replace(
            self, points=self.points[:, :25].copy(), confidence=self.confidence[:, :25].copy()
        )

    def skeletons(self) -> list[Skeleton]:
        """The frames as skeletons."""
        points = np.concatenate([self.points, self.confidence[..., None]], -1)
        return [skeleton_of(p, w) for p, w in zip(points, self.world, strict=True)]

    def at(self, points: Values) -> Clip:
        """The same frames at other points (T, 137, 2)."""
        return replace(self, points=np.asarray(points, np.float32))

    def mapped(self, affines: Affine) -> Clip:
        """Every frame's points under its own affine (T, 2, 3)."""
        points = np.empty(self.points.shape, np.float32)
        for start in range(0, len(points), FRAMES_AT_ONCE):
            some = slice(start, start + FRAMES_AT_ONCE)
            points[some] = apply(affines[some], self.points[some])
        return self.at(points)


def completed(clip: Clip, driver: Proportions, target: Skeleton, body: Proportions) -> Clip:
    """The clip with every limb there: what was not seen follows `world`, else hangs at rest.

    Legs that the scene never shows stand. Supposed joints get confidence `FILLED`.
    """
    standing = never_shown(clip.confidence[:, :25] >= SEEN, clip.fps)
    clip = _without_legs(clip) if standing else clip
    seen = clip.confidence[:, :25] >= SEEN
    vectors = _vectors(clip, seen, driver)
    joints = np.zeros_like(clip.points[:, :25])
    joints[:, HIP] = _hips(clip, seen, vectors[:, 0])
    for index, bone in enumerate(BONES):
        line = joints[:, bone.parent] + vectors[:, index]
        known = seen[:, bone.child, None]
        joints[:, bone.child] = np.where(known, clip.points[:, bone.child], line)
    if standing:
        joints = on_planted_feet(joints, clip.fps)
    points, confidence = clip.points.copy(), clip.confidence.copy()
    points[:, LIMBS] = joints[:, LIMBS]
    confidence[:, LIMBS] = np.where(seen[:, LIMBS], confidence[:, LIMBS], FILLED)
    whole = replace(clip, points=points, confidence=confidence)
    return _with_head(whole, seen, target, driver, body)


def _without_legs(clip: Clip) -> Clip:
    """What glimpses and the third dimension say of legs that the scene never shows, forgotten."""
    confidence, world = clip.confidence.copy(), clip.world.copy()
    confidence[:, LEGS], world[:, LEGS] = 0, np.nan
    return replace(clip, confidence=confidence, world=world)


def whole_body(skeleton: Skeleton) -> Skeleton:
    """Somebody in a photo with every limb there, as `completed` supposes it."""
    body = of_target(skeleton)
    return completed(Clip.of([skeleton], 1.0), body, skeleton, body).skeletons()[0]


def _vectors(clip: Clip, seen: NDArray[np.bool_], driver: Proportions) -> Values:
    """(T, bones, 2) as seen, passing into the supposed ones within `BLEND` of the last sight."""
    known = bones_seen(clip.confidence[:, :25])
    vectors = bone_vectors(clip.points[:, :25])
    supposed = _supposed(clip, seen) * (driver.bones * clip.scale[:, None])[..., None]
    return _passing(vectors, known, supposed, clip.fps)


def _supposed(clip: Clip, seen: NDArray[np.bool_]) -> Values:
    """(T, bones, 2) in bone lengths: by `world` where one end is seen, else `Bone.rest`.

    Of legs below a picture that ends at the chest an extractor's third dimension knows nothing.
    """
    deep = bone_vectors(clip.world)
    length = np.linalg.norm(deep, axis=-1)
    known = np.isfinite(length) & (length > 1e-6) & (seen[:, PARENTS] | seen[:, CHILDREN])
    vectors = np.where(known[..., None], deep[..., :2] / np.where(known, length, 1.0)[..., None], 0)
    return _passing(vectors, known, np.broadcast_to(_REST, vectors.shape), clip.fps)


def _passing(vectors: Values, known: NDArray[np.bool_], otherwise: Values, fps: float) -> Values:
    """Vectors (T, bones, 2), in place, where known (T, bones), passing into the others within
    `BLEND`."""
    reach = max(BLEND * fps, 1e-6)
    for b in np.flatnonzero(~known.all(0)):
        if not known[:, b].any():
            vectors[:, b] = otherwise[:, b]
            continue
        weight = np.clip(1 - _frames_away(known[:, b]) / reach, 0, 1)[:, None]
        held = interpolate(vectors[:, b], known[:, b])
        vectors[:, b] = weight * held + (1 - weight) * otherwise[:, b]
    return vectors


def _frames_away(known: NDArray[np.bool_]) -> Values:
    """(T,) distance to the nearest known frame."""
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~known))


def _hips(clip: Clip, seen: NDArray[np.bool_], spine: Values) -> Values:
    """(T, 2): the middle of the hips as seen, else below the neck, else between such frames."""
    below = np.where(seen[:, NECK, None], clip.points[:, NECK] - spine, np.nan)
    hips = np.where(seen[:, HIP, None], clip.points[:, HIP], below)
    known = np.isfinite(hips[:, 0])
    if known.any():
        return interpolate(np.where(known[:, None], hips, 0.0), known)
    there = clip.confidence >= SEEN
    weight = there / np.maximum(there.sum(1, keepdims=True), 1)
    return np.asarray((clip.points * weight[..., None]).sum(1))


def _with_head(
    clip: Clip, seen: NDArray[np.bool_], target: Skeleton, driver: Proportions, body: Proportions
) -> Clip:
    """Frames that show nothing of the head get the one that `world` has, else the nearest ones'
    head, or the target's.

    Each joint goes from where it was seen to where it is seen next, and is seen as far as both
    frames beside the gap show it; `world` counts from `BLEND` after the last sight on.
    """
    headless = ~seen[:, HEAD_JOINTS].any(1)
    if not headless.any():
        return clip
    share = np.ones(len(headless))
    if headless.all():
        own = target.body[HEAD_JOINTS] - target.body[NECK] * (1, 1, 0)
        offset, trust = own[None, :, :2] * (driver.height / body.height), own[None, :, 2]
    else:
        offset, trust = _held_head(clip, seen, headless)
        share = np.clip(_frames_away(~headless) / max(BLEND * clip.fps, 1e-6), 0, 1)
    deep, known = _head_in_world(clip, driver)
    share = (share * (known & seen[:, NECK] & headless))[:, None]
    trust = np.minimum(trust, FILLED)
    offset = offset + share[..., None] * (deep - offset)
    trust = trust + share * (FILLED - trust)
    points, confidence = clip.points.copy(), clip.confidence.copy()
    placed = clip.points[:, [NECK]] + offset * clip.scale[:, None, None]
    points[:, HEAD_JOINTS] = np.where(headless[:, None, None], placed, points[:, HEAD_JOINTS])
    confidence[:, HEAD_JOINTS] = np.where(
        headless[:, None], trust, confidence[:, HEAD_JOINTS]
    )  # fmt: skip
    return replace(clip, points=points, confidence=confidence)


def _held_head(
    clip: Clip, seen: NDArray[np.bool_], headless: NDArray[np.bool_]
) -> tuple[Values, Values]:
    """The head's joints from the neck (T, 5, 2), at scale 1, and their confidence (T, 5), between
    the frames that show them."""
    offset = (clip.points[:, HEAD_JOINTS] - clip.points[:, [NECK]]) / clip.scale[:, None, None]
    there = seen[:, HEAD_JOINTS]
    for joint in np.flatnonzero(there.any(0)):
        offset[:, joint] = interpolate(offset[:, joint], there[:, joint])
    known = np.where(there, clip.confidence[:, HEAD_JOINTS], 0)
    return offset, interpolate(known, ~headless)


def _head_in_world(clip: Clip, driver: Proportions) -> tuple[Values, NDArray[np.bool_]]:
    """The same by the third dimension, as far from the neck as the driver's head is, and the
    frames (T,) that have it: an extractor turns a head that it does not see with the trunk."""
    offset = clip.world[:, HEAD_JOINTS] - clip.world[:, [NECK]]
    length = np.linalg.norm(clip.world[:, EARS].mean(1) - clip.world[:, NECK], axis=-1)
    known = np.isfinite(offset).all((1, 2)) & (length > 1e-6)
    scale = driver.neck / np.where(known, length, 1.0)
    return np.where(known[:, None, None], offset[..., :2] * scale[:, None, None], 0.0), known


def head_centre(clip: Clip) -> Values:
    """(T, 2): between the ears, or the mean of what is seen of the head, else the neck."""
    there = clip.confidence[:, HEAD_JOINTS] >= SEEN
    both = (clip.confidence[:, EARS] >= SEEN).all(1)
    weight = np.where(both[:, None], [0, 0, 0, 0.5, 0.5], there / np.maximum(
        there.sum(1, keepdims=True), 1))  # fmt: skip
    centre = (clip.points[:, HEAD_JOINTS] * weight[..., None]).sum(1)
    return np.where(there.any(1)[:, None], centre, clip.points[:, NECK])


def heads(clip: Clip) -> Values:
    """(T, 5, 2): the head's joints, those that are not seen in its middle."""
    seen = clip.confidence[:, HEAD_JOINTS, None] >= SEEN
    return np.where(seen, clip.points[:, HEAD_JOINTS], head_centre(clip)[:, None])
