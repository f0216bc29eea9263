"""A clip's observations made into a gapless, smooth track of one person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import NoPersonError, UsageError
from dancecli.motion import outliers
from dancecli.motion.body import height_of
from dancecli.motion.camera import Affine, apply, identity, inverse, to_scene
from dancecli.motion.gaps import fill_short, interpolate
from dancecli.motion.observation import Observation
from dancecli.motion.smoothing import one_euro
from dancecli.types import SEEN, FloatArray, Skeleton, UInt8Array

SHORT_GAP = 0.5
"""Seconds that a single point may be hidden and still be interpolated."""

FILLED = 0.3
"""Confidence of a point or frame that was filled in: drawn, and known to be doubtful."""

STANDING = 0.02
"""Share of the picture's longer side: a scene whose camera never moved farther stood still."""

METRES = 1.7
"""Height that scales `world` for the filter."""


class State(IntEnum):
    """Where a frame's skeleton comes from."""

    SEEN = 0
    INTERPOLATED = 1
    HELD = 2


@dataclass(frozen=True, eq=False)
class Track:
    """One person, every frame.

    skeletons: frame pixels. state: uint8 (T,), values of `State`. cuts: frames, other than the
    first, at which a scene begins. camera: float64 (T, 2, 3), frame pixels to those of the first
    frame of the scene. size: (width, height) of the frames.
    """

    skeletons: tuple[Skeleton, ...]
    state: UInt8Array
    cuts: tuple[int, ...]
    camera: Affine
    size: tuple[int, int]
    fps: Fraction

    def __len__(self) -> int:
        return len(self.skeletons)

    def scenes(self) -> Iterator[slice]:
        """The frames of each scene."""
        return split(len(self), self.cuts)

    def summary(self) -> dict[str, int]:
        """Counts: frames, seen, interpolated, held, cuts."""
        counts = {state.name.lower(): int((self.state == state).sum()) for state in State}
        return {"frames": len(self), **counts, "cuts": len(self.cuts)}


def split(frames: int, cuts: Sequence[int]) -> Iterator[slice]:
    """The frames of each scene, given the first frames of all but the first."""
    edges = [0, *cuts, frames]
    return (slice(a, b) for a, b in pairwise(edges))


def build_track(
    observations: Sequence[Observation],
    fps: Fraction,
    size: tuple[int, int],
    smooth: float = 1.0,
) -> Track:
    """The observations of a whole clip as a track.

    Missing frames between seen ones are interpolated, others held; points hidden for less than
    `SHORT_GAP` are interpolated with confidence `FILLED`, longer ones keep confidence 0; spikes
    and exchanged limbs are mended; all is smoothed (`one_euro`, strength `smooth`; 0 leaves every
    seen point as it was) in the coordinates of the scene, each scene by itself.

    Raises NoPersonError if no frame shows anybody, UsageError for a negative or infinite `smooth`.
    """
    if not (np.isfinite(smooth) and smooth >= 0):
        raise UsageError(f"--smooth {smooth} is impossible: give 0 (off) or a positive number")
    seen = np.array([_shows_anybody(o.skeleton) for o in observations], bool)
    if not seen.any():
        raise NoPersonError(
            f"nobody was found in any of the {len(observations)} frames looked at: "
            "use a video that shows a whole person, or another --start"
        )
    cuts = tuple(i for i, o in enumerate(observations) if o.cut and i > 0)
    camera = to_scene([o.camera for o in observations], cuts)
    clip = _Clip.of(observations)
    state = np.full(len(seen), State.HELD, np.uint8)
    for scene in split(len(seen), cuts):
        camera[scene] = _settled(camera[scene], size)
        if seen[scene].any():
            part = clip.part(scene)
            state[scene] = _mend(part, seen[scene], camera[scene], float(fps), smooth)
    clip.hold()
    return Track(clip.skeletons(), state, cuts, camera, size, fps)


def _shows_anybody(skeleton: Skeleton | None) -> bool:
    return skeleton is not None and bool((skeleton.points()[:, 2] >= SEEN).any())


def _settled(camera: Affine, size: tuple[int, int]) -> Affine:
    """Exact identities where the whole scene's camera path stays below what registration errs."""
    width, height = size
    corners = np.array([[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]])
    away = np.abs(apply(camera, np.repeat(corners[None], len(camera), 0)) - corners)
    if away.max() > STANDING * max(size):
        return camera
    return np.repeat(identity()[None], len(camera), 0)


@dataclass(eq=False)
class _Clip:
    """Arrays of a clip: points (T, 137, 2), confidence (T, 137), world (T, 25, 3) with NaN."""

    points: NDArray[np.float64]
    confidence: NDArray[np.float64]
    world: NDArray[np.float64]

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> _Clip:
        frames = len(observations)
        out = cls(
            np.zeros((frames, 137, 2)), np.zeros((frames, 137)), np.full((frames, 25, 3), np.nan)
        )
        for t, seen in enumerate(observations):
            if seen.skeleton is not None:
                points = seen.skeleton.points()
                out.points[t], out.confidence[t] = points[:, :2], points[:, 2]
                if seen.skeleton.world is not None:
                    out.world[t] = seen.skeleton.world
        return out

    def part(self, frames: slice) -> _Clip:
        """Views of some frames."""
        return _Clip(self.points[frames], self.confidence[frames], self.world[frames])

    def hold(self) -> None:
        """Scenes that show nobody get the nearest filled frame, earlier ones first."""
        filled = (self.confidence > 0).any(1)
        times = np.flatnonzero(filled)
        for t in np.flatnonzero(~filled):
            source = times[max(int(np.searchsorted(times, t)) - 1, 0)]
            for array in (self.points, self.confidence, self.world):
                array[t] = array[source]

    def skeletons(self) -> tuple[Skeleton, ...]:
        points = np.concatenate([self.points, self.confidence[..., None]], -1).astype(np.float32)
        return tuple(
            skeleton_of(p, w) for p, w in zip(points, self.world.astype(np.float32), strict=True)
        )


def skeleton_of(points: FloatArray, world: FloatArray | None) -> Skeleton:
    """A skeleton of stacked points (137, 3) and world joints (25, 3), None if all are NaN."""
    known = world is not None and bool(np.isfinite(world).any())
    return Skeleton(
        points[:25], points[25:46], points[46:67], points[67:], world if known else None
    )


def _mend(
    clip: _Clip, seen: NDArray[np.bool_], camera: Affine, fps: float, smooth: float
) -> NDArray[np.uint8]:
    """Fill, correct and smooth one scene in place; returns the frames' states."""
    heights = [height_of(skeleton_of(_stack(clip, t), None)) for t in np.flatnonzero(seen)]
    height = float(np.median(heights)) or 1.0
    points = apply(camera, clip.points) / height
    known = (clip.confidence >= SEEN) & seen[:, None]
    _exchange_back(clip, points, known, fps)
    spiked = outliers.spikes(points, known)
    clip.confidence[spiked] = 0.0
    known &= ~spiked
    state = _fill_frames(clip, points, known, seen)
    world = _fill_points(clip, points, known | (state > 0)[:, None], fps)
    valid = clip.confidence > 0
    points = one_euro(points, valid, fps, smooth)
    clip.world[:] = one_euro(world / METRES, np.isfinite(world).all(-1), fps, smooth) * METRES
    back = np.stack([inverse(c) for c in camera])
    changed = valid if smooth > 0 else valid & ~known
    clip.points[:] = np.where(changed[..., None], apply(back, points * height), clip.points)
    return state


def _stack(clip: _Clip, t: int) -> FloatArray:
    return np.column_stack([clip.points[t], clip.confidence[t]]).astype(np.float32)


def _exchange_back(
    clip: _Clip, points: NDArray[np.float64], known: NDArray[np.bool_], fps: float
) -> None:
    for start, end, group in outliers.exchanged(points, known, fps):
        for array in (points, known, clip.points, clip.confidence, clip.world):
            outliers.exchange(array, start, end, group)


def _fill_frames(
    clip: _Clip,
    points: NDArray[np.float64],
    known: NDArray[np.bool_],
    seen: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Frames without the person: interpolated between seen ones, held at the scene's ends."""
    times = np.flatnonzero(seen)
    at = np.arange(len(seen))
    inside = (at > times[0]) & (at < times[-1])
    state = np.where(seen, State.SEEN, np.where(inside, State.INTERPOLATED, State.HELD))
    gone = ~seen
    confidence = np.where(known, clip.confidence, 0.0)
    ends = _least_of_ends(confidence, seen)
    for k in range(points.shape[1]):
        there = known[:, k]
        if there.any():
            points[gone, k] = interpolate(points[:, k], there)[gone]
    clip.confidence[gone] = np.where(ends[gone] > 0, np.minimum(ends[gone], FILLED), 0.0)
    clip.world[gone] = interpolate(clip.world, seen)[gone]
    return state.astype(np.uint8)


def _least_of_ends(confidence: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(T, K): the smaller confidence of the seen frames before and after each frame."""
    times, at = np.flatnonzero(seen), np.arange(len(seen))
    after = times[np.clip(np.searchsorted(times, at), 0, len(times) - 1)]
    before = times[np.clip(np.searchsorted(times, at, "right") - 1, 0, len(times) - 1)]
    return np.asarray(np.minimum(confidence[before], confidence[after]))


def _fill_points(
    clip: _Clip, points: NDArray[np.float64], known: NDArray[np.bool_], fps: float
) -> NDArray[np.float64]:
    """Short gaps of single points, in place; returns `world` with its short gaps filled."""
    longest = max(1, round(SHORT_GAP * fps))
    line, filled = fill_short(points, known & (clip.confidence > 0), longest)
    points[:] = line
    clip.confidence[filled] = FILLED
    clip.confidence[(clip.confidence < SEEN) & ~filled] = 0.0
    finite = np.isfinite(clip.world).all(-1)
    world, added = fill_short(np.where(finite[..., None], clip.world, 0.0), finite, longest)
    return np.where((finite | added)[..., None], world, np.nan)
