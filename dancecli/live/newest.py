"""A queue of one, between threads: better a frame dropped than all of them late."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """What was not taken before something newer came is dropped, and counted."""

    def __init__(self) -> None:
        self.dropped = 0
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._closed, self._error = False, None  # type: tuple[bool, BaseException | None]

    def put(self, item: T) -> bool:
        """Offer an item; False once nobody wants any more."""
        with self._changed:
            if self._closed:
                return False
            self.dropped += len(self._waiting)
            self._waiting = [item]
            self._changed.notify_all()
        return True

    def close(self, error: BaseException | None = None) -> None:
        """No more items, after the one that waits; `error` is then raised where they are taken."""
        with self._changed:
            self._closed, self._error = True, self._error or error
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                # In steps, since waiting without end would not hear Ctrl-C everywhere.
                while not self._waiting and not self._closed:
                    self._changed.wait(0.1)
                if not self._waiting:
                    break
                item = self._waiting.pop()
            yield item
        if self._error is not None:
            raise self._error

    def filled_by(self, items: Iterable[T]) -> threading.Thread:
        """A running thread that offers the items, then closes, with the error that ended them."""
        thread = threading.Thread(target=self._fill, args=(items,), daemon=True)
        thread.start()
        return thread

    def _fill(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                if not self.put(item):
                    return
            self.close()
        except BaseException as error:
            self.close(error)
