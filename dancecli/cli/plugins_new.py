"""`dance plugins new`: somebody's first plugin."""

from __future__ import annotations

from pathlib import Path

import click

from dancecli.cli.options import kind_option
from dancecli.scaffold import write

EXAMPLES = """\b
Examples:
  dance plugins new my-pose --kind pose
  dance plugins new lightroom --kind inpaint -o ~/plugins/lightroom
  pip install -e ./dance-plugin-my-pose && dance plugins check my-pose --photo photo.jpg

docs/writing-a-plugin.md goes on from there."""


@click.command(epilog=EXAMPLES)
@click.argument("name")
@kind_option("What it takes the place of.", required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="DIR",
              help="A new folder; default dance-plugin-NAME in this one.")  # fmt: skip
def command(name: str, kind: str, out: Path | None) -> None:
    """Write a distribution with a plugin NAME that works, tests and all, to be changed.

    Nothing is overwritten. The folder's path goes to stdout.
    """
    click.echo(str(write(name, kind, out)))
