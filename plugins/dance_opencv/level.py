"""A picture with a hole, at the sizes it is worked on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from dancecli.types import BoolArray, FloatArray, UInt8Array

IntArray = NDArray[np.int32]

WORK_SIDE = 640
"""Longest side, in pixels, that the hole is filled at: bounds time and memory."""

WORK_HOLE = 90_000
"""Hole pixels filled at most, for the same reason."""

GRADIENT = 2.0
"""Weight of the differences of brightness beside the colours, in what pixels are compared by."""


@dataclass(frozen=True, eq=False)
class Level:
    """image: float32 (h, w, 3) in [0, 1]; hole: bool (h, w), where the image says nothing."""

    image: FloatArray
    hole: BoolArray

    @property
    def features(self) -> FloatArray:
        """What pixels are compared by, float32 (h, w, 5): colour, and how brightness changes
        between a pixel's neighbours, as far as both are known."""
        image = np.where(self.hole[..., None], np.float32(0), self.image)
        grey, known = image.mean(2), ~self.hole
        change = np.zeros((*grey.shape, 2), np.float32)
        change[:, 1:-1, 0] = (grey[:, 2:] - grey[:, :-2]) / 2 * (known[:, 2:] & known[:, :-2])
        change[1:-1, :, 1] = (grey[2:] - grey[:-2]) / 2 * (known[2:] & known[:-2])
        return np.concatenate([image, np.float32(GRADIENT) * change], 2)


def reduced(rgb: UInt8Array, hole: BoolArray) -> Level:
    """The picture (H, W, 3) at working size. Pixels that mix hole and known become hole.

    hole: bool (H, W), not empty.
    """
    height, width = hole.shape
    scale = min(1.0, WORK_SIDE / max(height, width), float(np.sqrt(WORK_HOLE / hole.sum())))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    share = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    image = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    small_hole = share > 1e-3
    if small_hole.all():  # only specks are known: take what is least mixed as known
        small_hole = share > share.min()
    return Level(image, small_hole)


def coarsened(level: Level, factor: int) -> tuple[Level, BoolArray]:
    """The means of `factor` x `factor` known pixels, and the cells (h, w) not to copy from.

    A cell is hole where most of it is; what a shift may be a little wrong about is not copied:
    cells with any hole in or beside them, and the picture's edge, which may be a frame.
    """
    height, width = level.hole.shape
    rows, columns = -(-height // factor), -(-width // factor)
    pad = ((0, rows * factor - height), (0, columns * factor - width))
    known = ~np.pad(level.hole, pad, "edge").reshape(rows, factor, columns, factor)
    image = np.pad(level.image, (*pad, (0, 0)), "edge").reshape(rows, factor, columns, factor, 3)
    share = known.mean((1, 3), dtype=np.float32)
    total = (image * known[..., None]).mean((1, 3), dtype=np.float32)
    unsafe = cv2.dilate((share < 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    unsafe[[0, -1]], unsafe[:, [0, -1]] = True, True
    return Level(total / np.maximum(share, 1e-6)[..., None], share < 0.5), unsafe


def places(height: int, width: int) -> IntArray:
    """(row, column) of every pixel, int32 (height, width, 2)."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.int32)
    return np.stack([rows, columns], -1)


def inside(at: IntArray, closed: BoolArray) -> tuple[IntArray, BoolArray]:
    """The places (..., 2) drawn into the picture (h, w), and which are in it and not closed."""
    kept = np.clip(at, 0, np.array(closed.shape, np.int32) - 1)
    return kept, (kept == at).all(-1) & ~closed[kept[..., 0], kept[..., 1]]


def nearest(known: BoolArray) -> IntArray:
    """(row, column) of the known pixel nearest to each, int32 (h, w, 2); something is known."""
    found = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.moveaxis(found, 0, -1)


def looked_up(
    values: FloatArray, closed: BoolArray, at: IntArray, shifts: IntArray
) -> tuple[FloatArray, BoolArray]:
    """`values` (h, w, C) at every place (N, 2) moved by every shift (K, 2): (N, K, C).

    And where that is inside the picture and not closed (h, w): (N, K).
    """
    there, is_open = inside(at[:, None] + shifts[None], closed)
    return values[there[..., 0], there[..., 1]], is_open
