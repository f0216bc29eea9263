"""What `dance doctor` finds of one plugin: does it load, has it its weights, where does it run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dancecli import registry
from dancecli.errors import (
    DanceError,
    PluginError,
    Terminated,
    UsageError,
    WeightsError,
    one_line,
)
from dancecli.licences import USE
from dancecli.registry import PluginInfo
from dancecli.stages import Settings
from dancecli.weights import WeightFile, needed_by, saying, store

UNKNOWN = "not known"

_INSTALL = re.compile(r"(?<=install it: ).+|(?:\S+ -m )?(?:pip|apt-get) (?:un)?install [^;`]+")


@dataclass(frozen=True)
class Health:
    """One installed plugin.

    origin: distribution and version, and the environment it is isolated in. importable: its class
    loads and is of this interface version. problem: why it cannot be built, empty when it can.
    weights: names of the files that name it; missing: those not here or not whole. device: where
    it computes. licence, commercial: its own words; commercial None is unclear. fix: what to do,
    one line, empty when all is well.
    """

    group: str
    name: str
    distribution: str
    version: str
    origin: str
    importable: bool
    problem: str
    weights: tuple[str, ...]
    missing: tuple[str, ...]
    device: str
    licence: str
    commercial: bool | None
    fix: str

    @property
    def ok(self) -> bool:
        """It can be built, and has at least one of its weight files, where it has any.

        A plugin is built with the weights it needs; further ones are a matter of choice.
        """
        return not self.problem and (not self.weights or self.missing != self.weights)

    def __str__(self) -> str:
        head = f"{self.name} ({self.origin})"
        if not self.importable:
            return f"{head}: {self.problem}"
        parts = [
            f"cannot be built: {self.problem}" if self.problem else self.device,
            self._weights(),
            f"commercial use: {USE[self.commercial]}",
            self.licence,
        ]
        return f"{head}: {'; '.join(part for part in parts if part)}"

    def _weights(self) -> str:
        if not self.weights:
            return ""
        here = tuple(name for name in self.weights if name not in self.missing)
        told = {"weights": here, "weights missing": self.missing}
        return "; ".join(f"{word} {', '.join(names)}" for word, names in told.items() if names)


def examine_plugin(info: PluginInfo) -> Health:
    """Load and build a plugin on the device that a run would choose.

    Whatever it raises is told of it, so that one bad plugin hides no other.
    """
    files = needed_by(info.group, info.name)
    lacking = [entry for entry in files if store.glance(entry).word != store.HERE]
    plugin: Any = None
    failed: DanceError | None = None
    device = UNKNOWN
    try:
        plugin = registry.import_class(info)
        if asks := _option_missing(info, plugin):
            return _asking(info, asks, plugin)
        built = registry.load(info.group, info.name, Settings())
        device = one_line(getattr(built, "device", "cpu"))
        plugin = built
    except Terminated:
        raise
    except (Exception, SystemExit) as error:
        failed = _as_ours(error)
    return Health(
        info.group, info.name, info.distribution, info.version, info.origin,
        importable=plugin is not None,
        problem=_problem(failed),
        weights=tuple(entry.name for entry in files),
        missing=tuple(entry.name for entry in lacking),
        device=device,
        licence=one_line(getattr(plugin, "LICENCE", UNKNOWN)),
        commercial=getattr(plugin, "COMMERCIAL", None),
        fix=_fix(info, failed, files, lacking),
    )  # fmt: skip


def _option_missing(info: PluginInfo, plugin: Any) -> str:
    """What must be given with its name; empty where it is well without."""
    try:
        registry.check_option(info, getattr(plugin, "OPTION", None))
    except UsageError as error:
        return str(error)
    return ""


def _as_ours(error: BaseException) -> DanceError:
    if isinstance(error, DanceError):
        return error
    return PluginError(f"{type(error).__name__}: {one_line(error)}")


def _asking(info: PluginInfo, says: str, plugin: Any) -> Health:
    """A plugin that is asked for as NAME@OPTION alone."""
    return Health(
        info.group, info.name, info.distribution, info.version, info.origin, True, "", (), (),
        says, one_line(plugin.LICENCE), plugin.COMMERCIAL, "",
    )  # fmt: skip


def _problem(failed: DanceError | None) -> str:
    if failed is None:
        return ""
    # What exactly, and how to get it, is the fix.
    return "weights are missing or damaged" if isinstance(failed, WeightsError) else str(failed)


def _fix(
    info: PluginInfo,
    failed: DanceError | None,
    files: list[WeightFile],
    lacking: list[WeightFile],
) -> str:
    if lacking and (isinstance(failed, WeightsError) or (not failed and lacking == files)):
        return getting(lacking)
    if isinstance(failed, WeightsError):
        return str(failed)
    if failed is None:
        return ""
    install = _INSTALL.search(str(failed))
    otherwise = f"install what is missing, or reinstall {info.distribution}"
    if isinstance(failed, UsageError):
        otherwise = f"give it what it asks for, or ask the author of {info.distribution}"
    if info.isolated:
        otherwise = f"dance plugins isolate {info.name} --python PATH, or --remove"
    first = install[0] if install else otherwise
    return f"{first}; then: {getting(lacking)}" if lacking else first


def getting(files: list[WeightFile]) -> str:
    """How to get some files: one command for those that have addresses, a sentence for others."""
    names = [entry.name for entry in files if entry.addresses]
    ways = [saying.command(*names)] if names else []
    return "; ".join([*ways, *(saying.in_full(entry) for entry in files if not entry.addresses)])
