"""`weights.toml`: the files of others that a plugin package needs, where they are, on what terms.

    [[file]]
    name = "schp_lip"                 # what code and `dance weights` call it
    file = "exp-schp-201908261155-lip.pth"
    about = "SCHP parser trained on LIP"
    addresses = ["https://..."]       # best first; none: it has no public address
    licence = "one line"
    commercial = false                # true, false or "unclear"
    size = 267449349                  # bytes, where published
    sha256 = "24fa3254..."            # where published
    needed_by = ["dance.parser:schp"] # entry-point group:plugin name
    archive = "zip"                   # or "tar", with `unpack`: what is wanted of it
    unpack = ["folder/model.pth"]
    listing = "MANIFEST.json"         # instead: `file` is a folder, this lists its files' SHA-256

A manifest comes with other people's plugins and is checked like any other input: one that is
wrong is refused as a whole.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from dancecli.errors import WeightsError
from dancecli.media.files import one_line

MANIFEST = "weights.toml"

LARGEST = 16 << 30
"""Bytes of the largest file that is fetched, listed or unpacked."""

LARGEST_TEXT = 1 << 20
"""Bytes of a manifest or of a folder's listing."""

UNPACKED = ".unpacked"
"""Added to an archive's name: the folder of what is wanted of it."""

KEYS = {
    "name", "file", "about", "addresses", "licence", "commercial", "size", "sha256", "needed_by",
    "archive", "unpack", "listing",
}  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,98}[A-Za-z0-9_+-])?")
"""Of entries and files: no separators, nothing hidden, nothing that Windows changes."""

_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
"""Names that Windows keeps for itself."""

_PLUGIN = re.compile(r"dance\.[a-z_]{1,30}:[\w.-]{1,60}")


@dataclass(frozen=True)
class WeightFile:
    """One published file.

    name: what the code calls it. file: its name on disk. about: what it is. addresses: where it is
    published, best first. licence: one line. commercial: True, False, or None where the terms leave
    it open. size: bytes, and sha256: 64 hex digits, or None where its publisher gives none.
    needed_by: "group:plugin". archive: "zip", "tar" or None; unpack: paths inside it. listing: in a
    folder, the JSON file that lists the others. package: whose manifest this is of.
    """

    name: str
    file: str
    about: str
    addresses: tuple[str, ...]
    licence: str
    commercial: bool | None
    size: int | None = None
    sha256: str | None = None
    needed_by: tuple[str, ...] = ()
    archive: str | None = None
    unpack: tuple[str, ...] = ()
    listing: str | None = None
    package: str = ""


class WrongError(ValueError):
    """What is wrong with an entry."""


def read(path: Path, package: str = "") -> list[WeightFile]:
    """The entries of a manifest.

    Raises WeightsError naming the entry and what is wrong with it.
    """
    try:
        data = _toml(path)
        entries = data.get("file", [])
        if set(data) - {"file"} or not isinstance(entries, list):
            raise WrongError("it may hold [[file]] tables only")
        files = [_numbered(n, entry, package) for n, entry in enumerate(entries, 1)]
        check_distinct(files)
    except WrongError as error:
        raise WeightsError(f"{path}: {error}; left out") from None
    return files


def _toml(path: Path) -> dict[str, Any]:
    from dancecli.toml import tomllib

    try:
        if path.stat().st_size > LARGEST_TEXT:
            raise WrongError("too long for a manifest")
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise WrongError(f"cannot be read ({one_line(error)})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise WrongError(f"not TOML ({one_line(error)})") from error
    return data


def _numbered(number: int, entry: Any, package: str) -> WeightFile:
    try:
        if not isinstance(entry, Mapping):
            raise WrongError("not a table")
        return _entry(entry, package)
    except WrongError as error:
        raise WrongError(f"[[file]] {number}: {error}") from None


def _entry(entry: Mapping[str, Any], package: str) -> WeightFile:
    for key in sorted(set(entry) - KEYS):  # a misspelt `sha256` must not pass for none
        close = difflib.get_close_matches(key, KEYS, n=1)
        raise WrongError(f"unknown key {key!r:.40}{f', meant {close[0]!r}' if close else ''}")
    made = WeightFile(
        name=_plain_name(entry, "name"),
        file=_plain_name(entry, "file"),
        about=_line(entry, "about"),
        addresses=tuple(_address(each) for each in _texts(entry, "addresses", needed=True)),
        licence=_line(entry, "licence"),
        commercial=_commercial(entry),
        size=_size(entry),
        sha256=_sha256(entry),
        needed_by=tuple(_plugin(each) for each in _texts(entry, "needed_by")),
        archive=entry.get("archive"),
        unpack=tuple(checked_inside(each) for each in _texts(entry, "unpack")),
        listing=_plain_name(entry, "listing") if "listing" in entry else None,
        package=package,
    )
    _fits_together(made)
    return made


def _fits_together(entry: WeightFile) -> None:
    if entry.archive not in (None, "zip", "tar"):
        raise WrongError(f"archive = {entry.archive!r:.40}: valid are 'zip' and 'tar'")
    if bool(entry.archive) != bool(entry.unpack):
        raise WrongError("`archive` and `unpack` go together")
    if len({each.lower() for each in entry.unpack}) != len(entry.unpack):
        raise WrongError("`unpack` names a file twice")
    if entry.file.endswith(UNPACKED):
        raise WrongError(f"file = {entry.file!r}: {UNPACKED} is added to what archives hold")
    if entry.listing and (entry.archive or entry.addresses):
        raise WrongError("a folder with a `listing` has neither `archive` nor `addresses`")


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise WrongError(f"{key} = {value!r:.60}: want a line of text")
    return value


def _line(entry: Mapping[str, Any], key: str) -> str:
    value = _text(entry, key)
    if len(value) > 300:
        raise WrongError(f"{key} is {len(value)} characters long, at most 300 are shown")
    return value


def _plain_name(entry: Mapping[str, Any], key: str) -> str:
    value = _text(entry, key)
    if not _NAME.fullmatch(value) or _DEVICES.fullmatch(value):
        raise WrongError(
            f"{key} = {value!r:.60}: want letters, digits and . _ + - (at most 100), no folder"
        )
    return value


def _texts(entry: Mapping[str, Any], key: str, needed: bool = False) -> list[str]:
    value = entry.get(key, None if needed else [])
    value = [value] if isinstance(value, str) and key == "unpack" else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise WrongError(f"{key} = {value!r:.60}: want a list of texts")
    return value


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        known = known and parts.port != 0 and parts.username is None
    except ValueError:
        known = False
    if not known or not text.isascii() or not text.isprintable() or " " in text:
        raise WrongError(f"address {text!r:.80}: want http:// or https://")
    return text


def _commercial(entry: Mapping[str, Any]) -> bool | None:
    value = entry.get("commercial")
    if value == "unclear":
        return None
    if not isinstance(value, bool):
        raise WrongError(f"commercial = {value!r:.40}: want true, false or 'unclear'")
    return value


def _size(entry: Mapping[str, Any]) -> int | None:
    value = entry.get("size")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST:
        raise WrongError(f"size = {value!r:.40}: want bytes, 1 to {LARGEST}")
    return value


def _sha256(entry: Mapping[str, Any]) -> str | None:
    value = entry.get("sha256")
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise WrongError(f"sha256 = {value!r:.80}: want 64 hexadecimal digits")
    return value.lower()


def _plugin(text: str) -> str:
    if not _PLUGIN.fullmatch(text):
        raise WrongError(f"needed_by {text!r:.60}: want dance.GROUP:NAME")
    return text


def checked_inside(text: str) -> str:
    """A relative path with / between plain names. Raises ValueError for any other."""
    parts = text.split("/")
    plain = all(p not in ("", ".", "..") and p.isprintable() for p in parts)
    if not plain or len(text) > 300 or any(c in text for c in '\\:*?"<>|'):
        raise WrongError(f"{text!r:.80}: want a relative path inside, as folder/file")
    if any(p[-1] in " ." or _DEVICES.fullmatch(p) for p in parts):
        raise WrongError(f"{text!r:.80}: has a name that Windows changes")
    return str(PurePosixPath(text))


def check_distinct(files: Iterable[WeightFile]) -> None:
    """Names are unique; two plain files share a place only where they mean the same bytes.

    Raises WrongError.
    """
    names: set[str] = set()
    places: dict[str, WeightFile] = {}
    for entry in files:
        if entry.name.lower() in names:
            raise WrongError(f"the name '{entry.name}' is taken twice")
        names.add(entry.name.lower())
        other = places.setdefault(entry.file.lower(), entry)
        if other is not entry and not _same_bytes(entry, other):
            raise WrongError(f"'{entry.name}' and '{other.name}' are both {entry.file}")


def _same_bytes(one: WeightFile, other: WeightFile) -> bool:
    plain = not (one.archive or other.archive or one.listing or other.listing)
    return plain and one.file == other.file and one.sha256 == other.sha256 is not None
