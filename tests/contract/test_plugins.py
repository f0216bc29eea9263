"""Every installed plugin keeps the contract: the suite that its authors run too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from dance_freestyle.b2f import B2F
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B
from dance_freestyle.presets import COMPACT, Preset
from freestyle_tiny import TINY
from openpose_records import figure, write_record

from dancecli import registry
from dancecli.cli.plugins import command
from dancecli.errors import DanceError
from dancecli.media import read_photo
from dancecli.testing import check

torch.set_num_threads(1)

PLUGINS = [(info.group, info.name) for info in registry.installed()]


def untrained(folder: Path, preset: Preset = COMPACT) -> str:
    """A bundle as training begins with it."""
    torch.manual_seed(0)
    networks = {"p2b": P2B(preset.p2b), "b2f": B2F(preset.b2f), "fr": FR(preset.fr)}
    save_bundle(folder, "untrained", networks, "MIT", True)
    return str(folder)


def poses_of(photo: Path, folder: Path) -> str:
    """What OpenPose might have written of a photo."""
    image = read_photo(photo)
    write_record(folder / f"{photo.stem}_keypoints.json", [figure(image.width, image.height)])
    return str(folder)


@pytest.mark.parametrize(("group", "name"), PLUGINS, ids=[f"{g}:{n}" for g, n in PLUGINS])
def test_contract(group: str, name: str, demo_photo: Path, tmp_path: Path) -> None:
    weights = untrained(tmp_path / "bundle") if name == "freestyle" else None
    asked = f"{name}@{poses_of(demo_photo, tmp_path)}" if name == "openpose-json" else name
    outcomes = list(check(group, asked, read_photo(demo_photo), weights))
    if outcomes[-1].needs_weights or "; install it: " in outcomes[-1].detail:
        pytest.skip(outcomes[-1].detail)
    assert [f"{o.check}: {o.detail}" for o in outcomes if not o.passed] == []
    assert len(outcomes) >= 3


def test_weights_that_are_asked_for_must_be_there(tmp_path: Path) -> None:
    """The weights of a name that nobody has, so that a shipped bundle does not matter."""
    (missing,) = [o for o in check("dance.backend", "freestyle", weights="absent") if not o.passed]
    assert "no trained weights called 'absent'" in missing.detail
    assert not missing.needs_weights
    done = CliRunner().invoke(command, ["check", "freestyle", "--weights", str(tmp_path)])
    assert "FAIL loads" in done.output
    assert isinstance(done.exception, DanceError) and "1 check(s) failed" in str(done.exception)


def test_weights_that_never_came_are_said_and_are_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dance_freestyle.checkpoint.SHIPPED", tmp_path)
    last = list(check("dance.backend", "freestyle"))[-1]
    assert (last.passed, last.needs_weights) == (False, True)
    done = CliRunner().invoke(command, ["check", "freestyle"])
    assert done.exit_code == 0
    assert "need loads" in done.output and "put a bundle into" in done.output


def test_a_check_with_weights_uses_them(tmp_path: Path) -> None:
    weights = untrained(tmp_path / "bundle", TINY)
    done = CliRunner().invoke(command, ["check", "freestyle", "--weights", weights, "--json"])
    assert done.exit_code == 0, done.output
    outcomes = json.loads(done.output)["dance.backend"]
    assert len(outcomes) == 5 and all(outcome["passed"] for outcome in outcomes)
