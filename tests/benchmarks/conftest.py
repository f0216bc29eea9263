"""What `make bench` prints at its end: one table, each value beside that of a stored run.

pytest tests/benchmarks -m bench --bench-out out/bench.json --bench-against stored.json
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Record = Callable[[str, float, str], None]
"""name, value, unit."""

FASTER_IS_MORE = ("1/s", "x")
"""Units of which more is better; of all others, less."""

_values = pytest.StashKey[dict[str, dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench-out", type=Path, metavar="FILE", help="Write all values as JSON.")
    parser.addoption("--bench-against", type=Path, metavar="FILE", help="An earlier --bench-out.")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_values] = {}


@pytest.fixture
def record(pytestconfig: pytest.Config) -> Record:
    """Takes one measured value for the table."""

    def take(name: str, value: float, unit: str) -> None:
        pytestconfig.stash[_values][name] = {"value": value, "unit": unit}

    return take


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    timed = {
        each.name.removeprefix("test_"): {"value": each.stats.median, "unit": "s"}
        for each in (session.benchmarks if session else ())
        if each.stats.rounds
    }
    found = timed | config.stash[_values]
    if not found:
        return
    against, out = config.getoption("--bench-against"), config.getoption("--bench-out")
    before = json.loads(against.read_text())["values"] if against and against.exists() else {}
    terminalreporter.section("measured")
    for name, each in found.items():
        terminalreporter.write_line(_line(name, each, before.get(name)))
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"machine": _machine(), "values": found}, indent=1)
        out.write_text(text + "\n", encoding="utf-8")


def _line(name: str, each: dict[str, Any], before: dict[str, Any] | None) -> str:
    line = f"{name:58} {each['value']:12.4g} {each['unit']:5}"
    if before is None or before["unit"] != each["unit"] or not before["value"]:
        return line
    ratio = each["value"] / before["value"]
    better = ratio if each["unit"] in FASTER_IS_MORE else 1 / ratio
    return f"{line} {better:6.2f} x as good as {before['value']:.4g}"


def _machine() -> dict[str, Any]:
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
        "cuda": device, "torch": torch.__version__, "python": platform.python_version(),
    }  # fmt: skip
