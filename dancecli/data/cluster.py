"""Shards made on a Ray cluster.

The nodes need no common folder: a worker sends the shard back, and only this process writes. A
node that dies takes its shards with it, and they are done again elsewhere.
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dancecli.data.processes import ONE_THREAD
from dancecli.data.shards import Index, keep_shard, write_tar
from dancecli.data.tasks import Failure, Retries, Task, Tick, Work, samples_of
from dancecli.errors import PluginError, UsageError
from dancecli.types import UInt8Array

LOCAL = "local"
"""In place of an address: a cluster of this machine alone, for as long as the run."""

KNOCK = 10.0
"""Seconds that a cluster has to take a connection."""

Made = tuple[Index, UInt8Array] | Failure


def run_ray(
    job: Work, tasks: Sequence[Task], out: Path, digest: str, address: str, workers: int,
    say: Callable[[str], None], tick: Tick,
) -> Generator[tuple[int, Index], None, None]:  # fmt: skip
    """(number, index) of each shard as it gets ready in `out`.

    address: of a cluster, or LOCAL. workers: shards at a time; 0: as many as it has processors.
    Raises UsageError without Ray or its cluster, DanceError when a shard's workers die again and
    again, and whatever error a worker meets.
    """
    with _connected(address, workers) as ray:
        most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        work = _Round(ray, job, tasks, out, digest, say, tick)
        try:
            yield from work.finished(most)
        finally:
            for pending in work.busy:
                ray.cancel(pending, force=True)


class _Round:
    def __init__(
        self, ray: Any, job: Work, tasks: Sequence[Task], out: Path, digest: str,
        say: Callable[[str], None], tick: Tick,
    ) -> None:  # fmt: skip
        self.ray, self.out, self.digest = ray, out, digest
        self.job = ray.put(job)  # kept by this process: no other node's death loses it
        # Ray's own retries are off: they are unbounded in places, and never said.
        settings = {"num_cpus": 1, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        self.make = ray.remote(**settings)(_make)
        self.waiting, self.retries, self.tick = deque(tasks), Retries(say), tick
        self.busy: dict[Any, Task] = {}

    def finished(self, most: int) -> Iterator[tuple[int, Index]]:
        while self.waiting or self.busy:
            while self.waiting and len(self.busy) < most:
                task = self.waiting.popleft()
                self.busy[self.make.remote(self.job, task, self.digest)] = task
            for done in self.ray.wait(list(self.busy), num_returns=1)[0]:
                yield from self._fetch(done, self.busy.pop(done))

    def _fetch(self, done: Any, task: Task) -> Iterator[tuple[int, Index]]:
        try:
            made: Made = self.ray.get(done)
        except self.ray.exceptions.RayTaskError as error:
            raise PluginError(f"{task.name}: {str(error).strip().splitlines()[-1]}") from error
        except self.ray.exceptions.RayError as error:
            self.retries.again(task, type(error).__name__)
            self.waiting.appendleft(task)
            return
        if isinstance(made, Failure):
            raise made.error()
        index, data = made
        keep_shard(self.out / task.name, lambda file: _copied(file, data, index))
        for _ in task.units:
            self.tick()
        yield task.number, index


def _make(job: Work, task: Task, digest: str) -> Made:
    """Runs on the cluster: a shard and its index."""
    try:
        file = io.BytesIO()
        index = write_tar(file, samples_of(job, task, lambda: None), digest, len(task.units))
    except Exception as error:
        return Failure.of(error)
    return index, np.frombuffer(file.getbuffer(), np.uint8)


def _copied(file: BinaryIO, data: UInt8Array, index: Index) -> Index:
    file.write(data.data)
    return index


@contextmanager
def _connected(address: str, workers: int) -> Iterator[Any]:
    """Ray, connected; a connection of the caller's is used and left as it is."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise UsageError("--ray needs Ray: pip install 'dancecli[ray]'") from error
    if ray.is_initialized():
        yield ray
        return
    single = {name: "1" for name in ONE_THREAD if name not in os.environ}
    options: dict[str, Any] = {
        "address": address, "log_to_driver": False, "logging_level": "ERROR",
        "runtime_env": {"env_vars": single},
    }  # fmt: skip
    if address == LOCAL:
        options |= {"include_dashboard": False, "num_cpus": workers or None}
    try:
        _knock(address)
        ray.init(**options)
    except (OSError, RuntimeError, ValueError) as error:
        says = " ".join(str(error).split())[:200]
        raise UsageError(f"--ray {address}: no cluster answers there ({says})") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError where nobody listens; Ray itself would try for many minutes."""
    import socket

    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()
