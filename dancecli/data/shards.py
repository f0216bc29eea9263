"""One shard: an uncompressed tar (WebDataset) and, beside it, an index of what lies where.

The tar depends on nothing but the samples: fixed order, owner and times, plain USTAR headers. The
index of `shard-000000.tar` is `shard-000000.json`:

    {"schema": 1, "job": hash of what made it, "units": n, "size": bytes, "sha256": of the tar,
     "members": [[name, offset, size, CRC-32], ...], "frames": {key: [frame numbers]},
     "skipped": [[where, reason], ...]}
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from dancecli.data.decoding import read_json
from dancecli.data.people import Skipped
from dancecli.data.samples import Sample, encode
from dancecli.data.stores import LocalFile, Store, read_all
from dancecli.errors import DanceError, MediaError, PluginError
from dancecli.workdir import write_aside

SCHEMA = 1
"""Of index and manifest."""

LARGEST_MEMBER = 32 << 20
LARGEST_INDEX = 256 << 20
LARGEST_COUNT = 10_000_000
"""Bytes of one file of a sample, bytes of an index, and files of one shard or folder."""

UNFINISHED = ".part"
"""Ends the name of a file that is being written."""

Member = tuple[str, int, int, int | None]
"""(name, offset of the data, size, CRC-32 where known)."""

HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Index:
    """What a shard holds. size and sha256: of the tar. frames: numbers in the video, by key."""

    job: str
    units: int
    size: int
    sha256: str
    members: tuple[Member, ...]
    frames: dict[str, list[int]]
    skipped: tuple[tuple[str, str], ...] = ()
    schema: int = SCHEMA

    def encoded(self) -> bytes:
        """As JSON; the same for the same index."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @property
    def pictures(self) -> int:
        """Frames of all samples."""
        return sum(len(numbers) for numbers in self.frames.values())


def shard_name(number: int) -> str:
    """The file name of a shard."""
    return f"shard-{number:06d}.tar"


def index_name(shard: str) -> str:
    """The file name of a shard's index."""
    return shard.removesuffix(".tar") + ".json"


def write_shard(path: Path, made: Iterable[Sample | Skipped], job: str, units: int) -> Index:
    """Write a shard and its index.

    Raises DanceError when the disk is full or cannot be written, PluginError for samples that break
    the format or share a key; nothing with the shard's name is left then.
    """
    return keep_shard(path, lambda file: write_tar(file, made, job, units))


def keep_shard(path: Path, fill: Callable[[BinaryIO], Index]) -> Index:
    """Let `fill` write a tar aside, then rename it into place, and write its index after it.

    Raises DanceError when the disk is full or cannot be written.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        with aside.open("wb") as file:
            index = fill(file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        write_aside(path.with_name(index_name(path.name)), index.encoded())
    except OSError as error:
        raise DanceError(
            f"{path} cannot be written ({error.strerror or error}); what is finished stays: "
            "make room and go on with --resume"
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    return index


def write_tar(file: BinaryIO, made: Iterable[Sample | Skipped], job: str, units: int) -> Index:
    """The samples as a tar, in the order in which they come.

    Raises PluginError for samples that break the format or share a key.
    """
    measured = _Measured(file)
    members: list[Member] = []
    frames: dict[str, list[int]] = {}
    skipped: list[tuple[str, str]] = []
    # Closed by hand: on an error, the end of the tar must not be written to a full disk.
    tar = tarfile.open(fileobj=measured, mode="w", format=tarfile.USTAR_FORMAT)  # type: ignore[call-overload]  # noqa: SIM115
    for each in made:
        if isinstance(each, Skipped):
            skipped.append((each.where, each.reason))
            continue
        if each.key in frames:
            raise PluginError(f"two samples are called {each.key}")
        members += [_add(tar, name, data) for name, data in encode(each).items()]
        frames[each.key] = [int(crop.number) for crop in each.crops]
    tar.close()
    digest = measured.digest.hexdigest()
    return Index(job, units, measured.size, digest, tuple(members), frames, tuple(skipped))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> Member:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))
    padded = -len(data) % tarfile.BLOCKSIZE + len(data)
    return name, tar.offset - padded, len(data), zlib.crc32(data)


class _Measured:
    """Counts and hashes what is written to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.size, self.digest = file, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.size


def read_table(store: Store) -> dict[str, Any]:
    """An index's or a manifest's JSON object, of the schema that is known; else MediaError."""
    data = read_json(read_all(store, LARGEST_INDEX), store.name)
    if data.get("schema") != SCHEMA:
        raise MediaError(
            f"{store.name}: schema {data.get('schema')!r:.40}, this dance reads {SCHEMA}"
        )
    return data


def read_index(store: Store) -> Index:
    """An index from outside: every member lies within the shard, has a plain name, and is no twin.

    Raises MediaError naming the file and what is wrong with it.
    """
    data = read_table(store)
    try:
        index = _index(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MediaError(f"{store.name}: not the index of a shard") from error
    check_members(store.name, index.members, index.size)
    return index


def _index(data: dict[str, Any]) -> Index:
    members = tuple((str(n), _count(at), _count(size), _count(crc))
                    for n, at, size, crc in data["members"])  # fmt: skip
    frames = {str(key): list(numbers) for key, numbers in data["frames"].items()}
    skipped = tuple((str(where), str(reason)) for where, reason in data["skipped"])
    if not HASH.fullmatch(data["sha256"]):
        raise ValueError("sha256")
    size, units = _count(data["size"]), _count(data["units"])
    return Index(str(data["job"]), units, size, data["sha256"], members, frames, skipped)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(value)
    return value


def scan_tar(path: Path) -> list[Member]:
    """The members of an uncompressed tar without index, by its headers.

    Raises MediaError for links, devices, names that climb, twins, and a tar that is cut off.
    """
    members: list[Member] = []
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    name = ascii(member.name)[:100]
                    raise MediaError(f"{path}: {name} is a link or device, not a plain file")
                members.append((member.name, member.offset_data, member.size, None))
                if len(members) > LARGEST_COUNT:
                    raise MediaError(f"{path}: more than {LARGEST_COUNT} files")
        size = path.stat().st_size
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise MediaError(f"{path}: not a whole, uncompressed tar file ({error})") from error
    check_members(str(path), members, size)
    return members


def check_members(where: str, members: Iterable[Member], size: int) -> None:
    """Raises MediaError for the first member that leads out of a shard of `size` bytes."""
    seen: set[str] = set()
    for member, offset, length, _ in members:
        name = ascii(member)[:100]
        if member.startswith("/") or "\\" in member or ".." in member.split("/"):
            raise MediaError(f"{where}: {name} leads out of the shard")
        if length > LARGEST_MEMBER:
            raise MediaError(f"{where}: {name} is {length} bytes, above {LARGEST_MEMBER}")
        if offset + length > size:
            raise MediaError(f"{where}: cut off within {name}")
        if member in seen:
            raise MediaError(f"{where}: two files are called {name}")
        seen.add(member)


def fault(store: Store, index: Index, hashed: bool) -> str | None:
    """What is wrong with a shard, in a few words; None when it is what its index says.

    hashed: also read all of a local file. A remote one is asked for its size only: what is read
    from it later is checked member by member.
    """
    size = store.size()
    if size != index.size:
        return f"is {size} bytes, {index.size} expected (cut off or changed)"
    if hashed and isinstance(store, LocalFile) and store.sha256() != index.sha256:
        return "its SHA-256 is not the one it was written with (damaged or changed)"
    return None
