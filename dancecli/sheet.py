"""Contact sheets: a few moments of a clip as rows, its stages as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dancecli.drawing import write
from dancecli.types import UInt8Array

COLUMNS = ("photo", "driving", "pose", "labels", "result")
"""Titles and order of the columns of `--contact-sheet`."""

CELL_HEIGHT = 320
"""Pixels of a row's pictures, where the sheet stays below MAX_SIDE."""

MAX_SIDE = 4096
"""Longest side of a sheet in pixels."""

PAPER, EMPTY, INK = (247, 247, 245), (232, 232, 230), (40, 40, 44)
"""RGB of the ground, of a missing picture and of the letters."""

WIDEST = 2.0
"""Width over height beyond which a picture is made smaller than the others of its row."""


def moments(count: int, rows: int = 6) -> list[int]:
    """Frame numbers in the middles of `rows` equal stretches of a clip of `count` frames."""
    rows = min(rows, count)
    return [(2 * row + 1) * count // (2 * rows) for row in range(rows)]


def time_stamp(seconds: float) -> str:
    """Minutes, seconds and tenths: 1:04.2."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def contact_sheet(
    rows: Sequence[Mapping[str, UInt8Array]],
    columns: Sequence[str] = COLUMNS,
    row_titles: Sequence[str] = (),
    title: str = "",
) -> UInt8Array:
    """One picture, uint8 (H, W, 3), no side above MAX_SIDE.

    rows: per moment, column name -> uint8 (h, w, 3) RGB; a missing picture leaves a grey field.
    columns: names in order, written above. row_titles: written beside the rows, or empty.
    Raises ValueError without rows or columns.
    """
    if not rows or not columns:
        raise ValueError("a contact sheet needs at least one row and one column")
    shapes = [max((_shape(row[name]) for row in rows if name in row), default=1.0)
              for name in columns]  # fmt: skip
    layout = _Layout(shapes, len(rows), bool(row_titles), bool(title))
    sheet = np.full((layout.height, layout.width, 3), PAPER, np.uint8)
    if title:
        _print(sheet, title, (layout.gap, layout.gap), 1.3 * layout.letter)
    for column, name in enumerate(columns):
        _print(sheet, name, (layout.left(column), layout.head - 1.5 * layout.letter), layout.letter)
    for index, row in enumerate(rows):
        top = layout.top(index)
        if index < len(row_titles):
            _print(sheet, row_titles[index], (layout.gap, top), layout.letter)
        for column, name in enumerate(columns):
            left, width = layout.left(column), layout.widths[column]
            field = sheet[top : top + layout.cell, left : left + width]
            _place(field, row.get(name))
    return sheet


class _Layout:
    """Where everything lies, for cells as high as MAX_SIDE allows."""

    def __init__(self, shapes: Sequence[float], rows: int, beside: bool, above: bool) -> None:
        self.shapes, self.rows, self.beside, self.above = shapes, rows, beside, above
        self.cell = CELL_HEIGHT
        while max(self.width, self.height) > MAX_SIDE and self.cell > 8:
            self.cell = min(self.cell - 1, self.cell * MAX_SIDE // max(self.width, self.height))

    @property
    def widths(self) -> list[int]:
        return [max(1, round(shape * self.cell)) for shape in self.shapes]

    @property
    def letter(self) -> float:
        return max(9.0, self.cell / 16)

    @property
    def gap(self) -> int:
        return max(2, self.cell // 32)

    @property
    def head(self) -> int:
        """Height of everything above the first row."""
        return round(self.gap + (2.6 if self.above else 0.6) * self.letter + 1.5 * self.letter)

    @property
    def beside_width(self) -> int:
        return round(4.2 * self.letter) if self.beside else 0

    def left(self, column: int) -> int:
        return self.beside_width + self.gap + sum(w + self.gap for w in self.widths[:column])

    def top(self, row: int) -> int:
        return self.head + row * (self.cell + self.gap)

    @property
    def width(self) -> int:
        return self.left(len(self.shapes))

    @property
    def height(self) -> int:
        return self.top(self.rows)


def _shape(picture: UInt8Array) -> float:
    return min(WIDEST, picture.shape[1] / picture.shape[0])


def _print(sheet: UInt8Array, text: str, place: tuple[float, float], size: float) -> None:
    write(sheet, text, place, size, colour=INK, outline=PAPER)


def _place(field: UInt8Array, picture: UInt8Array | None) -> None:
    """Puts the picture into the middle of the field, as large as fits."""
    field[:] = EMPTY if picture is None else PAPER
    if picture is None:
        return
    small = fitted(picture, field.shape[0], field.shape[1])
    top, left = ((field.shape[i] - small.shape[i]) // 2 for i in (0, 1))
    field[top : top + small.shape[0], left : left + small.shape[1]] = small


def fitted(picture: UInt8Array, height: int, width: int) -> UInt8Array:
    """The picture (h, w, 3) scaled, both ways alike, to fill a field as far as it goes."""
    import cv2

    scale = min(height / picture.shape[0], width / picture.shape[1])
    size = (
        min(width, max(1, round(picture.shape[1] * scale))),
        min(height, max(1, round(picture.shape[0] * scale))),
    )
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled: UInt8Array = cv2.resize(picture, size, interpolation=way)
    return scaled


class SheetCollector:
    """Keeps thumbnails of chosen frames while a clip streams by, so that memory stays flat."""

    def __init__(
        self, indices: Sequence[int], constant: Mapping[str, UInt8Array] | None = None
    ) -> None:
        """indices: frames to keep. constant: pictures that every row shows, such as the photo."""
        self._constant = {name: _thumbnail(rgb) for name, rgb in (constant or {}).items()}
        self._rows: dict[int, dict[str, UInt8Array]] = {index: {} for index in sorted(set(indices))}
        self._times: dict[int, float] = {}

    @property
    def empty(self) -> bool:
        """Whether none of the chosen frames has been added."""
        return not self._times

    def wants(self, index: int) -> bool:
        """Whether this frame is one of the rows: others need not be drawn at all."""
        return index in self._rows

    def add(self, index: int, time: float, /, **pictures: UInt8Array) -> None:
        """Keeps small copies of a frame's pictures, named by column; other frames are ignored.

        May be called several times for a frame, in any order of frames. time: seconds.
        """
        if self.wants(index):
            self._times[index] = time
            self._rows[index].update({name: _thumbnail(rgb) for name, rgb in pictures.items()})

    def sheet(self, columns: Sequence[str] = COLUMNS, title: str = "") -> UInt8Array:
        """The contact sheet of the frames seen so far, in their order: uint8 (H, W, 3).

        Raises ValueError when none of the chosen frames has been added.
        """
        seen = sorted(self._times)
        rows = [self._constant | self._rows[index] for index in seen]
        return contact_sheet(rows, columns, [time_stamp(self._times[i]) for i in seen], title)


def _thumbnail(rgb: UInt8Array) -> UInt8Array:
    if rgb.shape[0] <= CELL_HEIGHT:
        return rgb.copy()
    return fitted(rgb, CELL_HEIGHT, max(1, round(rgb.shape[1] * CELL_HEIGHT / rgb.shape[0])))
