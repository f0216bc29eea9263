"""Checkpoints of training: a folder per kept step, there whole or not at all.

RUN/step-00000100/
    ROLE.safetensors        the averaged network (EMA): what rendering uses and --init takes
    ROLE-raw.safetensors    the network as training goes on from it
    critics.safetensors     its discriminators
    state.pt                optimisers, each process's random numbers, counters; read with
                            weights_only=True
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dance_freestyle.checkpoint import load_network, save_network
from dance_freestyle.weight_files import check_state
from dancecli.errors import WeightsError
from dancecli.workdir import write_aside

KEPT = 3
"""Checkpoints that a run keeps."""

LARGEST_STATE = 8 << 30

_STEP = re.compile(r"step-(\d{8})")


@dataclass(frozen=True)
class Checkpoint:
    """One kept step of a run."""

    path: Path
    step: int

    @classmethod
    def of(cls, run: Path, step: int) -> Checkpoint:
        """The checkpoint of that step, whether it is there or not."""
        return cls(run / f"step-{step:08d}", step)

    def network(self, role: str, raw: bool = False) -> nn.Module:
        """The averaged network, or the one that training goes on from.

        Raises WeightsError when the file is damaged.
        """
        path = self.path / f"{role}{'-raw' if raw else ''}.safetensors"
        try:
            return load_network(path, role)
        except WeightsError as error:
            if isinstance(error.__cause__, OSError | SafetensorError):
                raise self._unreadable(str(error), error.__cause__) from error
            raise

    def critics_into(self, critics: nn.Module) -> None:
        """Load the discriminators.

        Raises WeightsError when the file is not theirs.
        """
        path = self.path / "critics.safetensors"
        try:
            state = load_file(path)
        except (OSError, SafetensorError) as error:
            found = f"{path}: not a readable safetensors file ({error})"
            raise self._unreadable(found, error) from error
        check_state(path, critics.state_dict(), state)
        critics.load_state_dict(state)

    def state(self) -> dict[str, Any]:
        """Optimisers, random numbers and counters.

        Raises WeightsError for a damaged file; nothing but tensors and plain values is unpickled.
        """
        path = self.path / "state.pt"
        try:
            if path.stat().st_size > LARGEST_STATE:
                raise WeightsError(f"{path}: too large for a training state")
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
            found = f"{path}: not a readable training state ({_first_line(error)})"
            raise self._unreadable(found, error) from error
        if not isinstance(state, dict) or not set(state) >= STATE_KEYS:
            raise WeightsError(f"{path}: not a training state")
        return state

    def _unreadable(self, found: str, error: BaseException) -> WeightsError:
        """What was found, and what to do where the file is damaged and not only withheld."""
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            return WeightsError(found)
        earlier = [each for each in checkpoints(self.path.parent) if each.step < self.step]
        if not earlier:
            return WeightsError(f"{found}; no checkpoint is before it: begin with another -o")
        return WeightsError(f"{found}; remove {self.path} to go on from {earlier[-1].path.name}")


STATE_KEYS = {"generator", "critic", "random", "judges", "step", "consumed", "settings"}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def checkpoints(run: Path) -> list[Checkpoint]:
    """The whole checkpoints of a run, oldest first."""
    found = [(path, _STEP.fullmatch(path.name)) for path in run.glob("step-*")]
    kept = [Checkpoint(path, int(match[1])) for path, match in found if match and path.is_dir()]
    return sorted(kept, key=lambda each: each.step)


def save_checkpoint(
    run: Path, step: int, role: str, networks: Mapping[str, nn.Module], state: Mapping[str, Any]
) -> Checkpoint:
    """Write a checkpoint beside its place, move it there, and remove the oldest ones.

    networks: "average", "raw" and "critics".
    """
    made = Checkpoint.of(run, step)
    aside = run / f"{made.path.name}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        save_network(aside / f"{role}.safetensors", role, networks["average"])
        save_network(aside / f"{role}-raw.safetensors", role, networks["raw"])
        write_aside(aside / "critics.safetensors", save(_plain(networks["critics"])))
        _save_state(aside / "state.pt", state)
        shutil.rmtree(made.path, ignore_errors=True)
        aside.replace(made.path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in checkpoints(run)[:-KEPT]:
        shutil.rmtree(old.path, ignore_errors=True)
    return made


class _Kept:
    """A file for `torch.save`, which tells nothing of why it could not be written."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.fault: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.fault = error
            raise

    def flush(self) -> None:
        self.file.flush()


def _save_state(path: Path, state: Mapping[str, Any]) -> None:
    # As it comes, unlike the networks: the optimisers of `paper` are a gigabyte and a half.
    with path.open("wb") as file:
        kept = _Kept(file)
        try:
            torch.save(dict(state), kept)  # type: ignore[arg-type]
        except RuntimeError as error:
            raise kept.fault or error from error
        file.flush()
        os.fsync(file.fileno())


def _plain(module: nn.Module) -> dict[str, Tensor]:
    return {k: v.detach().cpu().contiguous().clone() for k, v in module.state_dict().items()}


def fingerprint(network: nn.Module) -> str:
    """Tells two networks' weights apart."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
