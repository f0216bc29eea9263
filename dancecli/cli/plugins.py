"""`dance plugins`: what is installed, and whether it keeps its promises."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dancecli import registry
from dancecli.cli.isolate import isolate_plugin
from dancecli.errors import DanceError, UsageError
from dancecli.stages import DEFAULTS, GROUPS
from dancecli.testing import Outcome, check

_GROUP = click.option(
    "--group", type=click.Choice([g.removeprefix("dance.") for g in GROUPS]), help="Only these."
)


@click.group(
    epilog="""\b
Examples:
  dance plugins list
  dance plugins list --json
  dance plugins check mediapipe --photo photo.jpg
  dance plugins isolate densepose --python ~/envs/detectron2"""
)
def command() -> None:
    """List, check and isolate the installed plugins."""


command.add_command(isolate_plugin)


@command.command("list")
@_GROUP
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_plugins(group: str | None, as_json: bool) -> None:
    """List plugins from package metadata; none is imported. A star marks the default.

    Of an isolated plugin the list says in which environment it runs.
    """
    found = registry.installed(f"dance.{group}" if group else None)
    if as_json:
        click.echo(json.dumps([{**_described(i), "default": _default(i)} for i in found], indent=1))
        return
    for info in found:
        star = "*" if _default(info) else " "
        click.echo(f"{info.group:17} {star} {info.name:12} {info.origin}  ({info.target})")


def _described(info: registry.PluginInfo) -> dict[str, str]:
    python = {"python": info.isolated.python} if info.isolated else {}
    return {**info.as_dict(), **python}


def _default(info: registry.PluginInfo) -> bool:
    return DEFAULTS.get(info.group) == info.name


@command.command("check")
@click.argument("name")
@_GROUP
@click.option(
    "--photo", type=click.Path(path_type=Path), help="A person, for plugins that look at real ones."
)
@click.option("--weights", metavar="NAME|DIR", help="Weights, for plugins that come without.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def check_plugin(
    name: str, group: str | None, photo: Path | None, weights: str | None, as_json: bool
) -> None:
    """Run the conformance suite on the plugin(s) called NAME; exit code 1 if any check fails.

    Weights that are missing are said and are no failure; give them with --weights.
    """
    from dancecli.media import read_photo

    frame = read_photo(photo) if photo else None
    results = {g: list(check(g, name, frame, weights)) for g in _groups_of(name, group)}
    if as_json:
        click.echo(json.dumps({g: [vars(o) for o in found] for g, found in results.items()}))
    else:
        for each, outcomes in results.items():
            _print(each, name, outcomes)
    found = [outcome for outcomes in results.values() for outcome in outcomes]
    failed = sum(not (outcome.passed or outcome.needs_weights) for outcome in found)
    if failed:
        raise DanceError(f"plugin '{name}': {failed} check(s) failed")


def _groups_of(name: str, group: str | None) -> list[str]:
    if group:
        return [registry.find(f"dance.{group}", name).group]
    groups = [info.group for info in registry.installed() if info.name == name]
    if not groups:
        names = ", ".join(sorted({info.name for info in registry.installed()}))
        raise UsageError(f"no plugin is called '{name}'; installed: {names}")
    return groups


def _print(group: str, name: str, outcomes: list[Outcome]) -> None:
    click.echo(f"{group}: {name}")
    for outcome in outcomes:
        mark = "ok  " if outcome.passed else "need" if outcome.needs_weights else "FAIL"
        click.echo(f"  {mark} {outcome.check}{f': {outcome.detail}' if outcome.detail else ''}")
