"""CIHP: pictures of several people; labels and people in separate index pictures."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dance_datasets.annotated import Annotated, instance_maps
from dance_datasets.files import Folder, listed, refused
from dance_datasets.labels import VIP, mapped
from dance_datasets.parsing_rcnn import renamed_parts
from dance_datasets.pictures import read_rgb
from dance_datasets.stills import Part, StillsReader
from dancecli.types import UInt8Array

BASES = ("", "instance-level_human_parsing/", "CIHP/", "CIHP/instance-level_human_parsing/")
FOLDERS = {"train": ("Training", "train"), "val": ("Validation", "val")}


class CihpReader(StillsReader):
    """People of CIHP. `--set split=train|val|trainval`; the testing part has no labels.

    Human_ids and Category_ids are read, Instance_ids (8 or 16 bits) with its `.txt` where one of
    them is absent. Identities end with the picture.
    """

    LICENCE: ClassVar[str] = (
        "CIHP: for research only; its authors refer commercial users to data of their own; "
        "pictures from the web"
    )
    COMMERCIAL: ClassVar[bool | None] = False

    name: ClassVar[str] = "cihp"
    layout = (
        "instance-level_human_parsing/{Training,Validation}/{Images,Category_ids,Human_ids}/ "
        "with Training/train_id.txt and Validation/val_id.txt; or, renamed for Parsing-R-CNN, "
        "{train,val}_img/, {train,val}_parsing/, annotations/CIHP_{train,val}.json"
    )

    def parts(self, folder: Folder) -> dict[str, Part]:
        """The official tree, with or without its outer folder, or the renamed one."""
        found = {}
        for split, names in FOLDERS.items():
            images = folder.first(*(f"{base}{name}/Images" for base in BASES for name in names))
            if images is not None:
                inner = images.removesuffix("/Images")
                found[split] = Part(
                    partial(listed, folder, f"{inner}/{split}_id.txt"),
                    partial(refused, folder),
                    partial(_read, folder, inner),
                )
        return found or renamed_parts(folder, "CIHP", _labels)


def _labels(raw: NDArray[np.uint16], where: str) -> UInt8Array:
    return mapped(raw, VIP, where)


def _read(folder: Folder, inner: str, name: str) -> Annotated:
    rgb = read_rgb(folder, f"{inner}/Images/{name}.jpg")
    return Annotated(rgb, *instance_maps(folder, inner, name, (rgb.shape[0], rgb.shape[1])))
