"""Live: what a stream shows is what the same pictures show as a file."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

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


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("hdr.mkv", lambda path: film(path, coded(light(BARS), HLG), HLG)),
        ("interlaced.ts", lambda path: interlaced(path, "mpeg2video")),
        ("turned.mkv", lambda path: make_video(path, 5, rotation=90)),
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
