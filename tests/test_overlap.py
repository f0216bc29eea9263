"""Threads that keep order, bounds and errors."""

from __future__ import annotations

import itertools
import threading

import pytest

from dancecli import overlap
from dancecli.overlap import beside, ordered_map, prefetched


def test_prefetched_keeps_order() -> None:
    assert list(prefetched(range(100), depth=3)) == list(range(100))


def test_prefetched_raises_the_makers_error_in_its_place() -> None:
    def items() -> object:
        yield 1
        raise ValueError("torn")

    got = prefetched(items())  # type: ignore[arg-type]
    assert next(got) == 1
    with pytest.raises(ValueError, match="torn"):
        next(got)


def test_prefetched_never_runs_far_ahead_and_stops_when_left() -> None:
    made = itertools.count()
    last = 0

    def items() -> object:
        nonlocal last
        while True:
            last = next(made)
            yield last

    threads = threading.active_count()
    got = prefetched(items(), depth=2)  # type: ignore[arg-type]
    assert next(got) == 0
    got.close()  # type: ignore[attr-defined]
    assert last < 10
    assert threading.active_count() == threads


def test_ordered_map_keeps_order_whatever_finishes_first() -> None:
    gate = threading.Event()

    def wait_for_later(n: int) -> int:
        if n == 0:
            gate.wait(5)
        else:
            gate.set()
        return n * n

    assert list(ordered_map(wait_for_later, range(20), workers=2)) == [n * n for n in range(20)]


def test_ordered_map_raises_and_ends_its_threads() -> None:
    def fail_at_three(n: int) -> int:
        if n == 3:
            raise RuntimeError("three")
        return n

    threads = threading.active_count()
    with pytest.raises(RuntimeError, match="three"):
        list(ordered_map(fail_at_three, range(10), workers=2))
    assert threading.active_count() == threads


def test_beside_works_while_the_block_does_and_ends_with_it() -> None:
    go, done = threading.Event(), threading.Event()

    def work(number: int) -> int:
        assert go.wait(10)
        done.set()
        return 2 * number

    with beside(work, 4) as result:
        assert not done.is_set()
        go.set()
    assert done.is_set() and result() == result() == 8


def test_beside_raises_its_error_where_it_is_asked_and_the_blocks_own_at_once() -> None:
    def fail() -> None:
        raise ValueError("torn")

    with beside(fail) as result:
        pass
    with pytest.raises(ValueError, match="torn"):
        result()
    with pytest.raises(KeyError, match="other"), beside(fail):
        raise KeyError("other")


def test_an_interrupt_does_not_wait_for_what_hangs_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "GRACE", 0.01)
    go, done = threading.Event(), threading.Event()

    def hang() -> None:
        assert go.wait(30)
        done.set()

    with pytest.raises(KeyboardInterrupt), beside(hang):
        raise KeyboardInterrupt
    assert not done.is_set()
    go.set()
    assert done.wait(10)
