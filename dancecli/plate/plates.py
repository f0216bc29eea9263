"""Plates that need no understanding: a picture, a colour, a video."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from dancecli.composite.placing import Placement, cover
from dancecli.composite.size import Size
from dancecli.errors import MediaError
from dancecli.motion.camera import centred
from dancecli.types import Frame, UInt8Array


class Plate(Protocol):
    """b of equation 7, one picture per output frame. Asked in order it streams; any order works
    and gives the same pictures."""

    @property
    def width(self) -> int:
        """Pixels, the output's."""
        ...

    @property
    def height(self) -> int:
        """Pixels, the output's."""
        ...

    def frame(self, index: int) -> UInt8Array:
        """RGB uint8 (height, width, 3) behind output frame `index`; never written to."""
        ...


class FrameSource(Protocol):
    """What plates need of a video: `dancecli.media.VideoStream` or alike."""

    count: int

    def frames(self, first: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Frames first ... stop - 1, in order."""
        ...


def fitted(rgb: UInt8Array, size: Size, fit: Placement | None = None) -> UInt8Array:
    """The picture scaled and cropped to cover `size`, uint8 RGB; about its centre, or as `fit`.

    A picture of that size comes back as it is.
    """
    import cv2

    height, width = rgb.shape[:2]
    if (width, height) == size:
        return rgb
    fit = fit or cover((width, height), size)
    if fit.scale > 1:  # whole pixels of the picture would be several of the output
        move = np.array([[fit.scale, 0, fit.dx], [0, fit.scale, fit.dy]])
        large = cv2.warpAffine(
            rgb, centred(move), size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(large, np.uint8)
    inside = (
        min(width, max(1, round(size[0] / fit.scale))),
        min(height, max(1, round(size[1] / fit.scale))),
    )
    left = min(max(0, round(-fit.dx / fit.scale)), width - inside[0])
    top = min(max(0, round(-fit.dy / fit.scale)), height - inside[1])
    part = rgb[top : top + inside[1], left : left + inside[0]]
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


class StillPlate:
    """One picture behind every frame: the inpainted photo, an image, a colour."""

    def __init__(
        self, rgb: UInt8Array, size: Size | None = None, fit: Placement | None = None
    ) -> None:
        """rgb: uint8 (H, W, 3), `fitted` to `size` (width, height) if given."""
        self._rgb = np.ascontiguousarray(fitted(rgb, size, fit) if size else rgb)
        self.height, self.width = (int(side) for side in self._rgb.shape[:2])

    def frame(self, index: int) -> UInt8Array:
        """The picture."""
        return self._rgb


def colour_plate(colour: tuple[int, int, int], size: Size) -> StillPlate:
    """A plain colour (RGB, 0-255) of size (width, height)."""
    return StillPlate(np.full((size[1], size[0], 3), colour, np.uint8))


class VideoPlate:
    """A video behind the dance, at its own speed, fitted to the output.

    `stream` is opened at the output's frame rate, so that output frame k shows its frame k. A
    shorter one starts again. Keeps one frame.
    """

    def __init__(self, stream: FrameSource, size: Size) -> None:
        self.width, self.height = size
        self._reader = SequentialReader(stream)
        self._count = stream.count

    def frame(self, index: int) -> UInt8Array:
        """The video's picture at the time of output frame `index`.

        Raises MediaError where the video cannot be decoded.
        """
        picture = self._reader.frame(index % self._count).rgb
        return fitted(picture, (self.width, self.height))


class SequentialReader:
    """Single frames of a stream by number; going forward decodes every frame only once."""

    def __init__(self, stream: FrameSource) -> None:
        self._stream = stream
        self._frames: Iterator[Frame] | None = None
        self._next = 0
        self._last: Frame | None = None

    def frame(self, index: int) -> Frame:
        """Frame `index`. Raises MediaError when the stream ends before it."""
        if self._last is not None and index == self._next - 1:
            return self._last
        if self._frames is None or index < self._next or index > self._next + _WORTH_A_SEEK:
            self._frames, self._next = self._stream.frames(index), index
        while self._next <= index:
            frame = next(self._frames, None)
            if frame is None:
                self._frames, self._last = None, None
                raise MediaError(f"video ends before frame {index}, which its header promises")
            self._last, self._next = frame, self._next + 1
        assert self._last is not None
        return self._last


_WORTH_A_SEEK = 50
"""Frames to skip from which on opening the stream anew beats decoding on."""
