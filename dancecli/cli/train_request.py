"""What `dance train` is asked for, and the steps that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dancecli.errors import UsageError


@dataclass(frozen=True)
class Request:
    """What the options ask for."""

    role: str
    data: str | None
    out: Path | None
    preset: str
    changes: tuple[str, ...]
    init: str | None
    resume: bool
    steps: int | None
    epochs: int | None
    batch_size: int | None
    accumulate: int
    device: str
    bf16: bool
    freeze_norms: bool
    workers: int | None
    seed: int
    checkpoint_every: int
    pictures_every: int
    render_with: str | None = None
    features: str | None = None
    map_with: str | None = None


def chosen_preset(request: Request) -> Any:
    """The preset with --set applied.

    Raises UsageError naming the nearest setting for an unknown one.
    """
    from dance_freestyle.presets import preset

    changes = {}
    for change in request.changes:
        key, sign, value = change.partition("=")
        if not sign:
            raise UsageError(f"--set {change}: write KEY=VALUE, for example p2b.use_dp=off")
        changes[key.strip()] = value.strip()
    return getattr(preset(request.preset).with_overrides(changes), request.role)


def frames_of(request: Request, data: Any) -> int | None:
    """How many samples are an epoch, None where nobody asks: some data must be made to know it."""
    return None if request.steps or data is None else int(data.frames)


def steps_of(request: Request, preset: Any, frames: int | None) -> int | None:
    """Steps of a run: those asked for, or those of its epochs, each of `frames` samples."""
    if request.steps or frames is None:
        return request.steps
    return max(1, round(float(epochs_of(request, preset) * frames) / batch_of(request, preset)))


def epochs_of(request: Request, preset: Any) -> int:
    """How often the data's frames are seen: as asked for, or the preset's."""
    return request.epochs or int(preset.schedule.epochs)


def batch_of(request: Request, preset: Any) -> int:
    """Samples of a step: as asked for, or the preset's."""
    return request.batch_size or int(preset.schedule.batch)
