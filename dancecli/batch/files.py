"""Inputs and outputs of jobs behind URLs, and how to tell that a file is another."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from dancecli.data.stores import filesystem, is_url, opened
from dancecli.errors import MediaError
from dancecli.media.files import one_line, sha256_of, written_aside
from dancecli.workdir import WorkDir

BLOCK = 8 << 20
"""Bytes asked for at a time."""

NOT_THERE = (404, 410)
"""Answers of a web server that has no such file."""

Print = dict[str, str]
"""What tells a file from another: "stamp", cheap to ask for, and "sha256", of a local file."""


def is_web(place: str) -> bool:
    """Whether this is an address on the web: to be read only, and without patterns."""
    return place.startswith(("http://", "https://"))


def name_in(url: str) -> str:
    """The file name that a URL ends in: `#`, `?` and `%` belong to it outside the web.

    Raises MediaError for a URL of an unknown kind.
    """
    path = unquote(urlsplit(url).path) if is_web(url) else filesystem(url)[1]
    name = "".join(c if c.isprintable() and c != "\\" else "_" for c in PurePosixPath(path).name)
    return name if name.strip(".") else "file"


def real_place(place: str) -> str:
    """The one name of a place: of a local file its path, links followed, be it given as a URL."""
    if is_web(place):
        return place
    if not is_url(place):
        return os.path.realpath(place)  # Path.resolve fails where links go round in a circle
    from fsspec.implementations.local import LocalFileSystem

    try:
        files, path = filesystem(place)
    except MediaError:  # told by whoever reads or writes there
        return place
    if isinstance(files, LocalFileSystem):
        return os.path.realpath(path)
    return str(files.unstrip_protocol(path))


def fetched(url: str, work: WorkDir) -> Path:
    """The file behind a URL, copied once into the work directory.

    Raises MediaError where it cannot be read.
    """
    store = opened(url)
    stamp, size = store.stamp(), store.size()
    known = hashlib.sha256(url.encode()).hexdigest()  # a URL may hold a password
    entry = work.entry("input", {"name": name_in(url), "url": known, "stamp": stamp})
    path = entry.path / "file" / name_in(url)
    with entry.locked():
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            with written_aside(path) as unfinished, unfinished.open("wb") as file:
                for offset in range(0, size, BLOCK):
                    file.write(store.read(offset, min(BLOCK, size - offset)))
    return path


def put(made: Mapping[Path, str]) -> None:
    """Copy files to URLs: all of them aside first, then each into its place, in order.

    made: local path -> URL. Raises MediaError where that fails; whatever is there then is whole.
    """
    asides: list[str] = []
    try:
        for path, url in made.items():
            asides.append(f"{url.rpartition('/')[0]}/.{name_in(url)}.{uuid.uuid4().hex}.unfinished")
            files, aside = filesystem(asides[-1])
            files.put_file(str(path), aside)
        for aside_url, url in zip(asides, made.values(), strict=True):
            files, target = filesystem(url)
            files.mv(filesystem(aside_url)[1], target)
    except MediaError:
        raise
    except Exception as error:
        raise MediaError(f"{url}: cannot be written ({one_line(error)})") from error
    finally:
        for left in asides:
            _removed(left)


def _removed(url: str) -> None:
    with suppress(Exception):
        files, path = filesystem(url)
        if files.exists(path):
            files.rm_file(path)


def is_there(place: str) -> bool:
    """Whether a path or URL names something. Raises MediaError where that cannot be asked."""
    if not is_url(place):
        return Path(place).exists()
    if is_web(place):
        return _is_on_web(place)
    files, path = filesystem(place)
    try:
        return bool(files.exists(path))
    except Exception as error:
        raise MediaError(f"{place}: cannot be asked for ({one_line(error)})") from error


def _is_on_web(url: str) -> bool:
    try:
        opened(url).stamp()
    except MediaError as error:
        if getattr(error.__cause__, "code", None) in NOT_THERE:
            return False
        raise
    return True


def print_of(place: str) -> Print | None:
    """A file's print, or a folder's; None where there is nothing that can be read."""
    try:
        if is_url(place):
            return {"stamp": opened(place).stamp()}
        return {"stamp": _stamp(Path(place)), "sha256": sha256_of(Path(place))}
    except (MediaError, OSError):
        return None


def is_same(place: str, known: Any) -> bool:
    """Whether what lies there is what a print was taken of. A local file is read only in doubt."""
    if not isinstance(known, dict):
        return not is_there(place)
    try:
        if is_url(place):
            return opened(place).stamp() == known.get("stamp")
        path = Path(place)
        if not path.is_dir() and _stamp(path) == known.get("stamp"):
            return True
        return sha256_of(path) == known.get("sha256")
    except (MediaError, OSError):
        return False


def _stamp(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns}"
