"""`dance train ROLE --dry-run`, for every network that can be trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from dance_freestyle.checkpoint import ROLES
from dance_freestyle.presets import COMPACT
from dance_freestyle.training.memory import activations
from dance_freestyle.training.samples import open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import build
from dance_freestyle.training.trainer import Trainer
from freestyle_tiny import TINY
from made_samples import made_set
from torch.profiler import profile

from dancecli.cli.train import command

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_set(tmp_path_factory.mktemp("made"), people=5)


def planned(*args: str) -> Any:
    result = CliRunner().invoke(command, [*args, "--dry-run", "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("role", "network", "critics", "gflop"),
    [
        ("p2b", 182_622_102, 5_625_730, 317.1),
        ("b2f", 93_020_420 + 67_125_248, 5_582_978, 334.2),
        ("fr", 150_736_229, 2_762_945, 9.6),
        ("parser", 3_036_040, 0, 3.8),
        ("embedder", 180_480, 0, 0.031),  # two looks at a face
    ],
)
def test_dry_run_counts_the_paper_to_the_parameter(
    role: str, network: int, critics: int, gflop: float
) -> None:
    plan = planned(role, "--preset", "paper")
    assert plan["parameters"] == network == sum(plan["parts"].values())
    assert (plan["discriminator_parameters"], plan["gflop"]) == (critics, gflop)


@pytest.mark.parametrize("role", ROLES)
def test_the_plan_of_every_network_is_told_line_by_line(role: str) -> None:
    plan, said = planned(role), CliRunner().invoke(command, [role, "--dry-run"]).output
    assert f"{plan['parameters']:,}" in said and f"{plan['gflop']} GFLOP" in said
    assert " 0.0 G" not in said and " 0.00 G" not in said


@pytest.mark.parametrize("role", ROLES)
def test_what_is_counted_is_what_is_trained(role: str) -> None:
    plan, task = planned(role), build(role, getattr(COMPACT, role), 0)
    network, critics = (
        sum(p.numel() for p in m.parameters()) for m in (task.network, task.critics)
    )
    assert (plan["parameters"], plan["discriminator_parameters"]) == (network, critics)
    # Weight, gradient, Adam's two, and of the network its average: four bytes each.
    assert plan["bytes_without_activations"] == 4 * (5 * network + 4 * critics)


def most_allocated(folder: Path, run: Trainer, count: int) -> int:
    """Bytes at most at a time beside what was there, as torch's own profiler tells."""
    run.one_step()  # gradients and the optimisers' numbers are then there
    batch = run.batch(range(count))
    with profile(profile_memory=True) as profiled:
        run._backward(batch)
    profiled.export_chrome_trace(str(folder / "trace.json"))
    events = json.loads((folder / "trace.json").read_text())["traceEvents"]
    changes = [event for event in events if event["name"] == "[memory]"]
    now = most = 0
    for event in sorted(changes, key=lambda event: float(event["ts"])):
        now += event["args"]["Bytes"]
        most = max(most, now)
    return most


@pytest.mark.parametrize("role", ROLES)
def test_memory_is_estimated_as_a_step_takes_it(role: str, folder: Path, tmp_path: Path) -> None:
    preset, count = getattr(TINY, role), 4
    run = Trainer(build(role, preset, 0), open_samples([folder]), Settings(9, count), tmp_path)
    taken = most_allocated(tmp_path, run, count)
    assert activations(role, preset, count) == pytest.approx(taken, rel=0.1)


def test_memory_grows_with_what_is_computed_at_a_time() -> None:
    def activations_of(*more: str) -> int:
        return int(planned("fr", *more)["bytes_of_activations"])

    four, eight = activations_of("--batch-size", "4"), activations_of("--batch-size", "8")
    assert eight == pytest.approx(2 * four, rel=0.05)
    assert activations_of("--batch-size", "8", "--accumulate", "2") == four
