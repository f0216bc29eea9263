"""`dance.inpaint` opencv: the person painted out of a picture, b of equation 7 of the paper.

cv2.inpaint smears person-sized holes, cv2.xphoto's shift map leaves seams on walls, and averages of
overlapping patches are blurred. So the hole is filled from a few shifts of the rest of the picture
(`shifts`), shared out at a reduced size; what differs in colour at the seams is taken out in the
gradients (`poisson`), and the pixels are copied at full size.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import cv2
import numpy as np

from dance_opencv.candidates import guess
from dance_opencv.level import IntArray, Level, inside, nearest, places, reduced
from dance_opencv.poisson import from_gradients
from dance_opencv.shifts import sources
from dancecli.errors import PluginError
from dancecli.stages import Settings
from dancecli.types import BoolArray, FloatArray, Frame, UInt8Array


class OpenCVInpainter:
    """Filling from the picture itself; about 1 s for a person on one core, whatever its size."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "MIT; OpenCV Apache-2.0; SciPy BSD-3-Clause; no weights"
    COMMERCIAL: ClassVar[bool | None] = True

    def __init__(self, settings: Settings) -> None:
        """Nothing of the settings matters: the same picture and hole always give the same bits."""

    def inpaint(self, frame: Frame, hole: UInt8Array) -> Frame:
        """The frame with `hole` (uint8 (H, W), nonzero is hole) filled; the rest bit for bit.

        Raises PluginError when the hole's size is not the frame's. Where nothing is known the
        frame's mean colour is used.
        """
        if hole.shape != frame.rgb.shape[:2]:
            raise PluginError(
                f"inpaint: the hole is {hole.shape[1]}x{hole.shape[0]} but the frame is "
                f"{frame.width}x{frame.height}"
            )
        missing = hole > 0
        if not missing.any():
            return frame
        out = frame.rgb.copy()
        if missing.all():
            out[:] = np.round(frame.rgb.mean((0, 1)))
        else:
            out[missing] = self._filled(frame.rgb, missing)[missing]
        return replace(frame, rgb=out)

    def _filled(self, rgb: UInt8Array, hole: BoolArray) -> UInt8Array:
        small = reduced(rgb, hole)
        copied_from = sources(small)
        if copied_from is None:
            return _plain(small, rgb.shape)
        return _copied(rgb, hole, small, copied_from)


def _plain(small: Level, shape: tuple[int, ...]) -> UInt8Array:
    """The guess alone, at full size."""
    full = cv2.resize(guess(small), shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(full * 255 + 0.5, 0, 255), np.uint8)


def _copied(rgb: UInt8Array, hole: BoolArray, small: Level, copied_from: IntArray) -> UInt8Array:
    """The picture with its hole copied from elsewhere (h, w, 2), its seams evened out."""
    image = small.image[copied_from[..., 0], copied_from[..., 1]]
    evened = from_gradients(image, _gradients(small, image, copied_from), small.hole)
    scale = np.array(hole.shape, np.float32) / small.hole.shape
    shift = (copied_from - places(*small.hole.shape)).astype(np.float32)
    box = _around(hole)
    here = np.moveaxis(np.mgrid[box], 0, -1).astype(np.float32)
    fine = ((here + 0.5) / scale - 0.5).astype(np.float32)
    change = _enlarged(evened - image, shift, fine)
    moved = np.rint(here + _read(shift, fine, cv2.INTER_NEAREST) * scale)
    there, _ = inside(moved.astype(np.int32), hole)
    wrong = hole[there[..., 0], there[..., 1]]
    if wrong.any():  # rounding leads into the hole
        there[wrong] = nearest(~hole)[there[wrong][:, 0], there[wrong][:, 1]]
    out = rgb.copy()
    full = rgb[there[..., 0], there[..., 1]] + change * 255
    out[box] = np.clip(full + 0.5, 0, 255)
    return out


def _around(hole: BoolArray) -> tuple[slice, slice]:
    """The rows and columns that have any of it."""
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _read(values: FloatArray, at: FloatArray, how: int) -> FloatArray:
    """`values` (h, w) or (h, w, C) at (row, column) places (H, W, 2), whole at pixels' centres."""
    rows, columns = (np.ascontiguousarray(at[..., axis]) for axis in (0, 1))
    read = cv2.remap(values, columns, rows, how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.float32)


def _gradients(small: Level, image: FloatArray, copied_from: IntArray) -> FloatArray:
    """Differences to the right and down, (h, w, 6), as where the pixels are copied from.

    At a seam the flattest of either place's, where they are known, and of none evened out: the edge
    of a thing that the seam cuts would else glow.
    """
    height, width = small.hole.shape
    limit = np.array([height - 1, width - 1], np.int32)
    parts = []
    for step in (np.array([0, 1], np.int32), np.array([1, 0], np.int32)):
        there = np.minimum(places(height, width) + step, limit)
        rows, columns = there[..., 0], there[..., 1]
        beyond, first = _known(small, copied_from + step)
        before, second = _known(small, copied_from[rows, columns] - step)
        choices = np.stack([beyond - image, image[rows, columns] - before,
                            image[rows, columns] - image])  # fmt: skip
        steep = np.abs(choices).sum(-1)
        steep[0][~first] = steep[1][~second] = np.inf
        parts.append(np.take_along_axis(choices, steep.argmin(0)[None, ..., None], 0)[0])
    return np.asarray(np.concatenate(parts, -1), np.float32)


def _known(small: Level, at: IntArray) -> tuple[FloatArray, BoolArray]:
    """The picture at places (h, w, 2), and where it is known there (h, w)."""
    there, known = inside(at, small.hole)
    return np.asarray(small.image[there[..., 0], there[..., 1]]), known


def _enlarged(change: FloatArray, shift: FloatArray, at: FloatArray) -> FloatArray:
    """The change of colour at full size: smooth, but for its steps at the seams of `shift`."""
    seam = np.zeros(change.shape[:2], np.float32)
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        differ = (shift[first] != shift[second]).any(-1)
        seam[first][differ] = seam[second][differ] = 1
    at_seam = _read(seam, at, cv2.INTER_NEAREST)[..., None] > 0
    smooth = _read(change, at, cv2.INTER_LINEAR)
    return np.where(at_seam, _read(change, at, cv2.INTER_NEAREST), smooth)
