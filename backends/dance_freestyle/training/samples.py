"""Prepared samples as training sees them, and the order in which it visits them.

Where samples lie and how they are checked is `dancecli.data`'s affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dancecli.data.live import JobSamples
from dancecli.data.reading import Report, open_stored
from dancecli.data.sources import Joined, Source, open_sources
from dancecli.types import FloatArray, Skeleton, UInt8Array


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame of a sample, all of one size.

    rgb, plate: uint8 (H, W, 3). labels: uint8 (H, W), 0-21. dense: float32 (H, W, 3) as
    `DenseMap.iuv`, None where unknown. skeleton: in this crop's pixels. number: in its video.
    """

    rgb: UInt8Array
    labels: UInt8Array
    dense: FloatArray | None
    skeleton: Skeleton
    plate: UInt8Array
    number: int = 0


@dataclass(frozen=True)
class Sample:
    """One person in `count` frames with these numbers in their video; read by `shot` alone."""

    source: Source = field(repr=False)
    key: str = ""
    count: int = 0
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(cls, source: Source) -> Sample:
        """What training sees of a source."""
        return cls(source, source.key, len(source.numbers), source.numbers)

    def shot(self, index: int, parsed: bool = False) -> Shot:
        """Frame `index`, decoded and checked.

        parsed: with the labels that mask and parser gave, where they were asked and found anybody.
        Raises MediaError naming sample, file and fault.
        """
        crop = self.source.crop(index)
        labels, dense = crop.labels, None if crop.dense is None else crop.dense.iuv
        if parsed and crop.parsed is not None and crop.parsed.any():
            labels = crop.parsed
        return Shot(crop.rgb, labels, dense, crop.skeleton, crop.plate, crop.number)


@dataclass(frozen=True)
class Samples(Sequence[Sample]):
    """Samples made when asked for, from their sources."""

    sources: Joined | JobSamples

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def frames(self) -> int:
        """Of all samples: so many samples are an epoch. No shard is read for it."""
        return self.sources.frames

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        return Sample.of(self.sources[index])


def open_samples(
    places: Sequence[str | Path], report: Report | None = None, verify: bool = True
) -> list[Sample]:
    """All samples of some shards (`*.tar`), folders (of shards, or of files) and URLs, in order.

    The same files give the same list on every machine. `report` takes a line for each corrupt
    shard that is left out, and a last one with their number; without it, a corrupt shard raises.
    Raises MediaError for whatever is not a whole data set, UsageError where nothing is found.
    """
    return [Sample.of(stored) for stored in open_stored(places, report, verify)]


def open_data(data: str, report: Report | None = None, verify: bool = True) -> Samples:
    """All samples that `--data` names: folders, shards, URLs, and sets that are made on the way
    (`dancecli.data.sources`).

    report, verify: as `open_samples` takes them, and it raises what that raises.
    """
    return Samples(open_sources(data, report, verify))


@lru_cache(maxsize=2)
def order(count: int, seed: int, turn: int) -> NDArray[np.int64]:
    """The order in which a turn visits `count` samples, each once, over all processes together.

    int64 (count,). An epoch is longer: as many samples as all of them have frames
    (`Samples.frames`).
    """
    return np.random.default_rng([seed, turn]).permutation(count)


def positions(consumed: int, batch: int, rank: int = 0, world: int = 1) -> range:
    """The positions, counted from the start of training, that one process takes in one step.

    consumed: samples that all processes took before. batch: samples of this step over all
    processes. The processes' parts are disjoint and make up the whole step, so that another
    number of them sees the same samples at the same step.
    """
    return range(consumed + rank, consumed + batch, world)


def visited(position: int, count: int, seed: int) -> int:
    """Which of `count` samples a position of the training shows."""
    turn, place = divmod(position, count)
    return int(order(count, seed, turn)[place])
