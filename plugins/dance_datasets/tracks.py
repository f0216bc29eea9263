"""The same person in the annotated frames of a video (VIP numbers people in each frame anew).

Two frames in a row, at most `REACH` numbers apart, are compared person by person: intersection
over union of the masks, and the share of the pixels they have in common that keep their label. A
person goes on as another one where each is the other's best match by IoU, IoU is at least
`LEAST_OVERLAP`, the share at least `LEAST_AGREEMENT`, and neither has a second match nearly as
good (above `CLEAR` times the best IoU). Nobody goes on where the scene is cut. Whatever is less
sure starts a new person: a person split in two costs training pairs, two people in one teach a
wrong one. The numbers are guesses: the data set has no truth to measure them against.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dance_datasets.annotated import Annotated
from dancecli.motion.camera import Small, is_cut, register, shrink
from dancecli.types import Frame, UInt8Array

REACH = 50
"""Frames; VIP annotates every 25th, so that one of them may be missing."""

LEAST_OVERLAP = 0.3
LEAST_AGREEMENT = 0.5
CLEAR = 0.5


@dataclass(frozen=True)
class Sighting:
    """One person in one annotated frame. number: of the frame. human: of the person in it."""

    number: int
    human: int


@dataclass
class Tracker:
    """Follows people through a video's annotated frames, given in order; keeps one frame."""

    tracks: list[list[Sighting]] = field(default_factory=list)
    _small: Small | None = None
    _open: dict[int, list[Sighting]] = field(default_factory=dict)
    _labels: UInt8Array = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    _people: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    _number: int = 0

    def add(self, number: int, picture: Annotated) -> None:
        """The next frame."""
        labels, humans = picture.labels, np.where(picture.labels > 0, picture.humans, 0)
        numbers = np.flatnonzero(np.bincount(humans.ravel())[1:]) + 1
        rank = np.zeros(1 << 16, np.int64)  # numbers may be large, and tables grow with them
        rank[numbers] = np.arange(1, len(numbers) + 1)
        people = rank[humans]
        goes_on = not self._cut(picture) and number - self._number <= REACH
        before = self._matches(labels, people) if goes_on else {}
        after = {}
        for person, human in enumerate(numbers, 1):
            track = self._open.get(before.get(person, 0))
            if track is None:
                track = []
                self.tracks.append(track)
            track.append(Sighting(number, int(human)))
            after[person] = track
        self._open, self._labels, self._people, self._number = after, labels, people, number

    def _cut(self, picture: Annotated) -> bool:
        """Whether this frame shows another scene than the one before, or has another size."""
        before, self._small = self._small, shrink(Frame(picture.rgb))
        if before is None or picture.labels.shape != self._labels.shape:
            return True
        return is_cut(before, self._small, register(before, self._small, None))

    def _matches(self, labels: UInt8Array, people: NDArray[np.int64]) -> dict[int, int]:
        """Person here -> the same person in the frame before, where that is sure."""
        was, now = self._people.ravel(), people.ravel()
        shape = int(was.max(initial=0)) + 1, int(now.max(initial=0)) + 1
        pairs = was * shape[1] + now
        kept = pairs[labels.ravel() == self._labels.ravel()]
        size = shape[0] * shape[1]
        shared = np.bincount(pairs, minlength=size).reshape(shape)
        agreed = np.bincount(kept, minlength=size).reshape(shape)
        return _sure(shared, agreed)


def _sure(shared: NDArray[np.int64], agreed: NDArray[np.int64]) -> dict[int, int]:
    """Column -> row of the matches that are sure; row and column 0 are nobody.

    shared: pixels in common by (person before, person now). agreed: those with the same label.
    """
    union = shared.sum(1)[:, None] + shared.sum(0)[None] - shared
    overlap = (shared / np.maximum(union, 1))[1:, 1:]
    agreement = (agreed / np.maximum(shared, 1))[1:, 1:]
    found = {}
    for row, column in np.argwhere((overlap >= LEAST_OVERLAP) & (agreement >= LEAST_AGREEMENT)):
        best = overlap[row, column]
        rivals = np.append(np.delete(overlap[row], column), np.delete(overlap[:, column], row))
        if rivals.max(initial=0.0) <= CLEAR * best:
            found[int(column) + 1] = int(row) + 1
    return found


def windows(track: list[Sighting], gap: int) -> list[list[Sighting]]:
    """A track cut so that no two frames of a piece are more than `gap` apart."""
    pieces: list[list[Sighting]] = []
    for sighting in track:
        if pieces and sighting.number - pieces[-1][0].number <= gap:
            pieces[-1].append(sighting)
        else:
            pieces.append([sighting])
    return pieces


def chosen(piece: list[Sighting], frames: int, generator: np.random.Generator) -> list[Sighting]:
    """At most so many of a piece's sightings, at random, in their order."""
    if len(piece) <= frames:
        return piece
    return [piece[k] for k in sorted(generator.choice(len(piece), frames, replace=False))]
