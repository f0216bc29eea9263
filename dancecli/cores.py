"""How many threads work at a time: the one place that decides."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 8
"""Threads by default, however many cores there are: each holds frames in memory."""


def threads(asked: int | None = None) -> int:
    """As many as were asked for; else OMP_NUM_THREADS, else a thread per core that we may use."""
    if asked is not None:
        return asked
    given = os.environ.get("OMP_NUM_THREADS", "")
    return min(MOST, int(given) if given.isdecimal() and int(given) else usable())


def usable() -> int:
    """Cores that this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def shared(workers: int) -> Iterator[None]:
    """Torch, where it is loaded, keeps to its share of the cores while so many threads use it."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads() // workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)
