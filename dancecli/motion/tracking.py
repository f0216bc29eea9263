"""Following one person through the driving video.

The first frame that shows anybody is searched whole and `--person` decides; after that the
extractor looks only into a box about the place where the person must be, and what it finds there
is believed only if it moved, grew and is dressed like the person. When not, the whole frame is
searched once more for somebody who fits better. A hidden person is a gap, never a neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import MediaError
from dancecli.motion import flow, people
from dancecli.motion.body import height_of
from dancecli.motion.camera import (
    Affine,
    Anchor,
    Small,
    apply,
    identity,
    shrink,
)
from dancecli.motion.observation import Observation
from dancecli.stages import PoseExtractor
from dancecli.types import Box, FloatArray, Frame, Skeleton

FASTEST = 3.0
"""Body heights per second that a torso may travel between frames."""

WANDER = 1.0
"""Body heights per second by which the search widens for each second that they were not seen."""

STEADY_PACE = 0.06
"""Body heights per frame of the last step that are expected again."""

SLACK = 0.2
"""Body heights that the middle of the torso may jump besides: errors of the extractor."""

SIZE_CHANGE = 1.6
"""Factor by which the bones may grow or shrink between frames, in the median."""

ALIKE = 0.3
"""Least overlap of the clothes' colours with those remembered."""

CLEARLY_ALIKE = 0.5
LOST = 1.5
"""Seconds without the person after which they may come back anywhere in the picture."""

USUAL_STEP = 0.04
"""Seconds between frames whose times say nothing."""

SMALLEST_BOX = 8
"""Pixels: less of the picture is not searched."""

EAGER = 4
"""Frames after a loss in which the whole picture is searched each time; then every so many."""

FORGET = 0.1
"""Share of the newest frame in the remembered appearance."""


@dataclass(frozen=True, eq=False)
class Memory:
    """All that the tracker knows; a function of the observations alone, so that it can be redone.

    skeleton: where the person was last seen, in this frame's pixels (the camera's motion since is
        applied); None at the start and after a cut.
    velocity: (x, y) pixels per frame. missing: frames since they were seen.
    height: running mean of `height_of`, pixels, 0 before anybody was seen.
    appearance: running mean, None before the torso was first seen.
    """

    skeleton: Skeleton | None = None
    velocity: NDArray[np.float64] | None = None
    missing: int = 0
    height: float = 0.0
    appearance: FloatArray | None = None

    def after(self, seen: Observation) -> Memory:
        """The memory after one more frame."""
        here = self.carried(seen.camera, seen.cut)
        if seen.skeleton is None:
            return replace(here, velocity=None, missing=here.missing + 1)
        step = None
        if here.skeleton is not None and here.missing == 0:
            step = people.middle(seen.skeleton) - people.middle(here.skeleton)
        tall = height_of(seen.skeleton) or here.height
        height = tall if here.height == 0 else (1 - FORGET) * here.height + FORGET * tall
        colours = _mixed(here.appearance, seen.appearance)
        return Memory(seen.skeleton, step, 0, height, colours)

    def carried(self, camera: Affine, cut: bool) -> Memory:
        """The memory in the next frame's pixels: under the camera's motion, or across a cut."""
        if cut:
            return Memory(appearance=self.appearance)
        zoom = float(np.sqrt(abs(np.linalg.det(camera[:, :2]))))
        return replace(self, skeleton=moved(self.skeleton, camera), height=self.height * zoom)


def _mixed(old: FloatArray | None, new: FloatArray) -> FloatArray | None:
    """The running mean; frames that look unlike it count less, lest it turn into a neighbour."""
    if old is None or len(new) == 0:
        return new if old is None and len(new) else old
    weight = np.float32(FORGET if people.likeness(old, new) > CLEARLY_ALIKE else FORGET / 4)
    return (old * (1 - weight) + new * weight).astype(np.float32)


def moved(skeleton: Skeleton | None, camera: Affine) -> Skeleton | None:
    """The skeleton under an affine; `world` stays."""
    if skeleton is None:
        return None

    def move(points: FloatArray) -> FloatArray:
        xy = apply(camera, points[:, :2])
        return np.column_stack([xy, points[:, 2]]).astype(np.float32)

    return replace(
        skeleton, body=move(skeleton.body), left_hand=move(skeleton.left_hand),
        right_hand=move(skeleton.right_hand), face=move(skeleton.face),
    )  # fmt: skip


class Tracker:
    """Sequential: `step` each frame in order, or `restore` and go on."""

    def __init__(
        self, pose: PoseExtractor, person: str = "largest", size: tuple[int, int] | None = None,
        drift: bool = False,
    ) -> None:  # fmt: skip
        """`person`: largest, left, right, or a number from 1, left to right at the first frame in
        which anybody is seen; anything else raises UsageError. `size`: (width, height) that all
        frames must have, None for whatever comes. `drift`: whether observations have theirs,
        which takes a ninth more time."""
        self._pose, self._size, self._drifts = pose, size, drift
        self._person = people.check_person(person)
        self._memory = Memory()
        self._small: Small | None = None
        self._frame: Frame | None = None
        self._anchor: Anchor | None = None
        self._time = 0.0

    def restore(self, observations: Sequence[Observation], last_frame: Frame | None) -> None:
        """The state after those observations, of which the last came from `last_frame`; cameras
        are registered with that one.

        Without observations and frame it is the state of a new tracker.
        """
        self._memory, self._small, self._anchor, self._time = Memory(), None, None, 0.0
        self._frame = None
        if last_frame is not None:
            self.take(observations, last_frame)

    def take(self, observations: Sequence[Observation], last_frame: Frame) -> None:
        """Go on as if `step` had given those next, the last of them for `last_frame`."""
        for seen in observations:
            self._memory = self._memory.after(seen)
        self._small, self._time = shrink(last_frame), last_frame.time
        self._frame = last_frame if self._drifts else None
        self.anchor()

    def anchor(self) -> None:
        """From now on cameras are registered with the last frame, as after `take`."""
        self._anchor = None if self._small is None else Anchor(self._small, self._person_box())

    @property
    def new(self) -> bool:
        """Whether it has seen no frame yet."""
        return self._small is None

    def begun_alone(self, frame: Frame) -> tuple[Observation, Tracker] | None:
        """Another tracker that begins with the one person of a frame, and what it sees there.

        None where nobody or more than one is in sight. This tracker does not change.
        """
        self._check_size(frame)
        found = self._pose.extract(frame)
        if len(found) != 1:
            return None
        other = Tracker(self._pose, self._person, self._size, self._drifts)
        seen = Observation(found[0], appearance=people.appearance(shrink(frame), found[0]))
        other.take([seen], frame)
        return seen, other

    def step(self, frame: Frame) -> Observation:
        """What this frame gives.

        Raises UsageError if `person` is a number nobody has, MediaError for a frame of another
        size than the clip's.
        """
        self._check_size(frame)
        small, before = shrink(frame), self._small
        camera, cut = identity(), False
        if before is not None:
            assert self._anchor is not None
            camera, cut, self._anchor = self._anchor.followed(
                before, small, self._person_box(), frame.time - self._time
            )
        skeleton = self._find(frame, small, self._memory.carried(camera, cut))
        colours = (
            np.zeros(0, np.float32) if skeleton is None else people.appearance(small, skeleton)
        )
        drift = None if cut else self._drift(frame, skeleton)
        seen = Observation(skeleton, camera, cut, colours, drift)
        self._memory, self._small, self._time = self._memory.after(seen), small, frame.time
        self._frame = frame if self._drifts else None
        if cut or self._anchor is None:
            self.anchor()
        return seen

    def _drift(self, frame: Frame, skeleton: Skeleton | None) -> NDArray[np.float16] | None:
        """How the picture moved at the person's points, who were in the last frame too."""
        last = self._memory.skeleton
        if self._frame is None or skeleton is None or last is None or self._memory.missing:
            return None
        return flow.drift(self._frame, frame, last, skeleton)

    def _check_size(self, frame: Frame) -> None:
        if self._size is not None and (frame.width, frame.height) != self._size:
            raise MediaError(
                f"frame {frame.index} is {frame.width}x{frame.height}, the video "
                f"{self._size[0]}x{self._size[1]}: re-encode it to one size"
            )

    def _person_box(self) -> Box | None:
        """Where the person was, grown: left out when the background is registered."""
        skeleton = self._memory.skeleton
        box = None if skeleton is None else skeleton.box()
        return None if box is None else box.grown(1.25)

    def _find(self, frame: Frame, small: Small, memory: Memory) -> Skeleton | None:
        if memory.skeleton is None:
            return self._first(frame, small, memory)
        elapsed = frame.time - self._time
        judge = _Judge(memory.skeleton, memory, small, elapsed if elapsed > 0 else USUAL_STEP)
        box = judge.box.clipped(frame.width, frame.height)
        if min(box.width, box.height) >= SMALLEST_BOX:
            for found in self._pose.extract(frame, [box]):
                if judge.believes(found):
                    return found
        if memory.missing > EAGER and memory.missing % EAGER:  # a whole search is slow
            return None
        return judge.best(self._pose.extract(frame))

    def _first(self, frame: Frame, small: Small, memory: Memory) -> Skeleton | None:
        """Whoever `person` names; after a cut the one dressed alike, if that is clear."""
        found = self._pose.extract(frame)
        if not found:
            return None
        if memory.appearance is None:
            return people.choose(found, self._person)
        alike = [people.likeness(people.appearance(small, p), memory.appearance) for p in found]
        order = np.argsort(alike)[::-1]
        best = alike[order[0]]
        if best > CLEARLY_ALIKE and (len(found) == 1 or best > alike[order[1]] + 0.1):
            return found[int(order[0])]
        number = self._person.isdecimal() and int(self._person) > len(found)
        return people.choose(found, "largest" if number else self._person)


class _Judge:
    """Whether somebody can be the person, given where they were and how they are dressed."""

    def __init__(self, skeleton: Skeleton, memory: Memory, small: Small, seconds: float) -> None:
        """`skeleton`: the memory's, which is there; `seconds`: between frames."""
        self._small, self._skeleton = small, skeleton
        nothing = np.zeros(0, np.float32)
        self._clothes = nothing if memory.appearance is None else memory.appearance
        self._seconds, self._away = seconds, seconds * memory.missing
        box = skeleton.box()
        tall = box.height if box else 0.0
        self._height = max(memory.height, 0.5 * tall, 1.0)
        self._place = people.middle(skeleton)
        if memory.velocity is not None:
            pace = float(np.linalg.norm(memory.velocity)) / self._height
            self._place = self._place + memory.velocity * min(1.0, STEADY_PACE / max(pace, 1e-9))

    @property
    def box(self) -> Box:
        """Where to look: the last box at the predicted place, grown."""
        box = self._skeleton.box() or Box(0, 0, 1, 1)
        dx, dy = self._place - people.middle(self._skeleton)
        grow = 0.1 * self._height
        return Box(box.left + dx - grow, box.top + dy - grow,
                   box.right + dx + grow, box.bottom + dy + grow)  # fmt: skip

    def believes(self, found: Skeleton) -> bool:
        return self._cost(found) < 1

    def best(self, found: Sequence[Skeleton]) -> Skeleton | None:
        """The likeliest, or None."""
        costs = [self._cost(person) for person in found]
        if not costs or min(costs) >= 1:
            return None
        return found[int(np.argmin(costs))]

    def _cost(self, found: Skeleton) -> float:
        """Below 1 for somebody who can be the person: strains of place, size and clothes."""
        tall = height_of(found)
        if tall == 0:  # a fragment that nothing tells the size of
            return float("inf")
        alike = people.likeness(people.appearance(self._small, found), self._clothes)
        if self._away > LOST and len(self._clothes):
            # They may have turned up anywhere, but in the same clothes.
            return (1 - alike) / (1 - CLEARLY_ALIKE)
        dressed = (1 - alike) / (1 - ALIKE)
        resized = max(
            abs(np.log(people.size_ratio(found, self._skeleton))),
            abs(np.log(tall / self._height)),
        ) / np.log(SIZE_CHANGE)
        if self._away > LOST:  # a close-up shows no clothes to know them by
            return float(resized / (1 + self._away))
        moved_by = float(np.linalg.norm(people.middle(found) - self._place)) / self._height
        reach = SLACK + FASTEST * self._seconds + WANDER * self._away
        return float(
            np.sqrt(dressed**2 + (resized / (1 + self._away)) ** 2 + (moved_by / reach) ** 2)
        )
