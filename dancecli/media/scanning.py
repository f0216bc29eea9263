"""What the packets of a video say, and a clock that goes on where files were joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream as AVStream

SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""FFmpeg's names of formats in which a seek lands where it should; others are read from the
start."""

UNSTAMPED = ("avi", "h264", "hevc", "m4v")
"""FFmpeg's names of formats without presentation times. FFmpeg guesses some for AVI, wrong ones
where frames are reordered."""

REORDERED = 16
"""Frames by which a video may be stored out of order, at most."""

BACK = Fraction(1, 4)
"""Seconds by which the order of decoding falls back only where one file was appended to
another."""


@dataclass
class Scan:
    """What the packets say: (tick, length) of each frame shown, in file order.

    joins: see `Timeline`.
    """

    frames: list[tuple[int | None, int]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    stamped: bool = True
    broken: bool = False
    reached: float = 0.0
    joins: tuple[Fraction, ...] = ()


def scanned(container: InputContainer, stream: AVStream) -> Scan:
    """Reads all packets, of the sound too: how far they reach shows whether the file is whole."""
    import av

    scan = Scan()
    clock = None if container.format.name in SEEKABLE else Clock()
    try:
        for packet in container.demux():
            if packet.size == 0:
                continue  # end of stream, or "repeat the last frame" in AVI
            if packet.pts is not None:
                end = (packet.pts + (packet.duration or 0)) * packet.time_base
                scan.reached = max(scan.reached, float(end))
            if packet.stream_index == stream.index and not _is_comment(packet, container):
                if clock is not None:
                    clock.set(packet)
                _note(scan, packet, container.format.name in UNSTAMPED)
    except (av.FFmpegError, OSError):
        scan.broken = True
    scan.stamped = container.format.name not in UNSTAMPED and _is_stamped(scan)
    scan.joins = tuple(clock.joins) if clock is not None else ()
    return scan


def is_cut(scan: Scan, container: InputContainer) -> bool:
    """Whether the file holds less than its header promises."""
    if scan.broken:
        return True
    promised = (container.duration or 0) / 1e6
    start = (container.start_time or 0) / 1e6
    if container.format.name == "matroska,webm":
        promised -= max(start, 0)  # many writers count it from zero, not from the first frame
    return scan.reached - start < 0.98 * promised - 0.5


class Clock:
    """Makes the stamps of packets go on where they fall back, as after `cat a.ts b.ts`.

    joins: seconds to add after the first fall, the second ... Where none are given they are
    found out, and each piece begins when the one before it ends.
    """

    def __init__(self, joins: Sequence[Fraction] = ()) -> None:
        self.joins = list(joins)
        self._given = bool(joins)
        self._falls = 0
        self._last: Fraction | None = None
        self._ends = Fraction(0)

    def set(self, packet: Packet[Any]) -> None:
        """Moves a packet of the one stream that this clock is for; they come in file order."""
        if packet.dts is not None:
            self._look(Fraction(packet.dts * packet.time_base), packet)
        if self._falls and self.joins:
            add = self.joins[min(self._falls, len(self.joins)) - 1]
            ticks = round(add / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks

    def _look(self, now: Fraction, packet: Packet[Any]) -> None:
        step = Fraction((packet.duration or 0) * packet.time_base)
        if self._last is not None and now < self._last - BACK:
            self._fall(now)
        elif self._last is not None and not step:
            step = max(now - self._last, Fraction(0))  # where nothing is said: as long as the last
        self._last, self._ends = now, now + step

    def _fall(self, now: Fraction) -> None:
        self._falls += 1
        if not self._given:
            before = self.joins[-1] if self.joins else Fraction(0)
            self.joins.append(before + self._ends - now)


def onward(packets: Iterable[Any], joins: Sequence[Fraction]) -> Iterator[Any]:
    """The packets of one stream, moved as the video's were. None and empty packets pass."""
    clock = Clock(joins)
    for packet in packets:
        if joins and packet is not None:
            clock.set(packet)
        yield packet


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


def _note(scan: Scan, packet: Packet[Any], unstamped: bool) -> None:
    """One video packet."""
    tick = packet.dts if packet.pts is None or unstamped else packet.pts
    scan.stamped = scan.stamped and packet.pts is not None
    if packet.is_keyframe and tick is not None:
        scan.keys.append(tick)
    if not packet.is_discard:
        scan.frames.append((tick, packet.duration or 0))


def _is_stamped(scan: Scan) -> bool:
    """Whether all frames have their time, or all but some before time zero.

    Matroska cannot stamp those; the first ones are then given times in `filled`.
    """
    if scan.stamped:
        return True
    bare = [n for n, (tick, _) in enumerate(scan.frames) if tick is None]
    return bool(bare) and bare[-1] < len(bare) + REORDERED and len(bare) < len(scan.frames)


def filled(scan: Scan) -> list[tuple[int, int]]:
    """The frames of a stamped video; those without a time come evenly before the first that has
    one."""
    known = sorted((tick, length) for tick, length in scan.frames if tick is not None)
    bare = len(scan.frames) - len(known)
    if not bare:
        return known
    step = known[0][1] or (known[-1][0] - known[0][0]) // max(1, len(known) - 1) or 1
    return [(known[0][0] - step * n, step) for n in range(bare, 0, -1)] + known
