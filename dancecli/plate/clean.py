"""A clean plate: a scene of the driving video without its people.

Frames are brought into the scene's coordinates by the camera's motion; each pixel is the median
over time of the frames that show background there. What no frame shows is inpainted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.camera import Affine, centred, compose
from dancecli.plate.holes import person_hole
from dancecli.stages import Inpainter
from dancecli.types import BoolArray, FloatArray, Frame, UInt8Array

SAMPLES = 32
"""Frames looked at per scene: bounds time and memory whatever the clip's length."""

LARGEST = 2048
"""Longest side of a mosaic, pixels; a camera that travels farther is kept at a smaller scale."""

STRIP = 64
"""Rows of the mosaic made at once."""

ENOUGH = 3
"""Frames that must show a pixel before people near it are believed to be gone."""

GAIN = 0.7, 1.4
"""Exposure changes between frames that are believed and undone."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A frame to make the plate from.

    people: alpha of everybody in it, (H, W), float 0-1 or uint8 0-255. camera: float64 (2, 3),
    frame pixels to those of the scene's first frame.
    """

    frame: Frame
    people: FloatArray | UInt8Array
    camera: Affine


@dataclass(frozen=True, eq=False)
class CleanPlate:
    """A scene without its people.

    rgb: uint8 (h, w, 3). to_plate: float64 (2, 3), pixels of the scene's first frame to those of
    rgb. still: the camera stood; rgb then is that frame, pixel for pixel.
    """

    rgb: UInt8Array
    to_plate: Affine
    still: bool


def sample_indices(first: int, stop: int, limit: int = SAMPLES) -> list[int]:
    """At most `limit` frame numbers spread evenly over first ... stop - 1, ends included."""
    count = min(limit, stop - first)
    return [int(k) for k in np.unique(np.round(np.linspace(first, stop - 1, count)))]


def build_clean_plate(samples: Iterable[Sample], inpainter: Inpainter) -> CleanPlate:
    """The clean plate of one scene, from at least one sample; all of one size."""
    views = [_View(sample) for sample in samples]
    shape = views[0].rgb.shape[:2]
    still = all(np.array_equal(view.camera, np.eye(2, 3)) for view in views)
    to_plate, size = _extent([view.camera for view in views], shape)
    _even_out(views, to_plate, size)
    rgb, known = _median(views, to_plate, size)
    hole = np.where(known, np.uint8(0), np.uint8(255))
    return CleanPlate(inpainter.inpaint(Frame(rgb), hole).rgb, to_plate, still)


def warped(picture: UInt8Array, affine: Affine, size: tuple[int, int]) -> UInt8Array:
    """A picture (H, W, ...) through an affine of continuous pixel coordinates; 0 outside of it.

    affine: (2, 3), from the picture's pixels to the result's. size: (width, height).
    """
    import cv2

    moved = cv2.warpAffine(picture, centred(affine), size, flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8)


class _View:
    """A sample reduced to what the median needs: its pixels, and where they show background."""

    def __init__(self, sample: Sample) -> None:
        self.rgb = sample.frame.rgb
        self.camera = np.asarray(sample.camera, np.float64)
        self.background: UInt8Array = np.bitwise_not(person_hole(sample.people))


def _extent(cameras: Sequence[Affine], shape: tuple[int, ...]) -> tuple[Affine, tuple[int, int]]:
    """Scene pixels to plate pixels, and the plate's (width, height): everything ever filmed."""
    height, width = shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    everywhere = np.concatenate([corners @ c[:, :2].T + c[:, 2] for c in cameras])
    low, high = np.floor(everywhere.min(0)), np.ceil(everywhere.max(0))
    scale = min(1.0, LARGEST / float((high - low).max()))
    to_plate = np.column_stack([np.eye(2) * scale, -low * scale])
    size = np.maximum(1, np.round((high - low) * scale)).astype(int)
    return to_plate, (int(size[0]), int(size[1]))


def _even_out(views: list[_View], to_plate: Affine, size: tuple[int, int]) -> None:
    """Undo changes of exposure and white balance: each view scaled to the typical one, in place."""
    if len(views) < 3:
        return
    eighth = np.diag([0.125, 0.125]) @ to_plate
    small = (max(1, size[0] // 8), max(1, size[1] // 8))
    pictures = np.stack([warped(v.rgb, compose(eighth, v.camera), small) for v in views])
    shown = np.stack([_shown(v, compose(eighth, v.camera), small) for v in views])
    typical = _masked_median(pictures, shown)
    for view, picture, seen in zip(views, pictures, shown, strict=True):
        use = seen & (picture.min(-1) > 8) & (picture.max(-1) < 247)
        if use.sum() < 50:
            continue
        gain = np.median(typical[use] / picture[use].astype(np.float32), axis=0)
        if np.abs(gain - 1).max() > 0.005 and GAIN[0] < gain.min() and gain.max() < GAIN[1]:
            view.rgb = np.clip(view.rgb * gain.astype(np.float32) + 0.5, 0, 255).astype(np.uint8)


def _median(
    views: list[_View], to_plate: Affine, size: tuple[int, int]
) -> tuple[UInt8Array, BoolArray]:
    """The plate (h, w, 3) and where it is known, strip by strip."""
    width, height = size
    rgb, known = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), bool)
    for top in range(0, height, STRIP):
        rows = min(STRIP, height - top)
        here = to_plate - np.array([[0, 0, 0], [0, 0, top]])
        maps = [compose(here, view.camera) for view in views]
        part = (width, rows)
        pictures = np.stack([warped(v.rgb, m, part) for v, m in zip(views, maps, strict=True)])
        shown = np.stack([_shown(v, m, part) for v, m in zip(views, maps, strict=True)])
        filmed = np.stack([_inside(v.rgb.shape, m, part) for v, m in zip(views, maps, strict=True)])
        rgb[top : top + rows] = _masked_median(pictures, shown)
        known[top : top + rows] = _believed(shown.sum(0), filmed.sum(0))
    return rgb, known


def _believed(shown: NDArray[np.int64], filmed: NDArray[np.int64]) -> BoolArray:
    """Seen often enough, or always when filmed: one view beside a person may be his own edge."""
    believed: BoolArray = (shown >= ENOUGH) | ((shown > 0) & (shown == filmed))
    return believed


def _shown(view: _View, affine: Affine, size: tuple[int, int]) -> BoolArray:
    return warped(view.background, affine, size) > 254


def _inside(shape: tuple[int, ...], affine: Affine, size: tuple[int, int]) -> BoolArray:
    return warped(np.full(shape[:2], 255, np.uint8), affine, size) > 254


def _masked_median(pictures: UInt8Array, shown: BoolArray) -> UInt8Array:
    """Median over the first axis of pictures (n, h, w, 3) where shown (n, h, w)."""
    count = len(pictures)
    # What is not shown goes to both ends alternately, which leaves the median where it was.
    hidden = ~shown
    low = (np.cumsum(hidden, 0) % 2 == 0) & hidden
    values = pictures.copy()
    values[hidden] = 255
    values[low] = 0
    middle = (count - 1) // 2
    return np.asarray(np.partition(values, middle, axis=0)[middle])
