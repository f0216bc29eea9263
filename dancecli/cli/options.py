"""Options that commands share, and the config file that sets their defaults."""

from __future__ import annotations

import difflib
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dancecli import licences, registry
from dancecli.errors import UsageError
from dancecli.progress import Progress, log_to_stderr
from dancecli.stages import DEFAULTS, KINDS

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

SEED = click.IntRange(0, 2**63 - 1)
"""What torch takes, with room for a number of each process above it."""


if TYPE_CHECKING:
    NameType = click.ParamType[str]
    ChoiceType = click.Choice[str]
else:  # generic in newer versions of click only
    NameType = click.ParamType
    ChoiceType = click.Choice


class PluginName(NameType):
    """The name of an installed plugin; the shell completes it, the run checks it."""

    name = "name"

    def __init__(self, group: str) -> None:
        self.group = group

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        names = [info.name for info in registry.installed(self.group)]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Kind(ChoiceType):
    """A kind of plugin, `face-align` or `face_align`, as the user likes."""

    def __init__(self) -> None:
        super().__init__(KINDS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The kind, with dashes."""
        dashed = str(value).replace("_", "-")
        return super().convert(dashed if dashed in self.choices else value, param, ctx)


class FiniteRange(click.FloatRange):
    """A number within bounds; nan, which compares with nothing, and inf are none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def kind_option(says: str, required: bool = False) -> Callable[[Command], Command]:
    """--kind, or --group: one kind of plugins."""
    return click.option("--kind", "--group", "kind", type=Kind(), required=required, help=says)


def group_of(kind: str | None) -> str | None:
    """The entry-point group of a kind, None for none."""
    return None if kind is None else f"dance.{kind.replace('-', '_')}"


_PLUGIN_HELP = {
    "dance.pose": "Pose extractor (OP).",
    "dance.mask": "Person segmentation.",
    "dance.dense": "Dense surface coordinates (DP).",
    "dance.parser": "Human parser (HP).",
    "dance.inpaint": "Fills the background behind people.",
    "dance.face_align": "Face landmarks; one named here goes before those of --pose.",
    "dance.backend": "Generator of the person.",
}


def plugin_options(*groups: str) -> Callable[[Command], Command]:
    """--pose, --backend, ...: one option per plugin group."""

    def add(function: Command) -> Command:
        for group in reversed(groups):
            function = click.option(
                f"--{group.removeprefix('dance.').replace('_', '-')}",
                group.removeprefix("dance."),
                type=PluginName(group), default=DEFAULTS[group], show_default=True,
                metavar="NAME[@OPTION]", help=_PLUGIN_HELP[group],
            )(function)  # fmt: skip
        return function

    return add


def licence_option(function: Command) -> Command:
    """--licence: what the terms of plugins and weights must allow."""
    return click.option(
        "--licence", type=click.Choice(licences.CHOICES), default=licences.ANY, show_default=True,
        help="commercial: refuse plugins and weights whose terms forbid that or leave it unclear.",
    )(function)  # fmt: skip


def verbosity(function: Command) -> Command:
    """-v, -q and --json, as `verbose`, `quiet` and `as_json`: what `make_progress` takes."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Summary on stdout, progress on stderr as JSON."),  # noqa: E501
        click.option("-q", "--quiet", is_flag=True, help="Errors only."),
        click.option("-v", "--verbose", count=True, help="Say more; -vv for everything."),
    ):  # fmt: skip
        function = option(function)
    return function


def make_progress(verbose: int, quiet: bool, as_json: bool) -> Progress:
    """The reporter for these flags; sets the log level too."""
    level = (logging.ERROR if quiet else logging.WARNING) - 10 * min(verbose, 2)
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("dancecli").setLevel(level)
    if as_json:  # a config file may have asked for it
        log_to_stderr(as_json)
    return Progress("quiet" if quiet else "json" if as_json else "auto")


def config_option(function: Command) -> Command:
    """--config FILE: TOML with option names; what the command line says wins."""
    return click.option(
        "--config", type=PATH, is_eager=True, expose_value=False, callback=_apply_config,
        help="TOML file with option names as keys, for example: background = \"white\"; "
        "those in a table [COMMAND] hold for that command alone and win.",
    )(function)  # fmt: skip


def _apply_config(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    defaults = dict(ctx.default_map or {})
    for table in _tables_of(ctx, path, _read_toml(path)):
        for key, value in table.items():
            option = _option(ctx, path, key)
            # A text would be taken for a list of its letters.
            several = value if isinstance(value, list) and option.multiple else [value]
            _check_single(path, key, several, option.multiple)
            typed = [_typed(option, each) for each in several]
            defaults[str(option.name)] = typed if option.multiple else typed[0]
    ctx.default_map = defaults
    if defaults.get("as_json") is True:
        log_to_stderr(True)  # before other values are looked at: that may fail, too


def _check_single(path: Path, key: str, values: list[Any], repeated: bool) -> None:
    """Raises UsageError for lists and tables, which no option has as a value."""
    if any(isinstance(value, (list, dict)) for value in values):
        several = ", or a list of them" if repeated else ""
        raise UsageError(f"{path}: '{key}' takes one value{several}, as on the command line")


def _typed(option: click.Option, value: Any) -> Any:
    """A value of TOML as the command line has it: but for flags, all are texts there."""
    if isinstance(value, bool):
        return value if option.is_flag or option.count else str(value).lower()
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole and isinstance(option.type, click.types.IntParamType) else value)


def _option(ctx: click.Context, path: Path, key: str) -> click.Option:
    """The option that a key stands for: its long name without the first dashes.

    Raises UsageError where there is none.
    """
    options = [p for p in ctx.command.params if isinstance(p, click.Option) and p.name != "config"]
    named = {o.removeprefix("--"): p for p in options for o in p.opts if o.startswith("--")}
    known = {str(p.name).replace("_", "-"): p for p in options} | named  # older files have those
    name = key.replace("_", "-")
    if name not in known:
        close = difflib.get_close_matches(name, named, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"valid: {', '.join(sorted(named))}"
        raise UsageError(f"{path}: no option is called '{key}'; {hint}")
    return known[name]


def _tables_of(
    ctx: click.Context, path: Path, values: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """What holds for the command: that in no table, its groups' tables, its own, which wins."""
    names = _path_of(ctx)
    for name in names:
        if not isinstance(values.get(name, {}), dict):
            raise UsageError(f"{path}: '{name}' must be a table: [{name}]")
    loose = {
        key: value for key, value in values.items()
        if key not in names and not (isinstance(value, dict) and _is_command(ctx, key))
    }  # fmt: skip
    return [loose, *(values.get(name, {}) for name in names)]


def _path_of(ctx: click.Context) -> list[str]:
    """The names of the groups that a command is in, without `dance`, and its own."""
    above = ctx.parent
    groups = _path_of(above) if above and above.parent else []
    return [*groups, ctx.info_name or ""]


def _is_command(ctx: click.Context, name: str) -> bool:
    """Whether a command is called so, or one within another."""
    root = ctx.find_root().command
    names = root.list_commands(ctx) if isinstance(root, click.Group) else []
    return name in names or any(name in _within(root, ctx, group) for group in names)


def _within(root: click.Command, ctx: click.Context, name: str) -> list[str]:
    """The commands of a group, data sets among them; none of what is no group."""
    group = root.get_command(ctx, name) if isinstance(root, click.Group) else None
    if not isinstance(group, click.Group):
        return []
    return [item.value for item in group.shell_complete(click.Context(group), "")]


def _read_toml(path: Path) -> dict[str, Any]:
    from dancecli.toml import tomllib

    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: not TOML: {error}") from error
    return values
