"""Photos and index pictures of a data set, read with care.

Index pictures hold label or person numbers as grey or palette values; MHPv2's hold them in the red
channel. They are never converted: greyscale conversion would turn red 58 into 17 and red 1 into 0.
EXIF orientation is not applied, since the annotations were drawn on the pixels as stored.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dance_datasets.files import Folder, UnusableError
from dancecli.types import UInt8Array

LARGEST_FILE = 64 << 20
LARGEST_PIXELS = 50_000_000
"""Bytes and pixels of one picture; the sets' own are of a few megapixels."""

_PNG = b"\x89PNG\r\n\x1a\n"
_INDEX_FORMS = {(8, 0), (8, 2), (8, 3), (8, 4), (8, 6), (16, 0), (1, 3), (2, 3), (4, 3)}
"""PNG bit depth and colour type whose values arrive unscaled."""


def read_rgb(folder: Folder, name: str) -> UInt8Array:
    """A photo as stored, uint8 (H, W, 3) RGB.

    Raises UnusableError for what is missing, damaged, cut short, too large, or no JPEG or PNG.
    """
    data = folder.read(name, LARGEST_FILE, "picture")
    pixels: UInt8Array = _decoded(data, name, "picture", "RGB")
    return pixels


def read_indices(folder: Folder, name: str, size: tuple[int, int]) -> NDArray[np.uint16]:
    """The numbers in an index PNG, uint16 (H, W): palette, 8- or 16-bit grey, or red alone.

    size: (H, W) of its photo. Raises UnusableError for what is no such picture, or of another size.
    """
    data = folder.read(name, LARGEST_FILE, "annotation")
    if not data.startswith(_PNG) or len(data) < 33:
        raise UnusableError(name, "annotation is no PNG")
    if (data[24], data[25]) not in _INDEX_FORMS:
        raise UnusableError(name, "annotation is no picture of numbers")
    numbers = _one_channel(_decoded(data, name, "annotation"), name)
    if numbers.shape != size:
        raise UnusableError(name, "annotation is of another size than its picture")
    return numbers


def _decoded(data: bytes, name: str, kind: str, mode: str | None = None) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # broken EXIF; Pillow's size warning: the limit is ours
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
                if picture.width * picture.height > LARGEST_PIXELS:
                    raise UnusableError(name, f"{kind} is above {LARGEST_PIXELS} pixels")
                return np.array(picture.convert(mode) if mode else picture)
        except (UnusableError, MemoryError):
            raise
        except Image.DecompressionBombError:
            raise UnusableError(name, f"{kind} is above {LARGEST_PIXELS} pixels") from None
        except Exception:  # hostile bytes make decoders fail in any way
            raise UnusableError(name, f"{kind} cannot be decoded") from None


def _one_channel(values: NDArray[Any], name: str) -> NDArray[np.uint16]:
    """The numbers of a decoded index picture, which is grey in three channels, or red alone."""
    if values.ndim == 3 and values.shape[2] >= 3:
        red, green, blue = (values[..., k] for k in range(3))
        alone = not green.any() and not blue.any()
        if not alone and not (np.array_equal(red, green) and np.array_equal(red, blue)):
            raise UnusableError(name, "annotation is a coloured picture, not numbers")
    channel = values if values.ndim == 2 else values[..., 0]
    if channel.size and not 0 <= int(channel.min()) <= int(channel.max()) <= 0xFFFF:
        raise UnusableError(name, "annotation holds numbers above 16 bits")
    return channel.astype(np.uint16)
