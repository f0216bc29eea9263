"""Stage results on disk: kept, found again, never trusted when damaged."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dancecli.errors import DanceError
from dancecli.workdir import Journal, WorkDir, key_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def test_an_entry_is_found_again_by_what_it_was_made_from(tmp_path: Path) -> None:
    work = WorkDir(tmp_path)
    work.entry("pose", {"video": "a", "fps": 25}).save("x", {"v": np.arange(6)})
    again = work.entry("pose", {"fps": 25, "video": "a"}).load("x")
    assert again is not None
    assert np.array_equal(again["v"], np.arange(6))
    assert work.entry("pose", {"video": "b", "fps": 25}).load("x") is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "no hash", "pickle"])
def test_a_damaged_entry_counts_as_absent(tmp_path: Path, damage: str) -> None:
    entry = WorkDir(tmp_path).entry("pose", {"k": 1})
    entry.save("x", {"v": np.arange(1000)})
    file = entry.path / "x.npz"
    data = file.read_bytes()
    if damage == "truncate":
        file.write_bytes(data[:-7])
    elif damage == "flip":
        file.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    elif damage == "no hash":
        (entry.path / "x.sha256").unlink()
    else:
        np.savez(file, v=np.array([{"evil": 1}], dtype=object))
    assert entry.load("x") is None


@given(st.lists(JSON, max_size=8), st.lists(JSON, max_size=4))
def test_a_journal_returns_what_was_appended(first: list[object], second: list[object]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "j")
        journal.append(first)
        journal.append(second)
        assert journal.read() == first + second


@given(st.integers(1, 200))
def test_a_torn_journal_keeps_its_whole_records_and_goes_on(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        journal = Journal(path)
        journal.append([{"n": n} for n in range(10)])
        data = path.read_bytes()
        path.write_bytes(data[: max(0, len(data) - cut)])
        kept = journal.read()
        assert kept == [{"n": n} for n in range(len(kept))]
        journal.append(["next"])
        assert journal.read() == [*kept, "next"]


def test_a_changed_record_ends_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append([1, 2, 3])
    text = journal.path.read_bytes().split(b"\n")
    text[1] = text[1].replace(b" 2", b" 7")
    journal.path.write_bytes(b"\n".join(text))
    assert journal.read() == [1]


@given(st.integers(0, 6))
def test_a_journal_is_cut_to_what_is_wanted(count: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "j")
        journal.cut(count)  # there is none yet
        journal.append([1, 2, 3, 4])
        journal.cut(count)
        assert journal.read() == [1, 2, 3, 4][:count]
        journal.append([9])
        assert journal.read() == [*[1, 2, 3, 4][:count], 9]


def test_who_only_looks_leaves_a_record_that_is_being_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append([1, 2])
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[:-3])
    assert journal.read(mend=False) == [1]
    with journal.path.open("ab") as file:
        file.write(whole[-3:])
    assert journal.read() == [1, 2]


def test_clean_leaves_what_a_run_works_in(tmp_path: Path) -> None:
    work = WorkDir(tmp_path)
    entry = work.entry("render", {"k": 1})
    with entry.locked():
        assert work.clean() == (0, 0)
        entry.save("x", {"v": np.zeros(10)})
    assert entry.load("x") is not None
    assert work.clean()[0] == 1


def test_clean_frees_everything_or_only_what_is_old(tmp_path: Path) -> None:
    work = WorkDir(tmp_path)
    work.entry("pose", {"k": 1}).save("x", {"v": np.zeros(100)})
    assert work.clean(older_than=3600) == (0, 0)
    count, freed = work.clean()
    assert count == 1
    assert freed > 0
    assert list(work.entries()) == []


def test_an_unwritable_place_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DanceError, match="--work-dir") as caught:
        WorkDir(tmp_path / "file").entry("pose", {})
    assert "\n" not in str(caught.value)


def test_keys_depend_on_values_not_on_order() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})


def test_who_waits_for_an_entry_gets_it_though_its_holder_removed_it(tmp_path: Path) -> None:
    entry = WorkDir(tmp_path).entry("render", {"k": 1})
    held, waited = threading.Event(), threading.Event()

    def other() -> None:
        with entry.locked():
            held.set()
            time.sleep(0.3)
            entry.remove()

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(10)
    with entry.locked():
        waited.set()
        entry.save("x", {"v": np.arange(3)})
    thread.join()
    assert waited.is_set() and entry.load("x") is not None


def test_what_is_added_after_a_torn_record_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).append([1, 2])
    path.write_bytes(path.read_bytes() + b"0123abcd [3")
    Journal(path).append([4, 5])  # by a run that never asked what is there
    assert Journal(path).read() == [1, 2, 4, 5]
