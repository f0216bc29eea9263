"""Options that commands share, and the config file that sets their defaults."""

from __future__ import annotations

import difflib
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dancecli import licences, registry
from dancecli.errors import UsageError
from dancecli.progress import Progress
from dancecli.stages import DEFAULTS

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)


if TYPE_CHECKING:
    NameType = click.ParamType[str]
else:  # generic in newer versions of click only
    NameType = click.ParamType


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


_PLUGIN_HELP = {
    "dance.pose": "Pose extractor (OP).",
    "dance.mask": "Person segmentation.",
    "dance.dense": "Dense surface coordinates (DP).",
    "dance.parser": "Human parser (HP).",
    "dance.inpaint": "Fills the background behind people.",
    "dance.face_align": "Face landmarks.",
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
    """-v, -q and --json, as `progress: Progress` (and `as_json`)."""
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
    return Progress("quiet" if quiet else "json" if as_json else "auto")


def config_option(function: Command) -> Command:
    """--config FILE: a TOML table of option names; what the command line says wins."""
    return click.option(
        "--config", type=PATH, is_eager=True, expose_value=False, callback=_apply_config,
        help="TOML file with option names as keys, for example: background = \"white\".",
    )(function)  # fmt: skip


def _apply_config(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    values = _read_toml(path)
    table = _table_of(ctx, path, values)
    options = {p.name: p for p in ctx.command.params if isinstance(p, click.Option) and p.name}
    defaults = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in options or name == "config":
            close = difflib.get_close_matches(name, options, n=1)
            hint = (
                f"did you mean '{close[0]}'?" if close else f"valid: {', '.join(sorted(options))}"
            )
            raise UsageError(f"{path}: no option is called '{key}'; {hint}")
        defaults[name] = value
    ctx.default_map = {**(ctx.default_map or {}), **defaults}


def _table_of(ctx: click.Context, path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The table called as the command; else what is in none of the tables of other commands."""
    command = ctx.info_name or ""
    if command in values:
        table = values[command]
        if not isinstance(table, dict):
            raise UsageError(f"{path}: '{command}' must be a table: [{command}]")
        return table
    group = ctx.find_root().command
    others = group.list_commands(ctx) if isinstance(group, click.Group) else []
    return {k: v for k, v in values.items() if not (k in others and isinstance(v, dict))}


def _read_toml(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: not TOML: {error}") from error
    return values
