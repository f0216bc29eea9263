"""Rows of a table as jobs: cells are values of `dance reenact`'s options."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dancecli.batch.checking import Fault
from dancecli.batch.files import name_in
from dancecli.batch.orders import Order
from dancecli.batch.table import Line
from dancecli.cli.jobs import GROUPS, default_name, job_of
from dancecli.cli.reenact import command as reenact
from dancecli.data.stores import is_url
from dancecli.errors import DanceError, UsageError, one_line
from dancecli.registry import split_name

NOT_IN_ROWS = {
    "list_people", "work_dir", "no_cache", "dry_run", "config", "verbose", "quiet", "as_json",
}  # fmt: skip
"""Options of `reenact` that are the whole batch's affair."""

PARAMETERS = {p.name: p for p in reenact.params if p.name and p.name not in NOT_IN_ROWS}

ALIASES = {"output": "out"}

FILES = ("photo", "video", "out", "poses", "save_foreground", "contact_sheet")

COLUMNS = ", ".join(
    ["photo", "video", "output", *sorted({*PARAMETERS} - {"photo", "video", "out"})]
).replace("_", "-")
"""For messages and help."""


@dataclass(frozen=True)
class Sheet:
    """What rows are read against.

    defaults: values of options that rows leave out, paths among them relative to the current
    folder. folder: what paths of rows are relative to. out: folder or URL of outputs without a
    name, which end in `extension`.
    """

    defaults: Mapping[str, Any]
    folder: Path
    out: str
    extension: str = ".mp4"

    def orders(self, lines: Iterable[Line]) -> tuple[list[Order], list[Fault]]:
        """The jobs of the rows, and what is wrong with those that are none."""
        orders, faults = [], []
        for line in lines:
            wrong = [line.fault] if line.fault else [*_unknown(line), *_missing(line)]
            try:
                if not wrong:
                    orders.append(self._order(line))
            except (DanceError, click.BadParameter) as error:
                wrong.append(error.message if isinstance(error, click.BadParameter) else str(error))
            faults += [Fault(line.number, one_line(text)) for text in wrong]
        return orders, faults

    def _order(self, line: Line) -> Order:
        given = {ALIASES.get(name, name): value for name, value in line.cells.items()}
        files = {n: _placed(str(given.pop(n)), self.folder) for n in FILES if n in given}
        files.setdefault("out", self._unnamed(files))
        values = {name: _value(name, value) for name, value in given.items()}
        options = _beside(self.defaults, Path()) | _beside(values, self.folder)
        if is_url(options["background"]):
            files["background"] = options["background"]
        urls = {name: place for name, place in files.items() if is_url(place)}
        options |= {name: Path(_name(place)) if is_url(place) else Path(place)
                    for name, place in files.items() if name != "background"}  # fmt: skip
        options |= {name: None for name in FILES if name not in files}
        photo, video, out = (options.pop(name) for name in ("photo", "video", "out"))
        return Order(line.number, job_of(photo, video, out, options), urls)

    def _unnamed(self, files: Mapping[str, str]) -> str:
        photo, video = (Path(_name(files[role])) for role in ("photo", "video"))
        return f"{self.out.rstrip('/')}/{default_name(photo, video, self.extension)}"


def _placed(text: str, folder: Path) -> str:
    """An absolute path, or a URL as it is."""
    if is_url(text):
        return text
    # A file may be called "~name"; where no user is, Path.expanduser raises.
    return str(folder.absolute() / os.path.expanduser(text))  # noqa: PTH111


def _name(place: str) -> str:
    return name_in(place) if is_url(place) else Path(place).name


def _beside(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The options, with what in them names files of this folder as full paths.

    These are backgrounds, weights, and what plugins are given after their names.
    """
    found = dict(options)
    for name in ("background", "weights"):
        if (text := found.get(name)) and not (name == "background" and _is_word(text)):
            found[name] = _existing(text, folder)
    for group in (group.removeprefix("dance.") for group in GROUPS):
        plugin, option = split_name(found.get(group) or "")
        if option:
            found[group] = f"{plugin}@{_existing(option, folder)}"
    return found


def _existing(text: str, folder: Path) -> str:
    """The full path of a file of this folder; anything else as it is."""
    path = _placed(text, folder)
    return path if is_url(path) or os.path.exists(path) else text  # noqa: PTH110 - never raises


def _is_word(background: str) -> bool:
    """Whether it is a keyword or a colour, which no file of that name changes."""
    from dancecli.plate import parse_background

    try:
        return parse_background(background).path is None
    except UsageError:
        return False


def _unknown(line: Line) -> list[str]:
    """What is to be said about columns that nobody knows."""
    valid = [*PARAMETERS, *ALIASES]
    texts = []
    for name in line.cells:
        if name in valid:
            continue
        close = difflib.get_close_matches(name, valid, n=1)
        hint = f"did you mean '{close[0].replace('_', '-')}'?" if close else f"valid: {COLUMNS}"
        texts.append(f"no column is called '{name.replace('_', '-')}'; {hint}")
    if {"out", "output"} <= {*line.cells}:
        texts.append("out and output are the same column: give one")
    return texts


def _missing(line: Line) -> list[str]:
    return [f"no {role} is given" for role in ("photo", "video") if role not in line.cells]


def _value(name: str, value: object) -> Any:
    """A cell as the option takes it from the command line.

    Raises click.BadParameter.
    """
    parameter = PARAMETERS[name]
    text = value if isinstance(value, bool) and parameter.type is click.BOOL else str(value)
    try:
        return parameter.type.convert(text, parameter, None)
    except click.BadParameter as error:
        raise click.BadParameter(f"{name.replace('_', '-')}: {error.message}") from error
