"""The published files of SCHP: what each sees, which labels it gives, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dance_datasets.labels import ATR, LIP, VIP
from dance_freestyle.weight_files import check_state, content, named, with_counters
from torch import Tensor

from dance_schp.network import Schp
from dancecli import libraries
from dancecli.errors import WeightsError, one_line
from dancecli.types import FloatArray, UInt8Array

Run = Callable[[FloatArray], FloatArray]
"""Standardised picture, float32 (1, 3, S, S), to logits, float32 (classes, s, s)."""

ABN_EPS = 1e-5
"""What in-place activated batch norm adds to the size of its scale."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """One published file.

    weights: its name for `dancecli.weights`. side: of the square picture it sees. table: its labels
    -> ours, uint8 (classes,). whole: trained on pictures of many people, seen whole; else on one
    person cut out.
    """

    weights: str
    side: int
    table: UInt8Array
    whole: bool = False

    @property
    def classes(self) -> int:
        """Labels that it tells apart, background among them."""
        return len(self.table)


CIHP_LOCAL = Checkpoint("schp_cihp_local", 473, VIP)
CIHP_GLOBAL = Checkpoint("schp_cihp_global", 473, VIP, whole=True)
LIP_PERSON = Checkpoint("schp_lip", 473, LIP)
ATR_PERSON = Checkpoint("schp_atr", 512, ATR)
LIP_ONNX = Checkpoint("schp_lip_onnx", 473, LIP)
ATR_ONNX = Checkpoint("schp_atr_onnx", 512, ATR)


def open_torch(checkpoint: Checkpoint, path: Path, device: str) -> Run:
    """The network of a .pth file, on a device of torch.

    Raises WeightsError when the file is another network's or cannot be read safely.
    """
    network = filled(content(path), checkpoint.classes, path).to(device)

    def run(picture: FloatArray) -> FloatArray:
        with torch.inference_mode():
            logits = network(torch.from_numpy(picture).to(device))
        return np.asarray(logits[0].float().cpu().numpy(), np.float32)

    return run


def filled(held: Any, classes: int, path: Path) -> Schp:
    """SCHP with the weights that a file holds, frozen.

    path: of the file, for the error. Raises WeightsError unless they are this network's.
    """
    # LIP's and ATR's files hold the state of training around the weights, CIHP's the weights alone.
    state = held.get("state_dict", held) if isinstance(held, Mapping) else held
    found = {key.removeprefix("module."): x for key, x in named(path, state).items()}
    with torch.device("meta"):  # random weights would take a second and be thrown away
        network = Schp(classes)
    expected = network.state_dict()
    whole = with_counters(found, expected)
    check_state(path, expected, whole)
    network.load_state_dict(_plain(whole), assign=True)
    return network.float().eval().requires_grad_(False)


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights for plain batch norm: the in-place one scales by |weight| + 1e-5 (it must invert)."""
    norms = {key.removesuffix("running_mean") + "weight" for key in state if "running_mean" in key}
    return {key: x.abs() + ABN_EPS if key in norms else x for key, x in state.items()}


def open_onnx(checkpoint: Checkpoint, path: Path, device: str) -> Run:
    """The network of an .onnx file, run by onnxruntime.

    Raises PluginError where onnxruntime is missing, WeightsError when the file is not SCHP's.
    """
    session = _session(path, device)
    (entry,), side = session.get_inputs(), checkpoint.side
    if list(entry.shape[1:]) != [3, side, side]:
        raise WeightsError(f"{path}: takes {entry.shape}, not 3 x {side} x {side} pictures")

    def run(picture: FloatArray) -> FloatArray:
        maps = session.run(None, {entry.name: picture})
        return fused(maps, checkpoint.classes, path)

    return run


def fused(maps: list[Any], classes: int, path: Path) -> FloatArray:
    """The last of a graph's outputs that has all labels: decoder, then fusion, then edges.

    float32 (classes, h, w), logits. Raises WeightsError when there is none.
    """
    fit = [x for x in maps if x.ndim == 4 and x.shape[1] == classes]
    if not fit:
        raise WeightsError(f"{path}: gives {[x.shape for x in maps]}, none of {classes} labels")
    return np.asarray(fit[-1][0], np.float32)


def needs_onnxruntime() -> Any:
    """The library. Raises PluginError with the command that installs it."""
    return libraries.load("schp", "pip install 'dancecli[onnx]'", "onnxruntime")


def _session(path: Path, device: str) -> Any:
    onnxruntime = needs_onnxruntime()
    wanted = ["CPUExecutionProvider"]
    if device.startswith("cuda"):
        wanted.insert(0, "CUDAExecutionProvider")
    known = onnxruntime.get_available_providers()
    try:
        return onnxruntime.InferenceSession(str(path), providers=[x for x in wanted if x in known])
    except Exception as error:
        raise WeightsError(f"{path}: not an ONNX network ({one_line(error)})") from error
