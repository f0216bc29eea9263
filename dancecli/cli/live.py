"""`dance live`: a photo dances as somebody does before a camera."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from dancecli.cli.jobs import job_of, look_options
from dancecli.cli.options import PATH, FiniteRange, config_option, make_progress, verbosity
from dancecli.errors import MediaError, OutputExistsError, UsageError
from dancecli.workdir import WorkDir

EXAMPLES = """\b
Examples:
  dance live photo.jpg --camera 0
  dance live photo.jpg --camera rtsp://10.0.0.5/stream --background white
  dance live photo.jpg --camera dance.mp4 --size 360x640
  dance live photo.jpg --camera 0 --to rawvideo --size 360x640 | ffplay -f rawvideo -pixel_format rgb24 -video_size 360x640 -i -

Frames that cannot be shown in time are dropped. At the end, the latency from camera to screen is
printed: its median (p50) and what 95 of 100 frames stay below (p95)."""  # noqa: E501

STDOUT = "-"


@click.command(epilog=EXAMPLES)
@click.argument("photo", type=PATH)
@click.option("--camera", required=True, metavar="N|ADDRESS|FILE",
              help="Its number, a video stream, or a file played at its own rate.")  # fmt: skip
@click.option("--to", "targets", type=click.Choice(["window", "rawvideo"]), multiple=True,
              help="Repeat for both. Default: window.")  # fmt: skip
@click.option("-o", "--out", default=STDOUT, show_default=True, metavar="FILE",
              help="Where raw video goes: - is stdout; a named pipe will do.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Overwrite FILE.")
@click.option("--seconds", type=FiniteRange(0, min_open=True), help="Stop after so long.")
@look_options
@click.option("--work-dir", type=PATH, help="Where stage results are kept; default: user cache.")
@config_option
@verbosity
def command(
    photo: Path,
    camera: str,
    targets: tuple[str, ...],
    out: str,
    force: bool,
    seconds: float | None,
    work_dir: Path | None,
    verbose: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make the person in PHOTO dance like whoever stands before a camera.

    Nobody needs to wait: proportions are those of the first second, smoothing looks backwards only,
    the camera should stand still. Ends with the stream, with q in the window, or with Ctrl-C.
    """
    from dancecli.live.camera import frames_of
    from dancecli.live.running import Session
    from dancecli.live.stage import LiveStage
    from dancecli.plate import parse_background

    progress = make_progress(verbose, quiet, as_json)
    targets = targets or ("window",)
    read = (photo, Path(camera), parse_background(options["background"]).path)
    screens, shots = _screens(targets, out, force, read), frames_of(camera)
    rest = {"no_audio": True, "preview": False, "start": None, "end": None}
    job = job_of(photo, Path("camera"), Path("live.mp4"), {**options, **rest})
    stage = LiveStage(job, WorkDir(work_dir))
    width, height = stage.size
    progress.report(f"{width}x{height}, rgb24", event="size", width=width, height=height)
    session = Session(stage, job.person, progress)
    try:
        session.run(shots, screens, seconds)
    finally:
        _tell(session.watch.as_dict(), session.watch.as_text(), as_json, _piped(targets, out))


def _piped(targets: Sequence[str], out: str) -> bool:
    """Whether stdout carries video."""
    return "rawvideo" in targets and out == STDOUT


def _screens(
    targets: Sequence[str], out: str, force: bool, inputs: Sequence[Path | None]
) -> list[Any]:
    """What the frames go to, refused before any work where it cannot take them."""
    from dancecli.live.screens import Pipe, Window

    if out != STDOUT and "rawvideo" not in targets:
        raise UsageError(f"-o {out}: only raw video goes to a file: say --to rawvideo, too")
    screens: list[Any] = [Window()] if "window" in targets else []
    if "rawvideo" not in targets:
        return screens
    if out == STDOUT and sys.stdout is None:
        raise UsageError("raw video goes to stdout, which is closed: open it, or say -o FILE")
    if out == STDOUT and sys.stdout.isatty():
        raise UsageError("raw video on a terminal: pipe it, or say -o FILE")
    if out != STDOUT:
        _check_file(Path(out), force, inputs)
    return [*screens, Pipe(lambda: _opened(out))]


def _check_file(path: Path, force: bool, inputs: Sequence[Path | None]) -> None:
    """Raises MediaError where raw video cannot be written, or would be over what is read."""
    from dancecli.media import check_folder

    if not path.exists():
        return check_folder(path)
    if path.is_dir():
        raise MediaError(f"{path} is a folder: choose another name for the file")
    if any(each and each.exists() and path.samefile(each) for each in inputs):
        raise MediaError(f"{path} is an input: writing it would destroy it; rename FILE")
    if not stat.S_ISFIFO(path.stat().st_mode) and not force:
        raise OutputExistsError(f"{path} exists: choose another name or give --force")


def _opened(out: str) -> BinaryIO:
    """The pipe itself; stdout's descriptor is taken over, so that nothing else gets in between."""
    if out != STDOUT:
        return Path(out).open("wb")
    sys.stdout.flush()
    video = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return video


def _tell(told: dict[str, Any], text: str, as_json: bool, to_stderr: bool) -> None:
    click.echo(json.dumps(told) if as_json else text, err=to_stderr)
