"""21 points per hand, looked for where the pose says that the hands are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dance_mediapipe import graphs
from dance_mediapipe.mapping import LEFT_ELBOW, PALM, RIGHT_ELBOW
from dance_mediapipe.people import Person
from dance_mediapipe.regions import Region
from dancecli.types import FloatArray, UInt8Array

CROP_SIDE = 384
"""Pixels of a hand's crop; the hand fills about half of it and its model takes 224."""

PALM_TO_CROP = 5.4
"""Side of the crop over the distance from wrist to knuckles, as in MediaPipe's holistic model."""

MAX_WRIST_ERROR = 0.45
"""Distance between the pose's wrist and the hand's, in forearms, beyond which it is not theirs."""

SIDES = ("left", "right")


def find_hands(picture: UInt8Array, person: Person) -> dict[str, FloatArray]:
    """Side -> float32 (21, 3), frame pixels; zeros where a hand is not seen.

    The side is that of the arm: MediaPipe's own label is wrong too often on small hands.
    """
    regions = {side: hand_region(person, side) for side in SIDES}
    for lane, region in enumerate(regions.values()):
        if region is not None:
            graphs.graph("hand", lane).send(region.cut(picture, CROP_SIDE))
    hands = {
        side: _collect(person, side, lane, region, picture.shape)
        for lane, (side, region) in enumerate(regions.items())
    }
    return _not_twice(hands, person)


def hand_region(person: Person, side: str) -> Region | None:
    """Where to look for a hand, None where the pose does not see the wrist."""
    wrist, index, little = (person.marks[i] for i in PALM[side])
    if person.confidence[PALM[side][0]] < 0.3:
        return None
    knuckles = (2 * index + little) / 3
    dx, dy = knuckles - wrist
    forearm = _forearm(person, side)
    size = max(PALM_TO_CROP * float(np.hypot(dx, dy)), 1.1 * forearm, 8.0)
    return Region(float(knuckles[0]), float(knuckles[1]), size, float(np.arctan2(dx, -dy)))


def _forearm(person: Person, side: str) -> float:
    """Length of the forearm in pixels were it parallel to the picture."""
    elbow = LEFT_ELBOW if side == "left" else RIGHT_ELBOW
    wrist = PALM[side][0]
    flat = float(np.linalg.norm(person.marks[elbow] - person.marks[wrist]))
    return max(flat, 0.08 * person.region.size)


def _collect(
    person: Person, side: str, lane: int, region: Region | None, shape: tuple[int, ...]
) -> FloatArray:
    nothing = np.zeros((21, 3), np.float32)
    found: Mapping[str, Any] = {} if region is None else graphs.graph("hand", lane).collect()
    if region is None or "landmarks" not in found:
        return nothing
    xy = region.to_frame(graphs.points(found["landmarks"])[:, :2])
    wrist = PALM[side][0]
    if np.linalg.norm(xy[0] - person.marks[wrist]) > MAX_WRIST_ERROR * _forearm(person, side):
        return nothing
    inside = (xy >= 0).all(1) & (xy <= (shape[1], shape[0])).all(1)
    trust = person.confidence[wrist] * (0.5 + 0.5 * _agreement(found, side))
    return np.column_stack([xy, trust * np.where(inside, 1.0, 0.15)]).astype(np.float32)


def _agreement(found: Mapping[str, Any], side: str) -> float:
    """How much MediaPipe's own label speaks for the side; it supposes mirrored pictures."""
    if "handedness" not in found:
        return 0.0
    best = graphs.message(found["handedness"]).classification[0]
    mirrored = {"left": "Right", "right": "Left"}[side]
    return float(best.score if best.label == mirrored else 1 - best.score)


def _not_twice(hands: dict[str, FloatArray], person: Person) -> dict[str, FloatArray]:
    """Drops one of two results on the same hand: the one farther from its wrist."""
    left, right = hands["left"], hands["right"]
    if not (left[:, 2].any() and right[:, 2].any()):
        return hands
    apart = np.linalg.norm(left[:, :2] - right[:, :2], axis=1).mean()
    if apart > 0.35 * max(_extent(left), _extent(right)):
        return hands
    error = {
        side: float(np.linalg.norm(hands[side][0, :2] - person.marks[PALM[side][0]]))
        for side in SIDES
    }
    return {**hands, max(error, key=lambda side: error[side]): np.zeros((21, 3), np.float32)}


def _extent(hand: FloatArray) -> float:
    return float(np.linalg.norm(np.ptp(hand[:, :2], axis=0)))
