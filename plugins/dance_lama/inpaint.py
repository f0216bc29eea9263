"""`dance.inpaint` lama: b of equation 7 by the published big-lama network, as TorchScript.

The network sees the surroundings of the hole, at most `LONGEST` pixels long, since its time and
memory grow with the area and its Fourier layers were trained at 256: what it paints in a larger
hole is enlarged and softer than the frame around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from dancecli import weights
from dancecli.data.rules import person_box
from dancecli.device import resolve
from dancecli.errors import PluginError, WeightsError, one_line
from dancecli.stages import Settings
from dancecli.types import BoolArray, Box, Frame, UInt8Array

LONGEST = 1024
"""Longest side, in pixels, of what the network sees."""

CONTEXT = 3.0
"""Sides of what the network sees over those of the hole, as far as the frame goes."""

STEP = 8
"""The network halves three times."""

SMALLEST = 32
"""Its reflecting borders need as much."""

Paint = Callable[[Tensor, Tensor], Tensor]
"""Picture (1, 3, h, w) in [0, 1] and hole (1, 1, h, w), 0 or 1, to the picture filled."""


class LamaInpainter:
    """LaMa; the hole's pixels change and no other."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "code MIT; LaMa's weights Apache-2.0"
    COMMERCIAL: ClassVar[bool | None] = True

    def __init__(self, settings: Settings, network: Paint | None = None) -> None:
        """network: instead of the published one, for tests.

        Raises WeightsError when the file is missing, damaged or no TorchScript.
        """
        self.device = resolve(settings.device)
        self._network = network or open_network(weights.locate("lama"), self.device)

    def inpaint(self, frame: Frame, hole: UInt8Array) -> Frame:
        """The frame with `hole` (uint8 (H, W), nonzero is hole) filled; the rest bit for bit.

        Raises PluginError when the hole's size is not the frame's.
        """
        if hole.shape != frame.rgb.shape[:2]:
            raise PluginError(
                f"inpaint: the hole is {hole.shape[1]}x{hole.shape[0]} but the frame is "
                f"{frame.width}x{frame.height}"
            )
        missing = hole > 0
        box = person_box(missing)
        if box is None:
            return frame
        left, top, right, bottom = surroundings(box).pixels(frame.width, frame.height)
        part = np.s_[top:bottom, left:right]
        out = frame.rgb.copy()
        out[part][missing[part]] = self._filled(frame.rgb[part], missing[part])[missing[part]]
        return replace(frame, rgb=out)

    def _filled(self, rgb: UInt8Array, missing: BoolArray) -> UInt8Array:
        small, hole = reduced(rgb, missing)
        height, width = hole.shape
        picture, mask = padded(small), padded(hole)
        with torch.inference_mode():
            answer = self._network(self._tensor(picture).float() / 255, self._tensor(mask).float())
        painted = answer[0, :, :height, :width].movedim(0, -1).float().cpu().numpy()
        size = (rgb.shape[1], rgb.shape[0])
        if size != (width, height):
            painted = cv2.resize(painted, size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(np.rint(painted * 255), 0, 255), np.uint8)

    def _tensor(self, plane: Any) -> Tensor:
        """(h, w) or (h, w, 3) to (1, channels, h, w)."""
        return torch.from_numpy(np.atleast_3d(plane)).to(self.device).movedim(-1, 0)[None]


def open_network(path: Path, device: str) -> Paint:
    """The TorchScript network of a file. Raises WeightsError when it is none."""
    try:
        network: Any = torch.jit.load(str(path), map_location=device)
    except Exception as error:
        found = one_line(error)[:200]
        raise WeightsError(f"{path}: not a TorchScript network ({found})") from error
    ready: Paint = network.eval()
    return ready


def surroundings(hole: Box) -> Box:
    """What of the frame the network sees: the hole and as much around it on every side."""
    reach = (CONTEXT - 1) / 2 * max(hole.width, hole.height, SMALLEST)
    return Box(hole.left - reach, hole.top - reach, hole.right + reach, hole.bottom + reach)


def reduced(rgb: UInt8Array, hole: BoolArray) -> tuple[UInt8Array, BoolArray]:
    """Picture (H, W, 3) and hole (H, W) at no more than LONGEST, at their own size if they are.

    Pixels that mix hole and known become hole.
    """
    height, width = hole.shape
    scale = LONGEST / max(height, width)
    if scale >= 1:
        return rgb, hole
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    share = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)), share > 1e-3


def padded(plane: Any) -> Any:
    """(h, w, ...) mirrored at the right and below to sides that the network takes."""
    sides = [max(SMALLEST, -(-side // STEP) * STEP) for side in plane.shape[:2]]
    more = [(0, side - had) for side, had in zip(sides, plane.shape, strict=False)]
    return np.pad(plane, [*more, *[(0, 0)] * (plane.ndim - 2)], mode="symmetric")
