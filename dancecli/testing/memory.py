"""Whether calls that come again and again leave something behind."""

from __future__ import annotations

import contextlib
import gc
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

CALLS = 3
ROUNDS = 4
"""Calls of a round, and rounds that must all grow: caches fill up and allocators keep what they
had, but neither goes on for ever."""

KEPT = 4 << 10
"""Bytes that Python and NumPy may hold more after a call."""

RESIDENT = 2 << 20
"""Bytes that the process may hold more after a call, where libraries allocate by themselves."""


def growth(call: Callable[[int], object]) -> str:
    """What is gathered by `call`, which gets a running number, in words; empty when it settles."""
    numbers = iter(range(CALLS * (ROUNDS + 1)))
    with _traced():
        before = _after(call, numbers)
        for _ in range(ROUNDS):
            now = _after(call, numbers)
            kept, resident = (max(0, b - a) // CALLS for a, b in zip(before, now, strict=True))
            if kept < KEPT and resident < RESIDENT:
                return ""
            before = now
    return f"every call keeps {max(kept, resident) / 1000:.0f} kB more"


def _after(call: Callable[[int], object], numbers: Iterator[int]) -> tuple[int, int]:
    """Bytes held after a round: allocated through Python, and of the process (0 if unknown)."""
    for _ in range(CALLS):
        call(next(numbers))
    gc.collect()
    return tracemalloc.get_traced_memory()[0], _resident()


def _resident() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: what Python and NumPy hold is told all the same
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    already = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        yield
    finally:
        if not already:
            tracemalloc.stop()
