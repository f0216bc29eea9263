"""Reading weights from files that are hostile until checked."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dancecli import weights
from dancecli.errors import WeightsError


def published(name: str) -> tuple[Path, dict[str, Tensor]]:
    """A published encoder's file and its tensors by name.

    Raises WeightsError when it is missing, damaged, or holds anything but tensors.
    """
    path = weights.locate(name)
    return path, named(path, content(path))


def content(path: Path) -> Any:
    """What a file holds, read so that no code of its choice runs: a .pkl of arrays, or torch's own.

    Raises WeightsError for anything else.
    """
    try:
        return _arrays(path) if path.suffix == ".pkl" else _tensors(path)
    except Exception as error:
        raise WeightsError(
            f"{path}: not a weight file that can be read safely ({_reason(error)})"
        ) from error


def _reason(error: Exception) -> str:
    """One line. Around its own torch advises at length to read such a file carelessly."""
    text = str(error).rpartition("WeightsUnpickler error: ")[2].strip()
    return text.splitlines()[0] if text else type(error).__name__


def named(path: Path, state: Any) -> dict[str, Tensor]:
    """The tensors by name in a file's content, or in the part of it that holds them.

    Raises WeightsError when there is anything else among them.
    """
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path}: holds a {type(state).__name__}, not weights by name")
    return {str(key): _tensor(path, key, value) for key, value in state.items()}


def _tensors(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _arrays(path: Path) -> Any:
    # VGGFace2's conversion is published as a pickle of numpy arrays, written by Python 2.
    with path.open("rb") as file:
        return _ArrayUnpickler(file, encoding="latin1").load()


class _ArrayUnpickler(pickle.Unpickler):
    """Knows numeric numpy arrays and nothing else, so that no code of the file's choice runs."""

    def find_class(self, module: str, name: str) -> Any:
        """The one of five harmless things that is meant; raises UnpicklingError for any other."""
        known = {
            "_reconstruct": _empty_array, "ndarray": np.ndarray, "dtype": _number_type,
            "encode": _latin_bytes,
        }  # fmt: skip
        if module.split(".")[0] in ("numpy", "_codecs") and name in known:
            return known[name]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _empty_array(*_args: Any) -> Any:
    return np.zeros(0, np.float32)


def _number_type(text: str, *_args: Any) -> Any:
    kind = np.dtype(text)
    if kind.kind not in "fiu":
        raise pickle.UnpicklingError(f"it holds '{text}', not numbers")
    return kind


def _latin_bytes(text: str, *_args: Any) -> bytes:
    return text.encode("latin1")


def _tensor(path: Path, key: Any, value: Any) -> Tensor:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        value = torch.from_numpy(np.ascontiguousarray(value))
    if not isinstance(value, Tensor):
        raise WeightsError(f"{path}: '{key}' is a {type(value).__name__}, not a tensor")
    return value


def check_state(path: Path, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raises WeightsError unless names, shapes and types are the network's and all is finite."""
    check_layout(path, _layout(expected), _layout(found))
    for key, value in found.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise WeightsError(f"{path}: '{key}' holds NaN or infinity; the file is damaged")


def with_counters(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state with the batches that the network's batch norms count, 0 where it tells none.

    Files of Caffe, of older versions of torch and of in-place batch norm know no such counters.
    """
    names = [key for key in expected if key.endswith("num_batches_tracked")]
    return {**{name: torch.zeros((), dtype=torch.int64) for name in names}, **state}


Layout = Mapping[str, tuple[tuple[int, ...], bool]]
"""Tensor name -> (shape, whether it holds real numbers)."""


def _layout(state: Mapping[str, Tensor]) -> Layout:
    return {key: (tuple(x.shape), x.is_floating_point()) for key, x in state.items()}


def check_layout(path: Path, expected: Layout, found: Layout) -> None:
    """Raises WeightsError naming the first tensor that is missing, strange or of another shape."""
    for key in expected:
        if key not in found:
            raise WeightsError(f"{path}: '{key}' is missing; the file is of another network")
        if found[key] != expected[key]:
            raise WeightsError(
                f"{path}: '{key}' is {_told(found[key])}, the network needs {_told(expected[key])}"
            )
    strange = sorted(set(found) - set(expected))
    if strange:
        raise WeightsError(
            f"{path}: {len(strange)} tensors that the network lacks, such as '{strange[0][:80]}'"
        )


def _told(entry: tuple[tuple[int, ...], bool]) -> str:
    shape, real = entry
    return f"{'x'.join(map(str, shape)) or 'one'} {'real' if real else 'whole'} numbers"
