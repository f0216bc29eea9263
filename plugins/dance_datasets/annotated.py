"""A whole picture with everyone in it, and how it falls into people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dance_datasets.files import Folder, UnusableError
from dance_datasets.labels import VIP, mapped
from dance_datasets.pictures import read_indices, read_rgb
from dancecli.data.people import Person, Skipped, View
from dancecli.types import UInt8Array

MOST_PEOPLE = 100
"""In one picture; the sets' own have up to 26."""

LARGEST_TABLE = 1 << 20
"""Bytes of a table of instances."""


@dataclass(frozen=True, eq=False)
class Annotated:
    """A picture and its annotation.

    rgb: uint8 (H, W, 3). labels: uint8 (H, W), ours, 0-21. humans: uint16 (H, W), numbers of
    people, 0 nobody. where: the file that the people come from. skipped: who was left out.
    """

    rgb: UInt8Array
    labels: UInt8Array
    humans: NDArray[np.uint16]
    where: str
    skipped: Sequence[Skipped] = field(default=())

    def numbers(self) -> list[int]:
        """Those of the people, ascending. Raises UnusableError for none, or too many."""
        numbers = np.flatnonzero(np.bincount(self.humans.ravel())[1:]) + 1
        if not len(numbers):
            raise UnusableError(self.where, "annotation shows nobody")
        if len(numbers) > MOST_PEOPLE:
            raise UnusableError(self.where, f"annotation has more than {MOST_PEOPLE} people")
        return [int(number) for number in numbers]

    def view(self, human: int, frame: int = 0) -> View:
        """One person. mask: where they have a label; people: where anyone has.

        Raises UnusableError when they have none.
        """
        labels = np.where(self.humans == human, self.labels, 0).astype(np.uint8)
        if not labels.any():
            raise UnusableError(f"{self.where} (person {human})", "person has no labelled pixel")
        return View(self.rgb, frame, labels, labels > 0, self.labels > 0)


def people_of(picture: Annotated, key: str, about: Mapping[str, Any]) -> Iterator[Person | Skipped]:
    """The people of a still as `KEY-NUMBER`, one view each, and who cannot serve."""
    yield from picture.skipped
    try:
        numbers = picture.numbers()
    except UnusableError as error:
        yield error.skipped
        return
    for number in numbers:
        try:
            yield Person(f"{key}-{number}", (picture.view(number),), {**about, "human": number})
        except UnusableError as error:
            yield error.skipped


def at_most(people: int | None, found: Iterator[Person | Skipped]) -> Iterator[Person | Skipped]:
    """What is found until there are so many people."""
    left = people
    while left != 0 and (each := next(found, None)) is not None:
        left = left - 1 if left is not None and isinstance(each, Person) else left
        yield each


def instance_maps(
    folder: Folder, annotations: str, name: str, size: tuple[int, int]
) -> tuple[UInt8Array, NDArray[np.uint16], str]:
    """(labels, humans, file) of a picture of CIHP or VIP.

    annotations: the folder of Category_ids, Human_ids and Instance_ids; the last, with its `.txt`
    of lines "instance category human", is read where one of the others is absent. size: (H, W).
    Raises UnusableError.
    """
    category, human = (f"{annotations}/{kind}/{name}.png" for kind in ("Category_ids", "Human_ids"))
    instance = f"{annotations}/Instance_ids/{name}.png"
    if folder.has(instance) and not (folder.has(category) and folder.has(human)):
        numbers = read_indices(folder, instance, size)
        categories, humans = _instances(folder, instance.removesuffix(".png") + ".txt")
        known = categories[numbers]
        if (known[numbers > 0] == 0).any():
            raise UnusableError(instance, "annotation has instances that its list has not")
        return mapped(known, VIP, instance), humans[numbers], instance
    labels = mapped(read_indices(folder, category, size), VIP, category)
    return labels, read_indices(folder, human, size), human


def _instances(folder: Folder, table: str) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """(category, human) by instance number, uint16 (65536,) each, 0 where there is none.

    Without a table, by the formula that all of CIHP's keep: instance = 20 (human - 1) + category.
    """
    if not folder.has(table):
        before, category = np.divmod(np.arange(1 << 16, dtype=np.uint16), 20)
        human = before + np.uint16(1)
        human[0] = 0
        return category, human
    text = folder.read(table, LARGEST_TABLE, "annotation").decode("ascii", "replace")
    categories, humans = np.zeros((2, 1 << 16), np.uint16)
    for line in text.splitlines():
        numbers = [int(n) if n.isdecimal() and len(n) <= 6 else -1 for n in line.split()]
        if not numbers:
            continue
        if len(numbers) != 3 or min(numbers) < 0 or max(numbers) >= 1 << 16:
            raise UnusableError(table, "annotation is not lines of instance, category, human")
        categories[numbers[0]], humans[numbers[0]] = numbers[1:]
    return categories, humans


def stacked(
    folder: Folder,
    rgb: UInt8Array,
    masks: Sequence[tuple[int, str]],
    read: Callable[[NDArray[np.uint16], str], UInt8Array],
    where: str,
) -> Annotated:
    """A picture whose people have a label picture each; later ones lie over earlier ones.

    rgb: (H, W, 3). masks: (number, file) of each person, in order. read: labels of ours from a
    file's numbers; people of whom it raises UnusableError are skipped.
    """
    size = rgb.shape[0], rgb.shape[1]
    labels, humans = np.zeros(size, np.uint8), np.zeros(size, np.uint16)
    files: dict[int, str] = {}
    skipped: list[Skipped] = []
    for number, file in masks:
        try:
            raw = read_indices(folder, file, size)
            own = read(raw, file)
            if not own.any():
                raise UnusableError(file, "person has no labelled pixel")
        except UnusableError as error:
            skipped.append(error.skipped)
            continue
        files[number] = file
        over = raw > 0
        labels[over], humans[over] = own[over], number
    humans[labels == 0] = 0
    left = set(np.flatnonzero(np.bincount(humans.ravel())).tolist())
    hidden = "person is hidden by others"
    skipped += [UnusableError(file, hidden).skipped for n, file in files.items() if n not in left]
    return Annotated(rgb, labels, humans, where, skipped)


def one_person(folder: Folder, images: str, labels: str, table: UInt8Array, name: str) -> Annotated:
    """A picture whose labels are all one person's (LIP, ATR).

    images, labels: folders. table: from the set's labels to ours. Raises UnusableError.
    """
    rgb = read_rgb(folder, f"{images}/{name}.jpg")
    where = f"{labels}/{name}.png"
    own = mapped(read_indices(folder, where, (rgb.shape[0], rgb.shape[1])), table, where)
    return Annotated(rgb, own, (own > 0).astype(np.uint16), where)
