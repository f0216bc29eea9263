"""`dance train`: one of the paper's networks on prepared data."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from dancecli.cli.options import PATH, make_progress, verbosity
from dancecli.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

EXAMPLES = """\b
Examples:
  dance train {0} --data shards/ -o runs/{0}
  dance train {0} --data shards/ -o runs/{0} --resume --steps 200000
  dance train {0} --preset compact --dry-run"""


@dataclass(frozen=True)
class Request:
    """What the options ask for."""

    role: str
    data: str | None
    out: Path | None
    preset: str
    changes: tuple[str, ...]
    init: Path | None
    resume: bool
    steps: int | None
    batch_size: int | None
    accumulate: int
    device: str
    bf16: bool
    seed: int
    checkpoint_every: int


def training_options(function: Command) -> Command:
    """The options that p2b, b2f and fr share."""
    for option in reversed((
        click.option("--data", metavar="DIR,...", help="Prepared data: folders or .tar shards, or names in $DANCE_DATA."),  # noqa: E501
        click.option("-o", "--out", type=PATH, metavar="DIR", help="Where checkpoints and losses go."),  # noqa: E501
        click.option("--preset", default="compact", show_default=True, metavar="NAME", help="paper or compact."),  # noqa: E501
        click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a setting of the preset; repeatable. Example: p2b.use_dp=off."),  # noqa: E501
        click.option("--init", type=PATH, metavar="FILE", help="Start from a network's .safetensors file (fine-tuning)."),  # noqa: E501
        click.option("--resume", is_flag=True, help="Go on from the newest checkpoint in -o."),
        click.option("--steps", type=click.IntRange(1), help="Steps in all. Default: the preset's epochs."),  # noqa: E501
        click.option("--batch-size", type=click.IntRange(1), help="Samples per step. Default: the preset's."),  # noqa: E501
        click.option("--accumulate", type=click.IntRange(1), default=1, show_default=True, help="Compute a batch in that many parts, to save memory."),  # noqa: E501
        click.option("--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda, cuda:N or mps."),  # noqa: E501
        click.option("--bf16", is_flag=True, help="Compute in bfloat16 where it is safe."),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of weights, order and augmentation."),  # noqa: E501
        click.option("--checkpoint-every", type=click.IntRange(1), default=1000, show_default=True, metavar="STEPS", help="Steps between checkpoints."),  # noqa: E501
        click.option("--dry-run", is_flag=True, help="Say what would be trained; needs neither --data nor -o."),  # noqa: E501
    )):  # fmt: skip
        function = option(function)
    return verbosity(function)


@click.group()
def command() -> None:
    """Train a network of the paper on prepared data (docs/training.md)."""


def _subcommand(role: str, says: str) -> None:
    @command.command(role, help=says, epilog=EXAMPLES.format(role))
    @training_options
    def run(dry_run: bool, verbose: int, quiet: bool, as_json: bool, **options: Any) -> None:
        request = Request(role=role, **options)
        progress = make_progress(verbose, quiet, as_json)
        if dry_run:
            _say_plan(request, as_json)
        else:
            _train(request, progress, as_json)


_subcommand("p2b", "Train Pose2Body: the person's body map in a new pose.")
_subcommand("b2f", "Train Body2Frame: the person's picture and mask from a body map.")
_subcommand("fr", "Train the face refinement network.")


def chosen_preset(request: Request) -> Any:
    """The preset with --set applied.

    Raises UsageError naming the nearest setting for an unknown one.
    """
    from dance_freestyle.presets import preset

    changes = {}
    for change in request.changes:
        key, sign, value = change.partition("=")
        if not sign:
            raise UsageError(f"--set {change}: write KEY=VALUE, for example p2b.use_dp=off")
        changes[key.strip()] = value.strip()
    return getattr(preset(request.preset).with_overrides(changes), request.role)


def found_data(data: str) -> list[Path]:
    """The paths that --data means; a name that is no path lies in $DANCE_DATA or the data folder.

    Raises UsageError naming the places that were looked at.
    """
    import appdirs

    home = Path(os.environ.get("DANCE_DATA") or appdirs.user_data_dir("dancecli", appauthor=False))
    paths = []
    for name in data.split(","):
        places = (Path(name), home / name)
        path = next((place for place in places if name and place.exists()), None)
        if path is None:
            raise UsageError(f"--data {name}: neither {places[0]} nor {places[1]} exists")
        paths.append(path)
    return paths


def _steps(request: Request, preset: Any, count: int | None) -> int | None:
    """Steps of a run: those asked for, or the preset's epochs of `count` samples."""
    if request.steps or count is None:
        return request.steps
    return max(1, round(float(preset.schedule.epochs * count) / _batch(request, preset)))


def _batch(request: Request, preset: Any) -> int:
    return request.batch_size or int(preset.schedule.batch)


def _say_plan(request: Request, as_json: bool) -> None:
    import json

    from dance_freestyle.training.samples import open_samples
    from dance_freestyle.training.summary import summary

    preset = chosen_preset(request)
    count = len(open_samples(found_data(request.data))) if request.data else None
    steps = _steps(request, preset, count)
    counted = summary(request.role, preset)
    if as_json:
        click.echo(json.dumps({
            "network": request.role, "preset": request.preset, "parameters": counted.parameters,
            "parts": counted.parts, "discriminator_parameters": counted.critics,
            "gflop": round(counted.flop / 1e9, 1), "bytes_without_activations": counted.memory,
            "samples": count, "batch": _batch(request, preset), "steps": steps,
            "epochs": preset.schedule.epochs, "checkpoints": str(request.out or ""),
        }))  # fmt: skip
        return
    rows = [(f"  {name}", f"{n:,}") for name, n in counted.parts.items()]
    schedule = preset.schedule
    rows = [
        ("network", f"{request.role}, preset {request.preset}"),
        ("parameters", f"{counted.parameters:,}"), *rows,
        ("discriminators", f"{counted.critics:,}"),
        ("forward", f"{counted.flop / 1e9:.1f} GFLOP per sample, 2 per multiply-add"),
        ("memory", f"{counted.memory / 1e9:.2f} GB and the activations"),
        ("samples", f"{count:,}" if count else "unknown without --data"),
        ("batch", f"{_batch(request, preset)}, in {request.accumulate} part(s)"),
        ("steps", f"{steps:,}" if steps else f"{schedule.epochs} epochs of the data"),
        ("rate", f"{schedule.rate:g}, Adam ({schedule.beta1:g}, {schedule.beta2:g})"),
        ("checkpoints", f"{request.out or 'DIR of -o'}/step-NNNNNNNN, every "
                        f"{request.checkpoint_every} steps"),
    ]  # fmt: skip
    for name, value in rows:
        click.echo(f"{name:24} {value}")


def _train(request: Request, progress: Any, as_json: bool) -> None:
    import json

    if not request.data or request.out is None:
        raise UsageError("give --data and -o (or --dry-run to see the plan)")
    if request.init and request.resume:
        raise UsageError("--init begins a run and --resume goes on with one: give one of them")
    trainer = _prepared(request, progress)
    try:
        path = trainer.train()
    except KeyboardInterrupt:
        kept = f"--resume goes on from {trainer.last.path}" if trainer.last else "nothing was kept"
        progress.say(f"stopped in step {trainer.step + 1}; {kept}")
        raise
    summary = {"network": str(path), "steps": trainer.step, "samples_seen": trainer.consumed}
    click.echo(json.dumps(summary) if as_json else str(path))


def _prepared(request: Request, progress: Any) -> Any:
    """The trainer, at the step where it begins; everything wrong is found before anything runs."""
    from dance_freestyle.checkpoint import load_network
    from dance_freestyle.training.checkpoints import checkpoints
    from dance_freestyle.training.samples import open_samples
    from dance_freestyle.training.trainer import Settings, Trainer, initialised

    from dancecli.device import resolve

    assert request.data is not None and request.out is not None
    preset = chosen_preset(request)
    if checkpoints(request.out) and not request.resume:
        raise UsageError(f"{request.out} holds a run already; add --resume, or choose another -o")
    data = open_samples(found_data(request.data))
    settings = Settings(
        steps=_steps(request, preset, len(data)) or 1, batch=_batch(request, preset),
        parts=request.accumulate, seed=request.seed, device=resolve(request.device),
        bf16=request.bf16, every=request.checkpoint_every,
    )  # fmt: skip
    start = load_network(request.init, request.role) if request.init else None
    task = initialised(request.role, preset, request.seed, start)
    if task.absent:
        progress.say(
            f"left out, since {request.preset} has no network for their features: "
            f"{', '.join(task.absent)}"
        )
    trainer = Trainer(task, data, settings, request.out, progress)
    if request.resume:
        trainer.resume()
        progress.say(f"going on from step {trainer.step}")
    return trainer
