"""What may cross between the processes: the types of the interfaces themselves, nothing else.

A value is turned into JSON and a list of arrays by the type that `dancecli.stages` declares for it,
and back. Both directions check types, dtypes and shapes, so that a plugin that breaks its contract
is found where it does, and nothing that a worker sends is taken on trust.

    dataclass   {"type": "Frame", "fields": {...}}
    array       {"dtype": "uint8", "shape": [720, 1280, 3], "array": 0}
    Any         what lives in the worker: its number
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from dancecli.isolation.contract import DTYPES, SHAPES
from dancecli.labels import BODY_LABELS

Lookup = Callable[[int, "np.dtype[Any]", tuple[int, ...]], NDArray[Any]]
"""(number of an array in the message, dtype, shape) -> the array."""


class MismatchError(Exception):
    """A value is not what the interface says."""


@lru_cache
def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def pack(value: Any, hint: Any, where: str, arrays: list[NDArray[Any]]) -> Any:
    """JSON for a value; its arrays are appended to `arrays`.

    where: "method.parameter", for messages and SHAPES. Raises MismatchError.
    """
    return _Packer(arrays).pack(value, hint, where, {})


def check(value: Any, hint: Any, where: str) -> None:
    """As `pack`, and the numbers as well; nothing is copied.

    Raises MismatchError, also for NaN, infinity and what lies outside of `HIGHEST`.
    """
    _Checker([]).pack(value, hint, where, {})


def unpack(tree: Any, hint: Any, where: str, lookup: Lookup) -> Any:
    """The value of a JSON tree. Raises MismatchError for what the type does not allow."""
    return _Unpacker(lookup).unpack(tree, hint, where, {})


def _check_array(
    where: str, dtype: str, shape: Sequence[int], wanted: Any, sizes: dict[str, int]
) -> None:
    """Raises MismatchError; `sizes` learns what the letters of a shape stand for."""
    expected = SHAPES[where]
    fits = dtype == str(DTYPES[wanted]) and len(shape) == len(expected)
    for length, axis in zip(shape, expected, strict=False):
        fits &= length == (axis if isinstance(axis, int) else sizes.setdefault(axis, length))
    if not fits:
        axes = ", ".join(str(sizes.get(str(axis), axis)) for axis in expected)
        found = f"{dtype} ({', '.join(map(str, shape))})"
        raise MismatchError(f"{where} is {found}, not {DTYPES[wanted]} ({axes})")


def _refuse(where: str, value: Any, hint: Any) -> MismatchError:
    wanted = " or ".join(getattr(kind, "__name__", str(kind)) for kind in _kinds(hint))
    return MismatchError(
        f"{where} is {type(value).__name__}, not {wanted.replace('NoneType', 'None')}"
    )


_PLAIN: dict[Any, tuple[Any, Callable[[Any], Any]]] = {
    bool: ((bool, np.bool_), bool),
    int: (Integral, int),
    float: (Real, float),
    str: (str, str),
}
"""Type -> what is accepted for it, and how it becomes JSON."""


def _plain(value: Any, hint: Any, where: str) -> Any:
    accepted, convert = _PLAIN[hint]
    if not isinstance(value, accepted):
        raise _refuse(where, value, hint)
    return convert(value)


def _json(value: Any, where: str) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise MismatchError(f"{where} cannot be written as JSON ({error})") from error


class _Packer:
    def __init__(self, arrays: list[NDArray[Any]]) -> None:
        self.arrays = arrays

    def pack(self, value: Any, hint: Any, where: str, sizes: dict[str, int]) -> Any:
        kinds = _kinds(hint)
        if value is None and NoneType in kinds:
            return None
        for kind in kinds:
            if dataclasses.is_dataclass(kind) and isinstance(value, kind):  # type: ignore[arg-type]
                return self._object(value, kind)
        return self._other(value, next(k for k in kinds if k is not NoneType), where, sizes)

    def _object(self, value: Any, kind: Any) -> Any:
        sizes: dict[str, int] = {}
        fields = {
            name: self.pack(getattr(value, name), hint, f"{kind.__name__}.{name}", sizes)
            for name, hint in _fields(kind).items()
        }
        return {"type": kind.__name__, "fields": fields}

    def _other(self, value: Any, hint: Any, where: str, sizes: dict[str, int]) -> Any:
        origin = get_origin(hint)
        if hint in DTYPES:
            return self._array(value, hint, where, sizes)
        if hint in _PLAIN:
            return _plain(value, hint, where)
        if hint is Path and isinstance(value, Path):
            return str(value)
        if origin is Mapping and isinstance(value, Mapping):
            return _json(dict(value), where)
        if origin in (list, tuple, Sequence) and isinstance(value, list | tuple):
            return self._items(value, hint, where, sizes)
        raise _refuse(where, value, hint)

    def _array(self, value: Any, hint: Any, where: str, sizes: dict[str, int]) -> Any:
        if not isinstance(value, np.ndarray):
            raise _refuse(where, value, np.ndarray)
        _check_array(where, str(value.dtype), value.shape, hint, sizes)
        self.arrays.append(value)
        number = len(self.arrays) - 1
        return {"dtype": str(value.dtype), "shape": list(value.shape), "array": number}

    def _items(self, value: Sequence[Any], hint: Any, where: str, sizes: dict[str, int]) -> Any:
        each = _item_types(hint, len(value), where)
        return [self.pack(v, h, where, sizes) for v, h in zip(value, each, strict=True)]


UNKNOWN = ("Skeleton.world",)
"""Where NaN stands for what is not known."""

HIGHEST: dict[str, tuple[float, ...]] = {
    "LabelMap.labels": (BODY_LABELS - 1,),
    "View.labels": (BODY_LABELS - 1,),
    "PersonMask.alpha": (1,),
    "DenseMap.iuv": (24, 1, 1),
    "Layer.z": (1,),
    "Layer.m": (1,),
}
"""Where an array holds numbers from 0 to one that is known, for all channels or for each."""

ROUNDING = 1e-3
"""By how much such numbers may be off, which does no harm."""


class _Checker(_Packer):
    def _array(self, value: Any, hint: Any, where: str, sizes: dict[str, int]) -> Any:
        tree = super()._array(value, hint, where, sizes)
        # The ends tell: NaN comes through both, and no array of the same size is made for it.
        floating = value.dtype.kind == "f" and where not in UNKNOWN
        if floating and value.size and not np.isfinite([value.min(), value.max()]).all():
            raise MismatchError(f"{where} holds NaN or infinity")
        if where in HIGHEST and value.size:
            _check_range(value, HIGHEST[where], where)
        return tree


def _check_range(value: NDArray[Any], highest: tuple[float, ...], where: str) -> None:
    channels = [value] if len(highest) == 1 else [value[..., k] for k in range(len(highest))]
    for channel, most in zip(channels, highest, strict=True):
        low, high = channel.min(), channel.max()
        if high > most + ROUNDING:
            raise MismatchError(f"{where} holds {high:g}, above {most:g}")
        if low < -ROUNDING:
            raise MismatchError(f"{where} holds {low:g}, below 0")


class _Unpacker:
    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup

    def unpack(self, tree: Any, hint: Any, where: str, sizes: dict[str, int]) -> Any:
        kinds = _kinds(hint)
        if tree is None and NoneType in kinds:
            return None
        if isinstance(tree, dict) and isinstance(tree.get("type"), str):
            return self._object(tree, hint, where)
        return self._other(tree, next(k for k in kinds if k is not NoneType), where, sizes)

    def _object(self, tree: dict[str, Any], hint: Any, where: str) -> Any:
        classes: list[Any] = [k for k in _kinds(hint) if dataclasses.is_dataclass(k)]
        kind = {each.__name__: each for each in classes}.get(tree["type"])
        fields = tree.get("fields")
        if kind is None or not isinstance(fields, dict) or fields.keys() != _fields(kind).keys():
            raise MismatchError(f"{where} is {tree['type']!r} with {fields!r:.80}")
        sizes: dict[str, int] = {}
        return kind(
            **{
                name: self.unpack(fields[name], each, f"{kind.__name__}.{name}", sizes)
                for name, each in _fields(kind).items()
            }
        )

    def _other(self, tree: Any, hint: Any, where: str, sizes: dict[str, int]) -> Any:
        origin = get_origin(hint)
        if hint in DTYPES:
            return self._array(tree, hint, where, sizes)
        if hint in _PLAIN:
            return _plain(tree, hint, where)
        if hint is Path and isinstance(tree, str):
            return Path(tree)
        if origin is Mapping and isinstance(tree, dict):
            return tree
        if origin in (list, tuple, Sequence) and isinstance(tree, list):
            each = _item_types(hint, len(tree), where)
            found = [self.unpack(t, h, where, sizes) for t, h in zip(tree, each, strict=True)]
            return tuple(found) if origin is tuple else found
        raise _refuse(where, tree, hint)

    def _array(self, tree: Any, hint: Any, where: str, sizes: dict[str, int]) -> Any:
        if not isinstance(tree, dict):
            raise _refuse(where, tree, np.ndarray)
        dtype, shape, number = (tree.get(key) for key in ("dtype", "shape", "array"))
        if not isinstance(shape, list) or not all(_is_count(n) for n in (*shape, number)):
            raise MismatchError(f"{where} is an array of shape {shape!r:.80}")
        _check_array(where, str(dtype), shape, hint, sizes)
        found = self.lookup(int(str(number)), DTYPES[hint], tuple(shape))
        return found.view(np.uint8) != 0 if found.dtype == bool else found


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _item_types(hint: Any, count: int, where: str) -> Sequence[Any]:
    """The type of each item of a list or tuple."""
    given = get_args(hint)
    if get_origin(hint) is not tuple or given[-1] is Ellipsis:
        return [given[0]] * count
    if len(given) != count:
        raise MismatchError(f"{where} has {count} items, not {len(given)}")
    return given
