"""Eight samples learned by heart (`make test-slow`): can the compact networks learn at all?

The aims are those of any sound set-up of training. What it took is printed (`-s` shows it).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from dance_freestyle.b2f import character
from dance_freestyle.presets import COMPACT, Preset
from dance_freestyle.training.losses import masked_l1
from dance_freestyle.training.samples import open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import Batch, build
from dance_freestyle.training.trainer import Trainer
from made_samples import made_set

pytestmark = pytest.mark.slow

PRESET = COMPACT.with_overrides({"b2f.canvas": "256x160"})
"""Everything at 256x160."""

EIGHT, TOGETHER, MOST, EVERY = 8, 4, 600, 10
"""Samples, samples per step, steps after which it has failed, steps between looks."""


def learned(role: str, preset: Preset, folder: Path) -> tuple[Trainer, Batch]:
    """A training that sees the same eight items again and again, and all of them as a batch."""
    people = open_samples([made_set(folder / "made", people=EIGHT)])
    task = build(role, getattr(preset, role), seed=0)
    run = Trainer(task, people, Settings(steps=MOST, batch=TOGETHER), folder / "run")
    halves = [run.batch(range(k, k + TOGETHER)) for k in range(0, EIGHT, TOGETHER)]
    whole = run.batch(range(EIGHT))
    run.batch = lambda places: halves[places[0] // TOGETHER % len(halves)]  # type: ignore
    return run, whole


def until(run: Trainer, aim: Callable[[], bool], says: Callable[[], str]) -> None:
    """Train until the aim is reached, MOST steps at most; prints how it goes."""
    began = time.perf_counter()
    while not aim() and run.step < MOST:
        for _ in range(EVERY):
            run.one_step()
        print(f"{run.task.role} step {run.step}, {time.perf_counter() - began:.0f} s: {says()}")
    assert aim(), says()


@torch.no_grad()
def p2b_accuracy(run: Trainer, whole: Batch) -> float:
    """Share of pixels whose strongest label is the true one, of the averaged network."""
    labels = run.task.forward(whole, run.average).argmax(1)
    return float((labels == whole["P_M"]).float().mean())


@torch.no_grad()
def b2f_errors(run: Trainer, whole: Batch) -> tuple[float, float, float]:
    """Masked L1 in [-1, 1] of z and of what would be painted were nothing copied; share of pixels
    on the wrong side of the mask, over those of the person."""
    painted = run.task.forward(whole, run.average)
    inside = character(whole["P_B"])
    wrong = ((painted.m > 0.5) != (inside > 0.5)).sum() / inside.sum()
    z, colour = painted.z, painted.bent.colour
    found = [float(masked_l1(picture, whole["x"], inside)) for picture in (z, colour)]
    return found[0], found[1], float(wrong)


def test_p2b_learns_eight_samples_by_heart(tmp_path: Path) -> None:
    run, whole = learned("p2b", PRESET, tmp_path)
    assert p2b_accuracy(run, whole) < 0.5
    until(
        run, lambda: p2b_accuracy(run, whole) > 0.98,
        lambda: f"pixel accuracy {p2b_accuracy(run, whole):.4f}",
    )  # fmt: skip


def test_b2f_learns_eight_samples_by_heart(tmp_path: Path) -> None:
    """The warp alone is good on drawn people who only move: their colours must be learned too."""
    run, whole = learned("b2f", PRESET, tmp_path)
    assert b2f_errors(run, whole)[1] > 0.3
    until(
        run, lambda: max(b2f_errors(run, whole)) < 0.05,
        lambda: "masked L1 {:.4f}, painted {:.4f}, mask {:.4f}".format(*b2f_errors(run, whole)),
    )  # fmt: skip
