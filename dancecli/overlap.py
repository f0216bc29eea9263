"""Work that goes on beside other work, in order and with bounded queues."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

GRACE = 5.0
"""Seconds that an interrupt waits for what works beside."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class _Made(Generic[T]):
    """An item, or the end of them with the error that brought it, if any."""

    items: tuple[T, ...] = ()
    error: BaseException | None = None


def prefetched(items: Iterable[T], depth: int = 4) -> Iterator[T]:
    """The items, made by a thread up to `depth` ahead; its error is raised here in its place."""
    ready: queue.Queue[_Made[T]] = queue.Queue(depth)
    stop = threading.Event()

    def put(made: _Made[T]) -> bool:
        while not stop.is_set():
            try:
                ready.put(made, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def fill() -> None:
        try:
            for item in items:
                if not put(_Made((item,))):
                    return
            put(_Made())
        except BaseException as error:
            put(_Made(error=error))

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    try:
        while (made := ready.get()).items:
            yield made.items[0]
        if made.error is not None:
            raise made.error
    finally:
        stop.set()
        thread.join()


@contextmanager
def beside(function: Callable[..., R], *args: object) -> Iterator[Callable[[], R]]:
    """function(*args) by a thread of its own; calling what is given waits and returns or raises.

    The block is not left before the thread has ended, but for an interrupt: that waits `GRACE`
    seconds and leaves the thread behind, which ends with the program.
    """
    future: Future[R] = Future()

    def work() -> None:
        try:
            future.set_result(function(*args))
        except BaseException as error:
            future.set_exception(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    wait: float | None = None
    try:
        yield future.result
    except (KeyboardInterrupt, SystemExit):
        wait = GRACE
        raise
    finally:
        thread.join(wait)


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], workers: int, ahead: int | None = None
) -> Iterator[R]:
    """function(item) for each, computed by threads, in order.

    ahead: items that are taken before their turn at most; default 2 * workers. An error is raised
    in its place, and the threads end with it, as they do when nobody wants any more.
    """
    most = ahead or 2 * workers
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`; the last may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
