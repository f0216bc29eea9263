"""From the driver's pixels into the photo: one similarity, then keeping the person in view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.body import LEG, OVER_HEAD, SPINE, TREAD, bone_between
from dancecli.motion.proportions import Proportions
from dancecli.types import JOINT, SEEN, Box, Skeleton

Values = NDArray[np.floating[Any]]

ANKLE_HEIGHT = 0.07
"""Ankle above the lowest toe in a picture taken from chest height, share of standing height."""

LEVEL = 0.15
"""Body heights that the ground may rise or sink without the dancer changing size."""

PERSPECTIVE = 1.5
"""Body heights that it may rise or sink per relative change of size: a camera at that height."""

NEARLY = 0.05
"""Body heights by which the ground may lie below the view and still be where somebody stands."""

LEANING = 60.0
"""Degrees from upright beyond which nobody stands, however they bend."""

RARELY = 5
"""In how many of a hundred frames a head may still be cut, by a jump."""

EASE = 1.5
"""Seconds within which a person is drawn back into the picture, and let go again."""

EASES = EASE, 0.4
"""The same for a head: quicker where it would be cut because of what comes a second before or
after."""

BESIDE_HEAD = 0.05
"""Body heights from eyes and ears to the outside of the hair."""

_FEET = tuple(f"{side}_{part}" for side in ("right", "left") for part in TREAD)


@dataclass(frozen=True)
class Place:
    """Where the target stands: ground point (x, y) and standing height, photo pixels; what of the
    photo the output shows; and whether it shows the feet, so that the ground is not supposed."""

    x: float
    y: float
    height: float
    view: Box
    grounded: bool = True


def place_of(target: Skeleton, view: Box, body: Proportions) -> Place:
    """Mid-foot on the ground; feet out of the picture are supposed below what is seen."""
    sides = [
        target.body[[JOINT[f"{side}_{name}"] for name in ("ankle", "big_toe", "heel")]]
        for side in ("right", "left")
    ]
    middles = [foot[foot[:, 2] >= SEEN, 0].mean() for foot in sides if foot[0, 2] >= SEEN]
    x = float(np.mean(middles)) if len(middles) == 2 else _column(target)
    y = _ground(target, body)
    stands = any(target.seen(name) for name in (*_FEET, "left_ankle", "right_ankle"))
    shown = y <= view.bottom + NEARLY * body.height
    return Place(x, y, body.height, view, stands and shown and is_upright(target))


def is_upright(person: Skeleton) -> bool:
    """Whether a person stands, sits or bends, rather than lies or stands on the head.

    Of neck over hips and neck over ankles, what is seen, one must be within LEANING of upright;
    so is who shows neither.
    """
    lines = [
        np.subtract(person.joint("neck")[:2], [person.joint(name)[:2] for name in names]).mean(0)
        for names in (("mid_hip",), ("left_ankle", "right_ankle"))
        if all(person.seen(name) for name in ("neck", *names))
    ]
    angles = [np.degrees(np.arctan2(abs(x), -y)) for x, y in lines]
    return not angles or min(angles) <= LEANING


def _column(target: Skeleton) -> float:
    """x of the trunk."""
    for name in ("mid_hip", "neck", "nose"):
        if target.seen(name):
            return float(target.joint(name)[0])
    box = target.box()
    return box.center[0] if box else 0.0


def _ground(target: Skeleton, body: Proportions) -> float:
    """y under the lowest foot, or as far below the lowest joint seen as a standing leg is long."""
    feet = [float(target.joint(name)[1]) for name in _FEET if target.seen(name)]
    ankles = _lowest(target, "ankle")
    if feet:
        return max([*feet, *([] if ankles is None else [ankles])])
    thigh = body.bones[bone_between("right_hip", "right_knee")]
    shin = body.bones[bone_between("right_knee", "right_ankle")]
    sole = ANKLE_HEIGHT * body.height
    for name, below in (("ankle", 0.0), ("knee", shin), ("hip", thigh + shin)):
        y = _lowest(target, name)
        if y is not None:
            return float(y + below + sole)
    if target.seen("neck"):
        return float(target.joint("neck")[1] + (SPINE + LEG) * body.height + sole)
    box = target.box()
    return box.bottom + 0.8 * body.height if box else 0.0


def _lowest(target: Skeleton, name: str) -> float | None:
    sides = [f"{side}_{name}" for side in ("right", "left")]
    return max((float(target.joint(n)[1]) for n in sides if target.seen(n)), default=None)


def put(
    points: Values, place: Place, start: tuple[float, float], ground: Values, height: Values
) -> Values:
    """Points (T, 137, 2) of the driver's space in the photo.

    start: (x, y) on the driver's ground at the first frame, which comes to `place`. ground:
    (T,) y of the ground under the dancer. height: (T,) standing height, driver's pixels.
    """
    ratio = float(place.height / height[0])
    moved = points * ratio
    moved += (place.x - start[0] * ratio, place.y - start[1] * ratio)
    sunk = (ground - ground[0]) * ratio
    allowed = (LEVEL + PERSPECTIVE * np.abs(height / height[0] - 1)) * place.height
    moved[..., 1] += (_soft_limit(sunk, allowed) - sunk)[:, None]
    return np.asarray(moved)


def _soft_limit(values: Values, limit: Values) -> Values:
    """Unchanged below the limit, never more than 1.3 of it."""
    over = np.maximum(np.abs(values) - limit, 0)
    soft = np.minimum(np.abs(values), limit) + 0.3 * limit * np.tanh(over / (0.3 * limit))
    return np.asarray(np.sign(values) * soft)


def kept_in_view(points: Values, trunk: Values, view: Box) -> Values:
    """(T,) to add to x so that the dance stays in view.

    One shift for all frames, the least that brings all seen points inside (T, K, 2), or, where
    arms and legs do not fit, the trunk (T, 2) with its shoulders. A path longer than the view
    is shortened: a person who walks out of the picture is of no use.
    """
    for low, high in ((points[..., 0].min(1), points[..., 0].max(1)), _around(trunk, points)):
        if high.max() - low.min() <= view.width:
            return np.full(len(points), _least_shift(low.min(), high.max(), view))
    low, high = _around(trunk, points)
    half = float((high - low).max()) / 2
    path = trunk[:, 0] - trunk[0, 0]
    room = max(view.width - 2 * half, 0.0)
    path_shorter = path * room / max(float(np.ptp(path)), 1e-6)
    at = trunk[0, 0] + path_shorter
    shift = _least_shift(at.min() - half, at.max() + half, view)
    return np.asarray(path_shorter - path + shift)


def head_in_view(heads: Values, height: Values, view: Box) -> float:
    """To add to y so that the head (T, K, 2) of somebody `height` tall (T,) is in view.

    For those whose feet the output does not show: where they stand is supposed, or cut off, and a
    dance without a head is of no use.
    """
    top = heads[..., 1].min(1) - OVER_HEAD * height
    return max(0.0, view.top - float(np.percentile(top, RARELY)))


def head_and_neck(heads: Values, neck: Values, height: Values) -> Values:
    """(T, 2): y of the top of heads (T, K, 2), and of the neck (T, 2): what stays in view of those
    whose ground is not in it."""
    return np.stack([heads[..., 1].min(1) - OVER_HEAD * height, neck[:, 1]], axis=1)


def around_head(heads: Values, height: Values) -> Values:
    """Points (T, 2K, 2) left and right of heads (T, K, 2) with their hair, of people `height` (T,)
    tall: what must stay in view where arms and legs cannot."""
    aside = (BESIDE_HEAD * height)[:, None, None] * (1, 0)
    return np.asarray(np.concatenate([heads - aside, heads + aside], axis=1))


def drawn_in(places: Values, least: float, most: float, fps: float, ease: float = EASE) -> Values:
    """(T,) to add so that what of the places (T, K), x or y, is not within comes back in.

    It rises and falls over `ease` seconds, so that feet slide slowly and only while it is needed,
    and never pushes anything out on the other side.
    """
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

    low, high = places.min(1), places.max(1)
    reach = max(1, round(ease * fps))

    def eased(beyond: Values, room: Values) -> Values:
        wanted = maximum_filter1d(np.maximum(beyond, 0), 2 * reach + 1, mode="nearest")
        allowed = minimum_filter1d(np.maximum(room, 0), 2 * reach + 1, mode="nearest")
        shift = np.minimum(wanted, allowed)
        return np.asarray(gaussian_filter1d(shift, reach / 3, truncate=3.0, mode="nearest"))

    under, over = least - low, high - most
    return eased(under, -over) - eased(over, -under)


def _around(trunk: Values, points: Values) -> tuple[Values, Values]:
    """Left and right of the trunk with its shoulders."""
    half = 0.12 * float(np.median(np.ptp(points[..., 1], axis=1)))
    return trunk[:, 0] - half, trunk[:, 0] + half


def _least_shift(low: float, high: float, view: Box) -> float:
    if high - low > view.width:
        return view.center[0] - (low + high) / 2
    return max(view.left - low, 0.0) + min(view.right - high, 0.0)
