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

from dancecli import libraries, licences, sources
from dancecli.errors import DanceError, PluginError, Terminated, UsageError, one_line
from dancecli.isolation.environment import OURS
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
    rivals: other packages that bring a plugin of this name, with which none of them can be used.
    """

    group: str
    name: str
    target: str
    distribution: str
    version: str
    option: str | None = None
    isolated: Isolated | None = None
    environment: str = ""
    rivals: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"plugin '{self.name}' ({self.group}, {self.package})"

    @cached_property
    def identity(self) -> str:
        """Changes when the plugin, its version, environment or option does; part of cache keys.

        An option that is a file or a folder counts by its content, wherever it lies, and so does
        the code of somebody else's plugin that is installed to be edited.
        """
        parts = (self.package, self.environment, self._edited())
        of = " ".join(part for part in parts if part)
        named = f"{self.group}:{self.name}={self.target} {of}"
        return named if self.option is None else f"{named} @{content(self.option)}"

    def _edited(self) -> str:
        if self.distribution == OURS:
            return ""
        there = self.isolated and self.isolated.distribution
        folders = self.isolated.folders if self.isolated and there else ()
        return sources.edited(self.distribution, sources.top_of(self.target), folders)

    @property
    def package(self) -> str:
        """The package that brings it, and its version."""
        return f"{self.distribution} {self.version}"

    @property
    def asked(self) -> str:
        """NAME or NAME@OPTION."""
        return self.name if self.option is None else f"{self.name}@{self.option}"

    @property
    def origin(self) -> str:
        """The package that brings it, and where it runs if not here; for people."""
        where = f", isolated in {self.isolated.python}" if self.isolated else ""
        return f"{self.package}{where}"

    def settings(self, settings: Settings) -> Settings:
        """What this plugin is built with, in a run with these settings."""
        return replace(settings, option=self.option)

    def as_dict(self) -> dict[str, Any]:
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
            first = found.setdefault((each, entry.name), info)
            if first is not info:
                found[each, entry.name] = _sharing(first, info)
    return list(found.values())


def _sharing(first: PluginInfo, other: PluginInfo) -> PluginInfo:
    """Two plugins of a name as one that has rivals; ours before others, whatever is found first."""
    if other.distribution == OURS:
        first, other = other, first
    return replace(first, rivals=(*first.rivals, *other.rivals, other.package))


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

    Raises UsageError naming the plugins that exist, PluginError for a name that several bring.
    """
    name, option = split_name(asked)
    plugins = {info.name: info for info in installed(group)}
    if name in plugins:
        _alone(plugins[name])
        return replace(plugins[name], option=option)
    close = difflib.get_close_matches(name, plugins, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    names = ", ".join(plugins) or "none"
    raise UsageError(f"no {group} plugin is called '{name}'; installed: {names}{hint}")


def _alone(info: PluginInfo) -> None:
    if info.rivals:
        *most, last = (info.package, *info.rivals)
        many, which = ("two", "one") if len(most) == 1 else (len(most) + 1, "all but one")
        raise PluginError(
            f"{many} packages bring '{info.name}' ({info.group}): {', '.join(most)} and {last}; "
            f"pip uninstall {which} of them"
        )


def load_class(info: PluginInfo) -> Any:
    """The plugin's class, imported.

    Raises PluginError when the import fails, it was written for another interface version or
    declares no terms, UsageError when the option it needs is missing or it takes none.
    """
    plugin = import_class(info)
    check_option(info, getattr(plugin, "OPTION", None))
    return plugin


def import_class(info: PluginInfo) -> Any:
    """As `load_class`, whatever option was given: it raises no UsageError."""
    _alone(info)
    plugin = _isolated_class(info) if info.isolated else _imported(info)
    declared = getattr(plugin, "INTERFACE_VERSION", None)
    if declared != INTERFACE_VERSION:
        raise PluginError(
            f"{info} declares INTERFACE_VERSION {declared!r}, this dance needs "
            f"{INTERFACE_VERSION}; install a matching version of {info.distribution}"
        )
    licences.refuse_unsaid(info, licences.fault(plugin))
    return plugin


def check_option(info: PluginInfo, takes: str | None) -> None:
    """Raises UsageError where what was said after the name is not what `takes`, OPTION, says."""
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
    except Terminated:
        raise
    except (Exception, SystemExit) as error:
        cause = failures[0] if failures else error
        if isinstance(cause, DanceError):
            raise cause from None
        raise PluginError(
            f"{info} cannot be loaded: {type(cause).__name__}: {one_line(cause)}"
            f"{libraries.extra_of(cause) if info.distribution == OURS else ''}"
        ) from cause


def load(group: str, asked: str, settings: Settings) -> Any:
    """A ready plugin object, asked for as NAME or NAME@OPTION.

    Raises UsageError for an unknown name or an option that does not fit, PluginError for one that
    does not load, does not construct, or lacks a method of its group's Protocol, LicenceError for
    one whose terms, or those of its weight files, do not allow what settings.licence asks for.
    One that is not ours comes guarded (`guarding.py`).
    """
    from dancecli.guarding import blamed, guarded

    info = find(group, asked)
    plugin = load_class(info)
    _refuse_early(info, plugin, settings.licence)
    with blamed(info, "cannot be started"):
        built = plugin(info.settings(settings))
        if not isinstance(built, GROUPS[group]):
            raise PluginError(
                f"plugin '{info.name}' does not offer all of {GROUPS[group].__name__}; "
                f"run: dance plugins check {info.name}"
            )
        # The object may know better than its class, where that depends on weights.
        licences.refuse_unsaid(info, licences.fault_of_use(getattr(built, "COMMERCIAL", None)))
        licences.refuse_plugin(built, f"{info.group} '{info.name}'", settings.licence)
    return built if info.distribution == OURS else guarded(built, info)


def _refuse_early(info: PluginInfo, plugin: Any, licence: str) -> None:
    """Raises LicenceError for what need not be built to be refused."""
    if licence == licences.ANY:
        return
    what = f"{info.group} '{info.name}'"
    if getattr(plugin, "COMMERCIAL", None) is False:  # None may depend on weights: ask the object
        licences.refuse_plugin(plugin, what, licence)
    for entry in needed_by(info.group, info.name):
        needing = f"{what}, which needs the weight file '{entry.name}'"
        licences.refuse(licence, needing, entry.commercial, entry.licence)
