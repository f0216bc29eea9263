"""What one run of `dance reenact` is asked to do, as data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dancecli import licences
from dancecli.errors import UsageError
from dancecli.registry import split_name
from dancecli.stages import DEFAULTS

PHOTO_SIDE = 1600
"""Pixels of the photo's longest side that stages work on; larger photos are scaled down."""

PREVIEW_SIDE, PREVIEW_FRAMES = 480, 16
"""Longest side and about how many frames --preview makes."""


@dataclass(frozen=True)
class Place:
    """--place X,Y,HEIGHT: where the feet stand and the height, fractions of the frame."""

    x: float
    y: float
    height: float

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises UsageError saying the form."""
        try:
            x, y, height = (float(part) for part in text.split(","))
        except ValueError:
            raise UsageError(
                f"--place {text}: want three numbers X,Y,HEIGHT, fractions of the frame "
                "(feet at X,Y; 0,0 is the top left), for example 0.5,0.95,0.8"
            ) from None
        if not (-1 <= x <= 2 and -1 <= y <= 2 and 0 < height <= 3):
            raise UsageError(f"--place {text}: X and Y lie in -1..2 and HEIGHT in 0..3")
        return cls(x, y, height)


@dataclass(frozen=True)
class Job:
    """One photo, one video, one output, and every option.

    plugins: entry-point group -> NAME or NAME@OPTION. start, end: seconds of the driving video,
    None for its own. person, photo_person: "largest", "left", "right" or a number counted from
    the left. licence: "any", or "commercial" to refuse what may not be used so. size: "photo",
    "driving", "WxH" or None for the plate's. smooth: 0 off, 1 the default strength.
    devices: to split the frames over, in place of `device`; empty for that one. batch_size: frames
    that the backend paints at a time, None for as many as it likes. threads: that follow and paint,
    None for as many as suit the machine.
    """

    photo: Path
    video: Path
    out: Path
    plugins: dict[str, str] = field(default_factory=lambda: dict(DEFAULTS))
    device: str = "auto"
    weights: str | None = None
    seed: int = 0
    background: str = "photo"
    place: Place | None = None
    size: str | None = None
    shadow: float | None = None
    person: str = "largest"
    photo_person: str = "largest"
    smooth: float = 1.0
    retarget: bool = True
    start: float | None = None
    end: float | None = None
    audio: bool = True
    poses: Path | None = None
    save_foreground: Path | None = None
    contact_sheet: Path | None = None
    preview: bool = False
    force: bool = False
    licence: str = "any"
    devices: tuple[str, ...] = ()
    batch_size: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.licence not in licences.CHOICES:
            raise UsageError(f"licence '{self.licence}': valid are {', '.join(licences.CHOICES)}")
        for name in (self.person, self.photo_person):
            if name not in ("largest", "left", "right") and not (
                name.isdecimal() and int(name) > 0
            ):
                raise UsageError(
                    f"person '{name}': valid are largest, left, right or a number from 1 "
                    "(dance reenact --list-people writes a numbered picture)"
                )
        for option in ("start", "end", "shadow", "smooth"):
            value = getattr(self, option)
            if value is not None and not math.isfinite(value):
                raise UsageError(f"--{option} {value} is impossible: give a number")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise UsageError(f"--end {self.end} is not after --start {self.start}")

    def options(self) -> dict[str, Any]:
        """All that shapes the result, as JSON values: for the sidecar and for cache keys.

        Paths are left out; inputs, and what plugins are given after their names, are identified by
        their content elsewhere.
        """
        skip = {"photo", "video", "out", "poses", "save_foreground", "contact_sheet", "force"}
        skip |= {"licence", "threads"}  # what they change is not the frames
        options = {key: value for key, value in asdict(self).items() if key not in skip}
        plugins = {group: split_name(asked)[0] for group, asked in self.plugins.items()}
        return {**options, "plugins": plugins}
