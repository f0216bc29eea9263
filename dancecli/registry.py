"""Finding and loading plugins. The only module that knows stevedore.

Listing reads package metadata and imports nothing, so a broken plugin is seen in the list and hurts
only whoever asks for it by name. Loading goes through stevedore's DriverManager (one of many).
"""

from __future__ import annotations

import difflib
import importlib.metadata
import logging
from dataclasses import asdict, dataclass
from typing import Any

from dancecli import licences
from dancecli.errors import DanceError, PluginError, UsageError
from dancecli.stages import GROUPS, INTERFACE_VERSION, Settings
from dancecli.weights import needed_by


@dataclass(frozen=True)
class PluginInfo:
    """What package metadata says of one plugin.

    group: entry-point group. name: what options take. target: "module:Class".
    distribution, version: the package that brings it.
    """

    group: str
    name: str
    target: str
    distribution: str
    version: str

    @property
    def identity(self) -> str:
        """Changes when the plugin or its version does; part of every cache key."""
        return f"{self.group}:{self.name}={self.target} {self.distribution} {self.version}"

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


def installed(group: str | None = None) -> list[PluginInfo]:
    """Every plugin of one group, or of all, by group and name; nothing is imported."""
    found: dict[tuple[str, str], PluginInfo] = {}
    for each in [group] if group else GROUPS:
        for entry in importlib.metadata.entry_points(group=each):
            dist = entry.dist
            info = PluginInfo(
                each, entry.name, entry.value,
                dist.name if dist else "unknown", dist.version if dist else "unknown",
            )  # fmt: skip
            found.setdefault((each, entry.name), info)
    return [found[key] for key in sorted(found)]


def find(group: str, name: str) -> PluginInfo:
    """The metadata of one plugin.

    Raises UsageError naming the plugins that exist.
    """
    plugins = {info.name: info for info in installed(group)}
    if name in plugins:
        return plugins[name]
    close = difflib.get_close_matches(name, plugins, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    names = ", ".join(plugins) or "none"
    raise UsageError(f"no {group} plugin is called '{name}'; installed: {names}{hint}")


def load_class(info: PluginInfo) -> Any:
    """The plugin's class, imported.

    Raises PluginError when the import fails or it was written for another interface version.
    """
    plugin = _imported(info)
    declared = getattr(plugin, "INTERFACE_VERSION", None)
    if declared != INTERFACE_VERSION:
        raise PluginError(
            f"plugin '{info.name}' ({info.group}, {info.distribution} {info.version}) declares "
            f"INTERFACE_VERSION {declared}, this dance needs {INTERFACE_VERSION}; "
            f"install a matching version of {info.distribution}"
        )
    return plugin


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
            f"loaded: {type(cause).__name__}: {_one_line(cause)}{_install_hint(info, cause)}"
        ) from cause


EXTRAS = {"numba": "synth"}
"""Module -> the extra of our own package that brings it."""


def _install_hint(info: PluginInfo, cause: BaseException) -> str:
    """What to install when a first-party plugin misses an optional library."""
    missing = getattr(cause, "name", None) if isinstance(cause, ModuleNotFoundError) else None
    extra = EXTRAS.get(str(missing).split(".")[0])
    ours = info.distribution == "dancecli"
    return f"; install it: pip install 'dancecli[{extra}]'" if extra and ours else ""


def load(group: str, name: str, settings: Settings) -> Any:
    """A ready plugin object.

    Raises UsageError for an unknown name, PluginError for one that does not load, does not
    construct, or lacks a method of its group's Protocol, LicenceError for one whose terms, or
    those of its weight files, do not allow what settings.licence asks for.
    """
    info = find(group, name)
    plugin = load_class(info)
    _refuse_early(info, plugin, settings.licence)
    try:
        built = plugin(settings)
    except DanceError:
        raise
    except Exception as error:
        raise PluginError(
            f"plugin '{name}' ({group}) cannot be started: "
            f"{type(error).__name__}: {_one_line(error)}"
        ) from error
    if not isinstance(built, GROUPS[group]):
        raise PluginError(
            f"plugin '{name}' does not offer all of {GROUPS[group].__name__}; "
            f"run: dance plugins check {name}"
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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "no message"
