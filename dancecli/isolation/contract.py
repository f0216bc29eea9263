"""The interfaces of `dancecli.stages` as another process must know them: methods, types, shapes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, get_args, get_origin, get_type_hints

import numpy as np

from dancecli.stages import GROUPS
from dancecli.types import BoolArray, FloatArray, UInt8Array

Shape: TypeAlias = tuple["int | str", ...]
"""Lengths of the axes; a letter is any length, the same wherever it stands in one object."""

SHAPES: dict[str, Shape] = {
    "Frame.rgb": ("H", "W", 3),
    "Skeleton.body": (25, 3),
    "Skeleton.left_hand": (21, 3),
    "Skeleton.right_hand": (21, 3),
    "Skeleton.face": (70, 3),
    "Skeleton.world": (25, 3),
    "PersonMask.alpha": ("H", "W"),
    "LabelMap.labels": ("H", "W"),
    "DenseMap.iuv": ("H", "W", 3),
    "Layer.z": ("H", "W", 3),
    "Layer.m": ("H", "W"),
    "Layer.landmarks": (70, 3),
    "View.rgb": ("H", "W", 3),
    "View.labels": ("H", "W"),
    "View.mask": ("H", "W"),
    "View.people": ("H", "W"),
    "View.plate": ("H", "W", 3),
    "inpaint.hole": ("H", "W"),
    "landmarks.hint": ("N", 3),
    "landmarks.return": (70, 3),
    "embed.face": (256, 256, 3),
    "embed.return": ("N",),
    "refine.landmarks": (70, 3),
}
"""Class or method . field or parameter -> shape, as `dancecli.types` and `stages` say in words."""

DTYPES: dict[Any, np.dtype[Any]] = {
    UInt8Array: np.dtype(np.uint8),
    FloatArray: np.dtype(np.float32),
    BoolArray: np.dtype(np.bool_),
}


@dataclass(frozen=True)
class Method:
    """One method of an interface. parameters: name -> type, in order, without self."""

    name: str
    signature: inspect.Signature
    parameters: Mapping[str, Any]
    returns: Any

    def arguments(self, *args: Any, **named: Any) -> tuple[Any, ...]:
        """A call's arguments in order, defaults filled in."""
        bound = self.signature.bind(None, *args, **named)
        bound.apply_defaults()
        return bound.args[1:]


class _Weighted(Protocol):
    def weights(self) -> Mapping[str, Any] | None:
        """What a plugin may say of its weights, which may be nothing; optional."""
        ...


OPTIONAL: dict[str, Any] = {
    "LICENCE": str,
    "COMMERCIAL": bool | None,
    "device": str,
    "stages": tuple[str, ...],
    "scalable": bool,
    "dense_size": tuple[int, int] | None,
    "batch": int,
    "any_batch": bool,
    "takes_weights": bool,
    "RECORDED": bool,
}
"""Attributes that an object may have beyond its interface, and their types."""

DECLARED = ("INTERFACE_VERSION", "LICENCE", "COMMERCIAL", "OPTION", "takes_weights")
"""Attributes of a class that are read before it is called."""


def _method(function: Any) -> Method:
    hints = get_type_hints(function)
    returns = hints.pop("return")
    return Method(function.__name__, inspect.signature(function), hints, returns)


WEIGHTS = _method(_Weighted.weights)
"""The one method that a plugin may have beyond its interface."""


@lru_cache
def methods(group: str) -> dict[str, Method]:
    """The methods of a group's interface by name."""
    members = vars(GROUPS[group])
    return {
        name: _method(member)
        for name, member in members.items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


@lru_cache
def attributes(group: str) -> dict[str, Any]:
    """The plain attributes of a group's interface and their types."""
    hints = get_type_hints(GROUPS[group])
    return {name: hint for name, hint in hints.items() if not name.startswith("_")}


def streamed(hint: Any) -> Any:
    """What an iterator yields; None for other types."""
    return get_args(hint)[0] if get_origin(hint) is Iterator else None
