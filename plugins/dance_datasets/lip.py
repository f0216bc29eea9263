"""LIP: pictures of one person each."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from dance_datasets.annotated import one_person
from dance_datasets.files import Folder, listed, refused
from dance_datasets.labels import LIP
from dance_datasets.stills import Part, StillsReader

IMAGES = ("", "TrainVal_images/", "TrainVal_images/TrainVal_images/", "data/")
LABELS = (
    "", "TrainVal_parsing_annotations/",
    "TrainVal_parsing_annotations/TrainVal_parsing_annotations/",
)  # fmt: skip
"""Where the zip files' folders come to lie, depending on the tool that unpacked them."""


class LipReader(StillsReader):
    """People of LIP, one per picture. `--set split=train|val|trainval`; test has no labels.

    Others in the picture are not annotated, and `View.people` does not know them.
    """

    LICENCE: ClassVar[str] = (
        "LIP: for research only; its authors refer commercial users to data of their own; "
        "pictures from the web"
    )
    COMMERCIAL: ClassVar[bool | None] = False

    name: ClassVar[str] = "lip"
    layout = (
        "{train,val}_images/, {train,val}_segmentations/ and {train,val}_id.txt, also as unpacked "
        "into TrainVal_images/ and TrainVal_parsing_annotations/"
    )
    one_person: ClassVar[bool] = True

    def parts(self, folder: Folder) -> dict[str, Part]:
        """Pictures, label pictures and lists side by side, or in the folders of their zip files."""
        found = {}
        for split in ("train", "val"):
            images = folder.first(*_below(IMAGES, f"{split}_images"))
            labels = folder.first(*_below(LABELS, f"{split}_segmentations"))
            if images is not None and labels is not None:
                lists = _below((*IMAGES, *LABELS), f"{split}_id.txt")
                found[split] = Part(
                    partial(listed, folder, folder.first(*lists) or f"{split}_id.txt"),
                    partial(refused, folder),
                    partial(one_person, folder, images, labels, LIP),
                )
        return found


def _below(folders: tuple[str, ...], name: str) -> list[str]:
    return [f"{outer}{inner}{name}" for outer in ("", "LIP/") for inner in folders]
