"""`weights.toml`: what is read from it, and that no manifest leads out of the weights folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weights_site import entry, install, package

from dancecli.errors import WeightsError
from dancecli.weights import catalogue, needed_by, store
from dancecli.weights.manifest import WeightFile, read

GOOD = {
    "name": "schp_lip", "file": "lip.pth", "about": "a parser", "addresses": ["https://a.org/b"],
    "licence": "MIT", "commercial": "unclear", "size": 7, "sha256": "AB" * 32,
    "needed_by": ["dance.parser:schp"],
}  # fmt: skip


def toml(*entries: dict[str, object]) -> str:
    """[[file]] tables; JSON's texts, lists, numbers and booleans are TOML's as well."""
    tables = [
        "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in e.items()) for e in entries
    ]
    return "".join(f"[[file]]\n{table}" for table in tables)


def parsed(folder: Path, *entries: dict[str, object]) -> list[WeightFile]:
    (folder / "weights.toml").write_text(toml(*entries), encoding="utf-8")
    return read(folder / "weights.toml", "made")


def test_an_entry_is_read(tmp_path: Path) -> None:
    (found,) = parsed(tmp_path, GOOD)
    assert found == WeightFile(
        "schp_lip", "lip.pth", "a parser", ("https://a.org/b",), "MIT", None, 7, "ab" * 32,
        ("dance.parser:schp",), package="made",
    )  # fmt: skip


BAD_NAMES = ("", " ", "a/b", "..", ".hidden", "a\\b", "a b", "/abs", "nul", "COM1.pth", "end.",
             "a\nb", "\x1b[31m", "x" * 200, 7, None)  # fmt: skip


@pytest.mark.parametrize("key", ["name", "file"])
@pytest.mark.parametrize("value", [each for each in BAD_NAMES if each is not None])
def test_names_are_plain(key: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=rf"\[\[file\]\] 2: {key} = ") as caught:
        parsed(tmp_path, GOOD, {**GOOD, "name": "other", "file": "other", key: value})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "ab" * 31}, "want 64 hexadecimal digits"),
        ({"sha256": "zz" * 32}, "want 64 hexadecimal digits"),
        ({"sha265": "ab" * 32}, "unknown key 'sha265', meant 'sha256'"),
        ({"size": 0}, "size = 0"),
        ({"size": 1 << 50}, "want bytes"),
        ({"size": True}, "size = True"),
        ({"commercial": "perhaps"}, "want true, false or 'unclear'"),
        ({"addresses": ["ftp://a.org/b"]}, "want http:// or https://"),
        ({"addresses": ["file:///etc/passwd"]}, "want http:// or https://"),
        ({"addresses": ["https://user:word@a.org/b"]}, "want http:// or https://"),
        ({"addresses": ["https://a.org:99999/b"]}, "want http:// or https://"),
        ({"addresses": "https://a.org/b"}, "want a list"),
        ({"needed_by": ["schp"]}, "want dance.GROUP:NAME"),
        ({"about": "two\nlines"}, "want a line of text"),
        ({"archive": "rar", "unpack": ["a"]}, "valid are 'zip' and 'tar'"),
        ({"archive": "zip"}, "go together"),
        ({"archive": "zip", "unpack": ["../a"]}, "want a relative path inside"),
        ({"archive": "zip", "unpack": ["/a"]}, "want a relative path inside"),
        ({"archive": "zip", "unpack": ["C:\\a"]}, "want a relative path inside"),
        ({"archive": "zip", "unpack": ["a/Con.txt"]}, "Windows changes"),
        ({"archive": "zip", "unpack": ["a", "A"]}, "twice"),
        ({"file": "a.unpacked"}, "is added to"),
        ({"listing": "list.json"}, "neither"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        parsed(tmp_path, {**GOOD, **change})
    assert said in str(caught.value) and "left out" in str(caught.value)


@pytest.mark.parametrize("key", ["name", "file", "about", "addresses", "licence", "commercial"])
def test_nothing_needed_may_be_missing(key: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"{key} = None"):
        parsed(tmp_path, {k: v for k, v in GOOD.items() if k != key})


@pytest.mark.parametrize(
    "other",
    [
        {"file": "other.pth"},
        {"name": "SCHP_LIP", "file": "other.pth"},
        {"name": "other", "sha256": "cd" * 32},
        {"name": "other", "file": "LIP.pth"},
    ],
)
def test_names_and_files_are_not_taken_twice(other: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"taken twice|are both"):
        parsed(tmp_path, GOOD, {**GOOD, **other})


def test_two_names_may_mean_the_same_bytes(tmp_path: Path) -> None:
    assert len(parsed(tmp_path, GOOD, {**GOOD, "name": "other"})) == 2


TEXTS = st.one_of(
    st.sampled_from([str(v) for v in BAD_NAMES] + ["a", "a.pth", "b/c", "https://a.org/b", "zip"]),
    st.text(st.characters(max_codepoint=0xD7FF, exclude_characters="\x7f"), max_size=12),
)
VALUES = st.one_of(
    TEXTS, st.booleans(), st.integers(-(1 << 62), 1 << 62), st.lists(TEXTS, max_size=3)
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples."""
    return tmp_path_factory.mktemp("room")


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(
        st.dictionaries(st.sampled_from([*GOOD, "archive", "unpack", "listing"]), VALUES),
        max_size=3,
    )
)
def test_whatever_is_accepted_stays_in_the_folder(
    changes: list[dict[str, object]], room: Path
) -> None:
    try:
        found = parsed(room, *({**GOOD, **change} for change in changes))
    except WeightsError as error:
        assert "\n" not in str(error)
        return
    root = store.folder().resolve()
    for each in found:
        for path in (store.place(each), store.path_of(each), store.bookkeeping(each, ".part")):
            assert path.resolve().is_relative_to(root) and path.resolve() != root
    assert len({each.name for each in found}) == len(found)


@settings(max_examples=200, deadline=None)
@given(
    content=st.one_of(st.binary(max_size=200), st.just(b"a = " + b"[" * 5000), st.just(b"file = 3"))
)
def test_any_bytes_are_read_or_refused(content: bytes, room: Path) -> None:
    path = room / "weights.toml"
    path.write_bytes(content)
    try:
        assert read(path) == []
    except WeightsError as error:
        assert str(path) in str(error)


# Across packages


def test_our_own_files_are_known_without_importing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The made package raises when it is imported."""
    needed = {"needed_by": '["dance.parser:made"]'}
    package(tmp_path, entry("made", b"whole", **needed))
    install(monkeypatch, tmp_path)
    files, problems = catalogue()
    assert {"vgg19", "vggface2", "lpips_vgg", "fid_inception", "humans", "made"} <= files.keys()
    assert problems == [] and files["made"].package == "dance_made"
    assert [each.name for each in needed_by("dance.parser", "made")] == ["made"]


@pytest.mark.parametrize(
    "manifest",
    ["not TOML", entry("vgg19", b"mine"), entry("mine", b"x", file='"vgg19-dcbb9e9d.pth"')],
)
def test_a_wrong_manifest_is_left_out_and_said(
    manifest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, manifest)
    install(monkeypatch, tmp_path)
    files, (problem,) = catalogue()
    assert files["vgg19"].package == "dance_freestyle" and "mine" not in files
    assert "dance_made" in problem and "left out" in problem
