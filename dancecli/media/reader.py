"""Frames of a video at a constant rate, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dancecli.errors import MediaError, UsageError
from dancecli.media.files import named, one_line
from dancecli.media.hdr import Colours
from dancecli.media.pixels import ALPHA_DECODERS, over_white, reformatted
from dancecli.media.probe import Turn, decoded, opened, survey
from dancecli.media.scanning import SEEKABLE
from dancecli.media.timeline import Ticks
from dancecli.types import Frame, Source, UInt8Array

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVStream

MAX_FRAMES = 5_000_000
"""Longer videos are refused: it is 46 hours at 30 frames per second."""

_log = logging.getLogger("dancecli.media")


class VideoStream:
    """A video, or the part of it from `start` to `end` seconds, as frames at a constant rate.

    Frame k shows what is on screen at start + k / fps. Where the source's rate is constant and
    none is asked for, these are its own frames, one by one. Orientation and pixel shape are
    applied, so that frames are as a viewer sees them. Memory does not grow with the length.

    fps: frames per second; default: the source's (average) rate. max_side: longer pictures are
    scaled down to it, to even numbers. Raises MediaError for files that cannot be read and for a
    `start` past the end, UsageError for an impossible range.
    """

    def __init__(
        self,
        path: Path,
        start: float | None = None,
        end: float | None = None,
        fps: Fraction | None = None,
        max_side: int | None = None,
    ) -> None:
        found = survey(path)
        self.path = path
        self.info = found.info
        self.fps = Fraction(fps or found.info.fps)
        self._timeline = found.timeline
        self._turn = found.turn
        self._colours = found.colours
        self._alpha = found.alpha
        self.start, seconds = self._range(start, end)
        self.count = max(1, round(seconds * self.fps))
        if self.count > MAX_FRAMES:
            raise MediaError(
                f"{named(path)} has {self.count} frames at {float(self.fps):g} per second, more "
                f"than {MAX_FRAMES}: its time stamps are damaged, or cut it with --start and --end"
            )
        if self._colours.wide:
            _say_once(path, str(self._colours))
        self.width, self.height = fit(self.info.width, self.info.height, max_side)
        self._shown = self._timeline.shown(self.fps, self.start, self.count)
        if self.info.cut:
            _log.warning(
                "%s ends before its header says: it is truncated; %.2f s of it can be read",
                named(path), self.info.duration,
            )  # fmt: skip

    def frames(self, first: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Frames first ... stop - 1, in order; the same pixels whatever `first` is.

        What is transparent lies over white.
        A frame that cannot be decoded is replaced by the one before it, with a warning, so that
        the number is always exact. Raises MediaError when nothing can be decoded.
        """
        for k, picture in self._pictures("rgb24", first, stop):
            yield Frame(picture, k, float(k / self.fps), self._source(k))

    def frames_rgba(self, first: int = 0, stop: int | None = None) -> Iterator[UInt8Array]:
        """As `frames`, uint8 (H, W, 4): RGB, not premultiplied, and alpha (255 if it has none)."""
        for _, picture in self._pictures("rgba", first, stop):
            yield picture

    def _source(self, k: int) -> Source:
        number = int(np.searchsorted(self._timeline.ticks, self._shown[k]))
        return Source(self.path, number, self.info.width, self.info.height)

    def _range(self, start: float | None, end: float | None) -> tuple[Fraction, Fraction]:
        """Start and length in seconds."""
        length = self._timeline.count / self._timeline.rate
        first = Fraction(start or 0).limit_denominator(1_000_000)
        last = length if end is None else Fraction(end).limit_denominator(1_000_000)
        if first < 0 or last <= first:
            raise UsageError(
                f"cannot cut from {float(first):g} s to {float(last):g} s: "
                f"start must be 0 or more and before the end ({named(self.path)} has "
                f"{float(length):.2f} s)"
            )
        if first >= length:
            raise MediaError(
                f"cannot start at {float(first):g} s: {named(self.path)} has only "
                f"{float(length):.2f} s"
            )
        return first, min(last, length) - first

    def _pictures(
        self, pixels: str, first: int, stop: int | None
    ) -> Iterator[tuple[int, UInt8Array]]:
        """(k, picture) for the range asked for."""
        last = self.count if stop is None else min(stop, self.count)
        k = max(first, 0)
        if k >= last:
            return
        held: Callable[[], UInt8Array] | None = None
        for tick, frame in self._from(int(self._shown[k]), self._alpha or pixels == "rgba"):
            here = _once(self._convert, frame, pixels)
            while k < last and self._shown[k] <= tick:
                shown = here if held is None or self._shown[k] == tick else held
                yield k, shown()
                k += 1
            if k == last:
                return
            held = here
        if held is None:
            raise MediaError(f"no frame of video {named(self.path)} can be decoded: damaged?")
        _log.warning(
            "%s: the last %d frames cannot be decoded, the one before is held",
            named(self.path), last - k,
        )  # fmt: skip
        for rest in range(k, last):
            yield rest, held()

    def _from(self, target: int, alpha: bool) -> Iterator[tuple[int, VideoFrame]]:
        """(tick, frame) in the order shown, beginning at or before the target tick."""
        key = self._entry(target)
        if key is not None:
            frames = self._read(key, alpha)
            head = next(frames, None)
            if head is not None and head[0] <= target:
                yield head
                yield from frames
                return
        yield from self._read(None, alpha)

    def _entry(self, target: int) -> int | None:
        """The key frame to begin at; None: the start of the file.

        One key frame earlier than the nearest: pictures after an open group of pictures or within
        a rolling refresh are then exact too.
        """
        line = self._timeline
        if self.info.container not in SEEKABLE or not line.stamped:
            return None
        at = int(np.searchsorted(line.keys, target, side="right")) - 2
        return int(line.keys[at]) if at > 0 else None

    def _read(self, key: int | None, alpha: bool) -> Iterator[tuple[int, VideoFrame]]:
        """(tick, frame) from a key frame or the start of the file."""
        with opened(self.path) as (container, stream):
            if key is not None:
                container.seek(key, stream=stream)
            decoder = _alpha_decoder(stream) if alpha else None
            yield from self._stamped(container, stream, decoder)

    def _stamped(
        self, container: InputContainer, stream: AVStream, decoder: Any
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Frames with the tick at which each appears."""
        line = self._timeline
        ticks: Ticks = line.ticks
        tick, known = int(ticks[0]), False
        for n, frame in enumerate(decoded(container, stream, self.path, decoder, line.joins)):
            if line.stamped and frame.pts is not None:
                tick, known = frame.pts, True
            elif not (line.stamped and known):  # before time zero, or no stamps at all
                tick = int(ticks[min(n, len(ticks) - 1)])
            yield tick, frame

    def _convert(self, frame: VideoFrame, pixels: str) -> UInt8Array:
        """Scaled, in RGB or RGBA, upright. Raises MediaError for what cannot be converted."""
        import av

        size = self.width, self.height
        try:
            return upright(frame, size, self._turn, self._colours, self._alpha, pixels)
        except (av.FFmpegError, ValueError, OSError) as error:
            raise MediaError(
                f"a frame of {named(self.path)} cannot be converted ({one_line(error)}): "
                "give H.264 mp4"
            ) from error


def upright(
    frame: VideoFrame, size: tuple[int, int], turn: Turn, colours: Colours, alpha: bool,
    pixels: str = "rgb24",
) -> UInt8Array:  # fmt: skip
    """A decoded frame as it is to be shown, uint8 (height, width, 3), with "rgba" 4.

    size: (width, height), as shown. alpha: whether its stream keeps any; "rgb24" is laid over
    white then. Raises what `reformatted` raises.
    """
    width, height = size[::-1] if turn.transpose else size
    if alpha and pixels == "rgb24":
        picture = over_white(frame, width, height, colours)
    else:
        picture = reformatted(frame, width, height, pixels, colours)
    return np.ascontiguousarray(turn.apply(picture))


@lru_cache(maxsize=1024)
def _say_once(path: Path, colours: str) -> None:
    """A video is opened several times in a run."""
    _log.info("%s: %s, shown as SDR (BT.709)", named(path), colours)


def _once(
    convert: Callable[[VideoFrame, str], UInt8Array], frame: VideoFrame, pixels: str
) -> Callable[[], UInt8Array]:
    """The conversion of a frame, done when first asked for and kept; frames not shown cost none."""
    kept: list[UInt8Array] = []

    def picture() -> UInt8Array:
        if not kept:
            kept.append(convert(frame, pixels))
        return kept[0]

    return picture


def _alpha_decoder(stream: AVStream) -> Any:
    """A decoder that gives alpha, where the usual one does not."""
    import av

    name = ALPHA_DECODERS.get(stream.codec_context.name)
    if name is None or name not in av.codecs_available:
        return None
    return av.CodecContext.create(name, "r")


def fit(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Width and height with the longer side at most `max_side`, even numbers where scaled."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    limit = max(2, max_side - max_side % 2)
    scaled = [max(2, 2 * round(side * limit / longest / 2)) for side in (width, height)]
    return scaled[0], scaled[1]
