"""When each frame of a video is on screen, and which of them a constant rate shows.

Reads packets without decoding them: a minute of video takes milliseconds, and the time stamps
are the true ones of every frame, which headers, rates and durations often are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
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

UNSTAMPED = ("avi", "h264", "hevc", "m4v")
"""FFmpeg's names of formats without presentation times. FFmpeg guesses some for AVI, wrong ones
where frames are reordered."""


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
    """

    ticks: Ticks
    keys: Ticks
    end: int
    unit: Fraction
    rate: Fraction
    variable: bool
    stamped: bool
    cut: bool

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
    scan = _scan(container, stream)
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
        cut=_is_cut(scan, container),
    )


@dataclass
class _Scan:
    """What the packets say: (tick, length) of each frame shown, in file order."""

    frames: list[tuple[int | None, int]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    stamped: bool = True
    broken: bool = False
    reached: float = 0.0


def _scan(container: InputContainer, stream: AVStream) -> _Scan:
    """Reads all packets, of the sound too: how far they reach shows whether the file is whole."""
    import av

    scan = _Scan(stamped=container.format.name not in UNSTAMPED)
    try:
        for packet in container.demux():
            if packet.size == 0:
                continue  # end of stream, or "repeat the last frame" in AVI
            if packet.pts is not None:
                end = (packet.pts + (packet.duration or 0)) * packet.time_base
                scan.reached = max(scan.reached, float(end))
            if packet.stream_index == stream.index and not _is_comment(packet, container):
                _note(scan, packet)
    except (av.FFmpegError, OSError):
        scan.broken = True
    return scan


def _is_comment(packet: Packet[Any], container: InputContainer) -> bool:
    """Whether a GIF packet holds extensions only, as after the last frame, and no picture."""
    if container.format.name != "gif":
        return False
    data, at = bytes(packet), 0
    while data[at : at + 1] == b"\x21":
        at += 2
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
    return at > 0 and data[at : at + 1] != b"\x2c"


def _note(scan: _Scan, packet: Packet[Any]) -> None:
    """One video packet."""
    scan.stamped = scan.stamped and packet.pts is not None
    tick = packet.pts if packet.pts is not None else packet.dts
    if packet.is_keyframe and tick is not None:
        scan.keys.append(tick)
    if not packet.is_discard:
        scan.frames.append((tick, packet.duration or 0))


def _on_screen(scan: _Scan, stream: AVStream) -> tuple[Ticks, Ticks, Fraction]:
    """Ticks in the order shown, each frame's stated length, and the unit of both in seconds."""
    if any(tick is None for tick, _ in scan.frames):
        count = len(scan.frames)
        unit = 1 / (_plausible(stream.guessed_rate) or USUAL_RATE)
        return np.arange(count, dtype=np.int64), np.ones(count, np.int64), unit
    pairs = np.array(sorted(scan.frames), np.int64)
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


def _is_cut(scan: _Scan, container: InputContainer) -> bool:
    """Whether the file holds less than its header promises."""
    if scan.broken:
        return True
    promised = (container.duration or 0) / 1e6
    start = (container.start_time or 0) / 1e6
    return scan.reached - start < 0.98 * promised - 0.5
