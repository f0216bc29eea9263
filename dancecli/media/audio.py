"""The driving video's sound: its packets copied where the output takes them, else re-encoded.

PyAV cuts and copies, since it keeps time stamps to the tick; moviepy converts what the output's
container cannot hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dancecli.media.files import named
from dancecli.media.formats import OutputFormat
from dancecli.media.pcm import write_pcm
from dancecli.media.probe import opened, pictures, survey, until_broken
from dancecli.media.scanning import onward

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.packet import Packet

PRIMING = Fraction(1, 10)
"""Seconds before time zero in which codecs put the packets that only warm up the decoder."""

WARMING = Fraction(1)
"""Seconds before a cut from which sound is decoded, so that it is right at the cut."""

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
    line = survey(source.path).timeline
    begin = line.zero + Fraction(source.start or 0)
    if source.end is not None:
        length = min(length, Fraction(source.end) - Fraction(source.start or 0))
    with opened(source.path) as (container, _):
        if not container.streams.audio:
            yield None
            return
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise ValueError("its codec is unknown: convert it to AAC")
        packets = onward(until_broken(container, stream), line.joins)
        if stream.codec_context.codec.canonical_name in kind.sound_copied:
            yield _cut(packets, stream, begin, length, _lead(stream, begin, kind))
        else:
            frames = _decoded(packets, stream, begin, source.path)
            with _converted(frames, stream, kind, begin, length, work) as other:
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
    packets: Iterator[Any], stream: AudioStream, begin: Fraction, length: Fraction, lead: Fraction
) -> Sound:
    """The packets from `lead` seconds before `begin` to `length` seconds after it."""

    def wanted() -> Iterator[Packet[Any]]:
        last = None
        for packet in packets:
            at = packet.pts if packet.pts is not None else packet.dts
            if at is None or packet.size == 0 or (last is not None and at <= last):
                continue
            if at * packet.time_base >= begin + length:
                return
            if at * packet.time_base >= begin - lead:
                last = packet.pts = packet.dts = at
                yield packet

    return Sound(stream, round(begin / Fraction(stream.time_base or 1)), wanted())


@contextlib.contextmanager
def _converted(
    frames: Iterator[AudioFrame], stream: AudioStream, kind: OutputFormat, begin: Fraction,
    length: Fraction, work: Path,
) -> Iterator[Sound | None]:  # fmt: skip
    """The sound in the output's own codec, by way of two temporary files.

    moviepy drops what time sound has, so it is given samples without holes, which begin at time
    zero.
    """
    import av

    plain, encoded = work / "sound.mka", work / f"sound{kind.sound_file}"
    try:
        if not write_pcm(frames, stream.codec_context.rate, begin, length, plain):
            yield None
            return
        _encode(plain, encoded, kind)
        with av.open(str(encoded.absolute()), "r") as file:
            packets = (packet for packet in file.demux(file.streams.audio[0]) if packet.size)
            yield Sound(file.streams.audio[0], 0, packets)
    finally:
        plain.unlink(missing_ok=True)
        encoded.unlink(missing_ok=True)


def _decoded(
    packets: Iterator[Any], stream: AudioStream, begin: Fraction, path: Path
) -> Iterator[AudioFrame]:
    """The sound from about `begin` on; what cannot be decoded is skipped and reported."""

    def needless(packet: Any) -> bool:
        if packet is None or packet.pts is None or not packet.duration:
            return False
        return bool((packet.pts + packet.duration) * packet.time_base <= begin - WARMING)

    wanted = (packet for packet in packets if not needless(packet))
    yield from pictures(wanted, stream.codec_context.decode, f"sound of {named(path)}")


def _encode(source: Path, target: Path, kind: OutputFormat) -> None:
    """One file's sound encoded into another, in stereo."""
    from moviepy import AudioFileClip

    with contextlib.closing(AudioFileClip(str(source), fps=kind.sound_rate)) as clip:
        clip.write_audiofile(
            str(target), fps=kind.sound_rate, codec=kind.sound_codec, bitrate=BITRATE, logger=None
        )
