"""Runs the suite of an interface on an installed plugin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from dancecli import licences, registry
from dancecli.errors import DanceError, Terminated, UsageError, WeightsError
from dancecli.stages import GROUPS, Settings
from dancecli.testing import (
    backend,
    dataset,
    dense,
    face_align,
    face_embed,
    inpaint,
    mask,
    parser,
    pictures,
    pose,
)
from dancecli.testing.case import Case, Suite
from dancecli.testing.judging import require
from dancecli.testing.outcomes import Outcome, judge
from dancecli.types import Frame

SUITES: dict[str, Suite] = {
    "dance.pose": pose.SUITE,
    "dance.mask": mask.SUITE,
    "dance.dense": dense.SUITE,
    "dance.parser": parser.SUITE,
    "dance.inpaint": inpaint.SUITE,
    "dance.face_align": face_align.SUITE,
    "dance.face_embed": face_embed.SUITE,
    "dance.backend": backend.SUITE,
    "dance.dataset": dataset.SUITE,
}

DECLARES = "declares LICENCE and COMMERCIAL"
LOADS = "loads and is built from Settings"


def titles(group: str) -> tuple[str, ...]:
    """What is checked of a plugin of the group, in order.

    Raises UsageError for a group that is none.
    """
    if group not in SUITES:
        raise UsageError(f"no plugin group is called '{group}'; there are: {', '.join(SUITES)}")
    return DECLARES, LOADS, _offers(group), *SUITES[group]


class Contract:
    """The suite of one plugin, which is loaded when first needed and kept."""

    def __init__(
        self, group: str, name: str, photo: Frame | None = None, weights: str | None = None,
        data: Path | None = None,
    ) -> None:  # fmt: skip
        """As `check`."""
        self.titles = titles(group)
        self._group, self._name, self._data = group, name, data
        self._photo = pictures.shrunk(photo) if photo else None
        self._settings = Settings(device="cpu", weights=weights)

    @cached_property
    def _class(self) -> Any:
        return registry.load_class(registry.find(self._group, self._name))

    def _built(self) -> Any:
        info = registry.find(self._group, self._name)
        return self._class(info.settings(self._settings))

    @property
    def _imports(self) -> bool:
        try:
            return self._class is not None
        except DanceError:
            return False

    @cached_property
    def _case(self) -> Case:
        return Case(self._built(), self._built, self._photo, self._data)

    @cached_property
    def loaded(self) -> Outcome:
        """Whether the plugin loads; nothing more can be asked of it if not."""
        try:
            _ = self._case
        except WeightsError as error:
            return Outcome(LOADS, False, str(error), needs_weights=self._settings.weights is None)
        except DanceError as error:
            return Outcome(LOADS, False, str(error))
        except Terminated:
            raise
        except (Exception, SystemExit) as error:
            return Outcome(LOADS, False, f"{type(error).__name__}: {error}")
        return Outcome(LOADS, True)

    @cached_property
    def ready(self) -> Outcome:
        """Whether the plugin loads and has its interface's methods; no more can be asked if not."""
        if not self.loaded.passed:
            return self.loaded
        return judge(_offers(self._group), lambda: _keeps(self._case.plugin, self._group))

    def outcome(self, title: str) -> Outcome:
        """One of `titles`, checked; `ready` where the plugin does not get that far."""
        if title == DECLARES and self._imports:
            return judge(title, lambda: _declares(self._class))
        if title == LOADS:
            return self.loaded
        if title == self.ready.check or not self.ready.passed:
            return self.ready
        return judge(title, lambda: SUITES[self._group][title](self._case))


def check(
    group: str, name: str, photo: Frame | None = None, weights: str | None = None,
    data: Path | None = None,
) -> Iterator[Outcome]:  # fmt: skip
    """Run the suite on an installed plugin, one outcome per check, until it cannot be used.

    photo: one whole person who faces the camera, for plugins that see nobody in a drawing.
    weights: as --weights, for plugins that come without.
    data: a data set in the plugin's own layout, for readers.
    Raises UsageError for a group or name that nobody has.
    """
    registry.find(group, name)
    contract = Contract(group, name, photo, weights, data)
    for title in contract.titles:
        outcome = contract.outcome(title)
        yield outcome
        if outcome is contract.ready and not outcome.passed:
            return


def _declares(plugin: Any) -> None:
    fault = licences.fault(plugin)
    require(not fault, fault)


def _offers(group: str) -> str:
    return f"offers {GROUPS[group].__name__}"


def _keeps(plugin: Any, group: str) -> None:
    interface = GROUPS[group]
    missing = f"methods or attributes of {interface.__name__} are missing"
    require(isinstance(plugin, interface), missing)
    fault = licences.fault_of_use(getattr(plugin, "COMMERCIAL", None))
    require(not fault, fault)
