"""`dance composite`: another background behind a saved foreground."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dancecli.cli.options import PATH, config_option, licence_option, make_progress, verbosity
from dancecli.device import CHOICES
from dancecli.workdir import WorkDir


@click.command(
    epilog="""\b
Examples:
  dance reenact photo.jpg dance.mp4 -o out.mp4 --save-foreground fg.mov
  dance composite fg.mov --background beach.jpg -o beach.mp4
  dance composite fg.mov --background "#00ff00" -o green.mp4"""
)
@click.argument("foreground", type=PATH)
@click.option("--background", required=True, metavar="BG", help="A colour, a picture or a video.")
@click.option("-o", "--out", type=PATH, required=True, help="Output.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@click.option("--photo", type=PATH, help="The person's photo, for backends that refine the face.")
@click.option("--backend", metavar="NAME", help="Default: the one the foreground was made with.")
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
    """Put FOREGROUND on another background.

    FOREGROUND: the .mov, .webm or .gif that `dance reenact --save-foreground` wrote. Its sidecar
    FOREGROUND.json says what made it: for --licence, and for the sidecar of OUT.
    """
    from dancecli.recomposite import Recomposition, recomposite

    progress = make_progress(verbose, quiet, as_json)
    ask = Recomposition(audio=not no_audio, **options)
    result = recomposite(ask, WorkDir(work_dir), progress)
    click.echo(json.dumps(result) if as_json else result["out"])
