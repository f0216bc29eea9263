"""What a run keeps to go on from, and how it goes on: to the bit as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from dance_freestyle import overrides
from dance_freestyle.training.checkpoints import Checkpoint, checkpoints, save_checkpoint
from dance_freestyle.training.processes import TrainingError
from dancecli.errors import UsageError, WeightsError, one_line

if TYPE_CHECKING:
    from dance_freestyle.training.tasks import Task
    from dance_freestyle.training.trainer import Trainer

FEEDERS = {"maps": "--map-with", "faces": "--render-with", "features": "--features"}
"""The option that gives what `Task.fed_by` names."""

UNFED = ('"true"', '"worn"', '"none"')
"""What `Task.fed_by` holds where the option was not given."""


def save(trainer: Trainer) -> None:
    """Keep this step; the first process writes, with the random numbers of all."""
    random = torch.stack(trainer.processes.gathered(torch.get_rng_state()))
    on_device = (
        trainer.processes.gathered(torch.cuda.get_rng_state(trainer.settings.device))
        if _on_cuda(trainer)
        else []
    )
    state = {
        "generator": trainer.optimisers[0].state_dict(),
        "critic": trainer.optimisers[1].state_dict(),
        "random": random,
        "device_random": on_device,
        "judges": trainer.task.judges.state_dict(),
        "step": trainer.step,
        "consumed": trainer.consumed,
        "steps": trainer.settings.steps,
        "settings": described(trainer),
    }
    networks: dict[str, nn.Module] = {
        "average": trainer.average,
        "raw": trainer.task.network,
        "critics": trainer.task.critics,
    }
    with trainer.processes.together():
        if trainer.processes.first:
            _written(trainer, networks, state)
    trainer.last = Checkpoint.of(trainer.run, trainer.step)


def _written(trainer: Trainer, networks: Mapping[str, nn.Module], state: Mapping[str, Any]) -> None:
    try:
        save_checkpoint(trainer.run, trainer.step, trainer.task.role, networks, state)
    except OSError as error:
        kept = f"--resume goes on from {trainer.last.path}" if trainer.last else "none is kept yet"
        raise TrainingError(
            f"the checkpoint of step {trainer.step} cannot be written: "
            f"{error.strerror or one_line(error)}; free some space in {trainer.run}: {kept}"
        ) from error


def resume(trainer: Trainer) -> int | None:
    """Go on from the newest checkpoint of the run's folder.

    The answer is the step that it was to end at, None where an earlier version kept none.
    Raises UsageError when there is none or it was made with other settings, WeightsError when it is
    damaged or of another network.
    """
    found = checkpoints(trainer.run)
    if not found:
        raise UsageError(f"{trainer.run}: no checkpoint to resume from")
    last = trainer.last = found[-1]
    state = last.state()
    _check(trainer, state)
    try:
        _restore(trainer, last, state)
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise WeightsError(
            f"{last.path}: does not fit this run ({one_line(error)[:200]}); another version of "
            f"dance may have written it: --init {last.path} begins another run with its network"
        ) from error
    steps = state.get("steps")
    return steps if isinstance(steps, int) else None


def _restore(trainer: Trainer, last: Checkpoint, state: Mapping[str, Any]) -> None:
    task = trainer.task
    for network, raw in ((task.network, True), (trainer.average, False)):
        network.load_state_dict(last.network(task.role, raw).state_dict())
    last.critics_into(task.critics)
    for optimiser, name in zip(trainer.optimisers, ("generator", "critic"), strict=True):
        optimiser.load_state_dict(state[name])
    task.judges.load_state_dict(state["judges"])
    _restore_random(trainer, state)
    trainer.step, trainer.consumed = int(state["step"]), int(state["consumed"])


def _restore_random(trainer: Trainer, state: Mapping[str, Any]) -> None:
    rank, on_device = trainer.processes.rank, state.get("device_random", [])
    # A row of its own: torch reads past a view.
    torch.set_rng_state(state["random"][rank].clone())
    # Kept on another kind of device it has none; the seed's numbers then go on there.
    if _on_cuda(trainer) and rank < len(on_device):
        torch.cuda.set_rng_state(on_device[rank], trainer.settings.device)


def _on_cuda(trainer: Trainer) -> bool:
    return trainer.settings.device.startswith("cuda")


def described(trainer: Trainer) -> dict[str, str]:
    """What a resumed run must share with its beginning."""
    task = trainer.task
    chosen = {
        **trainer.settings.repeated(),
        "processes": trainer.processes.world,
        "samples": len(trainer.data),
        **task.fed_by,
        **({"steps": trainer.settings.steps} if task.preset.schedule.fade else {}),
        task.role: overrides.as_json(task.preset),
    }
    return dict(_flat(chosen))


def _check(trainer: Trainer, state: Mapping[str, Any]) -> None:
    was = _begun(trainer.task, state)
    for name, value in described(trainer).items():
        if not _alike(name, was.get(name), value):
            raise UsageError(
                f"{trainer.run} was begun with {name} {str(was.get(name))[:200]}, not {value}; "
                f"resume {_remedy(name, was.get(name))}, or choose another -o"
            )


def _begun(task: Task, state: Mapping[str, Any]) -> dict[str, Any]:
    """What the run was begun with."""
    kept = state["settings"]
    # What an earlier version did not have was then as it is when nobody asks for it.
    plain = dict(_flat({task.role: overrides.as_json(type(task.preset)())}))
    return {**plain, **_features_then(task, state), **(kept if isinstance(kept, dict) else {})}


def _features_then(task: Task, state: Mapping[str, Any]) -> dict[str, str]:
    """An earlier version used features without keeping which; judges tell that there were some."""
    now = task.fed_by.get("features")
    then = ("some" if now == "none" else now) if state["judges"] else "none"
    return {"features": json.dumps(then)}


def _alike(name: str, was: Any, value: str) -> bool:
    """Networks that feed a run are the same by their fingerprints, wherever they lie."""
    if name in FEEDERS and isinstance(was, str):
        return was.strip('"').split()[:1] == value.strip('"').split()[:1]
    return bool(was == value)


def _remedy(name: str, was: Any) -> str:
    """How a run goes on that was begun so."""
    if was in UNFED and name in FEEDERS:
        return f"without {FEEDERS[name]}"
    if name == "steps":
        return f"with --steps {was}"
    return f"with the same {FEEDERS.get(name, '')}".rstrip()


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, json.dumps(value)
