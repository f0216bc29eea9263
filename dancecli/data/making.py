"""Shards made by this process, by others of this machine, or on a Ray cluster."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dancecli.data.shards import Index, keep_shard, write_shard, write_tar
from dancecli.data.tasks import Task, Tick, Work, samples_of
from dancecli.types import UInt8Array
from dancecli.workers.cluster import run_ray
from dancecli.workers.processes import run_processes
from dancecli.workers.queue import Failure, Queue, Tell

Made = Generator[tuple[int, Index], None, None]
"""(number, index) of each shard as it gets ready."""


def here(job: Work, tasks: Sequence[Task], out: Path, digest: str, tick: Tick) -> Made:
    """In this process."""
    for task in tasks:
        made = samples_of(job, task, tick)
        yield task.number, write_shard(out / task.name, made, digest, len(task.units))


def in_processes(
    job: Work, tasks: Sequence[Task], out: Path, digest: str, workers: int,
    say: Callable[[str], None], tick: Tick,
) -> Made:  # fmt: skip
    """By processes, which write into `out` themselves.

    Raises DanceError when a shard's workers die again and again, and whatever error a worker meets.
    """
    queue = _Shards(tasks, say, tick)
    for task, index in run_processes(_Write(job, out, digest), queue, workers):
        yield task.number, queue.ready(task, index)


def on_cluster(
    job: Work, tasks: Sequence[Task], out: Path, digest: str, address: str, workers: int,
    say: Callable[[str], None], tick: Tick,
) -> Made:  # fmt: skip
    """On a cluster whose nodes need no common folder: shards are sent back, and written here.

    Raises what `in_processes` raises, and UsageError without Ray or its cluster.
    """
    queue = _Shards(tasks, say, tick)
    for task, sent in run_ray(_Send(job, digest), queue, address, workers):
        index, data = queue.ready(task, sent)
        keep_shard(out / task.name, lambda file, i=index, d=data: _copied(file, d, i))  # type: ignore[misc]
        yield task.number, index


class _Shards(Queue[Task]):
    """Counts the units that are done, none twice."""

    def __init__(self, tasks: Sequence[Task], say: Callable[[str], None], tick: Tick) -> None:
        super().__init__(tasks, say)
        self.tick, self.counted = tick, Counter[int]()

    def heard(self, task: Task, note: int) -> None:
        """note: units done so far by this try."""
        while self.counted[task.number] < note:
            self.counted[task.number] += 1
            self.tick()

    def ready(self, task: Task, result: Any) -> Any:
        """The result of a shard; raises its error where it failed."""
        if isinstance(result, Failure):
            raise result.error()
        self.heard(task, len(task.units))
        return result


@dataclass(frozen=True)
class _Write:
    """What a process does."""

    job: Work
    out: Path
    digest: str

    def __call__(self, task: Task, tell: Tell) -> Index:
        made = samples_of(self.job, task, _counting(tell))
        return write_shard(self.out / task.name, made, self.digest, len(task.units))


@dataclass(frozen=True)
class _Send:
    """What a node of a cluster does."""

    job: Work
    digest: str

    def __call__(self, task: Task, _tell: Tell) -> tuple[Index, UInt8Array]:
        file = io.BytesIO()
        made = samples_of(self.job, task, lambda: None)
        index = write_tar(file, made, self.digest, len(task.units))
        return index, np.frombuffer(file.getbuffer(), np.uint8)


def _counting(tell: Tell) -> Tick:
    numbers: Iterator[int] = iter(range(1, 1 << 62))
    return lambda: tell(next(numbers))


def _copied(file: BinaryIO, data: UInt8Array, index: Index) -> Index:
    file.write(data.data)
    return index
