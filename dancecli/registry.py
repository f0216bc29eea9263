"""Finding and loading plugins. The only module that knows stevedore.

A plugin is asked for as NAME, or as NAME@OPTION where it has a setting of its own (`stages.py`).

Listing reads package metadata and imports nothing, so a broken plugin is seen in the list and hurts
only whoever asks for it by name. Loading goes through stevedore's DriverManager (one of many).
A plugin that the user has isolated takes the place of one of the same name that is installed here.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import logging
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dancecli import licences
from dancecli.errors import DanceError, PluginError, UsageError, one_line
from dancecli.isolation.registered import Isolated, isolated
from dancecli.media.files import sha256_of
from dancecli.stages import GROUPS, INTERFACE_VERSION, Settings
from dancecli.weights import needed_by


@dataclass(frozen=True)
class PluginInfo:
    """What package metadata says of one plugin.

    group: entry-point group. name: what options take. target: "module:Class".
    distribution, version: the package that brings it. option: what was asked for after its name.
    isolated: where it runs, when not here. environment: of that place, else empty.
    """

    group: str
    name: str
    target: str
    distribution: str
    version: str
    option: str | None = None
    isolated: Isolated | None = None
    environment: str = ""

    @cached_property
    def identity(self) -> str:
        """Changes when the plugin, its version, environment or option does; part of cache keys.

        An option that is a file or a folder counts by its content, wherever it lies.
        """
        of = f"{self.distribution} {self.version} {self.environment}".rstrip()
        named = f"{self.group}:{self.name}={self.target} {of}"
        return named if self.option is None else f"{named} @{content(self.option)}"

    @property
    def asked(self) -> str:
        """NAME or NAME@OPTION."""
        return self.name if self.option is None else f"{self.name}@{self.option}"

    @property
    def origin(self) -> str:
        """The package that brings it, and where it runs if not here; for people."""
        where = f", isolated in {self.isolated.python}" if self.isolated else ""
        return f"{self.distribution} {self.version}{where}"

    def settings(self, settings: Settings) -> Settings:
        """What this plugin is built with, in a run with these settings."""
        return replace(settings, option=self.option)

    def as_dict(self) -> dict[str, str]:
        """For JSON; no paths of this machine."""
        found = asdict(replace(self, isolated=None))
        return {key: value for key, value in found.items() if value}


def content(option: str) -> str:
    """What an option says, or the hash of the file or folder that it names."""
    path = Path(option)
    try:
        return sha256_of(path) if path.exists() else option
    except OSError:  # whoever reads it says what is wrong with it
        return option


def split_name(asked: str) -> tuple[str, str | None]:
    """NAME and OPTION of `NAME@OPTION`; OPTION is None where there is none."""
    name, sign, option = asked.partition("@")
    return name, option if sign else None


def installed(group: str | None = None) -> list[PluginInfo]:
    """Every plugin of one group, or of all, by group and name; nothing is imported."""
    found = {(info.group, info.name): info for info in local(group)}
    for record in isolated(group):
        found[record.group, record.name] = elsewhere(record)
    return [found[key] for key in sorted(found)]


def local(group: str | None = None) -> list[PluginInfo]:
    """The plugins of this environment, isolated or not."""
    found: dict[tuple[str, str], PluginInfo] = {}
    for each in [group] if group else GROUPS:
        for entry in importlib.metadata.entry_points(group=each):
            dist = entry.dist
            info = PluginInfo(
                each, entry.name, entry.value,
                dist.name if dist else "unknown", dist.version if dist else "unknown",
            )  # fmt: skip
            found.setdefault((each, entry.name), info)
    return list(found.values())


def elsewhere(record: Isolated) -> PluginInfo:
    """An isolated plugin by the metadata of where its code lies: there, or lent from here."""
    here = [info for info in local(record.group) if info.name == record.name]
    if record.distribution is None and here:
        return replace(here[0], isolated=record, environment=record.environment)
    target, version = record.entry() or ("", "gone")
    return PluginInfo(
        record.group, record.name, target, record.distribution or "unknown", version,
        isolated=record, environment=record.environment,
    )  # fmt: skip


def find(group: str, asked: str) -> PluginInfo:
    """The metadata of one plugin, asked for as NAME or NAME@OPTION.

    Raises UsageError naming the plugins that exist.
    """
    name, option = split_name(asked)
    plugins = {info.name: info for info in installed(group)}
    if name in plugins:
        return replace(plugins[name], option=option)
    close = difflib.get_close_matches(name, plugins, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    names = ", ".join(plugins) or "none"
    raise UsageError(f"no {group} plugin is called '{name}'; installed: {names}{hint}")


def load_class(info: PluginInfo) -> Any:
    """The plugin's class, imported.

    Raises PluginError when the import fails or it was written for another interface version,
    UsageError when the option it needs is missing or it takes none.
    """
    plugin = import_class(info)
    _check_option(info, getattr(plugin, "OPTION", None))
    return plugin


def import_class(info: PluginInfo) -> Any:
    """As `load_class`, whatever option was given."""
    plugin = _isolated_class(info) if info.isolated else _imported(info)
    declared = getattr(plugin, "INTERFACE_VERSION", None)
    if declared != INTERFACE_VERSION:
        raise PluginError(
            f"plugin '{info.name}' ({info.group}, {info.distribution} {info.version}) declares "
            f"INTERFACE_VERSION {declared}, this dance needs {INTERFACE_VERSION}; "
            f"install a matching version of {info.distribution}"
        )
    return plugin


def _check_option(info: PluginInfo, takes: str | None) -> None:
    option = info.group.removeprefix("dance.").replace("_", "-")
    if takes is None and info.option is not None:
        raise UsageError(
            f"--{option} {info.asked}: plugin '{info.name}' takes nothing after its name; "
            f"say --{option} {info.name}"
        )
    if takes is not None and not takes.startswith("[") and not info.option:
        raise UsageError(
            f"--{option} {info.asked}: plugin '{info.name}' needs a {takes}; "
            f"say --{option} {info.name}@{takes}"
        )


def _isolated_class(info: PluginInfo) -> Any:
    from dancecli.isolation.proxy import isolated_class

    assert info.isolated
    if not info.target:
        raise PluginError(
            f"{info.isolated}: {info.distribution} no longer brings it there; install it, or: "
            f"dance plugins isolate {info.name} --remove"
        )
    return isolated_class(info.isolated, info.target)


def _imported(info: PluginInfo) -> Any:
    from stevedore import DriverManager

    failures: list[BaseException] = []
    # stevedore prints a traceback of its own for what is reported here in one line.
    logging.getLogger("stevedore").setLevel(logging.CRITICAL)
    try:
        manager = DriverManager(
            info.group,
            info.name,
            on_load_failure_callback=lambda _manager, _entry, error: failures.append(error),
            warn_on_missing_entrypoint=False,
        )
        # Not `.driver`: it is tested for truth and a falsy object is swapped for its class.
        return manager[info.name].plugin
    except Exception as error:
        cause = failures[0] if failures else error
        if isinstance(cause, DanceError):
            raise cause from None
        raise PluginError(
            f"plugin '{info.name}' ({info.group}, {info.distribution} {info.version}) cannot be "
            f"loaded: {type(cause).__name__}: {one_line(cause)}{_install_hint(info, cause)}"
        ) from cause


EXTRAS = {"numba": "synth"}
"""Module -> the extra of our own package that brings it."""


def _install_hint(info: PluginInfo, cause: BaseException) -> str:
    """What to install when a first-party plugin misses an optional library."""
    missing = getattr(cause, "name", None) if isinstance(cause, ModuleNotFoundError) else None
    extra = EXTRAS.get(str(missing).split(".")[0])
    ours = info.distribution == "dancecli"
    return f"; install it: pip install 'dancecli[{extra}]'" if extra and ours else ""


def load(group: str, asked: str, settings: Settings) -> Any:
    """A ready plugin object, asked for as NAME or NAME@OPTION.

    Raises UsageError for an unknown name or an option that does not fit, PluginError for one that
    does not load, does not construct, or lacks a method of its group's Protocol, LicenceError for
    one whose terms, or those of its weight files, do not allow what settings.licence asks for.
    """
    info = find(group, asked)
    plugin = load_class(info)
    _refuse_early(info, plugin, settings.licence)
    try:
        built = plugin(info.settings(settings))
    except DanceError:
        raise
    except Exception as error:
        raise PluginError(
            f"plugin '{info.name}' ({group}) cannot be started: "
            f"{type(error).__name__}: {one_line(error)}"
        ) from error
    if not isinstance(built, GROUPS[group]):
        raise PluginError(
            f"plugin '{info.name}' does not offer all of {GROUPS[group].__name__}; "
            f"run: dance plugins check {info.name}"
        )
    _refuse(info, built, settings.licence)
    return built


def _refuse(info: PluginInfo, plugin: Any, licence: str) -> None:
    commercial, terms = (getattr(plugin, key, None) for key in ("COMMERCIAL", "LICENCE"))
    licences.refuse(licence, f"{info.group} '{info.name}'", commercial, terms or "none declared")


def _refuse_early(info: PluginInfo, plugin: Any, licence: str) -> None:
    """Raises LicenceError for what need not be built to be refused."""
    if licence == licences.ANY:
        return
    if getattr(plugin, "COMMERCIAL", None) is False:  # None may depend on weights: ask the object
        _refuse(info, plugin, licence)
    for entry in needed_by(info.group, info.name):
        what = f"{info.group} '{info.name}', which needs the weight file '{entry.name}'"
        licences.refuse(licence, what, entry.commercial, entry.licence)
