"""From a sample's files back to its crops. Files are hostile until checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dancecli.data.samples import DENSE_PARTS, FARTHEST, LARGEST_NUMBER, POINTS, SCHEMA, Crop
from dancecli.errors import MediaError
from dancecli.labels import BODY_LABELS
from dancecli.types import DenseMap, FloatArray, Skeleton, UInt8Array

LARGEST_SIDE = 4096
"""Pixels; prepared crops are 512 x 320."""

_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

Read = Callable[[str], bytes | None]
"""The bytes of a file of the sample by its name without the key; None where there is none."""


def decode_crop(read: Read, k: int, number: int, where: str) -> Crop:
    """Frame `k` of a sample.

    Raises MediaError, beginning with `where`, naming the file and its fault.
    """
    rgb = _picture(read, f"{k}.jpg", 3, where)
    plate = _picture(read, f"{k}.plate.jpg", 3, where)
    labels = decode_labels(read, k, where)
    parsed = _decode_parsed(read, k, where)
    dense = _dense(read, f"{k}.dense.png", where)
    pictures = (rgb, plate, labels, parsed, dense.iuv if dense else None)
    if len({picture.shape[:2] for picture in pictures if picture is not None}) > 1:
        raise MediaError(f"{where}: frame {k} has pictures of different sizes")
    return Crop(rgb, labels, dense, decode_pose(read, k, where), plate, number, parsed)


def decode_labels(read: Read, k: int, where: str) -> UInt8Array:
    """The label map (H, W) of frame `k` alone; raises MediaError as `decode_crop` does."""
    return _labels(_needed(read, f"{k}.labels.png", where), f"{where}: {k}.labels.png")


def _decode_parsed(read: Read, k: int, where: str) -> UInt8Array | None:
    """What a parser made of frame `k`, (H, W); None where none was asked."""
    data = read(f"{k}.parsed.png")
    return None if data is None else _labels(data, f"{where}: {k}.parsed.png")


def decode_pose(read: Read, k: int, where: str) -> Skeleton:
    """The skeleton of frame `k` alone; raises MediaError as `decode_crop` does."""
    name = f"{k}.pose.json"
    data = read_json(_needed(read, name, where), f"{where}: {name}")
    parts = {part: _points(data, part, n, f"{where}: {name}") for part, n in POINTS.items()}
    return Skeleton(**parts, world=_world(data, f"{where}: {name}"))


def decode_meta(read: Read, where: str) -> dict[str, Any]:
    """`meta.json`; raises MediaError for another schema."""
    meta = read_json(_needed(read, "meta.json", where), f"{where}: meta.json")
    if meta.get("schema") != SCHEMA:
        raise MediaError(
            f"{where}: meta.json: schema {meta.get('schema')!r:.40}, this dance reads {SCHEMA}"
        )
    return meta


def frame_numbers(frames: object, count: int, where: str) -> tuple[int, ...]:
    """The frames' numbers in their video; 0, 1, ... for None.

    Raises MediaError for anything but `count` integers.
    """
    numbers = list(range(count)) if frames is None else frames
    if not isinstance(numbers, list) or len(numbers) != count:
        raise MediaError(f"{where}: 'frames' is not {count} frame numbers")
    if not all(type(n) is int and abs(n) < LARGEST_NUMBER for n in numbers):
        raise MediaError(f"{where}: 'frames' is not {count} frame numbers")
    return tuple(numbers)


def read_json(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object; raises MediaError, beginning with `where`, for anything else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MediaError(f"{where}: not JSON ({str(error)[:100]})") from error
    if not isinstance(value, dict):
        raise MediaError(f"{where}: not a JSON object")
    return value


def decode_picture(data: bytes, channels: int, where: str) -> UInt8Array:
    """RGB (H, W, 3), or grey (H, W) for `channels` 1; the header is checked before decoding.

    Raises MediaError, beginning with `where`, for what is not such a picture, or a huge one.
    """
    import cv2

    found = _png_size(data) if data.startswith(_PNG) else _jpeg_size(data)
    if found is None or max(found[:2]) > LARGEST_SIDE or min(found[:2]) == 0:
        raise MediaError(
            f"{where}: not a JPEG or 8-bit PNG of at most {LARGEST_SIDE} pixels a side"
        )
    if found[2] != channels:
        raise MediaError(f"{where}: has {found[2]} channels, {channels} wanted (no palette)")
    flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None or picture.shape[:2] != found[:2]:
        raise MediaError(f"{where}: damaged picture")
    decoded: UInt8Array = picture if channels == 1 else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return decoded


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


def _needed(read: Read, name: str, where: str) -> bytes:
    data = read(name)
    if data is None:
        raise MediaError(f"{where}: lacks {name}")
    return data


def _picture(read: Read, name: str, channels: int, where: str) -> UInt8Array:
    return decode_picture(_needed(read, name, where), channels, f"{where}: {name}")


def _labels(data: bytes, where: str) -> UInt8Array:
    labels = decode_picture(data, 1, where)
    if labels.max() >= BODY_LABELS:
        raise MediaError(f"{where} has label {labels.max()}, above {BODY_LABELS - 1}")
    return labels


def _dense(read: Read, name: str, where: str) -> DenseMap | None:
    data = read(name)
    if data is None:
        return None
    iuv = decode_picture(data, 3, f"{where}: {name}")
    if iuv[..., 0].max() > DENSE_PARTS:
        raise MediaError(f"{where}: {name} has part {iuv[..., 0].max()}, above {DENSE_PARTS}")
    return DenseMap(iuv.astype(np.float32) / np.array([1, 255, 255], np.float32))


def _points(data: Mapping[str, Any], part: str, count: int, where: str) -> FloatArray:
    """(count, 3) of x, y, confidence; all unseen where the file has none."""
    if data.get(part) is None and part != "body":
        return np.zeros((count, 3), np.float32)
    points = _triples(data.get(part), count)
    if points is None or not np.isfinite(points).all() or np.abs(points).max() > FARTHEST:
        raise MediaError(f"{where}: '{part}' is not {count} triples of x, y and confidence")
    return points


def _world(data: Mapping[str, Any], where: str) -> FloatArray | None:
    """(25, 3) metres, NaN where the file has null for a joint; None where it has none at all."""
    rows = data.get("world")
    if rows is None:
        return None
    known = [[np.nan] * 3 if row is None else row for row in rows] if type(rows) is list else None
    world = _triples(known, POINTS["body"])
    if world is None or np.isinf(world).any() or np.nanmax(np.abs(world), initial=0) > FARTHEST:
        raise MediaError(f"{where}: 'world' is not 25 triples in metres, or null")
    return world


def _triples(rows: object, count: int) -> FloatArray | None:
    try:
        points = np.array(rows, np.float32)
    except (TypeError, ValueError):
        return None
    return points if points.shape == (count, 3) else None
