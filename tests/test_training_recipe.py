"""The whole recipe: what it would do, that it goes on, and (slowly) that it ends in a bundle."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dance_freestyle.bundles import read_bundle
from dance_freestyle.training.recipe import SCALES, Plan, cost, steps

ROOT = Path(__file__).resolve().parents[1]
PACK = Path(os.environ.get("DANCE_TEST_ASSETS", ROOT.parent / "shared" / "assets" / "humans"))


def test_the_plan_names_every_network_in_an_order_that_can_be_done(tmp_path: Path) -> None:
    names = [step.name for step in steps(Plan(tmp_path, SCALES["small"]))]
    assert names == [
        "data", "heads", "parser-coarse", "parser", "embedder", "features", "p2b", "b2f-coarse",
        "b2f", "fr", "bundle", "evaluate cross",
    ]  # fmt: skip
    options = {step.name: step.arguments for step in steps(Plan(tmp_path, SCALES["small"]))}
    assert "--parsed" in options["data"]
    assert "shot=head" in options["heads"]
    assert options["fr"][options["fr"].index("--data") + 1] == str(tmp_path / "heads")
    assert all(f"{role}.schedule.fade=0.35" in options[role] for role in ("parser", "p2b", "fr"))
    with_clip = [step.name for step in steps(Plan(tmp_path, SCALES["tiny"], clips=(Path("a"),)))]
    assert with_clip[-1] == "evaluate self"


def test_what_is_done_costs_nothing_more(tmp_path: Path) -> None:
    plan = Plan(tmp_path, SCALES["small"])
    before = {name: hours for name, _, hours in cost(plan)}
    assert all(before[name] > 0 for name in ("parser-coarse", "parser", "b2f-coarse", "b2f"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.json").write_text("{}")
    after = {name: hours for name, _, hours in cost(plan)}
    assert set(before) - set(after) == {"data"}


def test_given_data_are_used_instead_of_made_people(tmp_path: Path) -> None:
    first = next(iter(steps(Plan(tmp_path, SCALES["tiny"], data="mine"))))
    assert first.name == "parser-coarse"
    assert first.arguments[first.arguments.index("--data") + 1] == "mine"


@pytest.mark.slow
def test_from_a_seed_to_a_bundle(tmp_path: Path) -> None:
    if not (PACK / "body.npz").is_file():
        pytest.skip("needs the human asset pack (DANCE_TEST_ASSETS)")
    command = [
        sys.executable, "-m", "dancecli", "train", "compact", "-o", str(tmp_path / "run"),
        "--scale", "tiny", "--assets", str(PACK),
    ]  # fmt: skip
    for _ in range(2):  # the second time there is nothing left to do
        done = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    assert "data: done before" in done.stderr
    bundle = read_bundle(tmp_path / "run" / "bundle")
    assert set(bundle.files) == {"p2b", "b2f", "fr", "parser", "embedder"}
    assert sum(path.stat().st_size for path in bundle.files.values()) < 24 << 20
    assert (tmp_path / "run" / "report-cross" / "report.html").is_file()
