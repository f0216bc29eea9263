"""HDR and wide colours come in as what an SDR display of the same scene shows."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media_samples import make_video
from PIL import Image, features

from dancecli.media import VideoStream, read_photo

PQ, HLG, BT2020_10 = 16, 18, 14
BARS = [(190, 190, 190), (102, 102, 102), (190, 190, 60), (60, 190, 190), (30, 60, 150),
        (200, 150, 120), (16, 16, 16), (60, 120, 40)]  # fmt: skip
"""What SDR shows: greys, bars of 75 %, a face, a meadow."""

RGB_2020 = np.array([[0.627404, 0.329283, 0.043313], [0.069097, 0.919540, 0.011362],
                     [0.016391, 0.088013, 0.895595]])  # fmt: skip
"""Linear BT.709 to linear BT.2020 (BT.2087)."""


def light(bars: Any) -> np.ndarray:
    """Light of SDR codes, 1 being a white sheet, in BT.2020."""
    return np.asarray((np.asarray(bars) / 255) ** 2.4 @ RGB_2020.T)


def coded(sheets: np.ndarray, transfer: int) -> np.ndarray:
    """Code values 0 to 1 of light in units of a white sheet (203 nits), as BT.2100 says."""
    if transfer == BT2020_10:
        return np.asarray(sheets ** (1 / 2.4))
    nits = sheets * 203
    if transfer == PQ:
        power = (nits / 10000) ** 0.1593017578125
        return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)
    bright = nits @ [0.2627, 0.678, 0.0593]
    scene = nits / 1000 * ((bright / 1000) ** (1 / 1.2 - 1))[..., None]
    with np.errstate(invalid="ignore"):
        high = 0.17883277 * np.log(12 * scene - 0.28466892) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def film(path: Path, codes: np.ndarray, transfer: int, tagged: bool = True) -> Path:
    """Two frames with a column, 16 pixels wide, for each colour; lossless, 10 bits."""
    rgb = np.rint(np.repeat(codes, 16, 0)[None].repeat(32, 0) * 65535).astype(np.uint16)
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = rgb.shape[1], 32, "yuv444p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = transfer, 9
        context.colorspace, context.color_range = (9 if tagged else 2), 1
        for k in range(2):
            frame = av.VideoFrame.from_ndarray(rgb, "rgb48le").reformat(
                format="yuv444p10le", dst_colorspace=9, src_color_range=2, dst_color_range=1
            )
            frame.pts, frame.time_base = k, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def shown(path: Path) -> np.ndarray:
    """The colour in the middle of each column."""
    return next(VideoStream(path).frames()).rgb[16, 8::16].astype(int)


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("transfer", [PQ, HLG, BT2020_10])
def test_colours_are_those_of_sdr(tmp_path: Path, transfer: int, tagged: bool) -> None:
    path = film(tmp_path / "clip.mkv", coded(light(BARS), transfer), transfer, tagged)
    assert np.abs(shown(path) - BARS).max() <= 4


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_bright_lights_stay_apart(tmp_path: Path, transfer: int) -> None:
    """A white sheet is nearly white, and what is brighter still has room above it."""
    sheets = np.array([[0.5] * 3, [1] * 3, [2] * 3, [3] * 3, [4.9] * 3])
    grey = shown(film(tmp_path / "clip.mkv", coded(sheets, transfer), transfer))[:, 1]
    assert (np.diff(grey) >= 2).all() and 225 <= grey[1] <= 245 and grey[-1] >= 254


def test_it_is_said_once_for_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = film(tmp_path / "clip.mkv", coded(light(BARS), HLG), HLG)
    with caplog.at_level(logging.INFO, "dancecli.media"):
        VideoStream(path)
        VideoStream(path, max_side=64)
    (record,) = caplog.records
    assert record.levelno == logging.INFO and "clip.mkv: HDR (HLG)" in record.getMessage()


def test_reading_may_begin_anywhere_and_alpha_is_full(tmp_path: Path) -> None:
    stream = VideoStream(film(tmp_path / "clip.mkv", coded(light(BARS), PQ), PQ))
    first, second = stream.frames()
    assert np.array_equal(next(stream.frames(1)).rgb, second.rgb)
    rgba = next(stream.frames_rgba())
    assert np.array_equal(rgba[..., :3], first.rgb) and rgba[..., 3].min() == 255


def test_sdr_is_left_alone(tmp_path: Path) -> None:
    from dancecli.media.scaling import exact

    path = make_video(tmp_path / "clip.mp4", 1)
    with av.open(str(path)) as file:
        plain = next(file.decode(video=0)).reformat(
            format="rgb24", src_colorspace=5, dst_color_range=2,
            interpolation=exact("BICUBIC", "FULL_CHR_H_INT"),
        )  # fmt: skip
    assert np.array_equal(next(VideoStream(path).frames()).rgb, plain.to_ndarray())


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow knows no AVIF")
@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_still_pictures(tmp_path: Path, transfer: int) -> None:
    """Pillow writes no HDR, so the numbers in the file's head are changed by hand."""
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    codes = np.rint(coded(light(BARS), transfer) * 255).astype(np.uint8)
    path = tmp_path / "photo.avif"
    wide = np.repeat(codes, 16, 0)[None].repeat(32, 0)
    Image.fromarray(wide).save(path, quality=100, subsampling="4:4:4")
    data = bytearray(path.read_bytes())
    at = data.find(b"colrnclx") + 8
    data[at : at + 4] = bytes([0, 9, 0, transfer])
    path.write_bytes(data)
    assert np.abs(read_photo(path).rgb[16, 8::16].astype(int) - BARS).max() <= 8
