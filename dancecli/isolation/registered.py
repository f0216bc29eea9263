"""The user's list of isolated plugins: `isolated.json` in `config_root()` ($DANCE_CONFIG)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from dancecli.errors import PluginError, one_line
from dancecli.isolation.environment import digest
from dancecli.workdir import config_root, write_aside

LIMIT = 600.0
"""Seconds that one call may take, unless the user says otherwise: loading counts."""


@dataclass(frozen=True)
class Isolated:
    """One plugin and the environment it runs in.

    group, name: as in `PluginInfo`. python: the interpreter, and release its version.
    folders: where that environment's packages lie (its sys.path). limit: seconds one call may take.
    distribution: the package that brings the plugin there; None where its code is lent from here,
        and only what it imports comes from there.
    """

    group: str
    name: str
    python: str
    release: str
    folders: tuple[str, ...]
    limit: float = LIMIT
    distribution: str | None = None

    @property
    def environment(self) -> str:
        """Changes when the environment's Python or any of its packages does."""
        return f"Python {self.release} {digest(self.folders)}"

    def entry(self) -> tuple[str, str] | None:
        """(target, version) by that environment's metadata as it is now; None when it is gone."""
        found = Distribution.discover(name=self.distribution, path=list(self.folders))
        for each in found:
            for entry in each.entry_points:
                if (entry.group, entry.name) == (self.group, self.name):
                    return entry.value, each.version
        return None

    def __str__(self) -> str:
        return f"plugin '{self.name}' ({self.group}, isolated in {self.python})"


def registry_file() -> Path:
    """Where the list is kept; it need not exist."""
    return config_root() / "isolated.json"


def isolated(group: str | None = None) -> list[Isolated]:
    """The isolated plugins of one group, or of all.

    Raises PluginError when the list is damaged.
    """
    path = registry_file()
    try:
        found = [_record(each) for each in json.loads(path.read_bytes())["plugins"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise PluginError(
            f"{path} is damaged ({one_line(error)}); delete it and isolate the plugins again"
        ) from error
    return [each for each in found if group in (None, each.group)]


def _record(fields: dict[str, Any]) -> Isolated:
    record = Isolated(**{**fields, "folders": tuple(fields["folders"])})
    texts = (record.group, record.name, record.python, record.release, *record.folders)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a name or path is not a string")
    if not isinstance(record.distribution, str | None) or not record.limit > 0:
        raise ValueError("a package's name is not a string, or a limit is not above 0")
    return record


def add(records: list[Isolated]) -> None:
    """Put plugins on the list, in place of earlier entries of theirs."""
    taken = {(each.group, each.name) for each in records}
    _change(lambda old: [e for e in old if (e.group, e.name) not in taken] + records)


def remove(name: str, group: str | None = None) -> list[Isolated]:
    """Take a plugin off the list, from one group or all; returns what was on it."""
    gone = [each for each in isolated(group) if each.name == name]
    if gone:
        _change(lambda old: [each for each in old if each not in gone])
    return gone


def _change(change: Callable[[list[Isolated]], list[Isolated]]) -> None:
    from filelock import FileLock

    path = registry_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        records = sorted(change(isolated()), key=lambda each: (each.group, each.name))
        text = json.dumps({"plugins": [asdict(each) for each in records]}, indent=1)
        write_aside(path, text.encode())
