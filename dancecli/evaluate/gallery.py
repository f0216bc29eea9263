"""What people look at: a sheet of moments and a moving strip of each clip, side by side."""

from __future__ import annotations

import base64
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np

from dancecli.errors import UsageError
from dancecli.evaluate.compare import Crop
from dancecli.evaluate.sources import REAL
from dancecli.media.encoding import Encoder
from dancecli.media.formats import format_of
from dancecli.provenance import container_tags
from dancecli.sheet import SheetCollector, fitted, moments
from dancecli.types import Frame, UInt8Array

CELL = (256, 160)
"""Height and width of one system's picture in the strip."""

SECONDS = 8.0
"""Of a clip, at most, in the strip: the report holds it whole."""

ROWS = 5
"""Moments in the sheet."""


class Gallery:
    """Collects one clip's pictures as they pass; memory stays flat."""

    def __init__(self, folder: Path, name: str, count: int, fps: Fraction) -> None:
        """folder: where `NAME.mp4` and `NAME.png` go. count: moments to come, at most."""
        self.folder, self.name, self.fps = folder, name, fps
        self.limit = round(SECONDS * fps)
        self.systems: list[str] = []
        self._sheet = SheetCollector(moments(max(1, count), ROWS))
        self._first = SheetCollector([0])
        self._passed = 0
        self._strip: Encoder | None = None

    @property
    def strip(self) -> Path:
        """The moving strip."""
        return self.folder / f"{self.name}.mp4"

    @property
    def still(self) -> Path:
        """The sheet."""
        return self.folder / f"{self.name}.png"

    def add(self, crop: Crop, real: Frame, fakes: dict[str, Frame]) -> None:
        """The next moment."""
        named = {REAL: real, **fakes}
        self.systems = list(named)
        cells = {name: crop.cut(frame.rgb) for name, frame in named.items()}
        seconds = real.index / float(self.fps)
        for sheet in (self._sheet, self._first):
            sheet.add(self._passed, seconds, **cells)
        if self._passed < self.limit:
            self._encoder(len(cells)).write(
                np.hstack([_cell(picture) for picture in cells.values()])
            )
        self._passed += 1

    def _encoder(self, cells: int) -> Encoder:
        if self._strip is None:
            size = (cells * CELL[1], CELL[0])
            kind = format_of(self.strip)
            self._strip = Encoder(self.strip, kind, self.fps, size, False, _tags()).__enter__()
        return self._strip

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        from dancecli.media import write_png

        if self._strip is not None:
            self._strip.__exit__(kind, error, trace)
        if error is None and self._passed:
            # Fewer may have come than the sheet was laid out for: where the person shows seldom.
            sheet = self._first if self._sheet.empty else self._sheet
            write_png(self.still, sheet.sheet(self.systems, self.name), _tags())


def _tags() -> dict[str, str]:
    # Systems go unnamed: their names are the user's, and need be no text that a file can hold.
    return container_tags(
        "Comparison with synthetic video",
        f"what is called '{REAL}' is what the rest is held against",
    )


def _cell(picture: UInt8Array) -> UInt8Array:
    out = np.zeros((*CELL, 3), np.uint8)
    small = fitted(picture, *CELL)
    out[: small.shape[0], : small.shape[1]] = small
    return out


FILM_KINDS = {".mp4": "video/mp4", ".webm": "video/webm"}
"""What browsers play."""

STILL_KINDS = {".png": "image/png", ".jpg": "image/jpeg"}


def embedded(path: Path) -> str:
    """A file as a data address, so that a page needs nothing beside it.

    Raises UsageError for a kind that browsers do not play, OSError.
    """
    kind = (FILM_KINDS | STILL_KINDS).get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path}: browsers play {', '.join(FILM_KINDS)}; convert it")
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
