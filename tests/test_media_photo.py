"""Photos: whatever the file holds, what comes in is upright RGB, or one clear line."""

from __future__ import annotations

import logging
import os
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import assert_one_line, make_video, picture
from PIL import Image, ImageCms

from dancecli.errors import MediaError
from dancecli.media import read_photo, write_png
from dancecli.plate import BackgroundSpec
from dancecli.steps.background import given_plate

# What a viewer sees, as (row of red corner, column): the stored picture per EXIF orientation.
SEEN = np.zeros((40, 60, 3), np.uint8)
SEEN[:20, :30] = (255, 0, 0)
SEEN[:20, 30:] = (0, 255, 0)
SEEN[20:, :30] = (0, 0, 255)
STORED = {
    1: SEEN, 2: SEEN[:, ::-1], 3: SEEN[::-1, ::-1], 4: SEEN[::-1],
    5: SEEN.swapaxes(0, 1), 6: np.rot90(SEEN, 1), 7: SEEN.swapaxes(0, 1)[::-1, ::-1],
    8: np.rot90(SEEN, -1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", sorted(STORED))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.ascontiguousarray(STORED[orientation])).save(
        path, exif=exif, quality=95, subsampling=0
    )
    rgb = read_photo(path).rgb
    assert rgb.shape == SEEN.shape and rgb.dtype == np.uint8 and rgb.flags.c_contiguous
    assert np.abs(rgb.astype(int) - SEEN).mean() < 4


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp"])
def test_lossless_formats_come_in_exactly(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(picture(77)).save(path, **({"lossless": True} if suffix == "webp" else {}))
    assert np.array_equal(read_photo(path).rgb, picture(77))


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_heic_and_avif(tmp_path: Path, suffix: str) -> None:
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    path = tmp_path / f"photo.{suffix}"
    if suffix == "heic":
        heif.from_pillow(Image.fromarray(SEEN)).save(path, quality=95)
    else:
        Image.fromarray(SEEN).save(path, quality=95)
    assert np.abs(read_photo(path).rgb.astype(int) - SEEN).mean() < 6


def test_heic_without_its_plugin_says_how_to_install_it(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(100))
    script = textwrap.dedent("""
        import sys; sys.modules["pillow_heif"] = None
        from pathlib import Path; from dancecli.media import read_photo
        try: read_photo(Path(sys.argv[1]))
        except Exception as error: print(type(error).__name__, error)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("MediaError") and 'pip install "dancecli[heic]"' in done.stdout


def test_alpha_is_flattened_over_white(tmp_path: Path) -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, 4:, 3] = 255
    rgba[:4, :4, 3] = 128
    path = tmp_path / "photo.png"
    Image.fromarray(rgba).save(path)
    rgb = read_photo(path).rgb
    assert rgb[6, 1].tolist() == [255, 255, 255] and rgb[6, 6].tolist() == [200, 0, 0]
    assert np.abs(rgb[1, 1].astype(int) - [227, 127, 127]).max() <= 1


def test_transparent_palette_colour_becomes_white(tmp_path: Path) -> None:
    indexed = Image.new("P", (4, 4), 1)
    indexed.putpalette([9, 9, 9, 0, 128, 0])
    indexed.putpixel((0, 0), 0)
    indexed.save(tmp_path / "photo.png", transparency=0)
    rgb = read_photo(tmp_path / "photo.png").rgb
    assert rgb[0, 0].tolist() == [255] * 3 and rgb[2, 2].tolist() == [0, 128, 0]


def test_grey_of_16_bits_is_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for suffix in ("png", "tiff"):
        path = tmp_path / f"photo.{suffix}"
        Image.fromarray(ramp).save(path)
        rgb = read_photo(path).rgb
        assert np.abs(rgb[..., 1].ravel().astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("most", [255, 65535])
def test_grey_of_32_bits_may_hold_what_8_or_16_would(tmp_path: Path, most: int) -> None:
    ramp = np.linspace(0, most, 256).astype(np.int32).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "grey.tif")
    rgb = read_photo(tmp_path / "grey.tif").rgb
    assert np.abs(rgb[..., 0].ravel().astype(int) - np.arange(256)).max() <= 1


def deep_png(path: Path, *colours: tuple[int, int, int], clear: tuple[int, ...] = ()) -> Path:
    """Two rows of pixels of 16 bits; Pillow writes none, so the PNG is put together by hand."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    row = b"\0" + b"".join(struct.pack(">3H", *colour) for colour in colours)
    head = struct.pack(">IIBBBBB", len(colours), 2, 16, 2, 0, 0, 0)
    told = chunk(b"tRNS", struct.pack(">3H", *clear)) if clear else b""
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + told
        + chunk(b"IDAT", zlib.compress(row * 2)) + chunk(b"IEND", b"")
    )  # fmt: skip
    return path


def test_colour_of_16_bits(tmp_path: Path) -> None:
    path = deep_png(tmp_path / "photo.png", (65535, 32768, 0), (0, 32768, 65535))
    assert read_photo(path).rgb[0].tolist() == [[255, 128, 0], [0, 128, 255]]


def test_a_transparent_colour_of_16_bits_is_white_and_its_neighbours_are_not(
    tmp_path: Path,
) -> None:
    clear = (1000, 2000, 3000)
    near, low = (1001, 2000, 3000), tuple(value % 256 * 257 for value in clear)
    path = deep_png(tmp_path / "photo.png", clear, near, low, clear=clear)
    assert read_photo(path).rgb[0].tolist() == [[255] * 3, [3, 7, 11], [232, 208, 184]]


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "CMYK"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    grey = Image.new("RGB", (16, 16), "white")
    path = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png")
    grey.convert(mode).save(path)
    rgb = read_photo(path).rgb
    assert rgb.shape == (16, 16, 3) and rgb.min() > 245


def test_colour_profile_is_applied(tmp_path: Path) -> None:
    """A profile whose red and blue primaries have changed places shows red as blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    path = tmp_path / "photo.png"
    Image.new("RGB", (4, 4), (250, 10, 10)).save(path, icc_profile=swapped)
    assert np.abs(read_photo(path).rgb[0, 0].astype(int) - [10, 10, 250]).max() <= 3


def test_damaged_exif_and_profile_do_not_cost_the_photo(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(picture(9)).save(path, exif=b"Exif\0\0MM\0*garbage", icc_profile=b"garbage")
    assert np.array_equal(read_photo(path).rgb, picture(9))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated_photo(tmp_path: Path, suffix: str, share: float) -> None:
    whole = tmp_path / f"whole.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(whole)
    path = tmp_path / f"photo.{suffix}"
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    with pytest.raises(MediaError) as caught:
        read_photo(path)
    assert_one_line(caught, path.name, "truncated")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=0, max_size=300), head=st.sampled_from(range(6)))
def test_hostile_bytes_give_one_clear_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, head: int
) -> None:
    heads = (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"BM")
    path = tmp_path_factory.mktemp("hostile") / "photo.jpg"
    path.write_bytes(heads[head] + data)
    with pytest.raises(MediaError) as caught:
        read_photo(path)
    assert_one_line(caught, "photo.jpg")


def test_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.new("1", (20000, 20000)).save(path)
    assert path.stat().st_size < 200_000
    with pytest.raises(MediaError) as caught:
        read_photo(path)
    assert_one_line(caught, path.name, "128 megapixels")


def test_what_is_no_photo_says_so(tmp_path: Path) -> None:
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("hello\n" * 50)
    empty.touch()
    video = make_video(tmp_path / "clip.mp4", 5)
    moving = tmp_path / "moving.gif"
    make_video(moving, 5)
    cases = [
        (tmp_path / "absent.jpg", "does not exist"), (tmp_path, "folder"),
        (text, "not a picture"), (empty, "empty"), (video, "is a video"),
        (moving, "animation of 5"),
    ]  # fmt: skip
    for path, word in cases:
        with pytest.raises(MediaError) as caught:
            read_photo(path)
        assert_one_line(caught, path.name, word)


def test_a_background_is_called_one(tmp_path: Path) -> None:
    empty, moving = tmp_path / "empty.png", tmp_path / "moving.webp"
    empty.touch()
    pictures = [Image.fromarray(picture(k)) for k in range(3)]
    pictures[0].save(moving, save_all=True, append_images=pictures[1:])
    for path, words in ((empty, "background"), (moving, "convert it to .mp4 or .gif")):
        with pytest.raises(MediaError) as caught:
            given_plate(BackgroundSpec("image", path=path), None, (8, 8))  # type: ignore[arg-type]
        assert_one_line(caught, path.name, words)
        assert "photo" not in str(caught.value)


def test_line_breaks_in_a_name_stay_one_line(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        read_photo(tmp_path / "bad\nname\x1b[31m.jpg")
    assert_one_line(caught, "bad\\nname")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_photo(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    write_png(path, picture(1))
    path.chmod(0)
    with pytest.raises(MediaError) as caught:
        read_photo(path)
    assert_one_line(caught, path.name, "denied")


def test_write_png_leaves_no_trace_when_it_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "sheet.png"
    write_png(path, picture(3))
    assert np.array_equal(read_photo(path).rgb, picture(3))
    with pytest.raises(MediaError):
        write_png(tmp_path / "absent" / "sheet.png", picture(3))
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]


def test_a_transparent_colour_is_white_whatever_the_profile(tmp_path: Path) -> None:
    rgb = np.full((4, 4, 3), (10, 20, 30), np.uint8)
    rgb[0, 0], path = (200, 100, 50), tmp_path / "photo.png"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(rgb).save(path, transparency=(200, 100, 50), icc_profile=profile)
    seen = read_photo(path).rgb.astype(int)
    assert seen[0, 0].tolist() == [255] * 3 and np.abs(seen[1:] - rgb[1:]).max() <= 2


def test_a_transparent_grey_of_16_bits_is_white(tmp_path: Path) -> None:
    grey = np.full((4, 4), 25700, np.uint16)
    grey[0, 0], grey[0, 1] = 1000, 1001
    Image.fromarray(grey).save(tmp_path / "photo.png", transparency=1000)
    seen = read_photo(tmp_path / "photo.png").rgb[..., 0]
    assert seen[0].tolist() == [255, 4, 100, 100] and (seen[1:] == 100).all()
