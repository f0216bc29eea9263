"""`dance train`: one network on prepared data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from dancecli import cores
from dancecli.cli.options import PATH, SEED, config_option, make_progress, verbosity
from dancecli.cli.train_compact import compact
from dancecli.cli.train_request import (
    Request,
    batch_of,
    chosen_preset,
    epochs_of,
    frames_of,
    steps_of,
)
from dancecli.errors import UsageError
from dancecli.holding import held

Command = TypeVar("Command", bound=Callable[..., Any])

EXAMPLES = """\b
Examples:
  dance train {0} --data shards/ -o runs/{0}
  dance train {0} --data shards/ -o runs/{0} --resume --steps 200000
  dance train {0} --preset compact --dry-run
  torchrun --nproc-per-node 2 --module dancecli train {0} --data shards/ -o runs/{0}"""

MOST_WORKERS = 8
"""Processes that prepare samples unless told otherwise."""


def training_options(function: Command) -> Command:
    """The options that the five networks share."""
    for option in reversed((
        click.option("--data", metavar="DIR,...", help="Prepared data: folders, .tar shards, URLs, names in $DANCE_DATA, or sets made on the way."),  # noqa: E501
        click.option("-o", "--out", type=PATH, metavar="DIR", help="Where checkpoints, losses and pictures go."),  # noqa: E501
        click.option("--preset", default="compact", show_default=True, metavar="NAME", help="paper or compact."),  # noqa: E501
        click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a setting of the preset; repeatable. Example: p2b.use_dp=off."),  # noqa: E501
        click.option("--init", metavar="NAME|FILE|DIR", help="Start from the network of a bundle, of a .safetensors file or of another run (fine-tuning)."),  # noqa: E501
        click.option("--resume", is_flag=True, help="Go on from the newest checkpoint in -o."),
        click.option("--steps", type=click.IntRange(1), help="Steps in all. Default: the preset's epochs."),  # noqa: E501
        click.option("--epochs", type=click.IntRange(1), help="How often the data's frames are seen, instead of --steps."),  # noqa: E501
        click.option("--batch-size", type=click.IntRange(1), help="Samples per step over all processes. Default: the preset's."),  # noqa: E501
        click.option("--accumulate", type=click.IntRange(1), default=1, show_default=True, help="Compute each process's share in that many parts, to save memory."),  # noqa: E501
        click.option("--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda, cuda:N or mps."),  # noqa: E501
        click.option("--bf16", is_flag=True, help="Compute in bfloat16 where it is safe."),
        click.option("--freeze-norms", is_flag=True, help="Keep batch norms' statistics as they are (with --init)."),  # noqa: E501
        click.option("--workers", type=click.IntRange(0, 256), metavar="N", help=f"Processes that prepare samples, for each that trains. Default: a core each but one, at most {MOST_WORKERS}."),  # noqa: E501
        click.option("--seed", type=SEED, default=0, show_default=True, help="Of weights, order and augmentation."),  # noqa: E501
        click.option("--checkpoint-every", type=click.IntRange(1), default=1000, show_default=True, metavar="STEPS", help="Steps between checkpoints."),  # noqa: E501
        click.option("--pictures-every", type=click.IntRange(0), default=1000, show_default=True, metavar="STEPS", help="Steps between pictures of inputs, output and truth; 0 for none."),  # noqa: E501
        click.option("--dry-run", is_flag=True, help="Say what would be trained; needs neither --data nor -o."),  # noqa: E501
    )):  # fmt: skip
        function = option(function)
    return config_option(verbosity(function))


def rendering_option(function: Command) -> Command:
    """--render-with, which only FR has."""
    return click.option(
        "--render-with", metavar="NAME|FILE|DIR",
        help="A B2F that paints a share of the faces (fr.rendered); a bundle, a .safetensors file "
        "or a run.",
    )(function)  # fmt: skip


def mapping_option(function: Command) -> Command:
    """--map-with, which only B2F has."""
    return click.option(
        "--map-with", metavar="NAME|FILE|DIR",
        help="A P2B that makes a share of the body maps (b2f.mapped); a bundle, a .safetensors "
        "file or a run.",
    )(function)  # fmt: skip


def features_option(function: Command) -> Command:
    """--features, for networks whose losses compare features."""
    return click.option(
        "--features", metavar="NAME|DIR",
        help="A bundle with a parser and an embedder: what the perceptual and face losses of "
        "`compact` compare by.",
    )(function)  # fmt: skip


@click.group()
def command() -> None:
    """Train a network of the paper on prepared data (docs/training.md)."""


def _subcommand(role: str, says: str, option: Callable[[Any], Any] = lambda x: x) -> None:
    @command.command(role, help=says, epilog=EXAMPLES.format(role))
    @option
    @training_options
    def run(dry_run: bool, verbose: int, quiet: bool, as_json: bool, **options: Any) -> None:
        request = Request(role=role, **options)
        if request.steps and request.epochs:
            raise UsageError("--steps and --epochs both say how long to train: give one of them")
        progress = make_progress(verbose, quiet, as_json)
        if dry_run:
            _say_plan(request, as_json)
        else:
            _train(request, progress, as_json)


_subcommand("p2b", "Train Pose2Body: the person's body map in a new pose.")
_subcommand(
    "b2f", "Train Body2Frame: the person's picture and mask from a body map.",
    lambda f: features_option(mapping_option(f)),
)  # fmt: skip
_subcommand(
    "fr", "Train the face refinement network.", lambda f: features_option(rendering_option(f))
)
_subcommand("parser", "Train the human parser that may take a published one's place.")
_subcommand("embedder", "Train the face embedder that may take a published one's place.")


command.add_command(compact)


def _workers(request: Request) -> int:
    """As asked for, or the cores that this machine's training processes leave."""
    if request.workers is not None:
        return request.workers
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    return min(MOST_WORKERS, max(0, cores.usable() // max(1, here) - 1))


def _say_plan(request: Request, as_json: bool) -> None:
    from dance_freestyle.training import plan
    from dance_freestyle.training.processes import place
    from dance_freestyle.training.samples import open_data

    rank, world = place()
    preset = chosen_preset(request)
    data = open_data(request.data, verify=False) if request.data else None
    frames = frames_of(request, data)
    settings = _settings(request, preset, frames, device="cpu")
    found = plan.Plan(
        request.role, request.preset, preset, settings, world, len(data) if data else None, frames,
        epochs_of(request, preset), request.out,
        known=bool(steps_of(request, preset, frames)),
    )  # fmt: skip
    if rank:
        return
    if as_json:
        click.echo(json.dumps(plan.as_json(found)))
        return
    for name, value in plan.rows(found):
        click.echo(f"{name:24} {value}")


def _settings(request: Request, preset: Any, frames: int | None, device: str) -> Any:
    from dance_freestyle.training.settings import Settings

    return Settings(
        steps=steps_of(request, preset, frames) or 1, batch=batch_of(request, preset),
        parts=request.accumulate, seed=request.seed, device=device, bf16=request.bf16,
        freeze_norms=request.freeze_norms, every=request.checkpoint_every,
        pictures=request.pictures_every, workers=_workers(request),
    )  # fmt: skip


def _train(request: Request, progress: Any, as_json: bool) -> None:
    from dance_freestyle.training.processes import StoppedError, joined

    try:
        with joined(request.device) as processes:
            _train_with(processes, request, progress, as_json)
    except StoppedError as error:
        raise click.exceptions.Exit(error.exit_code) from error


def _train_with(processes: Any, request: Request, progress: Any, as_json: bool) -> None:
    if not processes.first:
        progress = replace(progress, style="quiet")
    if processes.world == 1 and _left_to_mpirun():
        progress.say("accelerate started one process, since it leaves several on CPUs to mpirun; "
                     "torchrun starts them (docs/training.md)")  # fmt: skip
    with ExitStack() as stack:
        with processes.together():
            if request.out and processes.first:
                stack.enter_context(held(request.out))
            trainer = _prepared(request, progress, processes)
        path = _trained(trainer, progress)
    summary = {"network": str(path), "steps": trainer.step, "samples_seen": trainer.consumed}
    if processes.first:
        click.echo(json.dumps(summary) if as_json else str(path))


def _trained(trainer: Any, progress: Any) -> Path:
    """The network's file after the last step; who interrupts is told where the run goes on."""
    try:
        path: Path = trainer.train()
    except KeyboardInterrupt:
        kept = f"--resume goes on from {trainer.last.path}" if trainer.last else "nothing was kept"
        progress.say(f"stopped in step {trainer.step + 1}; {kept}")
        raise
    return path


def _left_to_mpirun() -> bool:
    """Whether accelerate's launcher was asked for several processes on CPUs."""
    cpu = os.environ.get("ACCELERATE_USE_CPU", "").lower() == "true"
    return cpu and "MASTER_ADDR" in os.environ and "WORLD_SIZE" not in os.environ


def _prepared(request: Request, progress: Any, processes: Any) -> Any:
    """The trainer, at the step where it begins; everything wrong is found before anything runs."""
    from dance_freestyle.training.checkpoints import checkpoints
    from dance_freestyle.training.samples import open_data
    from dance_freestyle.training.starting import (
        found_features,
        found_network,
        initialised,
    )
    from dance_freestyle.training.trainer import Trainer

    if not request.data or request.out is None:
        raise UsageError("give --data and -o (or --dry-run to see the plan)")
    if request.init and request.resume:
        raise UsageError("--init begins a run and --resume goes on with one: give one of them")
    preset = chosen_preset(request)
    if checkpoints(request.out) and not request.resume:
        raise UsageError(f"{request.out} holds a run already; add --resume, or choose another -o")
    data = open_data(request.data, progress.say)
    settings = _settings(request, preset, frames_of(request, data), processes.device)
    settings.share(processes.world)
    start = found_network(request.init, request.role) if request.init else None
    painter = found_network(request.render_with, "b2f") if request.render_with else None
    features = found_features(request.features) if request.features else None
    mapper = found_network(request.map_with, "p2b") if request.map_with else None
    task = initialised(
        request.role, preset, request.seed, start, painter, features, mapper, request.out / "cuts"
    )
    if task.absent:
        progress.say(
            f"left out, since {request.preset} has no network for their features: "
            f"{', '.join(task.absent)}"
        )
    trainer = Trainer(task, data, settings, request.out, progress, processes)
    if request.resume:
        was = trainer.resume()
        progress.say(f"going on from step {trainer.step}")
        if other := _other_end(request, preset, data, was):
            progress.say(other)
    return trainer


def _other_end(request: Request, preset: Any, data: Any, was: int | None) -> str:
    """What to say where a run's epochs now end it elsewhere; empty where they do not.

    was: the steps that it was to reach, None where an earlier version did not keep them.
    """
    frames = frames_of(request, data)
    steps = steps_of(request, preset, frames)
    before = was or steps_of(request, preset, len(data))
    if frames is None or steps == before:
        return ""
    then = "the run was to end" if was else "an earlier version, which counted samples, ended"
    return (
        f"its {epochs_of(request, preset)} epochs of {frames} frames end at step {steps}; {then} "
        f"at step {before}: --steps {before} keeps to that"
    )
