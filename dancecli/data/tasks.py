"""A job cut into shards that can be made in any order, in any process, any number of times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dancecli.data.people import Skipped
from dancecli.data.samples import Sample
from dancecli.data.shards import shard_name
from dancecli.errors import DanceError, PluginError, one_line

MOST_UNITS = 64
"""Units of a shard in a large data set: with 8 frames each, about 100 MB."""

FEWEST_SHARDS = 32
"""A small data set gets smaller shards, so that there is work for many processes."""

Tick = Callable[[], None]
"""Called for each unit that is done."""


class Work(Protocol):
    """What is to be prepared: `dancecli.data.job.Job`, or anything like it; picklable."""

    def units(self) -> list[str]:
        """Names of independent pieces of work, in a fixed order."""
        ...

    def samples(self, unit: str) -> Iterator[Sample | Skipped]:
        """The samples of a unit: a function of the job and the unit's name alone."""
        ...

    def describe(self) -> dict[str, Any]:
        """Everything that the samples depend on, as JSON values."""
        ...


@dataclass(frozen=True)
class Task:
    """One shard."""

    number: int
    units: tuple[str, ...]

    @property
    def name(self) -> str:
        """The shard's file name."""
        return shard_name(self.number)


def cut(units: Sequence[str], each: int | None = None) -> list[Task]:
    """The shards of a job: `each` units one after the other; a function of the units alone."""
    each = each or min(MOST_UNITS, -(-len(units) // FEWEST_SHARDS))
    return [
        Task(number, tuple(units[first : first + each]))
        for number, first in enumerate(range(0, len(units), each))
    ]


def samples_of(job: Work, task: Task, tick: Tick) -> Iterator[Sample | Skipped]:
    """All samples of a shard; `tick` is called after each unit.

    Raises PluginError naming the unit for whatever is not a DanceError.
    """
    for unit in task.units:
        try:
            yield from job.samples(unit)
        except DanceError:
            raise
        except Exception as error:
            says = f"{type(error).__name__}: {one_line(error)}"
            raise PluginError(f"{unit}: {says}") from error
        tick()
