"""`dance prepare-data` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from commands import Run
from made_datasets import make_atr, make_mhp, save, scene
from mediapipe_media import DEMO

from dancecli import registry
from dancecli.cli.main import dance
from dancecli.data.job import Job
from dancecli.data.people import Options
from dancecli.data.plugins import StageNames
from dancecli.data.sources import open_sources
from dancecli.media import read_photo


@pytest.fixture
def atr(tmp_path: Path) -> Path:
    """A data set of two people too small to use, and a picture whose labels are missing."""
    make_atr(tmp_path)
    save(tmp_path / "humanparsing/JPEGImages/997_3.jpg", scene([10], 3).rgb)
    return tmp_path


def test_help_lists_the_data_sets_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dancecli.cli.main import main\n"
        "try: main(['prepare-data', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'cv2', 'mediapipe', 'numba', 'ray') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
    for name in [info.name for info in registry.installed("dance.dataset")] + ["inspect"]:
        assert f"  {name} " in done.stdout


def test_names_and_options_complete() -> None:
    complete = {"_DANCE_COMPLETE": "bash_complete"}
    runner = CliRunner()
    for words, at, wanted in (
        ("dance prepare-data v", 2, "plain,video"),
        ("dance prepare-data insp", 2, "plain,inspect"),
        ("dance prepare-data video --wor", 3, "plain,--workers"),
        ("dance prepare-data video --parser h", 4, "plain,heuristic"),
    ):
        env = {**complete, "COMP_WORDS": words, "COMP_CWORD": str(at)}
        assert wanted in runner.invoke(dance, [], env=env, prog_name="dance").output.splitlines()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("mph", "x"), "did you mean 'mhp'"),
        (("mhp",), "LV-MHP-v2"),
        (("cihp", "/nonexistent"), "nonexistent"),
        (("atr", ".", "--set", "split"), "KEY=VALUE"),
        (("atr", ".", "--parser", "heuristics"), "did you mean 'heuristic'"),
        (("atr", ".", "--pose", "posenet"), "installed: mediapipe"),
        (("atr", ".", "--people", "0"), "--people"),
        (("inspect", "nowhere"), "neither nowhere nor"),
        (("inspect", ".", "-o", "sheet.jpg"), ".png"),
        ((), "Missing command"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Run, args: tuple[str, ...], says: str) -> None:
    ran = run("prepare-data", *args)
    assert ran.code == 2
    errors = [line for line in ran.err.splitlines() if line.startswith("dance: error:")]
    assert len(errors) == 1 and says in errors[0], ran.err
    assert "Traceback" not in ran.err


def test_check_says_what_there_is_and_what_is_wrong_and_writes_nothing(
    run: Run, atr: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    ran = run("prepare-data", "atr", atr, "--check")
    assert ran.code == 0 and "2 people in 2 pictures" in ran.out
    assert "with labels: 2" in ran.out and "997_3" in ran.out.split("skipped 1:")[1]
    ran = run("prepare-data", "atr", atr, "--check", "--json")
    told = json.loads(ran.out)
    assert told["people"] == 2 and sum(told["skipped"].values()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_terms_that_forbid_commercial_use_are_said_once(run: Run, atr: Path) -> None:
    for name, forbids in (("atr", None), ("mhp", False)):
        declared = Job(name).plugin()
        assert declared.COMMERCIAL is forbids  # type: ignore[attr-defined]
    make_mhp(atr / "mhp")
    ran = run("prepare-data", "mhp", atr / "mhp", "--check")
    assert ran.code == 0 and ran.err.count("not for commercial use") == 1
    ran = run("prepare-data", "atr", atr, "--check")
    assert "commercial use:" not in ran.err and ran.err.count("terms of atr") == 1


def test_a_set_of_which_nobody_can_be_used_fails_and_says_why(
    run: Run, atr: Path, tmp_path: Path
) -> None:
    ran = run("prepare-data", "atr", atr, "-o", tmp_path / "out")
    assert ran.code == 1 and "person too small" in ran.err


def test_a_folder_of_clips_becomes_shards_that_training_reads(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "dance.mp4").write_bytes((DEMO / "dance.mp4").read_bytes())
    (clips / "bad.mp4").write_bytes(b"nothing")
    monkeypatch.setenv("DANCE_DATA", str(tmp_path / "home"))
    ran = run("prepare-data", "video", clips, "--frames", 2, "--set", "rate=1", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert told["out"] == str(tmp_path / "home" / "video")
    assert told["samples"] == 1 and told["skipped"] == {"unreadable or damaged video": 1}
    (source,) = open_sources("video")
    first, last = source.crop(0), source.crop(1)
    assert first.rgb.shape == (512, 320, 3) and first.dense is not None
    assert source.numbers[1] - source.numbers[0] > 60
    assert np.abs(first.skeleton.body - last.skeleton.body).max() > 2
    sheet = tmp_path / "sheet.png"
    looked = run("prepare-data", "inspect", "video", "-o", sheet, "--json")
    assert looked.code == 0 and json.loads(looked.out)["frames"] == 2
    assert read_photo(sheet).height > 200
    again = run("prepare-data", "video", clips, "--frames", 2, "--set", "rate=1")
    assert again.code == 1 and "--resume" in again.err


def test_a_job_says_all_that_its_samples_depend_on() -> None:
    job = Job("video", Path("/somewhere/clips"), Options(frames=3, seed=7), StageNames(seed=7))
    told = json.loads(json.dumps(job.describe()))
    assert told["root"] == "clips" and "somewhere" not in json.dumps(told)
    assert told["options"]["frames"] == 3 and told["options"]["seed"] == 7
    assert told["dataset"]["licence"] and told["dataset"]["version"]
    assert {"mask", "dense", "parser", "inpaint"} <= set(told["plugins"])
    assert told["options"]["set"]["pose"] == "mediapipe"
    # What is not asked for is not told: sets begun before there was such a thing go on.
    assert "parsed" not in told["stages"]
    asked = replace(job, stages=replace(job.stages, parsed=True))
    assert asked.describe()["stages"]["parsed"] is True


def test_people_are_shared_out_among_units(atr: Path) -> None:
    whole = Job("atr", atr)
    assert len(whole.units()) == 3
    two = Job("atr", atr, Options(people=2))
    assert two.units() == whole.units()[:2]
    assert sum(len(list(two.people(unit))) for unit in two.units()) == 2
