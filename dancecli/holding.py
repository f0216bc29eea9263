"""A folder or a file held by one run, so that no second one writes into it beside the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dancecli.errors import DanceError

LOCK = ".lock"
"""The file by which a folder is held; the system lets go of it when a run is killed."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder, made and held against other runs; folders made here that stay empty go again.

    Raises DanceError when another run holds it, or it cannot be written.
    """
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DanceError(f"{folder} cannot be written: {error.strerror or error}") from error
    lock = acquired(folder / LOCK, f"{folder}: another run is writing there", str(folder))
    try:
        yield
    finally:
        _let_go(folder, lock, new)


def acquired(path: Path, taken: str, what: str) -> Any:
    """The lock by that file, to be released. Raises DanceError: `taken`, or that `what` cannot be
    written."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DanceError(taken) from error
    except OSError as error:
        raise DanceError(f"{what} cannot be written: {error.strerror or error}") from error
    return lock


def _let_go(folder: Path, lock: Any, new: list[Path]) -> None:
    with suppress(OSError):
        if new and [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()  # before it is let go of: nobody then holds what is gone
    lock.release()
    with suppress(OSError):
        for path in new:
            path.rmdir()
