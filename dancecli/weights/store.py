"""The weights folder: what lies in it, whether it is whole, and what was trusted by hand.

    WEIGHTS/FILE                one published file
    WEIGHTS/FILE.unpacked/...   what is wanted of an archive; the archive itself is not kept
    WEIGHTS/.dance/             locks, unfinished downloads, and a record per file where its
                                publisher gives no SHA-256 or it was unpacked

Nothing here is believed before its size and SHA-256 have been checked.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dancecli.errors import WeightsError
from dancecli.media.files import named, one_line, remove, sha256_of
from dancecli.weights.manifest import LARGEST_TEXT, UNPACKED, WeightFile, WrongError, checked_inside
from dancecli.workdir import cache_root, write_aside

logger = logging.getLogger(__name__)

HERE, MISSING, DAMAGED, UNTRUSTED = "here", "missing", "damaged", "untrusted"
"""States of a file: whole, absent, not what was published, and whole for all that is known."""


@dataclass(frozen=True)
class State:
    """What was found. detail: one line, empty when all is well."""

    word: str
    detail: str = ""


@dataclass(frozen=True)
class Record:
    """What is remembered of a file: SHA-256 of what was fetched, and of what was unpacked of it."""

    sha256: str = ""
    unpacked: dict[str, str] = field(default_factory=dict)


def folder() -> Path:
    """Where weight files are looked for; `$DANCE_CACHE` moves it."""
    return cache_root() / "weights"


def place(entry: WeightFile) -> Path:
    """The file or folder in the weights folder that holds an entry."""
    return folder() / (entry.file + (UNPACKED if entry.archive else ""))


def path_of(entry: WeightFile) -> Path:
    """What code reads: the file; of an archive its only wanted file, else their folder."""
    return place(entry) / entry.unpack[0] if len(entry.unpack) == 1 else place(entry)


def bookkeeping(entry: WeightFile, suffix: str) -> Path:
    """A file about an entry: ".part", ".lock", ".json"."""
    return folder() / ".dance" / (entry.file + suffix)


def state(entry: WeightFile) -> State:
    """Whether an entry is here and whole; reads all of its bytes."""
    if entry.listing:
        return _listed(entry, entry.listing)
    return _unpacked(entry) if entry.archive else _plain(entry)


def glance(entry: WeightFile) -> State:
    """As `state`, by names and sizes alone."""
    try:
        return _glanced(entry)
    except OSError as error:
        return State(DAMAGED, f"cannot be read ({one_line(error)})")


def _glanced(entry: WeightFile) -> State:
    if not (place(entry) / (entry.listing or "")).exists():
        return State(MISSING)
    if not entry.archive and not entry.listing and (wrong := wrong_size(entry, place(entry))):
        return State(DAMAGED, wrong)
    known = entry.listing or expected(entry)
    return State(HERE) if known else State(UNTRUSTED)


def _plain(entry: WeightFile) -> State:
    path = place(entry)
    if not path.is_file():
        return State(MISSING)
    if wrong := wrong_size(entry, path) or wrong_hash(expected(entry), path):
        return State(DAMAGED, wrong)
    if not expected(entry):
        return State(UNTRUSTED, f"its SHA-256 is {sha256_of(path)}")
    return State(HERE)


def _unpacked(entry: WeightFile) -> State:
    record = recorded(entry)
    if not place(entry).is_dir() or not record.sha256:
        return State(MISSING)
    if entry.sha256 not in (None, record.sha256):
        return State(DAMAGED, "it was unpacked from another archive")
    hashes = {name: record.unpacked.get(name, "") for name in entry.unpack}
    return _all_whole(place(entry), hashes)


def _listed(entry: WeightFile, listing: str) -> State:
    path = place(entry) / listing
    if not path.is_file():
        return State(MISSING)
    try:
        hashes = read_listing(path)
    except WeightsError as error:
        return State(DAMAGED, str(error))
    if wrong := wrong_hash(entry.sha256, path):
        return State(DAMAGED, wrong)
    return _all_whole(place(entry), hashes)


def _all_whole(root: Path, hashes: dict[str, str]) -> State:
    for name, sha256 in hashes.items():
        path = root / name
        if not path.is_file():
            return State(DAMAGED, f"{name} is missing")
        if not sha256 or (wrong := wrong_hash(sha256, path)):
            return State(DAMAGED, f"{name}: {wrong if sha256 else 'not on record'}")
    return State(HERE)


def wrong_size(entry: WeightFile, path: Path) -> str:
    """What is wrong with a file's size, or nothing."""
    size = path.stat().st_size
    return "" if entry.size in (None, size) else f"{size} bytes, {entry.size} expected"


def wrong_hash(sha256: str | None, path: Path) -> str:
    """What is wrong with a file's bytes, or nothing; without a hash, all are right."""
    if not sha256:
        return ""
    try:
        found = sha256_of(path)
    except OSError as error:
        return f"cannot be read ({one_line(error)})"
    return "" if sha256 == found else f"its SHA-256 is {found}, {sha256} expected"


def expected(entry: WeightFile) -> str | None:
    """The SHA-256 that a file must have: its publisher's, else the one trusted on this machine."""
    return entry.sha256 or recorded(entry).sha256 or None


def read_listing(path: Path) -> dict[str, str]:
    """Name -> SHA-256 of a folder's listing, a JSON object of objects with "sha256".

    Raises WeightsError for anything else, and for names that lead out of the folder.
    """
    try:
        entries = _json(path).items()
        hashes = {checked_inside(name): str(about["sha256"]) for name, about in entries}
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"{named(path)}: not a list of files: {one_line(error)}") from error
    if not hashes or not all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes.values()):
        raise WeightsError(f"{named(path)}: lists no files, or one without a SHA-256")
    return hashes


def recorded(entry: WeightFile) -> Record:
    """What is remembered of an entry; nothing when its record is damaged."""
    path = bookkeeping(entry, ".json")
    try:
        about = _json(path)
        return Record(str(about["sha256"]), {str(k): str(v) for k, v in about["unpacked"].items()})
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        logger.warning("%s is damaged (%s) and counts as absent", path, one_line(error))
        return Record()


def _json(path: Path) -> Any:
    if path.stat().st_size > LARGEST_TEXT:
        raise WrongError("too long")
    return json.loads(path.read_text("utf-8"))


def remember(entry: WeightFile, record: Record) -> None:
    """Keep a record, replacing the last one."""
    path = bookkeeping(entry, ".json")
    about = {"name": entry.name, "sha256": record.sha256, "unpacked": record.unpacked}
    write_aside(path, json.dumps(about, indent=1).encode())


def discard(entry: WeightFile) -> int:
    """Remove an entry, its unfinished download and what is remembered of it; returns bytes freed.

    To be called while it is held.
    """
    gone = [place(entry), *(bookkeeping(entry, end) for end in (".part", ".part.json", ".json"))]
    freed = sum(size_on_disk(path) for path in gone)
    for path in gone:
        remove(path)
    return freed


def size_on_disk(path: Path) -> int:
    """Bytes of a file or of all files of a folder; 0 for what is absent."""
    if path.is_dir() and not path.is_symlink():
        return sum(size_on_disk(each) for each in path.iterdir())
    return path.lstat().st_size if path.is_symlink() or path.exists() else 0


@contextmanager
def held(entry: WeightFile) -> Iterator[None]:
    """Hold an entry against other processes; waits, and says so, while one has it.

    Raises WeightsError when the weights folder cannot be written.
    """
    from filelock import FileLock, Timeout

    path = bookkeeping(entry, ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("another process is busy with %s; waiting for it", entry.name)
            lock.acquire()
    except OSError as error:
        raise WeightsError(
            f"cannot write the weights folder {folder()}: {one_line(error)}; "
            "choose another cache folder with DANCE_CACHE"
        ) from error
    try:
        yield
    finally:
        lock.release()
