"""Dense pose drawn from the skeleton: a body template, not DensePose.

Every part is a tapered cylinder (head and hands: rounded ones) about a bone, turned with the body.
Part numbers are DensePose's (facebookresearch/detectron2, projects/DensePose): 1 torso back,
2 front; 3 right hand, 4 left hand; 5 left foot, 6 right foot; 7 right thigh back, 8 left back,
9 right front, 10 left front; 11-14 calves alike; 15 left upper arm inside, 16 right inside,
17 left outside, 18 right outside; 19-22 forearms alike; 23 head right half, 24 left half.
U runs along the bone from its root, V around it. DensePose's own charts are cut otherwise, so U
and V of the two are not interchangeable; clothes, hair and the person's build are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dance_builtin.body import SIDES, BodyFrame, body_frame
from dancecli.errors import NoPersonError
from dancecli.stages import Settings
from dancecli.types import JOINT, SEEN, Box, DenseMap, FloatArray, Frame, Skeleton

LIMBS = (
    ("hip", "knee", 0.061, 0.036, {"right": (7, 9), "left": (8, 10)}),
    ("knee", "ankle", 0.036, 0.021, {"right": (11, 13), "left": (12, 14)}),
    ("shoulder", "elbow", 0.033, 0.025, {"right": (16, 18), "left": (15, 17)}),
    ("elbow", "wrist", 0.025, 0.017, {"right": (20, 22), "left": (19, 21)}),
)
"""Joints, half-widths at both / height, and (back or inside, front or outside) parts per side."""

TORSO_BACK, TORSO_FRONT, HEAD_RIGHT, HEAD_LEFT = 1, 2, 23, 24
HAND = {"right": 3, "left": 4}
FOOT = {"right": 6, "left": 5}

TORSO_PROFILE = ((0.0, 0.15, 0.4, 0.7, 0.97, 1.1), (0.07, 0.095, 0.094, 0.08, 0.093, 0.05))
"""Place between neck and hips, and half-width there / height."""

TORSO_DEPTH = 0.058
"""Half the trunk's thickness / height."""

TIE = 0.015
"""How much nearer a part must be to cover an earlier one, / its half-width: at a joint the surfaces
of two parts coincide, and the earlier keeps it whole."""

ARMS_BEFORE = 0.07
"""Without depth, arms are taken to be this far before the trunk, / height."""


@dataclass(frozen=True, eq=False)
class Part:
    """One cylinder in camera space: x right, y down, z towards the camera, pixels.

    start, end: ends of the axis. places, widths: half-widths at places along it, 0 start to 1 end.
    back, front: part numbers of the half turned away from `pole` (a direction) and of the half that
    faces it; equal for one part all around. thickness: depth over half-width.
    """

    start: FloatArray
    end: FloatArray
    places: tuple[float, ...]
    widths: tuple[float, ...]
    back: int
    front: int
    pole: FloatArray
    thickness: float = 1.0


class TemplateDense:
    """DensePoser drawn from the skeleton alone; see the module for what it draws."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "MIT"
    COMMERCIAL: ClassVar[bool | None] = True
    from_skeleton = True

    def __init__(self, settings: Settings) -> None:
        """Settings are not needed: nothing is random, nothing is loaded."""

    def dense(self, frame: Frame, box: Box | None, skeleton: Skeleton) -> DenseMap:
        """The template over an empty map of the frame's size; all 0 when no body can be drawn."""
        iuv = np.zeros((frame.height, frame.width, 3), np.float32)
        try:
            body = body_frame(skeleton)
        except NoPersonError:
            return DenseMap(iuv)
        depth = np.full(iuv.shape[:2], -np.inf, np.float32)
        for part in body_parts(body, skeleton):
            draw(part, iuv, depth)
        return DenseMap(iuv)


def body_parts(body: BodyFrame, skeleton: Skeleton) -> Iterator[Part]:
    """The cylinders of all that is seen; the trunk also where its ends had to be guessed."""
    flat = not body.depth.any()
    space = np.concatenate([body.joints, body.depth[:, None]], 1)
    axes = _Axes.of(body)
    yield _torso(body, axes)
    if skeleton.body[[0, 15, 16, 17, 18], 2].max() >= SEEN:
        yield _head(body, axes)
    for root, tip, thick, thin, numbers in LIMBS:
        for side in SIDES:
            names = (f"{side}_{root}", f"{side}_{tip}")
            if not skeleton.seen(*names):
                continue
            ends = [_joint(space, name) for name in names]
            arm = root in ("shoulder", "elbow")
            pole = axes.outside(ends, side) if arm else axes.front(ends)
            lift = np.array([0, 0, ARMS_BEFORE * body.height if arm and flat else 0], np.float32)
            widths = (thick * body.height, thin * body.height)
            yield Part(ends[0] + lift, ends[1] + lift, (0, 1), widths, *numbers[side], pole)
    for side in SIDES:
        yield from _extremities(body, skeleton, side, axes, flat)


@dataclass(frozen=True, eq=False)
class _Axes:
    """The body's own directions in camera space, unit vectors: left, and forward."""

    left: FloatArray
    forward: FloatArray

    @classmethod
    def of(cls, body: BodyFrame) -> _Axes:
        down = _space(body, "mid_hip") - _space(body, "neck")
        left = _space(body, "left_shoulder") - _space(body, "right_shoulder")
        left = left + 0.5 * (_space(body, "left_hip") - _space(body, "right_hip"))
        if not body.depth.any():
            # The width that is missing from view is turned away; to which side nobody knows.
            left[2] = np.sqrt(max(1 - body.facing**2, 0)) * 0.27 * body.height
        left = _unit(left - _unit(down) * float(left @ _unit(down)), np.array([1, 0, 0]))
        return cls(left, _unit(_cross(left, down), np.array([0, 0, 1])))

    def front(self, ends: list[FloatArray]) -> FloatArray:
        """Where the front of a leg faces: the body's front, swung with the leg."""
        swung = _cross(self.left, _unit(ends[1] - ends[0]))
        return np.asarray(swung + 0.15 * self.forward, np.float32)

    def outside(self, ends: list[FloatArray], side: str) -> FloatArray:
        """Where the outside of an arm faces: sideways when it hangs, up when it is spread."""
        sign = 1 if side == "left" else -1
        along = _unit(ends[1] - ends[0])
        return np.asarray(sign * (_cross(along, self.forward) + 0.15 * self.left), np.float32)


def _unit(vector: FloatArray, otherwise: FloatArray | None = None) -> FloatArray:
    length = float(np.sqrt(vector @ vector))
    if length < 1e-6:
        return np.zeros(3, np.float32) if otherwise is None else otherwise.astype(np.float32)
    return (vector / length).astype(np.float32)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """What np.cross gives for two vectors, without its 40 microseconds."""
    (ax, ay, az), (bx, by, bz) = a, b
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], np.float32)


def _joint(space: FloatArray, name: str) -> FloatArray:
    return np.asarray(space[JOINT[name]], np.float32)


def _space(body: BodyFrame, name: str) -> FloatArray:
    return np.append(body.at(name), body.depth_at(name)).astype(np.float32)


def _torso(body: BodyFrame, axes: _Axes) -> Part:
    """From the shoulders to the crotch; an oval cylinder as wide as its turn shows it."""
    neck, hip = _space(body, "neck"), _space(body, "mid_hip")
    places, widths = TORSO_PROFILE
    flank, depth = np.hypot(*axes.left[:2]), np.hypot(*axes.forward[:2])
    shown = tuple(float(np.hypot(w * flank, TORSO_DEPTH * depth)) * body.height for w in widths)
    thickness = TORSO_DEPTH * body.height / max(shown)
    return Part(
        neck, neck + 1.1 * (hip - neck), tuple(p / 1.1 for p in places), shown,
        TORSO_BACK, TORSO_FRONT, axes.forward, thickness,
    )  # fmt: skip


def _head(body: BodyFrame, axes: _Axes) -> Part:
    """Neck and head as one rounded cylinder; it turns with the ears where both are seen."""
    neck = _space(body, "neck")
    ears = _space(body, "left_ear"), _space(body, "right_ear")
    left = axes.left
    if body.has("left_ear", "right_ear"):
        left = _unit(ears[0] - ears[1], axes.left)
    middle = np.append(body.head, body.depth_at("nose", "left_ear", "right_ear"))
    up = middle.astype(np.float32) - neck
    top = neck + up * (1 + 0.075 * body.height / max(float(np.hypot(*up[:2])), 1e-3))
    places = np.linspace(0, 1, 17)
    oval = 0.06 * np.sqrt(np.maximum(1 - ((places - 0.66) / 0.34) ** 2, 0))
    widths = np.maximum(oval, np.where(places < 0.5, 0.032, 0)) * body.height
    return Part(neck, top, tuple(places), tuple(widths), HEAD_RIGHT, HEAD_LEFT, left, 1.1)


def _extremities(
    body: BodyFrame, skeleton: Skeleton, side: str, axes: _Axes, flat: bool
) -> Iterator[Part]:
    """Hand and foot of one side, one part each."""
    height = body.height
    if skeleton.seen(f"{side}_elbow", f"{side}_wrist"):
        elbow, wrist = _space(body, f"{side}_elbow"), _space(body, f"{side}_wrist")
        wrist[2] += ARMS_BEFORE * height if flat else 0
        hand = getattr(skeleton, f"{side}_hand")
        tips = hand[[8, 12, 16, 20]]
        reach = _unit(wrist - elbow) * np.float32(0.09 * height)
        if (tips[:, 2] >= SEEN).all():
            reach = np.append(tips[:, :2].mean(0) - wrist[:2], 0).astype(np.float32)
        widths = tuple(w * height for w in (0.015, 0.024, 0.022, 0.008))
        hand_part = (HAND[side], HAND[side], axes.forward, 0.6)
        yield Part(wrist, wrist + reach, (0, 0.4, 0.7, 1), widths, *hand_part)
    if skeleton.seen(f"{side}_ankle", f"{side}_big_toe"):
        ankle, toe = _space(body, f"{side}_ankle"), _space(body, f"{side}_big_toe")
        if skeleton.seen(f"{side}_small_toe"):
            toe = (toe + _space(body, f"{side}_small_toe")) / 2
        heel = ankle + 0.15 * (ankle - toe)
        widths = tuple(w * height for w in (0.02, 0.023, 0.02))
        number = FOOT[side]
        yield Part(heel, toe, (0, 0.6, 1), widths, number, number, axes.forward)


def draw(part: Part, iuv: FloatArray, depth: FloatArray) -> None:
    """Paints a cylinder into iuv (H, W, 3) where it is nearer than depth (H, W); changes both."""
    axis = part.end - part.start
    length = np.float32(max(float(np.hypot(*axis[:2])), 1e-3))
    rows, columns, along, across = _near_axis(part, axis[:2] / length, depth.shape)
    t = along / length
    place = np.clip(t, 0, 1)
    width = np.interp(place, part.places, part.widths).astype(np.float32)
    # Beyond the ends it is a half ball.
    room = width**2 - across**2 - (along - place * length) ** 2
    z = part.start[2] + place * axis[2] + part.thickness * np.sqrt(np.maximum(room, 0))
    most = np.float32(max(part.widths))
    shown = np.flatnonzero((room > 0) & (z > depth[rows, columns] + TIE * most))
    rows, columns = rows[shown], columns[shown]
    depth[rows, columns] = z[shown]
    number, v = _around(part, across[shown] / width[shown])
    iuv[rows, columns, 0], iuv[rows, columns, 1], iuv[rows, columns, 2] = number, place[shown], v


def _near_axis(
    part: Part, along: FloatArray, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray, FloatArray]:
    """Rows and columns of pixels near the axis, and how far along and beside it they lie."""
    most = float(max(part.widths))
    xs, ys = (sorted((float(part.start[i]), float(part.end[i]))) for i in (0, 1))
    box = Box(xs[0] - most, ys[0] - most, xs[1] + most, ys[1] + most)
    left, top, right, bottom = box.pixels(shape[1], shape[0])
    x = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - part.start[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - part.start[1])
    across = y * along[0] - x * along[1]
    rows, columns = np.nonzero(np.abs(across) < most)
    forth = x[columns] * along[0] + y[rows, 0] * along[1]
    return rows + top, columns + left, forth, across[rows, columns]


def _around(part: Part, sine: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Part number and V by the angle about the axis; sine: (N,) of the visible surface's angle."""
    cosine = np.sqrt(np.maximum(1 - sine**2, 0))
    axis = _unit(part.end - part.start)
    side = _unit(np.array([-axis[1], axis[0], 0], np.float32), np.array([0, 1, 0]))
    towards = _unit(_cross(axis, side))
    towards = towards if towards[2] >= 0 else -towards
    pole = _unit(part.pole - axis * float(part.pole @ axis), towards)
    third = _cross(axis, pole)
    toward_pole = sine * float(side @ pole) + cosine * float(towards @ pole)
    aside = sine * float(side @ third) + cosine * float(towards @ third)
    if part.back == part.front:
        turn = np.arctan2(aside, toward_pole) / np.float32(2 * np.pi)
        return np.full(len(sine), part.back, np.float32), (turn + 0.5).astype(np.float32)
    facing = toward_pole >= 0
    v = 0.5 + np.arctan2(aside, np.abs(toward_pole)) / np.float32(np.pi)
    return np.where(facing, part.front, part.back).astype(np.float32), v.astype(np.float32)
