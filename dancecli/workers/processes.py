"""Tasks done by processes of this machine.

They are spawned: MediaPipe must not be forked once used. Each has a pipe of its own, so that one
that is killed leaves no lock behind and hurts no other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, NoReturn, TypeVar

from dancecli.errors import Terminated
from dancecli.workers.queue import Failure, Queue, T, Tell

R = TypeVar("R")

ONE_THREAD = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)  # fmt: skip
"""Environment variables that keep a library to one thread per process, where the user set none."""

PATIENCE = 5.0
"""Seconds that a worker has to end."""


@dataclass(frozen=True)
class _Note:
    value: Any


@dataclass(frozen=True)
class _Made(Generic[R]):
    value: R


@dataclass
class _Worker(Generic[T]):
    process: BaseProcess
    pipe: Connection
    task: T | None = None

    def give(self, task: T) -> None:
        self.task = task
        self.pipe.send(task)

    def end(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def death(process: BaseProcess) -> str:
    """How a process that says nothing more ended, for people."""
    process.join(PATIENCE)
    code = process.exitcode or 0
    if code == -signal.SIGKILL:
        return "killed, perhaps for want of memory"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def run_processes(
    do: Callable[[T, Tell], R], queue: Queue[T], workers: int
) -> Generator[tuple[T, R | Failure], None, None]:
    """(task, result) as each gets ready; leaves no process behind.

    do: picklable. What it raises, and the death of workers again and again, come as a Failure.
    """
    pool = _Pool(do, queue)
    try:
        pool.start(min(workers, len(queue.waiting)))
        yield from pool.finished()
    finally:
        for worker in pool.workers:
            worker.end()


class _Pool(Generic[T, R]):
    def __init__(self, do: Callable[[T, Tell], R], queue: Queue[T]) -> None:
        self.do, self.queue = do, queue
        self.workers: list[_Worker[T]] = []

    def start(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        with _single_threaded():
            for _ in range(count):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs, self.do), daemon=True)
                process.start()
                theirs.close()  # its end is then closed by its death
                self.workers.append(_Worker(process, ours))

    def finished(self) -> Iterator[tuple[T, R | Failure]]:
        while True:
            for worker in list(self.workers):
                yield from self._feed(worker)
            busy = {id(w.pipe): w for w in self.workers if w.task}
            if not busy:
                return
            for pipe in wait([w.pipe for w in busy.values()]):
                yield from self._hear(busy[id(pipe)])

    def _feed(self, worker: _Worker[T]) -> Iterator[tuple[T, Failure]]:
        while worker.task is None and self.queue.waiting:
            task, refused = self.queue.take([w.task for w in self.workers if w.task])
            if refused:
                yield task, refused
                continue
            try:
                worker.give(task)
            except OSError:  # it was killed while it had nothing to do
                yield from self._replace(worker, task)
                return

    def _hear(self, worker: _Worker[T]) -> Iterator[tuple[T, R | Failure]]:
        task = worker.task
        assert task is not None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._replace(worker, task)
            return
        if isinstance(message, _Note):
            self.queue.heard(task, message.value)
        else:
            worker.task = None
            yield task, message.value if isinstance(message, _Made) else message

    def _replace(self, worker: _Worker[T], task: T) -> Iterator[tuple[T, Failure]]:
        why = death(worker.process)
        worker.end()
        self.workers.remove(worker)
        given_up = self.queue.again(task, why)
        self.start(1)
        if given_up:
            yield task, given_up


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


def _work(pipe: Connection, do: Callable[[T, Tell], Any]) -> None:
    """A worker's life: tasks in, any notes and a result or Failure per task out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, _terminate)  # what is half-written is removed
    end_with_parent()
    try:
        while True:
            _answer(pipe, do)
    except (EOFError, OSError):  # the parent has closed its end, perhaps with a word unread
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends already, with nothing to say


def _answer(pipe: Connection, do: Callable[[T, Tell], Any]) -> None:
    """One task. Raises EOFError or OSError when nobody listens any more."""
    task: T = pipe.recv()
    try:
        pipe.send(_Made(do(task, lambda note: pipe.send(_Note(note)))))
    except Exception as error:
        pipe.send(Failure.of(error))


def _terminate(_signal: int, _frame: Any) -> NoReturn:
    raise Terminated(1)


def end_with_parent() -> None:
    """From now on this process, which multiprocessing started, ends when its parent is gone."""
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
