"""What `dance train --dry-run` says of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dance_freestyle.training.memory import activations
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.summary import Summary, summary


@dataclass(frozen=True)
class Plan:
    """A run before it begins.

    name: of the preset. world: processes. samples: None without data. frames: of all samples, None
    where the steps do not depend on them. epochs: that were asked for. known: whether the settings'
    steps are; else they follow from the epochs once data are there.
    """

    role: str
    name: str
    preset: Any
    settings: Settings
    world: int
    samples: int | None
    frames: int | None
    epochs: int
    out: Path | None
    known: bool

    @cached_property
    def counted(self) -> Summary:
        """The networks' counts."""
        return summary(self.role, self.preset)

    @cached_property
    def activations(self) -> int:
        """Bytes in one process, for the samples that it computes at a time."""
        return activations(self.role, self.preset, self.settings.share(self.world))


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain values."""
    counted, settings = plan.counted, plan.settings
    return {
        "network": plan.role, "preset": plan.name, "parameters": counted.parameters,
        "parts": counted.parts, "discriminator_parameters": counted.critics,
        "gflop": _rounded(counted.flop / 1e9), "bytes_without_activations": counted.memory,
        "bytes_of_activations": plan.activations, "samples": plan.samples,
        "frames": plan.frames,
        "batch": settings.batch, "processes": plan.world, "accumulate": settings.parts,
        "steps": settings.steps if plan.known else None, "epochs": plan.epochs,
        "checkpoints": str(plan.out or ""),
    }  # fmt: skip


def rows(plan: Plan) -> list[tuple[str, str]]:
    """The plan as names and texts, line by line."""
    counted, settings, schedule = plan.counted, plan.settings, plan.preset.schedule
    share, out = settings.share(plan.world), plan.out or "DIR of -o"
    steps = f"{settings.steps:,}" if plan.known else f"{plan.epochs} epochs of the data"
    return [
        ("network", f"{plan.role}, preset {plan.name}"),
        ("parameters", f"{counted.parameters:,}"),
        *((f"  {name}", f"{n:,}") for name, n in counted.parts.items()),
        ("discriminators", f"{counted.critics:,}"),
        ("forward", f"{_rounded(counted.flop / 1e9)} GFLOP per sample, 2 per multiply-add"),
        ("memory", f"{_gigabytes(counted.memory)} per process: weights, gradients, optimisers"),
        ("  activations", f"{_gigabytes(plan.activations)} more for {share} sample(s) at a time, "
                          "float32, estimated"),
        ("samples", _counted(plan)),
        ("batch", f"{settings.batch}: {plan.world} process(es), {settings.parts} part(s) of "
                  f"{share} in each"),
        ("steps", steps),
        ("rate", f"{schedule.rate:g}, Adam ({schedule.beta1:g}, {schedule.beta2:g})"
                 + (f", fading over the last {schedule.fade:.0%}" if schedule.fade else "")),
        ("checkpoints", f"{out}/step-NNNNNNNN, every {settings.every} steps"),
        ("pictures", f"{out}/pictures, every {settings.pictures} steps" if settings.pictures
                     else "none"),
    ]  # fmt: skip


def _counted(plan: Plan) -> str:
    frames = "" if plan.frames is None else f" in {plan.frames:,} frames"
    return f"{plan.samples:,}{frames}" if plan.samples else "unknown without --data"


def _rounded(number: float) -> float:
    """To a tenth, and small numbers to two digits."""
    return round(number, 1) if number >= 1 else float(f"{number:.2g}")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e7 else f"{count / 1e9:.2g} GB"
