"""Reading sets of shards: folders, URLs, corrupt shards, and the order that seed and rank give."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from dance_freestyle.training.samples import open_data, open_samples, visited
from shard_jobs import DrawnJob, drawn_sample

from dancecli.data import scale, stores
from dancecli.data.inspecting import inspect
from dancecli.data.reading import open_stored
from dancecli.errors import MediaError, UsageError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten units in four shards, eight people."""
    folder = tmp_path_factory.mktemp("whole") / "set"
    scale.run(DrawnJob(), folder, each=3)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "set"))


class Ranges(BaseHTTPRequestHandler):
    """Serves `server.folder`; with `server.ranged` off it ignores the Range header."""

    server: Any

    def do_HEAD(self) -> None:
        self.reply(body=False)

    def do_GET(self) -> None:
        self.reply(body=True)

    def reply(self, body: bool) -> None:
        path = Path(self.server.folder, self.path.lstrip("/").partition("?")[0])
        asked = self.headers.get("Range", "")
        self.server.log.append((self.command, path.name, asked))
        if self.server.failing > 0:
            self.server.failing -= 1
            return self.send_error(503)
        if not path.is_file():
            return self.send_error(404)
        data = path.read_bytes()
        if asked and self.server.ranged:
            first, last = (int(n) for n in asked.removeprefix("bytes=").split("-"))
            data = data[first : last + 1]
        self.send_response(206 if asked and self.server.ranged else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)
        return None

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(whole: Path) -> Iterator[Any]:
    httpd: Any = ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    httpd.folder, httpd.ranged, httpd.failing, httpd.log = whole.parent, True, 0, []
    httpd.url = f"http://127.0.0.1:{httpd.server_address[1]}/set"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def in_memory(whole: Path) -> Iterator[str]:
    fsspec = pytest.importorskip("fsspec")
    files, root = fsspec.filesystem("memory"), f"/{uuid4().hex}"
    for path in whole.iterdir():
        files.pipe_file(f"{root}/{path.name}", path.read_bytes())
    yield f"memory:/{root}"
    files.rm(root, recursive=True)


def same(a: Any, b: Any) -> bool:
    return a.key == b.key and a.numbers == b.numbers and all(
        a.files.read(name) == b.files.read(name) for name in a.files.names()
    )  # fmt: skip


def test_a_url_gives_the_samples_of_the_folder(whole: Path, in_memory: str, server: Any) -> None:
    local = open_stored([whole])
    assert len(local) == 8
    for url in (in_memory, server.url):
        remote = open_stored([url])
        assert len(remote) == 8 and all(map(same, local, remote))
    np.testing.assert_array_equal(
        open_samples([server.url])[3].shot(1).rgb, open_samples([whole])[3].shot(1).rgb
    )


def test_a_set_behind_a_url_can_be_inspected(server: Any) -> None:
    found, sheet = inspect(f"{server.url}/?token=a", rows=1)
    assert found.whole and found.frames == found.looked == 16 and sheet is not None


def test_a_sample_behind_a_url_is_one_request(server: Any) -> None:
    sample = open_samples([server.url])[5]
    assert not [name for _, name, asked in server.log if name.endswith(".tar") and asked]
    server.log.clear()
    stores.stretch.cache_clear()
    sample.shot(0), sample.shot(1)
    assert [(kind, name) for kind, name, _ in server.log] == [("GET", "shard-000002.tar")]


def test_a_shard_behind_a_url_needs_its_index_and_a_folder_its_manifest(
    server: Any, whole: Path
) -> None:
    first = open_stored([f"{server.url}/shard-000002.tar?token=a"])[0]
    assert same(first, open_stored([whole / "shard-000002.tar"])[0])
    assert all("token" not in name for _, name, _ in server.log)
    with pytest.raises(MediaError, match=r"manifest\.json: cannot be read .*404"):
        open_stored([f"{server.url}/nothing"])


def test_a_server_without_ranges_is_named(server: Any) -> None:
    server.ranged = False
    with pytest.raises(MediaError, match="does not send parts of files"):
        open_stored([server.url])


def test_a_server_that_stumbles_is_asked_again(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores.time, "sleep", lambda _: None)
    server.failing = 2
    assert len(open_stored([f"{server.url}/shard-000000.tar"])) == 3
    server.failing = 100
    with pytest.raises(MediaError, match="503"):
        open_stored([f"{server.url}/shard-000000.tar"])


def cut_off(tar: Path) -> None:
    tar.write_bytes(tar.read_bytes()[:-3000])


def flip(tar: Path) -> None:
    data = bytearray(tar.read_bytes())
    data[len(data) // 3] ^= 1
    tar.write_bytes(bytes(data))


def reindex(tar: Path) -> None:
    index = tar.with_suffix(".json")
    index.write_bytes(index.read_bytes().replace(b'"units":3', b'"units":4'))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut_off, "cut off or changed"),
        (flip, "SHA-256"),
        (reindex, "index is not the one that the manifest names"),
        (Path.unlink, "cannot be read (No such file"),
        (lambda tar: tar.with_suffix(".json").unlink(), "cannot be read (No such file"),
        (lambda tar: tar.with_suffix(".json").write_text("{"), "not JSON"),
    ],
)
def test_a_corrupt_shard_is_reported_and_left_out(copy: Path, damage: Any, says: str) -> None:
    damage(copy / "shard-000001.tar")
    lines: list[str] = []
    left = open_samples([copy], lines.append)
    assert [s.key for s in left] == [
        f"drawn_unit-{n:03d}" for n in (0, 1, 2, 6, 7, 8)
    ]  # without 3, 4 (hollow) and 5
    assert len(lines) == 2 and says in lines[0] and "shard-000001" in lines[0]
    assert lines[1] == "1 of 4 shards are left out"
    with pytest.raises(MediaError, match="shard-000001"):
        open_samples([copy])


def test_a_set_of_nothing_but_corrupt_shards_is_refused(copy: Path) -> None:
    for tar in copy.glob("*.tar"):
        cut_off(tar)
    lines: list[str] = []
    with pytest.raises(MediaError, match="all 4 shards are corrupt"):
        open_samples([copy], lines.append)
    assert len(lines) == 4


def test_a_corrupt_shard_behind_a_url_is_left_out(copy: Path, server: Any) -> None:
    server.folder = copy.parent
    cut_off(copy / "shard-000002.tar")
    lines: list[str] = []
    assert len(open_samples([server.url], lines.append)) == 5
    assert "shard-000002.tar: is" in lines[0] and lines[1].startswith("1 of 4")


def test_damage_that_came_later_is_seen_when_it_is_read(copy: Path, in_memory: str) -> None:
    samples = open_samples([copy])
    for tar in copy.glob("*.tar"):
        tar.write_bytes(bytes(tar.stat().st_size))
    with pytest.raises(MediaError, match=r"shard-000000.tar: 0.jpg at byte \d+ is damaged"):
        samples[0].shot(0)
    for tar in copy.glob("*.tar"):
        tar.write_bytes(b"")
    with pytest.raises(MediaError, match="cut off while in use"):
        samples[0].shot(0)


def test_a_shard_that_the_manifest_does_not_name_is_reported(copy: Path) -> None:
    shutil.copy(copy / "shard-000000.tar", copy / "shard-000009.tar")
    lines: list[str] = []
    assert len(open_samples([copy], lines.append)) == 8
    assert "shard-000009.tar: not in the manifest" in lines[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 7}, "schema 7"),
        ({"shards": [{"name": "../x.tar"}]}, "not the manifest"),
        ({"shards": 3}, "not the manifest"),
        ({"counts": []}, "not the manifest"),
    ],
)
def test_a_forged_manifest_is_refused(copy: Path, change: dict[str, Any], says: str) -> None:
    path = copy / "manifest.json"
    known = json.loads(path.read_bytes())
    path.write_text(json.dumps({**known, **change}))
    with pytest.raises(MediaError, match=says):
        open_samples([copy], print)
    for name in ("../../shard-000000.tar", "/etc/x.tar", "shard-000001.tar"):
        known["shards"][0]["name"] = name
        path.write_text(json.dumps(known))
        with pytest.raises(MediaError, match=r"not the manifest|names a shard twice"):
            open_samples([copy], print)


def test_a_loose_file_that_is_huge_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dancecli.data.samples import encode

    for name, data in encode(drawn_sample("ann", frames=1)).items():
        (tmp_path / name).write_bytes(data)
    assert open_stored([tmp_path])[0].crop(0).number == 0
    with (tmp_path / "ann.0.jpg").open("r+b") as file:
        file.truncate(2**40)  # a hole, not a terabyte
    with pytest.raises(MediaError, match="1099511627776 bytes, above"):
        open_stored([tmp_path])[0].crop(0)


def test_places_are_joined_in_their_order(
    copy: Path, in_memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANCE_DATA", str(copy.parent))
    both = open_data(f"set,{in_memory}")
    assert len(both) == 16 and both[2].key == both[10].key == "drawn_unit-002"
    assert both[-1].count == 2
    assert both.frames == 32  # each of two: an epoch, by the indexes alone
    with pytest.raises(IndexError):
        both[16]
    with pytest.raises(UsageError, match=r"--data absent: neither absent nor .*absent exists"):
        open_data("set,absent")


def test_ranks_and_machines_agree_on_what_a_position_shows(whole: Path, in_memory: str) -> None:
    one, other = open_samples([whole]), open_samples([in_memory])
    shown = [one[visited(position, len(one), 7)].key for position in range(16)]
    assert shown == [other[visited(position, len(other), 7)].key for position in range(16)]
    assert sorted(shown[:8]) == sorted(shown[8:]) == [s.key for s in one]
    assert shown[:8] != shown[8:]
