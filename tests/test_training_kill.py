"""A training that is killed outright goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dance_freestyle.training.checkpoints import checkpoints
from made_samples import made_set
from safetensors.torch import load_file

FR = (
    "fr.size=64", "fr.encoder=4,8,8,8,8", "fr.start=8", "fr.latent=8", "fr.decoder=8,4,4,4",
    "fr.crop=32", "fr.embedding=8", "fr.ndf=4",
)  # fmt: skip
STEPS = 30


def started(folder: Path, run: Path, *more: str) -> subprocess.Popen[str]:
    settings = [word for change in FR for word in ("--set", change)]
    return subprocess.Popen(
        [sys.executable, "-m", "dancecli", "train", "fr", "--data", str(folder), "-o", str(run),
         "--steps", str(STEPS), "--batch-size", "2", "--checkpoint-every", "4", "--workers", "1",
         "--pictures-every", "10", "--device", "cpu", *settings, *more],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> None:
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said


def lines(run: Path) -> int:
    log = run / "losses.jsonl"
    return len(log.read_bytes().splitlines()) if log.exists() else 0


def test_a_killed_run_goes_on_to_the_bit(tmp_path: Path) -> None:
    folder = made_set(tmp_path / "made", people=5)
    broken = started(folder, tmp_path / "broken")
    while lines(tmp_path / "broken") < 11 and broken.poll() is None:
        time.sleep(0.005)
    broken.send_signal(signal.SIGKILL)
    broken.communicate(timeout=60)
    assert broken.returncode == -signal.SIGKILL
    kept = checkpoints(tmp_path / "broken")[-1].step
    assert 0 < kept < STEPS
    both = [
        started(folder, tmp_path / "whole"),
        started(folder, tmp_path / "broken", "--resume"),
    ]
    for process in both:
        finished(process)
    whole, resumed = (checkpoints(tmp_path / name)[-1] for name in ("whole", "broken"))
    assert whole.step == resumed.step == STEPS
    for name in ("fr", "fr-raw", "critics"):
        one, other = (load_file(each.path / f"{name}.safetensors") for each in (whole, resumed))
        assert one.keys() == other.keys()
        for key in one:
            assert one[key].numpy().tobytes() == other[key].numpy().tobytes(), key
    logs = [(tmp_path / name / "losses.jsonl").read_text() for name in ("whole", "broken")]
    assert logs[0] == logs[1] and len(logs[0].splitlines()) == STEPS
    for step in (10, 20, 30):
        name = f"pictures/step-{step:08d}.png"
        pictures = [(tmp_path / run / name).read_bytes() for run in ("whole", "broken")]
        assert pictures[0] == pictures[1]
