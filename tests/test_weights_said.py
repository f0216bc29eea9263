"""What is said of weights: which were used, on what terms, and which in vain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Run
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.p2b import P2B
from dance_freestyle.parser import Parser
from freestyle_tiny import TINY

from dancecli.media.files import sha256_of

CHEAP = ("--preview", "--end", "0.2", "--size", "48x64", "--background", "white", "--no-audio")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A parser that may not be sold, and nothing else."""
    save_bundle(tmp_path / "closed", "closed", {"parser": Parser(TINY.parser)}, "of ours", False)
    return tmp_path / "closed"


def test_the_sidecar_names_the_parser_s_weights_and_their_terms(
    run: Run, demo_photo: Path, demo_video: Path, bundle: Path, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    out = tmp_path / "o.mp4"
    ran = run("reenact", demo_photo, demo_video, "-o", out, *CHEAP, "--backend", "posewarp",
              "--weights", bundle)  # fmt: skip
    assert ran.code == 0 and not any("is not used" in text for text in caplog.messages)
    told = json.loads((tmp_path / "o.mp4.json").read_text())
    (parser,) = (plugin for plugin in told["plugins"] if plugin["group"] == "dance.parser")
    assert parser["commercial"] is False
    assert parser["weights"] == {
        "name": "closed", "licence": "of ours", "commercial": False,
        "sha256": {"parser": sha256_of(bundle / "parser.safetensors")},
    }  # fmt: skip
    assert "of ours" in told["licences"]


def test_the_terms_of_the_weights_that_ship_stand_in_the_sidecar(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.mp4"
    ran = run("reenact", demo_photo, demo_video, "-o", out, *CHEAP, "--backend", "posewarp")
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "o.mp4.json").read_text())
    (weights,) = (plugin["weights"] for plugin in told["plugins"] if "weights" in plugin)
    assert weights["name"] == "compact" and weights["licence"] in told["licences"]


@pytest.mark.parametrize("parser", ["builtin", "heuristic"])
@pytest.mark.parametrize("weights", ["nope", "p2b"])
def test_weights_that_nothing_takes_are_said_once(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path,
    caplog: pytest.LogCaptureFixture, parser: str, weights: str,
) -> None:  # fmt: skip
    save_bundle(tmp_path / "p2b", "p2b", {"p2b": P2B(TINY.p2b)}, "MIT")
    given = tmp_path / weights
    ran = run("reenact", demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--dry-run",
              "--backend", "posewarp", "--parser", parser, "--weights", given)  # fmt: skip
    assert ran.code == 0, ran.err
    (said,) = caplog.messages
    assert f"--weights {given} is not used by backend 'posewarp' or parser '{parser}'" in said
