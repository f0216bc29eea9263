"""Published weight files: found, verified, or asked for in one line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from dance_freestyle.appearance import PublishedEncoders
from dance_freestyle.b2f import B2F
from dance_freestyle.networks import assemble
from dance_freestyle.p2b import P2B
from freestyle_tiny import TINY, TINY_PAPER

from dancecli import weights
from dancecli.errors import UsageError, WeightsError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DANCE_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def entry(content: bytes, **changes: object) -> weights.WeightFile:
    given = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **changes}
    return weights.WeightFile(
        "made", "made.pth", "A made network", ("https://example.org/made.pth",), "MIT", True,
        **given,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_missing_file_says_what_to_get_and_where_to_put_it(home: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.locate("vgg19")
    said = str(caught.value)
    for part in (
        "vgg19-dcbb9e9d.pth", "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", str(home),
        "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    ):  # fmt: skip
        assert part in said
    assert "\n" not in said


def test_a_whole_file_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.MANIFEST, "made", entry(b"whole"))
    (home / "made.pth").write_bytes(b"whole")
    assert weights.locate("made") == home / "made.pth"


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        (b"whole, not", {}, "10 bytes, 5 expected"),
        (b"while", {}, "SHA-256 is"),
        (b"other", {"size": None}, "SHA-256 is"),
    ],
)
def test_a_damaged_file_is_refused(
    content: bytes, changes: dict, said: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(weights.MANIFEST, "made", entry(b"whole", **changes))
    (home / "made.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=said):
        weights.locate("made")


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"known: vgg19, vggface2, .*did you mean 'vggface2'"):
        weights.locate("vggface")


def test_the_papers_encoders_stop_with_one_line_where_their_files_are_missing() -> None:
    with pytest.raises(WeightsError, match="VGGFace2") as caught:
        PublishedEncoders()
    assert "\n" not in str(caught.value)
    paper = TINY_PAPER.with_overrides({"b2f.encoders": "published"})
    with pytest.raises(WeightsError, match="put it into"):
        assemble(P2B(TINY.p2b), B2F(paper.b2f))
