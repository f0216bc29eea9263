"""`dance train compact`: the whole bundle from a seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from dancecli.cli.options import PATH, SEED, config_option, make_progress, verbosity


@click.command(
    "compact",
    epilog="""\b
Examples:
  dance train compact -o runs/compact --assets humans/ --dry-run
  dance train compact -o runs/compact --assets humans/ --scale small --bf16""",
)
@click.option(
    "-o",
    "--out",
    type=PATH,
    required=True,
    metavar="DIR",
    help="Everything goes here; the bundle into DIR/bundle.",
)
@click.option(
    "--scale", default="small", show_default=True, metavar="NAME", help="tiny, small or full."
)
@click.option("--assets", type=PATH, help="The human asset pack.")
@click.option("--data", metavar="DIR,...", help="Prepared data instead of people made on the way.")
@click.option(
    "--self", "clips", type=PATH, multiple=True, help="Measure on this clip at the end; repeat."
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, metavar="NAME")
@click.option("--bf16", is_flag=True, help="Compute in bfloat16 where it is safe.")
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    metavar="N",
    help="Processes that make people and prepare samples.",
)
@click.option("--dry-run", is_flag=True, help="Say what is left to do and what it costs.")
@config_option
@verbosity
def compact(
    scale: str, dry_run: bool, verbose: int, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Make and measure the whole `compact` bundle from a seed; goes on where it was stopped."""
    from dance_freestyle.overrides import unknown
    from dance_freestyle.training import recipe

    if scale not in recipe.SCALES:
        raise unknown("scale", scale, recipe.SCALES)
    plan = recipe.Plan(scale=recipe.SCALES[scale], **options)
    progress = make_progress(verbose, quiet, as_json)
    if dry_run:
        _say_cost(recipe.cost(plan), as_json)
        return
    flags = [*["-v"] * verbose, *["-q"] * quiet, *["--json"] * as_json]
    bundle = recipe.run(plan, progress.say, flags)
    click.echo(json.dumps({"bundle": str(bundle)}) if as_json else str(bundle))


def _say_cost(left: Sequence[tuple[str, str, float]], as_json: bool) -> None:
    if as_json:
        steps = [{"name": n, "about": about, "core_hours": round(h, 3)} for n, about, h in left]
        click.echo(json.dumps({"steps": steps, "core_hours": round(sum(h for *_, h in left), 3)}))
        return
    for name, about, hours in left:
        price = f"{hours:8.1f} core hours" if hours else ""
        click.echo(f"{name:16} {about:36} {price}".rstrip())
