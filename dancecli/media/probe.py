"""What a video is: size as shown, rate, length, sound. Opening it safely."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dancecli.errors import MediaError
from dancecli.media.files import check_input, named, one_line
from dancecli.media.hdr import Colours
from dancecli.media.photo import animation
from dancecli.media.pixels import colours_of, keeps_alpha, tagged
from dancecli.media.scanning import onward
from dancecli.media.timeline import Timeline, read_timeline

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVStream

MAX_FRAME_PIXELS = 64_000_000
"""Larger frames are refused: 8K video has 33 million pixels."""

STILL_FORMATS = ("image2", "apng", "webp", "ico", "heif", "avif", "tty")
"""FFmpeg's names of formats of pictures and text, beside those that end in _pipe."""

OPEN_OPTIONS = {"protocol_whitelist": "file"}
"""A play list must not make FFmpeg fetch other files from the network."""

_log = logging.getLogger("dancecli.media")


@dataclass(frozen=True)
class VideoInfo:
    """A video as a viewer sees it.

    path: the file. width, height: pixels, turned and with square pixels.
    fps: frames per second, constant, or the average where `variable`.
    duration: seconds. frames: how many at the constant rate. has_audio: a sound track is there.
    codec, container: FFmpeg's names. cut: the file ends before its header says.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    duration: float
    frames: int
    has_audio: bool
    variable: bool
    codec: str
    container: str
    cut: bool = False


@dataclass(frozen=True)
class Turn:
    """How decoded pictures become upright: first exchanged axes, then mirrored."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, picture: Any) -> Any:
        """Array (h, w, c) as shown; a view."""
        if self.transpose:
            picture = picture.swapaxes(0, 1)
        return picture[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


@dataclass(frozen=True, eq=False)
class Survey:
    """All that is found out about a video before its frames are read."""

    info: VideoInfo
    timeline: Timeline
    turn: Turn
    colours: Colours
    alpha: bool


def probe(path: Path) -> VideoInfo:
    """What a video is, by its packets rather than its header; decodes one frame.

    Raises MediaError when it is missing, damaged, a still picture, or has no frame.
    """
    return survey(path).info


def survey(path: Path) -> Survey:
    """Timeline, size and orientation of a video. Raises MediaError."""
    with opened(path) as (container, stream):
        timeline = read_timeline(container, stream)
        codec = stream.codec_context.name
        has_audio = bool(container.streams.audio)
        kind = container.format.name
        ratio, alpha = stream.sample_aspect_ratio, keeps_alpha(stream)
    if timeline is None:
        raise MediaError(f"video {named(path)} has no frames: it is empty or was cut off")
    if kind == "gif" and len(timeline.ticks) == 1:
        raise MediaError(_still(path))
    frame, colours = _first_frame(path)
    width, height, turn = geometry(frame, ratio or Fraction(1), named(path))
    info = VideoInfo(
        path=path, width=width, height=height, fps=timeline.rate,
        duration=float(timeline.count / timeline.rate), frames=timeline.count,
        has_audio=has_audio, variable=timeline.variable, codec=codec, container=kind,
        cut=timeline.cut,
    )  # fmt: skip
    return Survey(info, timeline, turn, colours, alpha)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, AVStream]]:
    """The container and its best video stream, cover pictures excluded. Raises MediaError."""
    import av

    check_input(path, "video")
    try:
        # A name with a colon would be taken for a protocol, so the path is made absolute.
        container = av.open(
            str(path.absolute()), "r", metadata_errors="replace", options=dict(OPEN_OPTIONS)
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{named(path)} is not a video that can be read, or is damaged or truncated "
            f"({one_line(error)}): give mp4, mov, avi, webm, mkv or gif"
        ) from error
    with container:
        yield container, _video_stream(container, path)


def _video_stream(container: InputContainer, path: Path) -> AVStream:
    """The stream to read; raises MediaError for pictures, sound files and unknown codecs."""
    import av

    kind = container.format.name
    if kind.endswith(("_pipe", "_anim")) or kind in STILL_FORMATS:
        raise MediaError(_still(path))
    cover = av.stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & cover]
    if not streams:
        raise MediaError(f"{named(path)} has no video stream ({kind}): give a video")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise MediaError(f"the codec of video {named(path)} is unknown: convert it to H.264 mp4")
    stream.thread_type = "AUTO"
    return stream


def _still(path: Path) -> str:
    """Why a picture is not read: it is still, or moves in a way that is not supported."""
    kind = animation(path)
    if kind is not None:
        return (
            f"{named(path)} is an animated {kind}, which cannot be read as a video: "
            "convert it to .mp4 or .gif"
        )
    return f"{named(path)} is a still picture, not a video: give mp4, mov, avi, webm, mkv or gif"


def _first_frame(path: Path) -> tuple[VideoFrame, Colours]:
    """The first frame that can be decoded, and its colours; opened anew, since the scan read to
    the end."""
    with opened(path) as (container, stream):
        told = tagged(stream)
        for frame in decoded(container, stream, path):
            return frame, colours_of(stream, told)
    raise MediaError(
        f"no frame of video {named(path)} can be decoded: it is damaged, or give H.264 mp4"
    )


def decoded(
    container: InputContainer,
    stream: AVStream,
    path: Path,
    decoder: Any = None,
    joins: Sequence[Fraction] = (),
) -> Iterator[VideoFrame]:
    """Frames in the order shown; packets that cannot be decoded are skipped and reported once.

    decoder: a codec context to use instead of the stream's own. joins: see `Timeline`.
    """
    packets = onward(until_broken(container, stream), joins)
    return pictures(packets, (decoder or stream.codec_context).decode, named(path))


def pictures(
    packets: Iterator[Any], decode: Callable[[Any], list[Any]], name: str
) -> Iterator[Any]:
    """What packets hold; those that cannot be decoded are skipped and reported once, by `name`."""
    import av

    told = False
    for packet in packets:
        try:
            frames = decode(packet)
        except EOFError:
            return
        except (av.FFmpegError, OSError) as error:
            if not told:
                _log.warning("%s: some frames are damaged (%s)", name, one_line(error))
            told = True
            continue
        yield from frames


def until_broken(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Packets; where reading fails, the empty one that makes a decoder give up what it holds."""
    import av

    try:
        yield from container.demux(stream)
    except (av.FFmpegError, OSError):
        yield None


def geometry(frame: VideoFrame, ratio: Fraction, name: str) -> tuple[int, int, Turn]:
    """Width and height as shown, and the turn of the display matrix.

    ratio: width of a pixel over its height, as anamorphic video has it. Raises MediaError, which
    calls the video `name`, for a frame that is too large.
    """
    width, height = frame.width, frame.height
    if width * height > MAX_FRAME_PIXELS:
        raise MediaError(
            f"frames of {name} are {width}x{height}, more than the "
            f"{MAX_FRAME_PIXELS // 1_000_000} megapixels that are read: scale it down"
        )
    if ratio != 1 and Fraction(1, 4) <= ratio <= 4:
        width = max(1, round(width * ratio))
    turn = _turn(frame)
    return (height, width, turn) if turn.transpose else (width, height, turn)


def _turn(frame: VideoFrame) -> Turn:
    """The display matrix ((a, b, u), (c, d, v), ...) as whole quarter turns and mirrors.

    A pixel (x, y) is shown at (a x + c y, b x + d y) (ISO/IEC 14496-12, 6.2.2).
    """
    import numpy as np

    sides: Any = frame.side_data
    side = next((s for s in sides if s.type.name == "DISPLAYMATRIX"), None)
    if side is None:
        return Turn()
    a, b, _, c, d = np.frombuffer(bytes(side), np.int32)[:5].astype(np.int64).tolist()
    if abs(b) > abs(a):
        return Turn(transpose=True, flip_x=c < 0, flip_y=b < 0)
    return Turn(flip_x=a < 0, flip_y=d < 0)
