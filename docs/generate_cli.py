"""Writes docs/cli.md from `--help`; with --check, fails when it is out of date."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dancecli.cli.main import dance

OUT = Path(__file__).parent / "cli.md"


def pages(command: click.Command, path: str) -> list[str]:
    """The help of a command and of all below it, as Markdown sections."""
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    found = [f"## `{path}`\n\n```\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                found += pages(child, f"{path} {name}")
    return found


def text() -> str:
    """The whole page."""
    head = "# Commands\n\nGenerated from `--help` by `make docs`.\n\n"
    return head + "\n".join(pages(dance, "dance"))


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(OUT.read_text() != text() and "docs/cli.md is out of date: make docs")
    OUT.write_text(text())
