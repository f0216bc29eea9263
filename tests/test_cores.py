"""How many cores are used: those that the process may run on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from commands import Run

from dancecli.cli import train
from dancecli.cli.train_request import Request


@pytest.fixture
def one_core() -> Iterator[None]:
    """As a container or `taskset` allows it."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores, and a system that lets a process keep to one")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.usefixtures("one_core")
def test_the_doctor_counts_the_cores_that_may_be_used(run: Run) -> None:
    findings = {each["topic"]: each for each in json.loads(run("doctor", "--json").out)}
    assert "; 1 processor cores" in findings["devices"]["found"]


@pytest.mark.usefixtures("one_core")
def test_training_has_no_workers_where_there_is_one_core() -> None:
    request = Request(**dict.fromkeys(Request.__dataclass_fields__))
    assert train._workers(request) == 0


def test_help_says_what_is_used_by_default(run: Run) -> None:
    assert "OMP_NUM_THREADS, else a core each" in " ".join(run("reenact", "--help").out.split())
    assert "a core each but one, at most 8" in " ".join(run("train", "p2b", "--help").out.split())
