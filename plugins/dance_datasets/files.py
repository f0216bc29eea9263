"""Files of a data set from outside: none is read from outside its folder, or beyond a size."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from dancecli.data.people import Skipped
from dancecli.errors import UsageError
from dancecli.media.files import named

LARGEST_LIST = 64 << 20
"""Bytes of a list of names."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What the sets' pictures, videos and frames are called, without folder and ending."""

REFUSED = "!"
"""Begins the unit that stands for a list, or a line of one, that cannot be used."""


class UnusableError(Exception):
    """A file that cannot serve. skipped: what the reader reports of it."""

    def __init__(self, where: str, reason: str) -> None:
        """where: the file, below the data set's folder."""
        super().__init__(f"{where}: {reason}")
        self.skipped = Skipped(named(Path(where)), reason)


@dataclass(frozen=True)
class Folder:
    """A data set's folder, out of which no name and no link leads. Names are relative, with `/`.

    root: resolved.
    """

    root: Path

    def has(self, name: str) -> bool:
        """Whether a file or folder of that name is there."""
        return os.path.lexists(self.root / name)

    def first(self, *names: str) -> str | None:
        """The first of these that is there."""
        return next((name for name in names if self.has(name)), None)

    def stamp(self, name: str) -> int:
        """When it was last changed, in ns; 0 where it is not there. For caches."""
        path = self.root / name
        return path.stat().st_mtime_ns if path.exists() else 0

    def read(self, name: str, limit: int, kind: str) -> bytes:
        """The bytes of a plain file of at most `limit` bytes.

        kind: "picture", "annotation" or "list", for the reason. Raises UnusableError.
        """
        try:
            path = self._inside(name)
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise UnusableError(name, f"{kind} is not a plain file")
            if status.st_size > limit:
                raise UnusableError(name, f"{kind} is above {limit >> 20} MiB")
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise UnusableError(name, f"{kind} is missing") from None
        except (OSError, ValueError, RuntimeError):  # links in a circle, names with NUL
            raise UnusableError(name, f"{kind} cannot be read") from None

    def entries(self, name: str) -> list[str]:
        """The names in a folder, sorted; none where it cannot be listed."""
        try:
            return sorted(entry.name for entry in os.scandir(self._inside(name)))
        except (OSError, UnusableError):
            return []

    def _inside(self, name: str) -> Path:
        """The file itself, links followed."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root):
            raise UnusableError(name, "leads out of the data set's folder")
        return path


def opened(root: Path | None, name: str, layout: str) -> Folder:
    """The folder that the user named.

    Raises UsageError with the layout that is expected when there is none.
    """
    if root is None:
        raise UsageError(f"data set '{name}' needs its folder: {layout}")
    if not root.is_dir():
        raise UsageError(f"{named(root)} is not a folder; '{name}' expects {layout}")
    return Folder(root.resolve())


def listed(folder: Folder, file: str, form: re.Pattern[str] = NAME) -> list[str]:
    """The names in a list file, once each and in its order, without picture endings.

    form: of a whole name. A line that is no name becomes `!FILE:LINE`, a list
    that cannot be read `!FILE`; `refused` says why.
    """
    try:
        text = folder.read(file, LARGEST_LIST, "list").decode("utf-8-sig", "replace")
    except UnusableError:
        return [REFUSED + file]
    names: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name = line.strip().removesuffix(".jpg").removesuffix(".png")
        if name:
            names[name if form.fullmatch(name) else f"{REFUSED}{file}:{number}"] = None
    return list(names)


def refused(folder: Folder, mark: str) -> Skipped:
    """Why a list, or a line of one, is of no use; mark: what `listed` gave for it."""
    where = mark.removeprefix(REFUSED)
    try:
        folder.read(where, LARGEST_LIST, "list")
    except UnusableError as error:
        if ":" not in where:
            return error.skipped
    return Skipped(named(Path(where)), "no name of a picture")
