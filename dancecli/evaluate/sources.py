"""Frames to compare: videos and folders of pictures, brought to one size and walked together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol

from dancecli.errors import MediaError, UsageError
from dancecli.types import Frame

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")

FOLDER_FPS = Fraction(25)
"""Frames per second that a folder of pictures is taken to have."""

REAL = "real"
"""What the real frames are called beside the systems'."""

ALIKE = 0.02
"""How far two pictures' shapes may differ and still be scaled onto each other."""


class Source(Protocol):
    """Frames in order, all of one size."""

    path: Path
    count: int
    width: int
    height: int
    fps: Fraction

    def frames(self) -> Iterator[Frame]:
        """From the first to the last."""
        ...


class Folder:
    """Pictures of a folder, by the numbers in their names.

    Raises MediaError for a folder without pictures.
    """

    def __init__(self, path: Path) -> None:
        from dancecli.media import read_photo

        self.path, self.fps = path, FOLDER_FPS
        self.files = sorted(
            (each for each in path.iterdir() if each.suffix.lower() in PICTURES), key=_natural
        )
        if not self.files:
            raise MediaError(f"{path}: holds no pictures ({', '.join(PICTURES)})")
        first = read_photo(self.files[0])
        self.count, self.width, self.height = len(self.files), first.width, first.height

    def frames(self) -> Iterator[Frame]:
        """Raises MediaError for a picture of another size."""
        from dancecli.media import read_photo

        for index, file in enumerate(self.files):
            frame = read_photo(file)
            if (frame.width, frame.height) != (self.width, self.height):
                raise MediaError(
                    f"{file}: {frame.width}x{frame.height}, the folder's first picture is "
                    f"{self.width}x{self.height}"
                )
            yield Frame(frame.rgb, index, index / float(self.fps))


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts 2 before 10."""
    return [(int(n or 0), text) for text, n in re.findall(r"(\D*)(\d*)", path.name)]


def open_source(path: Path) -> Source:
    """A video or a folder of pictures.

    Raises MediaError when it is neither.
    """
    from dancecli.media import VideoStream

    if path.is_dir():
        return Folder(path)
    video: Source = VideoStream(path)
    return video


class Together:
    """A real source and the systems' fakes, frame by frame at their smallest common size.

    Raises UsageError when their lengths or shapes do not fit.
    """

    def __init__(self, real: Source, fakes: Mapping[str, Source]) -> None:
        self.real, self.fakes = real, dict(fakes)
        everyone = [real, *fakes.values()]
        for other in fakes.values():
            _check_alike(real, other)
        smallest = min(everyone, key=lambda each: each.width * each.height)
        self.width, self.height = smallest.width, smallest.height
        self.count, self.fps = real.count, real.fps
        self.scaled = [
            str(each.path)
            for each in everyone
            if (each.width, each.height) != (self.width, self.height)
        ]

    def frames(self, limit: int | None = None) -> Iterator[tuple[Frame, dict[str, Frame]]]:
        """The real frame and each system's, up to `limit` of them."""
        streams = [self.real.frames(), *(each.frames() for each in self.fakes.values())]
        for real, *fakes in islice(zip(*streams, strict=False), limit):
            yield self._sized(real), dict(zip(self.fakes, map(self._sized, fakes), strict=True))

    def _sized(self, frame: Frame) -> Frame:
        import cv2

        if (frame.width, frame.height) == (self.width, self.height):
            return frame
        size = (self.width, self.height)
        rgb = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
        return Frame(rgb, frame.index, frame.time)


def _check_alike(real: Source, fake: Source) -> None:
    if abs(fake.count - real.count) > 1:  # containers round their lengths
        raise UsageError(
            f"{fake.path} has {fake.count} frames, {real.path} {real.count}: they must show the "
            "same moments, frame by frame"
        )
    shape = (fake.width / fake.height) / (real.width / real.height)
    if abs(shape - 1) > ALIKE:
        raise UsageError(
            f"{fake.path} is {fake.width}x{fake.height}, {real.path} {real.width}x{real.height}: "
            "their shapes differ, so nothing lies in the same place"
        )


def parse_named(given: Sequence[str], option: str = "--fake") -> dict[str, Path]:
    """`NAME=PATH` (or a path, named by its stem) as given to `option`.

    Raises UsageError for a name that is used twice.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, sign, path = text.partition("=")
        name, path = (name, path) if sign and name else (Path(text).stem, text)
        if name in found:
            raise UsageError(f"{option} {text}: the name '{name}' is used twice; give NAME=PATH")
        found[name] = Path(path)
    return found
