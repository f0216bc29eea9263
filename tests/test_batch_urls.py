"""Tables that name files by URLs: what is refused before anything runs, what files are called."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import fsspec
import pytest
from batch_media import two_of_each, write_lines
from commands import Run

from dancecli.batch.files import name_in
from dancecli.batch.table import crossed


@pytest.fixture
def run(run: Run) -> Run:
    """`dance batch` in this process; nothing is run."""
    return partial(run, "batch", "--dry-run", "--json")


@pytest.fixture
def folder(tmp_path: Path, demo_photo: Path, demo_video: Path) -> Path:
    """A folder with two photos and two videos; planning reads no pixel of them."""
    return two_of_each(tmp_path, demo_photo, demo_video)


def refusals(err: str) -> list[tuple[int, str]]:
    """Row and text of all that is refused."""
    told = [json.loads(line) for line in err.splitlines()]
    return [(event["row"], event["error"]) for event in told if event["event"] == "refused"]


@pytest.mark.parametrize(
    "row",
    ["a.jpg,v.mp4,{url}/v.mp4", "a.jpg,{url}/v.mp4,v.mp4", "{url}/a.jpg,{url}/v.mp4,{url}/v.mp4",
     "a.jpg,memory://both/v.mp4,memory:///both/v.mp4"],
)  # fmt: skip
def test_an_output_never_takes_the_place_of_the_row_s_own_input(
    run: Run, folder: Path, row: str
) -> None:
    video = (folder / "v.mp4").read_bytes()
    fsspec.filesystem("memory").pipe_file("/both/v.mp4", video)
    lines = ("photo,video,output", row.format(url=folder.as_uri()))
    code, _, err = run(write_lines(folder / "t.csv", *lines), "--force")
    assert code == 2
    (refused,) = refusals(err)
    assert refused[0] == 2
    assert refused[1].endswith("v.mp4 is an input: writing it would destroy it; rename OUT")
    assert (folder / "v.mp4").read_bytes() == video


def test_a_file_is_the_same_by_its_path_and_by_its_url(run: Run, folder: Path) -> None:
    url = folder.as_uri()
    table = write_lines(
        folder / "t.csv", "photo,video,output", "a.jpg,v.mp4,same.mp4",
        f"b.jpg,v.mp4,{url}/same.mp4", f"a.jpg,{url}/w.mp4,other.mp4", "b.jpg,v.mp4,w.mp4",
    )  # fmt: skip
    code, _, err = run(table, "--force")
    assert code == 2
    assert refusals(err) == [
        (3, f"{url}/same.mp4 is written by row 2 too"),
        (5, f"{folder}/w.mp4 is read by row 4"),
    ]


def test_an_input_behind_a_url_is_not_the_local_file_of_that_name(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    fsspec.filesystem("memory").pipe_file("/far/v.mp4", b"far away")
    table = write_lines(folder / "t.csv", "photo,video,output", "a.jpg,memory://far/v.mp4,v.mp4")
    code, _, err = run(table, "--force")
    assert code == 0, err


def test_a_background_may_lie_behind_a_url_and_a_bad_one_is_told_once(
    run: Run, folder: Path
) -> None:
    url = folder.as_uri()
    table = write_lines(
        folder / "t.csv", "photo,video,output,background", f"a.jpg,v.mp4,1.mp4,{url}/b.jpg",
        "a.jpg,v.mp4,2.mp4,blurple", "a.jpg,v.mp4,3.mp4,none.jpg",
        f"a.jpg,v.mp4,4.mp4,{url}/none.jpg", f"a.jpg,v.mp4,{url}/b.jpg.mp4,{url}/b.jpg",
    )  # fmt: skip
    code, _, err = run(table)
    assert code == 2
    assert [row for row, _ in refusals(err)] == [3, 4, 5]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/b%20c.mp4?key=x/y#t=1", "b c.mp4"), ("http://h/photos%2Fa.jpg", "a.jpg"),
        ("http://h", "file"), ("http://h/%00.jpg", "_.jpg"), ("file:///x/a #2?.mp4", "a #2?.mp4"),
        ("memory://o.mp4", "o.mp4"), ("memory://in/100%25.mp4", "100%25.mp4"),
    ],
)  # fmt: skip
def test_files_behind_urls_keep_their_names(url: str, name: str) -> None:
    assert name_in(url) == name


def test_names_behind_urls_make_the_outputs_names(run: Run, folder: Path) -> None:
    (folder / "b.jpg").rename(folder / "b#1.jpg")
    lines = (
        "photo,video,output",
        f"{folder.as_uri()}/b#1.jpg,v.mp4,",
        "a.jpg,v.mp4,memory://o.mp4",
    )
    code, out, err = run(write_lines(folder / "t.csv", *lines))
    assert code == 0, err
    assert [job["out"] for job in json.loads(out)["jobs"]] == [
        str(folder / "b#1_v.mp4"), "memory://o.mp4"
    ]  # fmt: skip


def test_addresses_of_the_web_are_no_patterns(folder: Path) -> None:
    url = "https://host/v.mp4?key=[1]*"
    (line,) = crossed([f"{folder}/a*", "x", url])
    assert line.cells["video"] == url
