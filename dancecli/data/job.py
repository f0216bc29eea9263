"""What one run of `dance prepare-data` is: small, picklable, the same in every process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dancecli import __version__, registry
from dancecli.data.people import Options, Person, Skipped
from dancecli.data.plugins import TRUTH, StageNames, stages_of
from dancecli.data.preparing import prepare
from dancecli.data.rules import Rules
from dancecli.data.samples import Sample
from dancecli.stages import DatasetReader, Settings


@dataclass(frozen=True)
class Job:
    """A data set to be prepared.

    reader: a `dance.dataset` plugin. root: the data set's folder, None where it needs none.

    A reader that looks for people itself (`video`) says so in a class attribute `stages`, a tuple
    of plugin groups such as ("pose", "mask", "inpaint"). The names chosen for these come to it in
    `Options.set`, and what it finds is used as it is.
    """

    reader: str
    root: Path | None = None
    options: Options = field(default_factory=Options)
    stages: StageNames = field(default_factory=StageNames)
    rules: Rules = field(default_factory=Rules)

    def check(self) -> None:
        """Raises UsageError for a data set or plugin that nobody has."""
        registry.find("dance.dataset", self.reader)
        self.stages.check()

    def units(self) -> list[str]:
        """Names of independent pieces of work in their order; no more than `options.people`.

        Raises UsageError when root is not such a data set or an option is unknown.
        """
        reader = self.plugin()
        return reader.units(self.root, self._asked(reader))[: self.options.people]

    def people(self, unit: str) -> Iterator[Person | Skipped]:
        """Whom the reader finds in a unit, before any is prepared."""
        reader, left = self.plugin(), self._quota(unit)
        for found in reader.read(self.root, unit, self._asked(reader)):
            if isinstance(found, Person):
                if left == 0:
                    return
                left -= 1
            yield found

    def samples(self, unit: str) -> Iterator[Sample | Skipped]:
        """A unit's people prepared, and what was passed over and why.

        A function of the job and the unit alone. Raises PluginError when a plugin is broken.
        """
        stages = stages_of(self._names())
        for found in self.people(unit):
            ready = prepare(found, stages, self.rules) if isinstance(found, Person) else found
            yield self._told(ready) if isinstance(ready, Sample) else ready

    def describe(self) -> dict[str, Any]:
        """What the samples depend on, for the manifest: JSON, without folders."""
        info, reader = registry.find("dance.dataset", self.reader), self.plugin()
        return {
            "dance": __version__,
            "dataset": {**info.as_dict(), **self._terms()},
            "root": self.root.name if self.root else None,
            "options": {**asdict(self.options), "set": dict(self._asked(reader).set)},
            "rules": {**asdict(self.rules), "size": list(self.rules.size)},
            **self._names().describe(),
        }

    def plugin(self) -> DatasetReader:
        """The reader, one object per process."""
        return _reader(self.reader, Settings(self.stages.device, seed=self.options.seed))

    def _terms(self) -> dict[str, Any]:
        declared: Any = self.plugin()
        return {"licence": declared.LICENCE, "commercial": declared.COMMERCIAL}

    def _asked(self, reader: DatasetReader) -> Options:
        """The options, with the plugins' names that the reader wants."""
        names = {group: self.stages.plugin(group) for group in own_stages(reader)}
        return replace(self.options, set={**names, **self.options.set})

    def _names(self) -> StageNames:
        """The stages of preparing: what the reader found itself is the truth, and is not spoilt."""
        if "pose" in own_stages(self.plugin()):
            return replace(self.stages, pose=TRUTH, noise="none")
        return self.stages

    def _quota(self, unit: str) -> int:
        """How many people of a unit count, so that all units together give `options.people`.

        Below zero: all. Divided evenly, so that units need not know of each other.
        """
        if self.options.people is None:
            return -1
        units = _units(self.reader, self.root, self.options.people, self.options.frames,
                       self.options.seed, self.options.gap, tuple(self.options.set.items()),
                       self.stages)  # fmt: skip
        place, count = units.index(unit), len(units)
        return (place + 1) * self.options.people // count - place * self.options.people // count

    def _told(self, sample: Sample) -> Sample:
        about = {**sample.about, "dataset": self.reader, "key": sample.key, **self._terms()}
        return replace(sample, about=about)


def own_stages(reader: DatasetReader) -> tuple[str, ...]:
    """Groups of the plugins that a reader uses itself."""
    groups: tuple[str, ...] = getattr(reader, "stages", ())
    return groups


@lru_cache(maxsize=4)
def _reader(name: str, settings: Settings) -> DatasetReader:
    reader: DatasetReader = registry.load("dance.dataset", name, settings)
    return reader


@lru_cache(maxsize=4)
def _units(
    reader: str, root: Path | None, people: int, frames: int, seed: int, gap: int,
    given: tuple[tuple[str, str], ...], stages: StageNames,
) -> tuple[str, ...]:  # fmt: skip
    """`Job.units`, once per process: each unit's share of the people depends on all of them."""
    options = Options(people, frames, seed, gap, dict(given))
    return tuple(Job(reader, root, options, stages).units())
