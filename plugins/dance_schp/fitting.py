"""Pictures fitted into SCHP's square and its logits brought back.

As published (simple_extractor.py of GoGoDuck912/Self-Correction-Human-Parsing): the picture's
corner pixels lie on the square's edge pixels, the rest of the square is black; logits are enlarged
to the square, bent back, and only then compared.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from dancecli.types import Box, FloatArray, UInt8Array

MEAN, DEVIATION = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)
"""Of blue, green and red in [0, 1], as SCHP has them."""

GROWTH = 1.2
"""Sides of the part that is cut out for one person over those of the person's box, as published."""


@dataclass(frozen=True)
class Region:
    """A part of a frame: whole pixels, inside it."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def about(cls, box: Box, width: int, height: int) -> Region:
        """The person's box grown, as far as the frame goes."""
        return cls(*box.grown(GROWTH).pixels(width, height))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.right - self.left, self.bottom - self.top

    def of(self, picture: UInt8Array) -> UInt8Array:
        """A view of the picture's part."""
        part: UInt8Array = picture[self.top : self.bottom, self.left : self.right]
        return part


def to_square(region: Region, side: int) -> NDArray[np.float64]:
    """(2, 3): pixel numbers of the region to those of the square."""
    width, height = region.size
    scale = (side - 1) / max(width - 1, height - 1, 1)
    middle = (side - 1) / 2
    return np.array(
        [
            [scale, 0, middle - scale * (width - 1) / 2],
            [0, scale, middle - scale * (height - 1) / 2],
        ]
    )


def fitted(rgb: UInt8Array, region: Region, side: int) -> FloatArray:
    """What the network sees, float32 (1, 3, side, side), blue, green, red, standardised."""
    bgr = np.ascontiguousarray(region.of(rgb)[..., ::-1])
    square = cv2.warpAffine(bgr, to_square(region, side), (side, side), flags=cv2.INTER_LINEAR)
    mean, deviation = np.array((MEAN, DEVIATION), np.float32)
    values = (square.astype(np.float32) / 255 - mean) / deviation
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def labels_in(logits: FloatArray, region: Region, side: int) -> UInt8Array:
    """The strongest label of every pixel of the region, uint8 (h, w), the checkpoint's numbers.

    logits: float32 (classes, s, s). Label by label, so that a large picture needs three planes.
    """
    planes = F.interpolate(
        torch.from_numpy(logits)[None], (side, side), mode="bilinear", align_corners=True
    )[0].numpy()
    matrix, (width, height) = to_square(region, side), region.size
    best = np.full((height, width), -np.inf, np.float32)
    labels = np.zeros((height, width), np.uint8)
    for label, plane in enumerate(planes):
        back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        shown = cv2.warpAffine(plane, matrix, (width, height), flags=back)
        better = shown > best
        best[better], labels[better] = shown[better], label
    return labels
