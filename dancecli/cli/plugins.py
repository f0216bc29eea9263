"""`dance plugins`: what is installed, and whether it keeps its promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from dancecli import registry
from dancecli.cli import plugins_new
from dancecli.cli.isolate import isolate_plugin
from dancecli.cli.options import group_of, kind_option
from dancecli.errors import DanceError, UsageError
from dancecli.stages import DEFAULTS
from dancecli.testing import Outcome, check


@click.group(
    epilog="""\b
Examples:
  dance plugins list
  dance plugins list --json
  dance plugins check mediapipe --photo photo.jpg
  dance plugins new my-pose --kind pose
  dance plugins isolate densepose --python ~/envs/detectron2"""
)
def command() -> None:
    """List, check and isolate the installed plugins, begin new ones."""


command.add_command(plugins_new.command, "new")
command.add_command(isolate_plugin)


@command.command("list")
@kind_option("Only these.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List plugins from package metadata; none is imported. A star marks the default.

    Of an isolated plugin the list says in which environment it runs.
    """
    found = registry.installed(group_of(kind))
    if as_json:
        click.echo(json.dumps([{**_described(i), "default": _default(i)} for i in found], indent=1))
        return
    for info in found:
        star = "*" if _default(info) else " "
        also = (
            f"  also in {', '.join(info.rivals)}: pip uninstall all but one" if info.rivals else ""
        )
        click.echo(f"{info.group:17} {star} {info.name:14} {info.origin}  ({info.target}){also}")


def _described(info: registry.PluginInfo) -> dict[str, Any]:
    python = {"python": info.isolated.python} if info.isolated else {}
    return {**info.as_dict(), **python}


def _default(info: registry.PluginInfo) -> bool:
    return DEFAULTS.get(info.group) == info.name


@command.command("check")
@click.argument("name")
@kind_option("Only this one.")
@click.option(
    "--photo", type=click.Path(path_type=Path),
    help="One whole person who faces the camera, for plugins that look at real ones.",
)  # fmt: skip
@click.option("--weights", metavar="NAME|DIR", help="Weights, for plugins that come without.")
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="A data set in the reader's own layout.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def check_plugin(
    name: str, kind: str | None, photo: Path | None, weights: str | None, data: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Run the conformance suite on the plugin(s) called NAME; exit code 1 if any check fails.

    What cannot be told without weights, a photo or a data set is said and is no failure; give them
    with --weights, --photo and --data.
    """
    from dancecli.media import read_photo

    frame = read_photo(photo) if photo else None
    results: dict[str, list[Outcome]] = {}
    for each in _groups_of(name, group_of(kind)):
        outcomes = check(each, name, frame, weights, data)
        results[each] = list(outcomes if as_json else _printed(each, name, outcomes))
    if as_json:
        click.echo(json.dumps({g: [vars(o) for o in found] for g, found in results.items()}))
    failed = sum(outcome.failed for found in results.values() for outcome in found)
    if failed:
        raise DanceError(f"plugin '{name}': {failed} check(s) failed")


def _groups_of(name: str, group: str | None) -> list[str]:
    if group:
        return [registry.find(group, name).group]
    plain, _ = registry.split_name(name)
    groups = [info.group for info in registry.installed() if info.name == plain]
    if not groups:
        names = ", ".join(sorted({info.name for info in registry.installed()}))
        raise UsageError(f"no plugin is called '{plain}'; installed: {names}")
    return groups


def _printed(group: str, name: str, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The outcomes, each printed as soon as it is known."""
    click.echo(f"{group}: {name}")
    for outcome in outcomes:
        click.echo(
            f"  {_mark(outcome)} {outcome.check}{f': {outcome.detail}' if outcome.detail else ''}"
        )
        yield outcome


def _mark(outcome: Outcome) -> str:
    if outcome.passed:
        return "ok  "
    return "need" if outcome.needs_weights else "skip" if outcome.skipped else "FAIL"
