"""The dancer's motion on the target's body.

Every bone keeps the driver's direction and foreshortening and takes the target's length:

    child = parent + driver vector / driver length * target length

(the driver's length is its clip-long one, `proportions.of_driver`). This is done in the
scene's coordinates with the target scaled to the driver's height, so that one similarity then
carries the dance into the photo (`placing`): travel, jumps and growth towards the camera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import UsageError
from dancecli.motion import ground, placing, proportions
from dancecli.motion.body import BONES, HEAD_JOINTS, bone_vectors
from dancecli.motion.camera import Affine, inverse
from dancecli.motion.clip import HIP, NECK, Clip, completed, head_centre, heads
from dancecli.motion.proportions import Proportions
from dancecli.motion.track import Track
from dancecli.types import JOINT, SEEN, Box, Skeleton

Values = NDArray[np.floating[Any]]
Space = Literal["photo", "driving"]

STRETCH = 1.15
"""Longest a bone may look against its own length: the length is a percentile, not a maximum."""

_HANDS = ((slice(25, 46), JOINT["left_wrist"]), (slice(46, 67), JOINT["right_wrist"]))
_FACE = slice(67, 137)


def retarget(
    track: Track,
    target: Skeleton,
    target_size: tuple[int, int],
    *,
    retarget: bool = True,
    stabilise: bool = True,
    frame: Space = "photo",
    view: Box | None = None,
) -> tuple[Skeleton, ...]:
    """The track's motion with the target's proportions, frame by frame.

    target: the person of the photo, photo pixels; target_size: (width, height) of the photo.
    retarget: False keeps the driver's own proportions (the paper's raw equation 2).
    stabilise: takes the driving camera's motion out of the travel (photo space only).
    frame: "photo" starts where the target stands, at the target's height, in the photo's pixels;
    "driving" stays on the dancer's own feet, at the dancer's height, in those of the video.
    view: the part of the photo that the dance is kept to; None for all of it.

    Each scene starts anew. Raises UsageError for another `frame`.
    """
    if frame not in ("photo", "driving"):
        raise UsageError(f"cannot retarget to {frame!r}: photo and driving exist")
    clip = _in_scene(track)
    driver, body = _bodies(clip, target)
    place = placing.place_of(target, view or Box(0, 0, *target_size), body)
    skeletons: list[Skeleton] = []
    for frames in track.scenes():
        danced, own, contact = danced_by(clip.part(frames), driver, target, body, retarget)
        if frame == "driving" or not stabilise:
            danced, own = (_seen_by(c, track.camera[frames]) for c in (danced, own))
        if frame == "photo":
            danced = _placed(danced, own, driver.height, contact, place)
        skeletons += danced.skeletons()
    return tuple(skeletons)


def danced_by(
    clip: Clip, driver: Proportions, target: Skeleton, body: Proportions, retarget: bool = True
) -> tuple[Clip, Clip, ground.Contact]:
    """One scene on the target's body, where and as large as the driver is; the driver's `body`
    with all limbs; and where the driver's feet bear."""
    whole = completed(clip, driver, target, body)
    height = driver.height * whole.scale
    seen = clip.confidence[:, :25] >= SEEN
    contact = ground.contacts(whole.points[:, :25], height, clip.fps, seen)
    if not retarget:
        return whole, whole.body(), contact
    whole = whole.at(ground.planted(whole.points, height, contact, clip.fps))
    danced = on_body(whole, driver, proportions.told_apart(body, driver))
    return _grounded(danced, whole, height, contact), whole.body(), contact


def _in_scene(track: Track) -> Clip:
    """The whole clip in scene coordinates, with its scale path."""
    clip = Clip.of(track.skeletons, float(track.fps))
    clip = clip.mapped(track.camera)
    scale = proportions.scale_path(
        clip.points[:, :25], clip.confidence[:, :25], clip.world, clip.fps, track.scenes()
    )
    return replace(clip, scale=scale)


def _bodies(clip: Clip, target: Skeleton) -> tuple[Proportions, Proportions]:
    driver = proportions.of_driver(clip.points, clip.confidence, clip.scale, clip.world)
    return driver, proportions.of_target(target)


def _seen_by(clip: Clip, camera: Affine) -> Clip:
    """Scene coordinates back in the pixels of each frame."""
    back = np.stack([inverse(c) for c in camera])
    zoom = np.sqrt(np.linalg.det(back[:, :, :2]))
    return replace(clip.mapped(back), scale=clip.scale * zoom)


def _grounded(danced: Clip, whole: Clip, height: Values, contact: ground.Contact) -> Clip:
    shift = ground.correction(
        whole.points[:, :25], danced.points[:, :25], height, contact, whole.fps
    )
    return danced.at(danced.points + shift[:, None].astype(np.float32))


def _placed(
    danced: Clip, own: Clip, unit_height: float, contact: ground.Contact, place: placing.Place
) -> Clip:
    """In the photo; `own` is the driver's body in the same space, whose ground counts."""
    height = unit_height * danced.scale
    points, path = ground.grounded(danced.points, own.points, height, contact, own.fps)
    start = ground.start_of(points, path, height)
    points = placing.put(points, place, start, path, height)
    tall = height * place.height / height[0]
    if not place.grounded:
        points[..., 1] += _down(danced.at(points), tall, place.view)[:, None]
    points[..., 0] += _aside(danced.at(points), tall, place.view)[:, None]
    return replace(danced.at(points), scale=danced.scale * place.height / height[0])


def _down(danced: Clip, tall: Values, view: Box) -> Values:
    """(T,) to add to y of somebody whose ground is out of view: head and neck stay in it."""
    lowered = placing.head_in_view(heads(danced), tall, view)
    head = placing.head_and_neck(heads(danced), danced.points[:, NECK], tall)
    return _kept(head, np.full(len(head), lowered), view.top, view.bottom, danced.fps)


def _aside(danced: Clip, tall: Values, view: Box) -> Values:
    """(T,) to add to x: the dance in view, of what does not fit the trunk, then arms and legs for
    as long as they would leave, and the head in any case."""
    points, hip = danced.points, danced.points[:, [HIP]]
    seen = points.copy()
    seen[..., 0] = np.where(danced.confidence >= SEEN, points[..., 0], hip[..., 0])
    shift = placing.kept_in_view(seen, points[:, [HIP, NECK]].mean(1), view)
    shift += placing.drawn_in(seen[..., 0] + shift[:, None], view.left, view.right, danced.fps)
    head = placing.around_head(heads(danced), tall)[..., 0]
    return _kept(head, shift, view.left, view.right, danced.fps)


def _kept(places: Values, shift: Values, least: float, most: float, fps: float) -> Values:
    """The shift (T,) with what keeps the places (T, K) within, slowly where that is enough."""
    for ease in placing.EASES:
        shift = shift + placing.drawn_in(places + shift[:, None], least, most, fps, ease)
    return shift


def on_body(clip: Clip, driver: Proportions, body: Proportions) -> Clip:
    """The clip's directions on another body, in the clip's own unit; the hips stay in place."""
    joints = _chain(
        clip.points[:, :25], driver.bones * clip.scale[:, None], body.bones * clip.scale[:, None]
    )
    points = clip.points.copy()
    points[:, :25] = joints
    centre = head_centre(clip)
    neck = _limited((centre - clip.points[:, NECK]) / (driver.neck * clip.scale[:, None]))
    new_centre = joints[:, NECK] + neck * body.neck * clip.scale[:, None]
    carry = _carrier(clip.points, centre, new_centre, body.head / driver.head)
    points[:, HEAD_JOINTS], points[:, _FACE] = carry(HEAD_JOINTS), carry(_FACE)
    for hand, wrist in _HANDS:
        rooted = clip.confidence[:, hand.start, None] >= SEEN
        start = np.where(rooted, clip.points[:, hand.start], clip.points[:, wrist])
        palm = body.palm / driver.palm
        points[:, hand] = _carrier(clip.points, start, joints[:, wrist], palm)(hand)
    return replace(clip, points=points, world=_deep(clip.world, driver, body))


def _chain(points: Values, old: Values, new: Values) -> Values:
    """Joints (T, 25, D) with bones of the new lengths (T, bones), the hips where they were."""
    vectors = _limited(bone_vectors(points) / old[..., None]) * new[..., None]
    out = points.copy()
    for index, bone in enumerate(BONES):
        out[:, bone.child] = out[:, bone.parent] + vectors[:, index]
    return out


def _limited(vectors: Values) -> Values:
    """Vectors (..., D) no longer than `STRETCH`."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors * np.minimum(1.0, STRETCH / np.maximum(length, 1e-9)))


def _carrier(
    points: Values, centre: Values, to: Values, size: float
) -> Callable[[slice | NDArray[np.intp]], Values]:
    """Moves rows of points with `centre` (T, 2) to `to`, their size multiplied."""

    def carry(rows: slice | NDArray[np.intp]) -> Values:
        out = points[:, rows] * float(size)
        out += (to - centre * size)[:, None]
        return out

    return carry


def _deep(world: Values, driver: Proportions, body: Proportions) -> Values:
    """`world` with the bones' lengths changed in the same ratios; the head moves with the neck."""
    ratio = body.bones / driver.bones
    vectors = bone_vectors(world) * ratio[:, None]
    out = world.copy()
    for index, bone in enumerate(BONES):
        out[:, bone.child] = out[:, bone.parent] + vectors[:, index]
    head = world[:, HEAD_JOINTS] - world[:, [NECK]]
    out[:, HEAD_JOINTS] = out[:, [NECK]] + head * body.neck / driver.neck
    return out
