"""A sample where it lies: in a folder, in a shard, or in a shard behind a URL."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dancecli.data import decoding
from dancecli.data.samples import Crop
from dancecli.data.shards import LARGEST_MEMBER
from dancecli.data.stores import LocalFile, Store, read_all, stretch
from dancecli.errors import MediaError
from dancecli.types import Skeleton, UInt8Array


class Files(Protocol):
    """A sample's files."""

    def read(self, name: str) -> bytes | None:
        """The bytes of `0.jpg` and so on; None where the sample has no such file.

        Raises MediaError where it is there and cannot be read, or is damaged.
        """
        ...

    def names(self) -> Iterable[str]:
        """Of all files."""
        ...


@dataclass(frozen=True)
class LooseFiles:
    """Files of a folder by their name in the sample."""

    paths: Mapping[str, Path]

    def names(self) -> Iterable[str]:
        return self.paths

    def read(self, name: str) -> bytes | None:
        path = self.paths.get(name)
        return None if path is None else read_all(LocalFile(path), LARGEST_MEMBER)


@dataclass(frozen=True, eq=False)
class Members:
    """Files within a shard. fields: their names in the sample. spans: int64 (n, 3) of offset, size
    and CRC-32, -1 where unknown."""

    shard: Store
    fields: tuple[str, ...]
    spans: NDArray[np.int64]

    def names(self) -> Iterable[str]:
        return self.fields

    def read(self, name: str) -> bytes | None:
        if name not in self.fields:
            return None
        offset, size, crc = (int(v) for v in self.spans[self.fields.index(name)])
        data = self._stretch(offset, size)
        if crc >= 0 and zlib.crc32(data) != crc:
            raise MediaError(f"{self.shard.name}: {name} at byte {offset} is damaged (CRC-32)")
        return data

    def _stretch(self, offset: int, size: int) -> bytes:
        if not self.shard.remote:
            return self.shard.read(offset, size)
        first = int(self.spans[:, 0].min())
        length = int((self.spans[:, 0] + self.spans[:, 1]).max()) - first
        if length > self.spans[:, 1].sum() + 1024 * len(self.fields):
            return self.shard.read(offset, size)  # other files lie between this sample's
        return stretch(self.shard, first, length)[offset - first : offset - first + size]


@dataclass(frozen=True)
class StoredSample:
    """One person; nothing is read before it is asked for. numbers: of the frames in their video."""

    key: str
    where: str
    files: Files = field(repr=False)
    numbers: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """Frames."""
        return len(self.numbers)

    def crop(self, k: int) -> Crop:
        """Frame `k`, decoded and checked. Raises MediaError naming sample, file and fault."""
        return decoding.decode_crop(self.files.read, k, self.numbers[k], self._says)

    def labels(self, k: int) -> UInt8Array:
        """The label map of frame `k` alone, uint8 (H, W). Raises MediaError as `crop` does."""
        return decoding.decode_labels(self.files.read, k, self._says)

    def pose(self, k: int) -> Skeleton:
        """The skeleton of frame `k` alone. Raises MediaError as `crop` does."""
        return decoding.decode_pose(self.files.read, k, self._says)

    def meta(self) -> dict[str, Any]:
        """`meta.json`. Raises MediaError where it is missing, no JSON or of another schema."""
        return decoding.decode_meta(self.files.read, self._says)

    @property
    def _says(self) -> str:
        return f"{self.where}: sample {self.key[:80]}"


def whole(
    key: str, where: str, files: Files, frames: Mapping[str, list[int]] | None
) -> StoredSample:
    """The sample, once nothing is missing.

    frames: numbers in the video by key, from an index; without one, `meta.json` is read.
    Raises MediaError naming what is missing.
    """
    names = set(files.names())
    count = sum(name.split(".", 1)[1] == "jpg" for name in names)
    needed = {"meta.json"} | {
        f"{k}.{end}" for k in range(count) for end in ("jpg", "labels.png", "pose.json",
                                                       "plate.jpg")
    }  # fmt: skip
    missing = sorted(needed - names)
    says = f"{where}: sample {key[:80]}"
    if missing or count == 0:
        raise MediaError(f"{says} lacks {missing[0] if missing else '0.jpg'}")
    known = (
        decoding.decode_meta(files.read, says).get("frames")
        if frames is None
        else frames.get(key, [])
    )
    return StoredSample(key, where, files, decoding.frame_numbers(known, count, says))
