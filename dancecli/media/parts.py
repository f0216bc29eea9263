"""A video written part by part, so that a killed run goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from dancecli.errors import MediaError, UsageError
from dancecli.media.audio import AudioSource
from dancecli.media.encoding import THREADS, Encoder, pictures_of
from dancecli.media.files import (
    aside,
    named,
    one_line,
    remove,
    room,
    settle,
    sha256_of,
    written_aside,
)
from dancecli.media.formats import FORMATS, format_of
from dancecli.media.gif import write_gif
from dancecli.media.joining import mux, write_folder
from dancecli.types import UInt8Array

PART_FRAMES = 24
"""Frames in a part: what a killed run loses at most."""

_log = logging.getLogger("dancecli.media")


class PartWriter:
    """Writes `count` frames to OUT by way of numbered parts in a folder.

    Frame k belongs to part k // part_frames. Each part is encoded by itself, in the output's own
    codec (or losslessly, for GIF and PNG), with its SHA-256 beside it; a part that is missing,
    damaged or of other settings is made again. `finish` copies the parts' packets into OUT, so
    the result does not depend on where earlier runs stopped.

    out: its extension chooses the format. fps: the constant rate. size: (width, height) in
    pixels. alpha: frames have 4 channels, RGB not premultiplied and alpha. parts: a folder for
    this output alone, made if needed. Raises UsageError for what the format cannot hold.
    """

    def __init__(
        self,
        out: Path,
        fps: Fraction,
        size: tuple[int, int],
        count: int,
        alpha: bool,
        parts: Path,
        part_frames: int = PART_FRAMES,
    ) -> None:
        self.out, self.fps, self.size, self.count = out, Fraction(fps), size, count
        self.alpha, self.parts, self.part_frames = alpha, parts, part_frames
        self.kind = format_of(out)
        self._check()
        self._settings = self._digest()
        self._part: int | None = None
        self._next = 0
        self._encoder: Encoder | None = None
        with room(parts):
            parts.mkdir(parents=True, exist_ok=True)

    def missing(self) -> list[range]:
        """Frames still to be written, in order, as few ranges as possible; all parts are checked.

        Each begins and ends where parts do.
        """
        ranges: list[range] = []
        for part in range(self._number()):
            if self._is_whole(part):
                continue
            frames = self._frames(part)
            if ranges and ranges[-1].stop == frames.start:
                frames = range(ranges.pop().start, frames.stop)
            ranges.append(frames)
        return ranges

    def write(self, frame: UInt8Array, index: int) -> None:
        """Frame `index`, uint8 (h, w, 3), with alpha (h, w, 4).

        A part is begun with its first frame and continued in order. Raises ValueError otherwise,
        and MediaError when it cannot be stored.
        """
        import av

        self._check_frame(frame, index)
        path = self._path(index // self.part_frames)
        try:
            with room(path, self._kept()):
                self._encode(frame, index)
        except av.FFmpegError as error:
            raise MediaError(f"cannot encode frame {index}: {one_line(error)}") from error

    def finish(self, audio: AudioSource | None, metadata: Mapping[str, str]) -> None:
        """Joins the parts, adds sound and metadata, and puts OUT in its place.

        Sound that is broken is left out with a warning. Raises ValueError while frames are
        missing, MediaError when OUT cannot be written; OUT is then as it was.
        """
        missing = self.missing()
        if missing:
            raise ValueError(f"frames {missing[0].start}-{missing[0].stop - 1} are not written")
        try:
            self._write_out(self._audible(audio), metadata)
        except MediaError:
            raise
        except Exception as error:  # hostile sound makes demuxers and muxers fail in any way
            if audio is None:
                raise MediaError(f"cannot write {named(self.out)}: {one_line(error)}") from error
            _log.warning("sound of %s left out: %s", named(audio.path), one_line(error))
            self.finish(None, metadata)

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drops a part that was not completed; whole parts stay."""
        if self._encoder is not None and self._part is not None:
            with contextlib.suppress(Exception):
                self._encoder.__exit__(RuntimeError, RuntimeError(), None)
            remove(aside(self._path(self._part)))
        self._encoder = self._part = None

    def _check(self) -> None:
        """Raises UsageError for what the format cannot hold, ValueError for what nothing can."""
        width, height = self.size
        if self.alpha and not self.kind.keeps_alpha:
            able = ", ".join(known.extension for known in FORMATS if known.keeps_alpha)
            raise UsageError(
                f"{self.kind.extension} cannot keep transparency: "
                f"name OUT with one of {able.rstrip(', ')}, or a folder"
            )
        if width % self.kind.step or height % self.kind.step:
            raise UsageError(
                f"{self.kind.extension} needs even width and height, not {width}x{height}: "
                f"use {width + width % 2}x{height + height % 2}"
            )
        if min(width, height, self.count, self.part_frames) < 1 or self.fps <= 0:
            raise ValueError(f"{self.count} frames of {width}x{height} at {self.fps} fps")

    def _digest(self) -> str:
        """What a part depends on besides its frames; parts of other settings are not used."""
        import av

        kind = self.kind
        settings = [
            kind.name, kind.codec, kind.options, kind.alpha_options if self.alpha else {},
            str(self.fps), list(self.size), self.part_frames, THREADS, av.library_versions,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def _number(self) -> int:
        return -(-self.count // self.part_frames)

    def _frames(self, part: int) -> range:
        first = part * self.part_frames
        return range(first, min(first + self.part_frames, self.count))

    def _path(self, part: int) -> Path:
        return self.parts / f"{part:06d}.{self.kind.name}.part"

    def _seal(self, part: int) -> Path:
        return self._path(part).with_suffix(".sha256")

    def _sealed(self, part: int) -> str:
        """What stands beside a whole part: the hash of its bytes, its settings, its frames."""
        return f"{sha256_of(self._path(part))} {self._settings} {len(self._frames(part))}\n"

    def _is_whole(self, part: int) -> bool:
        try:
            return self._seal(part).read_text() == self._sealed(part)
        except (OSError, ValueError):
            return False

    def _kept(self) -> str:
        return f"; what is finished is kept in {named(self.parts)}, run again to go on"

    def _check_frame(self, frame: UInt8Array, index: int) -> None:
        """Raises ValueError for a frame of another shape or out of turn."""
        shape = (self.size[1], self.size[0], 4 if self.alpha else 3)
        if frame.shape != shape or frame.dtype != "uint8":
            raise ValueError(f"frame {index} is {frame.dtype} {frame.shape}, not uint8 {shape}")
        fresh = index % self.part_frames == 0 and 0 <= index < self.count
        if self._encoder is None and not fresh:
            raise ValueError(f"frame {index} does not begin a part of {self.part_frames} frames")
        if self._encoder is not None and index != self._next:
            raise ValueError(f"frame {index} is out of turn: {self._next} is next")

    def _encode(self, frame: UInt8Array, index: int) -> None:
        """One frame into its part, which its first frame opens and its last one completes."""
        part = index // self.part_frames
        if self._encoder is None:
            self._begin(part)
        assert self._encoder is not None
        self._encoder.write(frame)
        self._next = index + 1
        if self._next == self._frames(part).stop:
            self._end(part)

    def _begin(self, part: int) -> None:
        """Opens a part aside; what was there under its name is no longer trusted."""
        remove(self._seal(part))
        self._part = part
        self._encoder = Encoder(aside(self._path(part)), self.kind, self.fps, self.size, self.alpha)

    def _end(self, part: int) -> None:
        """Completes a part: on the disk first, then under its name, then sealed."""
        encoder, self._encoder = self._encoder, None
        assert encoder is not None
        path = self._path(part)
        try:
            encoder.__exit__(None, None, None)
            settle(aside(path))
            aside(path).replace(path)
        finally:
            remove(aside(path))
        with written_aside(self._seal(part)) as seal:
            seal.write_text(self._sealed(part))

    def _audible(self, audio: AudioSource | None) -> AudioSource | None:
        if audio is not None and not self.kind.sound_codec:
            _log.info("%s holds no sound: it is left out", self.kind.name)
            return None
        return audio

    def _write_out(self, audio: AudioSource | None, metadata: Mapping[str, str]) -> None:
        """Writes OUT aside and puts it in its place."""
        parts = [self._path(part) for part in range(self._number())]
        note = "; ".join(metadata.values())

        def pictures() -> Iterator[UInt8Array]:
            return pictures_of(parts, self.alpha)

        with written_aside(self.out, self._kept()) as unfinished:
            if self.kind.is_folder:
                write_folder(pictures(), unfinished, note)
            elif self.kind.container:
                length = self.count / self.fps
                mux(parts, self.kind, unfinished, self.fps, audio, length, metadata, self.parts)
            else:
                write_gif(pictures, unfinished, self.fps, self.size, self.count, self.alpha, note)
