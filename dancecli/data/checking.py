"""`--check`: what a data set holds and what would be passed over, with nothing prepared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dancecli.data.job import Job
from dancecli.data.people import Person, Skipped
from dancecli.progress import Progress

EXAMPLES = 3
"""Places that are named for each reason."""


@dataclass
class Contents:
    """units, people, pictures: counts; pictures are counted once per person in them.

    given: pictures that come with labels, a mask, a pose, a dense map, a plate. skipped: reason ->
    how many files or people. examples: reason -> the first places.
    """

    units: int = 0
    people: int = 0
    pictures: int = 0
    given: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, found: Person | Skipped) -> None:
        """Count one of what a reader yields."""
        if isinstance(found, Skipped):
            self.skipped[found.reason] += 1
            named = self.examples.setdefault(found.reason, [])
            named += [found.where] if len(named) < EXAMPLES else []
            return
        self.people += 1
        self.pictures += len(found.views)
        for view in found.views:
            for name in ("labels", "mask", "skeleton", "dense", "plate"):
                self.given[name] += getattr(view, name) is not None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "given": dict(self.given), "skipped": dict(self.skipped)}


def check(job: Job, progress: Progress) -> Contents:
    """Read the whole data set once.

    Raises UsageError when it is none, or an option is unknown.
    """
    units = job.units()
    contents = Contents(units=len(units))
    with progress.stage("check", len(units), unit="unit") as step:
        for unit in units:
            for found in job.people(unit):
                contents.add(found)
            step()
    return contents
