"""Folders renamed for Parsing-R-CNN (soeaver/Parsing-R-CNN: INSTALL.md), of CIHP and MHPv2.

    {train,val}_img/NAME.jpg  {train,val}_parsing/*.png  annotations/SET_{train,val}.json

Each person has a label picture of the photo's size, named by `parsing` in the COCO-like JSON.
`{train,val}_seg` adds nothing to them and is not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dance_datasets.annotated import MOST_PEOPLE, Annotated, stacked
from dance_datasets.files import NAME, REFUSED, Folder, UnusableError
from dance_datasets.pictures import read_rgb
from dance_datasets.stills import Part
from dancecli.data.people import Skipped
from dancecli.types import UInt8Array

LARGEST_JSON = 1 << 30
"""Bytes; polygons of 28,000 pictures take some hundred million."""

Read = Callable[[NDArray[np.uint16], str], UInt8Array]


def renamed_parts(folder: Folder, name: str, read: Read) -> dict[str, Part]:
    """The parts of a set in such folders; none where there are none.

    name: of the set, in the JSON's name. read: labels of ours from a picture's numbers.
    """
    parts = {}
    for split in ("train", "val"):
        base = folder.first(f"{split}_img", f"{name}/{split}_img")
        if base is not None:
            above = base.removesuffix(f"{split}_img")
            index = f"{above}annotations/{name}_{split}.json"
            parts[split] = Part(
                partial(_names, folder, index),
                partial(_refused, folder, index),
                partial(_read, folder, index, f"{above}{split}_img", f"{above}{split}_parsing",
                        read),
            )  # fmt: skip
    return parts


def _names(folder: Folder, index: str) -> list[str]:
    try:
        return list(_indexed(folder, index, folder.stamp(index)))
    except UnusableError:
        return [REFUSED + index]


def _refused(folder: Folder, index: str, _mark: str) -> Skipped:
    try:
        _indexed(folder, index, folder.stamp(index))
    except UnusableError as error:
        return error.skipped
    return Skipped(index, "list has changed")


def _read(
    folder: Folder, index: str, images: str, parsing: str, read: Read, name: str
) -> Annotated:
    masks = _indexed(folder, index, folder.stamp(index)).get(name)
    if masks is None:
        raise UnusableError(f"{images}/{name}.jpg", "picture is not in the list")
    rgb = read_rgb(folder, f"{images}/{name}.jpg")
    files = [(number, f"{parsing}/{mask}.png") for number, mask in enumerate(masks, 1)]
    return stacked(folder, rgb, files, read, f"{index} ({name})")


@lru_cache(maxsize=4)
def _indexed(folder: Folder, index: str, _stamp: int) -> dict[str, list[str]]:
    """Picture -> its people's label pictures, both without ending, in the file's order.

    Asked for with every picture, while the file takes seconds to read. Raises UnusableError.
    """
    data = folder.read(index, LARGEST_JSON, "list")
    try:
        tree = json.loads(data)
        names = {image["id"]: _stem(image["file_name"], index) for image in tree["images"]}
        masks: dict[str, list[str]] = {name: [] for name in names.values()}
        for person in tree["annotations"]:
            masks[names[person["image_id"]]].append(_stem(person["parsing"], index))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnusableError(index, "list is no JSON of images and their 'parsing'") from None
    if any(len(each) > MOST_PEOPLE for each in masks.values()):
        raise UnusableError(index, f"list has more than {MOST_PEOPLE} people in a picture")
    return masks


def _stem(name: Any, index: str) -> str:
    """A file's name without ending. Raises UnusableError for what is no plain name."""
    stem = PurePosixPath(name).stem if isinstance(name, str) and "/" not in name else ""
    if not NAME.fullmatch(stem):
        raise UnusableError(index, "list names files in other folders")
    return stem
