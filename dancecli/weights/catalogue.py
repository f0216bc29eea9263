"""Which weight files the installed packages know: every `weights.toml`, found without importing.

A manifest lies beside the `__init__.py` of a package that an entry point names. One that is wrong
is left out, whole, and said.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from dancecli.errors import UsageError, WeightsError
from dancecli.isolation.registered import isolated
from dancecli.stages import GROUPS
from dancecli.weights.manifest import WeightFile, WrongError, check_distinct, read

MANIFEST = "weights.toml"

GROUP = "dance.weights"
"""Entry points of packages that need files and offer no plugin: any target inside the package."""


def catalogue() -> tuple[dict[str, WeightFile], list[str]]:
    """Name -> file of every installed package, and what is wrong with manifests left out.

    Our own packages come first, so that no other can take their names or files.
    """
    files: dict[str, WeightFile] = {}
    problems = []
    for package, path in manifests():
        try:
            mine = read(path, package)
            check_distinct([*files.values(), *mine])
        except WeightsError as error:
            problems.append(str(error))
        except WrongError as error:
            problems.append(f"{path}: {error}; left out")
        else:
            files.update((entry.name, entry) for entry in mine)
    return files, problems


def manifests() -> Iterator[tuple[str, Path]]:
    """(package, its weights.toml), our own first; nothing is imported."""
    found: dict[str, bool] = {}
    for distribution, target in _targets():
        package = re.split(r"[.:]", target)[0]
        found[package] = found.get(package, True) and distribution != "dancecli"
    elsewhere = _isolated()
    for package in sorted({*found, *elsewhere}, key=lambda name: (found.get(name, True), name)):
        for folder in _folders(package, elsewhere.get(package) if package not in found else None):
            path = folder / MANIFEST
            if path.is_file():
                yield package, path
                break


def _targets() -> Iterator[tuple[str, str]]:
    every = importlib.metadata.entry_points()
    for group in (*GROUPS, GROUP):
        for entry in every.select(group=group):
            yield entry.dist.name if entry.dist else "unknown", entry.value


def _isolated() -> dict[str, Sequence[str]]:
    """Packages of plugins that live in other environments -> where these look for packages."""
    found = {each: each.entry() for each in isolated() if each.distribution}
    return {re.split(r"[.:]", entry[0])[0]: r.folders for r, entry in found.items() if entry}


def _folders(package: str, path: Sequence[str] | None) -> Iterator[Path]:
    """Where a package lies: among `path`, or here."""
    try:
        here = importlib.util.find_spec
        spec = PathFinder.find_spec(package, path) if path else here(package)
    except (ImportError, ValueError, AttributeError):
        return
    for folder in (spec and spec.submodule_search_locations) or ():
        yield Path(folder)


def known(name: str) -> WeightFile:
    """The manifests' entry of a name.

    Raises UsageError with the names that exist.
    """
    files, problems = catalogue()
    if name in files:
        return files[name]
    close = difflib.get_close_matches(name, files, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    wrong = f"; refused: {'; '.join(problems)}" if problems else ""
    raise UsageError(
        f"no weight file is called '{name[:80]}'; known: {', '.join(files)}{hint}{wrong}"
    )


def needed_by(group: str, plugin: str) -> list[WeightFile]:
    """The files that manifests say a plugin needs."""
    files, _ = catalogue()
    return [entry for entry in files.values() if f"{group}:{plugin}" in entry.needed_by]
