"""MHPv2: pictures of several people; one label picture for each person, in its red channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dance_datasets.annotated import MOST_PEOPLE, Annotated, stacked
from dance_datasets.files import Folder, UnusableError, listed, refused
from dance_datasets.labels import MHP, mapped
from dance_datasets.parsing_rcnn import renamed_parts
from dance_datasets.pictures import read_rgb
from dance_datasets.stills import Part, StillsReader
from dancecli.types import UInt8Array

_MASK = re.compile(r"(?P<picture>.+)_(?P<people>\d{1,3})_(?P<person>\d{1,3})\.png")


class MhpReader(StillsReader):
    """People of MHPv2. `--set split=train|val|trainval`; the test part has no labels.

    Later people lie over earlier ones. The pose files are not read: they are not matched to the
    label pictures.
    """

    LICENCE: ClassVar[str] = (
        "LV-MHP-v2: no terms for its pictures, which are from the web; treated as research only"
    )
    COMMERCIAL: ClassVar[bool | None] = False

    name: ClassVar[str] = "mhp"
    layout = (
        "LV-MHP-v2/list/{train,val}.txt with {train,val}/images/ID.jpg and "
        "{train,val}/parsing_annos/ID_NN_II.png; or, renamed for Parsing-R-CNN, {train,val}_img/, "
        "{train,val}_parsing/, annotations/MHP-v2_{train,val}.json"
    )

    def parts(self, folder: Folder) -> dict[str, Part]:
        """The official tree, with or without its outer folder, or the renamed one."""
        found = {}
        for split in ("train", "val"):
            images = folder.first(f"{split}/images", f"LV-MHP-v2/{split}/images")
            if images is not None:
                base = images.removesuffix(f"{split}/images")
                found[split] = Part(
                    partial(listed, folder, f"{base}list/{split}.txt"),
                    partial(refused, folder),
                    partial(_read, folder, f"{base}{split}"),
                )
        return found or renamed_parts(folder, "MHP-v2", _labels)


def _labels(raw: NDArray[np.uint16], where: str) -> UInt8Array:
    return mapped(raw, MHP, where)


def _read(folder: Folder, split: str, name: str) -> Annotated:
    rgb = read_rgb(folder, f"{split}/images/{name}.jpg")
    where = f"{split}/parsing_annos"
    masks = _masks(folder, where, folder.stamp(where)).get(name)
    if masks is None:
        raise UnusableError(f"{where}/{name}_*.png", "annotation is missing")
    files = [(number, f"{where}/{file}") for number, file in sorted(masks.items())]
    return stacked(folder, rgb, files, _labels, f"{where}/{name}_*.png")


@lru_cache(maxsize=4)
def _masks(folder: Folder, where: str, _stamp: int) -> Mapping[str, Mapping[int, str]]:
    """Picture -> number of the person -> file, also of files that its names promise but are absent.

    One listing for all: pictures have unknown numbers of people in their files' names.
    """
    found: dict[str, dict[int, str]] = {}
    for entry in folder.entries(where):
        match = _MASK.fullmatch(entry)
        if match and 1 <= int(match["person"]) <= int(match["people"]) <= MOST_PEOPLE:
            people = found.setdefault(match["picture"], {})
            for number in range(1, int(match["people"]) + 1):
                people.setdefault(number, f"{match['picture']}_{match['people']}_{number:02d}.png")
            people[int(match["person"])] = entry
    return found
