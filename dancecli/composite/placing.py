"""From the retargeted skeleton's pixels to the output's: where the dance is put in the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dancecli.composite.size import Size
from dancecli.errors import NoPersonError
from dancecli.motion.body import FOOT, OVER_HEAD, height_of
from dancecli.types import JOINT, SEEN, Box, Skeleton

DEFAULT_HEIGHT, DEFAULT_GROUND = 0.75, 0.92
"""Where a person stands on a background that says nothing: shares of the frame's height."""

MARGIN = 0.03
"""Kept free at the frame's edges where the whole dance fits, share of the frame."""

BESIDE, UNDER_FEET = 0.05, 0.03
"""How far a body goes on beyond its keypoints, shares of standing height; above: `OVER_HEAD`."""

SOLE = 0.015
"""How far the lowest keypoints of a foot lie above its sole, share of standing height."""

HIPS_UP, NECK_UP = 0.53, 0.82
"""Hips and neck above the floor, shares of standing height: legs and spine of `motion.body`, and
Drillis and Contini's 0.039 from the ankle down."""


@dataclass(frozen=True)
class Placement:
    """Output = scale * (x, y) + (dx, dy)."""

    scale: float = 1.0
    dx: float = 0.0
    dy: float = 0.0

    def apply(self, skeleton: Skeleton) -> Skeleton:
        """The skeleton in output pixels."""
        return skeleton.moved(self.scale, self.dx, self.dy)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """One point in output pixels."""
        return self.scale * x + self.dx, self.scale * y + self.dy


def cover(size: Size, out_size: Size, keep: Box | None = None) -> Placement:
    """How a picture of `size` is scaled so that it just covers the output.

    It is centred, or as little aside as shows `keep` (its pixels); if `keep` is wider than the
    output, its middle is shown; if it is taller, its top.
    """
    scale = max(out_size[0] / size[0], out_size[1] / size[1])
    window = out_size[0] / scale, out_size[1] / scale
    left, top = (size[0] - window[0]) / 2, (size[1] - window[1]) / 2
    if keep is not None:
        part = keep.clipped(*size)
        middle = part.center[0] - window[0] / 2
        left = _least_aside(left, part.right - window[0], part.left, middle)
        top = _least_aside(top, part.bottom - window[1], part.top, part.top)
    left, top = min(left, size[0] - window[0]), min(top, size[1] - window[1])
    return Placement(scale, -max(left, 0.0) * scale, -max(top, 0.0) * scale)


def _least_aside(at: float, low: float, high: float, otherwise: float) -> float:
    """The number from `low` to `high` that is nearest to `at`; `otherwise` where there is none."""
    return otherwise if low > high else min(max(at, low), high)


def shown(placement: Placement, out_size: Size) -> Box:
    """The part of the picture, in its pixels, that lies inside the output."""
    left, top = -placement.dx / placement.scale, -placement.dy / placement.scale
    return Box(
        left, top, left + out_size[0] / placement.scale, top + out_size[1] / placement.scale
    )  # fmt: skip


def standing_height(skeletons: Sequence[Skeleton]) -> float:
    """Standing height in pixels by `height_of`; foreshortened frames do not lower it.

    Raises NoPersonError when no frame shows enough bones, or head and shoulders.
    """
    heights = [h for h in map(height_of, skeletons) if h > 0]
    if not heights:
        raise NoPersonError("placing: no frame shows enough of a body to tell how tall it is")
    return float(np.percentile(heights, 75))


def ground_point(skeleton: Skeleton, height: float) -> tuple[float, float]:
    """Between the feet, at the lower one's sole; below the hips where no foot is seen.

    height: standing height in the skeleton's pixels. Raises NoPersonError without feet and hips.
    """
    feet = _foot_points(skeleton)
    if len(feet):
        return float(np.mean(feet[:, 0])), float(feet[:, 1].max()) + SOLE * height
    for joint, share in (("mid_hip", HIPS_UP), ("neck", NECK_UP)):
        if skeleton.seen(joint):
            x, y = skeleton.joint(joint)
            return float(x), float(y) + share * height
    raise NoPersonError("placing: the first frame shows neither feet nor hips")


def place_within(size: Size, out_size: Size, people: Sequence[Skeleton]) -> Placement:
    """On the photo or the driving video, for skeletons retargeted to its pixels (`size`): an output
    of another shape shows the part of it that these people keep to.

    They are the photo's one person, or the dancer of all frames.
    """
    tall = max(map(height_of, people), default=0.0)
    return cover(size, out_size, reach(people, tall))


def place_at(
    x: float, y: float, height: float, skeletons: Sequence[Skeleton], out_size: Size
) -> Placement:
    """`--place X,Y,HEIGHT`, fractions of the frame: the first frame's ground point at (X, Y) and a
    standing height of HEIGHT."""
    tall = standing_height(skeletons)
    place = x * out_size[0], y * out_size[1]
    return _standing_at(skeletons, place, height * out_size[1] / tall, tall)


def place_centred(skeletons: Sequence[Skeleton], out_size: Size) -> Placement:
    """On a colour, an image or a video: centred, 75% of the frame high, smaller where the whole
    dance does not fit otherwise."""
    width, height = out_size
    tall = standing_height(skeletons)
    around = reach(skeletons, tall)
    room = 1 - 2 * MARGIN
    scale = min(
        DEFAULT_HEIGHT * height / tall,
        room * width / around.width, room * height / around.height,
    )  # fmt: skip
    dx = width / 2 - scale * around.center[0]
    dy = DEFAULT_GROUND * height - scale * ground_point(skeletons[0], tall)[1]
    dy = min(dy, (1 - MARGIN) * height - scale * around.bottom)
    return Placement(scale, dx, max(dy, MARGIN * height - scale * around.top))


def place_cut_off(size: Size, out_size: Size, person: Skeleton, end: float) -> Placement:
    """On another ground than that of the photo (`size`) that shows the person down to the hips or
    so, to row `end`: as large as fits and centred, what it does not show below the output's edge.
    """
    around = reach([person], height_of(person)).clipped(*size)
    room = 1 - MARGIN
    tall = max(end - around.top, 1.0)  # a mask that misses the head says nothing
    scale = min(room * out_size[0] / around.width, room * out_size[1] / tall)
    dx = out_size[0] / 2 - scale * around.center[0]
    return Placement(scale, dx, out_size[1] - scale * end)


def _standing_at(
    skeletons: Sequence[Skeleton], place: tuple[float, float], scale: float, tall: float
) -> Placement:
    x, y = ground_point(skeletons[0], tall)
    return Placement(scale, place[0] - scale * x, place[1] - scale * y)


def reach(skeletons: Sequence[Skeleton], tall: float) -> Box:
    """What the whole dance keeps to; tall: standing height in the same pixels.

    Raises NoPersonError where no keypoint is seen.
    """
    boxes = [box for box in (skeleton.box() for skeleton in skeletons) if box is not None]
    if not boxes:
        raise NoPersonError("placing: no frame shows enough of a body to tell where it is")
    return Box(
        min(box.left for box in boxes) - BESIDE * tall,
        min(box.top for box in boxes) - OVER_HEAD * tall,
        max(box.right for box in boxes) + BESIDE * tall,
        max(box.bottom for box in boxes) + UNDER_FEET * tall,
    )


def _foot_points(skeleton: Skeleton) -> NDArray[np.float32]:
    rows = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in FOOT]
    points = skeleton.body[rows]
    return points[points[:, 2] >= SEEN]
