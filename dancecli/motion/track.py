"""A clip's observations made into a gapless, smooth track of one person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import NoPersonError, UsageError
from dancecli.motion import flow, outliers, phantoms
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

ROUNDED = 3.0
"""Pixels that sides of the same pictures may differ by from being in proportion: even sizes."""

METRES = 1.7
"""Height that scales `world` for the filter."""

FOLLOWED = 0.3
"""Share of the smoothing that is left for points which were held to the picture's flow."""

KEYPOINTS_AT_ONCE = 46
"""Keypoints that are mended at a time: a third, since every step of it takes a copy of them."""


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


def scaled(track: Track, size: tuple[int, int]) -> Track | None:
    """The track of the same pictures at another size; None where that has another shape."""
    across, down = (new / old for new, old in zip(size, track.size, strict=True))
    if abs(across / down - 1) > ROUNDED / min(*size, *track.size):
        return None
    if track.size == size:
        return track
    camera = track.camera.copy()
    camera[..., 2] *= across
    skeletons = tuple(skeleton.moved(across, 0, 0) for skeleton in track.skeletons)
    return replace(track, skeletons=skeletons, camera=camera, size=size)


def split(frames: int, cuts: Sequence[int]) -> Iterator[slice]:
    """The frames of each scene, given the first frames of all but the first."""
    edges = [0, *cuts, frames]
    return (slice(a, b) for a, b in pairwise(edges))


def build_track(
    observations: Sequence[Observation],
    fps: Fraction,
    size: tuple[int, int],
    smooth: float = 1.0,
    given: bool = False,
) -> Track:
    """The observations of a whole clip as a track.

    given: they are somebody's own, and no point is taken for one that the extractor made up.

    Missing frames between seen ones are interpolated, others held; points hidden for less than
    `SHORT_GAP` are interpolated with confidence `FILLED`, longer ones keep confidence 0; spikes
    and exchanged limbs are mended; points are held to the picture's flow where observations have it
    (`flow.held`), and all is smoothed (`one_euro`, strength `smooth`; 0 leaves every seen point as
    it was) in the coordinates of the scene, each scene by itself.

    Raises NoPersonError if no frame shows anybody, UsageError for a negative or infinite `smooth`.
    """
    if not (np.isfinite(smooth) and smooth >= 0):
        raise UsageError(f"--smooth {smooth} is impossible: give 0 (off) or a positive number")
    cuts = tuple(i for i, o in enumerate(observations) if o.cut and i > 0)
    camera = to_scene([o.camera for o in observations], cuts)
    clip = _Keypoints.of(observations)
    if not given:
        phantoms.forget_phantoms(clip.keypoints, clip.world)
    seen = (clip.confidence >= SEEN).any(1)
    if not seen.any():
        raise NoPersonError(
            f"nobody was found in any of the {len(observations)} frames looked at: "
            "use a video that shows a whole person, or another --start"
        )
    del observations  # a third of a gigabyte an hour, where nobody else holds them
    state = np.full(len(seen), State.HELD, np.uint8)
    for scene in split(len(seen), cuts):
        camera[scene] = _settled(camera[scene], size)
        if seen[scene].any():
            part = clip.part(scene)
            state[scene] = _mend(part, seen[scene], camera[scene], float(fps), smooth)
    clip.hold()
    return Track(clip.skeletons(), state, cuts, camera, size, fps)


def _settled(camera: Affine, size: tuple[int, int]) -> Affine:
    """Exact identities where the whole scene's camera path stays below what registration errs."""
    width, height = size
    corners = np.array([[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]])
    away = np.abs(apply(camera, np.repeat(corners[None], len(camera), 0)) - corners)
    if away.max() > STANDING * max(size):
        return camera
    return np.repeat(identity()[None], len(camera), 0)


@dataclass(eq=False)
class _Keypoints:
    """Arrays of a clip, float32: keypoints (T, 137, 3), world (T, 25, 3) with NaN.

    drift: float16 (T, 137, 3), as in `Observation`, doubt infinite where there was none; None for
    a clip without any.
    """

    keypoints: FloatArray
    world: FloatArray
    drift: NDArray[np.float16] | None = None

    @property
    def confidence(self) -> FloatArray:
        """(T, 137); a view."""
        return self.keypoints[..., 2]

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> _Keypoints:
        frames = len(observations)
        out = cls(
            np.zeros((frames, 137, 3), np.float32), np.full((frames, 25, 3), np.nan, np.float32)
        )
        for t, seen in enumerate(observations):
            if seen.skeleton is not None:
                out.keypoints[t] = seen.skeleton.points()
                if seen.skeleton.world is not None:
                    out.world[t] = seen.skeleton.world
        if any(seen.drift is not None for seen in observations):
            out.drift = np.zeros((frames, 137, 3), np.float16)
            for t, seen in enumerate(observations):
                out.drift[t] = (0, 0, np.inf) if seen.drift is None else seen.drift
        return out

    def part(self, frames: slice) -> _Keypoints:
        """Views of some frames."""
        drift = None if self.drift is None else self.drift[frames]
        return _Keypoints(self.keypoints[frames], self.world[frames], drift)

    def hold(self) -> None:
        """Scenes that show nobody get the nearest filled frame, earlier ones first."""
        filled = (self.confidence > 0).any(1)
        times = np.flatnonzero(filled)
        for t in np.flatnonzero(~filled):
            source = times[max(int(np.searchsorted(times, t)) - 1, 0)]
            for array in (self.keypoints, self.world):
                array[t] = array[source]

    def skeletons(self) -> tuple[Skeleton, ...]:
        """The frames; views of the arrays."""
        return tuple(skeleton_of(p, w) for p, w in zip(self.keypoints, self.world, strict=True))


def skeleton_of(points: FloatArray, world: FloatArray | None) -> Skeleton:
    """A skeleton of stacked points (137, 3) and world joints (25, 3), None if all are NaN."""
    known = world is not None and bool(np.isfinite(world).any())
    return Skeleton(
        points[:25], points[25:46], points[46:67], points[67:], world if known else None
    )


def _mend(
    clip: _Keypoints, seen: NDArray[np.bool_], camera: Affine, fps: float, smooth: float
) -> NDArray[np.uint8]:
    """Fill, correct and smooth one scene in place; returns the frames' states."""
    body = clip.keypoints[:, :25]
    seen = seen & ~outliers.overturned(body[..., :2], _known(body, seen), fps)
    heights = [height_of(skeleton_of(clip.keypoints[t], None)) for t in np.flatnonzero(seen)]
    height = float(np.median([h for h in heights if h > 0] or [1.0]))
    _exchange_back(clip, seen, camera, height, fps)
    back = np.stack([inverse(c) for c in camera])
    for start in range(0, clip.keypoints.shape[1], KEYPOINTS_AT_ONCE):
        some = slice(start, start + KEYPOINTS_AT_ONCE)
        part = clip.keypoints[:, some]
        ways = None if clip.drift is None else _ways(part, clip.drift[:, some], camera, height)
        points = apply(camera, part[..., :2]) / height
        points, changed = _mended(part, seen, points, ways, fps, smooth)
        part[..., :2] = np.where(changed, apply(back, points * height), part[..., :2])
    _mend_world(clip, seen, fps, smooth)
    times, at = np.flatnonzero(seen), np.arange(len(seen))
    inside = (at > times[0]) & (at < times[-1])
    state = np.where(seen, State.SEEN, np.where(inside, State.INTERPOLATED, State.HELD))
    return state.astype(np.uint8)


def _ways(
    part: FloatArray, drift: NDArray[np.float16], camera: Affine, height: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How the picture moved at keypoints (T, K, 3) from frame to frame, (T - 1, K, 2), in body
    heights of the scene, and doubt of it, (T - 1, K)."""
    before, moved = part[:-1, :, :2], drift[1:].astype(np.float64)
    ends = apply(camera[1:], before + moved[..., :2])
    return (ends - apply(camera[:-1], before)) / height, moved[..., 2] / height


def _exchange_back(
    clip: _Keypoints, seen: NDArray[np.bool_], camera: Affine, height: float, fps: float
) -> None:
    """Undoes exchanges of left and right limbs, in place."""
    body = clip.keypoints[:, :25]
    points = apply(camera, body[..., :2]) / height
    for start, end, group in outliers.exchanged(points, _known(body, seen), fps):
        for array in (clip.keypoints, clip.world):
            outliers.exchange(array, start, end, group)
        if clip.drift is not None:  # of the points of the frame before
            outliers.exchange(clip.drift, start + 1, end + 1, group)


def _known(part: FloatArray, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(T, K): the keypoints (T, K, 3) to be believed."""
    return np.asarray((part[..., 2] >= SEEN) & seen[:, None])


def _mended(
    part: FloatArray,
    seen: NDArray[np.bool_],
    points: NDArray[np.float64],
    ways: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    fps: float,
    smooth: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Points (T, K, 2) of the scene, body heights, without spikes and gaps, smoothed; and which
    of them (T, K, 1) differ from what was seen. The confidence of `part` (T, K, 3) follows.

    ways: of `_ways`, None where nothing is known of the picture's motion.
    """
    confidence, known = part[..., 2], _known(part, seen)
    spiked = outliers.spikes(points, known, fps)
    confidence[spiked] = 0.0
    known &= ~spiked
    strength: float | NDArray[np.float64] = smooth
    if ways and smooth > 0:
        points, tied = flow.held(points, known, *ways, smooth)
        strength = np.where(tied, FOLLOWED, 1.0) * smooth
    _fill_frames(confidence, points, known, seen)
    points = _fill_points(confidence, points, known | ~seen[:, None], fps)
    valid = confidence > 0
    changed = valid if smooth > 0 else valid & ~known
    return one_euro(points, valid, fps, strength), changed[..., None]


def _fill_frames(
    confidence: FloatArray,
    points: NDArray[np.float64],
    known: NDArray[np.bool_],
    seen: NDArray[np.bool_],
) -> None:
    """Frames without the person, in place: interpolated between seen ones, held at the ends."""
    gone = ~seen
    ends = _least_of_ends(np.where(known, confidence, np.float32(0)), seen)
    for k in range(points.shape[1]):
        there = known[:, k]
        if there.any():
            points[gone, k] = interpolate(points[:, k], there)[gone]
    confidence[gone] = np.where(ends[gone] > 0, np.minimum(ends[gone], FILLED), 0.0)


def _least_of_ends(confidence: FloatArray, seen: NDArray[np.bool_]) -> FloatArray:
    """(T, K): the smaller confidence of the seen frames before and after each frame."""
    times, at = np.flatnonzero(seen), np.arange(len(seen))
    after = times[np.clip(np.searchsorted(times, at), 0, len(times) - 1)]
    before = times[np.clip(np.searchsorted(times, at, "right") - 1, 0, len(times) - 1)]
    return np.asarray(np.minimum(confidence[before], confidence[after]))


def _fill_points(
    confidence: FloatArray, points: NDArray[np.float64], known: NDArray[np.bool_], fps: float
) -> NDArray[np.float64]:
    """The points with short gaps of single ones filled; their confidence in place."""
    line, filled = fill_short(points, known & (confidence > 0), _longest(fps))
    confidence[filled] = FILLED
    confidence[(confidence < SEEN) & ~filled] = 0.0
    return line


def _mend_world(clip: _Keypoints, seen: NDArray[np.bool_], fps: float, smooth: float) -> None:
    """Fills and smooths `world`, in place."""
    world = interpolate(clip.world.astype(np.float64), seen)
    finite = np.isfinite(world).all(-1)
    line, added = fill_short(np.where(finite[..., None], world, 0.0), finite, _longest(fps))
    known = finite | added
    line = np.where(known[..., None], line, np.nan)
    clip.world[:] = one_euro(line / METRES, known, fps, smooth) * METRES


def _longest(fps: float) -> int:
    """Frames of the longest gap of a single point that is filled."""
    return max(1, round(SHORT_GAP * fps))
