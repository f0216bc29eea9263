"""What `dance plugins isolate` does: look at an environment, try the plugin there, remember it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dancecli import registry
from dancecli.errors import PluginError, UsageError
from dancecli.isolation.environment import OURS, Loan, interpreter
from dancecli.isolation.process import Process, WorkerError, new_log
from dancecli.isolation.registered import LIMIT, Isolated, add
from dancecli.stages import GROUPS


@dataclass(frozen=True)
class Survey:
    """An environment. plugins: (group, name) -> the distribution that brings it there."""

    python: str
    release: str
    folders: tuple[str, ...]
    plugins: Mapping[tuple[str, str], str]


def survey(python: str) -> Survey:
    """Ask an interpreter what its environment is.

    Raises PluginError when it cannot run a worker.
    """
    log = new_log("survey")
    process = Process(python, Loan.of(), log, LIMIT)
    try:
        said = process.ask({"ask": "survey"})
    except WorkerError as death:
        raise PluginError(f"{python} cannot be used: {death}; {process.logged()}") from None
    finally:
        process.close()
    log.unlink(missing_ok=True)
    plugins = {tuple(key.split(" ", 1)): dist for key, dist in said["plugins"].items()}
    return Survey(python, said["release"], tuple(said["folders"]), plugins)


def isolate(
    name: str, path: Path, group: str | None = None, limit: float = LIMIT
) -> list[registry.PluginInfo]:
    """Let the plugins of a name run in another environment from now on.

    path: an interpreter or an environment's folder. group: one group only. limit: seconds that one
    call may take. The plugin's code comes from there, or from here where it is not installed there.
    Raises UsageError when neither has such a plugin, PluginError when one does not load there.
    """
    there = survey(interpreter(path))
    records = [
        record
        for each in ([group] if group else GROUPS)
        if (record := _record(each, name, there, limit))
    ]
    if not records:
        raise UsageError(
            f"no {f'{group} ' if group else ''}plugin is called '{name}', neither here nor in "
            f"{there.python}; that environment has: {_names(there)}"
        )
    infos = [registry.elsewhere(record) for record in records]
    for info in infos:
        registry.import_class(info)
    add(records)
    return infos


def _record(group: str, name: str, there: Survey, limit: float) -> Isolated | None:
    distribution = there.plugins.get((group, name))
    if distribution == OURS:
        distribution = None
    here = any(info.name == name for info in registry.local(group))
    if distribution is None and not here:
        return None
    return Isolated(group, name, there.python, there.release, there.folders, limit, distribution)


def _names(there: Survey) -> str:
    names = {name for (_group, name), dist in there.plugins.items() if dist != OURS}
    return ", ".join(sorted(names)) or "none"
