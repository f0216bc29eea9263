"""Archives of weights: what is wanted comes out, whatever else is inside."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weights_site import entry, install, package

from dancecli import weights
from dancecli.errors import WeightsError
from dancecli.progress import Progress
from dancecli.weights.archives import unpack
from dancecli.weights.fetching import fetch, remove_file

MODEL = bytes(range(256)) * 40
QUIET = Progress("quiet")

OUTSIDE = ("../out", "/tmp/dance-out", "in/../../out", "C:\\out", "\\\\host\\out")


def zipped(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    return path


def tarred(
    path: Path, files: dict[str, bytes], links: dict[str, str] | None = None, mode: str = "w:gz"
) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, target
                archive.addfile(info)
    return path


Make = Callable[..., Path]
MAKE: dict[str, Make] = {"zip": zipped, "tar": tarred}


@pytest.mark.parametrize("begin", ["", "./"])
@pytest.mark.parametrize("kind", MAKE)
def test_only_what_is_wanted_comes_out(kind: str, begin: str, tmp_path: Path) -> None:
    """Also of paths that begin with the folder itself, as `tar -c .` writes them."""
    found = {**dict.fromkeys(OUTSIDE, b"hostile"), "big/model.pth": MODEL, "big/readme": b"text",
             "other": b"text"}  # fmt: skip
    path = MAKE[kind](tmp_path / "a", {f"{begin}{name}": data for name, data in found.items()})
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    unpack(path, kind, ("big/model.pth",), inside)
    assert set(tmp_path.rglob("*")) - before == {inside / "big", inside / "big" / "model.pth"}
    assert (inside / "big" / "model.pth").read_bytes() == MODEL
    assert not Path("/tmp/dance-out").exists()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_archives_may_be_compressed(mode: str, tmp_path: Path) -> None:
    path = tarred(tmp_path / "a", {"model.pth": MODEL}, mode=mode)
    unpack(path, "tar", ("model.pth",), tmp_path)
    assert (tmp_path / "model.pth").read_bytes() == MODEL


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "other"])
def test_a_link_where_a_file_is_wanted_is_refused(kind: str, target: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    path = MAKE[kind](tmp_path / "a", {"other": MODEL}, {"model.pth": target})
    (tmp_path / "in").mkdir()
    with pytest.raises(WeightsError, match="not a plain file"):
        unpack(path, kind, ("model.pth",), tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("bomb", ["model.pth", "another"])
def test_a_bomb_is_stopped(kind: str, bomb: str, tmp_path: Path) -> None:
    """10 MB in some kB, whether it is wanted or lies before what is wanted."""
    path = MAKE[kind](tmp_path / "a", {bomb: bytes(10_000_000), "last": b"x"})
    wanted = ("model.pth",) if bomb == "model.pth" else ("last",)
    if kind == "zip" and bomb == "another":
        return unpack(path, kind, wanted, tmp_path)  # skipped without being read
    with pytest.raises(WeightsError, match="holds more than"):
        unpack(path, kind, wanted, tmp_path)


@pytest.mark.parametrize("kind", MAKE)
def test_a_missing_member_is_named(kind: str, tmp_path: Path) -> None:
    path = MAKE[kind](tmp_path / "a", {"model.pt": MODEL})
    with pytest.raises(WeightsError, match=r"holds no model\.pth"):
        unpack(path, kind, ("model.pth",), tmp_path)


@pytest.mark.parametrize("kind", MAKE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_archives_are_refused_or_right(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    room = tmp_path_factory.mktemp("room")
    whole = MAKE[kind](room / "a", {"model.pth": MODEL}).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    spoilt = data.draw(
        st.one_of(
            st.just(whole[:at]),
            st.binary(min_size=1, max_size=9).map(lambda b: whole[:at] + b + whole[at + len(b) :]),
        )
    )
    (room / "a").write_bytes(spoilt)
    try:
        unpack(room / "a", kind, ("model.pth",), room)
    except WeightsError as error:
        assert "\n" not in str(error)
    else:
        assert (room / "model.pth").exists()


def test_a_member_before_the_start_of_the_file_is_refused(tmp_path: Path) -> None:
    whole = bytearray(MAKE["zip"](tmp_path / "a", {"model.pth": MODEL}).read_bytes())
    whole[-4] ^= 1  # the directory's offset, 65,536 more than it is
    (tmp_path / "a").write_bytes(whole)
    with pytest.raises(WeightsError, match="not a readable zip archive"):
        unpack(tmp_path / "a", "zip", ("model.pth",), tmp_path)


def test_anything_else_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(MODEL)
    for kind in MAKE:
        with pytest.raises(WeightsError, match=f"not a readable {kind} archive"):
            unpack(tmp_path / "a", kind, ("model.pth",), tmp_path)


def test_an_archive_is_installed_found_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    archive = zipped(tmp_path / "made.zip", {"big/model.pth": MODEL, "big/readme": b"text"})
    wanted = {"archive": '"zip"', "unpack": '"big/model.pth"'}
    package(tmp_path, entry("made", archive.read_bytes(), **wanted))
    install(monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match="--from FILE"):
        weights.locate("made")
    path = fetch("made", QUIET, archive)
    assert path == weights.locate("made") and path.read_bytes() == MODEL
    assert path.is_relative_to(own_cache / "weights" / "made.bin.unpacked")
    path.write_bytes(MODEL[::-1])
    with pytest.raises(WeightsError, match=r"big/model.pth: its SHA-256 is"):
        weights.locate("made")
    fetch("made", QUIET, archive)
    assert weights.locate("made").read_bytes() == MODEL
    assert remove_file("made") > 0
    assert not path.exists()


def test_an_archive_that_is_refused_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = zipped(tmp_path / "good.zip", {"model.pth": MODEL})
    bad = zipped(tmp_path / "bad.zip", {}, {"model.pth": "/etc/passwd"})
    package(tmp_path, entry("made", None, archive='"zip"', unpack='["model.pth"]'))
    install(monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match=r"made.bin: .* is not a plain file"):
        fetch("made", QUIET, bad, trust=True)
    fetch("made", QUIET, good, trust=True)
    with pytest.raises(WeightsError, match="another one was trusted before"):
        fetch("made", QUIET, bad, trust=True)
    assert weights.locate("made").read_bytes() == MODEL


@pytest.mark.parametrize("kind", MAKE)
def test_a_link_is_refused_under_a_path_that_begins_with_the_folder_itself(
    kind: str, tmp_path: Path
) -> None:
    path = MAKE[kind](tmp_path / "a", {}, {"./model.pth": "/etc/passwd"})
    with pytest.raises(WeightsError, match="not a plain file"):
        unpack(path, kind, ("model.pth",), tmp_path)
    assert not (tmp_path / "model.pth").exists()
