"""Contact sheets: what is where, and how large."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dancecli.sheet import (
    CELL_HEIGHT,
    COLUMNS,
    MAX_SIDE,
    SheetCollector,
    contact_sheet,
    moments,
    time_stamp,
)
from dancecli.types import UInt8Array

RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)


def plain(colour: tuple[int, int, int], height: int = 400, width: int = 300) -> UInt8Array:
    return np.full((height, width, 3), colour, np.uint8)


def box(sheet: UInt8Array, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of everything in that colour."""
    rows, columns = np.nonzero((sheet == colour).all(2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_columns_stand_in_order_and_have_one_height() -> None:
    row = {"photo": plain(RED), "driving": plain(GREEN, 90, 160), "result": plain(BLUE, 500, 250)}
    sheet = contact_sheet([row], ("photo", "driving", "result"))
    boxes = [box(sheet, colour) for colour in (RED, GREEN, BLUE)]
    assert [b[3] - b[1] for b in boxes] == [CELL_HEIGHT] * 3
    assert [b[2] - b[0] for b in boxes] == [240, 569, 160]
    assert boxes[0][2] < boxes[1][0] < boxes[1][2] < boxes[2][0]
    assert boxes[0][1] == boxes[1][1] == boxes[2][1]


def test_rows_stand_one_below_the_other() -> None:
    sheet = contact_sheet([{"result": plain(RED)}, {"result": plain(BLUE)}], ("result",))
    first, second = box(sheet, RED), box(sheet, BLUE)
    assert first[3] < second[1]
    assert first[0] == second[0]


def test_titles_are_written_above_their_columns() -> None:
    rows = [{"photo": plain(RED), "result": plain(BLUE)}]
    sheet = contact_sheet(rows, ("photo", "result"))
    ink = (sheet < 120).all(2)
    for colour in (RED, BLUE):
        left, top, right, _ = box(sheet, colour)
        assert ink[:top, left:right].sum() > 30
    assert not ink[box(sheet, RED)[3] :].any()


def test_time_stamps_stand_beside_their_rows() -> None:
    rows = [{"result": plain(RED)}, {"result": plain(BLUE)}]
    with_times = contact_sheet(rows, ("result",), ["0:00.0", "0:01.5"])
    ink = (with_times < 120).all(2)
    for colour in (RED, BLUE):
        left, top, _, bottom = box(with_times, colour)
        assert ink[top:bottom, :left].sum() > 30


def test_a_missing_picture_leaves_its_field_empty() -> None:
    rows = [{"photo": plain(RED), "result": plain(BLUE)}, {"photo": plain(GREEN)}]
    sheet = contact_sheet(rows, ("photo", "result"))
    left, _, right, _ = box(sheet, BLUE)
    _, top, _, bottom = box(sheet, GREEN)
    field = sheet[top:bottom, left:right].reshape(-1, 3)
    assert len(np.unique(field, axis=0)) == 1


def test_a_very_wide_picture_is_fitted_not_cut() -> None:
    sheet = contact_sheet([{"result": plain(RED, 100, 800)}], ("result",))
    left, top, right, bottom = box(sheet, RED)
    assert (right - left) / (bottom - top) == pytest.approx(8, rel=0.03)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.integers(20, 300),
    st.integers(20, 300),
    st.booleans(),
)
def test_no_side_exceeds_the_limit(
    rows: int, columns: int, height: int, width: int, titled: bool
) -> None:
    names = [f"column {n}" for n in range(columns)]
    pictures = dict.fromkeys(names, plain(RED, height, width))
    title = "a title" if titled else ""
    sheet = contact_sheet([pictures] * rows, names, ["0:00.0"] * rows, title)
    assert max(sheet.shape[:2]) <= MAX_SIDE
    assert (sheet == RED).all(2).any()


def test_a_sheet_needs_rows_and_columns() -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([], COLUMNS)
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([{}], ())


@given(st.integers(1, 5000), st.integers(1, 20))
def test_moments_spread_evenly_over_the_clip(count: int, rows: int) -> None:
    found = moments(count, rows)
    assert len(found) == min(count, rows)
    assert 0 <= found[0] <= found[-1] < count
    gaps = np.diff(found)
    assert len(gaps) == 0 or (gaps.min() >= 1 and np.ptp(gaps) <= 1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (1.26, "0:01.3"), (59.97, "1:00.0"), (125.04, "2:05.0")]
)
def test_time_stamps(seconds: float, text: str) -> None:
    assert time_stamp(seconds) == text


def test_the_collector_keeps_thumbnails_of_the_wanted_frames_only() -> None:
    collector = SheetCollector([2, 5], {"photo": plain(GREEN)})
    frame = np.zeros((2000, 1500, 3), np.uint8)
    for index in range(8):
        assert collector.wants(index) == (index in (2, 5))
        frame[:] = RED if index == 2 else BLUE
        collector.add(index, index / 25, driving=frame)
        collector.add(index, index / 25, result=frame[:300])
    kept = [rgb for row in collector._rows.values() for rgb in row.values()]
    assert len(kept) == 4
    assert all(rgb.shape[0] <= CELL_HEIGHT and rgb.base is None for rgb in kept)
    sheet = collector.sheet(("photo", "driving", "result"))
    assert box(sheet, RED)[3] < box(sheet, BLUE)[1]
    assert box(sheet, GREEN)[2] < box(sheet, RED)[0]


def test_the_collector_shows_rows_in_the_clips_order_however_they_came() -> None:
    collector = SheetCollector([0, 3])
    collector.add(3, 0.3, result=plain(BLUE))
    collector.add(0, 0.0, result=plain(RED))
    sheet = collector.sheet(("result",))
    assert box(sheet, RED)[3] < box(sheet, BLUE)[1]


def test_a_collector_that_saw_nothing_says_so() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SheetCollector([0]).sheet()
