"""Sound as plain samples, each at its time: holes become silence, overlaps are cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

SLACK = Fraction(1, 50)
"""Seconds that sound may be early or late without being moved: containers round time stamps."""

CHUNK = 48000
"""Samples of silence written at once."""

Samples = NDArray[np.int16]
"""(2, n): left and right."""


def write_pcm(
    frames: Iterable[AudioFrame], rate: int, begin: Fraction, length: Fraction, path: Path
) -> bool:
    """Writes decoded frames to a Matroska file whose time zero is `begin`, in stereo, 16 bits.

    rate: samples per second, the source's. length: seconds after which it ends. Returns whether
    any sound was there; memory does not grow with the length. Raises av.FFmpegError, OSError or
    ValueError.
    """
    import av

    written = 0
    with av.open(str(path.absolute()), "w", format="matroska") as file:
        stream: Any = file.add_stream("pcm_s16le", rate=rate, layout="stereo")
        for samples in _placed(_stereo(frames, rate), rate, begin, length):
            frame = av.AudioFrame.from_ndarray(_packed(samples), format="s16", layout="stereo")
            frame.sample_rate, frame.pts = rate, written
            frame.time_base = Fraction(1, rate)
            written += samples.shape[1]
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return written > 0


def _packed(samples: Samples) -> Samples:
    return np.ascontiguousarray(samples.T).reshape(1, -1)


def _stereo(frames: Iterable[AudioFrame], rate: int) -> Iterator[tuple[Fraction | None, Samples]]:
    """(seconds, samples) of each frame; None where its time is not known."""
    import av

    kind, resampler = None, None
    for frame in frames:
        now = frame.format.name, frame.layout.name, frame.sample_rate
        if resampler is None or now != kind:  # a resampler takes one kind only
            kind, resampler = now, av.AudioResampler("s16p", "stereo", rate)
        unit = frame.time_base
        at = None if frame.pts is None or unit is None else Fraction(frame.pts * unit)
        for part in resampler.resample(frame):
            yield at, np.asarray(part.to_ndarray(), np.int16)
            at = None


def _placed(
    sound: Iterable[tuple[Fraction | None, Samples]], rate: int, begin: Fraction, length: Fraction
) -> Iterator[Samples]:
    """Samples without a hole from `begin` to the end of the sound or of `length` seconds."""
    done, end = 0, round(length * rate)
    follows: int | None = None  # where what came last ends, which may be before `begin`
    for at, samples in sound:
        place = (follows or 0) if at is None else round((at - begin) * rate)
        if follows is not None and abs(place - follows) <= SLACK * rate:
            place = follows
        follows = max(place + samples.shape[1], place if follows is None else follows)
        if place >= end:
            return
        while done < place:
            yield np.zeros((2, min(CHUNK, place - done)), np.int16)
            done += min(CHUNK, place - done)
        heard = samples[:, done - place : end - place]
        if heard.shape[1]:
            yield heard
            done += heard.shape[1]
