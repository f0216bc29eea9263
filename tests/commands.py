"""The command in the test's own process: what conftest's fixture `run` gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Ran(NamedTuple):
    """Exit code, stdout, stderr."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]
