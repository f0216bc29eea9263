"""Samples prepared ahead by other processes: the same, in order, and with their errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dance_freestyle.training.feeding import Items, feed
from dance_freestyle.training.processes import TrainingError
from dance_freestyle.training.samples import Sample, open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import build
from dance_freestyle.training.trainer import Trainer
from freestyle_tiny import TINY
from made_samples import made_set

from dancecli.errors import MediaError

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return open_samples([made_set(tmp_path_factory.mktemp("made"), people=5)])


def items(people: list[Sample], role: str = "b2f") -> Items:
    return Items(people, build(role, getattr(TINY, role), 0).item, seed=3)


@pytest.mark.parametrize(("role", "workers"), [("p2b", 1), ("b2f", 2), ("fr", 2)])
def test_items_made_ahead_are_those_made_in_turn(
    role: str, workers: int, people: list[Sample]
) -> None:
    places = [4, 5, 9, 2, 2, 7, 11]
    here = items(people, role)
    random = torch.get_rng_state()
    with feed(here, iter(places), workers, ahead=3) as coming:
        found = coming(3) + coming(4)
    assert torch.equal(random, torch.get_rng_state())  # no chance is taken from the training
    for place, item in zip(places, found, strict=True):
        wanted = here[place]
        assert item.keys() == wanted.keys()
        for name, value in wanted.items():
            assert value.dtype == item[name].dtype and torch.equal(value, item[name])


class Damaged:
    """Shows nothing at the fourth sample it is asked for."""

    def __call__(self, sample: Sample, *, rng: np.random.Generator) -> Any:
        if sample.key == "00003":
            raise MediaError("sample 00003: 0.jpg: damaged picture")
        return {"key": torch.tensor(int(sample.key))}


def test_an_error_comes_where_its_sample_is(people: list[Sample]) -> None:
    here = Items(people, Damaged(), seed=0)
    order = [int(people[k].key) for k in np.random.default_rng([0, 0]).permutation(5)]
    with feed(here, iter(range(5)), workers=2, ahead=5) as coming:
        before = [int(coming(1)[0]["key"]) for _ in range(order.index(3))]
        with pytest.raises(MediaError, match=r"^sample 00003: 0.jpg: damaged picture$"):
            coming(1)
    assert before == order[: order.index(3)]


class Odd:
    """Fails as nobody thought of."""

    def __call__(self, sample: Sample, *, rng: np.random.Generator) -> Any:
        raise OSError(24, "Too many open files")


def test_what_nobody_thought_of_is_told_and_ends_the_training(people: list[Sample]) -> None:
    with (
        feed(Items(people, Odd(), 0), iter(range(5)), workers=1, ahead=2) as coming,
        pytest.raises(TrainingError, match=r"OSError: .*Too many open files"),
    ):
        coming(1)


class Counting:
    """Writes a line to a file for each sample that is made; each tells who made it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, sample: Sample, *, rng: np.random.Generator) -> Any:
        with self.path.open("a") as file:
            file.write("made\n")
        return {"process": torch.tensor(os.getpid())}


def gone(process: int) -> bool:
    status = Path(f"/proc/{process}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at processes in /proc")
def test_no_more_is_made_ahead_than_asked_for_and_nobody_stays(
    people: list[Sample], tmp_path: Path
) -> None:
    counting = Counting(tmp_path / "made")
    with feed(Items(people, counting, 0), iter(range(1000)), workers=2, ahead=6) as coming:
        makers = {int(item["process"]) for item in coming(2)}
        time.sleep(1.0)
        made = len((tmp_path / "made").read_text().splitlines())
    assert made <= 2 + 6
    assert os.getpid() not in makers and len(makers) == 2
    assert all(gone(process) for process in makers)


def test_a_killed_worker_is_told_in_one_line(people: list[Sample], tmp_path: Path) -> None:
    here = Items(people, Counting(tmp_path / "made"), 0)
    with feed(here, iter(range(1000)), workers=1, ahead=1) as coming:
        os.kill(int(coming(1)[0]["process"]), signal.SIGKILL)
        with pytest.raises(TrainingError, match="--workers"):
            for _ in range(10):
                coming(1)


KILLED = """
import os, signal, sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from test_training_feed import Counting, Items, feed, open_samples
items = Items(open_samples([Path({made!r})]), Counting(Path({count!r})), 0)
with feed(items, iter(range(1000)), workers=2, ahead=4) as coming:
    print(*(int(item["process"]) for item in coming(2)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at processes in /proc")
def test_workers_end_with_a_training_that_is_killed(tmp_path: Path) -> None:
    made = made_set(tmp_path / "made", people=5)
    tests = str(Path(__file__).parent)
    script = KILLED.format(tests=tests, made=str(made), count=str(tmp_path / "count"))
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )  # returns only once nobody holds its output any more
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left, until = killed.stdout.split(), time.monotonic() + 30
    while left and time.monotonic() < until:
        left = [process for process in left if not gone(int(process))]
    assert not left


def test_a_run_with_workers_is_the_run_without(people: list[Sample], tmp_path: Path) -> None:
    ends = []
    for workers in (0, 2):
        task = build("b2f", TINY.b2f, 0)
        settings = Settings(steps=2, batch=4, parts=2, workers=workers)
        Trainer(task, people, settings, tmp_path / str(workers)).train()
        ends.append(task.network.state_dict())
    assert all(torch.equal(ends[0][key], ends[1][key]) for key in ends[0])
