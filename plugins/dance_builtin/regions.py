"""Where the parts of a body are, by distance to the bones alone (no colour).

A score is a distance over the part's half-width: below 1 inside, growing outwards. Every pixel
belongs to the part of its lowest score.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from dance_builtin.body import SIDES, BodyFrame, segment_distance
from dancecli.types import SEEN, BoolArray, FloatArray, Skeleton

ARM_WIDTHS = (0.040, 0.034)
"""Half-widths of upper arm and forearm, / height."""

LEG_WIDTHS = (0.062, 0.046)
"""Half-widths of thigh and calf."""

FOOT_WIDTH = 0.034
HAND_WIDTH = 0.032
HEAD_RADIUS = 0.066

FAR = np.float32(9.0)
"""Score of a part that is not there."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Distance to a limb. score: (N,). t: (N,), 0 at its root, 1 at its middle joint, 2 at its end;
    beyond the ends it goes on growing."""

    score: FloatArray
    t: FloatArray


@dataclass(frozen=True, eq=False)
class Regions:
    """Scores of N pixels. axis: place along neck (0), hips (1), knees (2), ankles (3).

    foot_top: place along the leg where the foot begins, per side.
    """

    head: FloatArray
    torso: FloatArray
    axis: FloatArray
    arms: dict[str, Chain] = field(default_factory=dict)
    legs: dict[str, Chain] = field(default_factory=dict)
    hands: dict[str, FloatArray] = field(default_factory=dict)
    feet: dict[str, FloatArray] = field(default_factory=dict)


def measure(points: FloatArray, body: BodyFrame, skeleton: Skeleton) -> Regions:
    """Scores every point (N, 2) against every part."""
    torso, axis = _torso(points, body)
    legs = {s: _leg(points, body, s) for s in SIDES}
    arms = {s: _arm(points, body, s, torso) for s in SIDES}
    nearest_leg = np.minimum(legs["left"].score, legs["right"].score)
    leg_t = np.where(legs["left"].score < legs["right"].score, legs["left"].t, legs["right"].t)
    axis = np.where((nearest_leg < torso) & (leg_t > 0), 1 + leg_t, axis)
    return Regions(
        head=_head(points, body), torso=torso, axis=axis.astype(np.float32), arms=arms, legs=legs,
        hands={s: _hand(points, body, skeleton, s) for s in SIDES},
        feet={s: _foot(points, body, s) for s in SIDES},
    )  # fmt: skip


def _head(points: FloatArray, body: BodyFrame) -> FloatArray:
    """A disc about the head; below the chin the neck is the torso's."""
    neck, height = body.at("neck"), body.height
    up = body.head - neck
    length = max(float(np.hypot(*up)), 0.06 * height)
    along = ((points - neck) @ (up / length)) / np.float32(length)
    far = np.hypot(*(points - body.head).T)
    score = np.maximum(far - HEAD_RADIUS * height, 0) / np.float32(0.05 * height) + 0.1
    return np.where(along > 0.42, score, score + 4 * (0.42 - along)).astype(np.float32)


def _torso(points: FloatArray, body: BodyFrame) -> tuple[FloatArray, FloatArray]:
    """Distance to the polygon of shoulders and hips, and the place between neck 0 and hips 1."""
    neck, hip, height = body.at("neck"), body.at("mid_hip"), np.float32(body.height)
    down = (hip - neck).astype(np.float32)
    half = [0.045 * body.height * w for w in (-1, 1)]
    across = np.array([down[1], -down[0]]) / max(float(np.hypot(*down)), 1e-3)
    left, right = body.at("left_shoulder"), body.at("right_shoulder")
    low_left, low_right = (_widened(body.at(f"{s}_hip"), hip, 1.5) for s in SIDES)
    corners = np.stack([
        left - 0.04 * down, right - 0.04 * down, low_right + 0.12 * down, low_left + 0.12 * down,
        # A person in profile has no width between the joints, but a trunk all the same.
        *(place + w * across for place in (neck + 0.1 * down, hip + 0.1 * down) for w in half),
    ]).astype(np.float32)  # fmt: skip
    hull = cv2.convexHull(corners).reshape(-1, 2)
    inside, distance = polygon_distance(points, hull)
    score = np.where(inside, 0.45, 0.45 + distance / (0.075 * height))
    axis = ((points - neck) @ down) / max(float(down @ down), 1e-3)
    below = 1 + (axis - 1) * float(np.hypot(*down)) / (0.24 * height)
    return score.astype(np.float32), np.where(axis > 1, below, axis).astype(np.float32)


def _widened(place: FloatArray, centre: FloatArray, factor: float) -> FloatArray:
    return np.asarray(centre + (place - centre) * factor, np.float32)


def polygon_distance(points: FloatArray, hull: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Whether points lie inside a convex polygon, and their distance to its outline, (N,) each.

    points: (N, 2). hull: (M, 2), in order.
    """
    ends = np.roll(hull, -1, axis=0)
    distance = np.min(
        [segment_distance(points, a, b)[0] for a, b in zip(hull, ends, strict=True)], axis=0
    )
    crosses = np.stack([
        (b[0] - a[0]) * (points[:, 1] - a[1]) - (b[1] - a[1]) * (points[:, 0] - a[0])
        for a, b in zip(hull, ends, strict=True)
    ])  # fmt: skip
    inside = (crosses >= 0).all(0) | (crosses <= 0).all(0)
    return inside, distance.astype(np.float32)


def _chain(
    points: FloatArray, body: BodyFrame, names: tuple[str, str, str], widths: tuple[float, float]
) -> Chain:
    score = np.full(len(points), FAR, np.float32)
    place = np.zeros(len(points), np.float32)
    for index, width in enumerate(widths):
        if not body.has(names[index], names[index + 1]):
            continue
        distance, t = segment_distance(points, body.at(names[index]), body.at(names[index + 1]))
        here = distance / np.float32(width * body.height)
        if index == 0:
            t = np.minimum(t, 1)
        better = here < score
        score = np.where(better, here, score)
        place = np.where(better, index + (np.maximum(t, 0) if index else t), place)
    return Chain(score.astype(np.float32), place.astype(np.float32))


def _arm(points: FloatArray, body: BodyFrame, side: str, torso: FloatArray) -> Chain:
    """Before the trunk an arm wins when it is nearer to the camera, behind it it loses."""
    names = f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"
    chain = _chain(points, body, names, ARM_WIDTHS)
    over = torso <= 0.46
    nearer = body.depth_at(f"{side}_elbow", f"{side}_wrist") - body.depth_at("neck", "mid_hip")
    if nearer > 0.04 * body.height:
        score = np.where(over & (chain.score < 1.05), 0.3 * chain.score, chain.score)
    else:
        score = np.where(over, chain.score + 0.4, chain.score)
    return Chain(score.astype(np.float32), chain.t)


def _leg(points: FloatArray, body: BodyFrame, side: str) -> Chain:
    """Above the line of the hips it is the trunk."""
    names = f"{side}_hip", f"{side}_knee", f"{side}_ankle"
    chain = _chain(points, body, names, LEG_WIDTHS)
    return Chain(chain.score + 1.5 * (chain.t < 0), chain.t)


def _hand(points: FloatArray, body: BodyFrame, skeleton: Skeleton, side: str) -> FloatArray:
    """About the hand's own points, else a stump beyond the wrist."""
    hand = getattr(skeleton, f"{side}_hand")
    seen = hand[hand[:, 2] >= SEEN, :2]
    width = np.float32(HAND_WIDTH * body.height)
    if len(seen) > 5:
        hull = cv2.convexHull(seen.astype(np.float32)).reshape(-1, 2)
        inside, distance = polygon_distance(points, hull)
        return np.where(inside, 0.2, 0.2 + distance / (0.5 * width)).astype(np.float32)
    if not body.has(f"{side}_wrist", f"{side}_elbow"):
        return np.full(len(points), FAR, np.float32)
    wrist, elbow = body.at(f"{side}_wrist"), body.at(f"{side}_elbow")
    reach = (wrist - elbow) / max(float(np.hypot(*(wrist - elbow))), 1e-3) * body.height
    return segment_distance(points, wrist + 0.02 * reach, wrist + 0.07 * reach)[0] / width


def _foot(points: FloatArray, body: BodyFrame, side: str) -> FloatArray:
    """Along heel and toes, else a stump below the ankle."""
    if not body.has(f"{side}_ankle"):
        return np.full(len(points), FAR, np.float32)
    ankle = body.at(f"{side}_ankle")
    names = f"{side}_big_toe", f"{side}_small_toe", f"{side}_heel"
    ends = [body.at(name) for name in names if body.has(name)]
    if not ends:
        ends = [ankle + np.array([0, 0.04 * body.height], np.float32)]
    sole = ankle + 0.35 * (np.mean(ends, axis=0) - ankle)
    scores = [segment_distance(points, sole, end)[0] for end in ends]
    return np.asarray(np.min(scores, axis=0) / (FOOT_WIDTH * body.height), np.float32)
