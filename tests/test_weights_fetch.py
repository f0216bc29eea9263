"""Fetching weight files from servers that cut off, lie, redirect and serve something else."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from weights_site import Site, entry, install, package, site

from dancecli import weights
from dancecli.errors import DanceError, LicenceError, UsageError, WeightsError
from dancecli.progress import Progress
from dancecli.weights import store
from dancecli.weights.fetching import fetch, remove_file

WHOLE = bytes(range(256)) * 400
QUIET = Progress("quiet")


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as served:
        yield served


@pytest.fixture
def home(own_cache: Path) -> Path:
    return own_cache / "weights"


@pytest.fixture(autouse=True)
def _made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "")
    install(monkeypatch, tmp_path)


def known(folder: Path, *entries: str) -> None:
    """Let the made package's manifest hold these entries."""
    (folder / "dance_made" / "weights.toml").write_text("".join(entries), encoding="utf-8")


def unfinished(home: Path) -> list[str]:
    """Names of what is left beside the files themselves, but for locks."""
    return sorted(p.name for p in (home / ".dance").iterdir() if p.suffix != ".lock")


def test_a_file_is_fetched_verified_and_found(tmp_path: Path, web: Site, home: Path) -> None:
    known(tmp_path, entry("made", WHOLE, web.serve("/made", WHOLE)))
    with pytest.raises(WeightsError, match=r"run `dance weights fetch made`"):
        weights.locate("made")
    assert fetch("made", QUIET) == home / "made.bin" == weights.locate("made")
    assert (home / "made.bin").read_bytes() == WHOLE
    assert unfinished(home) == []
    fetch("made", QUIET)
    assert len(web.asked) == 1, "what is here is not fetched again"


def test_a_damaged_file_is_fetched_again(tmp_path: Path, web: Site, home: Path) -> None:
    known(tmp_path, entry("made", WHOLE, web.serve("/made", WHOLE)))
    home.mkdir()
    (home / "made.bin").write_bytes(WHOLE[:-1] + b"?")
    with pytest.raises(WeightsError, match="dance weights fetch made"):
        weights.locate("made")
    fetch("made", QUIET)
    assert weights.locate("made").read_bytes() == WHOLE


def test_what_is_cut_off_goes_on_where_it_was(tmp_path: Path, web: Site) -> None:
    known(tmp_path, entry("made", WHOLE, web.serve("/made", WHOLE, cuts=[70_000, 20_000])))
    fetch("made", QUIET)
    assert weights.locate("made").read_bytes() == WHOLE
    assert [asked for _, asked in web.asked] == ["", "bytes=70000-", "bytes=90000-"]


def test_a_fetch_given_up_is_resumed_by_the_next(tmp_path: Path, web: Site, home: Path) -> None:
    address = web.serve("/made", WHOLE, cuts=[5_000] * 4)
    known(tmp_path, entry("made", WHOLE, address))
    with pytest.raises(WeightsError, match="cut off after 20000 of 102400 bytes"):
        fetch("made", QUIET)
    assert not (home / "made.bin").exists()
    fetch("made", QUIET)
    assert web.asked[-1] == ("/made", "bytes=20000-")
    assert weights.locate("made").read_bytes() == WHOLE


@pytest.mark.parametrize(
    "how",
    [
        {"ranges": False},  # ignores Range and sends all again
        {"etag": ""},  # nothing tells whether it is the same file
        {"etag": 'W/"weak"'},  # says nothing of bytes
    ],
)
def test_where_resuming_is_not_safe_it_begins_anew(
    how: dict, tmp_path: Path, web: Site, home: Path
) -> None:
    known(tmp_path, entry("made", WHOLE, web.serve("/made", WHOLE, cuts=[70_000], **how)))
    fetch("made", QUIET)
    assert weights.locate("made").read_bytes() == WHOLE


def test_a_file_that_changed_meanwhile_is_not_stitched(tmp_path: Path, web: Site) -> None:
    address = web.serve("/made", b"x" * len(WHOLE), cuts=[5_000] * 4)
    known(tmp_path, entry("made", WHOLE, address))
    with pytest.raises(WeightsError, match="cut off"):
        fetch("made", QUIET)
    web.serve("/made", WHOLE, etag='"two"')
    fetch("made", QUIET)
    assert weights.locate("made").read_bytes() == WHOLE


def test_a_range_of_another_file_is_thrown_away(tmp_path: Path, web: Site) -> None:
    """A server that heeds Range but not If-Range."""
    address = web.serve("/made", b"x" * len(WHOLE), cuts=[5_000] * 4)
    known(tmp_path, entry("made", WHOLE, address))
    with pytest.raises(WeightsError, match="cut off"):
        fetch("made", QUIET)
    web.serve("/made", WHOLE, etag='"two"', conditional=False)
    fetch("made", QUIET)
    assert [asked for _, asked in web.asked[-2:]] == ["bytes=20000-", ""]
    assert weights.locate("made").read_bytes() == WHOLE


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"claimed": len(WHOLE) + 9}, "it offers 102409 bytes, 102400 expected"),
        ({"claimed": len(WHOLE) - 9}, "it offers 102391 bytes, 102400 expected"),
        ({"claimed": 1 << 60}, "expected"),
        ({"length": False, "etag": "", "cuts": [4_000] * 4}, "cut off after 4000 of 102400"),
        ({"kind": "text/html; charset=utf-8"}, "a web page, which a person must open"),
        ({"status": 503}, "503"),
    ],
)
def test_answers_that_cannot_be_the_file(
    how: dict, said: str, tmp_path: Path, web: Site, home: Path
) -> None:
    known(tmp_path, entry("made", WHOLE, web.serve("/made", WHOLE, **how)))
    with pytest.raises(WeightsError) as caught:
        fetch("made", QUIET)
    message = str(caught.value)
    assert said in message and "\n" not in message
    assert "--from FILE" in message and str(home) in message
    assert not (home / "made.bin").exists()


def test_a_stream_without_length_stops_at_the_size_published(
    tmp_path: Path, web: Site, home: Path
) -> None:
    address = web.serve("/made", WHOLE + bytes(3_000_000), length=False)
    known(tmp_path, entry("made", WHOLE, address))
    with pytest.raises(WeightsError, match="more than 102400 bytes"):
        fetch("made", QUIET)
    assert unfinished(home) == []


def test_a_page_that_calls_itself_a_file_is_seen_through(tmp_path: Path, web: Site) -> None:
    known(tmp_path, entry("made", None, web.serve("/made", b"\n<!DOCTYPE html><html>sign in")))
    with pytest.raises(WeightsError, match=r"a person must open.*--from FILE --trust"):
        fetch("made", QUIET, trust=True)


def test_wrong_bytes_are_kept_out_and_the_next_address_is_tried(
    tmp_path: Path, web: Site, home: Path
) -> None:
    wrong = web.serve("/wrong", WHOLE[::-1])
    known(tmp_path, entry("made", WHOLE, wrong, web.serve("/gone/", etag=""), wrong))
    with pytest.raises(WeightsError, match=r"its SHA-256 is .* expected; it was kept out"):
        fetch("made", QUIET)
    assert not (home / "made.bin").exists() and unfinished(home) == []
    known(tmp_path, entry("made", WHOLE, wrong, web.url + "/nothing", web.serve("/right", WHOLE)))
    fetch("made", QUIET)
    assert weights.locate("made").read_bytes() == WHOLE


def test_nobody_there_says_what_to_get_and_where_to_put_it(tmp_path: Path, home: Path) -> None:
    known(tmp_path, entry("made", WHOLE, "http://127.0.0.1:9/made.bin"))
    with pytest.raises(WeightsError) as caught:
        fetch("made", QUIET)
    for part in ("http://127.0.0.1:9/made.bin", "made.bin (102400 bytes", str(home), "--from"):
        assert part in str(caught.value)


# Redirects


def test_redirects_are_followed_a_few_times(tmp_path: Path, web: Site) -> None:
    web.serve("/made", WHOLE)
    for n in range(3):
        web.serve(f"/{n}", to=f"{web.url}/{n + 1}" if n < 2 else f"{web.url}/made")
    known(tmp_path, entry("made", WHOLE, web.url + "/0"))
    fetch("made", QUIET)
    assert weights.locate("made").read_bytes() == WHOLE


@pytest.mark.parametrize("to", ["/round", "/further?{}"])
def test_redirects_do_not_go_on_for_ever(to: str, tmp_path: Path, web: Site) -> None:
    class Further(dict):
        def get(self, path: str, default: object = None) -> object:
            self.count = getattr(self, "count", 0) + 1
            self["/round"].to = web.url + to.format(self.count)
            return self["/round"]

    web.serve("/round", to="-")
    web.paths = Further(web.paths)
    known(tmp_path, entry("made", WHOLE, web.url + "/round"))
    with pytest.raises(WeightsError, match="redirects without end"):
        fetch("made", QUIET)
    assert len(web.asked) <= 7


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/made", "data:,made"])
def test_redirects_lead_to_no_other_scheme(to: str, tmp_path: Path, web: Site, home: Path) -> None:
    known(tmp_path, entry("made", None, web.serve("/made", to=to)))
    with pytest.raises(WeightsError, match="cannot fetch"):
        fetch("made", QUIET, trust=True)
    assert not (home / "made.bin").exists()


# Files whose publisher gives no hash


def test_an_unknown_hash_is_shown_and_trusted_on_request(
    tmp_path: Path, web: Site, home: Path
) -> None:
    known(tmp_path, entry("made", None, web.serve("/made", WHOLE)))
    digest = hashlib.sha256(WHOLE).hexdigest()
    with pytest.raises(WeightsError, match=f"{digest}.*run `dance weights fetch made --trust`"):
        fetch("made", QUIET)
    assert not (home / "made.bin").exists()
    fetch("made", QUIET, trust=True)
    assert len(web.asked) == 1, "what was fetched once is not fetched again"
    assert weights.locate("made").read_bytes() == WHOLE
    (home / "made.bin").write_bytes(WHOLE[::-1])
    with pytest.raises(WeightsError, match=f"{digest} expected"):
        weights.locate("made")


def test_a_trusted_hash_binds_later_fetches_until_it_is_forgotten(
    tmp_path: Path, web: Site, home: Path
) -> None:
    known(tmp_path, entry("made", None, web.serve("/made", WHOLE)))
    fetch("made", QUIET, trust=True)
    (home / "made.bin").unlink()
    web.serve("/made", WHOLE[::-1])
    with pytest.raises(WeightsError, match="another one was trusted before"):
        fetch("made", QUIET, trust=True)
    remove_file("made")
    fetch("made", QUIET, trust=True)
    assert weights.locate("made").read_bytes() == WHOLE[::-1]


def test_a_file_put_there_by_hand_is_used_once_it_is_trusted(tmp_path: Path, home: Path) -> None:
    known(tmp_path, entry("made", None))
    home.mkdir()
    (home / "made.bin").write_bytes(WHOLE)
    for ask in (lambda: weights.locate("made"), lambda: fetch("made", QUIET)):
        with pytest.raises(WeightsError, match=hashlib.sha256(WHOLE).hexdigest()):
            ask()
    fetch("made", QUIET, trust=True)
    assert weights.locate("made") == home / "made.bin"


def test_trust_does_not_override_a_published_hash(tmp_path: Path, web: Site) -> None:
    known(tmp_path, entry("made", WHOLE, web.serve("/made", WHOLE[::-1])))
    with pytest.raises(WeightsError, match="kept out"):
        fetch("made", QUIET, trust=True)


# Files fetched by hand


def test_a_file_at_hand_is_copied_and_verified(tmp_path: Path, home: Path) -> None:
    known(tmp_path, entry("made", WHOLE, "http://127.0.0.1:9/made"))
    hand, other = tmp_path / "hand", tmp_path / "other"
    hand.write_bytes(WHOLE)
    other.write_bytes(WHOLE[::-1])
    with pytest.raises(WeightsError, match=r"other is not made.bin: its SHA-256"):
        fetch("made", QUIET, other)
    assert fetch("made", QUIET, hand).read_bytes() == WHOLE == hand.read_bytes()
    with pytest.raises(WeightsError, match=r"other is not made.bin"):
        fetch("made", QUIET, other)
    assert weights.locate("made").read_bytes() == WHOLE, "a refused file replaces nothing"
    assert unfinished(home) == []


@pytest.mark.parametrize("what", ["absent", "folder", "empty", "pipe"])
def test_a_file_at_hand_that_is_none(what: str, tmp_path: Path, home: Path) -> None:
    known(tmp_path, entry("made", WHOLE))
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    elif what == "empty":
        path.touch()
    elif what == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes on this system")
        os.mkfifo(path)
    with pytest.raises(DanceError, match=what):
        fetch("made", QUIET, path)
    assert not (home / "made.bin").exists()


# Folders with a listing


LISTED = {"file": '"made"', "listing": '"LIST.json"'}


def listed(folder: Path, **files: bytes) -> Path:
    """A folder of files and the JSON that lists them."""
    import json

    about = {name: {"sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "LIST.json").write_text(json.dumps(about))
    return folder


def test_a_folder_is_installed_by_its_listing(tmp_path: Path, home: Path) -> None:
    known(tmp_path, entry("made", None, **LISTED))
    with pytest.raises(WeightsError, match="has no public address"):
        fetch("made", QUIET)
    pack = listed(tmp_path / "pack", **{"a.bin": b"a", "deep/b.bin": b"b"})
    (pack / "stranger").write_bytes(b"not listed")
    assert fetch("made", QUIET, pack) == home / "made" == weights.locate("made")
    assert not (home / "made" / "stranger").exists()
    (home / "made" / "deep" / "b.bin").write_bytes(b"c")
    with pytest.raises(WeightsError, match=r"deep/b.bin: its SHA-256"):
        weights.locate("made")


def test_a_damaged_or_hostile_folder_is_not_installed(tmp_path: Path, home: Path) -> None:
    known(tmp_path, entry("made", None, **LISTED))
    damaged = listed(tmp_path / "damaged", **{"a.bin": b"a"})
    (damaged / "a.bin").write_bytes(b"b")
    with pytest.raises(WeightsError, match="damaged"):
        fetch("made", QUIET, damaged)
    hostile = listed(tmp_path / "hostile" / "in", **{"../out.bin": b"a"})
    with pytest.raises(WeightsError, match="want a relative path inside"):
        fetch("made", QUIET, hostile)
    assert not (home / "made").exists()


# Several processes


def started(folder: Path, *args: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "dancecli", "weights", *args]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )


def test_two_processes_at_once_fetch_a_file_once(tmp_path: Path, web: Site) -> None:
    held = threading.Event()
    known(tmp_path, entry("made", WHOLE, web.serve("/made", WHOLE, held=held)))
    one = started(tmp_path, "fetch", "made")
    assert web.paths["/made"].begun.wait(60)
    two = started(tmp_path, "fetch", "made")
    assert two.stderr is not None and "waiting for it" in two.stderr.readline()
    held.set()
    outs = [process.communicate(timeout=60) for process in (one, two)]
    assert (one.returncode, two.returncode) == (0, 0), outs
    assert "is here already" in outs[1][1] and len(web.asked) == 1
    assert weights.locate("made").read_bytes() == WHOLE


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_fetch_is_resumed(tmp_path: Path, web: Site) -> None:
    large = WHOLE * 30
    held = threading.Event()
    known(tmp_path, entry("made", large, web.serve("/made", large, held=held)))
    process = started(tmp_path, "fetch", "made")
    assert web.paths["/made"].begun.wait(60)
    part = store.folder() / ".dance" / "made.bin.part"
    for _ in range(600):
        if part.exists() and part.stat().st_size >= 2_000_000:
            break
        threading.Event().wait(0.05)
    process.kill()
    process.communicate(timeout=60)
    held.set()
    fetch("made", QUIET)
    assert web.asked[1] == ("/made", "bytes=2000000-")
    assert weights.locate("made").read_bytes() == large


# Terms and names


@pytest.mark.parametrize(("said", "why"), [("false", "forbid"), ('"unclear"', "leave .* unclear")])
def test_licence_commercial_fetches_nothing_else(
    said: str, why: str, tmp_path: Path, web: Site
) -> None:
    address = web.serve("/made", WHOLE)
    known(tmp_path, entry("made", WHOLE, address, commercial=said))
    with pytest.raises(LicenceError, match=f"'made': its terms {why}"):
        fetch("made", QUIET, licence="commercial")
    assert web.asked == []
    known(tmp_path, entry("made", WHOLE, address))
    fetch("made", QUIET, licence="commercial")


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"known: .*vgg19, .*did you mean 'vggface2'"):
        fetch("vggface", QUIET)
