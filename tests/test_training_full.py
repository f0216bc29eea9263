"""A training whose disk fills up says so in one line, and what it goes on from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dance_freestyle.training.checkpoints import checkpoints
from made_samples import made_set

OPTIONS = (
    "--device", "cpu", "--batch-size", "2", "--workers", "0", "--pictures-every", "0",
    "--set", "embedder.crop=32", "--set", "embedder.widths=8,8,8,8", "--set", "embedder.size=8",
)  # fmt: skip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file size")


def trained(folder: Path, out: Path, limit: int, *more: str) -> subprocess.CompletedProcess[str]:
    """A limit on the size of files stands for a disk without room."""
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "from dancecli.cli.main import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "train", "embedder", "--data", str(folder), "-o", str(out),
         *OPTIONS, *more],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_a_checkpoint_without_room_leaves_the_one_before(tmp_path: Path) -> None:
    folder, out = made_set(tmp_path / "made", people=3), tmp_path / "run"
    assert trained(folder, out, 1 << 30, "--steps", "1").returncode == 0
    (first,) = checkpoints(out)
    # Room for the networks, and not for the optimisers, which are twice as large.
    sizes = {path.name: path.stat().st_size for path in first.path.iterdir()}
    assert sizes["state.pt"] > sizes["embedder.safetensors"] + 1000
    done = trained(folder, out, sizes["state.pt"] - 1000, "--steps", "2", "--resume")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("dance: error: the checkpoint of step 2 cannot be written: File too")
    assert f"--resume goes on from {first.path}" in last
    assert checkpoints(out) == [first] and not list(out.glob("*.part"))
    again = trained(folder, out, 1 << 30, "--steps", "2", "--resume")
    assert again.returncode == 0, again.stderr
