"""What each position of the training shows, prepared ahead by processes beside the training."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol

import cv2
import numpy as np
import torch

from dance_freestyle.training import samples
from dance_freestyle.training.batches import Item
from dance_freestyle.training.processes import TrainingError
from dance_freestyle.training.samples import Sample
from dancecli.errors import DanceError, UsageError
from dancecli.workers.processes import death

UNSUITABLE = 100
"""Samples in a row without a face after which a data set is refused."""


class Show(Protocol):
    """What a sample becomes, all chance taken from the generator; None where it cannot serve."""

    def __call__(self, sample: Sample, *, rng: np.random.Generator) -> Item | None: ...


@dataclass
class Items:
    """What the positions of a training show: a function of seed and position, and nothing else."""

    data: Sequence[Sample]
    show: Show
    seed: int

    def __getitem__(self, position: int) -> Item:
        """A sample that cannot serve is replaced by the next in order.

        Raises UsageError when none of many can, MediaError for a damaged sample.
        """
        count = len(self.data)
        for skipped in range(min(count, UNSUITABLE)):
            turn, place = divmod(position, count)
            near = turn * count + (place + skipped) % count
            sample = self.data[samples.visited(near, count, self.seed)]
            item = self.show(sample, rng=np.random.default_rng([self.seed, position, skipped]))
            if item is not None:
                return item
        raise UsageError(
            "the data set shows no face that is large enough to train on, or, where FR is to have "
            "a photo, nobody's in two pictures: --set fr.photo=off does with one"
        )


Feed = Callable[[int], list[Item]]
"""The items of the next so many positions."""

Prepared = Generator[Item, None, None]


@contextmanager
def feed(items: Items, positions: Iterator[int], workers: int, ahead: int) -> Iterator[Feed]:
    """The items of positions in their order, whoever prepares them.

    workers: processes that do, 0 for this one. ahead: items ready or under way before they are
    asked for (at least one per worker).
    """
    coming = _ahead(items, positions, workers, ahead) if workers else _in_turn(items, positions)
    try:
        yield lambda count: [next(coming) for _ in range(count)]
    finally:
        coming.close()  # ends its processes


def _in_turn(items: Items, positions: Iterator[int]) -> Prepared:
    for position in positions:
        yield items[position]


class _Worker:
    """A process that prepares items.

    It has a pipe of its own, so that one that is killed leaves no lock behind: torch's DataLoader
    waits for ever when a worker is killed while it looks at the event that all of them share.
    """

    def __init__(self, items: Items, others: Sequence[_Worker]) -> None:
        context = multiprocessing.get_context("fork")  # the samples' readers come along
        self.pipe, theirs = context.Pipe()
        ours = [self.pipe, *(other.pipe for other in others)]
        self.process = context.Process(target=_prepare, args=(items, theirs, ours), daemon=True)
        self.process.start()
        theirs.close()  # its end is then closed by its death
        self.found: SimpleQueue[Any] = SimpleQueue()
        self.reader = Thread(target=self._read, daemon=True)

    def ask(self, position: int) -> None:
        with suppress(OSError):  # what a dead one lacks is told where it is wanted
            self.pipe.send(position)

    def item(self) -> Item:
        """The next of those it was asked for; raises what was raised there, or TrainingError."""
        found = self.found.get()
        if found is None:
            raise TrainingError(
                f"a process that prepares samples ended ({death(self.process)}); "
                "fewer --workers need less memory"
            )
        if isinstance(found, DanceError):
            raise found
        return {name: torch.from_numpy(value) for name, value in found.items()}

    def end(self) -> None:
        self.process.kill()  # it holds nothing that could be lost
        self.process.join()
        if self.reader.ident:
            self.reader.join()
        self.pipe.close()

    def _read(self) -> None:
        # A pipe holds less than an item: what is ready must not wait for the training to look.
        try:
            with suppress(EOFError, OSError):
                while True:
                    self.found.put(self.pipe.recv())
        finally:
            self.found.put(None)


def _ahead(items: Items, positions: Iterator[int], workers: int, ahead: int) -> Prepared:
    pool: list[_Worker] = []
    asked: deque[_Worker] = deque()
    try:
        while len(pool) < workers:
            pool.append(_Worker(items, pool))
        for worker in pool:
            worker.reader.start()  # after the last fork
        for position, worker in zip(islice(positions, max(ahead, workers)), cycle(pool)):
            worker.ask(position)
            asked.append(worker)
        while asked:
            worker = asked.popleft()
            item = worker.item()
            for position in islice(positions, 1):
                worker.ask(position)
                asked.append(worker)
            yield item
    finally:
        for worker in pool:
            worker.end()


def _prepare(items: Items, pipe: Connection, ours: Sequence[Connection]) -> None:
    """A worker's life: positions in, items out, as arrays, since a shared tensor costs a file.

    ours: the training's ends, which the fork copied; they must close when the training is killed.
    """
    for end in ours:
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # and so is what the command says of an end
    torch.set_num_threads(1)
    cv2.setNumThreads(0)  # OpenCV's own threads do not survive the fork
    while True:
        try:
            position = pipe.recv()
        except (EOFError, OSError):
            return  # the training is gone
        found = _made(items, position)
        with suppress(OSError):
            pipe.send(found)


def _made(items: Items, position: int) -> dict[str, Any] | DanceError:
    try:
        return {name: value.numpy() for name, value in items[position].items()}
    except DanceError as error:
        return error
    except Exception as error:
        return TrainingError(f"a sample could not be made: {type(error).__name__}: {error}")
