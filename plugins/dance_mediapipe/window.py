"""The part of a frame that a mask is worked out on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from dance_mediapipe.regions import Region
from dancecli.types import Box, FloatArray, Skeleton, UInt8Array

WORK_SIDE = 1024
"""Longest side in pixels at which outlines are refined; larger people are shrunk for it."""


@dataclass(frozen=True)
class Window:
    """Whole pixels of a frame (right and bottom exclusive), shrunk by `scale` where large."""

    left: int
    top: int
    right: int
    bottom: int
    scale: float

    @classmethod
    def around(cls, boxes: Sequence[Box], width: int, height: int) -> Window | None:
        """The window that covers all boxes inside a frame; None if hardly a pixel is."""
        edges = np.array([b.pixels(width, height) for b in boxes], int).reshape(-1, 4)
        if len(edges) == 0:
            return None
        left, top = edges[:, :2].min(0).tolist()
        right, bottom = edges[:, 2:].max(0).tolist()
        if right - left < 2 or bottom - top < 2:
            return None
        return cls(left, top, right, bottom, min(1.0, WORK_SIDE / max(right - left, bottom - top)))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in working pixels."""
        width, height = self.right - self.left, self.bottom - self.top
        return max(1, round(width * self.scale)), max(1, round(height * self.scale))

    def cut(self, picture: UInt8Array) -> UInt8Array:
        """The window's picture, uint8 (h, w, 3)."""
        part = picture[self.top : self.bottom, self.left : self.right]
        if self.scale == 1:
            return np.ascontiguousarray(part)
        shrunk: UInt8Array = cv2.resize(part, self.size, interpolation=cv2.INTER_AREA)
        return shrunk

    def skeleton(self, skeleton: Skeleton) -> Skeleton:
        """A skeleton of the frame, in working pixels."""
        return skeleton.moved(self.scale, -self.left * self.scale, -self.top * self.scale)

    def paste(self, region: Region, plane: FloatArray) -> FloatArray:
        """Values over a region of the frame, float32 (S, S), laid out in the window, (h, w)."""
        x, y = (region.x - self.left) * self.scale, (region.y - self.top) * self.scale
        moved = replace(region, x=x, y=y, size=region.size * self.scale)
        return moved.paste(plane, self.size[1], self.size[0])

    def restore(self, alpha: FloatArray, width: int, height: int) -> FloatArray:
        """The window's alpha in a frame that is 0 elsewhere, float32 (height, width)."""
        frame = np.zeros((height, width), np.float32)
        full = alpha
        if self.scale != 1:
            full = cv2.resize(alpha, (self.right - self.left, self.bottom - self.top))
        frame[self.top : self.bottom, self.left : self.right] = full
        return frame
