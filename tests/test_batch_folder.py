"""`dance batch -o DIR` where DIR is not there yet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from batch_media import make_media, write_rows
from commands import Run

CHEAP = ("--preview", "--background", "white", "--size", "48x64", "--no-audio")


@pytest.fixture
def media(
    demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The current folder, with photos and a video."""
    monkeypatch.chdir(tmp_path)
    return make_media(tmp_path, demo_photo, demo_video)


def test_the_folder_of_outputs_is_made(run: Run, media: Path) -> None:
    out = media / "results" / "first"
    ran = run("batch", "a.png", "x", "v.mp4", "-o", "results/first", *CHEAP, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["done"] == 1
    assert (out / "a_v.mp4").is_file() and (out / "batch.state").is_file()


@pytest.mark.parametrize("sources", [["a.png", "x", "v.mp4"], ["jobs.csv"]])
def test_a_dry_run_plans_for_it_and_makes_nothing(
    run: Run, media: Path, sources: list[str]
) -> None:
    write_rows(media / "jobs.csv", {"photo": "a.png", "video": "v.mp4"})
    before = sorted(media.iterdir())
    ran = run("batch", *sources, "-o", "results/first", "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["jobs"][0]["out"] == str(media / "results" / "first" / "a_v.mp4")
    assert sorted(media.iterdir()) == before


def test_whatever_a_row_writes_into_the_folder_is_planned_for(run: Run, media: Path) -> None:
    row = {"photo": "a.png", "video": "v.mp4", "save_foreground": "new/b.mov"}
    write_rows(media / "jobs.csv", row)
    (media / "beside").mkdir()
    ran = run("batch", "jobs.csv", "-o", "beside/../new", "--dry-run")
    assert ran.code == 0, ran.err
    assert not (media / "new").exists()


def test_what_cannot_run_leaves_no_folder(run: Run, media: Path) -> None:
    ran = run("batch", "a.png", "none.png", "x", "v.mp4", "-o", "results")
    assert ran.code == 2 and "none.png" in ran.err and "does not exist: create it" not in ran.err
    assert not (media / "results").exists()


@pytest.mark.parametrize("dry", [["--dry-run"], []])
@pytest.mark.parametrize("out", ["a.png", "a.png/results"])
def test_a_file_in_the_way_is_said(run: Run, media: Path, out: str, dry: list[str]) -> None:
    ran = run("batch", "a.png", "x", "v.mp4", "-o", out, *dry)
    assert ran.code == 2
    assert ran.err == f"dance: error: -o {out}: a.png is no folder; name another\n"
