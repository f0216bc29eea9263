"""The dancer's motion on the target's body, frame by frame, as a camera gives them.

What a clip's passes take from all frames comes here from the past alone: proportions from the
first second, smoothing forwards only (`OneEuro`), everything else from the last second. The camera
is taken to stand still.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.motion import ground, placing, proportions
from dancecli.motion.body import height_of
from dancecli.motion.clip import HIP, NECK, Clip, heads
from dancecli.motion.phantoms import forget_phantoms
from dancecli.motion.proportions import Proportions
from dancecli.motion.retargeting import danced_by
from dancecli.motion.smoothing import OneEuro
from dancecli.motion.track import FILLED, METRES, SHORT_GAP
from dancecli.types import SEEN, Box, Skeleton

Values = NDArray[np.floating[Any]]

MEMORY = 1.0
"""Seconds of the past that count; those of the first frames tell the dancer's proportions."""

FEWEST, MOST = 10, 60
"""Frames that are remembered, however slow or fast they come."""

SETTLE = 0.5
"""Seconds in which a change of the dancer's size is followed."""

DOWN, UP = 1.0, 0.2
"""Body heights per second by which a head is brought into view, and let go again."""

USUAL_RATE = 25.0
"""Frames per second, where times say nothing."""


@dataclass(frozen=True, eq=False)
class _Moment:
    """One frame: time in seconds, points (137, 2), confidence (137,), world (25, 3), scale."""

    time: float
    points: Values
    confidence: Values
    world: Values
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class _Start:
    """What the first second told: where the dance begins on the driver's ground, and how tall."""

    driver: Proportions
    metre: float
    foot: tuple[float, float]
    ground: float
    height: float


class LiveMotion:
    """Sequential: one `step` per frame, in the order of their times."""

    def __init__(
        self, target: Skeleton, target_size: tuple[int, int], *,
        retarget: bool = True, smooth: float = 1.0, view: Box | None = None,
    ) -> None:  # fmt: skip
        """target, target_size, retarget, view: as `retarget` takes them. smooth: 0 is off."""
        self.target, self.retarget = target, retarget
        self.body = proportions.of_target(target)
        self.place = placing.place_of(target, view or Box(0, 0, *target_size), self.body)
        self._points, self._world = OneEuro(smooth), OneEuro(smooth)
        self._past: deque[_Moment] = deque(maxlen=MOST)
        self._sight = np.full(137, -np.inf)
        self._unit = self._down = 0.0
        self._start: _Start | None = None
        self._settled = False
        self._out: Skeleton | None = None

    def step(self, seen: Skeleton | None, time: float) -> Skeleton | None:
        """The target's skeleton in photo pixels; the last one where nobody is seen.

        seen: the dancer, camera pixels. time: seconds, ascending. None before anybody was seen.
        """
        height = 0.0 if seen is None else height_of(seen)
        if seen is None or not (self._unit or height):
            return self._out
        self._unit = self._unit or height
        self._remember(self._smoothed(seen, time))
        self._out = self._danced()
        return self._out

    def _smoothed(self, seen: Skeleton, time: float) -> _Moment:
        """Points that were seen a moment ago stay where they were, with confidence `FILLED`."""
        stacked, world = seen.points(), np.full((25, 3), np.nan, np.float32)
        if seen.world is not None:
            world[:] = seen.world
        forget_phantoms(stacked[None], world[None])
        points, confidence = stacked[:, :2].astype(np.float64) / self._unit, stacked[:, 2]
        last = self._past[-1] if self._past else None
        rate = 1 / (time - last.time) if last and time > last.time else USUAL_RATE
        valid = confidence >= SEEN
        points = self._points.step(points, valid, rate) * self._unit
        deep = world.astype(np.float64) / METRES
        deep = self._world.step(deep, np.isfinite(deep).all(-1), rate) * METRES
        self._sight[valid] = time
        confidence = np.where(valid, confidence, 0.0)
        if last:
            held = ~valid & (time - self._sight < SHORT_GAP) & (last.confidence > 0)
            points = np.where(held[:, None], last.points, points)
            confidence[held] = FILLED
        return _Moment(time, points, confidence, deep)

    def _remember(self, now: _Moment) -> None:
        count = len(self._past)
        if count == MOST or (count >= FEWEST and now.time - self._past[0].time >= MEMORY):
            self._settled = True
        if self._settled and self._start:
            now = replace(now, scale=self._scale(now, self._start))
        self._past.append(now)
        while len(self._past) > FEWEST and now.time - self._past[0].time > MEMORY:
            self._past.popleft()

    def _scale(self, now: _Moment, start: _Start) -> float:
        """The dancer's size now, 1 in the first second: small changes are noise, others slow."""
        metre = proportions.pixels_per_metre(
            now.points[None], now.confidence[None], now.world[None]
        )
        last = self._past[-1]
        if not np.isfinite(metre[0] / start.metre) or metre[0] <= 0:
            return last.scale
        away = float(np.log(metre[0] / start.metre))
        away = float(np.sign(away)) * max(abs(away) - proportions.STEADY, 0.0)
        share = 1 - np.exp(-max(now.time - last.time, 0.0) / SETTLE)
        return float(np.exp((1 - share) * np.log(last.scale) + share * away))

    def _clip(self) -> Clip:
        past = list(self._past)
        seconds = past[-1].time - past[0].time
        fps = (len(past) - 1) / seconds if seconds > 0 else USUAL_RATE
        return Clip(
            np.stack([m.points for m in past], dtype=np.float32),
            np.stack([m.confidence for m in past], dtype=np.float32),
            np.stack([m.world for m in past], dtype=np.float32),
            np.array([m.scale for m in past]), fps,
        )  # fmt: skip

    def _danced(self) -> Skeleton:
        clip = self._clip()
        driver = self._start.driver if self._settled and self._start else _driver(clip)
        danced, own, contact = danced_by(clip, driver, self.target, self.body, self.retarget)
        height = driver.height * own.scale
        points, path = ground.grounded(danced.points, own.points, height, contact, clip.fps)
        danced = danced.at(points)
        if not (self._settled and self._start):
            self._start = _begun(clip, danced, driver, path, height)
        return self._placed(danced, float(path[-1]), float(height[-1]), self._start)

    def _placed(self, danced: Clip, level: float, height: float, start: _Start) -> Skeleton:
        last = danced.part(slice(-1, None))
        both = np.repeat(last.points, 2, 0)
        levels, heights = np.array([start.ground, level]), np.array([start.height, height])
        points = placing.put(both, self.place, start.foot, levels, heights)[1:]
        tall = heights[1:] * self.place.height / start.height
        points[..., 1] += self._lowered(last.at(points), tall)
        trunk = points[:, [HIP, NECK]].mean(1)
        points[..., 0] += placing.kept_in_view(trunk[:, None], trunk, self.place.view)[:, None]
        head = placing.around_head(heads(last.at(points)), tall)
        points[..., 0] += placing.kept_in_view(head, trunk, self.place.view)[:, None]
        return last.at(points).skeletons()[0]

    def _lowered(self, now: Clip, tall: Values) -> float:
        """To add to y: whose feet are not shown comes down until the head is in view, at first at
        once, then slowly, and more slowly up again; the neck stays in view in any case."""
        if self.place.grounded:
            return 0.0
        wanted = placing.head_in_view(heads(now), tall, self.place.view)
        times = [moment.time for moment in self._past][-2:]
        step = float(tall[0]) * (times[-1] - times[0]) if len(times) == 2 else np.inf
        self._down += float(np.clip(wanted - self._down, -UP * step, DOWN * step))
        most = self.place.view.bottom - float(now.points[0, NECK, 1])
        return min(self._down, max(most, 0.0))


def _driver(clip: Clip) -> Proportions:
    return proportions.of_driver(clip.points, clip.confidence, clip.scale, clip.world)


def _begun(
    clip: Clip, danced: Clip, driver: Proportions, path: Values, height: Values
) -> _Start:  # fmt: skip
    """Where the first of the remembered frames stands."""
    foot = ground.start_of(danced.points, path, height)
    metres = proportions.pixels_per_metre(clip.points[:, :25], clip.confidence, clip.world)
    known = metres[np.isfinite(metres)]
    metre = float(np.median(known)) if len(known) else float("nan")
    return _Start(driver, metre, foot, float(path[0]), float(height[0]))
