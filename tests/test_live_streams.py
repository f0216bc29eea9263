"""Live: what a stream shows is what the same pictures show as a file."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media_samples import make_video
from test_media_hdr import BARS, HLG, coded, film, light
from test_media_pixels import interlaced

from dancecli.live.camera import SIDE, frames_of
from dancecli.media import VideoStream


def sent(path: Path) -> str:
    """The address at which a file comes as a stream, once."""
    server = socket.create_server(("127.0.0.1", 0))

    def send() -> None:
        with server, server.accept()[0] as reader:
            reader.sendall(path.read_bytes())

    threading.Thread(target=send, daemon=True).start()
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def clear(path: Path) -> Path:
    """Three blue pictures of which the left half is transparent."""
    rgba = np.zeros((48, 64, 4), np.uint8)
    rgba[..., 2], rgba[:, 32:, 3] = 200, 255
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgra"
        for _ in range(3):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, "rgba")))
        file.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("hdr.mkv", lambda path: film(path, coded(light(BARS), HLG), HLG)),
        ("interlaced.ts", lambda path: interlaced(path, "mpeg2video")),
        ("turned.mkv", lambda path: make_video(path, 5, rotation=90)),
        ("transparent.mkv", clear),
        ("large.ts", lambda path: make_video(path, 5, size=(1280, 720))),
    ],
)
def test_a_stream_is_shown_as_a_file_is(
    tmp_path: Path, name: str, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path / name)
    seen = [frame.rgb for frame in frames_of(sent(path))]
    filed = [frame.rgb for frame in VideoStream(path, max_side=SIDE).frames()]
    assert len(seen) == len(filed)
    assert all(np.array_equal(a, b) for a, b in zip(seen, filed, strict=True))
