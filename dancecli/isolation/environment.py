"""Another Python environment, seen from here: its interpreter, its packages, what we lend it."""

from __future__ import annotations

import hashlib
import os
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

from dancecli import sources
from dancecli.errors import UsageError
from dancecli.stages import GROUPS
from dancecli.workdir import cache_root, config_root

OURS = "dancecli"
"""Our own distribution: every worker takes it from here, whatever is installed there."""

MISLEADING = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONEXECUTABLE",
    "__PYVENV_LAUNCHER__",
)
"""Environment variables that speak of this Python and would mislead another."""

INSTALLED = (".dist-info", ".egg-info", ".egg-link")


def interpreter(path: Path) -> str:
    """The interpreter that a path names: itself, or that of an environment's folder.

    Links are not followed: in a virtual environment the link is what tells Python where it is.
    Raises UsageError.
    """
    inside = ("bin/python", "Scripts/python.exe", "python.exe")
    candidates = [path, *(path / name for name in inside)]
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate.absolute())
    raise UsageError(
        f"--python {path}: no Python there; give an interpreter (ENV/bin/python) or the folder of "
        "an environment"
    )


def variables(python: str) -> dict[str, str]:
    """The environment variables of a worker."""
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    path = os.pathsep.join([str(Path(python).parent), kept.get("PATH", "")])
    folders = {
        "DANCE_CACHE": str(cache_root().absolute()),
        "DANCE_CONFIG": str(config_root().absolute()),
    }
    return {**kept, **folders, "PATH": path, "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Loan:
    """What a worker takes from this installation.

    packages: name -> the folder it lies in. metadata: what is installed, as file name -> text of
    each distribution, since plugins are found, and their weight files, by entry points.
    """

    packages: Mapping[str, str]
    metadata: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, target: str | None = None) -> Loan:
        """`dancecli` with the plugins it brings, and the distribution of `target`.

        Of that one also the modules that no entry point names: they are nowhere else.
        """
        every = entry_points()
        entries = [entry for group in GROUPS for entry in every.select(group=group)]
        wanted = [e for e in entries if (e.dist and e.dist.name == OURS) or e.value == target]
        found = {entry.dist.name: entry.dist for entry in wanted if entry.dist}
        named = {top: sources.place_of(top) for top in (OURS, *map(_top, wanted))}
        others = [e for e in wanted if e.dist and e.dist.name != OURS]
        further = [sources.modules(e.dist, _top(e)) for e in others if e.dist]
        places = ChainMap(*further, {top: place for top, place in named.items() if place})
        return cls(
            {top: str(places[top].parent) for top in sorted(places)},
            tuple(_metadata(dist) for dist in found.values()),
        )


def _top(entry: EntryPoint) -> str:
    return sources.top_of(entry.value)


def _metadata(dist: Distribution) -> dict[str, str]:
    about = f"Metadata-Version: 2.1\nName: {dist.name}\nVersion: {dist.version}\n"
    return {"METADATA": about, "entry_points.txt": dist.read_text("entry_points.txt") or ""}


def digest(folders: Iterable[str]) -> str:
    """12 hex digits that change when a package of an environment does.

    Installers write name and version into the names that are read here, so that nothing has to be
    opened and no Python started. folders: those of its sys.path.
    """
    found = [line for folder in folders for line in _packages(Path(folder))]
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:12]


def _packages(folder: Path) -> list[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    names = [entry.name for entry in entries if entry.name.endswith(INSTALLED)]
    # A .pth line adds a whole folder; its text is not in its name.
    added = [entry for entry in entries if entry.name.endswith(".pth")]
    return names + [f"{entry.name} {entry.stat().st_mtime_ns}" for entry in added]
