"""The whole recipe: what it would do, that it goes on, and (slowly) that it ends in a bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Run
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


def test_what_is_left_is_told_in_json_where_asked_for(run: Run, tmp_path: Path) -> None:
    ran = run("train", "compact", "-o", tmp_path, "--dry-run", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    steps = {step["name"]: step for step in told["steps"]}
    assert steps["data"]["about"] == "1,600 people, 4 frames each"
    assert told["core_hours"] == pytest.approx(
        sum(s["core_hours"] for s in steps.values()), abs=0.1
    )


def test_where_the_bundle_is_is_told_in_json_where_asked_for(run: Run, tmp_path: Path) -> None:
    """Of a recipe that was done before."""
    for step in steps(Plan(tmp_path, SCALES["tiny"])):
        step.done.parent.mkdir(parents=True, exist_ok=True)
        step.done.touch()
    ran = run("train", "compact", "-o", tmp_path, "--scale", "tiny", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) == {"bundle": str(tmp_path / "bundle")}
    said = [json.loads(line)["text"] for line in ran.err.splitlines()]
    assert "bundle: done before" in said


def test_a_recipe_goes_on_with_the_settings_that_it_was_begun_with(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(arguments: list[str], silent: bool) -> int:
        if arguments[0] != "prepare-data":
            return 1
        made = Path(arguments[arguments.index("-o") + 1])
        made.mkdir()
        (made / "manifest.json").write_text("{}")
        return 0

    compact = ("train", "compact", "-o", tmp_path / "run", "--scale", "tiny")
    with monkeypatch.context() as patched:
        patched.setattr("dance_freestyle.training.recipe.command", lambda *_, **__: 1)
        assert run(*compact, "--seed", "3").code == 1  # nothing is done: nobody is bound
    monkeypatch.setattr("dance_freestyle.training.recipe.command", command)
    assert "exit code 1 from: dance train parser" in run(*compact).err
    for change, says in (
        (("--seed", "1"), "was begun with seed 0, not 1"),
        (("--scale", "small"), "was begun with people 4, not 1600"),
        (("--bf16",), "was begun with bf16 False, not True"),
        (("--data", "mine"), "was begun with data None, not mine"),
    ):
        for dry in ((), ("--dry-run",)):
            ran = run(*compact, *change, *dry)
            assert ran.code == 2 and says in ran.err
    assert "data: done before" in run(*compact, "--workers", "1").err


def test_the_steps_of_a_recipe_speak_json_too(run: Run, tmp_path: Path) -> None:
    """Of a step that fails at once, since its data are not there."""
    ran = run("train", "compact", "-o", tmp_path, "--scale", "tiny", "--data", "no/data", "--json")
    assert ran.code == 2 and not ran.out
    events = [json.loads(line) for line in ran.err.splitlines()]
    assert any("--data no/data: neither" in event["text"] for event in events)
    assert events[-1]["event"] == "error" and "--json" not in events[-1]["text"]


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
