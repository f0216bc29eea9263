"""Background motion between frames, as similarities, and scene cuts.

An affine is float64 (2, 3), [A | t], p' = A p + t, in pixels. `Observation.camera` maps the
previous frame's pixels to this frame's; `to_scene` turns a clip of them into maps from each
frame to the first frame of its scene.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dancecli.types import Box, Frame, UInt8Array

Affine = NDArray[np.float64]
"""(2, 3), from one picture's pixels to another's."""

AnyAffine = TypeVar("AnyAffine", NDArray[np.float32], NDArray[np.float64])
"""An affine in either precision."""

LONG_SIDE = 360
"""Longest side of the picture that is registered, pixels: 2 ms per frame, and finer changes
nothing in the paths that come out."""

FEATURES = 300
CELL, PER_CELL = 30, 3
"""Side of a cell, pixels of the small picture, and the features taken from each."""

MIN_INLIERS = 12
MIN_SHARE = 0.4
"""Share of the tracked features that must agree before a motion is believed."""

NOISE = 0.05
"""Pixels of the small picture per frame below which the camera stands."""

FAR = 0.08
"""Sides of the picture by which its corners have moved when another frame is looked back to."""

JUMP, ASTRAY = 4.0, 2.0
"""Pixels of the small picture from which on a motion since the last frame is looked at from there
as well, and by which the two may then differ."""

LONG = 0.25
"""Seconds between frames, as of a preview, in which more happens than between a video's."""

STILL, STILL_SHARE = 0.35, 0.3
"""Features that move less, pixels, are still; a fixed camera shows this share of them, however
much else moves."""


def identity() -> Affine:
    """The map that changes nothing."""
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def compose(outer: Affine, inner: Affine) -> Affine:
    """The map that applies `inner`, then `outer`."""
    turn = outer[:, :2] @ inner
    turn[:, 2] += outer[:, 2]
    return turn


def inverse(affine: Affine) -> Affine:
    """The map back."""
    turn = np.linalg.inv(affine[:, :2])
    return np.column_stack([turn, -turn @ affine[:, 2]])


def centred(affine: AnyAffine) -> AnyAffine:
    """The same map between indices of pixels, as OpenCV counts: centres lie at index + 0.5."""
    out = affine.copy()
    out[:, 2] += affine[:, :2] @ (0.5, 0.5) - 0.5
    return out


def apply(affine: Affine, points: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (..., 2) under an affine (2, 3), or under one affine (T, 2, 3) per leading index."""
    points = np.asarray(points, np.float64)
    if affine.ndim == 2:
        return np.asarray(points @ affine[:, :2].T + affine[:, 2])
    shift = affine[:, :, 2].reshape(-1, *[1] * (points.ndim - 2), 2)
    return np.asarray(np.einsum("tij,t...j->t...i", affine[:, :, :2], points) + shift)


def to_scene(cameras: Sequence[Affine], cuts: Sequence[int]) -> Affine:
    """Float64 (T, 2, 3): each frame's pixels to those of the first frame of its scene."""
    out, starts = [identity()], set(cuts)
    for index in range(1, len(cameras)):
        back = inverse(cameras[index])
        out.append(identity() if index in starts else compose(out[-1], back))
    return np.stack(out)


@dataclass(frozen=True, eq=False)
class Small:
    """A frame shrunk for registration: gray uint8 (h, w), rgb uint8 (h, w, 3)."""

    rgb: UInt8Array
    gray: UInt8Array
    scale: float
    """Small pixels per frame pixel."""


def shrink(frame: Frame) -> Small:
    """The frame at `LONG_SIDE`, area-averaged; smaller frames stay as they are."""
    import cv2

    scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
    size = (max(8, round(frame.width * scale)), max(8, round(frame.height * scale)))
    rgb = frame.rgb if scale == 1 else cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
    return Small(np.asarray(rgb), np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)), scale)


@dataclass(frozen=True, eq=False)
class Registration:
    """What the background did between two frames.

    affine: previous pixels to these; identity where nothing trustworthy was found.
    features: how many were followed from the previous frame. share: how many of them agree, 0-1.
    trusted: whether `affine` is what they say.
    """

    affine: Affine
    features: int
    share: float
    trusted: bool = True

    @property
    def held(self) -> bool:
        """Whether there was enough to follow and it held together."""
        return self.trusted and self.features >= 2 * MIN_INLIERS and self.share >= MIN_SHARE

    @property
    def failed(self) -> bool:
        """Whether there was enough to follow and it did not hold together."""
        return self.features >= 2 * MIN_INLIERS and self.share < MIN_SHARE


def register(before: Small, now: Small, person: Box | None) -> Registration:
    """Motion of the background; `person` is left out (previous frame, full-size pixels)."""
    start, end, features = _follow(before, now, person)
    if len(start) < MIN_INLIERS:
        return Registration(identity(), features, len(start) / max(features, 1), trusted=False)
    affine, agree = _fit(start, end)
    share = agree / features
    if agree < MIN_INLIERS or share < MIN_SHARE or not _sane(affine, now.gray.shape):
        return Registration(identity(), features, share, trusted=False)
    if _corner_motion(affine, now.gray.shape) < NOISE:
        affine = identity()
    affine[:, 2] /= now.scale
    return Registration(affine, features, share)


def _follow(
    before: Small, now: Small, person: Box | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Features seen in both frames (N, 2), (N, 2), and how many there were to begin with."""
    import cv2

    nothing = np.zeros((0, 2), np.float32)
    mask = np.full(before.gray.shape, 255, np.uint8)
    if person is not None:
        height, width = before.gray.shape
        shrunk = Box(*(s * before.scale for s in (person.left, person.top, person.right,
                                                  person.bottom)))  # fmt: skip
        left, top, right, bottom = shrunk.pixels(width, height)
        mask[top:bottom, left:right] = 0
    start = cv2.goodFeaturesToTrack(before.gray, FEATURES, 0.004, 6, mask=mask)
    if start is None:
        return nothing, nothing, 0
    start = _spread(start)
    end, there, _ = cv2.calcOpticalFlowPyrLK(before.gray, now.gray, start, None, winSize=(15, 15))
    back, home, _ = cv2.calcOpticalFlowPyrLK(now.gray, before.gray, end, None, winSize=(15, 15))
    near = np.abs(back - start).max((1, 2)) < 0.5
    keep = (there[:, 0] > 0) & (home[:, 0] > 0) & near
    return start[keep, 0], end[keep, 0], len(start)


def _spread(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The best features (N, 1, 2), best first, of each cell of the picture, so that a patterned
    shirt does not outvote the walls."""
    taken: Counter[tuple[int, int]] = Counter()
    keep = []
    for index, (x, y) in enumerate(features[:, 0]):
        cell = int(x) // CELL, int(y) // CELL
        taken[cell] += 1
        if taken[cell] <= PER_CELL:
            keep.append(index)
    return features[keep]


def _fit(start: NDArray[np.float32], end: NDArray[np.float32]) -> tuple[Affine, int]:
    """Similarity and number of inliers; translation alone where the inliers lie close together."""
    import cv2

    still = np.abs(end - start).max(1) < STILL
    if still.mean() > STILL_SHARE and np.abs(np.median((end - start)[still], 0)).max() < NOISE:
        return identity(), len(start)  # whatever moves is not the background
    cv2.setRNGSeed(0)
    affine, inliers = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=500, refineIters=10
    )
    if affine is None:
        return identity(), 0
    use = inliers[:, 0] > 0
    if start[use].std(0).max() < 0.1 * LONG_SIDE:
        affine = identity()
        affine[:, 2] = np.median(end[use] - start[use], 0)
    return np.asarray(affine, np.float64), int(use.sum())


def _sane(affine: Affine, shape: tuple[int, ...]) -> bool:
    scale = float(np.hypot(affine[0, 0], affine[1, 0]))
    turn = abs(float(np.arctan2(affine[1, 0], affine[0, 0])))
    return 0.8 < scale < 1.25 and turn < 0.25 and _corner_motion(affine, shape) < 0.4 * max(shape)


def _corner_motion(affine: Affine, shape: tuple[int, ...]) -> float:
    """Mean displacement of the picture's corners, pixels."""
    corners = np.array([[0, 0], [shape[1], 0], [0, shape[0]], [shape[1], shape[0]]], float)
    return float(np.linalg.norm(apply(affine, corners) - corners, axis=1).mean())


@dataclass(frozen=True, eq=False)
class Anchor:
    """A frame that later ones are registered with.

    From each frame to the next a slow pan is less than a pixel, of which the flow of features errs
    by a part, always to the same side; over many frames that adds up to a quarter of the way.
    box: of the person in it, left out. path: its pixels to those of the frame registered last.
    """

    small: Small
    box: Box | None = None
    path: Affine = field(default_factory=identity)

    def followed(
        self, before: Small, now: Small, box: Box | None, seconds: float
    ) -> tuple[Affine, bool, Anchor]:
        """The last frame's pixels to these, whether another scene begins, and the next anchor.

        before: the last frame, box: of the person in it; it alone has to do where the anchor is too
        far away or says another thing. seconds: between the two.
        """
        found = register(self.small, now, self.box)
        since = compose(found.affine, inverse(self.path))
        if found.held and _moves(since, now) < JUMP:
            return since, False, self._for(found.affine, now, box)
        step = found if self.small is before else register(before, now, box)
        if is_cut(before, now, step, seconds):
            return identity(), True, Anchor(now)
        apart = compose(since, inverse(step.affine))
        if found.held and _moves(apart, now) < ASTRAY:
            return since, False, self._for(found.affine, now, box)
        return step.affine, False, Anchor(now, box)

    def _for(self, path: Affine, now: Small, box: Box | None) -> Anchor:
        """The next frame's anchor: this one while it is near."""
        far = _moves(path, now) > FAR * LONG_SIDE
        return Anchor(now, box) if far else replace(self, path=path)


def _moves(affine: Affine, now: Small) -> float:
    """Mean displacement of the corners, pixels of the small picture."""
    small = affine.copy()
    small[:, 2] *= now.scale
    return _corner_motion(small, now.gray.shape)


def is_cut(before: Small, now: Small, registration: Registration, seconds: float = 0.0) -> bool:
    """Whether another scene begins: colours or layout changed and the background did not hold.

    seconds: between the frames. In more than `LONG` a camera may look elsewhere in one scene, so
    that colours must have changed too.
    """
    if before.gray.shape != now.gray.shape:
        return True
    if registration.held:
        return False
    colours, layout = _colour_change(before.rgb, now.rgb), _layout_change(before.gray, now.gray)
    if registration.failed:  # a change of light alone leaves the layout
        return (layout > 0.45 and seconds <= LONG) or (layout > 0.2 and colours > 0.3)
    return layout > 0.3 and colours > 0.4


def _colour_change(before: UInt8Array, now: UInt8Array) -> float:
    """Half the L1 distance of the colour histograms, 0 same to 1 disjoint."""

    def histogram(rgb: UInt8Array) -> NDArray[np.float64]:
        code = (rgb >> 5).astype(np.int64) @ np.array([64, 8, 1])
        return np.asarray(np.bincount(code.ravel(), minlength=512) / code.size)

    return float(np.abs(histogram(before) - histogram(now)).sum() / 2)


def _layout_change(before: UInt8Array, now: UInt8Array) -> float:
    """One minus the correlation of the two pictures at 32 x 32, 0 same to 2 opposite."""
    import cv2

    def layout(gray: UInt8Array) -> NDArray[np.float64]:
        small = np.asarray(cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA), float)
        small -= small.mean()
        return np.asarray(small / (np.linalg.norm(small) + 1e-6))

    return 1.0 - float((layout(before) * layout(now)).sum())
