"""A folder held by one run, so that no second one writes into it beside the first."""

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
    """The folder, made and held against other runs; one made here that stays empty goes again.

    Raises DanceError when another run holds it, or it cannot be written.
    """
    from filelock import FileLock, Timeout

    made = not folder.exists()
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DanceError(f"{folder}: another run is writing there") from error
    except OSError as error:
        raise DanceError(f"{folder} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        _let_go(folder, lock, made)


def _let_go(folder: Path, lock: Any, made: bool) -> None:
    with suppress(OSError):
        if made and [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()  # before it is let go of: nobody then holds what is gone
    lock.release()
    if made:
        with suppress(OSError):
            folder.rmdir()
