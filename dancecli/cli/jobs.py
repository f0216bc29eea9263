"""The options that make up a job, for the commands that run one or many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from dancecli.cli.options import PATH, FiniteRange, licence_option, plugin_options
from dancecli.device import CHOICES, several
from dancecli.job import Job, Place

Command = TypeVar("Command", bound=Callable[..., Any])

GROUPS = (
    "dance.pose",
    "dance.mask",
    "dance.dense",
    "dance.parser",
    "dance.inpaint",
    "dance.backend",
)

_PART = (
    click.option("--start", type=FiniteRange(0), metavar="SECONDS", help="Begin VIDEO here."),
    click.option("--end", type=FiniteRange(0), metavar="SECONDS", help="Stop VIDEO here."),
)

_WHO = (
    click.option("--person", default="largest", show_default=True, metavar="WHO",
                 help="Who dances: largest, left, right or a number."),
    click.option("--photo-person", default="largest", show_default=True, metavar="WHO",
                 help="Who in PHOTO: largest, left, right or a number."),
)  # fmt: skip

_LOOK = (
    click.option("--place", metavar="X,Y,HEIGHT",
                 help="Feet and height in fractions of the frame."),
    click.option("--shadow", type=FiniteRange(0, 1), metavar="0-1",
                 help="Strength of the shadow under the feet; default by background."),
    click.option("--smooth", type=FiniteRange(0, 10), default=1.0, show_default=True,
                 help="Temporal smoothing of the pose; 0 is off."),
    click.option("--no-retarget", is_flag=True,
                 help="Keep the driver's body proportions (raw pose)."),
)  # fmt: skip

_OUTPUT = (
    click.option("--no-audio", is_flag=True, help="Drop the sound of VIDEO."),
    click.option("--preview", is_flag=True, help="A few small frames, in seconds."),
)

_MACHINE = (
    click.option("--weights", metavar="NAME|DIR", help="Weights of the backend."),
    licence_option,
    click.option("--device", type=click.Choice(CHOICES), default="auto", show_default=True),
    click.option("--seed", type=int, default=0, show_default=True),
)

_SPEED = (
    click.option("--devices", metavar="0,1,...",
                 help="Split the frames over these instead; numbers are CUDA's."),
    click.option("--batch-size", type=click.IntRange(1, 1024), metavar="N",
                 help="Frames painted at a time. Default: as suits the backend."),
    click.option("--threads", type=click.IntRange(1, 256), metavar="N",
                 help="Threads that follow and paint. Default: OMP_NUM_THREADS, else a core each, "
                      "at most 8."),
)  # fmt: skip

_FILES = (
    click.option("--poses", type=PATH, metavar="FILE",
                 help="Poses as editable JSON: used if FILE exists, else written."),
    click.option("--save-foreground", type=PATH, metavar="FILE.mov",
                 help="Also write the person alone with alpha, for `dance composite`."),
    click.option("--contact-sheet", type=PATH, metavar="FILE.png",
                 help="Also write photo, driving, pose, labels and result in columns."),
)  # fmt: skip


def _ground(background: str, size: str) -> tuple[Callable[[Any], Any], ...]:
    """--background and --size, with what they may be."""
    return (
        click.option("--background", default="photo", show_default=True, metavar="BG",
                     help=background),
        click.option("--size", metavar="WxH", help=f"{size}; default the background's."),
    )  # fmt: skip


_FILMED = _ground(
    "photo, driving (the video without its dancer), a colour, or the path of a picture or video.",
    "photo, driving or WxH",
)
_LIVE = _ground("photo, a colour, or the path of a picture.", "photo or WxH")


def scene_options(function: Command) -> Command:
    """What is danced, where and how it looks; plugins, devices, threads and seed."""
    function = _added(function, (*_MACHINE, *_SPEED))
    return _added(plugin_options(*GROUPS)(function), (*_PART, *_WHO, *_FILMED, *_LOOK, *_OUTPUT))


def look_options(function: Command) -> Command:
    """The same without what only a whole video has: a part of it, its ground, sound, a preview."""
    return _added(plugin_options(*GROUPS)(_added(function, _MACHINE)), (*_WHO, *_LIVE, *_LOOK))


def file_options(function: Command) -> Command:
    """Files of one job besides photo, video and output."""
    return _added(function, _FILES)


def _added(function: Command, options: tuple[Callable[[Any], Any], ...]) -> Command:
    for option in reversed(options):
        function = option(function)
    return function


def job_of(photo: Path, video: Path, out: Path, options: Mapping[str, Any]) -> Job:
    """The job of parsed options.

    Raises UsageError for values that do not go together.
    """
    rest = dict(options)
    place = rest.pop("place")
    plugins = {group: rest.pop(group.removeprefix("dance.")) for group in GROUPS}
    return Job(
        photo=photo,
        video=video,
        out=out,
        plugins=plugins,
        place=Place.parse(place) if place else None,
        retarget=not rest.pop("no_retarget"),
        audio=not rest.pop("no_audio"),
        devices=several(rest.pop("devices", None)),
        **rest,
    )


def default_name(photo: Path, video: Path, extension: str = ".mp4") -> str:
    """What an output without a name is called."""
    return f"{photo.stem}_{video.stem}{extension}"
