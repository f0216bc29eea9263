"""`--config`: every option by the name that it has on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Ran, Run
from made_datasets import make_atr


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "dance.toml"


def reenacted_with(run: Run, config: Path, text: str) -> Ran:
    """What `dance reenact` says to that config."""
    config.write_text(f"{text}\n")
    return run("reenact", "p.jpg", "v.mp4", "--config", config)


@pytest.mark.parametrize(
    ("command", "text", "says"),
    [
        (["evaluate", "-o", "r"], 'self = "none.mp4"', "none.mp4"),
        (["evaluate", "-o", "r", "--self", "VIDEO"], 'backend = "nope"', "called 'nope'"),
        (["evaluate", "-o", "r", "--real", "VIDEO"], 'fake = "unnamed"', "video unnamed does not"),
        (["live", "p.jpg", "--camera", "0"], 'to = "printer"', "'printer' is not one of"),
        (["batch", "jobs.csv"], 'format = "avi"', "'avi' is not one of"),
        (["prepare-data", "synth"], 'set = "word"', "--set word: write KEY=VALUE"),
        (["prepare-data", "synth"], 'set = ["a=1", "word"]', "--set word: write KEY=VALUE"),
    ],
)
def test_an_option_has_its_own_name_whatever_it_is_called_inside(
    run: Run, config: Path, demo_video: Path, command: list[str], text: str, says: str
) -> None:
    config.write_text(f"{text}\n")
    command = [str(demo_video) if word == "VIDEO" else word for word in command]
    ran = run(*command, "--config", config)
    assert says in ran.err and "no option is called" not in ran.err
    assert ran.code != 0


@pytest.mark.parametrize("key", ["json", "as_json"])
def test_json_may_be_asked_for_by_its_name(run: Run, config: Path, key: str) -> None:
    make_atr(config.parent / "atr")
    config.write_text(f"{key} = true\ncheck = true\n")
    ran = run("prepare-data", "atr", config.parent / "atr", "--config", config)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["people"] > 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("jsn = true", "did you mean 'json'?"),
        ("audio = false", "did you mean 'no-audio'?"),
        ("xyzzy = 1", "json, licence, list-people"),
        ('config = "other.toml"', "no option is called 'config'"),
        ("o = 'out.mp4'", "no option is called 'o'"),
    ],
)
def test_what_is_no_option_is_told_the_names_of_the_command_line(
    run: Run, config: Path, text: str, says: str
) -> None:
    ran = reenacted_with(run, config, text)
    assert ran.code == 2
    assert says in ran.err and "as_json" not in ran.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("start = 00:00:03", "'--start': '00:00:03'"),
        ("start = 2024-01-01", "'--start': '2024-01-01'"),
        ("no-audio = 2", "'--no-audio': '2'"),
        ("seed = 3.5", "'--seed': '3.5'"),
        ("poses = 7", "v.mp4 does not exist"),
        ("poses = true\nthreads = 2.0", "v.mp4 does not exist"),
        ("backend = false", "'false'"),
        ("verbose = 2\nstart = 1\nend = 2.5\nseed = 3", "v.mp4 does not exist"),
        ("\ufeffbackground = 'white'", "v.mp4 does not exist"),
    ],
)
def test_values_that_are_no_texts_are_taken_as_if_typed(
    run: Run, config: Path, text: str, says: str
) -> None:
    config.write_text(f"{text}\n", encoding="utf-8")
    ran = run("reenact", "p.jpg", "v.mp4", "--config", config)
    (line,) = ran.err.splitlines()
    assert says in line and "bug" not in line


def test_tables_of_train_and_of_its_networks_hold_for_these(run: Run, config: Path) -> None:
    config.write_text(
        "seed = 4\n[train]\nsteps = 7\nbatch-size = 2\n[p2b]\nsteps = 9\n[fr]\nsteps = 11\n"
    )
    for command, steps in ((["p2b"], 9), (["b2f"], 7), (["p2b", "--steps", "5"], 5)):
        ran = run("train", *command, "--dry-run", "--json", "--config", config)
        assert ran.code == 0, ran.err
        plan = json.loads(ran.out)
        assert (plan["steps"], plan["batch"]) == (steps, 2)


@pytest.mark.parametrize(
    ("command", "text", "says"),
    [
        (["p2b", "--dry-run"], "stepz = 3", "did you mean 'steps'?"),
        (["p2b", "--dry-run"], 'set = ["p2b.use_dpp=off"]', "p2b.use_dp"),
        (["p2b", "--dry-run"], "train = 3", "[train]"),
        (["p2b", "--dry-run"], "workers = 999", "'--workers': 999 is not in the range"),
        (["compact", "--dry-run"], "[compact]\nout = 'runs'\nscale = 'smal'", "small"),
    ],
)
def test_what_is_wrong_in_a_file_for_training_is_one_line(
    run: Run, config: Path, command: list[str], text: str, says: str
) -> None:
    config.write_text(f"{text}\n")
    ran = run("train", *command, "--config", config)
    (line,) = ran.err.splitlines()
    assert ran.code == 2 and says in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("devices = [0, 1]", "'devices' takes one value, as on the command line"),
        ("place = [0.5, 0.9, 0.8]", "'place' takes one value"),
        ("background = ['white']", "'background' takes one value"),
        ("[background]\ncolour = 'white'", "'background' takes one value"),
    ],
)
def test_a_list_is_no_value_of_an_option_that_is_not_repeated(
    run: Run, config: Path, text: str, says: str
) -> None:
    ran = reenacted_with(run, config, text)
    (line,) = ran.err.splitlines()
    assert ran.code == 2 and says in line


def test_a_list_in_a_list_is_no_value_either(run: Run, config: Path) -> None:
    config.write_text('self = [["a.mp4"]]\n')
    ran = run("evaluate", "-o", "r", "--config", config)
    (line,) = ran.err.splitlines()
    assert ran.code == 2 and "'self' takes one value, or a list of them" in line


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate"],
        ["evaluate", "--frames", "1"],
        ["train", "p2b", "--steps", "1", "--epochs", "1"],
    ],
)
def test_json_asked_for_in_a_file_holds_for_what_is_wrong_with_other_options(
    run: Run, config: Path, command: list[str]
) -> None:
    config.write_text("json = true\n")
    ran = run(*command, "--config", config)
    (line,) = ran.err.splitlines()
    assert ran.code == 2
    assert json.loads(line)["event"] == "error" and json.loads(line)["exit_code"] == 2
