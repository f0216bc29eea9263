"""What two processes say to each other: JSON with a length before it, arrays beside it.

A message is read with no trust in who wrote it: no pickle, a bound on its length, and arrays are
read only after `schema` has agreed with their type and shape.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import DanceError

LONGEST = 1 << 28
"""Bytes of JSON in one message, at most."""

ALIGNED = 64
"""Arrays begin at multiples of so many bytes."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_LENGTH = struct.Struct(">Q")


class ProtocolError(Exception):
    """The other side does not keep the protocol."""


class Channel:
    """Messages over a pair of pipes."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader, self._writer = reader, writer

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError when nobody reads any more."""
        text = json.dumps(message).encode()
        self._writer.write(_LENGTH.pack(len(text)) + text)
        self._writer.flush()

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the other side is gone, be it in the middle of one.

        Raises ProtocolError for anything that is not one.
        """
        head = self._reader.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        if length > LONGEST:
            raise ProtocolError(f"a message of {length} bytes")
        text = self._reader.read(length)
        return _parsed(text) if len(text) == length else None


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a message that is not JSON ({error})") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"a message that is a {type(message).__name__}")
    return message


def places() -> list[Path]:
    """Folders for arrays, best first: shared memory, then the disk, for where that is small."""
    memory = Path("/dev/shm")
    usable = [memory] if os.access(memory, os.W_OK) else []
    return [*usable, Path(tempfile.gettempdir())]


class Room:
    """Files that both processes hold open, for the arrays of one message at a time.

    They are read and written rather than mapped: whoever receives an array must own it, since the
    next message overwrites it, so mapping would save no copy; and memory that is full is an error
    here, where it would kill a process that writes to a map.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """paths: existing files, preferred first."""
        self.paths = list(paths)
        self._files = [FileIO(path, "r+") for path in paths]

    @classmethod
    def new(cls) -> Room:
        """Empty files in `places`, for this user only."""
        paths = []
        for place in places():
            handle, path = tempfile.mkstemp(prefix="dance-", dir=place)
            os.close(handle)
            paths.append(Path(path))
        return cls(paths)

    def unlink(self) -> None:
        """Take the names away once both have opened them, so that no kill leaves them behind."""
        for path in self.paths:
            with suppress(OSError):  # Windows keeps what is open; `close` tries again
                path.unlink()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()
        self.unlink()

    def put(self, arrays: Sequence[NDArray[Any]]) -> dict[str, Any]:
        """Write arrays and return where they are, for `take`.

        Raises DanceError when there is no room anywhere.
        """
        for number, file in enumerate(self._files):
            try:
                return {"file": number, "offsets": _write(file, arrays)}
            except OSError as error:
                if error.errno not in FULL:
                    raise
                with suppress(OSError):  # what there is of it is of no use, and takes room
                    file.truncate(0)
        size = sum(array.nbytes for array in arrays) / 1e6
        where = " or ".join(str(path.parent) for path in self.paths)
        raise DanceError(
            f"no room for {size:.0f} MB of frames in {where}; free some space there, or set TMPDIR "
            "to a folder with room"
        )

    def take(
        self, number: int, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> NDArray[Any]:
        """One array, the caller's own. Raises ProtocolError when it is not there."""
        if not 0 <= number < len(self._files) or offset < 0:
            raise ProtocolError(f"an array in file {number} at {offset}")
        file, count = self._files[number], int(np.prod(shape, dtype=object))
        if count and offset + count * dtype.itemsize > os.fstat(file.fileno()).st_size:
            raise ProtocolError(f"an array of {shape} {dtype} beyond what was written")
        array = np.empty(shape, dtype)
        file.seek(offset)
        view = _bytes(array)
        while view:
            got = file.readinto(view)
            if not got:
                raise ProtocolError("an array that was cut off")
            view = view[got:]
        return array


def _write(file: FileIO, arrays: Sequence[NDArray[Any]]) -> list[int]:
    offsets, end = [], 0
    for array in arrays:
        offset = -(-end // ALIGNED) * ALIGNED
        offsets.append(offset)
        file.seek(offset)
        view = _bytes(np.ascontiguousarray(array))
        end = offset + len(view)
        while view:
            view = view[file.write(view) or 0 :]
    return offsets


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
