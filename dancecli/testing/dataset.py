"""What is checked of a `DatasetReader`: most of it on a data set that is given."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dancecli.data.people import Options, Person, Skipped, View
from dancecli.errors import UsageError, WeightsError
from dancecli.labels import BODY_LABELS
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite
from dancecli.testing.judging import is_array, is_skeleton, require, same
from dancecli.testing.outcomes import CannotTellError

OPTIONS = Options(people=2, frames=2)
"""Few, since some readers render what they give."""

UNITS = 3
"""Units that are read of a large set."""

KEY = re.compile(r"[A-Za-z0-9_-]+")


def _layout(case: Case) -> None:
    layout = case.plugin.layout
    require(isinstance(layout, str), f"layout is {type(layout).__name__}, not str")


def _refuses(case: Case) -> None:
    layout = case.plugin.layout
    if not layout:
        return
    with TemporaryDirectory() as folder:
        for root in (None, Path(folder), Path(folder, "absent")):
            try:
                found = case.plugin.units(root, Options())
            except UsageError as error:
                require(layout in str(error), f"the error for {root} lacks the layout")
            else:
                raise AssertionError(f"{len(found)} units in {root}, which is no data set")


def _units(case: Case) -> list[str]:
    """Units of the data set that was given, or that the reader makes without one."""
    if case.data is None and case.plugin.layout:
        raise CannotTellError("give a data set in the reader's layout")
    try:
        units: list[str] = case.plugin.units(case.data, OPTIONS)
    except WeightsError as error:
        raise CannotTellError(str(error)) from error
    require(isinstance(units, list) and units, "units does not return a list, or an empty one")
    return units


def _read(plugin: Any, asked: tuple[Path | None, str]) -> list[Person | Skipped]:
    root, unit = asked
    return list(plugin.read(root, unit, OPTIONS))


def _some(case: Case) -> list[Person]:
    units = _units(case)[:UNITS]
    found = [each for unit in units for each in _read(case.plugin, (case.data, unit))]
    for each in found:
        require(isinstance(each, (Person, Skipped)), f"{type(each).__name__} is not a Person")
    people = [each for each in found if isinstance(each, Person)]
    require(people, f"nobody in the first units, but {found[:1]}")
    return people


def _names(case: Case) -> None:
    units = _units(case)
    require(all(isinstance(unit, str) for unit in units), "a unit is not a string")
    require(len(set(units)) == len(units), "two units have the same name")
    require(units == case.plugin.units(case.data, OPTIONS), "units come in another order")


def _people(case: Case) -> None:
    people = _some(case)
    keys = [person.key for person in people]
    require(len(set(keys)) == len(keys), "two people have the same key")
    for person in people:
        require(
            KEY.fullmatch(person.key), f"key {person.key!r} has other signs than A-Z a-z 0-9 _ -"
        )
        json.dumps(dict(person.about))
        require(person.views, f"{person.key} has no picture")
        require(len(person.views) <= OPTIONS.frames, "more views than Options.frames")
        numbers = [view.number for view in person.views]
        require(numbers == sorted(numbers), "views are not in the order of their numbers")
        for view in person.views:
            _view(view)


def _view(view: View) -> None:
    size = view.rgb.shape[:2]
    is_array(view.rgb, np.uint8, (*size, 3), "rgb")
    if view.labels is not None:
        is_array(view.labels, np.uint8, size, "labels")
        require(view.labels.max() < BODY_LABELS, "a label is above 21")
    for name in ("mask", "people"):
        if (pixels := getattr(view, name)) is not None:
            is_array(pixels, np.bool_, size, name)
    mine = view.mask if view.labels is None else view.labels > 0
    if mine is not None and view.people is not None:
        require(view.people[mine].all(), "some of the person's pixels are not among all people's")
    if view.skeleton is not None:
        is_skeleton(view.skeleton)
    if view.dense is not None:
        is_array(view.dense.iuv, np.float32, (*size, 3), "iuv")
    if view.plate is not None:
        is_array(view.plate, np.uint8, (*size, 3), "plate")


def _alone(case: Case) -> None:
    """Any process may make a unit: nothing else need have been asked for before."""
    unit = _units(case)[0]
    before = _read(case.plugin, (case.data, unit))
    require(same(before, _read(case.again(), (case.data, unit))), "a unit depends on others")


def _unknown_setting(case: Case) -> None:
    _units(case)
    try:
        case.plugin.units(case.data, Options(people=1, set={"no-such-setting": "1"}))
    except UsageError:
        return
    raise AssertionError("--set no-such-setting=1 is taken without a word")


def _stops(case: Case) -> None:
    """Whoever reads may stop after the first person."""
    unit = _units(case)[0]
    list(islice(case.plugin.read(case.data, unit, OPTIONS), 1))


def _inputs(case: Case) -> tuple[Any, Any]:
    units = _units(case)
    return (case.data, units[0]), (case.data, units[-1])


SUITE: Suite = {
    "says its layout": _layout,
    "refuses a folder of another shape": _refuses,
    "names its units, in a fixed order": _names,
    "gives people of the right types": _people,
    "reads a unit by itself": _alone,
    "may be stopped after a person": _stops,
    "refuses a setting it does not know": _unknown_setting,
    **behaviour(_read, _inputs),
}
