"""GIF: one palette for the whole video, times in hundredths of a second."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from dancecli.media.files import aside, remove
from dancecli.types import UInt8Array

UNIT = Fraction(1, 100)
"""A GIF counts time in hundredths of a second."""

SHORTEST = 2
"""Units: viewers slow down GIFs whose frames stay shorter."""

DITHER = "dither=bayer:bayer_scale=3:diff_mode=rectangle"
"""An ordered pattern stands still where the picture does; error diffusion would flicker."""


def write_gif(
    pictures: Callable[[], Iterable[UInt8Array]],
    out: Path,
    fps: Fraction,
    size: tuple[int, int],
    count: int,
    alpha: bool,
    note: str,
) -> None:
    """An endless GIF of `count` frames of `size` (width, height), with `note` as its comment.

    pictures: gives all frames anew at each call: the palette is found in a first pass. Frames
    that would stay shorter than SHORTEST are left out. Raises OSError, av.FFmpegError.
    """
    import av

    palette = _palette(pictures(), size, alpha)
    reduced = _reduced(pictures(), palette, size, alpha)
    with av.open(str(out.absolute()), "w", format="gif") as file:
        stream: Any = file.add_stream("gif", rate=1 / UNIT)
        stream.width, stream.height = size
        stream.pix_fmt = "pal8"
        stream.codec_context.time_base = UNIT
        for frame, (at, lasts) in zip(reduced, gif_times(fps, count), strict=True):
            if lasts == 0:
                continue
            frame.pts, frame.time_base = at, UNIT
            for packet in stream.encode(frame):
                packet.duration = lasts
                file.mux(packet)
        file.mux(stream.encode(None))
    if note:
        _comment(out, note)


def gif_times(fps: Fraction, count: int) -> list[tuple[int, int]]:
    """When each frame appears and how long it stays, in units; 0 for frames left out."""
    shown: dict[int, int] = {}
    last = -SHORTEST
    for k in range(count):
        at = round(k / fps / UNIT)
        if at >= last + SHORTEST:
            shown[k] = last = at
    ends = [*list(shown.values())[1:], max(round(count / fps / UNIT), last + SHORTEST)]
    stay = dict(zip(shown, ends, strict=True))
    return [(shown[k], stay[k] - shown[k]) if k in shown else (0, 0) for k in range(count)]


def _palette(pictures: Iterable[UInt8Array], size: tuple[int, int], alpha: bool) -> Any:
    """The 256 colours that suit all frames, one of them transparent with `alpha`."""
    import av

    graph = av.filter.Graph()
    source, sink = _input(graph, size), graph.add("buffersink")
    finder = graph.add("palettegen", f"reserve_transparent={int(alpha)}")
    graph.link_nodes(source, finder, sink).configure()
    for picture in pictures:
        source.push(_frame(picture, alpha))
    source.push(None)
    return sink.pull()


def _reduced(
    pictures: Iterable[UInt8Array], palette: Any, size: tuple[int, int], alpha: bool
) -> Iterator[Any]:
    """Every frame in the palette's colours, format pal8."""
    import av

    graph = av.filter.Graph()
    source, colours = _input(graph, size), _input(graph, (palette.width, palette.height))
    mapper, sink = graph.add("paletteuse", DITHER), graph.add("buffersink")
    graph.link_nodes(source, mapper, sink)
    colours.link_to(mapper, 0, 1)
    graph.configure()
    palette.time_base = UNIT
    colours.push(palette)
    colours.push(None)
    for n, picture in enumerate(pictures):
        frame = _frame(picture, alpha)
        frame.pts, frame.time_base = n, UNIT
        source.push(frame)
        yield from _ready(sink)
    source.push(None)
    yield from _ready(sink)


def _ready(sink: Any) -> Iterator[Any]:
    """The frames that a graph has finished."""
    import av

    while True:
        try:
            yield sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return


def _input(graph: Any, size: tuple[int, int]) -> Any:
    """An entrance of a graph for BGRA frames of (width, height)."""
    return graph.add_buffer(width=size[0], height=size[1], format="bgra", time_base=UNIT)


def _frame(picture: UInt8Array, alpha: bool) -> Any:
    """A picture as the palette filters take it."""
    import av

    return av.VideoFrame.from_ndarray(picture, "rgba" if alpha else "rgb24").reformat(format="bgra")


def _comment(out: Path, note: str) -> None:
    """Puts a comment before the first frame (GIF89a, section 24).

    Not at the end, where the standard allows it too: FFmpeg would count it as one more frame.
    """
    text = note.encode()
    blocks = (text[i : i + 255] for i in range(0, len(text), 255))
    extension = b"\x21\xfe" + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"
    plain = aside(out)
    out.rename(plain)
    try:
        with plain.open("rb") as source, out.open("wb") as target:
            head = source.read(13)  # the header and the screen's size, then its colour table
            table = 3 << ((head[10] & 7) + 1) if head[10] & 0x80 else 0
            target.write(head + source.read(table) + extension)
            shutil.copyfileobj(source, target)
    finally:
        remove(plain)
