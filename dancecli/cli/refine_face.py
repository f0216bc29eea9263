"""`dance refine-face`: the paper's face refinement by itself, on any video of a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dancecli.cli.options import (
    PATH,
    FiniteRange,
    config_option,
    licence_option,
    make_progress,
    plugin_options,
    verbosity,
)
from dancecli.device import CHOICES
from dancecli.workdir import WorkDir


@click.command(
    "refine-face",
    epilog="""\b
Examples:
  dance refine-face dance.mp4 --photo photo.jpg -o refined.mp4
  dance refine-face dance.mp4 --photo photo.jpg -o refined.mp4 --weights runs/fr-bundle
  dance refine-face duo.mp4 --photo group.jpg -o refined.mp4 --person left --photo-person 2

Weights are a bundle with FR in it; a folder with bundle.toml and fr.safetensors is enough.
A run that was stopped goes on where it was when the same command is given again.""",
)
@click.argument("video", type=PATH)
@click.option("--photo", type=PATH, required=True, help="A sharp picture of the same face.")
@click.option("-o", "--out", type=PATH, required=True, help="Output.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@click.option("--person", default="largest", show_default=True, metavar="WHO",
              help="Who in VIDEO: largest, left, right or a number.")  # fmt: skip
@click.option("--photo-person", default="largest", show_default=True, metavar="WHO",
              help="Who in PHOTO: largest, left, right or a number.")  # fmt: skip
@click.option("--smooth", type=FiniteRange(0, 10), default=1.0, show_default=True,
              help="Temporal smoothing of the face's place; 0 is off.")  # fmt: skip
@plugin_options("dance.pose", "dance.face_align")
@click.option("--backend", default="freestyle", show_default=True, metavar="NAME",
              help="Whose face refinement.")  # fmt: skip
@click.option("--weights", metavar="NAME|DIR", help="Weights of the backend.")
@licence_option
@click.option("--device", type=click.Choice(CHOICES), default="auto", show_default=True)
@click.option("--no-audio", is_flag=True, help="Drop the sound.")
@click.option("--work-dir", type=PATH, help="Where stage results are kept; default: user cache.")
@config_option
@verbosity
def command(
    work_dir: Path | None,
    no_audio: bool,
    verbose: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Restore a blurred face in VIDEO by a sharp PHOTO of the same person (FR).

    Frames in which no face is seen stay as they are and are counted. The weights that ship sharpen
    what is there: a sharp face stays, and another person's photo gives nobody their face.
    """
    from dancecli.refining import Refinement, refine_faces

    progress = make_progress(verbose, quiet, as_json)
    ask = Refinement(audio=not no_audio, **options)
    result = refine_faces(ask, WorkDir(work_dir), progress)
    progress.say(f"face refined in {result['refined']} of {result['frames']} frames")
    click.echo(json.dumps(result) if as_json else result["out"])
