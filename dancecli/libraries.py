"""Optional libraries: one line that says how to install them, instead of a traceback."""

from __future__ import annotations

import importlib
import warnings
from importlib.util import find_spec
from types import ModuleType

from dancecli.errors import PluginError, one_line


def require(plugin: str, install: str, *names: str) -> None:
    """Raises PluginError with the command `install` where a module is not installed.

    Imports nothing, so that a plugin can ask when it is built and load on first use.
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise PluginError(f"plugin '{plugin}' needs {' and '.join(missing)}; install it: {install}")


def load(plugin: str, install: str, name: str) -> ModuleType:
    """A module, imported now.

    Raises PluginError with the command `install` where it is missing or does not load.
    """
    require(plugin, install, name.split(".")[0])
    try:
        with warnings.catch_warnings():  # of authors to authors
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except Exception as error:
        cause = one_line(error, type(error).__name__)
        raise PluginError(
            f"plugin '{plugin}': {name} does not load: {cause}; install it: {install}"
        ) from error


EXTRAS = {"numba": "synth"}
"""Module -> the extra of our own package that brings it."""


def extra_of(cause: BaseException) -> str:
    """What to install when one of our plugins misses an optional library; empty for the rest."""
    missing = cause.name if isinstance(cause, ModuleNotFoundError) else None
    extra = EXTRAS.get(str(missing).split(".")[0])
    return f"; install it: pip install 'dancecli[{extra}]'" if extra else ""
