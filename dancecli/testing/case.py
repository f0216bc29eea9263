"""A plugin under test and what it may be shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dancecli.errors import NoPersonError
from dancecli.testing import pictures
from dancecli.testing.outcomes import CannotTellError
from dancecli.types import Frame, Target


@dataclass(frozen=True, eq=False)
class Case:
    """plugin: built from Settings. again: builds another, equal one.

    photo: one whole person who faces the camera, or None. data: a data set in the plugin's own
    layout, for readers, or None.
    """

    plugin: Any
    again: Callable[[], Any]
    photo: Frame | None = None
    data: Path | None = None
    answers: dict[object, Any] = field(default_factory=dict)
    """What was answered first, by whatever check asked."""

    @property
    def recorded(self) -> bool:
        """Whether the plugin knows files and no pixels, so that made pictures show it nobody."""
        return bool(getattr(self.plugin, "RECORDED", False))

    @property
    def frame(self) -> Frame:
        """A picture of one person: the photo, else the drawn figure."""
        return pictures.figure().frame if self.photo is None else self.photo

    @cached_property
    def target(self) -> Target:
        """The same with skeleton and mask; in a photo the default plugins find them."""
        return pictures.figure() if self.photo is None else pictures.found_in(self.photo)


Check = Callable[[Case], None]
Suite = dict[str, Check]
"""What is checked, in words, and how: raises AssertionError or CannotTellError."""


def seen(test: Check, made: bool = False) -> Check:
    """A check of what a plugin sees in a picture of a person.

    Failing on the drawn figure proves nothing of a plugin made for photos, nor does failing on
    pictures made of the photo (`made`) of one that knows files: that is skipped.
    """

    def check(case: Case) -> None:
        try:
            test(case)
        except (AssertionError, NoPersonError) as error:
            if case.photo is None:
                raise CannotTellError(f"give a photo; in a drawn figure, {error}") from error
            if made and case.recorded:
                raise CannotTellError(f"it knows files only; in a made picture, {error}") from error
            raise

    return check
