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
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

NOT_CODE = ("setup", "conftest", "test", "tests")
"""What lies beside a module in a project and is no part of what it brings."""

MADE = ("build", "node_modules")
"""Folders of a project that its code is copied into, or that of others."""

ENVIRONMENT = ("pyvenv.cfg", "conda-meta")
"""What a Python environment's folder holds."""


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
    nothing is listed: its modules are those beside `top` in the project's folder. Of a namespace,
    which several distributions share, the portion in that folder counts.
    """
    project, places = project_of(dist), _places(top, path)
    own = [place for place in places if project and _within(place, project)]
    place = next(iter([*own, *places]), None)
    if place is None:
        return {}
    others = set[str]()
    if own:
        others = _beside(place.parent.resolve())
    elif project is None:
        others = _listed(dist)
    found = {name: place_of(name, [str(place.parent)]) for name in sorted(others - {top})}
    return {top: place, **{name: other for name, other in found.items() if other}}


def top_of(target: str) -> str:
    """The top-level module of a target, "module.of.a.package:Class"."""
    return target.split(":")[0].split(".")[0]


def place_of(module: str, path: Sequence[str] | None = None) -> Path | None:
    """A top-level module's file, or its package's folder; None where there is none."""
    return next(iter(_places(module, path)), None)


def _places(module: str, path: Sequence[str] | None) -> list[Path]:
    """As `place_of`; of a namespace the folders of all its portions."""
    if path is None:
        spec = importlib.util.find_spec(module)
    else:
        spec = PathFinder.find_spec(module, list(path))
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin else []


def _within(place: Path, project: Path) -> bool:
    """Whether it is a project's own code, and not that of an environment kept in its folder."""
    place = place.resolve()
    if not place.is_relative_to(project):
        return False
    above = [place, *place.parents]
    return not any(_apart(each) for each in above[: above.index(project)])


def _apart(place: Path) -> bool:
    """Whether a folder in a project is none of its code: hidden, made, or an environment."""
    named = place.name.startswith(".") or place.name in MADE
    return named or any((place / mark).exists() for mark in ENVIRONMENT)


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
    code once. Where only an installer's import hook knows the way to `top`, which no other Python
    can ask, all code in the project's folder counts.
    """
    path = list(folders) or sys.path
    dist = next(iter(Distribution.discover(name=distribution, path=path)), None)
    project = project_of(dist) if dist else None
    if dist is None or project is None:
        return ""
    found = modules(dist, top, folders or None)
    own = top in found and _within(found[top], project)
    places, left_out = (list(found.values()), _nothing) if own else ([project], _apart)
    lines = sorted(line for place in places for line in _states(place, left_out))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _nothing(_folder: Path) -> bool:
    return False


def _states(place: Path, left_out: Callable[[Path], bool]) -> Iterator[str]:
    """Name, size and time of a module's file, or of each one below a package's folder."""
    for file in [place] if place.is_file() else _below(place, left_out):
        # An editor's lock is a link to nowhere; others are gone since they were listed.
        with suppress(OSError):
            state = file.stat()
            yield f"{file.relative_to(place.parent)} {state.st_size} {state.st_mtime_ns}"


def _below(place: Path, left_out: Callable[[Path], bool]) -> Iterator[Path]:
    for folder, inner, names in os.walk(place):
        inner[:] = [name for name in inner if not left_out(Path(folder, name))]
        yield from (Path(folder, name) for name in names if name.endswith(".py"))
