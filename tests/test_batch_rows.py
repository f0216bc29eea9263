"""Rows that would spoil one another or cannot even be asked for: each told by its number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from batch_media import two_of_each, write_lines
from commands import Run


@pytest.fixture
def folder(tmp_path: Path, demo_photo: Path, demo_video: Path) -> Path:
    """A folder with two photos and two videos; planning reads no pixel of them."""
    return two_of_each(tmp_path, demo_photo, demo_video)


def refused(run: Run, table: Path) -> dict[int, str]:
    """What is said of each row that cannot be used."""
    ran = run("batch", table, "--dry-run", "--json")
    events = [json.loads(line) for line in ran.err.splitlines()]
    assert ran.code == (2 if events else 0) and len(events) != 1, ran.err
    found = [(event["row"], event["error"]) for event in events[:-1]]
    assert len(set(found)) == len(found)
    return dict(found)


def test_a_new_file_of_poses_is_of_one_dance(run: Run, folder: Path) -> None:
    table = write_lines(
        folder / "t.csv", "photo,video,output,poses,start,person,pose,preview,smooth",
        "a.jpg,v.mp4,1.mp4,p.json,,,,,",
        "b.jpg,./v.mp4,2.mp4,p.json,0,,,,1",
        "b.jpg,w.mp4,3.mp4,p.json,,,,,",
        "b.jpg,v.mp4,4.mp4,p.json,1,,,,",
        "b.jpg,v.mp4,5.mp4,p.json,,left,,,",
        "b.jpg,v.mp4,6.mp4,p.json,,,openpose-json@.,,",
        "b.jpg,v.mp4,7.mp4,p.json,,,,yes,",
        "b.jpg,w.mp4,8.mp4,q.json,,,,,",
        "b.jpg,w.mp4,9.mp4,,,,,,",
        "b.jpg,v.mp4,10.mp4,p.json,,,,,5",
    )  # fmt: skip
    said = refused(run, table)
    assert said.keys() == {4, 5, 6, 7, 8, 11}
    assert all("p.json is written by row 2, with the poses of another" in t for t in said.values())
    (folder / "p.json").write_text("{}")  # poses that are there are given, for whatever row
    assert not refused(run, table)


def test_a_sidecar_is_not_written_over_another_row_s_poses(run: Run, folder: Path) -> None:
    table = write_lines(
        folder / "t.csv", "photo,video,output,poses,force",
        "a.jpg,v.mp4,walk,,yes", "b.jpg,v.mp4,2.mp4,walk.json,yes", "b.jpg,v.mp4,3.mp4,,yes",
    )  # fmt: skip
    for _ in range(2):
        assert refused(run, table) == {2: f"{folder / 'walk.json'} is read by row 3"}
        (folder / "walk.json").write_text("{}")


def test_names_that_no_file_can_have_are_their_row_s_fault(run: Run, folder: Path) -> None:
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "~a.jpg").write_bytes((folder / "a.jpg").read_bytes())
    long = 300 * "x"
    rows = [
        {"photo": "~a.jpg", "video": "v.mp4", "background": "~a.jpg"},
        {"photo": "~no.body/x.jpg", "video": "v.mp4", "output": "3.mp4"},
        {"photo": f"{long}.jpg", "video": "v.mp4", "output": "4.mp4"},
        {"photo": "a.jpg", "video": "a\0b.mp4"},
        {"photo": "loop.jpg", "video": "v.mp4"},
        {"photo": "b.jpg", "video": "v.mp4", "backend": f"posewarp@{long}"},
        {"photo": "b.jpg", "video": "w.mp4", "poses": f"{long}.json"},
    ]
    said = refused(run, write_lines(folder / "t.jsonl", *map(json.dumps, rows)))
    words = {2: "~no.body/x.jpg does not exist", 3: f"too long: {folder}/{long}.jpg",
             4: "video: a zero byte", 5: "loop.jpg", 6: "posewarp", 7: "too long"}  # fmt: skip
    assert said.keys() == words.keys()
    for row, text in words.items():
        assert text in said[row]


def test_a_zero_byte_in_a_cell_is_refused(run: Run, folder: Path) -> None:
    table = write_lines(folder / "t.csv", "photo,video", "a.jpg,v.mp4", "b\0.jpg,v.mp4")
    ran = run("batch", table, "--dry-run")
    assert ran.code == 2 and "bug" not in ran.err  # Python 3.10 says that it is no table
