"""Photos of one person each, with an optional silhouette: `NAME.jpg` and `NAME.mask.png`.

Replace the layout by your data set's. What a Person may know is in `dancecli.data.people`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dancecli.data.people import Options, Person, Skipped, View
from dancecli.errors import DanceError, UsageError
from dancecli.media import read_photo
from dancecli.stages import Settings
from dancecli.types import BoolArray

NAME = re.compile(r"[A-Za-z0-9_-]+")
"""Of photos: it becomes the person's key."""


class MyReader:
    """`DatasetReader`: a unit is a photo. LICENCE and COMMERCIAL speak of the data."""

    INTERFACE_VERSION = 1
    LICENCE = "your own photos: their rights, and those of the people in them, hold"
    COMMERCIAL = None

    layout = "a folder of NAME.jpg, one person each, and where known NAME.mask.png (0 or 255)"

    def __init__(self, settings: Settings) -> None:
        """Nothing is random, nothing is loaded."""

    def units(self, root: Path | None, options: Options) -> list[str]:
        """The photos' names, sorted.

        Raises UsageError when there are none, or for a setting, of which there are none.
        """
        if options.set:
            raise UsageError(f"no --set {next(iter(options.set))}: there are no settings")
        names = sorted(path.stem for path in root.glob("*.jpg")) if root else []
        if not names:
            raise UsageError(f"no photos in {root}; expected {self.layout}")
        return names[: options.people]

    def read(self, root: Path | None, unit: str, options: Options) -> Iterator[Person | Skipped]:
        """The person of a photo; Skipped where a file cannot be read."""
        if not NAME.fullmatch(unit):
            yield Skipped(unit, "name with other signs than A-Z a-z 0-9 _ -")
            return
        folder = root or Path()
        try:
            rgb = read_photo(folder / f"{unit}.jpg").rgb
            mask = silhouette(folder / f"{unit}.mask.png")
        except DanceError:
            yield Skipped(unit, "unreadable picture")
            return
        if mask is not None and mask.shape != rgb.shape[:2]:
            yield Skipped(unit, "mask of another size")
            return
        yield Person(unit, (View(rgb, mask=mask, people=mask),), {"photo": unit})


def silhouette(path: Path) -> BoolArray | None:
    """Bool (H, W) of a mask, None where there is no file."""
    if not path.exists():
        return None
    mask: BoolArray = np.asarray(read_photo(path).rgb[..., 0] > 127)
    return mask
