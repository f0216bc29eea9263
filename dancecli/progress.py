"""How far a run is: a tqdm bar on a terminal, plain lines elsewhere, JSON lines when asked."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

LINE_EVERY = 5.0
"""Seconds between plain progress lines."""


class Messages(logging.Formatter):
    """Log messages as lines for people, or as JSON lines once `as_json` is set."""

    as_json = False

    def format(self, record: logging.LogRecord) -> str:
        """The message, with the traceback if it has one."""
        text = super().format(record)
        if not self.as_json:
            return f"dance: {text}"
        return json.dumps({"event": "message", "level": record.levelname.lower(), "text": text})


MESSAGES = Messages()
"""How this process writes what is logged, and how it says why it ends."""


def log_to_stderr(as_json: bool) -> None:
    """Messages of this process go to stderr from now on, unless the caller has logging set up.

    as_json: as JSON lines, and with them Python's own warnings.
    """
    MESSAGES.as_json = as_json
    if sys.stderr is None:
        sys.stderr = _nowhere()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MESSAGES)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(as_json)


def _nowhere() -> TextIO:
    """For a closed stderr, also of child processes: what is opened next would take its place, and
    be written to."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != 2:
        os.dup2(nowhere, 2)
        os.close(nowhere)
    os.set_inheritable(2, True)
    return os.fdopen(2, "w", errors="backslashreplace", closefd=False)


@dataclass
class Progress:
    """Where stages report to. style: "auto", "bar", "lines", "json" or "quiet"."""

    style: str = "auto"
    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def __post_init__(self) -> None:
        if self.style == "auto":
            self.style = "bar" if self.stream.isatty() else "lines"

    def say(self, text: str) -> None:
        """One line for the user, unless quiet."""
        if self.style == "json":
            self._json(event="message", level="info", text=text)
        elif self.style != "quiet":
            print(f"dance: {text}", file=self.stream, flush=True)

    def report(self, text: str, /, **record: object) -> None:
        """One event: `record` where JSON is asked for, else the line `text`."""
        if self.style == "json":
            self._json(**record)
        else:
            self.say(text)

    @contextmanager
    def stage(
        self, name: str, total: int, done: int = 0, unit: str = "frame"
    ) -> Iterator[Callable[[], None]]:
        """Count `total` units of a stage, `done` of them earlier; yields what to call for each."""
        if self.style == "bar":
            from tqdm import tqdm

            with tqdm(
                total=total, initial=done, desc=f"{name:10}", unit=unit,
                file=self.stream, dynamic_ncols=True, leave=True,
            ) as bar:  # fmt: skip
                yield lambda: bar.update() and None
            return
        meter = _Meter(self, name, total, done, unit)
        yield meter.step
        meter.close()

    def _json(self, **record: object) -> None:
        print(json.dumps(record), file=self.stream, flush=True)


class _Meter:
    """Plain or JSON lines: one at most every LINE_EVERY seconds, and one at the end."""

    def __init__(self, progress: Progress, name: str, total: int, done: int, unit: str) -> None:
        self.progress, self.name, self.total, self.unit = progress, name, total, unit
        self.first = self.count = done
        self.began = self.last = time.monotonic()

    def step(self) -> None:
        self.count += 1
        now = time.monotonic()
        if now - self.last >= LINE_EVERY and self.count < self.total:
            self.last = now
            self.report(now)

    def close(self) -> None:
        self.report(time.monotonic())

    def report(self, now: float) -> None:
        seconds = max(now - self.began, 1e-6)
        rate = (self.count - self.first) / seconds
        left = (self.total - self.count) / rate if rate > 0 else None
        if self.progress.style == "json":
            self.progress._json(
                event="progress", stage=self.name, done=self.count, total=self.total,
                per_second=round(rate, 2), seconds_left=None if left is None else round(left, 1),
            )  # fmt: skip
        elif self.progress.style == "lines":
            eta = f", {left:.0f} s left" if left else ""
            pace = f"{rate:.1f} {self.unit}s/s"
            self.progress.say(f"{self.name} {self.count}/{self.total}, {pace}{eta}")
