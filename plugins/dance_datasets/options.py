"""What `--set NAME=VALUE` may say to these readers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from dancecli.data.people import Options
from dancecli.errors import UsageError


def split_of(options: Options, splits: Iterable[str], default: str) -> str:
    """The value of `split`, the one setting there is.

    Raises UsageError with the nearest name for another setting, or another value.
    """
    for name in options.set:
        if name != "split":
            raise UsageError(f"--set {name}: {_hint(name, ['split'], 'the only setting')}")
    value = options.set.get("split", default)
    names = list(splits)
    if value not in names:
        raise UsageError(f"--set split={value}: {_hint(value, names, 'known')}")
    return value


def _hint(name: str, names: list[str], kind: str) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"{kind}: {', '.join(names)}"
