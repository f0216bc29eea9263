"""Training in two processes (gloo): the same as in one, stops and resumes together."""

from __future__ import annotations

import copy
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from dance_freestyle.training.checkpoints import checkpoints
from dance_freestyle.training.processes import ALONE, Processes, joined, place
from dance_freestyle.training.samples import open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import build
from freestyle_tiny import TINY
from made_samples import made_set
from torch.nn import BatchNorm2d, SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm
from training_pair import SETTINGS, STEPS, exactly, noisy, trainer

from dancecli.errors import UsageError

torch.set_num_threads(1)

HERE = Path(__file__).parent
FR = (
    "fr.size=64", "fr.encoder=4,8,8,8,8", "fr.start=8", "fr.latent=8", "fr.decoder=8,4,4,4",
    "fr.crop=32", "fr.embedding=8", "fr.ndf=4",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_set(tmp_path_factory.mktemp("made"), people=5)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def pair(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """Where two processes trained, and what each of them met."""
    out = tmp_path_factory.mktemp("pair")
    port = free_port()
    started = [
        subprocess.Popen(
            [sys.executable, str(HERE / "training_pair.py"), str(rank), str(port), str(folder),
             str(out)],
            stderr=subprocess.PIPE, text=True,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    said = [each.communicate(timeout=180)[1] for each in started]
    assert [each.returncode for each in started] == [0, 0], "\n".join(said)
    return out, [json.loads((out / f"{rank}.json").read_text()) for rank in (0, 1)]


def logged(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "losses.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("role", SETTINGS)
def test_two_processes_train_as_one_with_the_same_batch(
    role: str, pair: tuple[Path, list[Any]], folder: Path, tmp_path: Path
) -> None:
    out, met = pair
    with exactly():
        trainer(role, open_samples([folder]), tmp_path, ALONE, **SETTINGS[role]).train()
    two, one = logged(out / role), logged(tmp_path)
    assert len(two) == len(one) == STEPS
    for mine, theirs in zip(two, one, strict=True):
        assert mine == pytest.approx(theirs, rel=2e-5, abs=1e-8)
    assert one[0]["total"] != one[-1]["total"]
    # Every process ends with the same numbers, to the bit.
    assert met[0]["alike"][role] == met[1]["alike"][role]


def test_a_lost_loss_in_one_process_stops_all_and_one_says_why(
    pair: tuple[Path, list[Any]],
) -> None:
    kind, text, code = pair[1][0]["lost"]
    assert (kind, code) == ("TrainingError", 1) and "stopped at step 2" in text
    assert pair[1][1]["lost"][0::2] == ["StoppedError", 1]


def test_an_error_in_one_process_is_told_by_that_one(pair: tuple[Path, list[Any]]) -> None:
    assert pair[1][0]["damaged"][0::2] == ["StoppedError", 1]
    assert pair[1][1]["damaged"][:2] == ["MediaError", "sample 00001: 0.jpg: damaged picture"]


def test_a_signal_to_one_process_stops_all_and_they_go_on_to_the_bit(
    pair: tuple[Path, list[Any]],
) -> None:
    first, second = (met["resumed"] for met in pair[1])
    assert first["stopped"][0] == "KeyboardInterrupt"
    assert second["stopped"][0::2] == ["StoppedError", 130]
    assert first["began"] == second["began"] == 2
    for met in (first, second):
        # The network draws noise of its own in every process.
        assert met["resumed"] == met["whole"]
    assert first["whole"] == second["whole"]


def test_another_number_of_processes_does_not_go_on(
    pair: tuple[Path, list[Any]], folder: Path
) -> None:
    alone = noisy(open_samples([folder]), pair[0] / "whole", ALONE)
    with pytest.raises(UsageError, match="begun with processes 2, not 1"):
        alone.resume()


def test_what_each_learns_from_its_own_samples_is_shared(pair: tuple[Path, list[Any]]) -> None:
    first, second = (met["shared"] for met in pair[1])
    assert first["norms"] == second["norms"]
    # The one that saw more faces counts alone; those that saw as many count alike.
    assert first["means"] == second["means"] == [[2.0, 2], [3.0, 1]]


def test_batch_norm_is_over_all_processes_on_cuda_alone() -> None:
    network = build("p2b", TINY.p2b, 0).network
    names = list(network.state_dict())
    for world, device, kind in ((1, "cuda:0", BatchNorm2d), (2, "cpu", BatchNorm2d),
                                (2, "cuda:0", SyncBatchNorm)):  # fmt: skip
        found = Processes(0, world, device).with_shared_norms(copy.deepcopy(network))
        norms = [part for part in found.modules() if isinstance(part, _BatchNorm)]
        assert norms and all(type(norm) is kind for norm in norms)
        assert list(found.state_dict()) == names


def test_batches_divide_among_processes() -> None:
    settings = Settings(steps=1, batch=12, parts=2)
    assert [settings.share(world) for world in (1, 2, 3)] == [6, 3, 2]
    with pytest.raises(UsageError, match=r"batch of 12 .* divide by 8"):
        settings.share(4)


@pytest.mark.parametrize(("rank", "world"), [("x", "2"), ("2", "2"), ("-1", "2")])
def test_a_senseless_environment_is_refused(
    rank: str, world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", world)
    with pytest.raises(UsageError, match="RANK"):
        place()


def test_several_processes_share_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="cuda:1: several processes"), joined("cuda:1"):
        pass


def launched(folder: Path, run: Path, *more: str) -> subprocess.Popen[str]:
    """`dance train fr` in two processes by torchrun."""
    settings = [word for change in FR for word in ("--set", change)]
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
         "--master-port", str(free_port()), "--module", "dancecli", "train", "fr",
         "--data", str(folder), "-o", str(run), "--batch-size", "2", "--device", "cpu",
         "--pictures-every", "0", *settings, *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip


def test_torchrun_starts_the_command_and_ctrl_c_stops_it(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    started = launched(folder, run, "--steps", "100000", "--checkpoint-every", "5")
    deadline = time.monotonic() + 60
    while not checkpoints(run) and time.monotonic() < deadline and started.poll() is None:
        time.sleep(0.02)
    os.killpg(started.pid, signal.SIGINT)
    out, said = started.communicate(timeout=60)
    assert started.returncode != 0 and out == ""
    assert said.count("dance: stopped in step") == 1, said
    assert said.count("--resume goes on from") == 1
    assert len(checkpoints(run)) > 0
    states = [checkpoint.state()["settings"]["processes"] for checkpoint in checkpoints(run)]
    assert set(states) == {"2"}
