"""Unpacking what is wanted of an archive, and nothing else.

Paths come from the manifest, never from the archive, so nothing can leave the folder; what is
wanted must be a plain file there, and an archive that swells is stopped.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from dancecli.errors import WeightsError
from dancecli.media.files import named, one_line
from dancecli.weights.manifest import LARGEST

SWELL = 20
"""How many times its own size an archive may hold; weights hardly compress."""

LEAST = 1 << 20
"""Bytes that any archive may hold."""

BLOCK = 1 << 20

BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError,
    NotImplementedError, ValueError, OverflowError, KeyError, MemoryError,
)  # fmt: skip
"""What the readers raise for archives that are damaged, encrypted or packed in unknown ways."""


def unpack(archive: Path, kind: str, wanted: tuple[str, ...], folder: Path) -> None:
    """Write the wanted files of an archive into a folder, under their paths inside.

    kind: "zip" or "tar", compressed or not. Paths inside may begin with "./". Raises WeightsError
    for what is no such archive, lacks a wanted file, has a link or something else in its place, or
    holds too much; OSError when writing fails.
    """
    room = _Room(min(max(archive.stat().st_size * SWELL, LEAST), LARGEST))
    try:
        members = _zip(archive) if kind == "zip" else _tar(archive, room)
        found = set()
        for inside, opened in members:
            name = inside.removeprefix("./")  # as `tar -c .` writes
            if name in wanted and name not in found:
                found.add(name)
                _write(opened(), folder / name, room)
    except BROKEN as error:
        raise WeightsError(f"not a readable {kind} archive: {one_line(error)}") from error
    except OSError as error:
        # The disk's is raised, not the archive's: gzip and bz2 have no class of their own, and
        # a place before the file's start is an invalid argument.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise WeightsError(f"not a readable {kind} archive: {one_line(error)}") from error
    missing = [name for name in wanted if name not in found]
    if missing:
        raise WeightsError(f"the archive holds no {named(Path(missing[0]))}")


class _Room:
    """Bytes that may still be unpacked."""

    def __init__(self, most: int) -> None:
        self.most = self.left = most

    def take(self, count: int) -> None:
        """Raises WeightsError when it is more than is left."""
        self.left -= count
        if self.left < 0:
            raise WeightsError(f"the archive holds more than {self.most} bytes")


Members = Iterator[tuple[str, Callable[[], IO[bytes]]]]
"""Name inside, and how to open it."""


def _write(source: IO[bytes], path: Path, room: _Room) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("xb") as file:
        while block := source.read(BLOCK):
            room.take(len(block))
            file.write(block)


def _zip(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            yield member.filename, partial(_zipped, archive, member)


def _zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.is_dir() or kind not in (0, stat.S_IFREG):
        raise WeightsError(f"{member.filename!r:.80} is not a plain file in the archive")
    return archive.open(member)


def _tar(path: Path, room: _Room) -> Members:
    # Read as a stream, so that headers and skipped members are counted like wanted ones.
    with _decompressed(path, room) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            yield member.name, partial(_tarred, archive, member)


def _tarred(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member) if member.isreg() and not member.issparse() else None
    if file is None:
        raise WeightsError(f"{member.name!r:.80} is not a plain file in the archive")
    return file


@contextmanager
def _decompressed(path: Path, room: _Room) -> Iterator[Any]:
    with path.open("rb") as file:
        start = file.read(6)
    opened: Callable[..., Any] = io.open
    for magic, each in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open)):
        opened = each if start.startswith(magic) else opened
    with opened(path, "rb") as stream:
        yield _Counted(stream, room)


class _Counted:
    """A stream of which at most so many bytes can be read."""

    def __init__(self, stream: IO[bytes], room: _Room) -> None:
        self.stream, self.room = stream, _Room(room.most)

    def read(self, size: int) -> bytes:
        """As a file's."""
        block = self.stream.read(size)
        self.room.take(len(block))
        return block
