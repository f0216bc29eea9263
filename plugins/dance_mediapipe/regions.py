"""Square, turned regions of a frame: cut out for a model, and its points put back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dancecli.motion.camera import centred
from dancecli.types import Box, FloatArray, UInt8Array


@dataclass(frozen=True)
class Region:
    """A square of `size` frame pixels about (x, y), turned clockwise by `angle` radians."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    @classmethod
    def around(cls, box: Box, scale: float = 1.0) -> Region:
        """The upright square about a box, its side `scale` times the box's longer side."""
        return cls(*box.center, size=max(box.width, box.height, 1.0) * scale)

    @property
    def box(self) -> Box:
        """The upright square of the same centre and side."""
        half = self.size / 2
        return Box(self.x - half, self.y - half, self.x + half, self.y + half)

    def matrix(self, side: int) -> FloatArray:
        """Float32 (2, 3): crop coordinates in pixels of a `side` x `side` crop -> frame."""
        turn = self.size / side * self.rotation()
        shift = np.array([self.x, self.y]) - turn @ np.array([side / 2, side / 2])
        return np.column_stack([turn, shift]).astype(np.float32)

    def rotation(self) -> FloatArray:
        """Float32 (2, 2): directions in the crop -> directions in the frame."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.array([[c, -s], [s, c]], np.float32)

    def cut(self, picture: UInt8Array, side: int) -> UInt8Array:
        """The crop, uint8 (side, side, C), black where it leaves the picture."""
        # Shrinking more than twofold in one bilinear step would alias.
        shrink = max(1.0, self.size / side)
        small, (left, top), factor = _neighbourhood(picture, self, shrink)
        to_frame = self.matrix(side)
        to_frame[:, 2] -= (left, top)
        to_small = factor[:, None] * to_frame
        crop: UInt8Array = cv2.warpAffine(
            small,
            centred(to_small),
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        return crop

    def to_frame(self, xy: FloatArray) -> FloatArray:
        """Points (N, 2) as fractions of the crop -> frame pixels, float32 (N, 2)."""
        moved: FloatArray = (np.asarray(xy, np.float32) - 0.5) * self.size @ self.rotation().T
        return moved + np.array([self.x, self.y], np.float32)

    def paste(self, plane: FloatArray, height: int, width: int) -> FloatArray:
        """A crop's values, float32 (S, S), over the frame, float32 (height, width), 0 outside."""
        matrix = centred(self.matrix(plane.shape[0]))
        out: FloatArray = cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_LINEAR)
        return out


def _neighbourhood(
    picture: UInt8Array, region: Region, shrink: float
) -> tuple[UInt8Array, tuple[int, int], FloatArray]:
    """The picture around a region, shrunk by areas; its origin and the true factors (x, y)."""
    height, width = picture.shape[:2]
    left, top, right, bottom = region.box.grown(1.5).pixels(width, height)
    if right <= left or bottom <= top:
        return (
            np.zeros((1, 1, *picture.shape[2:]), picture.dtype),
            (left, top),
            np.ones(2, np.float32),
        )
    part = picture[top:bottom, left:right]
    size = max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink))
    factor = np.array([size[0] / part.shape[1], size[1] / part.shape[0]], np.float32)
    if shrink > 1:
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return part, (left, top), factor
