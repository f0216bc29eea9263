"""Stage results on disk, keyed by what they were made from.

    ROOT/STAGE/KEY/        one entry; KEY is a hash of everything the result depends on
        entry.json         what it was made from, for people
        *.npz, *.sha256    arrays and the hash they must have
        journal.jsonl      records appended one by one, each with its own hash
        parts/             encoded pieces of an output (see dancecli.media)

Nothing read here is trusted: a wrong hash, a torn line or a foreign file counts as absent and the
caller computes the result again. Writes go aside first and are renamed into place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import CacheError, DanceError

logger = logging.getLogger(__name__)

SCHEMA = 3
"""Part of every key; raised when the meaning of stored results changes."""


def cache_root() -> Path:
    """$DANCE_CACHE, or the user's cache folder of this system."""
    return _folder("DANCE_CACHE", "user_cache_dir")


def config_root() -> Path:
    """$DANCE_CONFIG, or the user's folder for settings of this system."""
    return _folder("DANCE_CONFIG", "user_config_dir")


def _folder(variable: str, kind: str) -> Path:
    if given := os.environ.get(variable):
        return Path(given)
    import appdirs  # not before: where an isolated plugin runs there may be none

    return Path(getattr(appdirs, kind)("dance", appauthor=False))


def digest(arrays: Iterable[NDArray[Any]]) -> str:
    """SHA-256 of arrays one after the other, their shapes and types with them."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.shape} {array.dtype} ".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def key_of(parts: Mapping[str, Any]) -> str:
    """24 hex digits that change with any of the parts (JSON values)."""
    text = json.dumps({"schema": SCHEMA, **parts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class WorkDir:
    """The folder of stage results."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root() / "work"

    def entry(self, stage: str, parts: Mapping[str, Any]) -> Entry:
        """The entry of a stage made from `parts`, created if new.

        Raises DanceError when the folder cannot be made.
        """
        path = self.root / stage / key_of(parts)
        try:
            path.mkdir(parents=True, exist_ok=True)
            about = path / "entry.json"
            if not about.exists():
                write_aside(about, json.dumps(dict(parts), indent=1, sort_keys=True).encode())
            os.utime(path)
        except OSError as error:
            raise DanceError(
                f"cannot write the work directory {self.root}: {error.strerror or error}; "
                "choose another with --work-dir"
            ) from error
        return Entry(path)

    def entries(self) -> Iterator[Entry]:
        """All entries, any stage."""
        for path in sorted(self.root.glob("*/*/entry.json")):
            yield Entry(path.parent)

    def clean(self, older_than: float = 0.0) -> tuple[int, int]:
        """Remove entries not used for `older_than` seconds; returns (entries, bytes) freed."""
        count, freed = 0, 0
        for entry in self.entries():
            size = entry.size()
            if entry.age() >= older_than and entry.removed():
                count, freed = count + 1, freed + size
        return count, freed


class Entry:
    """One stage result, whole or on its way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self) -> int:
        """Bytes on disk."""
        return sum(_bytes(file) for file in self.path.rglob("*"))

    def age(self) -> float:
        """Seconds since it was last asked for."""
        with suppress(FileNotFoundError):
            return time.time() - self.path.stat().st_mtime
        return 0.0

    def removed(self) -> bool:
        """Delete it, unless a run works in it."""
        from filelock import FileLock, Timeout

        if not self.path.exists():
            return False
        with suppress(OSError, Timeout):
            with FileLock(self.path / "lock").acquire(timeout=0):
                self.remove()
            if os.name == "nt":
                self.remove()  # the lock that was open
        return not self.path.exists()

    def remove(self) -> None:
        """Delete it, whatever it holds."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the entry against other processes; waits, and says so, while one has it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("another run is computing the same thing; waiting for it")
            self._await(lock)
        try:
            yield
        finally:
            lock.release()

    def _await(self, lock: Any) -> None:
        while not lock.is_locked:
            try:
                lock.acquire()
            except FileNotFoundError:  # who held it has removed the entry: it is done
                self.path.mkdir(parents=True, exist_ok=True)

    def save(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays under a name, with the hash that `load` will ask for. Raises OSError."""
        import io

        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        data = buffer.getvalue()
        write_aside(self.path / f"{name}.npz", data)
        write_aside(self.path / f"{name}.sha256", hashlib.sha256(data).hexdigest().encode())

    def load(self, name: str) -> dict[str, NDArray[Any]] | None:
        """Arrays stored under a name; None when absent or damaged (said in the log)."""
        try:
            return self._checked(name)
        except FileNotFoundError:
            return None
        except (CacheError, OSError, ValueError) as error:
            logger.warning("work entry %s is damaged (%s); computing it again", name, error)
            return None

    def _checked(self, name: str) -> dict[str, NDArray[Any]]:
        import io

        data = (self.path / f"{name}.npz").read_bytes()
        expected = (self.path / f"{name}.sha256").read_text().strip()
        if hashlib.sha256(data).hexdigest() != expected:
            raise CacheError("its hash is wrong")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def journal(self) -> Journal:
        """The entry's append-only list of records."""
        return Journal(self.path / "journal.jsonl")


class Journal:
    """Records appended one at a time; what a kill tore off or damage spoilt is not read back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mended = False

    def read(self, mend: bool = True) -> list[Any]:
        """The records up to the first damaged one, which is cut off with all that follow.

        mend: False where the entry is not held: what looks torn is then a record that another run
        is writing, and stays.
        """
        records: list[Any] = []
        good = 0
        self._mended = self._mended or mend
        if not self.path.exists():
            return records
        with self.path.open("rb") as file:
            for line in file:
                record = _parse(line)
                if record is None:
                    break
                records.append(record["value"])
                good += len(line)
        if mend and good < self.path.stat().st_size:
            logger.warning("work journal is damaged after %d records", len(records))
            os.truncate(self.path, good)
        return records

    def cut(self, count: int) -> None:
        """Keep the first `count` records."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            length = sum(len(file.readline()) for _ in range(count))
        os.truncate(self.path, length)

    def append(self, values: list[Any]) -> None:
        """Add records after the last whole one and put them on the disk."""
        if not self._mended:
            self.read()  # what is added to a torn record would be lost with it
        lines = b"".join(_line(value) for value in values)
        with self.path.open("ab") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def _line(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{digest} {text}\n".encode()


def _parse(line: bytes) -> dict[str, Any] | None:
    digest, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or hashlib.sha256(text).hexdigest()[:16].encode() != digest:
        return None
    return {"value": json.loads(text)}


def _bytes(file: Path) -> int:
    """0 for a folder and for what vanishes meanwhile."""
    with suppress(FileNotFoundError):
        return file.stat().st_size if file.is_file() else 0
    return 0


def write_aside(path: Path, data: bytes) -> None:
    """Write a file so that it exists either whole or not at all."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
