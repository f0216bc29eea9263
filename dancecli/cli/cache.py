"""`dance cache`: the stage results kept between runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dancecli.cli.options import FiniteRange
from dancecli.workdir import WorkDir

WORK_DIR = click.option(
    "--work-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: user cache."
)


@click.group(
    epilog="""\b
Examples:
  dance cache list
  dance cache clean --older-than 30"""
)
def command() -> None:
    """Show or clean the stage results kept on disk (poses, masks, unfinished renders)."""


@command.command("list")
@WORK_DIR
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_entries(work_dir: Path | None, as_json: bool) -> None:
    """List entries: stage, key, size."""
    work = WorkDir(work_dir)
    rows: list[dict[str, Any]] = [
        {"stage": e.path.parent.name, "key": e.path.name, "bytes": e.size()} for e in work.entries()
    ]
    if as_json:
        click.echo(json.dumps({"root": str(work.root), "entries": rows}, indent=1))
        return
    for row in rows:
        click.echo(f"{row['stage']:10} {row['key']}  {_megabytes(int(row['bytes']))}")
    total = sum(row["bytes"] for row in rows)
    click.echo(f"{len(rows)} entries, {_megabytes(total)} in {work.root}")


@command.command()
@WORK_DIR
@click.option("--older-than", type=FiniteRange(0), default=0.0, help="Days since last use.")
def clean(work_dir: Path | None, older_than: float) -> None:
    """Remove entries; runs that were stopped start anew."""
    work = WorkDir(work_dir)
    count, freed = work.clean(older_than * 86400)
    click.echo(f"removed {count} entries, {_megabytes(freed)}")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
