"""`dance reenact`: the main job."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from dancecli.cli.jobs import default_name, file_options, job_of, scene_options
from dancecli.cli.options import PATH, config_option, make_progress, verbosity
from dancecli.errors import UsageError
from dancecli.workdir import WorkDir

EXAMPLES = """\b
Examples:
  dance reenact photo.jpg dance.mp4 -o out.mp4
  dance reenact photo.jpg dance.mp4 -o out.mp4 --background driving
  dance reenact photo.jpg dance.mp4 -o out.mp4 --background beach.jpg --place 0.3,0.95,0.7
  dance reenact photo.jpg dance.mp4 -o out.mp4 --start 3 --end 8 --contact-sheet sheet.png
  dance reenact group.jpg dance.mp4 --list-people -o people.png
  dance reenact group.jpg dance.mp4 -o out.mp4 --photo-person 2 --person left
  dance reenact photo.jpg dance.mp4 -o out.gif --preview

Formats by the extension of OUT: .mp4, .mov (ProRes 4444), .webm, .gif, or a folder of PNG.
A run that was stopped goes on where it was when the same command is given again."""


@click.command(epilog=EXAMPLES)
@click.argument("photo", type=PATH)
@click.argument("video", type=PATH)
@click.option("-o", "--out", type=PATH, help="Output; default PHOTO_VIDEO.mp4 in this folder.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@click.option("--list-people", is_flag=True, help="Write a numbered picture of the people, stop.")
@scene_options
@file_options
@click.option("--work-dir", type=PATH, help="Where stage results are kept; default: user cache.")
@click.option("--no-cache", is_flag=True, help="Keep and reuse nothing.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@config_option
@verbosity
def command(
    photo: Path,
    video: Path,
    out: Path | None,
    list_people: bool,
    dry_run: bool,
    work_dir: Path | None,
    no_cache: bool,
    verbose: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make the person in PHOTO dance like the person in VIDEO."""
    from dancecli import people, pipeline, plan

    progress = make_progress(verbose, quiet, as_json)
    if list_people:
        if dry_run:
            raise UsageError("--list-people makes no dance that --dry-run could plan: give one")
        picture = out or Path("people.png")
        counts = people.number(job_of(photo, video, picture, options))
        _tell(as_json, {"picture": str(picture), **counts}, str(picture))
        return
    job = job_of(photo, video, out or Path(default_name(photo, video)), options)
    with _work_dir(work_dir, no_cache) as work:
        if dry_run:
            drawn = plan.draw_up(job, work)
            _tell(as_json, drawn, plan.as_text(drawn))
            return
        result = pipeline.reenact(job, work, progress)
    _tell(as_json, result.as_dict(), "\n".join(str(path) for path in result.written))


class _work_dir:  # noqa: N801 - reads as the function it stands for
    """The work directory asked for, or one that is gone afterwards."""

    def __init__(self, root: Path | None, throwaway: bool) -> None:
        self.root, self.throwaway = root, throwaway

    def __enter__(self) -> WorkDir:
        import tempfile

        # After an interrupt something may still be written there (`overlap.beside`).
        folder = partial(tempfile.TemporaryDirectory, prefix="dance-", ignore_cleanup_errors=True)
        self.temporary = folder() if self.throwaway else None
        return WorkDir(Path(self.temporary.name) if self.temporary else self.root)

    def __exit__(self, *_: object) -> None:
        if self.temporary:
            self.temporary.cleanup()


def _tell(as_json: bool, data: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(data) if as_json else text)
