"""Looking closer, for videos in which nobody is found: no head in the picture, or far away.

Detectors of people look for faces and for people of some size. Asked for whoever is in a box, an
extractor goes by the body itself; so the whole picture is such a box, and then each of its parts.
What they show is believed only if most of the body is sure: patterns look like people, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dancecli.motion.people import same_person
from dancecli.stages import PoseExtractor
from dancecli.types import JOINT, Box, Frame, Skeleton

LIMBS = [
    JOINT[f"{side}_{joint}"]
    for side in ("left", "right")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]

SURE, MOST = 0.8, 8
"""Confidence of a joint, and how many of `LIMBS` must have it."""

FINER = 1.5
"""Times that a part of the picture goes into its shorter side."""

LEAST = 24
"""Pixels of a part's side below which nobody can be told in it: a narrow strip has thousands."""

OVERLAP = 0.4
"""Share of a part that the next one shows, too."""


@dataclass(frozen=True)
class Closer:
    """A pose extractor that looks closer where another finds nobody."""

    pose: PoseExtractor

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """As `PoseExtractor.extract`, which it asks."""
        found = self.pose.extract(frame, boxes)
        if found or boxes is not None:
            return found
        for look in _looks(frame.width, frame.height):
            people = _distinct(self.pose.extract(frame, look))
            if people:
                return people
        return []


def _looks(width: int, height: int) -> Iterator[list[Box]]:
    """The whole picture, then squares all over it."""
    yield [Box(0, 0, width, height)]
    side = min(width, height) / FINER
    if side < LEAST:
        return
    across, down = (
        np.linspace(0, length - side, int(np.ceil(length / side / (1 - OVERLAP))))
        for length in (width, height)
    )
    yield [Box(x, y, x + side, y + side) for y in down for x in across]


def _distinct(people: Sequence[Skeleton]) -> list[Skeleton]:
    """Those to believe in, once each."""
    kept: list[Skeleton] = []
    for person in people:
        sure = int((person.body[LIMBS, 2] > SURE).sum()) >= MOST
        if sure and not any(same_person(person, other) for other in kept):
            kept.append(person)
    return kept
