"""Everything that can go wrong, as one tree.

    DanceError                 one line on stderr, exit code 1
    ├── UsageError             the command line or the config file is wrong, exit code 2
    ├── MediaError             a photo or video cannot be read or written
    │   └── OutputExistsError  OUT is there already and --force was not given
    ├── NoPersonError          a photo or video shows nobody the stage can use
    ├── PluginError            a plugin is missing, broken or breaks its contract
    ├── WeightsError           a weight file is missing, damaged or hostile
    ├── LicenceError           terms do not allow what --licence asks for
    └── CacheError             a work-directory entry is damaged (callers recompute)

A message says what failed, what was found, and what to do, in one line. Only `dancecli.cli`
turns an error into text and an exit code.
"""

from __future__ import annotations


class DanceError(Exception):
    """Base of all errors that a user can meet; `exit_code` is what the command returns."""

    exit_code = 1


class UsageError(DanceError):
    """The request itself is wrong: an unknown name, an impossible option, a bad config key."""

    exit_code = 2


class MediaError(DanceError):
    """A photo, video, audio track or output file cannot be read or written."""


class OutputExistsError(MediaError):
    """OUT exists and overwriting was not asked for."""


class NoPersonError(DanceError):
    """Nobody was found, or too little of them (a face alone has no limbs to move)."""


class PluginError(DanceError):
    """A plugin cannot be loaded or does not keep the interface it declares."""


class WeightsError(DanceError):
    """A weight file is missing, damaged, or not what it should be."""


class LicenceError(DanceError):
    """The terms of a plugin or weight file do not allow the use that --licence names."""


class CacheError(DanceError):
    """An entry of the work directory is damaged; whoever reads it computes it again."""


class Terminated(SystemExit):
    """SIGTERM came. Any other SystemExit within a plugin's code is the plugin's own."""


def named(kind: str) -> type[DanceError] | None:
    """The class of the tree with this name, as another process gives it; None for other names."""
    found = globals().get(kind)
    return found if isinstance(found, type) and issubclass(found, DanceError) else None


def one_line(said: object, otherwise: str = "no message") -> str:
    """What an error, or anything else, says, in one line; `otherwise` where that is nothing."""
    return " ".join(str(said).split()) or otherwise
