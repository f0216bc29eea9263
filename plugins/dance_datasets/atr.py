"""ATR: pictures of one person each, mostly fashion."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from dance_datasets.annotated import one_person
from dance_datasets.files import Folder, listed, refused
from dance_datasets.labels import ATR
from dance_datasets.stills import Part, StillsReader
from dancecli.media.files import named


class AtrReader(StillsReader):
    """People of ATR, one per picture. `--set split=all|train|val|test`.

    `all` takes every picture of the folder; the others need lists, which the set itself has not.
    Others in the picture are not annotated, and `View.people` does not know them.
    """

    LICENCE: ClassVar[str] = (
        "ATR: no licence; asks to be cited in academic and commercial research; "
        "pictures from the web"
    )
    COMMERCIAL: ClassVar[bool | None] = None

    name: ClassVar[str] = "atr"
    layout = (
        "humanparsing/JPEGImages/*.jpg and humanparsing/SegmentationClassAug/*.png, and for "
        "parts of it {train,val,test}_id.txt"
    )
    splits: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "all": ("all",), "train": ("train",), "val": ("val",), "test": ("test",),
    }  # fmt: skip
    one_person: ClassVar[bool] = True

    def parts(self, folder: Folder) -> dict[str, Part]:
        """All pictures, and those of three lists, whether or not they are there."""
        base = next((b for b in ("", "humanparsing/", "ATR/humanparsing/") if _is_base(folder, b)),
                    None)  # fmt: skip
        if base is None:
            return {}
        images, labels = f"{base}JPEGImages", f"{base}SegmentationClassAug"
        read = partial(one_person, folder, images, labels, ATR)
        found = {"all": Part(partial(_all, folder, images, labels), partial(refused, folder), read)}
        outer = base.removesuffix("humanparsing/")
        for split in ("train", "val", "test"):
            names = (f"{base}{split}_id.txt", f"{outer}{split}_id.txt")
            lines = partial(listed, folder, folder.first(*names) or names[0])
            found[split] = Part(lines, partial(refused, folder), read)
        return found


def _is_base(folder: Folder, base: str) -> bool:
    return folder.has(f"{base}JPEGImages") and folder.has(f"{base}SegmentationClassAug")


def _all(folder: Folder, images: str, labels: str) -> list[str]:
    """Everything with a picture or labels; names with other signs than usual are refused later."""
    found = {Path(entry).stem for entry in folder.entries(images) if entry.endswith(".jpg")}
    found |= {Path(entry).stem for entry in folder.entries(labels) if entry.endswith(".png")}
    return [named(Path(name)) for name in sorted(found)]
