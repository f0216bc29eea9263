"""Samples made when they are asked for: a job as a data set without shards."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dancecli.data.samples import Crop, Sample
from dancecli.data.tasks import Work
from dancecli.errors import MediaError, PluginError

KEPT = 4
"""Samples that are remembered; one of eight frames takes some 30 MB."""

BARREN = 100
"""Units in a row without a person after which a job is given up."""


@dataclass(frozen=True, eq=False)
class LiveSample:
    """One person, just made; offers what `dancecli.data.stored.StoredSample` does."""

    sample: Sample

    @property
    def key(self) -> str:
        """The sample's name."""
        return self.sample.key

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the frames in their video."""
        return tuple(crop.number for crop in self.sample.crops)

    @property
    def count(self) -> int:
        """Frames."""
        return len(self.sample.crops)

    def crop(self, k: int) -> Crop:
        """Frame `k`, as it was made: neither JPEG nor eight bits have touched it."""
        return self.sample.crops[k]


class JobSamples(Sequence[LiveSample]):
    """Sample i of a job whose units have one person each.

    A function of the job and i alone, so that every process sees the same set; the last few are
    remembered. A unit that gives nobody is replaced by the next one that does.
    """

    def __init__(self, job: Work, kept: int = KEPT) -> None:
        """Raises UsageError where the job's data set is not there."""
        self.job, self.kept, self.units = job, kept, job.units()
        self._made: OrderedDict[int, LiveSample] = OrderedDict()

    def __len__(self) -> int:
        return len(self.units)

    @property
    def frames(self) -> int:
        """As if each sample had as many as the first, which is made for it: all would take hours.

        Raises what making it raises.
        """
        return len(self) * self[0].count if self.units else 0

    def __getitem__(self, index: int) -> LiveSample:  # type: ignore[override]
        """Make it. Raises MediaError when many units in a row give nobody, IndexError."""
        index = range(len(self))[index]
        if index not in self._made:
            self._made[index] = self._next(index)
        self._made.move_to_end(index)
        while len(self._made) > self.kept:
            self._made.popitem(last=False)
        return self._made[index]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_made": OrderedDict()}  # pictures stay out of a pickle

    def _next(self, index: int) -> LiveSample:
        tries = min(len(self), BARREN)
        for place in range(index, index + tries):
            sample = self._one(self.units[place % len(self)])
            if sample is not None:
                return LiveSample(sample)
        raise MediaError(f"{tries} units from {self.units[index]} on give nobody to train on")

    def _one(self, unit: str) -> Sample | None:
        people = [each for each in self.job.samples(unit) if isinstance(each, Sample)]
        if len(people) > 1:
            raise PluginError(
                f"{unit} gives {len(people)} people: only a data set with one person per unit can "
                "be made while training; prepare it with dance prepare-data"
            )
        return people[0] if people else None
