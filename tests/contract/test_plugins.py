"""Every installed plugin keeps the contract: the suite that its authors run too."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import made_datasets
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
from dancecli.testing import Contract, check, titles
from dancecli.types import Frame

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[2]

CASES = [(i.group, i.name, title) for i in registry.installed() for title in titles(i.group)]

SETS: dict[str, Callable[[Path], object]] = {
    "vip": made_datasets.make_vip,
    "mhp": made_datasets.make_mhp,
    "cihp": made_datasets.make_cihp,
    "lip": made_datasets.make_lip,
    "atr": made_datasets.make_atr,
}
"""Reader -> what fills a folder in its layout."""


def untrained(folder: Path, preset: Preset = COMPACT) -> str:
    """A bundle as training begins with it."""
    torch.manual_seed(0)
    networks = {"p2b": P2B(preset.p2b), "b2f": B2F(preset.b2f), "fr": FR(preset.fr)}
    save_bundle(folder, "untrained", networks, "MIT", True)
    return str(folder)


def poses_of(photo: Frame, folder: Path) -> str:
    """What OpenPose might have written of a photo."""
    write_record(folder / "photo_keypoints.json", [figure(photo.width, photo.height)])
    return str(folder)


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Contract]:
    """Suites by plugin; only the last one's plugin is kept."""
    kept: dict[tuple[str, str], Contract] = {}

    def opened(group: str, name: str) -> Contract:
        if (group, name) not in kept:
            kept.clear()
            folder = tmp_path_factory.mktemp(name)
            weights = untrained(folder, TINY) if name == "freestyle" else None
            if fill := SETS.get(name):
                fill(folder)
            photo = read_photo(ROOT / "docs" / "media" / "photo.jpg")
            asked = f"{name}@{poses_of(photo, folder)}" if name == "openpose-json" else name
            kept[group, name] = Contract(group, asked, photo, weights, folder if fill else None)
        return kept[group, name]

    return opened


@pytest.mark.parametrize(("group", "name", "title"), CASES)
def test_contract(
    contract: Callable[[str, str], Contract], group: str, name: str, title: str
) -> None:
    outcome = contract(group, name).outcome(title)
    unready = outcome.needs_weights or "; install it: " in outcome.detail
    # Of these two there is nothing to look at: no data set, no file of a made picture.
    blind = name == "openpose-json" or (group == "dance.dataset" and name not in SETS)
    if unready or (outcome.skipped and blind):
        pytest.skip(outcome.detail if unready else "nothing of it to look at here")
    assert outcome.passed, outcome.detail


@pytest.mark.slow
@pytest.mark.parametrize("name", ["video", "synth"])
def test_readers_that_make_their_people(name: str, tmp_path: Path, demo_video: Path) -> None:
    data = Path(os.environ.get("DANCE_TEST_ASSETS", ROOT.parent / "shared" / "assets" / "humans"))
    if name == "video":
        data = tmp_path
        short(demo_video, tmp_path / "clip.mp4")
    elif not data.is_dir():
        pytest.skip(f"no asset pack at {data} (set DANCE_TEST_ASSETS)")
    outcomes = list(check("dance.dataset", name, data=data))
    assert [f"{o.check}: {o.detail}" for o in outcomes if not o.passed] == []


def short(clip: Path, out: Path) -> None:
    """A second of a clip, made small."""
    from imageio_ffmpeg import get_ffmpeg_exe

    command = [get_ffmpeg_exe(), "-v", "error", "-t", "1", "-i", str(clip), "-vf", "scale=240:-2"]
    subprocess.run([*command, str(out)], check=True, timeout=60)


def test_weights_that_are_asked_for_must_be_there(tmp_path: Path) -> None:
    """The weights of a name that nobody has, so that a shipped bundle does not matter."""
    (missing,) = [o for o in check("dance.backend", "freestyle", weights="absent") if not o.passed]
    assert "no trained weights called 'absent'" in missing.detail
    assert missing.failed
    done = CliRunner().invoke(command, ["check", "freestyle", "--weights", str(tmp_path)])
    assert "FAIL loads" in done.output
    assert isinstance(done.exception, DanceError) and "1 check(s) failed" in str(done.exception)


def test_weights_that_never_came_are_said_and_are_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dance_freestyle.bundles.SHIPPED", tmp_path)
    last = list(check("dance.backend", "freestyle"))[-1]
    assert (last.passed, last.needs_weights) == (False, True)
    done = CliRunner().invoke(command, ["check", "freestyle"])
    assert done.exit_code == 0
    assert "need loads" in done.output and "put a bundle into" in done.output


def test_a_check_with_weights_uses_them(tmp_path: Path) -> None:
    weights = untrained(tmp_path / "bundle", TINY)
    first = list(islice(check("dance.backend", "freestyle", weights=weights), 4))
    assert all(outcome.passed for outcome in first)


def test_a_check_with_data_uses_them_and_says_all_as_json(tmp_path: Path) -> None:
    made_datasets.make_atr(tmp_path)
    args = ["check", "atr", "--json"]
    done = CliRunner().invoke(command, args)
    without = json.loads(done.output)["dance.dataset"]
    assert done.exit_code == 0 and any(outcome["skipped"] for outcome in without)
    done = CliRunner().invoke(command, [*args, "--data", str(tmp_path)])
    outcomes = json.loads(done.output)["dance.dataset"]
    assert len(outcomes) == len(without) and all(outcome["passed"] for outcome in outcomes)
