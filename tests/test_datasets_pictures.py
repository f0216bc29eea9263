"""Pictures and lists of data sets are read as stored, or refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from dance_datasets import files, pictures
from dance_datasets.files import Folder, UnusableError, listed, refused
from dance_datasets.pictures import read_indices, read_rgb
from made_datasets import in_red, save, write
from PIL import Image

VALUES = np.arange(48, dtype=np.uint8).reshape(6, 8)


def read(root: Path, name: str = "a.png") -> np.ndarray:
    return read_indices(Folder(root.resolve()), name, (6, 8))


@pytest.mark.parametrize(
    "pixels",
    [
        VALUES,
        VALUES.astype(np.uint16),
        in_red(VALUES),
        in_red(VALUES, alpha=True),
        np.dstack([VALUES] * 3),
        np.dstack([VALUES, np.full_like(VALUES, 255)]),
    ],
    ids=["grey", "16 bits", "red", "red with alpha", "grey as RGB", "grey with alpha"],
)
def test_numbers_are_read_as_they_are(tmp_path: Path, pixels: np.ndarray) -> None:
    save(tmp_path / "a.png", pixels)
    assert np.array_equal(read(tmp_path), VALUES)


def test_numbers_above_8_bits_are_kept(tmp_path: Path) -> None:
    save(tmp_path / "a.png", VALUES.astype(np.uint16) + 250)
    assert np.array_equal(read(tmp_path), VALUES.astype(int) + 250)


@pytest.mark.parametrize("bits", [4, 8])
def test_palette_pictures_give_their_indices(tmp_path: Path, bits: int) -> None:
    picture = Image.fromarray(VALUES % 16)
    picture.putpalette(np.random.default_rng(0).integers(0, 256, 48).astype(np.uint8))
    picture.save(tmp_path / "a.png", bits=bits)
    assert np.array_equal(read(tmp_path), VALUES % 16)


def test_a_coloured_picture_is_not_taken_for_labels(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.dstack([VALUES, VALUES, VALUES // 2]))
    with pytest.raises(UnusableError, match=r"a\.png: annotation is a coloured picture"):
        read(tmp_path)


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", VALUES.T)
    with pytest.raises(UnusableError, match=r"a\.png: annotation is of another size"):
        read(tmp_path)


def test_grey_of_few_bits_is_refused(tmp_path: Path) -> None:
    Image.fromarray(VALUES > 9).save(tmp_path / "a.png")  # one bit: decoders scale it to 255
    with pytest.raises(UnusableError, match="no picture of numbers"):
        read(tmp_path)


def test_a_jpeg_is_no_annotation(tmp_path: Path) -> None:
    save(tmp_path / "a.png", VALUES, format="JPEG")
    with pytest.raises(UnusableError, match="no PNG"):
        read(tmp_path)


def test_orientation_is_not_applied(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    save(tmp_path / "a.jpg", rgb, exif=exif, quality=100, subsampling=0)
    found = read_rgb(Folder(tmp_path.resolve()), "a.jpg")
    assert found.shape == (6, 8, 3)
    assert np.abs(found.astype(int) - rgb).max() < 40


def test_a_grey_photo_is_rgb(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", np.full((6, 8), 77, np.uint8))
    assert read_rgb(Folder(tmp_path.resolve()), "a.jpg").shape == (6, 8, 3)


@pytest.mark.parametrize("keep", [0, 20, 200, -30])
def test_a_photo_cut_short_is_refused(tmp_path: Path, keep: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    path = save(tmp_path / "a.jpg", rgb)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UnusableError, match=r"a\.jpg: picture cannot be decoded"):
        read_rgb(Folder(tmp_path.resolve()), "a.jpg")


def test_too_large_files_and_pictures_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.png", VALUES)
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "LARGEST_PIXELS", 47)
        with pytest.raises(UnusableError, match="annotation is above 47 pixels"):
            read(tmp_path)
    monkeypatch.setattr(pictures, "LARGEST_FILE", 50)
    with pytest.raises(UnusableError, match="annotation is above"):
        read(tmp_path)


def test_a_header_that_promises_a_huge_picture_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", VALUES)
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnusableError, match="annotation"):
        read(tmp_path)


@pytest.mark.parametrize("link", ["file", "folder"])
def test_links_out_of_the_data_set_are_not_followed(tmp_path: Path, link: str) -> None:
    outside = save(tmp_path / "outside/a.png", VALUES)
    root = tmp_path / "set"
    root.mkdir()
    name = "a.png" if link == "file" else "inner/a.png"
    (root / name.split("/")[0]).symlink_to(outside if link == "file" else outside.parent)
    with pytest.raises(UnusableError, match="leads out of the data set's folder"):
        read(root, name)


def test_links_within_the_data_set_are_followed(tmp_path: Path) -> None:
    save(tmp_path / "a.png", VALUES)
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path, "b.png"), VALUES)


def test_links_in_a_circle_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    os.mkfifo(tmp_path / "c.png")
    for name in ("a.png", "c.png", "../a.png", "a\0b.png"):
        with pytest.raises(UnusableError):
            read(tmp_path, name)


def test_a_list_gives_names_once_and_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfb.jpg\r\n\r\n a-1 \nb\n")
    assert listed(Folder(tmp_path.resolve()), "a.txt") == ["b", "a-1"]


@pytest.mark.parametrize("line", ["../../etc/passwd", "/etc/passwd", "a/b", "a\x1bb", "a" * 101])
def test_a_line_that_is_no_name_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    write(tmp_path / "a.txt", "good", line)
    folder = Folder(tmp_path.resolve())
    names = listed(folder, "a.txt")
    assert names[0] == "good" and len(names) == 2
    found = refused(folder, names[1])
    assert (found.where, found.reason) == ("a.txt:2", "no name of a picture")


def test_a_list_that_is_missing_or_huge_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path.resolve())
    (mark,) = listed(folder, "a.txt")
    assert refused(folder, mark).reason == "list is missing"
    write(tmp_path / "a.txt", "b" * 50)
    monkeypatch.setattr(files, "LARGEST_LIST", 20)
    (mark,) = listed(folder, "a.txt")
    assert refused(folder, mark).reason == "list is above 0 MiB"
