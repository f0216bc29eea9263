"""What a check comes to: it held, it did not, or it could not be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dancecli.errors import Terminated


@dataclass(frozen=True)
class Outcome:
    """One thing that was checked. detail is empty when it held.

    needs_weights: it could not be checked, since weights are missing. skipped: it could not be
    checked for want of what `detail` says. `passed` is False with either.
    """

    check: str
    passed: bool
    detail: str = ""
    needs_weights: bool = False
    skipped: bool = False

    @property
    def failed(self) -> bool:
        """Whether the plugin is at fault."""
        return not (self.passed or self.skipped or self.needs_weights)


class CannotTellError(Exception):
    """Raised by a check that lacks something to look at; says what to give."""


def judge(title: str, test: Callable[[], object]) -> Outcome:
    """Runs a check: AssertionError says what does not hold, anything else is a fault too."""
    try:
        test()
    except CannotTellError as error:
        return Outcome(title, False, str(error), skipped=True)
    except AssertionError as error:
        return Outcome(title, False, str(error) or "does not hold")
    except Terminated:
        raise
    except (Exception, SystemExit) as error:
        return Outcome(title, False, f"{type(error).__name__}: {error}")
    return Outcome(title, True)
