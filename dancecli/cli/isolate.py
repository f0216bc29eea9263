"""`dance plugins isolate`: which plugins run in an environment of their own."""

from __future__ import annotations

from pathlib import Path

import click

from dancecli.cli.options import FiniteRange, group_of, kind_option
from dancecli.errors import UsageError
from dancecli.isolation.registered import LIMIT, isolated, remove


@click.command(
    "isolate",
    epilog="""\b
Examples:
  dance plugins isolate densepose --python ~/envs/detectron2/bin/python
  dance plugins isolate mediapipe --kind pose --python ~/envs/mediapipe
  dance plugins isolate densepose --remove""",
)
@click.argument("name")
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="Its interpreter, or the environment's folder.",
)
@kind_option("Only this one.")
@click.option(
    "--limit", type=FiniteRange(1, 86400), default=LIMIT, show_default=True,
    help="Seconds that one call may take, loading included.",
)  # fmt: skip
@click.option("--remove", "removing", is_flag=True, help="Let it run in this environment again.")
def isolate_plugin(
    name: str, python: Path | None, kind: str | None, limit: float, removing: bool
) -> None:
    """Let the plugin(s) called NAME run in another Python environment.

    For plugins whose libraries do not go together with those installed here. The other environment
    needs numpy and what the plugin imports, not dance itself. A plugin that is installed there is
    taken from there, else the code of the one here runs with the libraries there.
    """
    group = group_of(kind)
    if removing:
        _remove(name, group)
        return
    if python is None:
        raise UsageError("say where the plugin is to run with --python, or --remove")
    from dancecli.isolation.isolating import isolate

    for info in isolate(name, python.expanduser(), group, limit):
        release = info.isolated.release if info.isolated else ""
        click.echo(f"{info.group}: {info.name} ({info.origin}, Python {release})")


def _remove(name: str, group: str | None) -> None:
    gone = remove(name, group)
    if not gone:
        names = ", ".join(sorted({each.name for each in isolated(group)})) or "none"
        raise UsageError(f"plugin '{name}' is not isolated; isolated: {names}")
    for each in gone:
        click.echo(f"{each.group}: {each.name} runs in this environment again")
