"""Tables of jobs: what is read from them, and what is refused before anything runs."""

from __future__ import annotations

import itertools
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from batch_media import two_of_each, write_lines
from commands import Run
from hypothesis import given, settings
from hypothesis import strategies as st

from dancecli.batch.orders import Order
from dancecli.batch.planning import next_of, sharing, step_of
from dancecli.batch.state import State, held
from dancecli.batch.table import crossed, read_table
from dancecli.errors import DanceError, UsageError
from dancecli.job import Job


@pytest.fixture
def run(run: Run) -> Run:
    """`dance batch` in this process."""
    return partial(run, "batch")


@pytest.fixture
def folder(tmp_path: Path, demo_photo: Path, demo_video: Path) -> Path:
    """A folder with two photos and two videos; planning reads no pixel of them."""
    return two_of_each(tmp_path, demo_photo, demo_video)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'Photo,video,--no-audio\n\na.jpg, v.mp4 ,yes\n"b,1.jpg",v.mp4,\n'),
        ("t.csv", "\ufeffPhoto;video;no_audio\r\n;;\r\na.jpg;v.mp4;yes\r\nb,1.jpg;v.mp4\r\n"),
        ("t.tsv", "photo\tvideo\tNO-AUDIO\n\t\t\na.jpg\tv.mp4\tyes\nb,1.jpg\tv.mp4\t\n"),
    ],
)
def test_tables_of_all_sorts_are_the_same_rows(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    first, second = read_table(tmp_path / name)
    assert (first.number, second.number) == (3, 4)
    assert first.cells == {"photo": "a.jpg", "video": "v.mp4", "no_audio": "yes"}
    assert second.cells == {"photo": "b,1.jpg", "video": "v.mp4"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\u0085"])
def test_lines_end_where_a_table_ends_them_alone(tmp_path: Path, odd: str, end: str) -> None:
    """Python takes more for line ends than JSON and CSV do."""
    photos = [f"a{odd}b.jpg", "c.jpg"]
    records = [json.dumps({"photo": each}, ensure_ascii=False) for each in photos]
    for name, lines in (("t.jsonl", records), ("t.csv", ["photo", *photos])):
        (tmp_path / name).write_text(end.join(lines) + end, encoding="utf-8", newline="")
        found = read_table(tmp_path / name)
        assert [line.cells["photo"] for line in found] == photos
        assert not any(line.fault for line in found)


def test_json_lines_keep_their_types_and_faults_are_per_row(tmp_path: Path) -> None:
    table = write_lines(
        tmp_path / "t.jsonl",
        '{"photo": "a.jpg", "video": "v.mp4", "no-audio": true, "smooth": 2, "size": null}',
        "", "{oops", "[1]", '{"photo": {"a": 1}}',
    )  # fmt: skip
    good, *bad = read_table(table)
    assert good.cells == {"photo": "a.jpg", "video": "v.mp4", "no_audio": True, "smooth": 2}
    assert [line.number for line in bad] == [3, 4, 5]
    assert all(line.fault for line in bad)


@pytest.mark.parametrize(
    ("name", "data"),
    [("t.xlsx", b"x"), ("t.csv", b"\xff\xfe\x00"), ("t.csv", b""), ("t.csv", b"photo,photo\n1,2\n"),
     ("none.csv", None)],
)  # fmt: skip
def test_what_is_no_table_is_a_usage_error(tmp_path: Path, name: str, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=name):
        read_table(tmp_path / name)


def test_patterns_are_crossed(folder: Path) -> None:
    lines = crossed([f"{folder}/*.jpg", "x", f"{folder}/v.mp4", f"{folder}/w*"])
    pairs = [(Path(str(c["photo"])).name, Path(str(c["video"])).name) for _, c in map(parts, lines)]
    assert pairs == [("a.jpg", "v.mp4"), ("b.jpg", "v.mp4"), ("a.jpg", "w.mp4"), ("b.jpg", "w.mp4")]
    for words in (["x", "v.mp4"], ["a.jpg", "x"], [f"{folder}/*.png", "x", "v.mp4"]):
        with pytest.raises(UsageError):
            crossed(words)


def test_brackets_of_a_file_s_own_name_are_no_pattern(folder: Path) -> None:
    (folder / "Dance [ab].mp4").write_bytes(b"x")
    (line,) = crossed([f"{folder}/a.jpg", "x", f"{folder}/Dance [ab].mp4"])
    assert line.cells["video"] == f"{folder}/Dance [ab].mp4"


def parts(line: Any) -> tuple[int, Any]:
    return line.number, line.cells


def test_a_plan_groups_rows_that_share_and_writes_nothing(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in folder.iterdir())
    code, out, err = run("*.jpg", "x", "v.mp4", folder / "w.mp4", "--dry-run", "--json")
    assert code == 0, err
    plan = json.loads(out)
    assert [(Path(j["photo"]).name, Path(j["video"]).name, j["out"]) for j in plan["jobs"]] == [
        (f"{p}.jpg", f"{v}.mp4", str(folder / f"{p}_{v}.mp4")) for v in "vw" for p in "ab"
    ]
    assert (plan["to_do"], plan["videos"], plan["photos"]) == (4, 2, 2)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_rows_are_relative_to_the_table_and_options_to_the_command_line(
    run: Run, folder: Path, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (folder / "white").mkdir()  # a colour stays a colour
    table = write_lines(
        folder / "t.csv", "photo,video,background", "a.jpg,v.mp4,b.jpg", "b.jpg,v.mp4,"
    )
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    code, out, err = run(table, "--background", "white", "--format", "webm", "--dry-run", "--json")
    assert code == 0, err
    jobs = json.loads(out)["jobs"]
    assert [job["out"] for job in jobs] == [str(folder / f"{p}_v.webm") for p in "ab"]
    assert jobs[0]["photo"] == str(folder / "a.jpg")


BAD = (
    "photo,video,output,smooth,no-audio,backend,colour",
    "a.jpg,v.mp4,one.mp4,11,,,",
    "a.jpg,v.mp4,two.mp4,,maybe,,",
    "a.jpg,v.mp4,three.mp4,,,posewrap,",
    "a.jpg,nothing.mp4,four.mp4,,,,",
    "a.jpg,v.mp4,five.xyz,,,,",
    "a.jpg,v.mp4,same.mp4,,,,",
    "b.jpg,v.mp4,./same.mp4,,,,",
    "a.jpg,v.mp4,b.jpg.mp4,,,,red",
    ",v.mp4,nine.mp4,,,,",
    "a.jpg,w.mp4,v.mp4,,,,",
)

CROSSED = (
    "photo,video,output,background,devices",
    "a.jpg,v.mp4,sea.mov,,",
    "b.jpg,v.mp4,two.mp4,sea.mov,",
    'a.jpg,v.mp4,three.mp4,,"cuda:31,cuda:32"',
)


def test_all_bad_rows_are_listed_by_number_and_nothing_runs(run: Run, folder: Path) -> None:
    table = write_lines(folder / "t.csv", *BAD)
    before = sorted(path.name for path in folder.iterdir())
    code, out, err = run(table, "--force", "--json")
    assert (code, out) == (2, "")
    *events, last = err.splitlines()
    refused = {(e := json.loads(line))["row"]: e["error"] for line in map(str, events)}
    said = {2: "smooth: 11", 3: "no-audio: 'maybe'", 4: "did you mean 'posewarp'", 5: "nothing.mp4",
            6: ".mp4, .mov, .webm, .gif", 8: "written by row 7", 9: "'colour'", 10: "no photo",
            11: "read by row"}  # fmt: skip
    assert refused.keys() == said.keys()
    for row, words in said.items():
        assert words in refused[row]
    assert "photo, video, output, backend, background" in refused[9]
    assert "9 of 10 rows" in last
    assert sorted(path.name for path in folder.iterdir()) == before


def test_backgrounds_that_rows_write_and_devices_that_are_not_here_are_refused(
    run: Run, folder: Path
) -> None:
    (folder / "sea.mov").write_bytes((folder / "v.mp4").read_bytes())
    table = write_lines(folder / "t.csv", *CROSSED)
    code, _, err = run(table, "--force", "--json")
    assert code == 2
    events = [json.loads(line) for line in err.splitlines()[:-1]]
    refused = {event["row"]: event["error"] for event in events}
    assert refused.keys() == {2, 4}
    assert "read by row 3" in refused[2] and "cuda:31" in refused[4]


def test_plugins_that_the_licence_forbids_are_refused_before_anything_runs(
    run: Run, folder: Path
) -> None:
    table = write_lines(folder / "t.csv", "photo,video,parser", "a.jpg,v.mp4,", "b.jpg,v.mp4,schp")
    code, _, err = run(table, "--licence", "commercial", "--dry-run")
    assert code == 2
    assert "row 3: " in err and "row 2" not in err and "--licence commercial" in err


def test_people_read_a_fault_of_many_rows_once(run: Run, folder: Path) -> None:
    table = write_lines(folder / "t.csv", "photo,vidoe", "a.jpg,v.mp4", "b.jpg,v.mp4")
    code, _, err = run(table)
    assert code == 2
    assert "rows 2, 3: no column is called 'vidoe'; did you mean 'video'?" in err
    assert err.splitlines()[-1].startswith("dance: error: 2 of 2 rows")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("t.csv", "u.csv"), "2 tables"),
        (("t.csv", "-o", "a.jpg"), "a.jpg is no folder"),
        (("t.csv", "--state", "t.csv"), "the table itself"),
        (("t.csv", "--state", "a.jpg"), "no state file"),
        (("t.csv", "--state", "no/s"), "folder does not exist"),
        (("*.png", "x", "v.mp4"), "matches no file"),
    ],
)
def test_a_wrong_request_is_one_line(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(folder)
    write_lines(folder / "t.csv", "photo,video", "a.jpg,v.mp4")
    code, _, err = run(*args, "--dry-run")
    assert code == 2
    assert says in err and len(err.splitlines()) == 1
    assert (folder / "a.jpg").stat().st_size > 1000


def order(number: int, photo: str, video: str) -> Order:
    return Order(number, Job(Path(photo), Path(video), Path(f"{number}.mp4")))


@pytest.mark.parametrize(
    ("before", "now", "status"),
    [("rtmpose@light", "rtmpose@light", "failed"), ("rtmpose@light", "rtmpose@heavy", "run"),
     ("rtmpose", "rtmpose@heavy", "run"), ("rtmpose", "rtmpose", "failed"),
     ("openpose-json@{poses}", "openpose-json@{poses}", "failed")],
)  # fmt: skip
def test_a_row_whose_plugin_is_told_something_else_runs_again(
    folder: Path, before: str, now: str, status: str
) -> None:
    state, poses = State(folder / "s"), folder / "poses"
    poses.mkdir()

    def asking(pose: str) -> Order:
        plugins = {"dance.pose": pose.format(poses=poses)}
        return Order(2, Job(folder / "a.jpg", folder / "v.mp4", folder / "o.mp4", plugins))

    state.failed(asking(before), "why", ours=True)
    assert step_of(asking(now), state, retry_failed=False).status == status


PAIRS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("vwx")), max_size=12)


@settings(deadline=None)
@given(PAIRS)
def test_rows_of_one_video_run_together(pairs: list[tuple[str, str]]) -> None:
    orders = [order(number, *pair) for number, pair in enumerate(pairs)]
    videos = [str(o.job.video) for o in sharing(orders)]
    assert sorted(o.number for o in sharing(orders)) == list(range(len(pairs)))
    assert len(list(itertools.groupby(videos))) == len({*videos})


@settings(deadline=None)
@given(PAIRS, st.sets(st.sampled_from("vwx")), st.integers(0, 3))
def test_a_free_worker_does_not_wait_for_poses_while_there_is_other_work(
    pairs: list[tuple[str, str]], seen: set[str], busy: int
) -> None:
    orders = sharing([order(number, *pair) for number, pair in enumerate(pairs)])
    running, waiting = orders[:busy], orders[busy:]
    if not waiting:
        return
    unknown = {str(o.job.video) for o in running} - seen
    chosen = waiting[next_of(waiting, running, seen)]
    others = [o for o in waiting if str(o.job.video) not in unknown]
    assert (str(chosen.job.video) not in unknown) or not others


def test_a_torn_state_keeps_its_whole_records(tmp_path: Path, demo_photo: Path) -> None:
    path = tmp_path / "s"
    for number in (1, 2):
        State(path).begun(order(number, str(demo_photo), "v"))
    with path.open("ab") as file:
        file.write(b'0123456789abcdef {"out":"torn"')
    state = State(path)
    assert [record["row"] for record in state.records.values()] == [1, 2]
    state.failed(order(1, str(demo_photo), "v"), "why", ours=True)
    again = State(path).record(order(1, str(demo_photo), "v"))
    assert again is not None and again["status"] == "failed"


def test_a_batch_is_run_once_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path / "s"), pytest.raises(DanceError, match="another run"):  # noqa: SIM117
        with held(tmp_path / "s"):
            raise AssertionError("both have it")
    with held(tmp_path / "s"):
        pass
    assert list(tmp_path.iterdir()) == []
