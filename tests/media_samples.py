"""Videos made on the spot: every frame carries its number, so that tests can tell them apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from dancecli.errors import DanceError

BITS = 8
ENCODERS = {
    ".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".avi": "mpeg4",
    ".webm": "libvpx-vp9", ".gif": "gif", ".ts": "libx264",
}  # fmt: skip


def picture(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """RGB (h, w, 3): the number in eight black or white columns, above a red-green ramp."""
    width, height = size
    rgb = np.zeros((height, width, 3), np.uint8)
    column = np.arange(width) * BITS // width
    rgb[: height // 2] = np.where((number >> column) & 1, 235, 20)[None, :, None]
    rgb[height // 2 :, :, 0] = np.linspace(20, 220, width)[None, :]
    rgb[height // 2 :, :, 1] = np.linspace(220, 20, width)[None, :]
    return rgb


def number_of(rgb: np.ndarray) -> int:
    """The number that a (compressed) picture carries."""
    height, width = rgb.shape[:2]
    middles = (np.arange(BITS) * 2 + 1) * width // (2 * BITS)
    return int(sum(int(rgb[height // 4, x].mean() > 127) << i for i, x in enumerate(middles)))


def make_video(
    path: Path,
    count: int = 30,
    fps: Fraction | int = 25,
    size: tuple[int, int] = (64, 48),
    times: Sequence[float] | None = None,
    sound: str | None = None,
    sound_start: float = 0.0,
    rotation: int | None = None,
    gop: int = 10,
) -> Path:
    """A video of `picture`s. times: seconds at which frames appear, for a variable rate.

    sound: an audio encoder's name, for a tone as long as the video.
    """
    unit = Fraction(1, 90000) if times is not None else 1 / Fraction(fps)
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(ENCODERS[path.suffix], rate=Fraction(fps))
        stream.width, stream.height = size
        if path.suffix == ".gif":
            stream.pix_fmt = "rgb8"
        else:
            stream.pix_fmt = "yuv444p" if any(s % 2 for s in size) else "yuv420p"
            stream.gop_size = gop
        stream.codec_context.time_base = unit
        if rotation is not None:
            stream.set_display_rotation(rotation)
        track: Any = file.add_stream(sound, rate=48000) if sound else None
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(picture(k, size), "rgb24")
            frame.pts = k if times is None else round(times[k] / unit)
            frame.time_base = unit
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if track is not None:
            _tone(file, track, count / float(fps) if times is None else times[-1], sound_start)
    return path


def _tone(file: Any, track: Any, seconds: float, start: float) -> None:
    """440 Hz, louder and softer twice a second."""
    at = np.arange(int(48000 * seconds))
    wave = np.sin(at * 440 * 2 * np.pi / 48000) * (0.3 + 0.2 * np.sin(at * 4 * np.pi / 48000))
    samples = np.repeat((wave * 32767).astype(np.int16), 2)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
    frame.sample_rate, frame.pts = 48000, round(start * 48000)
    frame.time_base = Fraction(1, 48000)
    file.mux(track.encode(frame))
    file.mux(track.encode(None))


def packets(path: Path, kind: str) -> list[Any]:
    """All packets of the first stream of a kind ("video", "audio"), none held open."""
    with av.open(str(path)) as file:
        return [p for p in file.demux(getattr(file.streams, kind)[0]) if p.size]


def sound_samples(path: Path) -> tuple[float, np.ndarray]:
    """When the sound that is heard begins, in seconds, and its samples, (n,) float."""
    with av.open(str(path)) as file:
        frames = list(file.decode(audio=0))
    mono = [np.atleast_2d(f.to_ndarray().astype(float)).mean(0) for f in frames]
    assert frames[0].pts is not None
    return float(frames[0].pts * frames[0].time_base), np.concatenate(mono)


def boxes(path: Path) -> list[bytes]:
    """The names of an mp4's top-level boxes, in order."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        names.append(data[at + 4 : at + 8])
        at += size if size > 1 else int.from_bytes(data[at + 8 : at + 16], "big")
    return names


def assert_one_line(caught: pytest.ExceptionInfo[DanceError], *words: str) -> None:
    """The message is one line, has substance, and says the words."""
    message = str(caught.value)
    assert "\n" not in message and len(message) > 20
    for word in words:
        assert word in message, (word, message)


def is_json_plain(value: Any) -> bool:
    """Whether a value survives JSON unchanged."""
    return bool(json.loads(json.dumps(value)) == value)
