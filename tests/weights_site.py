"""A web server of this machine that behaves as badly as asked, and packages with a weights.toml."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from stevedore import ExtensionManager


@dataclass
class Served:
    """What one path answers.

    cuts: bytes of the body after which the connection ends, for one request after the other.
    claimed: a Content-Length of its own; None with `length` False sends none. ranges: whether they
    are honoured. etag: sent, and compared with If-Range where `conditional`. to: an address to
    redirect to. held: waits after most of the body, when `begun` is set, until it is set.
    """

    content: bytes = b""
    cuts: list[int] = field(default_factory=list)
    claimed: int | None = None
    length: bool = True
    ranges: bool = True
    etag: str = '"one"'
    conditional: bool = True
    kind: str = "application/octet-stream"
    status: int = 200
    to: str = ""
    held: threading.Event | None = None
    begun: threading.Event = field(default_factory=threading.Event)


class Site:
    """Paths and what they answer; `asked` lists (path, Range) of all requests."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.paths: dict[str, Served] = {}
        self.asked: list[tuple[str, str]] = []

    def serve(self, path: str, content: bytes = b"", **how: Any) -> str:
        """Answer a path from now on; returns its address."""
        self.paths[path] = Served(content, **how)
        return self.url + path


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, *_args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self.site.asked.append((self.path, self.headers.get("Range", "")))
        served = self.site.paths.get(self.path)
        if served is None:
            self.send_error(404)
        elif served.to:
            self.send_response(302)
            self.send_header("Location", served.to)
            self.end_headers()
        else:
            self._answer(served)

    def _answer(self, served: Served) -> None:
        first = self._first(served)
        body = served.content[first:]
        self.send_response(206 if first else served.status)
        self.send_header("Content-Type", served.kind)
        if served.etag:
            self.send_header("ETag", served.etag)
        if first:
            whole = len(served.content)
            self.send_header("Content-Range", f"bytes {first}-{whole - 1}/{whole}")
        if served.length:
            claimed = len(body) if served.claimed is None else served.claimed
            self.send_header("Content-Length", str(claimed))
        self.end_headers()
        if served.cuts:
            body = body[: served.cuts.pop(0)]
        self._send(served, body)

    def _first(self, served: Served) -> int:
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        stale = served.conditional and condition not in (None, served.etag)
        if not asked or not served.ranges or stale:
            return 0
        return int(asked.removeprefix("bytes=").rstrip("-"))

    def _send(self, served: Served, body: bytes) -> None:
        try:
            half = len(body) * 5 // 6
            self.wfile.write(body[:half])
            served.begun.set()
            if served.held:
                served.held.wait(60)
            self.wfile.write(body[half:])
        except OSError:
            pass  # whoever asked has gone


@contextmanager
def site() -> Iterator[Site]:
    """A running server."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.site = Site(server.server_address[1])  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield handler.site  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def entry(name: str, content: bytes | None, *addresses: str, **more: str) -> str:
    """A [[file]] of a manifest as TOML; content None: size and hash are not published."""
    lines = {
        "name": f'"{name}"', "file": f'"{name}.bin"', "about": f'"made {name}"',
        "addresses": repr(list(addresses)), "licence": '"MIT"', "commercial": "true", **more,
    }  # fmt: skip
    if content is not None:
        lines["size"] = str(len(content))
        lines["sha256"] = f'"{hashlib.sha256(content).hexdigest()}"'
    lines |= more
    return "\n[[file]]\n" + "\n".join(f"{key} = {value}" for key, value in lines.items()) + "\n"


def package(folder: Path, manifest: str, code: str = "", points: str = "") -> Path:
    """A folder like site-packages with the package `dance_made` and its distribution."""
    inside = folder / "dance_made"
    inside.mkdir(parents=True, exist_ok=True)
    (inside / "__init__.py").write_text(
        'raise RuntimeError("imported to be listed")\n' * (not code)
    )
    (inside / "plugin.py").write_text(code)
    (inside / "weights.toml").write_text(manifest, encoding="utf-8")
    info = folder / "dance_made-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dance-made\nVersion: 1.0\n")
    points = points or "[dance.weights]\nmade = dance_made.plugin:Any\n"
    (info / "entry_points.txt").write_text(points)
    return folder


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make a package of `package` importable in this process, until the test ends."""
    for module in ("dance_made", "dance_made.plugin"):  # of an earlier test
        sys.modules.pop(module, None)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})
    monkeypatch.setenv("no_proxy", "127.0.0.1")
