"""One training run: batches by position, two optimisers, an averaged generator, checkpoints.

Plain torch on one device. A step's samples and their augmentation depend on seed and position
alone (`samples.positions`), so that a resumed run repeats an uninterrupted one to the bit on the
same machine and number of threads.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dance_freestyle import overrides
from dance_freestyle.training import samples
from dance_freestyle.training.batches import Item, collated
from dance_freestyle.training.checkpoints import (
    Checkpoint,
    checkpoints,
    save_checkpoint,
)
from dance_freestyle.training.log import Log
from dance_freestyle.training.samples import Sample
from dance_freestyle.training.tasks import Batch, Task, build
from dancecli.errors import DanceError, UsageError, WeightsError
from dancecli.progress import Progress

EXPLODED = 1e4
"""A sum of weighted losses above this counts as lost; a start is below 100."""

UNSUITABLE = 100
"""Samples in a row without a face after which a data set is refused for FR."""


class TrainingError(DanceError):
    """A loss or gradient is NaN, infinite or exploding; the last checkpoint is untouched."""


@dataclass(frozen=True)
class Settings:
    """How a run goes.

    steps: to reach in all. batch: samples per step. parts: pieces that a batch is computed in
    (gradient accumulation), to save memory. average: decay of the generator's EMA. every: steps
    between checkpoints. bf16: compute in bfloat16 where torch deems it safe.
    """

    steps: int
    batch: int
    parts: int = 1
    seed: int = 0
    device: str = "cpu"
    bf16: bool = False
    average: float = 0.999
    every: int = 1000

    def __post_init__(self) -> None:
        if self.batch % self.parts:
            raise UsageError(f"a batch of {self.batch} cannot be computed in {self.parts} parts")


REPEATED = ("batch", "parts", "seed", "bf16", "average")
"""Settings that a resumed run must have as it was begun."""


class Trainer:
    """Trains one task on samples into a folder."""

    def __init__(
        self, task: Task, data: Sequence[Sample], settings: Settings, run: Path,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """Raises UsageError for an empty data set."""
        if not data:
            raise UsageError("no samples to train on")
        self.task, self.data, self.settings, self.run = task, data, settings, run
        self.progress = progress or Progress("quiet")
        self.step = self.consumed = 0
        for module in (task.network, task.critics, task.judges, task.frozen):
            module.to(settings.device)
        task.network.train()
        task.critics.train()
        self.average = copy.deepcopy(task.network).eval().requires_grad_(False)
        schedule = task.preset.schedule
        self.optimisers = [
            torch.optim.Adam(
                module.parameters(), schedule.rate, (schedule.beta1, schedule.beta2)
            )
            for module in (task.network, task.critics)
        ]  # fmt: skip
        self.last: Checkpoint | None = None

    def resume(self) -> None:
        """Go on from the newest checkpoint of the run's folder.

        Raises UsageError when there is none or it was made with other settings, WeightsError when
        it is damaged.
        """
        found = checkpoints(self.run)
        if not found:
            raise UsageError(f"{self.run}: no checkpoint to resume from")
        self.last = found[-1]
        state = self.last.state()
        self._check_settings(state["settings"])
        try:
            self._restore(self.last, state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise WeightsError(
                f"{self.last.path}: does not fit this run ({str(error)[:200]}); remove it to go on "
                "from the one before"
            ) from error

    def _restore(self, last: Checkpoint, state: Mapping[str, Any]) -> None:
        task = self.task
        for network, raw in ((task.network, True), (self.average, False)):
            network.load_state_dict(last.network(task.role, raw).state_dict())
        last.critics_into(task.critics)
        for optimiser, name in zip(self.optimisers, ("generator", "critic"), strict=True):
            optimiser.load_state_dict(state[name])
        task.judges.load_state_dict(state["judges"])
        torch.set_rng_state(state["random"])
        self.step, self.consumed = int(state["step"]), int(state["consumed"])

    def _check_settings(self, begun: Any) -> None:
        begun = begun if isinstance(begun, dict) else {}
        for name, value in self._described().items():
            if begun.get(name) != value:
                raise UsageError(
                    f"{self.run} was begun with {name} {str(begun.get(name))[:100]}, not {value}; "
                    "resume with the same, or choose another -o"
                )

    def _described(self) -> dict[str, str]:
        """What a resumed run must share with its beginning."""
        chosen = {k: v for k, v in asdict(self.settings).items() if k in REPEATED}
        chosen[self.task.role] = overrides.as_json(self.task.preset)
        return dict(_flat({**chosen, "samples": len(self.data)}))

    def train(self) -> Path:
        """Run to the last step; the file of the averaged network.

        Raises TrainingError when a loss is lost, MediaError for a damaged sample.
        """
        settings = self.settings
        self.run.mkdir(parents=True, exist_ok=True)
        with (
            self.progress.stage(self.task.role, settings.steps, self.step, unit="step") as tick,
            Log(self.run, self.step) as log,
        ):
            while self.step < settings.steps:
                log.write(self.step + 1, self.one_step())
                if self.step % settings.every == 0 or self.step == settings.steps:
                    self.save()
                tick()
        if self.last is None:
            self.save()
        assert self.last is not None
        return self.last.path / f"{self.task.role}.safetensors"

    def one_step(self) -> dict[str, float]:
        """One step of both optimisers; its losses by name."""
        settings, means = self.settings, dict[str, float]()
        places = samples.positions(self.consumed, settings.batch)
        size = settings.batch // settings.parts
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        for part in range(settings.parts):
            batch = self.batch(places[part * size : (part + 1) * size])
            for name, value in self._backward(batch).items():
                means[name] = means.get(name, 0.0) + value / settings.parts
        self._check(means)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step, self.consumed = self.step + 1, self.consumed + settings.batch
        self._follow()
        return means

    def batch(self, places: Iterable[int]) -> Batch:
        """The batch of some positions."""
        return collated([self.item(position) for position in places], self.settings.device)

    def item(self, position: int) -> Item:
        """What a position shows; a sample that cannot serve is replaced by the next in order.

        Raises UsageError when none of many can.
        """
        count, seed = len(self.data), self.settings.seed
        for skipped in range(min(count, UNSUITABLE)):
            epoch, place = divmod(position, count)
            near = epoch * count + (place + skipped) % count
            sample = self.data[samples.visited(near, count, seed)]
            item = self.task.item(sample, np.random.default_rng([seed, position, skipped]))
            if item is not None:
                return item
        raise UsageError("the data set shows no face that is large enough to train FR on")

    def _backward(self, batch: Batch) -> dict[str, float]:
        """Gradients of a part of the batch, both networks'; its losses."""
        task, parts = self.task, self.settings.parts
        kind = self.settings.device.split(":")[0]
        with torch.autocast(kind, torch.bfloat16, enabled=self.settings.bf16):
            output = task.forward(batch)
            task.critics.requires_grad_(False)
            terms = task.generator_terms(batch, output)
            total = torch.stack([value.float() for value in terms.values()]).sum()
        (total / parts).backward()  # type: ignore[no-untyped-call]
        task.critics.requires_grad_(True)
        with torch.autocast(kind, torch.bfloat16, enabled=self.settings.bf16):
            critic = task.critic_loss(batch, output).float()
        (critic / parts).backward()  # type: ignore[no-untyped-call]
        found: dict[str, Tensor] = {**terms, "total": total, "critic": critic}
        return {name: float(value.detach()) for name, value in found.items()}

    def _check(self, losses: dict[str, float]) -> None:
        """Stops before a lost loss or gradient reaches the weights."""
        norms = {"generator's gradient": self.task.network, "critics' gradient": self.task.critics}
        numbers = dict(losses)
        for name, network in norms.items():
            grads = [p.grad for p in network.parameters() if p.grad is not None]
            numbers[name] = float(torch.stack([g.norm() for g in grads]).norm())
        for name, value in numbers.items():
            if not math.isfinite(value) or (name in losses and abs(value) > EXPLODED):
                raise TrainingError(
                    f"training stopped at step {self.step + 1}: {name} is {value:.4g}; "
                    f"{self._kept()}; a lower rate may help "
                    f"(--set {self.task.role}.schedule.rate={self.task.preset.schedule.rate / 2:g})"
                )

    def _kept(self) -> str:
        if self.last is None:
            return "no checkpoint was kept yet"
        return f"the last good checkpoint is {self.last.path}"

    @torch.no_grad()
    def _follow(self) -> None:
        """The averaged network follows the trained one; faster at the start, to forget it."""
        decay = min(self.settings.average, (1 + self.step) / (10 + self.step))
        trained = self.task.network
        for mean, value in zip(self.average.parameters(), trained.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)
        for mean, value in zip(self.average.buffers(), trained.buffers(), strict=True):
            mean.copy_(value)

    def save(self) -> None:
        """Keep this step."""
        state = {
            "generator": self.optimisers[0].state_dict(),
            "critic": self.optimisers[1].state_dict(),
            "random": torch.get_rng_state(),
            "judges": self.task.judges.state_dict(),
            "step": self.step,
            "consumed": self.consumed,
            "settings": self._described(),
        }
        networks: dict[str, nn.Module] = {
            "average": self.average, "raw": self.task.network, "critics": self.task.critics
        }  # fmt: skip
        self.last = save_checkpoint(self.run, self.step, self.task.role, networks, state)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, json.dumps(value)


def initialised(role: str, preset: Any, seed: int, start: nn.Module | None = None) -> Task:
    """A task whose network begins with the weights of `start`, if one is given.

    Raises UsageError when that network has another layout, WeightsError for a missing encoder.
    """
    task = build(role, preset, seed)
    if start is not None:
        try:
            task.network.load_state_dict(start.state_dict())
        except RuntimeError as error:
            raise UsageError(
                f"--init: that {role} is of another preset ({str(error).splitlines()[-1].strip()})"
            ) from error
    return task
