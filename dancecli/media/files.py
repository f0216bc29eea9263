"""Files in general: names for messages, checks before reading, writing aside, hashes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from dancecli import errors
from dancecli.errors import MediaError

BLOCK = 1 << 20
"""Bytes read at a time while hashing."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers that mean "no room": disk full, quota used up, file larger than allowed."""


def named(path: Path) -> str:
    """A path for a one-line message: control characters of hostile names are escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))


def one_line(error: BaseException) -> str:
    """What an error of a library says, on one line, without its class."""
    strerror = getattr(error, "strerror", None)
    return errors.one_line(strerror or error, type(error).__name__)


def check_input(path: Path, kind: str) -> None:
    """Raises MediaError unless `path` is a file that can be opened and is not empty.

    kind: "photo", "video" ..., for the message.
    """
    if path.is_dir():
        raise MediaError(f"{named(path)} is a folder, not a {kind}: name the file itself")
    if path.is_fifo():
        raise MediaError(f"{kind} {named(path)} is a pipe, which cannot be read: save it as a file")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise MediaError(f"{kind} {named(path)} does not exist: check the name") from None
    except OSError as error:
        raise MediaError(f"cannot read {kind} {named(path)}: {one_line(error)}") from error
    if empty:
        raise MediaError(f"{kind} {named(path)} is empty (0 bytes): get it again")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; of a folder, over its files' names and hashes.

    Of a folder, the files of all folders below it count, by their names from it.
    Raises OSError when it cannot be read.
    """
    if path.is_dir():
        digest = hashlib.sha256()
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            name = file.relative_to(path).as_posix()
            digest.update(f"{name}\0{sha256_of(file)}\n".encode())
        return digest.hexdigest()
    state = path.stat()
    return _hashed(path.absolute(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1024)
def _hashed(path: Path, _modified: int, _size: int) -> str:
    # Asked for several times in a run, and a video may be gigabytes.
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def aside(path: Path) -> Path:
    """Where `path` is written before it is complete: a hidden name in the same folder.

    The same name each time, so that what a killed run left is overwritten by the next.
    """
    return path.with_name(f".{path.name}.unfinished")


def remove(path: Path) -> None:
    """Removes a file or a folder with its files; what is absent or locked is left."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()


def settle(path: Path) -> None:
    """Waits until a file, or the entries of a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders and orders renames itself
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def written_aside(path: Path, kept: str = "") -> Iterator[Path]:
    """Gives a name to write a file or folder to, which takes its place only if all goes well.

    Raises MediaError when the disk is full or writing fails; nothing is left behind then.
    kept: see `room`.
    """
    unfinished = aside(path)
    remove(unfinished)
    try:
        with room(path, kept):
            yield unfinished
            settle(unfinished)
            _take_place(unfinished, path)
            settle(path.absolute().parent)
    finally:
        remove(unfinished)


def _take_place(new: Path, path: Path) -> None:
    """Renames `new` to `path`; a folder cannot be renamed over one, so that one steps aside.

    A file never takes a folder's place: that raises OSError.
    """
    if not (path.is_dir() and new.is_dir()):
        new.replace(path)
        return
    old = path.with_name(f".{path.name}.replaced")
    remove(old)
    path.rename(old)
    new.rename(path)
    remove(old)


@contextlib.contextmanager
def room(path: Path, kept: str = "") -> Iterator[None]:
    """Turns "disk full" and other errors of the system while writing `path` into a MediaError.

    kept: what the message says of the work done so far.
    """
    try:
        yield
    except Exception as error:
        number = getattr(error, "errno", None)
        if number in FULL:
            raise MediaError(_full(path, kept, error)) from error
        if isinstance(error, OSError):
            raise MediaError(f"cannot write {named(path)}: {one_line(error)}{kept}") from error
        raise


def _full(path: Path, kept: str, error: Exception) -> str:
    """The message of a full disk, or of a limit, which free space does not tell of."""
    free = shutil.disk_usage(path.absolute().parent).free / 1e6
    limited = getattr(error, "errno", None) != errno.ENOSPC
    why, also = (f"{one_line(error)}, ", ", raise the limit") if limited else ("", "")
    return (
        f"no room to write {named(path)}: {why}{free:.1f} MB free in "
        f"{named(path.parent.absolute())}; free some space{also} or choose another folder{kept}"
    )
