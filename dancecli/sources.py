"""Where the code of a distribution lies, and whether somebody is at work on it.

Only metadata and file names are read; nothing is imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

NOT_CODE = ("setup", "conftest", "test", "tests")
"""What lies beside a module in a project and is no part of what it brings."""


def project_of(dist: Distribution) -> Path | None:
    """The folder that `pip install -e` was given; None for what was installed as a copy."""
    try:
        told = json.loads(dist.read_text("direct_url.json") or "{}")
        if not told["dir_info"]["editable"]:
            return None
        return Path(url2pathname(urlparse(told["url"]).path)).resolve()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def modules(dist: Distribution, top: str, path: Sequence[str] | None = None) -> dict[str, Path]:
    """The top-level modules of a distribution: name -> its file, or its package's folder.

    top: the one that is known. path: folders to look into, sys.path if None. Of an editable one
    nothing is listed: its modules are those beside `top` in the project's folder.
    """
    place = place_of(top, path)
    if place is None:
        return {}
    project, folder = project_of(dist), place.parent.resolve()
    if project is None:
        others = _listed(dist)
    else:
        others = _beside(folder) if folder.is_relative_to(project) else set()
    found = {name: place_of(name, [str(place.parent)]) for name in sorted(others - {top})}
    return {top: place, **{name: other for name, other in found.items() if other}}


def top(target: str) -> str:
    """The top-level module of a target, "module.of.a.package:Class"."""
    return target.split(":")[0].split(".")[0]


def place_of(module: str, path: Sequence[str] | None = None) -> Path | None:
    """A top-level module's file, or its package's folder; None where there is none."""
    if path is None:
        spec = importlib.util.find_spec(module)
    else:
        spec = PathFinder.find_spec(module, list(path))
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin else None


def _listed(dist: Distribution) -> set[str]:
    """By the list of files that the installer left; folders without __init__ belong to several."""
    files = dist.files or []
    packages = {f.parts[0] for f in files if len(f.parts) == 2 and f.name == "__init__.py"}
    names = {inspect.getmodulename(f.name) for f in files if len(f.parts) == 1}
    return packages | {name for name in names if name}


def _beside(folder: Path) -> set[str]:
    packages = {init.parent.name for init in folder.glob("*/__init__.py")}
    return {*packages, *(file.stem for file in folder.glob("*.py"))} - set(NOT_CODE)


@cache
def edited(distribution: str, top: str, folders: tuple[str, ...] = ()) -> str:
    """12 hex digits that change with the code of an editable distribution; empty for a copy.

    folders: where another environment's packages lie. One answer per process, which imports the
    code once.
    """
    path = list(folders) or sys.path
    dist = next(iter(Distribution.discover(name=distribution, path=path)), None)
    if dist is None or project_of(dist) is None:
        return ""
    places = modules(dist, top, folders or None).values()
    lines = sorted(line for place in places for line in _states(place))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _states(place: Path) -> Iterator[str]:
    """Name, size and time of a module's file, or of each one below a package's folder."""
    files = [place] if place.is_file() else [
        Path(folder, name)
        for folder, _, names in os.walk(place)
        for name in names
        if name.endswith(".py")
    ]  # fmt: skip
    for file in files:
        state = file.stat()
        yield f"{file.relative_to(place.parent)} {state.st_size} {state.st_mtime_ns}"
