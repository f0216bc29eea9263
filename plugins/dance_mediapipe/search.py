"""Finding people: detectors propose, the landmark model on each proposal's own crop decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dance_mediapipe.detector import REGION_SCALE, beside, parts, people_in
from dance_mediapipe.mapping import NOSE
from dance_mediapipe.people import MAIN_JOINTS, MAX_MOVED, SHOULDERS, Person, read, same
from dance_mediapipe.regions import Region
from dancecli.types import Box, UInt8Array

MIN_JOINTS = 5
"""Main joints that must be seen with confidence above 0.5 for a person to be believed in."""

CLOSE_UP = 0.8
"""Confidence of the nose and both shoulders of a person of whom no more is in the picture."""

MIN_SUPPORT = 0.6
"""Mean segmentation that must lie under those joints."""

MIN_PIXELS = 24
"""Shorter side in pixels below which neither a picture nor a region can show a person."""

MIN_SIZE = 0.25
"""Size of the smallest person over that of the largest; smaller ones are mostly ornament."""

TURNED = 0.35
"""Radians by which a region counts as turned."""

MAX_TRIES = 40
"""Proposals that are looked into in one picture."""


def believable(person: Person, width: int, height: int) -> bool:
    """Whether a result is a person and not the model's fancy, in a picture of that size."""
    seen = int((person.confidence[MAIN_JOINTS] > 0.5).sum())
    if seen < MIN_JOINTS and not _close_up(person, width, height):
        return False
    return person.moved < MAX_MOVED and person.support() > MIN_SUPPORT


def _close_up(person: Person, width: int, height: int) -> bool:
    """Whether it is a head with its shoulders, all the rest being outside the picture."""
    inside = ((person.marks >= 0) & (person.marks <= (width, height))).all(1)
    hidden = inside[MAIN_JOINTS] & (person.confidence[MAIN_JOINTS] <= 0.5)
    sure = person.confidence[[NOSE, *SHOULDERS]].min() > CLOSE_UP
    return bool(sure and not hidden.any())


def certainty(person: Person) -> float:
    """Confidence summed over the main joints, 0 to 13, times `support`."""
    return float(person.confidence[MAIN_JOINTS].sum()) * person.support()


class Search:
    """The people found so far in one picture, and where was looked."""

    def __init__(self, picture: UInt8Array) -> None:
        self.picture = picture
        self.people: list[Person] = []
        self._tried: list[Region] = []

    def consider(self, regions: Iterable[Region]) -> None:
        """Looks into regions that are new, and keeps the people that are."""
        for region in regions:
            if min(region.size, *self.picture.shape[:2]) < MIN_PIXELS:
                continue
            if len(self._tried) >= MAX_TRIES or self._was_here(region):
                continue
            self._tried.append(region)
            # The detector errs about turns most of all, so a turned guess gets a second chance.
            angles = (region.angle, 0.0) if abs(region.angle) > TURNED else (region.angle,)
            for angle in angles:
                person = read(self.picture, replace(region, angle=angle))
                if person and believable(person, *self.picture.shape[1::-1]):
                    self._add(person)
                    break

    def _was_here(self, region: Region) -> bool:
        if any(alike(region, other) for other in self._tried):
            return True
        return any(alike(region, person.region, 2.0) for person in self.people)

    def _add(self, person: Person) -> None:
        """Keeps the better of two results of one person."""
        twins = [other for other in self.people if same(person, other)]
        if any(certainty(twin) >= certainty(person) for twin in twins):
            return
        self.people[:] = [other for other in self.people if other not in twins]
        self.people.append(person)


def everyone(picture: UInt8Array) -> list[Person]:
    """Every believable person of a picture, once each, largest first.

    picture: RGB (H, W, 3). Raises PluginError.
    """
    height, width = picture.shape[:2]
    search = Search(picture)
    for part in parts(width, height):
        search.consider(people_in(picture, part))
    # People stand beside people of their size.
    for person in list(search.people):
        for part in beside(person.region, width, height):
            search.consider(people_in(picture, part))
    people = sorted(search.people, key=lambda p: -p.box.width * p.box.height)
    return [p for p in people if p.region.size > MIN_SIZE * people[0].region.size]


def alike(one: Region, other: Region, slack: float = 1.0) -> bool:
    """Whether two regions are so near that the model would settle on the same person.

    slack: factor on what places and sizes may differ by.
    """
    apart = max(abs(one.x - other.x), abs(one.y - other.y))
    ratio = max(one.size, other.size) / min(one.size, other.size)
    return apart < 0.08 * slack * max(one.size, other.size) and ratio < 1 + 0.25 * slack


def in_box(picture: UInt8Array, box: Box) -> Person | None:
    """The believable person whom a box shows best, None where there is nobody.

    picture: RGB (H, W, 3). box: in its pixels. Raises PluginError.
    """
    search = Search(picture)
    guess = Region.around(box, REGION_SCALE)
    search.consider([guess])
    # A box around the whole person is as good a guess as the detector's and costs nothing.
    legged = any(p.legged for p in search.people)
    if legged and any(p.box.iou(box) > 0.5 and p.support() > 0.8 for p in search.people):
        return search.people[0]
    detected = people_in(picture, guess.box)
    if search.people and not legged:
        return _unfolded(picture, box, search.people, detected)
    search.consider(detected)
    return _shown_by(box, search.people)


def _unfolded(
    picture: UInt8Array, box: Box, people: Sequence[Person], detected: Sequence[Region]
) -> Person | None:
    """Somebody without legs, as the detector's regions show them where that makes them longer.

    In a box around what the picture shows of a person the model folds the legs that it cuts off.
    """
    again = Search(picture)
    again.consider(detected)
    found, other = _shown_by(box, people), _shown_by(box, again.people)
    longer = other and (found is None or other.spine > found.spine)
    return other if longer else found


def _shown_by(box: Box, people: Sequence[Person]) -> Person | None:
    """Whom of them a box shows best."""
    found = [p for p in people if _share(p.box, box) > 0.5]
    return max(found, key=lambda p: p.box.iou(box) * certainty(p), default=None)


def _share(inner: Box, outer: Box) -> float:
    """Part of the inner box that lies in the outer one."""
    width = min(inner.right, outer.right) - max(inner.left, outer.left)
    height = min(inner.bottom, outer.bottom) - max(inner.top, outer.top)
    area = max(inner.width * inner.height, 1e-6)
    return max(width, 0.0) * max(height, 0.0) / area
