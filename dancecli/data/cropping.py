"""A person cut out of a picture at one size, never distorted (paper 3.1-3.2).

Windows have whole pixels and exactly the crop's proportions, so that one factor scales both sides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dancecli.types import BoolArray, Box, DenseMap, FloatArray, Skeleton, UInt8Array

Picture = TypeVar("Picture", bound=NDArray[Any])

SURROUNDINGS = 8
"""`Window.wider` adds at least one part in so many of the height on every side."""


@dataclass(frozen=True)
class Window:
    """Where a crop lies in its picture: `height` x `width` picture pixels from (left, top).

    It may reach past the picture's edges. size: (height, width) of the crop.
    """

    left: int
    top: int
    height: int
    width: int
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Crop pixels per picture pixel."""
        return self.size[0] / self.height

    @property
    def box(self) -> Box:
        """In picture pixels."""
        return Box(self.left, self.top, self.left + self.width, self.top + self.height)

    def skeleton(self, skeleton: Skeleton) -> Skeleton:
        """A skeleton of the picture in crop pixels."""
        return skeleton.moved(self.scale, -self.left * self.scale, -self.top * self.scale)

    def wider(self) -> tuple[Window, int]:
        """A window with surroundings at the same scale, and how many crop pixels of them."""
        step = math.gcd(*self.size)
        count = math.ceil(self.size[0] / SURROUNDINGS / step)
        more, border = count * self.height * step // self.size[0], count * step
        size = self.size[0] + 2 * border, self.size[1] + 2 * border
        wide = Window(
            self.left - more, self.top - more, self.height + 2 * more, self.width + 2 * more, size
        )
        return wide, border


def window_about(person: Box, size: tuple[int, int], margin: float) -> Window:
    """The window centred on a person: margin times their height, or more where they are wide."""
    step = math.gcd(*size)
    unit_height, unit_width = size[0] // step, size[1] // step
    needed = margin * max(person.height / unit_height, person.width / unit_width)
    count = max(1, math.ceil(needed - 1e-9))
    height, width = count * unit_height, count * unit_width
    x, y = person.center
    return Window(round(x - width / 2), round(y - height / 2), height, width, size)


def crop_picture(rgb: UInt8Array, window: Window) -> UInt8Array:
    """The window of rgb (H, W, 3), averaged or interpolated; mirrored beyond the edges."""
    return _sized(_mirrored(rgb, window), window.size)


def crop_alpha(mask: BoolArray, window: Window, mirrored: bool = False) -> FloatArray:
    """The window of a mask (H, W), float32, soft at the edge; 0, or mirrored, beyond the edges."""
    cut = _mirrored(mask, window) if mirrored else _cut(mask, window)
    return _sized(cut.astype(np.float32), window.size)


def crop_labels(labels: UInt8Array, window: Window) -> UInt8Array:
    """The window of labels (H, W): each pixel has the label that most of it shows; 0 beyond."""
    cut = _cut(labels, window)
    if cut.shape == window.size:
        return cut
    found = np.unique(cut)
    shares = np.stack([_sized((cut == label).astype(np.float32), window.size) for label in found])
    most: UInt8Array = found[shares.argmax(0)]
    return most


def crop_dense(dense: DenseMap, window: Window) -> DenseMap:
    """The window of a dense map, nearest pixel; empty beyond the edges."""
    import cv2

    cut = _cut(dense.iuv, window)
    if cut.shape[:2] == window.size:
        return DenseMap(cut)
    size = (window.size[1], window.size[0])
    sized = cv2.resize(cut, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return DenseMap(np.asarray(sized, np.float32))


def _cut(picture: Picture, window: Window) -> Picture:
    """The window's own pixels, 0 beyond the picture's edges."""
    height, width = picture.shape[:2]
    cut = np.zeros((window.height, window.width, *picture.shape[2:]), picture.dtype)
    left, top, right, bottom = window.box.pixels(width, height)
    rows = slice(top - window.top, bottom - window.top)
    columns = slice(left - window.left, right - window.left)
    cut[rows, columns] = picture[top:bottom, left:right]
    return cut  # type: ignore[return-value]


def _mirrored(picture: Picture, window: Window) -> Picture:
    """The window's own pixels, the picture mirrored beyond its edges, as often as needed."""
    height, width = picture.shape[:2]
    rows = _folded(np.arange(window.top, window.top + window.height), height)
    columns = _folded(np.arange(window.left, window.left + window.width), width)
    mirrored: Picture = picture[rows[:, None], columns]
    return mirrored


def _folded(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    turned = places % (2 * length)
    return np.minimum(turned, 2 * length - 1 - turned)


def _sized(picture: Picture, size: tuple[int, int]) -> Picture:
    import cv2

    if picture.shape[:2] == size:
        return picture
    how = cv2.INTER_AREA if size[0] < picture.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(picture, (size[1], size[0]), interpolation=how)  # type: ignore[no-any-return]
