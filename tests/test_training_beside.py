"""A folder of training has one writer: a second run is refused, and none outlives its recipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import Run
from filelock import FileLock
from made_samples import made_set

OPTIONS = (
    "--device", "cpu", "--batch-size", "2", "--workers", "0", "--pictures-every", "0",
    "--set", "embedder.crop=32", "--set", "embedder.widths=8,8,8,8", "--set", "embedder.size=8",
)  # fmt: skip


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "dancecli", *map(str, words)]


def begun(log: Path, process: subprocess.Popen[str]) -> None:
    """Waits until a training has made a step."""
    while not (log.exists() and log.stat().st_size):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_a_second_trainer_leaves_the_first_ones_folder_alone(run: Run, tmp_path: Path) -> None:
    folder, out = made_set(tmp_path / "made", people=3), tmp_path / "run"
    train = ("train", "embedder", "--data", folder, "-o", out, *OPTIONS, "--steps")
    first = subprocess.Popen(command(*train, "100000"), stderr=subprocess.PIPE, text=True)
    begun(out / "losses.jsonl", first)
    for more in ((), ("--resume",)):
        second = run(*train, "1", *more)
        assert second.code == 1
        assert second.err.splitlines()[-1] == f"dance: error: {out}: another run is writing there"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    again = run(*train, "1")
    assert again.code == 0, again.err


def test_a_run_that_could_not_begin_leaves_no_folder(run: Run, tmp_path: Path) -> None:
    ran = run("train", "embedder", "--data", "no/data", "-o", tmp_path / "run")
    assert ran.code == 2
    assert not (tmp_path / "run").exists()


def test_a_second_recipe_leaves_the_first_ones_folder_alone(run: Run, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"):
        ran = run("train", "compact", "-o", tmp_path, "--scale", "tiny", "--data", "no/data")
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == f"dance: error: {tmp_path}: another run is writing there"


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_step_ends_with_its_recipe(how: signal.Signals, tmp_path: Path) -> None:
    """Else the same command again would train beside it."""
    folder, out = made_set(tmp_path / "made", people=3), tmp_path / "run"
    recipe = subprocess.Popen(
        command("train", "compact", "-o", out, "--data", folder, "--workers", "1"),
        stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    begun(out / "parser-coarse" / "losses.jsonl", recipe)
    steps = [pid for pid in children(recipe.pid) if "resource_tracker" not in told(pid)]
    assert steps
    recipe.send_signal(how)
    recipe.wait(timeout=60)
    deadline = time.monotonic() + 60
    while any(map(runs, steps)) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = [pid for pid in steps if runs(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "the step goes on by itself"


def told(pid: int) -> str:
    """A process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_text()
