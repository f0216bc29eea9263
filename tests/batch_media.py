"""Small media for batches: a photo, its mirror image, a picture without people, a short dance."""

from __future__ import annotations

import csv
import json
from http.server import BaseHTTPRequestHandler
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageOps

from dancecli.media import VideoStream

FRAMES = 4


def make_media(folder: Path, photo: Path, video: Path) -> Path:
    """a.png, b.png, sky.png and v.mp4 in a folder."""
    with Image.open(photo) as opened:
        small = opened.convert("RGB").resize((192, 256))
    small.save(folder / "a.png")
    ImageOps.mirror(small).save(folder / "b.png")
    shade = np.linspace(90, 200, 96).astype(np.uint8)
    Image.fromarray(np.repeat(np.repeat(shade[:, None, None], 64, 1), 3, 2)).save(
        folder / "sky.png"
    )
    with av.open(str(folder / "v.mp4"), "w") as container:
        dance = VideoStream(video, start=1, max_side=320)
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = dance.width, dance.height, "yuv420p"
        for frame in islice(dance.frames(), FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.rgb, "rgb24")))
        container.mux(stream.encode())
    return folder


def two_of_each(folder: Path, photo: Path, video: Path) -> Path:
    """a.jpg, b.jpg, v.mp4 and w.mp4 in a folder; planning reads no pixel of them."""
    for name, source in (("a.jpg", photo), ("b.jpg", photo), ("v.mp4", video), ("w.mp4", video)):
        (folder / name).write_bytes(source.read_bytes())
    return folder


def write_lines(path: Path, *lines: str) -> Path:
    """A text file of these lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_rows(path: Path, *rows: dict[str, object]) -> Path:
    """A table with a column for everything that a row gives."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def events(text: str, kind: str = "job") -> list[dict[str, Any]]:
    """The JSON events of one kind on stderr."""
    records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [record for record in records if record["event"] == kind]


class Files(BaseHTTPRequestHandler):
    """Serves stretches of the files in `server.folder`; `server.hold(self)` may delay a GET."""

    def do_HEAD(self) -> None:
        self._answer(self._file(), 200)

    def do_GET(self) -> None:
        server: Any = self.server
        if server.hold(self):
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            data = self._file()[int(first) : int(last) + 1]
            self._answer(data, 206)
            self.wfile.write(data)

    def _file(self) -> bytes:
        server: Any = self.server
        return bytes((server.folder / Path(self.path).name).read_bytes())

    def _answer(self, data: bytes, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", str(hash(data)))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
