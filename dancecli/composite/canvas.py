"""Which part of the output frame a generated layer covers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dancecli.composite.placing import BESIDE, UNDER_FEET, standing_height
from dancecli.motion.body import OVER_HEAD
from dancecli.types import Canvas, Skeleton

HEADROOM = 1.2
"""Height of a generator's box, in standing heights (method: "Cropping")."""

UNEVEN = 1.35
"""Up to this ratio of the largest box a clip needs to the usual one, one scale serves all frames;
beyond it the box breathes slowly, so that one wide pose does not cost all frames their detail."""

STEADY = 6.0
"""Standard deviation of the smoothing of the box over time, frames."""

LOOSE = 0.15
"""What hair and loose clothes may take beyond the keypoints, share of standing height."""

LEAST = 16
"""Smallest side of a native canvas, pixels."""

FINE = 1.25
"""Pixels of a scalable backend's canvas per pixel of the output that it may keep."""

STEPS = 16
"""Sizes that a canvas's shape must come in to fit any box closely."""

Edges = NDArray[np.float64]
"""(T, 4): left, top, right, bottom."""


def canvas_for(
    skeletons: Sequence[Skeleton],
    backend_canvas: tuple[int, int] | None,
    out_size: tuple[int, int],
    scalable: bool = False,
) -> list[Canvas]:
    """One canvas per frame, all of one size where the backend has one.

    skeletons: in output pixels. backend_canvas: `Backend.canvas`, (height, width), or None for a
    backend that paints the output's own pixels: then the canvas is the skeleton's box grown for
    hair and clothes, clipped to the frame of out_size (width, height), at whole pixels and scale 1.
    scalable: the backend paints smaller canvases of its shape as well; so it does where they have
    the output's own pixels or the output has fewer to show. What of the body lies outside of the
    frame takes no part of a canvas: somebody whom the photo shows to the thighs is painted as
    finely as a whole person.
    """
    tall = standing_height(skeletons)
    if backend_canvas is None:
        boxes = _edges(skeletons, LOOSE * tall, LOOSE * tall, LOOSE * tall, out_size)
        return [_native(box, out_size) for box in boxes]
    boxes = _edges(skeletons, BESIDE * tall, OVER_HEAD * tall, UNDER_FEET * tall, out_size)
    canvases = _steady(boxes, _usual(tall, out_size), backend_canvas)
    return _fitted(canvases) if scalable else canvases


def fitting(shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """The smallest (height, width) of that shape, and no larger, for an output of that scale."""
    parts = math.gcd(*shape)
    kept = min(parts, math.ceil(FINE * scale * parts))
    return shape[0] // parts * kept, shape[1] // parts * kept


def _fitted(canvases: list[Canvas]) -> list[Canvas]:
    """About the same places with no more pixels than the output's finest needs.

    Where one scale serves all and the backend paints as many, they are the output's own pixels, a
    few more on each side: what is not resampled stays sharp.
    """
    full, least = canvases[0], min(c.scale for c in canvases)
    shape, scale = (full.height, full.width), max(c.scale for c in canvases)
    part = math.gcd(*shape)
    kept = max(math.ceil((scale * side + 2) / (side // part)) for side in shape)
    if least == scale and part >= STEPS and kept <= part:
        return [_whole(c, shape[0] // part * kept, shape[1] // part * kept) for c in canvases]
    height, width = fitting(shape, scale)
    return [Canvas(width, height, c.scale * c.height / height, c.x, c.y) for c in canvases]


def _whole(canvas: Canvas, height: int, width: int) -> Canvas:
    """The output's pixels about a canvas that is at least two smaller than that."""
    x = canvas.x + (canvas.scale * canvas.width - width) / 2
    y = canvas.y + (canvas.scale * canvas.height - height) / 2
    return Canvas(width, height, 1.0, float(math.floor(x)), float(math.floor(y)))


def _usual(tall: float, out_size: tuple[int, int]) -> float:
    """Height of a canvas of somebody so tall who stands upright, output pixels."""
    return min(HEADROOM * tall, float(out_size[1]))


def _edges(
    skeletons: Sequence[Skeleton], side: float, above: float, below: float,
    out_size: tuple[int, int],
) -> Edges:  # fmt: skip
    """Boxes of the seen points, grown, as far as they lie in the frame.

    Frames without a point take the nearest frame's.
    """
    found = [skeleton.box() for skeleton in skeletons]
    known = np.array([index for index, box in enumerate(found) if box is not None])
    nearest = [int(known[np.abs(known - index).argmin()]) for index in range(len(found))]
    rows = [
        (box.left - side, box.top - above, box.right + side, box.bottom + below)
        for box in (found[index] for index in nearest)
        if box is not None
    ]
    edges, (width, height) = np.array(rows), out_size
    least = min(LEAST, *out_size)
    edges[:, :2] = np.clip(edges[:, :2], 0, (width - least, height - least))
    edges[:, 2:] = np.clip(edges[:, 2:], edges[:, :2] + least, (width, height))
    return edges


def _native(box: NDArray[np.float64], out_size: tuple[int, int]) -> Canvas:
    left, right = _span(box[0], box[2], out_size[0])
    top, bottom = _span(box[1], box[3], out_size[1])
    return Canvas(right - left, bottom - top, 1.0, float(left), float(top))


def _span(low: float, high: float, limit: int) -> tuple[int, int]:
    """Whole pixels inside the frame that cover low..high, at least `LEAST` of them."""
    least = min(LEAST, limit)
    start = int(np.clip(np.floor(low), 0, limit - least))
    return start, int(np.clip(np.ceil(high), start + least, limit))


def _steady(boxes: Edges, tall: float, shape: tuple[int, int]) -> list[Canvas]:
    """Boxes of one aspect that hold every pose and do not jitter; tall: of the `_usual` one."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d

    height, width = shape
    reach = np.stack([boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]], 1)
    need = (reach / (width, height)).max(1)
    # In a close-up arms fill the frame's width more often than not.
    usual = max(tall / height, float(np.median(need)))
    need = np.maximum(usual, need)
    if need.max() <= UNEVEN * usual:
        scale = np.full(len(boxes), need.max())
    else:
        # The widest of the frames around, then smoothed by less than that: never below the need.
        scale = maximum_filter1d(need, 1 + 2 * int(3 * STEADY), mode="nearest")
        scale = gaussian_filter1d(scale, STEADY, truncate=3.0, mode="nearest")
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    smooth = gaussian_filter1d(middle, STEADY, axis=0, mode="nearest")
    slack = np.maximum((scale[:, None] * (width, height) - reach) / 2, 0)
    centre = np.clip(smooth, middle - slack, middle + slack)
    corner = centre - scale[:, None] * np.array([width, height]) / 2
    return [
        Canvas(width, height, float(s), float(x), float(y))
        for s, (x, y) in zip(scale, corner, strict=True)
    ]


class LiveCanvas:
    """`canvas_for` one frame after the other: grows at once where a pose needs it, else slowly."""

    def __init__(
        self,
        tall: float,
        backend_canvas: tuple[int, int] | None,
        out_size: tuple[int, int],
        scalable: bool = False,
    ) -> None:
        """tall: standing height in output pixels."""
        if backend_canvas and scalable:
            whole = max(out_size[1] / backend_canvas[0], out_size[0] / backend_canvas[1])
            widest = min(UNEVEN * HEADROOM * tall / backend_canvas[0], whole)
            backend_canvas = fitting(backend_canvas, widest)
        self.tall, self.shape, self.out_size = tall, backend_canvas, out_size
        self._last: Canvas | None = None

    def step(self, skeleton: Skeleton) -> Canvas:
        """The canvas of the next frame. skeleton: in output pixels, with points that are seen."""
        if self.shape is None:
            loose = LOOSE * self.tall
            return _native(_edges([skeleton], loose, loose, loose, self.out_size)[0], self.out_size)
        tall = self.tall
        around = BESIDE * tall, OVER_HEAD * tall, UNDER_FEET * tall
        box = _edges([skeleton], *around, self.out_size)
        (wanted,) = _steady(box, _usual(tall, self.out_size), self.shape)
        self._last = wanted if self._last is None else _drawn(self._last, wanted, box[0])
        return self._last


def _drawn(last: Canvas, wanted: Canvas, box: NDArray[np.float64]) -> Canvas:
    """A step from the last canvas to the wanted one that still holds the box."""
    size = np.array([wanted.width, wanted.height])
    share = 1 / STEADY
    scale = max(wanted.scale, last.scale + share * (wanted.scale - last.scale))
    before = np.array([last.x, last.y]) + size * last.scale / 2
    middle = (box[:2] + box[2:]) / 2
    slack = np.maximum((scale * size - (box[2:] - box[:2])) / 2, 0)
    centre = np.clip(before + share * (middle - before), middle - slack, middle + slack)
    x, y = centre - scale * size / 2
    return Canvas(wanted.width, wanted.height, float(scale), float(x), float(y))
