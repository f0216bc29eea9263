"""A command of `dance` as a process of its own, which ends with the one that waits for it."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess

from dancecli.workers.processes import PATIENCE, end_with_parent


def command(arguments: Sequence[str], silent: bool = False) -> int:
    """Its exit code, negative for a signal; silent: what it writes to stdout is dropped."""
    # Spawned, not run as a program: that one would go on when this process is killed.
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_alone, args=(list(arguments), silent))
    process.start()
    try:
        process.join()
    except KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            process.join(PATIENCE)  # a terminal tells it as well, and it keeps its work first
        raise
    finally:
        _ended(process)
    return process.exitcode or 0


def _ended(process: BaseProcess) -> None:
    if process.is_alive():
        process.terminate()
        process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()


def _alone(arguments: list[str], silent: bool) -> None:
    from dancecli.cli.main import main

    end_with_parent()
    if silent:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # its own workers' too
    main(arguments)
