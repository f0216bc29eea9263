"""Where live frames go."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Protocol

from dancecli.errors import UsageError
from dancecli.types import UInt8Array

TITLE = "dance (synthetic media) - q ends"


class Screen(Protocol):
    """Takes one frame after the other."""

    def __enter__(self) -> Screen: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...  # fmt: skip

    def show(self, rgb: UInt8Array) -> bool:
        """A frame, RGB (H, W, 3); False when nobody looks any more."""
        ...


class Window:
    """On the display, until q or Esc is pressed or it is closed."""

    def __init__(self) -> None:
        if not has_display():
            raise UsageError("there is no display for a window: say --to rawvideo, into a pipe")

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        import cv2

        with suppress(cv2.error):
            cv2.destroyWindow(TITLE)

    def show(self, rgb: UInt8Array) -> bool:
        """Draw it, and look at the keys."""
        import cv2

        cv2.imshow(TITLE, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        pressed = cv2.waitKey(1) & 0xFF
        return (
            pressed not in (ord("q"), 27) and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) > 0
        )


def has_display() -> bool:
    """Whether a window can be opened; asking OpenCV itself would end the process."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Pipe:
    """Raw RGB frames, 24 bits per pixel, rows from the top, nothing between frames."""

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        """opened: opens the pipe; for a named one this waits until somebody reads."""
        self._opened = opened

    def __enter__(self) -> Pipe:
        self._file = self._opened()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # whoever read it has gone
            self._file.close()

    def show(self, rgb: UInt8Array) -> bool:
        """Write it whole; while the reader is slow, newer frames replace those that wait."""
        try:
            self._file.write(rgb.tobytes())
            self._file.flush()
        except BrokenPipeError:
            return False
        return True
