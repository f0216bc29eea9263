"""`dance batch`: many jobs at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from dancecli.batch.checking import BadRowsError, Fault, faults_of
from dancecli.batch.planning import Step, as_text, drawn_up, sharing, step_of
from dancecli.batch.running import Summary, run
from dancecli.batch.state import State, held
from dancecli.batch.table import CROSS, FORMS, Line, crossed, read_table
from dancecli.cli.jobs import scene_options
from dancecli.cli.options import PATH, config_option, make_progress, verbosity
from dancecli.cli.rows import COLUMNS, Sheet
from dancecli.data.stores import is_url
from dancecli.errors import DanceError, UsageError
from dancecli.progress import Progress

EXAMPLES = """\b
Examples:
  dance batch jobs.csv
  dance batch jobs.csv --workers 4 --background white
  dance batch jobs.jsonl --dry-run
  dance batch 'photos/*.jpg' x 'videos/*.mp4' -o results
  dance batch jobs.csv --retry-failed
  dance batch jobs.csv --ray 10.0.0.1:6379 -o s3://bucket/results"""


HELP = f"""Run the jobs of TABLE (.csv, .tsv or .jsonl), or let all PHOTOS dance all VIDEOS.

A row is a job: columns photo, video, output, and any option of `dance reenact`. Options given
here hold for rows that leave them out. A second run does what is new, changed or unfinished.

Columns: {COLUMNS}.
"""


@click.command(help=HELP, epilog=EXAMPLES)
@click.argument("sources", nargs=-1, required=True, metavar="TABLE | PHOTOS... x VIDEOS...")
@click.option(
    "-o",
    "--out",
    metavar="DIR",
    help="Folder, made where it is not there, or URL of outputs that have no name in TABLE; "
    "default: TABLE's folder.",
)
@click.option(
    "--format",
    "extension",
    type=click.Choice(["mp4", "mov", "webm", "gif"]),
    default="mp4",
    show_default=True,
    help="Of outputs that have no name in TABLE.",
)
@click.option("-f", "--force", is_flag=True, help="Overwrite outputs that no earlier run made.")
@click.option(
    "--state",
    type=PATH,
    metavar="FILE",
    help="What is done; default: TABLE.state beside TABLE, or batch.state in DIR.",
)
@click.option("--retry-failed", is_flag=True, help="Try again what failed in an earlier run.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Processes.")  # fmt: skip
@click.option("--ray", metavar="ADDRESS", help="Run on the Ray cluster at ADDRESS, or local.")
@scene_options
@click.option("--work-dir", type=PATH, help="Where stage results are kept; default: user cache.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@config_option
@verbosity
def command(
    sources: tuple[str, ...],
    out: str | None,
    extension: str,
    state: Path | None,
    retry_failed: bool,
    workers: int,
    ray: str | None,
    work_dir: Path | None,
    dry_run: bool,
    verbose: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    progress = make_progress(verbose, quiet, as_json)
    lines, sheet, beside = _read(sources, out, options, f".{extension}")
    coming = _coming(out)
    path = _state_path(state or beside, sources, coming)
    with _made(coming), nullcontext() if dry_run else held(path):
        records = State(path, mend=not dry_run)
        steps = _steps(lines, sheet, records, retry_failed, bool(ray), as_json)
        if dry_run:
            plan = {**drawn_up(steps), "state": str(path)}
            click.echo(json.dumps(plan) if as_json else as_text(plan))
            return
        root = work_dir.absolute() if work_dir else None
        summary = run(steps, records, root, workers, ray, progress)
    _tell(summary, progress, as_json)


def _read(
    sources: Sequence[str], out: str | None, options: dict[str, Any], extension: str
) -> tuple[list[Line], Sheet, Path]:
    """The rows, what they are read against, and where the state lies if nothing is said."""
    own = Path(out).absolute() if out and not is_url(out) else None
    if CROSS in sources:
        folder = own or Path.cwd()
        sheet = Sheet(options, Path.cwd(), str(own or out or folder), extension)
        return crossed(sources), sheet, folder / "batch.state"
    if len(sources) > 1:
        raise UsageError(f"{len(sources)} tables: {FORMS}")
    table = Path(sources[0])
    folder = table.absolute().parent
    sheet = Sheet(options, folder, str(own or out or folder), extension)
    return read_table(table), sheet, table.with_name(f"{table.name}.state")


def _coming(out: str | None) -> Path | None:
    """The folder of -o where it is still to be made.

    Raises UsageError where something else lies there.
    """
    if not out or is_url(out) or Path(out).is_dir():
        return None
    folder = Path(out).absolute()
    above = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not above.is_dir():
        raise UsageError(f"-o {out}: {above.name} is no folder; name another")
    return folder


@contextmanager
def _made(folder: Path | None) -> Iterator[None]:
    """A folder that was not there, and is not when nothing came into it, nor those above it."""
    if folder is None:
        yield
        return
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"-o {folder}: it cannot be made: {error.strerror}") from error
    try:
        yield
    finally:
        with suppress(OSError):
            for path in new:
                path.rmdir()


def _state_path(path: Path, sources: Sequence[str], coming: Path | None) -> Path:
    if any(not is_url(source) and Path(source).absolute() == path.absolute() for source in sources):
        raise UsageError(f"--state {path}: that is the table itself")
    folder = path.absolute().parent
    if not folder.is_dir() and folder != coming:
        raise UsageError(f"--state {path}: its folder does not exist; create it")
    return path


def _steps(
    lines: Sequence[Line], sheet: Sheet, records: State, retry: bool, elsewhere: bool, as_json: bool
) -> list[Step]:
    """The plan, in running order. Raises UsageError after listing all rows that cannot be used."""
    orders, faults = sheet.orders(lines)
    steps = [step_of(order, records, retry) for order in sharing(orders)]
    ours = {step.order.number for step in steps if step.ours}
    faults += faults_of(orders, lambda order: order.number in ours, elsewhere)
    if faults:
        error = BadRowsError(faults, len(lines))
        _list(error.faults, as_json)
        raise error
    return steps


def _list(faults: Sequence[Fault], as_json: bool) -> None:
    """One line per row for programs, one per kind of fault for people."""
    if as_json:
        for fault in faults:
            record = {"event": "refused", "row": fault.number, "error": fault.text}
            click.echo(json.dumps(record), err=True)
        return
    rows: dict[str, list[str]] = {}
    for fault in faults:
        rows.setdefault(fault.text, []).append(str(fault.number))
    for text, numbers in rows.items():
        many = "s" if len(numbers) > 1 else ""
        click.echo(f"dance: row{many} {', '.join(numbers)}: {text}", err=True)


def _tell(summary: Summary, progress: Progress, as_json: bool) -> None:
    """The summary on stdout; failures on stderr, and as the exit code.

    Raises DanceError when jobs failed.
    """
    told = summary.as_dict()
    written = [path for job in summary.jobs for path in job.get("written", ())]
    click.echo(json.dumps(told) if as_json else "\n".join(written), nl=as_json or bool(written))
    progress.say(f"{told['done']} done, {told['kept']} done before, {told['failed']} failed")
    for job in summary.failed:
        if not as_json:
            click.echo(f"dance: row {job['row']} ({job['out']}): {job['error']}", err=True)
    if summary.failed:
        raise DanceError(
            f"{told['failed']} of {len(summary.jobs)} jobs failed (listed above); "
            "mend them, or try again with --retry-failed"
        )
