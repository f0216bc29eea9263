"""Two processes that train together, for tests/test_training_processes.py.

Run as `python training_pair.py RANK PORT DATA OUT` for ranks 0 and 1; each writes what it met to
OUT/RANK.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from dance_freestyle.training.losses import FacePerceptual
from dance_freestyle.training.processes import Processes, joined
from dance_freestyle.training.samples import open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import build
from dance_freestyle.training.trainer import Trainer
from freestyle_tiny import TINY

from dancecli.errors import MediaError

SETTINGS: dict[str, dict[str, Any]] = {
    "p2b": {"freeze_norms": True},
    "b2f": {},
    "fr": {"parts": 2, "workers": 1},
}
"""What each network is trained with, so that nothing couples the samples of a batch."""

STEPS, BATCH = 3, 4


def trainer(role: str, data: Any, folder: Path, processes: Processes, **settings: Any) -> Trainer:
    """A run of a tiny network."""
    chosen = {"steps": STEPS, "batch": BATCH, "every": 2, **settings}
    task = build(role, getattr(TINY, role), 0)
    return Trainer(task, data, Settings(**chosen), folder, processes=processes)


@contextmanager
def exactly() -> Iterator[None]:
    """All numbers in double precision.

    In single precision a rounding more or less decides on which side of a kink (leaky ReLU, hinge)
    a value lies, and Adam makes whole steps of gradients that are rounding alone.
    """
    single, made = torch.Tensor.float, Trainer._made
    torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign, assignment]
    Trainer._made = lambda run, items: {  # type: ignore[method-assign]
        name: value.double() if value.is_floating_point() else value
        for name, value in made(run, items).items()
    }
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        torch.Tensor.float, Trainer._made = single, made  # type: ignore[method-assign]


def fingerprint(run: Trainer) -> str:
    """Of all that was trained."""
    digest = hashlib.sha256()
    for module in (run.task.network, run.task.critics, run.average):
        for value in module.state_dict().values():
            digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def outcome(run: Trainer) -> list[Any]:
    """How the run ends: kind, text and exit code of what it raises."""
    try:
        run.train()
    except (Exception, KeyboardInterrupt) as error:
        return [type(error).__name__, str(error), getattr(error, "exit_code", None)]
    return ["done", "", 0]


def alike(data: Any, out: Path, processes: Processes) -> dict[str, str]:
    """Each network, as one process alone would train it."""
    found = {}
    for role, settings in SETTINGS.items():
        with exactly():
            run = trainer(role, data, out / role, processes, **settings)
            run.train()
        found[role] = fingerprint(run)
    return found


def lost(data: Any, out: Path, processes: Processes) -> list[Any]:
    """In the second step, and in the second process only, a loss is NaN."""
    run = trainer("fr", data, out / "lost", processes)
    terms = run.task.generator_terms

    def poisoned(batch: Any, output: Any) -> Any:
        bad = run.step == 1 and processes.rank == 1
        return {name: x * float("nan") if bad else x for name, x in terms(batch, output).items()}

    run.task.generator_terms = poisoned  # type: ignore[method-assign]
    return outcome(run)


def damaged(data: Any, out: Path, processes: Processes) -> list[Any]:
    """A sample that only the second process meets is damaged."""
    run = trainer("fr", data, out / "damaged", processes)

    def show(sample: Any, *, rng: Any) -> Any:
        if processes.rank == 1 and run.step == 1:
            raise MediaError("sample 00001: 0.jpg: damaged picture")
        return run.task.item(sample, rng=rng)

    run.items.show = show
    return outcome(run)


def noisy(data: Any, run: Path, processes: Processes, stop: bool = False) -> Trainer:
    """A run whose network draws in every step; `stop`: the second process is told to, in step 3."""
    made = trainer("fr", data, run, processes, steps=4)
    forward = made.task.forward

    def drawn(batch: Any, network: Any = None) -> Any:
        if stop and made.step == 2 and processes.rank == 1:
            os.kill(os.getpid(), signal.SIGINT)
        noise = 0.01 * torch.randn(batch["c0"].shape)
        return forward({**batch, "c0": batch["c0"] + noise}, network)

    made.task.forward = drawn  # type: ignore[method-assign]
    return made


def resumed(data: Any, out: Path, processes: Processes) -> dict[str, Any]:
    """A run that is stopped by a signal to one process, and goes on."""
    whole = noisy(data, out / "whole", processes)
    whole.train()
    stopped = outcome(noisy(data, out / "broken", processes, stop=True))
    processes.signals.found = 0
    torch.manual_seed(99)
    again = noisy(data, out / "broken", processes)
    again.resume()
    began = again.step
    again.train()
    return {
        "stopped": stopped, "began": began, "whole": fingerprint(whole),
        "resumed": fingerprint(again),
    }  # fmt: skip


def shared(data: Any, out: Path, processes: Processes) -> dict[str, Any]:
    """What a process learns from its own samples: batch norms' statistics, and running means."""
    run = trainer("p2b", data, out / "norms", processes, steps=1)
    run.train()
    means = []
    for seen in ((2, 1), (1, 1)):
        judge = FacePerceptual(lambda rgb: [rgb], 1)
        judge.scale.fill_(2.0 + 2 * processes.rank)
        judge.seen.fill_(seen[processes.rank])
        judge.agree(processes)
        means.append([judge.scale.item(), judge.seen.item()])
    return {"norms": fingerprint(run), "means": means}


def main(rank: str, port: str, data: str, out: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }  # fmt: skip
    people, folder = open_samples([Path(data)]), Path(out)
    with joined("cpu") as processes:
        found = {
            each.__name__: each(people, folder, processes)
            for each in (alike, lost, damaged, resumed, shared)
        }
    (folder / f"{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
