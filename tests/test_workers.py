"""Workers of this machine that are killed, busy or idle."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dancecli.workers.processes import _work, run_processes
from dancecli.workers.queue import Queue


@dataclass(frozen=True)
class Piece:
    """folder: where a first try leaves word that it was made."""

    number: int
    name: str
    folder: Path


class Noted(Queue[Piece]):
    """Remembers what its workers tell."""

    pid = 0

    def heard(self, task: Piece, note: Any) -> None:
        self.pid = note


def quick_then_killed(piece: Piece, tell: Callable[[Any], None]) -> int:
    """The first is done at once; the second is killed at first, after the first's worker."""
    if piece.number == 1:
        tell(os.getpid())
    tried = piece.folder / "tried"
    if piece.number == 2 and not tried.exists():
        tried.touch()
        while not (piece.folder / "killed").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)
    return piece.number


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_worker_that_is_killed_while_idle_costs_nothing_but_itself(tmp_path: Path) -> None:
    said: list[str] = []
    queue = Noted([Piece(n, f"piece {n}", tmp_path) for n in (1, 2)], said.append)
    done = {}
    for piece, made in run_processes(quick_then_killed, queue, 2):
        done[piece.number] = made
        if piece.number == 1:
            os.kill(queue.pid, signal.SIGKILL)
            (tmp_path / "killed").touch()
    assert done == {1: 1, 2: 2}
    assert sum("killed" in text for text in said) == 2


def chatty(_task: int, tell: Callable[[Any], None]) -> int:
    tell("a word that nobody reads")
    return 0


def test_a_worker_whose_last_words_nobody_reads_ends_in_silence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The parent closes a pipe that holds them still: the worker's end is reset, not ended."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, chatty), daemon=True)
    process.start()
    theirs.close()
    ours.send(1)
    assert ours.poll(60)
    time.sleep(0.2)  # it waits for the next task
    ours.close()
    process.join(60)
    assert (process.exitcode, capfd.readouterr().err) == (0, "")
