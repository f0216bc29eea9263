"""Frames as a camera gives them: of a camera of this machine, of a stream, of a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from dancecli.data.stores import is_url
from dancecli.errors import MediaError
from dancecli.live.newest import Newest
from dancecli.media import VideoStream, check_input
from dancecli.media.files import one_line
from dancecli.media.hdr import Colours
from dancecli.media.pixels import colours_of, keeps_alpha, tagged
from dancecli.media.probe import geometry, pictures
from dancecli.media.reader import fit, upright
from dancecli.types import Frame, UInt8Array

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVStream

SIDE = 640
"""Pixels of the longest side that poses are looked for in; larger pictures are scaled down."""

TIMEOUT = 10.0
"""Seconds without a picture after which a stream is given up."""


def frames_of(camera: str) -> Iterator[Frame]:
    """The frames of a camera's number, a stream's address, or a file that plays at its own rate.

    Times are seconds since the first frame. Raises MediaError where there is nothing to see.
    """
    if camera.isdecimal():
        return _some(_device(int(camera)), f"camera {camera}")
    if is_url(camera):
        return _some(_stream(camera), camera)
    check_input(Path(camera), "video")
    return _played(VideoStream(Path(camera), max_side=SIDE))


def _some(frames: Iterator[Frame], camera: str) -> Iterator[Frame]:
    """The frames. Raises MediaError where there is none."""
    first = next(frames, None)
    if first is None:
        raise MediaError(f"{camera} gives no picture")
    yield first
    yield from frames


def _played(video: VideoStream) -> Iterator[Frame]:
    """A file as a camera: each frame when its time has come, from when the first was taken."""
    frames = video.frames()
    yield from islice(frames, 1)
    began = time.monotonic()
    for frame in frames:
        time.sleep(max(0.0, began + frame.time - time.monotonic()))
        yield frame


def begun(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, of which there is a first one already: so it is known that there are any.

    Raises what a camera raises that cannot be opened.
    """
    first = Newest[Frame]()
    first.filled_by(islice(frames, 1))
    return chain(list(first), frames)


def _device(number: int) -> Iterator[Frame]:
    import cv2

    from dancecli.steps.photo import fitted

    cv2.setLogLevel(0)  # what it writes would stand among JSON lines, and is told below
    device = cv2.VideoCapture(number)
    try:
        if not device.isOpened():
            raise MediaError(
                f"camera {number} cannot be opened: is it there, allowed, and not in use elsewhere?"
            )
        began = time.monotonic()
        while (shot := device.read())[0]:
            rgb = cv2.cvtColor(shot[1], cv2.COLOR_BGR2RGB)
            yield fitted(Frame(rgb, time=time.monotonic() - began), SIDE)
    finally:
        device.release()


def _stream(address: str) -> Iterator[Frame]:
    import av

    try:
        with av.open(address, timeout=TIMEOUT) as container:
            began = time.monotonic()
            stream = container.streams.video[0]
            told = tagged(stream)
            packets = container.demux(stream)
            for picture in pictures(packets, stream.codec_context.decode, address):
                rgb = _as_shown(picture, stream, told, address)
                yield Frame(rgb, time=time.monotonic() - began)
    except (av.FFmpegError, IndexError, OSError, ValueError) as error:
        raise MediaError(f"{address}: cannot be watched ({one_line(error)})") from error


def _as_shown(picture: VideoFrame, stream: AVStream, told: Colours, address: str) -> UInt8Array:
    """A picture as `VideoStream` gives it, but for alpha of VP8 and VP9, which their decoders drop.

    told: by the stream before one was decoded.
    """
    ratio = stream.sample_aspect_ratio or Fraction(1)
    width, height, turn = geometry(picture, ratio, address)
    size = fit(width, height, SIDE)
    return upright(picture, size, turn, colours_of(stream, told), keeps_alpha(stream))
