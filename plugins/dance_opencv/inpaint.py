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
from dance_opencv.level import IntArray, Level, coarsened, places, reduced
from dance_opencv.poisson import from_gradients
from dance_opencv.shifts import COARSEST, sources
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
        return _copied(rgb, small, copied_from)


def _plain(small: Level, shape: tuple[int, ...]) -> UInt8Array:
    """The guess alone, at full size."""
    cells, _ = coarsened(small, COARSEST)
    filled = guess(small if cells.hole.all() else cells)
    full = cv2.resize(filled, shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(full * 255 + 0.5, 0, 255), np.uint8)


def _copied(rgb: UInt8Array, small: Level, copied_from: IntArray) -> UInt8Array:
    """The picture with its hole copied from elsewhere (h, w, 2), its seams evened out."""
    image = small.image[copied_from[..., 0], copied_from[..., 1]]
    evened = from_gradients(image, _gradients(small, image, copied_from), small.hole)
    height, width = rgb.shape[:2]
    shift = (copied_from - places(*small.hole.shape)).astype(np.float32)
    change = _enlarged(evened - image, shift, (width, height))
    shift *= np.array([height / small.hole.shape[0], width / small.hole.shape[1]], np.float32)
    shift = cv2.resize(shift, (width, height), interpolation=cv2.INTER_NEAREST)
    moved = places(height, width) + np.rint(shift).astype(np.int32)
    inside = np.clip(moved, 0, np.array([height - 1, width - 1], np.int32))
    full = rgb[inside[..., 0], inside[..., 1]] + change * 255
    return np.asarray(np.clip(full + 0.5, 0, 255), np.uint8)


def _gradients(small: Level, image: FloatArray, copied_from: IntArray) -> FloatArray:
    """Differences to the right and down, (h, w, 6), as where the pixels are copied from.

    At a seam the flatter of both places', as far as they are known there: the edge of a thing
    that the seam cuts would else glow.
    """
    height, width = small.hole.shape
    here = places(height, width)
    limit = np.array([height - 1, width - 1], np.int32)
    parts = []
    for step in (np.array([0, 1], np.int32), np.array([1, 0], np.int32)):
        there = np.minimum(here + step, limit)
        beyond, first = _known(small, copied_from + step)
        before, second = _known(small, copied_from[there[..., 0], there[..., 1]] - step)
        one = (beyond - image) * first
        other = (image[there[..., 0], there[..., 1]] - before) * second
        flatter = (np.abs(one).sum(-1) <= np.abs(other).sum(-1))[..., None]
        parts.append(np.where((second == 0) | ((first > 0) & flatter), one, other))
    return np.asarray(np.concatenate(parts, -1), np.float32)


def _known(small: Level, at: IntArray) -> tuple[FloatArray, FloatArray]:
    """The picture at places (h, w, 2), and (h, w, 1) 1 where it is known there, else 0."""
    height, width = small.hole.shape
    inside = np.clip(at, 0, np.array([height - 1, width - 1], np.int32))
    rows, columns = inside[..., 0], inside[..., 1]
    known = (inside == at).all(-1) & ~small.hole[rows, columns]
    return np.asarray(small.image[rows, columns]), known[..., None].astype(np.float32)


def _enlarged(change: FloatArray, shift: FloatArray, size: tuple[int, int]) -> FloatArray:
    """The change of colour at full size: smooth, but for its steps at the seams of `shift`."""
    seam = np.zeros(change.shape[:2], np.uint8)
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        differ = (shift[first] != shift[second]).any(-1)
        seam[first] |= differ
        seam[second] |= differ
    at_seam = cv2.resize(seam, size, interpolation=cv2.INTER_NEAREST)[..., None] > 0
    smooth = cv2.resize(change, size, interpolation=cv2.INTER_LINEAR)
    stepped = cv2.resize(change, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(np.where(at_seam, stepped, smooth))
