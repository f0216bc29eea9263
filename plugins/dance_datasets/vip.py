"""VIP: videos of several people with every 25th frame annotated.

The frames between (`adjacent_frames`, VIP_Sequence) have no labels and are not read.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from dance_datasets.annotated import Annotated, at_most, instance_maps
from dance_datasets.files import REFUSED, Folder, UnusableError, listed, opened, refused
from dance_datasets.options import split_of
from dance_datasets.pictures import read_rgb
from dance_datasets.tracks import Sighting, Tracker, chosen, windows
from dancecli.data.people import Options, Person, Skipped
from dancecli.errors import UsageError
from dancecli.media.files import named
from dancecli.stages import Settings

BASES = ("", "VIP/", "VIP_Fine/")
_FRAME = re.compile(r"[A-Za-z0-9_-]{1,100}/[0-9]{1,12}")
SPLITS = {"train": ("train",), "val": ("val",), "trainval": ("train", "val")}


@dataclass(frozen=True)
class Tree:
    """Where the parts of the set are; base: below the folder, empty or with `/` at its end."""

    folder: Folder
    base: str
    annotations: str

    def frames(self, split: str) -> Mapping[str, Mapping[int, str]]:
        """Video -> number -> name of its annotated frames; a bad line is a video without frames."""
        found: dict[str, dict[int, str]] = {}
        for part in SPLITS[split]:
            files = f"{self.base}lists/{part}_id.txt", f"{self.base}{part}_id.txt"
            for name in listed(self.folder, self.folder.first(*files) or files[0], _FRAME):
                if name.startswith(REFUSED):
                    found[name] = {}
                    continue
                video, _, frame = name.partition("/")
                found.setdefault(video, {})[int(frame)] = frame
        return found

    def read(self, video: str, frame: str) -> Annotated:
        """A whole frame. Raises UnusableError, also where it shows nobody."""
        name = f"{video}/{frame}"
        rgb = read_rgb(self.folder, f"{self.base}Images/{name}.jpg")
        size = rgb.shape[0], rgb.shape[1]
        picture = Annotated(rgb, *instance_maps(self.folder, self.annotations, name, size))
        picture.numbers()
        return picture


class VipReader:
    """People of VIP. `--set split=train|val|trainval`; the test part has no labels.

    A unit is a video. Its people are matched across the annotated frames by `tracks`, and cut
    where `Options.gap` is exceeded: each piece is a Person, of whose frames `Options.frames` are
    chosen at random.
    """

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = (
        "VIP: no terms found for its pictures, which are from the web; treated as research only"
    )
    COMMERCIAL: ClassVar[bool | None] = False

    layout = (
        "Images/VIDEO/FRAME.jpg, {Category_ids,Human_ids}/VIDEO/FRAME.png (or these below "
        "Annotations/) and lists/{train,val}_id.txt"
    )

    def __init__(self, settings: Settings) -> None:
        """Settings are not needed: nothing is loaded."""

    def units(self, root: Path | None, options: Options) -> list[str]:
        """The videos in the lists' order, and what in the lists is of no use, for `read` to tell.

        Not cut to `options.people`: how many there are is known after reading. Raises UsageError
        with the layout when root is not the set.
        """
        return list(_tree(root).frames(split_of(options, SPLITS, "train")))

    def read(self, root: Path | None, unit: str, options: Options) -> Iterator[Person | Skipped]:
        """The people of a video, at most `options.people` of them, by their first frame."""
        tree = _tree(root)
        if unit.startswith(REFUSED):
            yield refused(tree.folder, unit)
            return
        frames = tree.frames(split_of(options, SPLITS, "train")).get(unit)
        if frames is None:
            yield Skipped(named(Path(unit)), "video is not in the list")
            return
        yield from at_most(options.people, _people(tree, unit, frames, options))


def _tree(root: Path | None) -> Tree:
    """Where things are. Raises UsageError with the layout where they are not."""
    folder = opened(root, "vip", VipReader.layout)
    for base in BASES:
        annotations = folder.first(
            *(f"{base}{above}{kind}" for above in ("", "Annotations/")
              for kind in ("Category_ids", "Instance_ids"))
        )  # fmt: skip
        if annotations is not None and folder.has(f"{base}Images"):
            return Tree(folder, base, annotations.rpartition("/")[0] or ".")
    raise UsageError(f"{named(folder.root)} is no 'vip' data set, which is {VipReader.layout}")


def _people(
    tree: Tree, video: str, frames: Mapping[int, str], options: Options
) -> Iterator[Person | Skipped]:
    tracker = Tracker()
    for number in sorted(frames):
        try:
            picture = tree.read(video, frames[number])
        except UnusableError as error:
            yield error.skipped
            continue
        tracker.add(number, picture)
    pieces = [piece for track in tracker.tracks for piece in windows(track, options.gap)]
    # People of the same stretch come one after another, and their frames are much the same.
    read = lru_cache(maxsize=2 * options.frames)(tree.read)
    for piece in sorted(pieces, key=lambda piece: (piece[0].number, piece[0].human)):
        key = f"{video}-{piece[0].number:012d}-{piece[0].human}"
        generator = np.random.default_rng([options.seed, zlib.crc32(key.encode())])
        views: list[Sighting] = chosen(piece, options.frames, generator)
        try:
            yield Person(
                key,
                tuple(read(video, frames[s.number]).view(s.human, s.number) for s in views),
                {"set": "vip", "video": video, "humans": [s.human for s in views]},
            )
        except UnusableError as error:
            yield error.skipped
