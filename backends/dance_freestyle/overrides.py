"""Changing and storing presets: typed, checked, with the nearest name for a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from dancecli.errors import UsageError

T = TypeVar("T")

LARGEST = 1 << 16
"""No count or size of a network is above this: a hostile file cannot ask for more."""

LONGEST = 16
"""No list of layers is longer."""

SWITCH = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def unknown(kind: str, name: str, names: Iterable[str]) -> UsageError:
    """The error for a name that is not among `names`."""
    names = list(names)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}"
    return UsageError(f"no {kind} is called '{name}'; {hint}")


def names_of(preset: Any, prefix: str = "") -> list[str]:
    """Every field of a preset by its dotted name."""
    names = []
    for each in fields(preset):
        value = getattr(preset, each.name)
        if is_dataclass(value):
            names += names_of(value, f"{prefix}{each.name}.")
        else:
            names.append(prefix + each.name)
    return names


def replaced(preset: T, changes: Mapping[str, Any], shorthands: Iterable[str] = ()) -> T:
    """A copy of a preset with dotted names set to new values.

    Raises UsageError for unknown names, values of the wrong type, and values that do not fit
    together.
    """
    known = names_of(preset)
    for name in changes:
        if name not in known:
            raise unknown("setting", name, [*known, *shorthands])
    return _rebuilt(preset, changes, "")


def _rebuilt(preset: T, changes: Mapping[str, Any], prefix: str) -> T:
    # All at once, level by level: fields that only fit together may change together.
    new = {}
    for each in fields(preset):  # type: ignore[arg-type]
        name, old = prefix + each.name, getattr(preset, each.name)
        if is_dataclass(old):
            new[each.name] = _rebuilt(old, changes, f"{name}.")
        elif name in changes:
            new[each.name] = _read(name, changes[name], _hints(type(preset))[each.name])
    try:
        return replace(preset, **new)  # type: ignore[type-var]
    except ValueError as error:
        raise UsageError(f"{prefix[:-1] or 'settings'}: {error}") from error


def as_json(preset: Any) -> dict[str, Any]:
    """A preset as plain values."""
    out: dict[str, Any] = {}
    for each in fields(preset):
        value = getattr(preset, each.name)
        out[each.name] = as_json(value) if is_dataclass(value) else value
    return out


def from_json(kind: Callable[..., T], data: Any, where: str = "preset") -> T:
    """A preset from plain values that may come from anywhere; fields left out keep defaults.

    Raises UsageError for what is not a preset of this kind.
    """
    if not isinstance(data, dict):
        raise UsageError(f"{where} is not a table of settings")
    hints: dict[str, Any] = _hints(kind)
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in hints:
            raise unknown("setting", f"{where}.{key}", [f"{where}.{name}" for name in hints])
        read = _nested if is_dataclass(hints[key]) else _read
        values[key] = read(f"{where}.{key}", value, hints[key])
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {error}") from error


def _nested(name: str, value: Any, kind: Any) -> Any:
    return from_json(kind, value, name)


def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(name: str, value: Any, kind: Any) -> Any:
    """The value as the field's type."""
    origin = get_origin(kind)
    if origin is Literal:
        choices = get_args(kind)
        if value in choices:
            return value
        raise _wrong(name, value, " or ".join(map(str, choices)))
    if origin is tuple:
        return _list(name, value, get_args(kind))
    return _READERS[kind](name, value)


def _list(name: str, value: Any, kinds: tuple[Any, ...]) -> tuple[int, ...]:
    if isinstance(value, str):
        value = value.replace("x", ",").split(",")
    length = None if kinds[-1] is Ellipsis else len(kinds)
    if not isinstance(value, list | tuple) or length not in (None, len(value)):
        raise _wrong(name, value, f"{length or 'some'} whole numbers, as 512x320 or 64,32")
    if not 1 <= len(value) <= LONGEST:
        raise _wrong(name, value, f"1 to {LONGEST} whole numbers")
    return tuple(_whole(name, each) for each in value)


def _switch(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in SWITCH:
        return SWITCH[value.lower()]
    raise _wrong(name, value, "on or off")


def _whole(name: str, value: Any) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if type(number) is not int or not 1 <= number <= LARGEST:
        raise _wrong(name, value, f"a whole number from 1 to {LARGEST}")
    return number


def _real(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not abs(number) < 1e9:
        raise _wrong(name, value, "a number")
    return number


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 100:
        raise _wrong(name, value, "a short text")
    return value


_READERS: dict[type, Any] = {bool: _switch, int: _whole, float: _real, str: _text}


def _wrong(name: str, value: Any, wanted: str) -> UsageError:
    return UsageError(f"{name} is {str(value)[:60]!r}; it must be {wanted}")
