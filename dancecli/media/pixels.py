"""One decoded frame as RGB or RGBA: lines of two fields made one picture, scaled, SDR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dancecli.media.hdr import BT2020, Colours, to_sdr
from dancecli.media.scaling import exact
from dancecli.types import UInt8Array

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVStream

HD = 576
"""Rows above which untagged colours are BT.709, as players assume."""

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own VP8 and VP9 decoders leave alpha out."""

_PLANAR = ("yuv4", "yuvj4", "yuva4", "gray")
"""How FFmpeg's names of the formats begin that its filter takes without changing colours."""

_DEEP = {"rgb24": "rgb48le", "rgba": "rgba64le"}
"""The same pixels with 16 bits."""


def over_white(frame: VideoFrame, width: int, height: int, colours: Colours) -> UInt8Array:
    """As `reformatted` in "rgb24"; what is transparent is laid over white, as photos are.

    (height, width, 3). Laid before it is scaled, so that what lies under transparent pixels does
    not bleed into others.
    """
    rgba = reformatted(frame, frame.width, frame.height, "rgba", colours)
    if rgba[..., 3].min() == 255:
        return reformatted(frame, width, height, "rgb24", colours)
    alpha = rgba[..., 3:].astype(np.float32) / 255
    white = np.float32(255)
    laid = np.asarray(np.rint(white + alpha * (rgba[..., :3] - white)), np.uint8)
    return laid if laid.shape[1::-1] == (width, height) else _scaled(laid, width, height)


def _scaled(rgb: UInt8Array, width: int, height: int) -> UInt8Array:
    import cv2

    way = cv2.INTER_AREA if width < rgb.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=way))


def keeps_alpha(stream: AVStream) -> bool:
    """Whether a stream can hold alpha: VP8 and VP9 say so in a tag, others by their pixels."""
    if stream.codec_context.name in ALPHA_DECODERS:
        tags = {key.lower(): value for key, value in stream.metadata.items()}
        return tags.get("alpha_mode") == "1"
    pixels = stream.codec_context.format
    return pixels is not None and bool(
        pixels.has_palette or any(part.is_alpha for part in pixels.components)
    )


def reformatted(
    frame: VideoFrame, width: int, height: int, pixels: str, colours: Colours
) -> UInt8Array:
    """Scaled and in full-range "rgb24" or "rgba", uint8 (height, width, 3 or 4).

    Depends on this frame alone. Raises av.FFmpegError, ValueError or OSError for what cannot be
    converted.
    """
    from av.video.reformatter import ColorRange

    matrix = _matrix(frame, colours)  # before the filter, which may lose the frame's own
    whole = _deinterlaced(frame) if frame.interlaced_frame and not frame.format.is_rgb else frame
    way = "AREA" if width < frame.width else "BICUBIC"
    converted = whole.reformat(
        width=width,
        height=height,
        format=_DEEP[pixels] if colours.wide else pixels,
        src_colorspace=matrix,
        dst_color_range=ColorRange.JPEG,
        interpolation=exact(way, "FULL_CHR_H_INT"),
    )
    picture = np.asarray(converted.to_ndarray())
    return _sdr(picture, colours) if colours.wide else np.asarray(picture, np.uint8)


def colours_of(stream: AVStream, told: Colours) -> Colours:
    """What a stream of which a frame was decoded says of its colours; else what its file `told`."""
    now = tagged(stream)
    return Colours(
        now.transfer if now.transfer != 2 else told.transfer,
        now.primaries if now.primaries != 2 else told.primaries,
    )


def tagged(stream: AVStream) -> Colours:
    """What is known of a stream's colours; before a frame is decoded, what its file says."""
    context = stream.codec_context
    return Colours(int(context.color_trc), int(context.color_primaries))


def _sdr(picture: Any, colours: Colours) -> UInt8Array:
    """16 bits and HDR as 8 bits and SDR; alpha stays as it is."""
    shown = to_sdr(picture[..., :3], colours)
    if picture.shape[2] == 3:
        return shown
    alpha = (picture[..., 3:] >> 8).astype(np.uint8)
    return np.concatenate([shown, alpha], axis=2)


def _matrix(frame: VideoFrame, colours: Colours) -> int:
    """The matrix from YUV to RGB: the frame's own; where untagged, by colours and size."""
    from av.video.reformatter import Colorspace

    if frame.colorspace not in (2, 3):  # unspecified, reserved
        return int(frame.colorspace)
    if colours.wide:
        return BT2020
    return int(Colorspace.ITU709 if frame.height > HD else Colorspace.ITU601)


def _deinterlaced(frame: VideoFrame) -> VideoFrame:
    """The field that comes first, with the other's lines drawn anew where something moves.

    The filter is given this frame only, so that a frame is the same wherever reading began.
    """
    import av.filter

    if not frame.format.name.startswith(_PLANAR):
        frame = frame.reformat(format="yuv422p")
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    lines = graph.add("yadif", "mode=send_frame:parity=auto:deint=all:threads=1")
    sink = graph.add("buffersink")
    source.link_to(lines)
    lines.link_to(sink)
    graph.configure()
    source.push(frame)
    source.push(None)
    whole: VideoFrame = sink.pull()
    return whole
