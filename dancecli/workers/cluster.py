"""Tasks done on a Ray cluster. A node that dies takes its tasks along; they are done elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from dancecli.errors import UsageError, one_line
from dancecli.workers.processes import ONE_THREAD
from dancecli.workers.queue import Failure, Queue, T, Tell

R = TypeVar("R")

LOCAL = "local"
"""In place of an address: a cluster of this machine alone, for as long as the run."""

KNOCK = 10.0
"""Seconds that a cluster has to take a connection."""


def run_ray(
    do: Callable[[T, Tell], R], queue: Queue[T], address: str, workers: int
) -> Generator[tuple[T, R | Failure], None, None]:
    """(task, result) as each comes back from the cluster.

    do: picklable. What it raises, and the death of workers again and again, come as a Failure.
    address: of a cluster, or LOCAL. workers: tasks at a time; 0: as many as it has processors.
    Raises UsageError without Ray or its cluster.
    """
    with _connected(address, workers) as ray:
        most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        work = _Round(ray, do, queue)
        try:
            yield from work.finished(most)
        finally:
            for pending in work.busy:
                ray.cancel(pending, force=True)


class _Round(Generic[T, R]):
    def __init__(self, ray: Any, do: Callable[[T, Tell], R], queue: Queue[T]) -> None:
        self.ray, self.queue = ray, queue
        self.do = ray.put(do)  # kept by this process: no other node's death loses it
        # Ray's own retries are off: they are unbounded in places, and never said.
        settings = {"num_cpus": 1, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        self.work = ray.remote(**settings)(_work)
        self.busy: dict[Any, T] = {}

    def finished(self, most: int) -> Iterator[tuple[T, R | Failure]]:
        while self.queue.waiting or self.busy:
            while self.queue.waiting and len(self.busy) < most:
                task, refused = self.queue.take(self.busy.values())
                if refused:
                    yield task, refused
                else:
                    self.busy[self.work.remote(self.do, task)] = task
            for done in self.ray.wait(list(self.busy), num_returns=1)[0] if self.busy else ():
                yield from self._fetch(done, self.busy.pop(done))

    def _fetch(self, done: Any, task: T) -> Iterator[tuple[T, R | Failure]]:
        try:
            made: R | Failure = self.ray.get(done)
        except self.ray.exceptions.RayTaskError as error:
            says = str(error).strip().splitlines()[-1]
            made = Failure("PluginError", f"{task.name}: {says}", str(error))
        except self.ray.exceptions.RayError as error:
            given_up = self.queue.again(task, type(error).__name__)
            if given_up is None:
                return
            made = given_up
        yield task, made


def _work(do: Callable[[T, Tell], R], task: T) -> R | Failure:
    """Runs on the cluster."""
    try:
        return do(task, lambda _note: None)
    except Exception as error:
        return Failure.of(error)


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
        says = one_line(error)[:200]
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
