"""Shards made by processes of this machine.

They are spawned: MediaPipe must not be forked once used. Each has a pipe of its own, so that one
that is killed leaves no lock behind and hurts no other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from dancecli.data.shards import Index, write_shard
from dancecli.data.tasks import Failure, Retries, Task, Tick, Work, samples_of

ONE_THREAD = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)  # fmt: skip
"""Environment variables that keep a library to one thread per process, where the user set none."""

PATIENCE = 5.0
"""Seconds that a worker has to end."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None
    units: int = 0

    def give(self, task: Task) -> None:
        self.task, self.units = task, 0
        self.pipe.send(task)

    def death(self) -> str:
        """How it ended, for people."""
        self.process.join(PATIENCE)
        code = self.process.exitcode or 0
        if code == -signal.SIGKILL:
            return "killed, perhaps for want of memory"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def end(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def run_processes(
    job: Work, tasks: Sequence[Task], out: Path, digest: str, workers: int,
    say: Callable[[str], None], tick: Tick,
) -> Generator[tuple[int, Index], None, None]:  # fmt: skip
    """(number, index) of each shard as it gets ready in `out`; leaves no process behind.

    Raises DanceError when a shard's workers die again and again, and whatever error a worker meets.
    """
    pool = _Pool(job, tasks, out, digest, say, tick)
    try:
        pool.start(min(workers, len(tasks)))
        yield from pool.finished()
    finally:
        for worker in pool.workers:
            worker.end()


class _Pool:
    def __init__(
        self, job: Work, tasks: Sequence[Task], out: Path, digest: str,
        say: Callable[[str], None], tick: Tick,
    ) -> None:  # fmt: skip
        self.arguments = (job, out, digest)
        self.waiting, self.retries, self.tick = deque(tasks), Retries(say), tick
        self.counted = dict.fromkeys((task.number for task in tasks), 0)
        self.workers: list[_Worker] = []

    def start(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        with _single_threaded():
            for _ in range(count):
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=_work, args=(theirs, *self.arguments), daemon=True
                )  # fmt: skip
                process.start()
                theirs.close()  # its end is then closed by its death
                self.workers.append(_Worker(process, ours))

    def finished(self) -> Iterator[tuple[int, Index]]:
        while True:
            for worker in self.workers:
                if worker.task is None and self.waiting:
                    worker.give(self.waiting.popleft())
            busy = {id(w.pipe): w for w in self.workers if w.task}
            if not busy:
                return
            for pipe in wait([w.pipe for w in busy.values()]):
                yield from self._hear(busy[id(pipe)])

    def _hear(self, worker: _Worker) -> Iterator[tuple[int, Index]]:
        task = worker.task
        assert task is not None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker, task)
            return
        if isinstance(message, Failure):
            raise message.error()
        if isinstance(message, Index):
            worker.task = None
            yield task.number, message
        else:
            worker.units += 1
            if worker.units > self.counted[task.number]:  # not counted again by a second try
                self.counted[task.number] = worker.units
                self.tick()

    def _replace(self, worker: _Worker, task: Task) -> None:
        why = worker.death()
        worker.end()
        self.workers.remove(worker)
        self.retries.again(task, why)
        self.waiting.appendleft(task)
        self.start(1)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """What is started within has one thread per library."""
    added = {name: "1" for name in ONE_THREAD if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _work(pipe: Connection, job: Work, out: Path, digest: str) -> None:
    """A worker's life: tasks in, one message per unit and an Index or Failure per task out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        try:
            made = samples_of(job, task, lambda: pipe.send(None))
            pipe.send(write_shard(out / task.name, made, digest, len(task.units)))
        except Exception as error:
            pipe.send(Failure.of(error))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
