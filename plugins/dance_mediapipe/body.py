"""33 pose landmarks -> BODY_25, in the picture and in metres."""

from __future__ import annotations

import numpy as np

from dance_mediapipe.mapping import (
    BODY_FROM_POSE,
    LEFT_ANKLE,
    LEFT_EAR,
    LEFT_HEEL,
    LEFT_KNEE,
    LEFT_TOE,
    NOSE,
    RIGHT_ANKLE,
    RIGHT_EAR,
    RIGHT_HEEL,
    RIGHT_KNEE,
    RIGHT_TOE,
)
from dance_mediapipe.people import Person
from dancecli.types import BODY_25, JOINT, SEEN, FloatArray

SMALL_TOE_SIDE, SMALL_TOE_BACK = 0.33, 0.15
"""The small toe lies this far outwards of and behind the big one, in lengths of the foot."""

HIDDEN = 0.5 * SEEN
"""Highest confidence of what the model only guesses, like the nose of a head from behind."""


def body_25(person: Person) -> tuple[FloatArray, FloatArray]:
    """`Skeleton.body`, float32 (25, 3), and `Skeleton.world`, float32 (25, 3)."""
    sources = [BODY_FROM_POSE[name] for name in BODY_25]
    image = np.stack([person.marks[list(s)].mean(0) for s in sources])
    # A point between two others is as certain as the less certain one.
    confidence = np.array([person.confidence[list(s)].min() for s in sources])
    world = np.stack([person.world[list(s)].mean(0) for s in sources])
    for joint, offset in small_toes(person.world).items():
        world[JOINT[joint]] += offset
        image[JOINT[joint]] += offset[:2] * pixels_per_metre(person)
    if faces_away(person.world):
        hidden = [JOINT[name] for name in ("nose", "left_eye", "right_eye")]
        confidence[hidden] = np.minimum(confidence[hidden], HIDDEN)
    body = np.column_stack([image, np.clip(confidence, 0, 1)])
    return body.astype(np.float32), (world - world[JOINT["mid_hip"]]).astype(np.float32)


def faces_away(world: FloatArray) -> bool:
    """Whether the nose lies well behind the ears, seen from the camera. world: (33, 3), metres."""
    forward = world[NOSE] - (world[LEFT_EAR] + world[RIGHT_EAR]) / 2
    length = float(np.linalg.norm(forward))
    return bool(forward[2] > 0.4 * length)


def pixels_per_metre(person: Person) -> float:
    """Scale of the weak perspective that takes `world` to the picture, by least squares."""
    weight = person.confidence[:, None] + 1e-3
    world, image = person.world[:, :2], person.marks
    world = world - (world * weight).sum(0) / weight.sum()
    image = image - (image * weight).sum(0) / weight.sum()
    return float((weight * world * image).sum() / max(float((weight * world**2).sum()), 1e-9))


def small_toes(world: FloatArray) -> dict[str, FloatArray]:
    """Metres (3,) from each big toe to the small one: outwards, across the foot and the shin.

    world: (33, 3), as `Person.world`.
    """
    feet = {
        "left_small_toe": (LEFT_TOE, LEFT_HEEL, LEFT_KNEE, LEFT_ANKLE, 1.0),
        "right_small_toe": (RIGHT_TOE, RIGHT_HEEL, RIGHT_KNEE, RIGHT_ANKLE, -1.0),
    }
    offsets = {}
    for joint, (toe, heel, knee, ankle, side) in feet.items():
        foot, shin = world[toe] - world[heel], world[knee] - world[ankle]
        across = side * np.cross(shin, foot)
        across = across / max(float(np.linalg.norm(across)), 1e-6) * np.linalg.norm(foot)
        offsets[joint] = SMALL_TOE_SIDE * across - SMALL_TOE_BACK * foot
    return offsets
