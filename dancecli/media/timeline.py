"""When each frame of a video is on screen, and which of them a constant rate shows.

Reads packets without decoding them: a minute of video takes milliseconds, and the time stamps
are the true ones of every frame, which headers, rates and durations often are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dancecli.media.scanning import Scan, filled, is_cut, scanned

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream as AVStream

Ticks: TypeAlias = NDArray[np.int64]

STEADY = 0.25
"""A rate is constant when no frame is further than this from its place, in frames.

Containers round time stamps (Matroska to a millisecond, GIF to ten).
"""

JITTER = 0.1
"""Frames by which a frame of a variable rate may appear early."""

MAX_RATE = 1000
"""Frames per second above which a rate is a damaged header, not a video."""

USUAL_RATE = Fraction(25)
"""For a video that gives no time at all."""


LONGEST_HOLD = 60
"""Seconds that a last frame may stay; more is a damaged header."""

USUAL = tuple(Fraction(n, 1001) for n in (24000, 30000, 60000)) + tuple(
    Fraction(n) for n in (24, 25, 30, 50, 60, 10, 12, 15, 5)
)
"""Rates tried when the header's do not fit: rounded time stamps hide the exact one."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """The frames of one video stream in the order shown.

    ticks: int64 (n,), when each frame appears, in units of `unit` seconds, increasing.
    keys: int64 (k,), the ticks at which decoding may begin.
    end: the tick at which the last frame disappears.
    rate: frames per second: the constant one, or the average of a variable one.
    variable: whether the frames are not evenly spaced.
    stamped: False where packets carry no presentation time (AVI): frame n is then known only by
        being the n-th that comes out of the decoder.
    cut: the file ends before its header says.
    joins: seconds to add to stamps after they first fall back, the second time, and so on: one
        file was appended to another.
    """

    ticks: Ticks
    keys: Ticks
    end: int
    unit: Fraction
    rate: Fraction
    variable: bool
    stamped: bool
    cut: bool
    joins: tuple[Fraction, ...] = ()

    @property
    def count(self) -> int:
        """Frames at the constant rate; a last frame that stays longer is repeated."""
        return max(len(self.ticks), self.frames_in(int(self.end - self.ticks[0]) * self.unit))

    @property
    def zero(self) -> Fraction:
        """When the first frame appears, in the container's seconds: what sound is aligned to."""
        return int(self.ticks[0]) * self.unit if self.stamped else Fraction(0)

    def frames_in(self, seconds: Fraction) -> int:
        """Frames at the constant rate, the nearest whole number."""
        return round(seconds * self.rate)

    def shown(self, fps: Fraction, start: Fraction, count: int) -> Ticks:
        """The tick of the frame on screen at start + k / fps seconds, for k = 0 ... count - 1."""
        seconds = float(start) + np.arange(count) / float(fps)
        if self.variable:
            # A little later: a time stamp that jitters must not make frames stay and skip in turn.
            at = self.ticks[0] + (seconds + JITTER / float(fps)) / float(self.unit) + 0.5
            chosen = np.searchsorted(self.ticks, at, side="right") - 1
        else:
            chosen = (seconds * float(self.rate) + 1e-3).astype(np.int64)
        shown: Ticks = self.ticks[np.clip(chosen, 0, len(self.ticks) - 1)]
        return shown


def read_timeline(container: InputContainer, stream: AVStream) -> Timeline | None:
    """The timeline of a freshly opened container; None when there is no frame.

    Frames outside an edit list are left out, as players do.
    """
    scan = scanned(container, stream)
    if not scan.frames:
        return None
    ticks, lengths, unit = _on_screen(scan, stream)
    end = int(ticks[-1]) + _last_length(ticks, lengths, unit)
    average = _average(ticks, end, unit, stream)
    steady = _steady(ticks, unit, _candidates(stream, average))
    return Timeline(
        ticks=ticks,
        keys=np.array(sorted(scan.keys), np.int64),
        end=end,
        unit=unit,
        rate=steady or average,
        variable=steady is None,
        stamped=scan.stamped,
        joins=scan.joins,
        cut=is_cut(scan, container),
    )


def _on_screen(scan: Scan, stream: AVStream) -> tuple[Ticks, Ticks, Fraction]:
    """Ticks in the order shown, each frame's stated length, and the unit of both in seconds."""
    if not scan.stamped and any(tick is None for tick, _ in scan.frames):
        count = len(scan.frames)
        unit = 1 / (_plausible(stream.guessed_rate) or USUAL_RATE)
        return np.arange(count, dtype=np.int64), np.ones(count, np.int64), unit
    pairs = np.array(filled(scan), np.int64)
    return pairs[:, 0], pairs[:, 1], Fraction(stream.time_base or 1)


def _last_length(ticks: Ticks, lengths: Ticks, unit: Fraction) -> int:
    """How long the last frame stays: as stated, else as long as is usual in this video."""
    usual = int(np.median(np.diff(ticks))) if len(ticks) > 1 else 0
    stated = int(lengths[-1])
    return stated if 0 < stated * unit <= LONGEST_HOLD else usual


def _average(ticks: Ticks, end: int, unit: Fraction, stream: AVStream) -> Fraction:
    """Frames per second over the whole video."""
    seconds = int(end - ticks[0]) * unit
    stated = _plausible(stream.average_rate) or _plausible(stream.guessed_rate) or USUAL_RATE
    if seconds <= 0:
        return stated
    return _plausible(len(ticks) / seconds) or stated


def _candidates(stream: AVStream, average: Fraction) -> list[Fraction]:
    """Rates that the video may have, likely ones first."""
    stated = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return [rate for rate in (*map(_plausible, stated), *USUAL, average) if rate]


def _plausible(rate: Fraction | None) -> Fraction | None:
    """The rate with numbers that containers can hold; None when it cannot be one."""
    if not rate or not 0 < rate <= MAX_RATE:
        return None
    if rate < 1:
        return 1 / Fraction(1 / rate).limit_denominator(1001)
    return Fraction(rate).limit_denominator(1001)


def _steady(ticks: Ticks, unit: Fraction, rates: list[Fraction]) -> Fraction | None:
    """The first rate that fits all time stamps to a unit; else to STEADY frames; else None."""
    off = [_off(ticks, unit, rate) for rate in rates]
    for most in (None, STEADY):
        for rate, frames in zip(rates, off, strict=True):
            if frames <= (float(unit * rate) if most is None else most) and frames <= STEADY:
                return rate
    return None


def _off(ticks: Ticks, unit: Fraction, rate: Fraction) -> float:
    """How far a frame is from its place at this rate, at most, in frames."""
    places = (ticks - ticks[0]) * float(unit * rate)
    return float(np.abs(places - np.arange(len(ticks))).max())
