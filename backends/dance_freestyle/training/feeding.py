"""What each position of the training shows, prepared ahead by processes beside the training."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from dance_freestyle.training import samples
from dance_freestyle.training.batches import Item
from dance_freestyle.training.processes import TrainingError
from dance_freestyle.training.samples import Sample
from dancecli.errors import DanceError, UsageError

UNSUITABLE = 100
"""Samples in a row without a face after which a data set is refused for FR."""


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
            epoch, place = divmod(position, count)
            near = epoch * count + (place + skipped) % count
            sample = self.data[samples.visited(near, count, self.seed)]
            item = self.show(sample, rng=np.random.default_rng([self.seed, position, skipped]))
            if item is not None:
                return item
        raise UsageError("the data set shows no face that is large enough to train FR on")


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
        coming.close()  # torch's loader ends its processes


def _in_turn(items: Items, positions: Iterator[int]) -> Prepared:
    for position in positions:
        yield items[position]


class _Sent:
    """Items as they travel between processes: arrays, since each shared tensor costs a file."""

    def __init__(self, items: Items) -> None:
        self.items = items

    def __getitem__(self, position: int) -> dict[str, Any] | DanceError:
        try:
            return {name: value.numpy() for name, value in self.items[position].items()}
        except DanceError as error:
            return error


def _ahead(
    items: Items, positions: Iterator[int], workers: int, ahead: int
) -> Generator[Item, None, None]:
    loader: Any = DataLoader(
        _Sent(items),  # type: ignore[arg-type]
        batch_size=None, sampler=positions, num_workers=workers, collate_fn=_as_sent,
        prefetch_factor=max(1, -(-ahead // workers)), worker_init_fn=_alone,
        generator=torch.Generator(),  # otherwise the loader draws from the training's
    )  # fmt: skip
    try:
        for found in loader:
            if isinstance(found, DanceError):
                raise found
            yield {name: torch.from_numpy(value) for name, value in found.items()}
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise TrainingError(
            f"a process that prepares samples ended ({str(error).splitlines()[0][:120]}); "
            "fewer --workers need less memory"
        ) from error


def _as_sent(found: Any) -> Any:
    return found


def _alone(_worker: int) -> None:
    # OpenCV's own threads do not survive the fork.
    cv2.setNumThreads(0)
