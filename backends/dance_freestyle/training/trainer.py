"""One training run: batches by position, two optimisers, an averaged generator, checkpoints.

Plain torch, in one process or several. A step's samples and their augmentation depend on seed and
position alone (`samples.positions`), so that a resumed run repeats an uninterrupted one to the bit
on the same machines and numbers of processes and threads.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dance_freestyle.training import resuming, samples, shown
from dance_freestyle.training.batches import Item, collated
from dance_freestyle.training.checkpoints import Checkpoint
from dance_freestyle.training.feeding import Feed, Items, feed
from dance_freestyle.training.log import Log
from dance_freestyle.training.losses import FacePerceptual
from dance_freestyle.training.processes import ALONE, Processes, TrainingError
from dance_freestyle.training.samples import Sample
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import Batch, Task
from dancecli.errors import UsageError
from dancecli.progress import Progress
from dancecli.types import UInt8Array

EXPLODED = 1e4
"""A sum of weighted losses above this counts as lost; a start is below 100."""


class Trainer:
    """Trains one task on samples into a folder, as one of several processes or alone."""

    def __init__(
        self, task: Task, data: Sequence[Sample], settings: Settings, run: Path,
        progress: Progress | None = None, processes: Processes = ALONE,
    ) -> None:  # fmt: skip
        """Raises UsageError for an empty data set and a batch that does not divide."""
        if not data:
            raise UsageError("no samples to train on")
        self.share = settings.share(processes.world)
        self.task, self.data, self.settings, self.run = task, data, settings, run
        self.processes = processes
        self.progress = progress if progress and processes.first else Progress("quiet")
        self.items = Items(data, task.item, settings.seed)
        self.step = self.consumed = 0
        for module in (task.network, task.critics, task.judges, task.frozen):
            module.to(settings.device)
        task.network = processes.with_shared_norms(task.network).train()
        task.critics.train()
        if settings.freeze_norms:
            _freeze_norms(task.network)
        self.average = copy.deepcopy(task.network).eval().requires_grad_(False)
        schedule = task.preset.schedule
        self.optimisers = [
            # As a group, since parser and embedder have no critics: nothing to optimise there.
            torch.optim.Adam(
                [{"params": list(module.parameters())}], schedule.rate,
                (schedule.beta1, schedule.beta2),
            )
            for module in (task.network, task.critics)
        ]  # fmt: skip
        self.last: Checkpoint | None = None
        if processes.rank:
            # What a network may draw differs per process; the first draws as one alone would.
            torch.manual_seed(settings.seed + (processes.rank << 32))

    def resume(self) -> int | None:
        """See `resuming.resume`."""
        return resuming.resume(self)

    def train(self) -> Path:
        """Run to the last step; the file of the averaged network.

        Raises TrainingError when a loss is lost, MediaError for a damaged sample.
        """
        settings = self.settings
        self._begin_alike()
        with ExitStack() as stack:
            log = self._log(stack)
            tick = stack.enter_context(
                self.progress.stage(self.task.role, settings.steps, self.step, unit="step")
            )
            coming = stack.enter_context(self._feed())
            while self.step < settings.steps:
                losses = self.one_step(coming)
                if log:
                    log.write(self.step, losses)
                if self.step % settings.every == 0 or self.step == settings.steps:
                    self.save()
                if log and settings.pictures and self.step % settings.pictures == 0:
                    log.picture(self.step, self.pictures())
                tick()
        if self.last is None:
            self.save()
        assert self.last is not None
        return self.last.path / f"{self.task.role}.safetensors"

    def _begin_alike(self) -> None:
        """Raises UsageError unless all processes see the same data and checkpoint."""
        self.processes.same(samples=len(self.data), step=self.step)
        task = self.task
        self.processes.alike([task.network, task.critics, task.judges, self.average])

    def _log(self, stack: ExitStack) -> Log | None:
        if not self.processes.first:
            return None
        self.run.mkdir(parents=True, exist_ok=True)
        return stack.enter_context(Log(self.run, self.step))

    def _feed(self) -> AbstractContextManager[Feed]:
        settings, begin = self.settings, self.consumed
        steps = range(settings.steps - self.step)
        coming = chain.from_iterable(self._places(begin + n * settings.batch) for n in steps)
        return feed(self.items, coming, settings.workers, self.share * settings.parts)

    def _places(self, consumed: int) -> range:
        """The positions of this process in the step that begins there."""
        return samples.positions(
            consumed, self.settings.batch, self.processes.rank, self.processes.world
        )

    def one_step(self, coming: Feed | None = None) -> dict[str, float]:
        """One step of both optimisers; its losses by name, averaged over all processes.

        coming: gives the next items where they are prepared ahead. Raises TrainingError, before any
        weight changes, when a loss or gradient is not finite or a loss explodes.
        """
        task, processes = self.task, self.processes
        with processes.together():
            means = self._gradients(coming)
        for network in (task.network, task.critics):
            processes.mean_gradients(network)
        means = self._averaged(means)
        lost = self._lost(means)
        if lost:
            with processes.together():
                raise TrainingError(lost)
        rate = self.rate()
        for optimiser in self.optimisers:
            optimiser.param_groups[0]["lr"] = rate
            optimiser.step()
        self.step, self.consumed = self.step + 1, self.consumed + self.settings.batch
        self._follow()
        return means

    def rate(self) -> float:
        """The learning rate of the step that comes."""
        schedule = self.task.preset.schedule
        left = 1 - self.step / self.settings.steps
        rate: float = schedule.rate * min(1.0, left / schedule.fade if schedule.fade else 1.0)
        return rate

    def _gradients(self, coming: Feed | None) -> dict[str, float]:
        """Gradients of this process's share of the batch, part by part; its losses."""
        places, means = self._places(self.consumed), dict[str, float]()
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        try:
            for part in range(self.settings.parts):
                here = places[part * self.share : (part + 1) * self.share]
                batch = self._made(coming(self.share)) if coming else self.batch(here)
                for name, value in self._backward(batch).items():
                    means[name] = means.get(name, 0.0) + value / self.settings.parts
        except torch.cuda.OutOfMemoryError as error:
            raise TrainingError(
                f"out of memory on {self.settings.device} at step {self.step + 1}; {self._kept()}; "
                "a larger --accumulate, --bf16 or a smaller --batch-size takes less"
            ) from error
        return means

    def batch(self, places: Iterable[int]) -> Batch:
        """The batch of some positions."""
        return self._made([self.items[position] for position in places])

    def _made(self, items: Sequence[Item]) -> Batch:
        return self.task.ready(collated(items, self.settings.device))

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

    def _averaged(self, losses: dict[str, float]) -> dict[str, float]:
        """Over all processes: the losses, and whatever else each learned from its own samples."""
        if self.processes.world == 1:
            return losses
        values = torch.tensor(list(losses.values()), device=self.settings.device)
        self.processes.mean([values])
        self.processes.mean_statistics(self.task.network)
        for judge in self.task.judges.values():
            assert isinstance(judge, FacePerceptual)
            judge.agree(self.processes)
        return dict(zip(losses, values.tolist(), strict=True))

    def _lost(self, losses: dict[str, float]) -> str | None:
        """What a lost loss or gradient is to be told as, before it reaches the weights."""
        norms = {"generator's gradient": self.task.network, "critics' gradient": self.task.critics}
        numbers = dict(losses)
        for name, network in norms.items():
            grads = [p.grad for p in network.parameters() if p.grad is not None]
            if grads:
                numbers[name] = float(torch.stack([g.norm() for g in grads]).norm())
        for name, value in numbers.items():
            if not math.isfinite(value) or (name in losses and abs(value) > EXPLODED):
                return (
                    f"training stopped at step {self.step + 1}: {name} is {value:.4g}; "
                    f"{self._kept()}; a lower rate may help "
                    f"(--set {self.task.role}.schedule.rate={self.task.preset.schedule.rate / 2:g})"
                )
        return None

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

    @cached_property
    def _first_items(self) -> list[Item]:
        return [self.items[position] for position in range(shown.COUNT)]

    @torch.no_grad()
    def pictures(self) -> UInt8Array:
        """What the averaged network makes of the first positions, beside inputs and truth.

        uint8 (H, W, 3), RGB.
        """
        batch = self._made(self._first_items)
        return shown.grid(self.task.rows(batch, self.task.forward(batch, self.average)))

    def save(self) -> None:
        """See `resuming.save`."""
        resuming.save(self)


def _freeze_norms(network: nn.Module) -> None:
    for part in network.modules():
        if isinstance(part, _BatchNorm):
            part.eval()
