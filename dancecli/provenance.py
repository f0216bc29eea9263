"""What an output was made of: the sidecar OUT.json and the tags inside the file.

Whoever meets the video can see that it is synthetic, with what it was made, and under which
licences; whoever made it can make it again.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from dancecli import __version__
from dancecli.errors import MediaError, OutputExistsError
from dancecli.media.files import named, sha256_of, written_aside

SCHEMA = 1
"""Version of the sidecar's layout."""

MARK = b'"synthetic media": true'
"""What every sidecar holds."""

DISTRIBUTIONS = ("av", "mediapipe", "moviepy", "numpy", "opencv-contrib-python", "torch")
"""Whose versions can change the result."""


def sidecar(
    out: Path,
    *,
    inputs: Mapping[str, Path],
    options: Mapping[str, Any],
    plugins: Sequence[Mapping[str, Any]],
    seed: int,
    licences: Iterable[str] = (),
    **extra: Any,
) -> dict[str, Any]:
    """The record of a finished output, ready for JSON, with file names only, no folders.

    inputs: role -> file. options: as given. plugins: one mapping each, with "licence" where it is
    known, and "weights", as they say of them, where there are some. licences: further ones than
    the plugins'. extra: further facts, under their own keys. Raises OSError when a file cannot be
    read.
    """
    weights = [plugin.get("weights") for plugin in plugins]
    said = [*plugins, *(each for each in weights if isinstance(each, Mapping))]
    terms = {str(each["licence"]) for each in said if each.get("licence")}
    record = {
        "schema": SCHEMA,
        "synthetic media": True,
        "made with": {"name": "dance", "version": version()},
        "made at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "output": _file(out),
        "inputs": {role: _file(path) for role, path in inputs.items()},
        "options": options,
        "plugins": list(plugins),
        "licences": sorted(terms.union(licences)),
        "seed": seed,
        "versions": _versions(),
        **extra,
    }
    plain: dict[str, Any] = _plain(record)
    return plain


def sidecar_path(out: Path) -> Path:
    """OUT.json, beside OUT."""
    return out.with_name(out.name + ".json")


def check_sidecar(out: Path, force: bool) -> None:
    """Whether OUT.json may be written; one that an earlier output left behind may be replaced.

    Raises OutputExistsError for a file of somebody else's where `force` is not given, MediaError
    for a folder.
    """
    path = sidecar_path(out)
    if path.is_dir():
        raise MediaError(f"{named(path)} is a folder: the sidecar goes there, rename OUT")
    if path.exists() and not force and not _is_sidecar(path):
        raise OutputExistsError(
            f"{named(path)} exists, and the sidecar would replace it: choose another name for OUT "
            "or give --force"
        )


def _is_sidecar(path: Path) -> bool:
    with suppress(OSError):
        return MARK in path.read_bytes()
    return False


def write_sidecar(
    out: Path,
    *,
    inputs: Mapping[str, Path],
    options: Mapping[str, Any],
    plugins: Sequence[Mapping[str, Any]],
    seed: int,
    licences: Iterable[str] = (),
    **extra: Any,
) -> Path:
    """Writes `sidecar` beside OUT, keys in order, complete or not at all; returns where.

    Raises MediaError when it cannot be written.
    """
    record = sidecar(
        out, inputs=inputs, options=options, plugins=plugins, seed=seed, licences=licences, **extra
    )
    path = sidecar_path(out)
    text = json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False)
    with written_aside(path) as unfinished:
        # Bytes of a file's name that are no UTF-8 become \udc.., as JSON writes them elsewhere.
        unfinished.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return path


def container_tags(
    title: str = "Synthetic dance video",
    says: str = "the person shown did not make these movements",
) -> dict[str, str]:
    """Tags for the file itself, under keys that every container keeps."""
    return {
        "title": title,
        "comment": f"synthetic media: made with dance {version()}; {says}",
    }


def version() -> str:
    """Of this package."""
    return __version__


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _versions() -> dict[str, str]:
    """Python's and of the distributions that are installed."""
    found = {name: _version(name) for name in DISTRIBUTIONS}
    return {"python": platform.python_version()} | {n: v for n, v in found.items() if v}


def _file(path: Path) -> dict[str, str]:
    return {"file": path.absolute().name, "sha256": sha256_of(path)}


def _plain(value: Any) -> Any:
    """As JSON has it; paths, and texts that are absolute ones, are cut to the file's name."""
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_plain(item) for item in items]
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, str):
        return _without_folders(value)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _without_folders(text: str) -> str:
    """An absolute path of any system as its last name; other texts unchanged."""
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(text).is_absolute():
            return kind(text).name
    return text
