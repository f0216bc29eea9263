"""The driving video's sound: its packets copied where the output takes them, else re-encoded.

PyAV cuts and copies, since it keeps time stamps to the tick; moviepy converts what the output's
container cannot hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dancecli.media.formats import OutputFormat
from dancecli.media.probe import opened, survey

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

PRIMING = Fraction(1, 10)
"""Seconds before time zero in which codecs put the packets that only warm up the decoder."""

BITRATE = "192k"
"""Of sound that has to be encoded again."""


@dataclass(frozen=True)
class AudioSource:
    """The first sound track of a video, from `start` to `end` seconds of its picture."""

    path: Path
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, eq=False)
class Sound:
    """Packets ready to be muxed: `stream` is their template, `zero` the tick of time zero."""

    stream: AudioStream
    zero: int
    packets: Iterator[Packet[Any]]


@contextlib.contextmanager
def sound_of(
    source: AudioSource, kind: OutputFormat, length: Fraction, work: Path
) -> Iterator[Sound | None]:
    """The sound for a video of `length` seconds, None where the source has none.

    work: an existing folder for temporary files, which are removed. Raises MediaError,
    av.FFmpegError, OSError or ValueError where it is broken.
    """
    begin = survey(source.path).timeline.zero + Fraction(source.start or 0)
    if source.end is not None:
        length = min(length, Fraction(source.end) - Fraction(source.start or 0))
    with opened(source.path) as (container, _):
        if not container.streams.audio:
            yield None
            return
        stream = container.streams.audio[0]
        if stream.codec_context.codec.canonical_name in kind.sound_copied:
            lead = _lead(stream, begin, kind)
            yield _cut(container, stream, begin, length, lambda at, lasts: at >= begin - lead)
        else:
            sound = _cut(container, stream, begin, length, lambda at, lasts: at + lasts > begin)
            with _converted(sound, kind, begin, length, work) as other:
                yield other


def _lead(stream: AudioStream, begin: Fraction, kind: OutputFormat) -> Fraction:
    """Seconds before the cut from which packets are copied, hidden, to warm up the decoder.

    From a file's beginning, its own priming; later on, the packet that is cut through and the one
    before it, where the output can hide them.
    """
    if begin == 0:
        return PRIMING
    if not kind.edits:
        return Fraction(0)
    return Fraction(2 * (stream.codec_context.frame_size or 1024), stream.codec_context.rate)


def _cut(
    container: Any,
    stream: AudioStream,
    begin: Fraction,
    length: Fraction,
    keep: Callable[[Fraction, Fraction], bool],
) -> Sound:
    """The packets before `begin` + `length` seconds; `keep` is asked with (begins, lasts)."""

    def wanted() -> Iterator[Packet[Any]]:
        last = None
        for packet in container.demux(stream):
            at = packet.pts if packet.pts is not None else packet.dts
            if at is None or packet.size == 0 or (last is not None and at <= last):
                continue
            if at * packet.time_base >= begin + length:
                return
            if keep(at * packet.time_base, (packet.duration or 0) * packet.time_base):
                last = packet.pts = packet.dts = at
                yield packet

    return Sound(stream, round(begin / Fraction(stream.time_base or 1)), wanted())


@contextlib.contextmanager
def _converted(
    sound: Sound, kind: OutputFormat, begin: Fraction, length: Fraction, work: Path
) -> Iterator[Sound | None]:
    """The sound in the output's own codec, by way of two temporary files.

    moviepy takes a file's sound from its first sample on and drops what time it has, so it is
    given just the packets wanted, and the first one's time is put back afterwards.
    """
    import av

    copied, encoded = work / "sound.mka", work / f"sound{kind.sound_file}"
    try:
        first = _copy(sound, copied)
        if first is None:
            yield None
            return
        early = max(begin - first, Fraction(0))
        _encode(copied, encoded, kind, float(early), float(begin + length - first))
        with av.open(str(encoded.absolute()), "r") as container:
            stream = container.streams.audio[0]
            zero = round((begin - first - early) / Fraction(stream.time_base or 1))
            packets = (packet for packet in container.demux(stream) if packet.size)
            yield Sound(stream, zero, packets)
    finally:
        copied.unlink(missing_ok=True)
        encoded.unlink(missing_ok=True)


def _encode(source: Path, target: Path, kind: OutputFormat, start: float, end: float) -> None:
    """The sound from `start` to `end` seconds of one file, encoded into another, in stereo."""
    from moviepy import AudioFileClip

    with contextlib.closing(AudioFileClip(str(source), fps=kind.sound_rate)) as clip:
        clip.subclipped(start, min(end, clip.duration)).write_audiofile(
            str(target), fps=kind.sound_rate, codec=kind.sound_codec, bitrate=BITRATE, logger=None
        )


def _copy(sound: Sound, path: Path) -> Fraction | None:
    """Writes the packets to a file that begins with the first; returns that one's seconds."""
    import av

    first: int | None = None
    with av.open(str(path.absolute()), "w", format="matroska") as container:
        stream = container.add_stream_from_template(sound.stream, opaque=True)
        for packet in sound.packets:
            first = packet.pts if first is None else first
            packet.pts = packet.dts = (packet.pts or 0) - (first or 0)
            packet.stream = stream
            container.mux(packet)
    return None if first is None else first * Fraction(sound.stream.time_base or 1)
