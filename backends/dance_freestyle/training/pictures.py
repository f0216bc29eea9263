"""JPEG and PNG from outside: sizes are read from the header before anything is decoded."""

from __future__ import annotations

import cv2
import numpy as np

from dancecli.errors import MediaError
from dancecli.types import UInt8Array

LARGEST_SIDE = 4096
"""Pixels; prepared crops are 512 x 320."""

_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decode(data: bytes, channels: int, where: str) -> UInt8Array:
    """RGB (H, W, 3), or grey (H, W) for `channels` 1.

    Raises MediaError, beginning with `where`, for what is not such a picture, or a huge one.
    """
    found = _png_size(data) if data.startswith(_PNG) else _jpeg_size(data)
    if found is None or not 0 < max(found[:2]) <= LARGEST_SIDE or min(found[:2]) == 0:
        raise MediaError(
            f"{where}: not a JPEG or 8-bit PNG of at most {LARGEST_SIDE} pixels a side"
        )
    if found[2] != channels:
        raise MediaError(f"{where}: has {found[2]} channels, {channels} wanted (no palette)")
    flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None or picture.shape[:2] != found[:2]:
        raise MediaError(f"{where}: damaged picture")
    return np.ascontiguousarray(picture if channels == 1 else picture[..., ::-1])


def _png_size(data: bytes) -> tuple[int, int, int] | None:
    """(height, width, channels) of an 8-bit grey or RGB PNG."""
    if len(data) < 33 or data[12:16] != b"IHDR" or data[24] != 8:
        return None
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    # A palette's entries are not labels once decoded, so that colour type 3 counts as no channel.
    return height, width, {0: 1, 2: 3}.get(data[25], 0)


def _jpeg_size(data: bytes) -> tuple[int, int, int] | None:
    """(height, width, channels) from a JPEG's start-of-frame segment."""
    place = 2 if data.startswith(b"\xff\xd8") else len(data)
    while place + 10 <= len(data) and data[place] == 0xFF:
        if data[place + 1] in _START_OF_FRAME:
            height, width = (int.from_bytes(data[place + n : place + n + 2], "big") for n in (5, 7))
            return height, width, data[place + 9]
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None
