"""Frames into one encoded file: the parts that outputs are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from dancecli.media.formats import OutputFormat
from dancecli.media.scaling import exact
from dancecli.types import UInt8Array

THREADS = 4
"""Threads of an encoder. Fixed, since the bits that x264 and VP9 write depend on it."""

BT709 = 1
"""ITU-T H.273's number of BT.709 primaries, transfer and matrix, and of the limited range."""


class Encoder:
    """Writes frames of one size to one file, with the codec and container of a part.

    rgb frames have 3 channels, 4 with `alpha` (not premultiplied). Raises av.FFmpegError or
    OSError; the file is whole only after the `with` block.
    """

    def __init__(
        self, path: Path, kind: OutputFormat, fps: Fraction, size: tuple[int, int], alpha: bool,
        tags: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """tags: of a file that is no part but whole, as `provenance.container_tags` gives them."""
        import av

        self._alpha = alpha
        self._pixels = kind.alpha_pixels if alpha else kind.pixels
        self._container: Any = av.open(
            str(path.absolute()), "w", format=kind.part, container_options={"fflags": "+bitexact"}
        )
        self._container.metadata.update(tags or {})
        options = kind.options | (kind.alpha_options if alpha else {})
        stream = self._container.add_stream(kind.codec, rate=fps, options=dict(options))
        stream.width, stream.height = size
        stream.pix_fmt = self._pixels
        stream.time_base = 1 / fps
        context = stream.codec_context
        context.time_base = 1 / fps
        context.thread_count = THREADS
        if self._pixels.startswith("yuv"):
            context.color_range = context.colorspace = BT709
            context.color_primaries = context.color_trc = BT709
        self._stream = stream
        self._next = 0

    def write(self, picture: UInt8Array) -> None:
        """The next frame, uint8 (h, w, 3 or 4)."""
        frame = _frame(picture, self._pixels, self._alpha)
        frame.pts = self._next
        frame.time_base = self._stream.codec_context.time_base
        self._next += 1
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def _frame(picture: UInt8Array, pixels: str, alpha: bool) -> Any:
    """RGB as the encoder wants it; YUV in BT.709, limited range."""
    import av
    from av.video.reformatter import ColorRange, Colorspace

    frame = av.VideoFrame.from_ndarray(picture, format="rgba" if alpha else "rgb24")
    if not pixels.startswith("yuv"):
        return frame.reformat(format=pixels)
    return frame.reformat(
        format=pixels,
        src_color_range=ColorRange.JPEG,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=exact("BICUBIC", "FULL_CHR_H_INP"),
    )


def pictures_of(parts: Iterable[Path], alpha: bool) -> Iterator[UInt8Array]:
    """All frames of lossless parts, one part after the other, exactly as written.

    uint8 (H, W, 3), RGB, or with alpha (H, W, 4), RGBA. Raises av.FFmpegError.
    """
    import av

    for part in parts:
        with av.open(str(part.absolute()), "r") as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgba" if alpha else "rgb24")
