"""Frames of two fields, and frames that are partly transparent."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from dancecli.media import VideoStream

SIZE = (160, 96)


def moment(half: int) -> np.ndarray:
    """A bar that moves 3 pixels each half frame, below stripes that stay."""
    rgb = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    rgb[:16, ::8] = 220
    rgb[32:80, 10 + 3 * half : 40 + 3 * half] = 220
    return rgb


def interlaced(path: Path, codec: str, count: int = 12) -> Path:
    """Lines of two moments in each frame; the encoders say that the lower line's is the first."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=25, options={"flags": "+ilme+ildct"})
        stream.width, stream.height, stream.bit_rate = *SIZE, 8_000_000
        stream.pix_fmt = "yuv422p" if codec == "mpeg2video" else "yuv420p"
        for k in range(count):
            woven = moment(2 * k)
            woven[::2] = moment(2 * k + 1)[::2]
            frame = av.VideoFrame.from_ndarray(woven, "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with av.open(str(path)) as file:
        assert next(file.decode(video=0)).interlaced_frame
    return path


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "mpeg2video"), (".mp4", "libx264")])
def test_interlaced_frames_show_one_moment(tmp_path: Path, suffix: str, codec: str) -> None:
    stream = VideoStream(interlaced(tmp_path / f"clip{suffix}", codec))
    frames = [frame.rgb for frame in stream.frames()]
    assert (stream.count, stream.fps) == (12, 25)
    for k, rgb in enumerate(frames):
        off = np.abs(rgb.astype(int) - moment(2 * k)).max(2)
        assert (off[34:78] > 60).mean() < 0.005  # of woven lines, 2 % are elsewhere
        assert np.abs(rgb[2:14].astype(int) - moment(0)[2:14]).mean() < 12  # what stays is sharp
    for first in (1, 5, 11):
        assert np.array_equal(next(stream.frames(first)).rgb, frames[first])


def transparent(path: Path, rgba: np.ndarray) -> Path:
    """A video of one frame with alpha."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("qtrle", rate=25)
        stream.width, stream.height, stream.pix_fmt = rgba.shape[1], rgba.shape[0], "argb"
        frame = av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format="argb")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def test_what_lies_under_transparent_pixels_does_not_bleed_where_it_is_scaled(
    tmp_path: Path,
) -> None:
    rgba = np.zeros((64, 96, 4), np.uint8)
    rgba[:, 41:] = (255, 200, 200, 255)
    path = transparent(tmp_path / "clip.mov", rgba)
    small = next(VideoStream(path, max_side=40).frames()).rgb
    assert small.shape[1] == 40 and small.min() >= 195


def test_what_is_transparent_lies_over_white(tmp_path: Path) -> None:
    """As it does in photos; `frames_rgba` still tells what is under it."""
    rgba = np.zeros((32, 48, 4), np.uint8)
    rgba[..., 1] = 200
    rgba[:, 16:32, 3], rgba[:, 32:, 3] = 128, 255
    path = transparent(tmp_path / "clip.mov", rgba)
    shown = next(VideoStream(path).frames()).rgb[16].astype(int)
    assert np.abs(shown[[8, 24, 40]] - [[255] * 3, [127, 227, 127], [0, 200, 0]]).max() <= 2
    assert np.abs(next(VideoStream(path).frames_rgba()).astype(int) - rgba).max() <= 2
