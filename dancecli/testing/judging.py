"""What checks are made of. Everything raises AssertionError with what does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from dancecli.errors import DanceError
from dancecli.types import FloatArray, Frame, Skeleton

ROUNDING = 1e-3
"""By how much sums may differ that were added up in another order."""


def require(condition: object, otherwise: str) -> None:
    """The condition holds. otherwise: what the error says."""
    if not condition:
        raise AssertionError(otherwise)


def is_array(value: Any, dtype: type, shape: tuple[int, ...], what: str) -> None:
    """The value is an array of that type and shape, without NaN or infinity."""
    require(isinstance(value, np.ndarray), f"{what} is {type(value).__name__}, not an array")
    require(value.dtype == dtype, f"{what} is {value.dtype}, not {np.dtype(dtype)}")
    require(value.shape == shape, f"{what} is {value.shape}, not {shape}")
    if np.issubdtype(value.dtype, np.floating):
        require(np.isfinite(value).all(), f"{what} holds NaN or infinity")


def in_unit(value: FloatArray, what: str) -> None:
    """All values, of any shape, lie in [0, 1]. what: their name in the error."""
    require(value.size == 0 or (value.min() >= 0 and value.max() <= 1), f"{what} leaves [0, 1]")


def is_skeleton(skeleton: Any) -> None:
    """The value is a Skeleton with all its shapes, types and ranges."""
    require(isinstance(skeleton, Skeleton), f"{type(skeleton).__name__} is not a Skeleton")
    for field, count in (("body", 25), ("left_hand", 21), ("right_hand", 21), ("face", 70)):
        points = getattr(skeleton, field)
        is_array(points, np.float32, (count, 3), field)
        in_unit(points[:, 2], f"confidence of {field}")
    if skeleton.world is not None:
        is_array(np.nan_to_num(skeleton.world), np.float32, (25, 3), "world")


def is_frame(frame: Any, like: Frame, what: str) -> None:
    """The value is a Frame of the other's size, at its place in the stream."""
    require(isinstance(frame, Frame), f"{what} does not return a Frame")
    is_array(frame.rgb, np.uint8, like.rgb.shape, "rgb")
    require((frame.index, frame.time) == (like.index, like.time), "index or time is changed")


def or_refuses(answer: Callable[[], Any]) -> Any:
    """The answer, or None where it was refused with a DanceError, as the interfaces allow."""
    try:
        return answer()
    except DanceError:
        return None


def leaves(value: Any) -> Iterator[Any]:
    """Arrays and plain values within dataclasses, mappings and sequences, in a fixed order."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield key
            yield from leaves(value[key])
    elif isinstance(value, (list, tuple)):
        yield len(value)
        for each in value:
            yield from leaves(each)
    else:
        yield value


def same(one: Any, other: Any) -> bool:
    """Whether two answers are equal to the last bit."""
    return _compared(one, other, _equal)


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are equal but for rounding."""
    return _compared(one, other, _close)


def _compared(one: Any, other: Any, equal: Callable[[Any, Any], bool]) -> bool:
    first, second = list(leaves(one)), list(leaves(other))
    return len(first) == len(second) and all(map(equal, first, second))


def _equal(one: Any, other: Any) -> bool:
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
        return type(one) is type(other) and bool(one == other)
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    floating = np.issubdtype(one.dtype, np.floating)
    return bool(np.array_equal(one, other, equal_nan=floating))


def _close(one: Any, other: Any) -> bool:
    if _equal(one, other):
        return True
    if not isinstance(one, np.ndarray) or getattr(other, "shape", None) != one.shape:
        return False
    if np.issubdtype(one.dtype, np.floating):
        return bool(np.allclose(one, other, rtol=ROUNDING, atol=ROUNDING, equal_nan=True))
    return bool((one != other).mean() < ROUNDING)


def is_nothing(answer: Any) -> bool:
    """Whether nobody was seen: None, an empty list, or all zeros."""
    found = [each for each in leaves(answer) if each is not None]
    arrays = [each for each in found if isinstance(each, np.ndarray)]
    return not any(each.any() for each in arrays) if arrays else found in ([], [0])
