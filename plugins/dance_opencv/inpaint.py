"""`dance.inpaint` opencv: the person painted out of a picture, b of equation 7 of the paper.

cv2.inpaint alone smears person-sized holes and cv2.xphoto's shift map leaves seams on walls, so the
hole is filled from the picture's own patches at a reduced size (`patchmatch`), seams are taken out
in the gradients (`poisson`), and the fine detail of the places copied from is added at full size.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import cv2
import numpy as np

from dance_opencv.patchmatch import IntArray, Level, complete, pyramid
from dance_opencv.poisson import from_gradients
from dancecli.errors import PluginError
from dancecli.stages import Settings
from dancecli.types import BoolArray, FloatArray, Frame, UInt8Array

WORK_SIDE = 640
"""Longest side, in pixels, that patches are searched on: bounds time and memory."""

WORK_HOLE = 90_000
"""Hole pixels searched at most, for the same reason."""


DETAIL = 2.0
"""Standard deviation, in pixels of the working size, below which detail is copied from one place
rather than averaged over the patches that overlap there, which would smear it."""


class OpenCVInpainter:
    """Exemplar-based filling; about 1-3 s for a person on one core, whatever the photo's size."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "MIT; OpenCV Apache-2.0; SciPy BSD-3-Clause; no weights"
    COMMERCIAL: ClassVar[bool | None] = True

    def __init__(self, settings: Settings) -> None:
        self.seed = settings.seed

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
        small = _reduced(rgb, hole)
        done = complete(pyramid(small.image, small.hole), self.seed)
        coarse = _blurred(from_gradients(done.image, done.gradients, small.hole))
        full = cv2.resize(coarse, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        full += _copied_detail(rgb.astype(np.float32) / 255 - full, small.hole, done.sources)
        return np.asarray(np.clip(full * 255 + 0.5, 0, 255), np.uint8)


def _blurred(image: FloatArray) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), DETAIL), np.float32)


def _reduced(rgb: UInt8Array, hole: BoolArray) -> Level:
    """The picture at working size. Pixels that mix hole and known become hole."""
    height, width = hole.shape
    scale = min(1.0, WORK_SIDE / max(height, width), float(np.sqrt(WORK_HOLE / hole.sum())))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    share = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    image = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    small_hole = share > 1e-3
    if small_hole.all():  # only specks are known: take what is least mixed as known
        small_hole = share > share.min()
    return Level(image, small_hole)


def _copied_detail(detail: FloatArray, hole: BoolArray, sources: IntArray) -> FloatArray:
    """The picture's detail (H, W, 3) as it is at the places copied from, 0 where they are unknown.

    hole (h, w) and sources (h, w, 2) are of the working size.
    """
    height, width = detail.shape[:2]
    shift = (sources - _places(*hole.shape)).astype(np.float32)
    shift[hole[sources[..., 0], sources[..., 1]]] = np.nan
    shift *= np.array([height / hole.shape[0], width / hole.shape[1]], np.float32)
    shift = cv2.resize(shift, (width, height), interpolation=cv2.INTER_NEAREST)
    places = (_places(height, width) + np.nan_to_num(shift)).astype(np.float32)
    copied = cv2.remap(
        detail, places[..., 1].round(), places[..., 0].round(), cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    copied[np.isnan(shift[..., 0])] = 0
    return np.asarray(copied, np.float32)


def _places(height: int, width: int) -> IntArray:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.int32)
    return np.stack([rows, columns], -1)
