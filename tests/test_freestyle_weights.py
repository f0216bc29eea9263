"""Published weight files: found, verified, or asked for in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from dance_freestyle.appearance import PublishedEncoders
from dance_freestyle.b2f import B2F
from dance_freestyle.networks import assemble
from dance_freestyle.p2b import P2B
from freestyle_tiny import TINY, TINY_PAPER

from dancecli import weights
from dancecli.errors import WeightsError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DANCE_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def test_a_missing_file_says_what_to_get_and_where_to_put_it(home: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.locate("vgg19")
    said = str(caught.value)
    for part in (
        "vgg19-dcbb9e9d.pth", "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", str(home),
        "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        "dance weights fetch vgg19",
    ):  # fmt: skip
        assert part in said
    assert "\n" not in said


def test_the_papers_encoders_stop_with_one_line_where_their_files_are_missing() -> None:
    with pytest.raises(WeightsError, match="VGGFace2") as caught:
        PublishedEncoders()
    assert "\n" not in str(caught.value)
    paper = TINY_PAPER.with_overrides({"b2f.encoders": "published"})
    with pytest.raises(WeightsError, match="put it into"):
        assemble(P2B(TINY.p2b), B2F(paper.b2f))
