"""Where bytes lie: a local file, or a URL of which stretches are asked for.

`http` and `https` go through the standard library, which needs no package and survives a fork;
every other scheme (`s3://`, `gs://`, `memory://`, ...) goes through fsspec.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dancecli.errors import MediaError, one_line

T = TypeVar("T")

TIMEOUT = 30.0
"""Seconds without an answer after which a request is given up."""

TRIES = 4
"""Requests of one stretch before it counts as unreadable; with pauses of 0.5, 1 and 2 s."""

CHUNK = 1 << 20


class Store(Protocol):
    """A file somewhere."""

    @property
    def name(self) -> str:
        """Path or URL, for messages."""
        ...

    @property
    def remote(self) -> bool:
        """Whether each read is a request."""
        ...

    def size(self) -> int:
        """Bytes. Raises MediaError where there is no such file."""
        ...

    def stamp(self) -> str:
        """Another text once the file is another. Raises MediaError where there is no such file."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`. Raises MediaError when fewer are there."""
        ...

    def beside(self, name: str) -> Store:
        """Another file of the same folder."""
        ...

    def __hash__(self) -> int: ...


def is_url(text: str) -> bool:
    """Whether this names something else than a local path."""
    return "://" in text


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine."""

    path: Path
    remote = False

    @property
    def name(self) -> str:
        return str(self.path)

    def size(self) -> int:
        with _failing(self.name):
            return self.path.stat().st_size

    def stamp(self) -> str:
        with _failing(self.name):
            state = self.path.stat()
        return f"{state.st_size} {state.st_mtime_ns}"

    def read(self, offset: int, size: int) -> bytes:
        with _failing(self.name), self.path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        return _whole(data, size, self.name)

    def beside(self, name: str) -> LocalFile:
        return LocalFile(self.path.with_name(name))

    def sha256(self) -> str:
        """Hex digits of the whole file's hash."""
        digest = hashlib.sha256()
        with _failing(self.name), self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True)
class RemoteFile:
    """A file behind a URL that fsspec knows."""

    url: str
    remote = True

    @property
    def name(self) -> str:
        return self.url

    def size(self) -> int:
        files, path = filesystem(self.url)
        with _failing(self.url):
            return int(files.size(path))

    def stamp(self) -> str:
        files, path = filesystem(self.url)
        with _failing(self.url):
            return str(files.ukey(path))

    def read(self, offset: int, size: int) -> bytes:
        files, path = filesystem(self.url)
        with _failing(self.url):
            data = bytes(files.cat_file(path, start=offset, end=offset + size))
        return _whole(data, size, self.url)

    def beside(self, name: str) -> RemoteFile:
        return RemoteFile(_sibling(self.url, name))


@dataclass(frozen=True)
class WebFile:
    """A file on a web server that answers requests for ranges."""

    url: str
    remote = True

    @property
    def name(self) -> str:
        return self.url

    def size(self) -> int:
        return _patiently(lambda: int(self._head()["Content-Length"]), self.url)

    def stamp(self) -> str:
        told = _patiently(self._head, self.url)
        return " ".join(str(told[name]) for name in ("Content-Length", "ETag", "Last-Modified"))

    def read(self, offset: int, size: int) -> bytes:
        if size == 0:
            return b""
        return _patiently(lambda: self._range(offset, size), self.url)

    def beside(self, name: str) -> WebFile:
        return WebFile(_sibling(self.url, name))

    def _head(self) -> Any:
        import urllib.request

        request = urllib.request.Request(self.url, method="HEAD")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.headers

    def _range(self, offset: int, size: int) -> bytes:
        import urllib.request

        asked = {"Range": f"bytes={offset}-{offset + size - 1}"}
        request = urllib.request.Request(self.url, headers=asked)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            if answer.status != 206:
                raise MediaError(
                    f"{self.url}: the server does not send parts of files (HTTP ranges); "
                    "copy them to a folder, or serve them with another server"
                )
            data: bytes = answer.read(size)
        if len(data) < size:
            raise OSError(f"{len(data)} of {size} bytes came")
        return data


def opened(where: str) -> Store:
    """The file that a path or URL names; nothing is read yet."""
    if where.startswith(("http://", "https://")):
        return WebFile(where)
    return RemoteFile(where) if is_url(where) else LocalFile(Path(where))


def read_all(store: Store, limit: int) -> bytes:
    """A whole small file; raises MediaError when it is larger than `limit` bytes."""
    size = store.size()
    if size > limit:
        raise MediaError(f"{store.name}: {size} bytes, above {limit}")
    return store.read(0, size)


@lru_cache(maxsize=4)
def stretch(store: Store, offset: int, size: int) -> bytes:
    """`Store.read`, remembered: a sample's files are asked for one after the other."""
    return store.read(offset, size)


def _sibling(url: str, name: str) -> str:
    path, mark, query = url.partition("?")
    return f"{path.rpartition('/')[0]}/{name}{mark}{query}"


def _whole(data: bytes, size: int, name: str) -> bytes:
    if len(data) != size:
        raise MediaError(f"{name}: changed or cut off while in use")
    return data


@contextmanager
def _failing(name: str) -> Iterator[None]:
    """Whatever a file system raises becomes a MediaError with the file's name."""
    try:
        yield
    except MediaError:
        raise
    except Exception as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> MediaError:
    what = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return MediaError(f"{name}: cannot be read ({one_line(what)[:200]})")


def filesystem(url: str) -> tuple[Any, str]:
    """fsspec's file system of a URL, and the path in it; fsspec keeps one per process."""
    import fsspec

    with _failing(url):
        files, path = fsspec.core.url_to_fs(url)
    return files, str(path)


def _patiently(request: Callable[[], T], name: str) -> T:
    """The answer, asked for again after a failure that may pass."""
    from http.client import HTTPException
    from urllib.error import HTTPError

    for tried in range(1, TRIES + 1):
        try:
            return request()
        except (OSError, HTTPException, TypeError, ValueError) as error:
            lasting = isinstance(error, HTTPError) and error.code < 500 and error.code != 429
            if lasting or tried == TRIES:
                raise _unreadable(name, error) from error
            time.sleep(0.25 * 2**tried)
    raise AssertionError("unreachable")
