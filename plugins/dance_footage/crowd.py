"""Everybody in a clip, followed from look to look.

A look is a frame that is searched whole, once; each person's `Tracker` then chooses among those
found, so that it never takes up with somebody who moved, grew or is dressed unlike its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dancecli.motion import Tracker, left_to_right
from dancecli.motion.camera import Affine, Small, identity, is_cut, register, shrink
from dancecli.stages import PoseExtractor
from dancecli.types import Box, Frame, Skeleton

LOST = 1.5
"""Seconds unseen after which somebody who turns up counts as somebody else."""


@dataclass(frozen=True, eq=False)
class Look:
    """One frame. people: everybody found. known: by number, those who are followed.

    camera: (2, 3), the previous look's pixels to this one's. cut: a scene begins here.
    """

    frame: Frame
    people: Sequence[Skeleton]
    known: dict[int, Skeleton]
    camera: Affine
    cut: bool


@dataclass
class _Follower:
    number: int
    tracker: Tracker
    last: float
    sightings: int = 0
    skeleton: Skeleton | None = None


@dataclass
class _Found:
    """A PoseExtractor that tells what was found in the frame at hand."""

    people: list[Skeleton] = field(default_factory=list)

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        if boxes is None:
            return self.people
        inside = [[p for p in self.people if _overlap(p, box) > 0] for box in boxes]
        return [
            max(found, key=lambda person: _overlap(person, box))
            for found, box in zip(inside, boxes, strict=True)
            if found
        ]


def _overlap(skeleton: Skeleton, box: Box) -> float:
    own = skeleton.box()
    return own.iou(box) if own else 0.0


class Crowd:
    """Sequential: `look` at frames in order."""

    def __init__(self, pose: PoseExtractor) -> None:
        self._pose, self._found = pose, _Found()
        self._followers: list[_Follower] = []
        self._numbers = 0
        self._small: Small | None = None
        self._largest: Box | None = None

    def look(self, frame: Frame) -> Look:
        """Who is in the frame; numbers go up from 1 and are never given twice."""
        small = shrink(frame)
        camera, cut = self._camera(small)
        self._found.people = [p for p in self._pose.extract(frame) if p.box() is not None]
        if cut:
            self._followers = []
        self._follow(frame)
        self._take_up(frame)
        self._small = small
        self._largest = self._found.people[0].box() if self._found.people else None
        known = {f.number: f.skeleton for f in self._followers if f.skeleton is not None}
        return Look(frame, self._found.people, known, camera, cut)

    def _camera(self, small: Small) -> tuple[Affine, bool]:
        if self._small is None:
            return identity(), False
        person = None if self._largest is None else self._largest.grown(1.25)
        registration = register(self._small, small, person)
        cut = is_cut(self._small, small, registration)
        return (identity() if cut else registration.affine), cut

    def _follow(self, frame: Frame) -> None:
        """Each goes on with their own; where two claim one person, the longer known keeps them."""
        taken: list[Skeleton] = []
        kept = []
        for follower in sorted(self._followers, key=lambda f: (-f.sightings, f.number)):
            seen = follower.tracker.step(frame)
            claimed = any(seen.skeleton is other for other in taken)
            gone = frame.time - follower.last > LOST
            if seen.cut or claimed or (seen.skeleton is None and gone):
                continue
            follower.skeleton = seen.skeleton
            if seen.skeleton is not None:
                taken.append(seen.skeleton)
                follower.sightings, follower.last = follower.sightings + 1, frame.time
            kept.append(follower)
        self._followers = kept

    def _take_up(self, frame: Frame) -> None:
        """Somebody new for everybody whom nobody follows."""
        followed = [f.skeleton for f in self._followers]
        for place, person in enumerate(left_to_right(self._found.people), 1):
            if any(person is other for other in followed):
                continue
            tracker = Tracker(self._found, str(place))
            tracker.step(frame)
            self._numbers += 1
            self._followers.append(_Follower(self._numbers, tracker, frame.time, 1, person))
