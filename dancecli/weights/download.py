"""One file over HTTP, into a part beside its place; a part that was cut off goes on where it was.

A server is believed in nothing: lengths, ranges, redirects and pages of help instead of files are
checked, and what comes of it is compared with its SHA-256 by the caller.
"""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from dancecli import __version__
from dancecli.errors import WeightsError
from dancecli.media.files import one_line, remove, room
from dancecli.progress import Progress
from dancecli.weights.manifest import LARGEST
from dancecli.workdir import write_aside

TRIES = 4
"""How often a file that is cut off is asked for again, each time from where it was."""

REDIRECTS = 5

TIMEOUT = 30.0
"""Seconds without an answer."""

BLOCK = 1_000_000

PAGE = (b"<!doctype html", b"<html", b"<head")
"""How a page for people begins."""


class FailedError(Exception):
    """Why an address gave no file; one line without the address."""


class CutOffError(FailedError):
    """It ended early, or what was here does not fit: worth another try."""


@dataclass(frozen=True)
class Part:
    """What is known of an unfinished file. etag, modified: its validators, empty where not given.

    total: bytes it will have, None where the server does not say.
    """

    address: str = ""
    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What `If-Range` takes; a weak ETag says nothing of bytes."""
        return self.modified if self.etag.startswith("W/") or not self.etag else self.etag


def download(address: str, part: Path, size: int | None, progress: Progress, name: str) -> None:
    """Fetch an address into `part`, going on with what is there if it is the same file's.

    size: what its publisher says, or None. Raises FailedError with the reason, leaving an
    unfinished part for the next time where it can be used; MediaError when the disk is full.
    """
    for attempt in range(TRIES):
        try:
            return _attempt(address, part, size, progress, name)
        except CutOffError as error:
            if attempt + 1 == TRIES:
                raise
            progress.say(f"{name}: {error}; trying again")


def _attempt(address: str, part: Path, size: int | None, progress: Progress, name: str) -> None:
    known, begun = _begun(part, address)
    if begun and begun == known.total:
        return
    try:
        with _answer(address, known, begun) as response:
            fresh, offset = _checked(response, address, known, begun, size, part)
            _room_for(fresh.total, offset, part)
            with room(part):
                write_aside(_about(part), json.dumps(asdict(fresh)).encode())
                _receive(response, part, fresh.total or size, offset, progress, name)
    except HTTPError as error:
        raise _refused(error, part) from error
    except (HTTPException, OSError, ValueError) as error:
        raise FailedError(f"no connection ({_told(error)})") from error


def _told(error: BaseException) -> str:
    """What an error says on one line; urllib wraps what it met."""
    reason = getattr(error, "reason", error)
    return one_line(reason) if isinstance(reason, BaseException) else f"{reason!r:.80}"


def _begun(part: Path, address: str) -> tuple[Part, int]:
    """What is known of a part and how many of its bytes can be used."""
    try:
        known = Part(**json.loads(_about(part).read_text("utf-8")))
        size = part.stat().st_size
        usable = known.address == address and bool(known.validator)
    except (OSError, ValueError, TypeError, AttributeError):
        return Part(), 0
    return (known, size) if usable else (Part(), 0)


def _about(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def drop(part: Path) -> None:
    """Remove a part and what is known of it."""
    remove(part)
    remove(_about(part))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A few, and never from https to anything less."""

    max_redirections, max_repeats = REDIRECTS, 2

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """As urllib's. Raises FailedError for another scheme."""
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in (old, "https"):
            raise FailedError(f"it redirects from {old} to {new}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS alone: no files, no FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler, urllib.request.UnknownHandler, urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler, urllib.request.HTTPDefaultErrorHandler, _Redirects,
        urllib.request.HTTPErrorProcessor,
    ):  # fmt: skip
        opener.add_handler(handler())
    return opener


@contextmanager
def _answer(address: str, known: Part, begun: int) -> Iterator[Any]:
    headers = {"User-Agent": f"dance/{__version__}", "Accept-Encoding": "identity"}
    if begun:
        headers |= {"Range": f"bytes={begun}-", "If-Range": known.validator}
    request = urllib.request.Request(address, headers=headers)
    with _opener().open(request, timeout=TIMEOUT) as response:
        yield response


def _checked(
    response: Any, address: str, known: Part, begun: int, size: int | None, part: Path
) -> tuple[Part, int]:
    """The file that is coming, and from which byte on.

    Raises FailedError for what cannot be the file, CutOffError (the part dropped) for a piece of
    another one.
    """
    headers: Mapping[str, str] = response.headers
    _no_page(headers)
    offset, total = 0, _number(headers.get("Content-Length"))
    if response.status == 206:
        offset, total = _range(headers.get("Content-Range", ""))
    elif response.status != 200:
        raise FailedError(f"it answers {response.status}")
    if size is not None and total is not None and total != size:
        raise FailedError(f"it offers {total} bytes, {size} expected")
    if (total or 0) > LARGEST:
        raise FailedError(f"it offers {total} bytes, more than any file of weights")
    fresh = Part(address, headers.get("ETag", ""), headers.get("Last-Modified", ""), total)
    if response.status == 200:
        return fresh, 0
    if not begun or offset != begun or _differ(known, fresh):
        drop(part)
        raise CutOffError("the file has changed since it was begun")
    return replace(known, total=known.total or total), begun


def _differ(known: Part, fresh: Part) -> bool:
    """Whether a later answer speaks of another file; it may leave out what an earlier one said."""
    pairs = zip(astuple(known), astuple(fresh), strict=True)
    return any(old and new and old != new for old, new in pairs)


def _no_page(headers: Mapping[str, str]) -> None:
    if headers.get("Content-Type", "").lower().startswith("text/html"):
        raise FailedError("it answers with a web page, which a person must open")
    if headers.get("Content-Encoding", "identity") != "identity":
        raise FailedError("it sends the file compressed, though asked not to")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() else None


def _range(text: str) -> tuple[int, int | None]:
    """The first byte and the whole length of `Content-Range`."""
    match = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", text.strip())
    if not match:
        raise FailedError(f"it sends a range that cannot be read ({text!r:.60})")
    return int(match[1]), _number(match[2])


def _room_for(total: int | None, offset: int, part: Path) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - offset > free:
        raise WeightsError(
            f"no room for {(total - offset) / 1e6:.0f} MB in {part.parent.parent}: "
            f"{free / 1e6:.0f} MB free; free some, or choose another folder with DANCE_CACHE"
        )


def _receive(
    response: Any, part: Path, total: int | None, offset: int, progress: Progress, name: str
) -> None:
    """Write what comes, at most `total` bytes in all. Raises FailedError unless that is all."""
    most, count = total or LARGEST, offset
    with (
        part.open("r+b" if offset else "wb") as file,
        _meter(progress, name, total, offset) as step,
    ):
        file.seek(offset)
        file.truncate()
        while block := _block(response):
            if not count and block.lstrip()[:20].lower().startswith(PAGE):
                drop(part)
                raise FailedError("it answers with a web page, which a person must open")
            count += len(block)
            if count > most:
                drop(part)
                raise FailedError(f"it sends more than {most} bytes; they were thrown away")
            file.write(block)
            step()
    if total is not None and count < total:
        raise CutOffError(f"cut off after {count} of {total} bytes")


def _block(response: Any) -> bytes:
    try:
        block: bytes = response.read(BLOCK)
    except (HTTPException, OSError) as error:
        raise CutOffError(f"the connection broke ({_told(error)})") from error
    return block


@contextmanager
def _meter(
    progress: Progress, name: str, total: int | None, offset: int
) -> Iterator[Callable[[], None]]:
    """Megabytes on the progress bar, where the length is known."""
    if total is None:
        progress.say(f"{name}: fetching; the server does not say how long it is")
        yield lambda: None
        return
    with progress.stage(name, -(-total // BLOCK), offset // BLOCK, "MB") as step:
        yield step


def _refused(error: HTTPError, part: Path) -> FailedError:
    if error.code == 416:
        drop(part)
        return CutOffError("it has no bytes from there on")
    if error.code in (301, 302, 303, 307, 308):
        return FailedError(f"it redirects without end (more than {REDIRECTS} times)")
    return FailedError(f"it answers {error.code} ({error.reason!r:.60})")
