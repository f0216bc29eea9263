"""`dance reenact`: the main job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dancecli.cli.options import (
    PATH,
    config_option,
    licence_option,
    make_progress,
    plugin_options,
    verbosity,
)
from dancecli.device import CHOICES
from dancecli.job import Job, Place
from dancecli.workdir import WorkDir

GROUPS = (
    "dance.pose",
    "dance.mask",
    "dance.dense",
    "dance.parser",
    "dance.inpaint",
    "dance.backend",
)

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
@click.option("--start", type=click.FloatRange(0), metavar="SECONDS", help="Begin VIDEO here.")
@click.option("--end", type=click.FloatRange(0), metavar="SECONDS", help="Stop VIDEO here.")
@click.option("--person", default="largest", show_default=True, metavar="WHO",
              help="Who dances in VIDEO: largest, left, right or a number.")  # fmt: skip
@click.option("--photo-person", default="largest", show_default=True, metavar="WHO",
              help="Who in PHOTO: largest, left, right or a number.")  # fmt: skip
@click.option("--list-people", is_flag=True, help="Write a numbered picture of the people, stop.")
@click.option("--background", default="photo", show_default=True, metavar="BG",
              help="photo, driving, a colour, or the path of a picture or video.")  # fmt: skip
@click.option("--place", metavar="X,Y,HEIGHT", help="Feet and height in fractions of the frame.")
@click.option("--size", metavar="WxH", help="photo, driving or WxH; default the background's.")
@click.option("--shadow", type=click.FloatRange(0, 1), metavar="0-1",
              help="Strength of the shadow under the feet; default by background.")  # fmt: skip
@click.option("--smooth", type=click.FloatRange(0, 10), default=1.0, show_default=True,
              help="Temporal smoothing of the pose; 0 is off.")  # fmt: skip
@click.option("--no-retarget", is_flag=True, help="Keep the driver's body proportions (raw pose).")
@click.option("--poses", type=PATH, metavar="FILE",
              help="Poses as editable JSON: used if FILE exists, else written.")  # fmt: skip
@click.option("--no-audio", is_flag=True, help="Drop the sound of VIDEO.")
@click.option("--save-foreground", type=PATH, metavar="FILE.mov",
              help="Also write the person alone with alpha, for `dance composite`.")  # fmt: skip
@click.option("--contact-sheet", type=PATH, metavar="FILE.png",
              help="Also write photo, driving, pose, labels and result in columns.")  # fmt: skip
@click.option("--preview", is_flag=True, help="A few small frames, in seconds.")
@plugin_options(*GROUPS)
@click.option("--weights", metavar="NAME|DIR", help="Weights of the backend.")
@licence_option
@click.option("--device", type=click.Choice(CHOICES), default="auto", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
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
        picture = out or Path("people.png")
        counts = people.number(photo, video, picture, options["pose"], options["force"])
        _tell(as_json, {"picture": str(picture), **counts}, str(picture))
        return
    job = _job(photo, video, out, options)
    with _work_dir(work_dir, no_cache) as work:
        if dry_run:
            drawn = plan.draw_up(job, work)
            _tell(as_json, drawn, plan.as_text(drawn))
            return
        result = pipeline.reenact(job, work, progress)
    _tell(as_json, result.as_dict(), "\n".join(str(path) for path in result.written))


def _job(photo: Path, video: Path, out: Path | None, options: dict[str, Any]) -> Job:
    place = options.pop("place")
    plugins = {group: options.pop(group.removeprefix("dance.")) for group in GROUPS}
    return Job(
        photo=photo,
        video=video,
        out=out or Path(f"{photo.stem}_{video.stem}.mp4"),
        plugins=plugins,
        place=Place.parse(place) if place else None,
        retarget=not options.pop("no_retarget"),
        audio=not options.pop("no_audio"),
        **options,
    )


class _work_dir:  # noqa: N801 - reads as the function it stands for
    """The work directory asked for, or one that is gone afterwards."""

    def __init__(self, root: Path | None, throwaway: bool) -> None:
        self.root, self.throwaway = root, throwaway

    def __enter__(self) -> WorkDir:
        import tempfile

        self.temporary = tempfile.TemporaryDirectory(prefix="dance-") if self.throwaway else None
        return WorkDir(Path(self.temporary.name) if self.temporary else self.root)

    def __exit__(self, *_: object) -> None:
        if self.temporary:
            self.temporary.cleanup()


def _tell(as_json: bool, data: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(data) if as_json else text)
