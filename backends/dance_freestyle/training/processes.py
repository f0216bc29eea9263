"""Several processes that train one network together, by torch.distributed alone.

torchrun and accelerate's launcher start the processes and tell each its place in the environment
(RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT). Gradients are averaged once per step,
after all parts of the batch. DDP's wrappers would average in every backward pass, and do not fit
two optimisers of which one network is switched off in the other's pass.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dancecli.device import resolve
from dancecli.errors import DanceError, UsageError

BUCKET = 32 << 20
"""Numbers that are sent together: the gradients need that much memory a second time."""


class TrainingError(DanceError):
    """Training cannot go on; the last checkpoint is untouched."""


class StoppedError(DanceError):
    """Training stops because of another process, which says why; this one is silent."""

    def __init__(self, code: int) -> None:
        super().__init__("another process of this training stopped")
        self.exit_code = code


class _Signals:
    """SIGINT and SIGTERM, kept until all processes can stop in the same place."""

    def __init__(self) -> None:
        self.found = 0

    @contextmanager
    def noted(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self._note) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def _note(self, number: int, _frame: Any) -> None:
        self.found = number


@dataclass(frozen=True)
class Processes:
    """This process among those of a run. Every method is called by all of them in one order.

    rank: its number, 0 the one that writes and speaks. world: how many there are. device: its own.
    """

    rank: int = 0
    world: int = 1
    device: str = "cpu"
    signals: _Signals = field(default_factory=_Signals, repr=False, compare=False)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """What stops this block in one process stops it in all; signals take effect here.

        The lowest process with an error raises it, all others `StoppedError`. No other method may
        be called within the block.
        """
        if self.world == 1:
            yield
            return
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        code = 0 if failure is None else getattr(failure, "exit_code", 1)
        code = 128 + self.signals.found if self.signals.found else code
        codes = [int(each) for each in self.gathered(torch.tensor(code))]
        self._stop(codes, failure)

    def _stop(self, codes: Sequence[int], failure: Exception | None) -> None:
        """codes: per process, 0 or what it would exit with; above 128 for signals."""
        if not any(codes):
            return
        if max(codes) > 128 and self.first:
            raise KeyboardInterrupt if max(codes) == 128 + signal.SIGINT else SystemExit(max(codes))
        speaks = next(rank for rank, code in enumerate(codes) if code)
        if max(codes) <= 128 and self.rank == speaks and failure is not None:
            raise failure
        raise StoppedError(max(codes)) from failure

    def gathered(self, value: Tensor) -> list[Tensor]:
        """That value in every process, by rank; of one shape in all."""
        if self.world == 1:
            return [value]
        value = value.to(self.device)
        found = [torch.empty_like(value) for _ in range(self.world)]
        with self._linked():
            distributed.all_gather(found, value)
        return [each.cpu() for each in found]

    def same(self, **values: int) -> None:
        """Raises UsageError, in one process, unless those values are equal in all."""
        found = self.gathered(torch.tensor(list(values.values())))
        with self.together():
            for name, row in zip(values, torch.stack(found).T.tolist(), strict=True):
                if len(set(row)) > 1:
                    raise UsageError(
                        f"the processes do not see the same: {name} {', '.join(map(str, row))}; "
                        "all need the same --data and, to resume, the same -o"
                    )

    def mean(self, tensors: Iterable[Tensor]) -> None:
        """Puts the mean over all processes in place of each tensor, alike to the bit in all."""
        if self.world == 1:
            return
        for bucket in _buckets(tensors):
            flat = torch.cat([tensor.flatten() for tensor in bucket])
            with self._linked():
                distributed.all_reduce(flat)
            flat /= self.world
            pieces = flat.split([tensor.numel() for tensor in bucket])
            for tensor, piece in zip(bucket, pieces, strict=True):
                tensor.copy_(piece.view_as(tensor))

    def mean_gradients(self, module: nn.Module) -> None:
        """Averages the gradients; where only some processes have one, the others' count as zero."""
        if self.world == 1:
            return
        trained = [p for p in module.parameters() if p.requires_grad]
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.mean(p.grad for p in trained if p.grad is not None)

    def alike(self, modules: Iterable[nn.Module]) -> None:
        """Gives all processes the parameters and buffers of the first."""
        if self.world == 1:
            return
        for module in modules:
            for tensor in (*module.parameters(), *module.buffers()):
                with self._linked():
                    distributed.broadcast(tensor.detach(), 0)

    def with_shared_norms(self, network: nn.Module) -> nn.Module:
        """The network with batch norm over all processes on CUDA, the only place torch has it."""
        if self.world == 1 or not self.device.startswith("cuda"):
            return network
        found: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return found

    def mean_statistics(self, network: nn.Module) -> None:
        """Averages the running means and variances of batch norms that saw different samples."""
        norms = [part for part in network.modules() if isinstance(part, _BatchNorm)]
        self.mean(x for n in norms for x in (n.running_mean, n.running_var) if x is not None)

    @contextmanager
    def _linked(self) -> Iterator[None]:
        """Gloo and NCCL raise RuntimeError where another process is gone."""
        try:
            yield
        except RuntimeError as error:
            if not self.first:
                raise StoppedError(TrainingError.exit_code) from error
            raise TrainingError(
                "another process of this training ended without a word; "
                "--resume goes on from the last checkpoint"
            ) from error


ALONE = Processes()


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    for tensor in tensors:
        if bucket and sum(map(Tensor.numel, bucket)) + tensor.numel() > BUCKET:
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


def _place(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        raise UsageError(f"{name}={text[:20]!r} in the environment is no number of a process")
    return int(text)


def place() -> tuple[int, int]:
    """Rank and number of processes as the launcher says; 0, 1 without one.

    Raises UsageError for an environment that makes no sense.
    """
    rank, world = _place("RANK", 0), _place("WORLD_SIZE", 1)
    if rank >= world:
        raise UsageError(f"RANK={rank} in the environment, but WORLD_SIZE={world}")
    return rank, world


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """This process, in touch with the others of the run while the context lasts.

    device: as --device. Raises UsageError for a device that is not there, TrainingError when the
    processes do not find each other.
    """
    rank, world = place()
    if world == 1:
        yield Processes(device=resolve(device))
        return
    processes = Processes(rank, world, _own_device(device, _place("LOCAL_RANK", rank)))
    cuda = processes.device.startswith("cuda")
    if cuda:
        torch.cuda.set_device(processes.device)
    try:
        distributed.init_process_group("nccl" if cuda else "gloo")
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"the {world} processes do not find each other ({str(error).splitlines()[0][:200]}); "
            "start them by torchrun or accelerate launch"
        ) from error
    try:
        with processes.signals.noted():
            yield processes
    finally:
        distributed.destroy_process_group()


def _own_device(name: str, local: int) -> str:
    """The device of the process with that number on its machine."""
    if name not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device {name}: several processes take cpu, or cuda with a GPU each")
    found = resolve(name)
    if not found.startswith("cuda"):
        return "cpu"
    count = torch.cuda.device_count()
    if local >= count:
        raise UsageError(
            f"at least {local + 1} processes on a machine with {count} GPU(s): each needs its own; "
            f"--nproc-per-node {count}, or --device cpu"
        )
    return f"cuda:{local}"
