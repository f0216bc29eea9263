"""What the readers of single pictures share: a unit is a picture, a person has one view."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from dance_datasets.annotated import Annotated, at_most, people_of
from dance_datasets.files import NAME, REFUSED, Folder, UnusableError, opened
from dance_datasets.options import split_of
from dancecli.data.people import Options, Person, Skipped
from dancecli.errors import UsageError
from dancecli.media.files import named
from dancecli.stages import Settings


@dataclass(frozen=True)
class Part:
    """One of a set's parts for training and testing, as it lies on the disk.

    names: its pictures, with what `files.listed` makes of bad lines. refused: why such a line is of
    no use. read: a picture; raises UnusableError.
    """

    names: Callable[[], list[str]]
    refused: Callable[[str], Skipped]
    read: Callable[[str], Annotated]


class StillsReader(ABC):
    """A DatasetReader of pictures; units are `PART/PICTURE`."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str]
    COMMERCIAL: ClassVar[bool | None]

    name: ClassVar[str]
    layout: str

    splits: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "train": ("train",),
        "val": ("val",),
        "trainval": ("train", "val"),
    }
    """Value of `--set split=` -> parts. The first is the default."""

    one_person: ClassVar[bool] = False
    """Whether a picture shows one annotated person, so that `Options.people` cuts the units."""

    def __init__(self, settings: Settings) -> None:  # noqa: B027 - the contract's signature
        """Settings are not needed: nothing is random, nothing is loaded."""

    @abstractmethod
    def parts(self, folder: Folder) -> dict[str, Part]:
        """The parts that are there; none where the folder is not such a data set."""

    def units(self, root: Path | None, options: Options) -> list[str]:
        """The pictures of the parts asked for, in the order of their lists.

        A list that is missing, or a line of one that is no name, is a unit as well, which `read`
        reports. Raises UsageError with the layout when root is not such a data set.
        """
        parts = self._found(opened(root, self.name, self.layout))
        chosen = self.splits[split_of(options, self.splits, next(iter(self.splits)))]
        for part in chosen:
            if part not in parts:
                raise UsageError(
                    f"{named(root or Path())} has no part '{part}', only {', '.join(parts)} "
                    f"(--set split=...); '{self.name}' expects {self.layout}"
                )
        units = [f"{part}/{name}" for part in chosen for name in parts[part].names()]
        return units[: options.people] if self.one_person else units

    def read(self, root: Path | None, unit: str, options: Options) -> Iterator[Person | Skipped]:
        """The people of a picture, at most `options.people` of them."""
        part, _, name = unit.partition("/")
        parts = self._found(opened(root, self.name, self.layout))
        yield from at_most(options.people, self._people(parts.get(part), part, name))

    def _people(self, part: Part | None, split: str, name: str) -> Iterator[Person | Skipped]:
        if part is not None and name.startswith(REFUSED):
            yield part.refused(name)
            return
        if part is None or not NAME.fullmatch(name):
            yield Skipped(named(Path(split, name)), "no name of a picture")
            return
        try:
            picture = part.read(name)
        except UnusableError as error:
            yield error.skipped
            return
        about: dict[str, Any] = {"set": self.name, "split": split, "picture": name}
        yield from people_of(picture, f"{split}-{name}", about)

    def _found(self, folder: Folder) -> dict[str, Part]:
        parts = self.parts(folder)
        if not parts:
            raise UsageError(
                f"{named(folder.root)} is no '{self.name}' data set, which is {self.layout}"
            )
        return parts
