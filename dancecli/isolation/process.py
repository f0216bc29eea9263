"""One worker process: started, asked, limited in time, ended; nothing of it outlives us."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dancecli.errors import PluginError
from dancecli.isolation import bootstrap
from dancecli.isolation.environment import Loan, variables
from dancecli.isolation.messages import Channel, ProtocolError, Room
from dancecli.workdir import cache_root

GRACE = 5.0
"""Seconds beyond its limit: a worker that can ends itself at the limit, with a traceback logged."""

START = 60.0
"""Seconds that a worker has at least to get ready."""

PATIENCE = 3.0
"""Seconds that a worker has to end by itself."""

Replies = queue.SimpleQueue[dict[str, Any] | ProtocolError | None]


class WorkerError(Exception):
    """The worker ended, was ended for its silence, or spoke nonsense; str says how."""


class Process:
    """A worker, ready for requests. Not for several threads at once.

    dropped: numbers of things that are no longer needed there, told with the next request.
    """

    def __init__(self, python: str, loan: Loan, log: Path, limit: float) -> None:
        """loan: what is lent to it. log: takes all that it prints.

        Raises PluginError when it does not get as far as its first message.
        """
        self.log, self.limit, self.owner = log, limit, os.getpid()
        self.dropped: deque[int] = deque()
        self._said_before = log.stat().st_size if log.exists() else 0
        self.room = Room.new()
        self._popen = _started(python, loan, self.room, log, limit)
        self._replies = Replies()
        self._end = weakref.finalize(self, _end, self._popen, self.room, self.owner)
        assert self._popen.stdin and self._popen.stdout
        self._channel = Channel(self._popen.stdout, self._popen.stdin)
        listener = threading.Thread(
            target=_listen, args=(self._channel, self._replies), daemon=True
        )
        listener.start()
        try:
            self._receive(max(START, limit))
        except WorkerError as death:
            raise PluginError(f"{python} cannot be used: {death}; {self.logged()}") from None
        self.room.unlink()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request.

        Raises WorkerError when none comes within the limit, the error that the worker answers with.
        """
        dropped = [self.dropped.popleft() for _ in range(len(self.dropped))]
        try:
            with suppress(OSError):  # it is dead; `_receive` finds out how it died
                self._channel.send({**request, "dropped": dropped})
            return self._receive(self.limit)
        except WorkerError:
            raise
        except BaseException:  # Ctrl-C: the answer to come would be taken for the next one's
            self.kill()
            raise

    def _receive(self, limit: float) -> dict[str, Any]:
        began = time.monotonic()
        try:
            reply = self._replies.get(timeout=limit + GRACE)
        except queue.Empty:
            reply = None
        if isinstance(reply, dict):
            return reply
        late = time.monotonic() - began >= limit
        if late or isinstance(reply, ProtocolError):
            self.kill()
        raise WorkerError(
            f"no answer within {limit:g} s" if late
            else f"it answered with {reply}" if reply
            else self._death()
        )  # fmt: skip

    def _death(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(PATIENCE)
        code = self._popen.poll()
        self.kill()
        if code is None:
            return "it closed its pipe"
        return f"signal {-code} {_signal_name(-code)}" if code < 0 else f"exit code {code}"

    @property
    def ended(self) -> bool:
        """Whether it was ended from here."""
        return not self._end.alive

    def kill(self) -> None:
        """End it now, with whatever it has started."""
        _kill(self._popen)
        self._end()

    def close(self) -> None:
        """Let it end."""
        self._end()

    def logged(self) -> str:
        """How its log ends and where it is, in one line."""
        with suppress(OSError), self.log.open("rb") as file:
            file.seek(self._said_before)
            text = file.read().decode(errors="replace")
            said = [" ".join(line.split())[:200] for line in text.split("\n") if line.strip()]
            return f"its log ends: {' | '.join(_telling(said)) or '(empty)'}; all of it: {self.log}"
        return f"its log cannot be read: {self.log}"


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return "unknown"
    return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name


def _started(
    python: str, loan: Loan, room: Room, log: Path, limit: float
) -> subprocess.Popen[bytes]:
    plan = {**asdict(loan), "room": [str(path) for path in room.paths], "limit": limit}
    # A group of its own: Ctrl-C on the terminal is ours to answer, and what it starts ends with it.
    own: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            return subprocess.Popen(
                [python, bootstrap.__file__, json.dumps(plan)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env=variables(python), **own,
            )  # fmt: skip
    except OSError as error:
        room.close()
        raise PluginError(
            f"{python} cannot be started: {error.strerror or error}; name another with: "
            "dance plugins isolate NAME --python PATH"
        ) from error


def _listen(channel: Channel, replies: Replies) -> None:
    """Every message and, last, how they ended."""
    try:
        while (message := channel.receive()) is not None:
            replies.put(message)
        replies.put(None)
    except ProtocolError as nonsense:
        replies.put(nonsense)
    except (OSError, ValueError):  # closed from this side
        replies.put(None)


def _end(popen: subprocess.Popen[bytes], room: Room, owner: int) -> None:
    if owner != os.getpid():  # in a fork of the process that started it
        return
    assert popen.stdin and popen.stdout
    with suppress(OSError):
        popen.stdin.close()
    try:
        popen.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        _kill(popen)
    room.close()


def _kill(popen: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            popen.kill()
        else:
            os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()


KEPT = 14 * 86400
"""Seconds that the log of a worker that failed is kept."""

TAIL = 3
"""Lines of a log that fit into a message."""


def new_log(name: str) -> Path:
    """Where a worker's output goes; what earlier ones left long ago is removed."""
    folder = cache_root() / "logs"
    for old in folder.glob("*.log"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > KEPT:
                old.unlink()
    plain = re.sub(r"[^\w.-]", "_", name)
    return folder / f"{plain}-{os.getpid()}.log"


def _telling(lines: list[str]) -> list[str]:
    """The last lines; of a crash report its head and the innermost call."""
    heads = ("Fatal Python error:", "Timeout (")
    starts = [n for n, line in enumerate(lines) if line.startswith(heads)]
    if not starts:
        return lines[-TAIL:]
    report = lines[starts[-1] :]
    return [report[0], *[line for line in report if line.startswith("File ")][:1]]
