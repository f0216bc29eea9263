"""Parts into the finished output: packets copied with exact times, or frames as PNG files."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from dancecli.media.audio import AudioSource, Sound, sound_of
from dancecli.media.files import named, one_line
from dancecli.media.formats import OutputFormat
from dancecli.media.photo import save_png
from dancecli.types import UInt8Array

_log = logging.getLogger("dancecli.media")


def mux(
    parts: Sequence[Path],
    kind: OutputFormat,
    out: Path,
    fps: Fraction,
    audio: AudioSource | None,
    length: Fraction,
    metadata: Mapping[str, str],
    work: Path,
) -> None:
    """Writes the parts' packets and the sound to one file, frame k at exactly k / fps.

    length: seconds of sound wanted. work: a folder for temporary files. Sound that cannot be read
    is left out from there on, with a warning. Raises av.FFmpegError, OSError or ValueError.
    """
    import av

    flags = {"fflags": "+bitexact"}
    if kind.edits:
        flags["movflags"] = "+faststart"
    with ExitStack() as stack:
        sound = _entered(stack, sound_of(audio, kind, length, work), audio) if audio else None
        first = stack.enter_context(av.open(str(parts[0].absolute()), "r"))
        file: Any = stack.enter_context(
            av.open(str(out.absolute()), "w", format=kind.container, container_options=flags)
        )
        file.metadata.update(metadata)
        stream = _copy_of(first.streams.video[0], file, kind)
        stream.time_base = 1 / fps
        tracks = [_pictures(parts, stream, 1 / fps, kind.reorder)]
        if sound is not None:
            tracks.append(_heard(sound, file.add_stream_from_template(sound.stream, opaque=True)))
        for _, packet in heapq.merge(*tracks, key=lambda timed: timed[0]):
            file.mux(packet)


def _copy_of(template: Any, file: Any, kind: OutputFormat) -> Any:
    """A stream for the template's packets.

    With its tag, as the muxer would call all ProRes "HQ", and its mark of alpha (WebM).
    """
    stream = file.add_stream_from_template(template, opaque=True)
    stream.metadata.update({k: v for k, v in template.metadata.items() if k == "alpha_mode"})
    if kind.edits:
        stream.codec_context.codec_tag = template.codec_context.codec_tag
    return stream


def _entered(
    stack: ExitStack, sound: AbstractContextManager[Sound | None], audio: AudioSource
) -> Sound | None:
    """The sound, open until the stack closes; None, with a warning, where it is broken."""
    try:
        return stack.enter_context(sound)
    except Exception as error:  # hostile sound makes demuxers and converters fail in any way
        _log.warning("sound of %s left out: %s", named(audio.path), one_line(error))
        return None


def _pictures(
    parts: Iterable[Path], stream: Any, unit: Fraction, reorder: int
) -> Iterator[tuple[Fraction, Any]]:
    """(seconds, packet) of the video in the order of decoding; parts follow one another."""
    import av

    done = 0
    for part in parts:
        with av.open(str(part.absolute()), "r") as container:
            packets: list[Any] = [p for p in container.demux(video=0) if p.size]
        places = np.argsort(np.argsort([p.pts for p in packets], kind="stable"))
        for n, (packet, place) in enumerate(zip(packets, places.tolist(), strict=True)):
            packet.time_base = unit
            packet.pts, packet.dts = done + place, done + n - reorder
            packet.duration = 1
            packet.stream = stream
            yield packet.dts * unit, packet
        done += len(packets)


def _heard(sound: Sound, stream: Any) -> Iterator[tuple[Fraction, Any]]:
    """(seconds, packet) of the sound, counted from the video's time zero."""
    import av

    time = Fraction(0)
    try:
        for packet in sound.packets:
            packet.pts = packet.dts = (packet.pts or 0) - sound.zero
            packet.stream = stream
            time = packet.pts * packet.time_base
            yield time, packet
    except (av.FFmpegError, ValueError, OSError) as error:
        _log.warning("sound breaks off at %.2f s: %s", float(time), one_line(error))


def write_folder(pictures: Iterable[UInt8Array], folder: Path, note: str) -> None:
    """Frames (H, W, 3 or 4) as 000001.png, 000002.png ... in a new folder.

    note: the PNGs' Comment, "" for none. Raises OSError (FileExistsError if the folder is there),
    av.FFmpegError.
    """
    folder.mkdir()
    for number, picture in enumerate(pictures, start=1):
        save_png(folder / f"{number:06d}.png", picture, {"comment": note} if note else None)
