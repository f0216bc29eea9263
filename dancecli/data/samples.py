"""A prepared sample and its files (docs/training.md, "Data").

One person in n >= 1 crops; frame K of sample KEY is `KEY.K.jpg`, `KEY.K.labels.png`,
`KEY.K.dense.png`, `KEY.K.parsed.png`, `KEY.K.pose.json` and `KEY.K.plate.jpg`, and `KEY.meta.json`
tells about the whole. The same sample gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dancecli.errors import PluginError
from dancecli.labels import BODY_LABELS
from dancecli.types import DenseMap, FloatArray, Skeleton, UInt8Array

SCHEMA = 1
"""`meta.json`'s "schema"."""

JPEG_QUALITY = 95

DENSE_PARTS = 24
"""DensePose's parts, besides 0 for the background."""

POINTS = {"body": 25, "left_hand": 21, "right_hand": 21, "face": 70}
"""What `pose.json` holds, and how many points of each; `world` (25) may come on top."""

FARTHEST = 1e5
"""Pixels, or metres, beyond which a point is not believed."""

LARGEST_NUMBER = 2**53
"""Of a frame in its video; JSON holds no larger one to the last digit."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, eq=False)
class Crop:
    """One prepared frame; all arrays have one size, 512 x 320 by default.

    rgb, plate: uint8 (H, W, 3), with the person, and the ground without people.
    labels: uint8 (H, W), 0-21. dense: of the size, None where unknown.
    skeleton: in crop pixels. number: of the frame in its video, 0 for a still.
    parsed: what mask and parser make of the picture, as labels; None where they were not asked.
    """

    rgb: UInt8Array
    labels: UInt8Array
    dense: DenseMap | None
    skeleton: Skeleton
    plate: UInt8Array
    number: int = 0
    parsed: UInt8Array | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """One person's crops, in the order of their numbers.

    key: unique within the data set, 1 to 80 of [A-Za-z0-9_-]. about: JSON values, for `meta.json`.
    """

    key: str
    crops: tuple[Crop, ...]
    about: Mapping[str, Any] = field(default_factory=dict)


def encode(sample: Sample) -> dict[str, bytes]:
    """The sample's files by name, in the order in which they lie in a shard.

    Labels are kept as they are, U and V to 1/255, points as float32, pictures as JPEG (95, 4:4:4).
    Raises PluginError for a sample that breaks the format: whoever made it is at fault.
    """
    if not _KEY.fullmatch(sample.key):
        raise _fault(sample, "the key is not 1 to 80 of A-Z a-z 0-9 _ -")
    if not sample.crops:
        raise _fault(sample, "has no frames")
    files = {"meta.json": _meta(sample)}
    for k, crop in enumerate(sample.crops):
        _check(sample, k, crop)
        files[f"{k}.jpg"] = _picture(".jpg", crop.rgb)
        files[f"{k}.labels.png"] = _picture(".png", crop.labels)
        if crop.dense is not None:
            files[f"{k}.dense.png"] = _picture(".png", dense_bytes(crop.dense.iuv))
        if crop.parsed is not None:
            files[f"{k}.parsed.png"] = _picture(".png", crop.parsed)
        files[f"{k}.pose.json"] = _pose(crop.skeleton)
        files[f"{k}.plate.jpg"] = _picture(".jpg", crop.plate)
    return {f"{sample.key}.{name}": data for name, data in files.items()}


def dense_bytes(iuv: FloatArray) -> UInt8Array:
    """`DenseMap.iuv` (H, W, 3) as uint8: I, 255·U, 255·V, rounded."""
    scaled = np.rint(iuv * np.array([1, 255, 255], np.float32))
    packed: UInt8Array = np.clip(scaled, 0, 255).astype(np.uint8)
    return packed


def _check(sample: Sample, k: int, crop: Crop) -> None:
    size = crop.rgb.shape[:2]
    maps = {"labels": crop.labels} | ({} if crop.parsed is None else {"parsed": crop.parsed})
    for name, array in {"rgb": crop.rgb, "plate": crop.plate, **maps}.items():
        wanted = size if name in maps else (*size, 3)
        if array.shape != wanted or array.dtype != np.uint8 or array.size == 0:
            raise _fault(sample, f"frame {k}: {name} is {array.dtype} {array.shape}")
    for name, labels in maps.items():
        if labels.max() >= BODY_LABELS:
            wrong = f"label {labels.max()}, above {BODY_LABELS - 1}"
            raise _fault(sample, f"frame {k}: {name} has {wrong}")
    if crop.dense is not None:
        _check_dense(sample, k, crop.dense.iuv, (*size, 3))
    if not abs(int(crop.number)) < LARGEST_NUMBER:
        raise _fault(sample, f"frame {k}: its number is {crop.number}")
    _check_skeleton(sample, k, crop.skeleton)


def _check_skeleton(sample: Sample, k: int, skeleton: Skeleton) -> None:
    points, world = skeleton.points(), skeleton.world
    if not np.isfinite(points).all():
        raise _fault(sample, f"frame {k}: the skeleton has points that are not finite")
    if world is not None:
        points = np.concatenate([points, world[np.isfinite(world).all(1)]])
    if np.abs(points).max() > FARTHEST:
        raise _fault(sample, f"frame {k}: the skeleton has points beyond {FARTHEST:g}")


def _check_dense(sample: Sample, k: int, iuv: FloatArray, shape: tuple[int, ...]) -> None:
    if iuv.shape != shape:
        raise _fault(sample, f"frame {k}: dense is {iuv.shape}, {shape} wanted")
    parts, uv = iuv[..., 0], iuv[..., 1:]
    if not np.isfinite(iuv).all() or iuv.min() < 0 or parts.max() > DENSE_PARTS or uv.max() > 1:
        raise _fault(sample, f"frame {k}: dense is not of parts 0-{DENSE_PARTS} and U, V in [0, 1]")


def _picture(kind: str, picture: UInt8Array) -> bytes:
    """RGB or grey as a JPEG or PNG file."""
    import cv2

    bgr = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    options = [
        cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]  # fmt: skip
    return bytes(cv2.imencode(kind, bgr, options if kind == ".jpg" else [])[1])


def _pose(skeleton: Skeleton) -> bytes:
    parts = {name: _triples(getattr(skeleton, name)) for name in POINTS}
    if skeleton.world is not None:
        parts["world"] = _triples(skeleton.world)
    return json.dumps(parts, separators=(",", ":")).encode()


def _triples(points: FloatArray) -> list[list[float] | None]:
    """Rows as JSON; None for a row that is not known."""
    return [
        [_shortest(v) for v in row] if np.isfinite(row).all() else None
        for row in points.astype(np.float32)
    ]


def _shortest(value: np.float32) -> float:
    """A number with few digits that is this float32 again once read."""
    short = float(str(value))
    return short if np.float32(short) == value else float(value)


def _meta(sample: Sample) -> bytes:
    frames = [int(crop.number) for crop in sample.crops]
    meta = {**sample.about, "schema": SCHEMA, "frames": frames}
    try:
        return json.dumps(meta, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise _fault(sample, f"what is told about it is not JSON ({error})") from error


def _fault(sample: Sample, what: str) -> PluginError:
    of = f" of {sample.about['dataset']}" if "dataset" in sample.about else ""
    return PluginError(f"sample {sample.key[:100]!r}{of}: {what}")
