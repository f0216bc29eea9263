"""Prepared samples: one person, some frames each, from folders or tar shards.

A sample is a set of files that share a key. In a shard, or in a folder (a shard unpacked), frame K
of sample KEY is `KEY.K.jpg` (RGB crop), `KEY.K.labels.png` (8-bit grey, labels 0-21),
`KEY.K.dense.png` (8-bit, I, 255·U, 255·V as red, green, blue; may be missing), `KEY.K.pose.json`,
`KEY.K.plate.jpg` (the ground without people), and `KEY.meta.json` tells about the whole;
`KEY/K.jpg` and so on do as well. Files are hostile until checked; nothing is unpacked to disk.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dance_freestyle.training.pictures import decode
from dancecli.errors import MediaError, UsageError
from dancecli.labels import BODY_LABELS
from dancecli.types import FloatArray, Skeleton, UInt8Array

SCHEMA = 1
"""`meta.json`'s "schema" that this reader knows."""

LARGEST_MEMBER = 32 << 20
LARGEST_COUNT = 10_000_000
"""Bytes of one file, and files of one data set."""

DENSE_PARTS = 24

_NAME = re.compile(
    r"(?P<key>[^\\]+?)[./](?P<field>meta\.json|"
    r"\d{1,6}\.(?:jpg|labels\.png|dense\.png|pose\.json|plate\.jpg))"
)
_POINTS = {"body": 25, "left_hand": 21, "right_hand": 21, "face": 70}


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame of a sample, all of one size.

    rgb, plate: uint8 (H, W, 3). labels: uint8 (H, W), 0-21. dense: float32 (H, W, 3) as
    `DenseMap.iuv`, None where unknown. skeleton: in this crop's pixels. number: in its video.
    """

    rgb: UInt8Array
    labels: UInt8Array
    dense: FloatArray | None
    skeleton: Skeleton
    plate: UInt8Array
    number: int = 0


@dataclass(frozen=True)
class Place:
    """Where a file's bytes are: a whole file, or a stretch of a shard."""

    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """The bytes.

        Raises MediaError when fewer are there than when the data set was listed.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise MediaError(f"{self.path}: cannot be read ({error.strerror})") from error
        if len(data) != self.size:
            raise MediaError(f"{self.path}: changed or cut off while in use")
        return data


@dataclass(frozen=True)
class Sample:
    """One person. Nothing is read before `shot` is called."""

    key: str
    files: Mapping[str, Place] = field(repr=False)
    count: int = 0
    numbers: tuple[int, ...] = ()

    def shot(self, index: int) -> Shot:
        """Frame `index`, decoded and checked.

        Raises MediaError naming sample, file and fault.
        """
        rgb, plate = (self._picture(f"{index}.{end}", 3) for end in ("jpg", "plate.jpg"))
        labels = self._picture(f"{index}.labels.png", 1)
        dense = self._dense(index)
        sizes = {p.shape[:2] for p in (rgb, plate, labels, dense) if p is not None}
        if len(sizes) > 1:
            raise MediaError(f"sample {self.key}: frame {index} has pictures of different sizes")
        if labels.max() >= BODY_LABELS:
            raise MediaError(f"sample {self.key}: frame {index} has label {labels.max()}, above 21")
        return Shot(rgb, labels, dense, self._skeleton(index), plate, self.numbers[index])

    def _picture(self, name: str, channels: int) -> UInt8Array:
        return decode(self.files[name].read(), channels, f"sample {self.key}: {name}")

    def _dense(self, index: int) -> FloatArray | None:
        name = f"{index}.dense.png"
        if name not in self.files:
            return None
        iuv = self._picture(name, 3)
        if iuv[..., 0].max() > DENSE_PARTS:
            raise MediaError(f"sample {self.key}: {name} has part {iuv[..., 0].max()}, above 24")
        return iuv.astype(np.float32) / np.array([1, 255, 255], np.float32)

    def _skeleton(self, index: int) -> Skeleton:
        name = f"{index}.pose.json"
        where = f"sample {self.key}: {name}"
        data = _json(self.files[name].read(), where)
        return Skeleton(**{part: _points(data, part, n, where) for part, n in _POINTS.items()})


def _points(data: Mapping[str, Any], part: str, count: int, where: str) -> FloatArray:
    """(count, 3) of x, y, confidence; all unseen where the file has none."""
    if data.get(part) is None and part != "body":
        return np.zeros((count, 3), np.float32)
    try:
        points = np.array(data.get(part), np.float32)
    except (TypeError, ValueError):
        points = np.zeros(0, np.float32)
    if points.shape != (count, 3) or not np.isfinite(points).all() or np.abs(points).max() > 1e5:
        raise MediaError(f"{where}: '{part}' is not {count} triples of x, y and confidence")
    return points


def _json(data: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MediaError(f"{where}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise MediaError(f"{where}: not a JSON object")
    return value


def open_samples(paths: Sequence[Path]) -> list[Sample]:
    """All samples of some shards (`*.tar`) and folders (of shards, or of files), sorted.

    The same files give the same list on every machine. Raises MediaError for whatever is not a
    whole data set, UsageError where nothing is found.
    """
    samples: list[Sample] = []
    for path in paths:
        shards = [path] if path.is_file() else sorted(path.rglob("*.tar"))
        found = [_grouped(shard, _in_shard(shard)) for shard in shards]
        if path.is_dir():
            found.append(_grouped(path, _in_folder(path)))
        if not any(found):
            raise UsageError(f"{path}: holds no samples (K.jpg, K.labels.png, ... and meta.json)")
        samples += [sample for group in found for sample in group]
    return samples


def _in_shard(path: Path) -> dict[str, Place]:
    """The files of an uncompressed tar by name; links, devices and names that climb are refused."""
    places: dict[str, Place] = {}
    size = path.stat().st_size
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.isdir():
                    continue
                _check_member(path, member, size)
                places[member.name] = Place(path, member.offset_data, member.size)
                if len(places) > LARGEST_COUNT:
                    raise MediaError(f"{path}: more than {LARGEST_COUNT} files")
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise MediaError(f"{path}: not a whole, uncompressed tar file ({error})") from error
    return places


def _check_member(path: Path, member: tarfile.TarInfo, size: int) -> None:
    name = ascii(member.name)[:100]
    if not member.isreg() or member.issparse():
        raise MediaError(f"{path}: {name} is a link or device, not a plain file")
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise MediaError(f"{path}: {name} leads out of the shard")
    if member.size > LARGEST_MEMBER:
        raise MediaError(f"{path}: {name} is {member.size} bytes, above {LARGEST_MEMBER}")
    if member.offset_data + member.size > size:
        raise MediaError(f"{path}: cut off within {name}")


def _in_folder(folder: Path) -> dict[str, Place]:
    """The plain files of a folder by their path in it; symbolic links are not followed."""
    places = {}
    for root, directories, names in os.walk(folder):
        directories.sort()
        for name in names:
            path = Path(root, name)
            if path.suffix in (".jpg", ".png", ".json") and not path.is_symlink():
                size = path.stat().st_size
                if size > LARGEST_MEMBER:
                    raise MediaError(f"{path}: {size} bytes, above {LARGEST_MEMBER}")
                places[path.relative_to(folder).as_posix()] = Place(path, 0, size)
    return places


def _grouped(where: Path, places: Mapping[str, Place]) -> list[Sample]:
    groups: dict[str, dict[str, Place]] = {}
    for name, place in places.items():
        match = _NAME.fullmatch(name.removeprefix("./"))
        if match:
            groups.setdefault(match["key"], {})[match["field"]] = place
    return [_whole(where, key, files) for key, files in sorted(groups.items())]


def _whole(where: Path, key: str, files: Mapping[str, Place]) -> Sample:
    """The sample, once nothing is missing."""
    count = sum(name.split(".", 1)[1] == "jpg" for name in files)
    needed = {"meta.json"} | {
        f"{k}.{end}" for k in range(count) for end in ("jpg", "labels.png", "pose.json",
                                                       "plate.jpg")
    }  # fmt: skip
    missing = sorted(needed - set(files))
    if missing or count == 0:
        raise MediaError(f"{where}: sample {key[:80]} lacks {missing[0] if missing else '0.jpg'}")
    sample = Sample(key, files, count)
    return replace(sample, numbers=_numbers(sample))


def _numbers(sample: Sample) -> tuple[int, ...]:
    """The frames' numbers in their video, from `meta.json`; 0, 1, ... where it has none."""
    where = f"sample {sample.key}: meta.json"
    meta = _json(sample.files["meta.json"].read(), where)
    if meta.get("schema") != SCHEMA:
        raise MediaError(f"{where}: schema {meta.get('schema')!r:.40}, this dance reads {SCHEMA}")
    numbers = meta.get("frames", list(range(sample.count)))
    whole = isinstance(numbers, list) and all(type(n) is int for n in numbers)
    if not whole or len(numbers) != sample.count:
        raise MediaError(f"{where}: 'frames' is not {sample.count} frame numbers")
    return tuple(numbers)


@lru_cache(maxsize=2)
def order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which an epoch visits `count` samples, over all processes together."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def positions(consumed: int, batch: int, rank: int = 0, world: int = 1) -> range:
    """The positions, counted from the start of training, that one process takes in one step.

    consumed: samples that all processes took before. batch: samples of this step over all
    processes. The processes' parts are disjoint and make up the whole step, so that another
    number of them sees the same samples at the same step.
    """
    return range(consumed + rank, consumed + batch, world)


def visited(position: int, count: int, seed: int) -> int:
    """Which of `count` samples a position of the training shows."""
    epoch, place = divmod(position, count)
    return int(order(count, seed, epoch)[place])
