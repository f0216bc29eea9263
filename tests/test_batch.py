"""Batches as a user runs them: resumed, with failures, stopped, and with files behind URLs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest
from batch_media import FRAMES, Files, events, make_media, write_rows
from commands import Ran, Run

from dancecli.batch.files import put
from dancecli.errors import MediaError
from dancecli.media import probe

CHEAP = ("--background", "white", "--size", "48x64", "--no-audio")


@pytest.fixture(scope="module")
def media(demo_photo: Path, demo_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_media(tmp_path_factory.mktemp("media"), demo_photo, demo_video)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One work directory for the module, as a user has one."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture
def run(run: Run, work: Path) -> Run:
    """`dance batch` in this process, cheaply."""

    def call(*args: object) -> Ran:
        return run("batch", *args, *CHEAP, "--work-dir", work, "--json")

    return call


@pytest.fixture(scope="module")
def finished(media: Path, work: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder after a batch of three rows, one of which cannot be done, and what it said."""
    folder = tmp_path_factory.mktemp("finished")
    rows = [
        {"photo": media / "a.png", "video": media / "v.mp4", "output": "a.mp4", "poses": "p.json"},
        {"photo": media / "sky.png", "video": media / "v.mp4", "output": "sky.mp4"},
        {"photo": media / "b.png", "video": media / "v.mp4", "output": "b.mp4",
         "contact-sheet": "b.png"},
    ]  # fmt: skip
    table = write_rows(folder / "jobs.csv", *rows)
    command = [
        sys.executable,
        "-m",
        "dancecli",
        "batch",
        table,
        *CHEAP,
        "--json",
        "--work-dir",
        work,
    ]
    done = subprocess.run(
        [*map(str, command), "--workers", "2"], capture_output=True, text=True, timeout=600
    )
    return folder, done


@pytest.fixture
def folder(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    """A copy of that folder: a batch may be moved."""
    return Path(shutil.copytree(finished[0], tmp_path / "moved"))


def test_a_failing_row_is_told_and_the_others_are_done(
    finished: tuple[Path, Any], work: Path
) -> None:
    folder, done = finished
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["done"], summary["kept"], summary["failed"]) == (2, 0, 1)
    assert [(job["row"], job["status"]) for job in summary["jobs"]] == [
        (2, "done"), (3, "failed"), (4, "done")
    ]  # fmt: skip
    assert "sky.png: no person found" in summary["jobs"][1]["error"]
    assert summary["jobs"][2]["written"] == [str(folder / "b.mp4"), str(folder / "b.png")]
    for name in ("a.mp4", "b.mp4"):
        assert probe(folder / name).frames == FRAMES
    assert {path.name for path in folder.iterdir()} == {
        "a.mp4", "a.mp4.json", "p.json", "b.mp4", "b.mp4.json", "b.png", "jobs.csv",
        "jobs.csv.state",
    }  # fmt: skip
    last = json.loads(done.stderr.splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("error", 1)
    assert last["text"].startswith("1 of 3 jobs failed")


def test_progress_is_one_event_per_step_of_a_row(finished: tuple[Path, Any]) -> None:
    told = events(finished[1].stderr)
    for row, end in ((2, "done"), (3, "failed"), (4, "done")):
        assert [event["status"] for event in told if event["row"] == row] == ["begun", end]
    assert (told[-1]["finished"], told[-1]["total"]) == (3, 3)


def test_poses_are_extracted_once_for_all_rows(finished: tuple[Path, Any], work: Path) -> None:
    (journal,) = work.glob("driver/*/journal.jsonl")
    assert len(journal.read_text().splitlines()) == FRAMES


def status_of(ran: Ran) -> dict[int, tuple[str, str]]:
    assert ran[0] == 0, ran[2]
    return {job["row"]: (job["status"], job["why"]) for job in json.loads(ran[1])["jobs"]}


def test_a_second_run_passes_over_what_is_done_and_what_failed(folder: Path, run: Run) -> None:
    code, out, err = run(folder / "jobs.csv")
    summary = json.loads(out)
    assert (code, summary["done"], summary["kept"], summary["failed"]) == (1, 0, 2, 1)
    assert events(err) == []


def change_photo(folder: Path) -> None:
    table = folder / "jobs.csv"
    table.write_text(table.read_text().replace("b.png,", "a.png,", 1))


@pytest.mark.parametrize(
    ("change", "args", "row", "why"),
    [
        (lambda f: os.utime(f / "a.mp4"), (), 0, ""),
        (lambda f: None, ("--retry-failed",), 3, "it failed before"),
        (lambda f: (f / "a.mp4").unlink(), (), 2, "out is not there"),
        (lambda f: (f / "b.png").unlink(), (), 4, "contact_sheet is not there"),
        (lambda f: (f / "p.json").write_text("{}"), (), 2, "its poses changed"),
        (change_photo, (), 4, "its photo changed"),
        (lambda f: None, ("--smooth", "2"), 4, "its options changed"),
        (lambda f: (f / "a.mp4").write_bytes(b"mine"), ("--force",), 2, "out changed"),
    ],
)
def test_a_row_runs_again_when_something_changed(
    folder: Path, run: Run, change: Callable[[Path], Any], args: tuple[str, ...], row: int, why: str
) -> None:
    change(folder)
    status = status_of(run(folder / "jobs.csv", "--dry-run", *args))
    if row:
        assert status[row] == ("run", why)
    if not args or "--retry-failed" in args:
        others = {2: "done", 3: "failed", 4: "done"}
        assert {n: s for n, (s, _) in status.items() if n != row} == {
            n: s for n, s in others.items() if n != row
        }


def test_an_output_that_somebody_changed_is_not_overwritten(folder: Path, run: Run) -> None:
    (folder / "a.mp4").write_bytes(b"mine")
    code, _, err = run(folder / "jobs.csv")
    assert code == 2
    assert [event["row"] for event in events(err, "refused")] == [2]
    assert "--force" in events(err, "refused")[0]["error"]
    assert (folder / "a.mp4").read_bytes() == b"mine"


def test_a_job_that_was_killed_at_its_end_is_done_again(folder: Path, run: Run) -> None:
    state = folder / "jobs.csv.state"
    lines = state.read_text().splitlines(keepends=True)
    state.write_text("".join(line for line in lines if '"a.mp4"' not in line or "begun" in line))
    (folder / "a.mp4.json").unlink()
    code, out, err = run(folder / "jobs.csv")
    assert (code, json.loads(out)["done"]) == (1, 1), err
    assert probe(folder / "a.mp4").frames == FRAMES and (folder / "a.mp4.json").exists()
    assert [event["row"] for event in events(err)] == [2, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child")
def test_interrupting_keeps_finished_rows_and_exits_130(media: Path, tmp_path: Path) -> None:
    rows = [{"photo": media / f"{p}.png", "video": media / "v.mp4", "output": f"{n}.mp4", "seed": n}
            for n, p in enumerate("abab")]  # fmt: skip
    table = write_rows(tmp_path / "jobs.csv", *rows)
    command = [sys.executable, "-m", "dancecli", "batch", str(table), *CHEAP, "--json",
               "--work-dir", str(tmp_path / "work"), "--workers", "2"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as p:
        assert p.stderr is not None
        said = ""
        while '"status": "done"' not in said:
            line = p.stderr.readline()
            assert line, said
            said += line
        os.killpg(p.pid, signal.SIGINT)  # as the terminal does: to the workers too
        said += p.communicate(timeout=60)[1]
    assert p.returncode == 130
    (end,) = events(said, "error")
    assert end["exit_code"] == 130 and "interrupted" in end["text"] and "Traceback" not in said
    done = [event["row"] for event in events(said) if event["status"] == "done"]
    left = {path.name for path in tmp_path.glob("*.mp4")}
    assert {f"{row - 2}.mp4" for row in done} <= left
    assert not list(tmp_path.glob(".*"))
    plan = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, timeout=60)
    told = json.loads(plan.stdout)["jobs"]
    assert sorted(job["row"] for job in told if job["status"] == "done") == sorted(done)


def test_warnings_of_workers_are_json_lines_too(media: Path, work: Path, tmp_path: Path) -> None:
    rows = [{"photo": media / "a.png", "video": media / "v.mp4", "output": f"{n}.mp4",
             "size": "160x48", "background": "photo", "seed": n} for n in range(2)]  # fmt: skip
    table = write_rows(tmp_path / "jobs.csv", *rows)
    command = [sys.executable, "-m", "dancecli", "batch", table, *CHEAP, "--json", "--work-dir",
               work, "--workers", 2]  # fmt: skip
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stderr.splitlines()]
    warnings = [event["text"] for event in told if event.get("level") == "warning"]
    assert any("--size photo" in text for text in warnings)


class Web(Files):
    """Files, and an answer where there is none of that name."""

    def do_HEAD(self) -> None:  # noqa: N802
        try:
            super().do_HEAD()
        except FileNotFoundError:
            self.send_error(404)


@pytest.fixture
def served(media: Path) -> Iterator[str]:
    """The address of a web server that has the media."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.folder, server.hold = media, lambda _request: True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_inputs_and_outputs_may_lie_behind_urls(
    finished: tuple[Path, Any], media: Path, served: str, tmp_path: Path, run: Run
) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/in/v.mp4", (media / "v.mp4").read_bytes())
    rows = {"photo": f"{served}/a.png", "video": "memory://in/v.mp4"}, {
        "photo": media / "b.png", "video": "memory://in/v.mp4", "output": "memory://out/b.webm",
        "contact-sheet": "memory://out/sheet.png", "background": f"{served}/a.png",
    }  # fmt: skip
    table = write_rows(tmp_path / "jobs.csv", *rows)
    code, out, err = run(table, "-o", "memory://out")
    assert code == 0, err
    assert [job["out"] for job in json.loads(out)["jobs"]] == [
        "memory://out/a_v.mp4", "memory://out/b.webm"
    ]  # fmt: skip
    assert sorted(memory.ls("/out", detail=False)) == [
        f"/out/{name}" for name in
        ("a_v.mp4", "a_v.mp4.json", "b.webm", "b.webm.json", "sheet.png")
    ]  # fmt: skip
    (tmp_path / "b.webm").write_bytes(memory.cat_file("/out/b.webm"))
    assert probe(tmp_path / "b.webm").frames == FRAMES
    about = json.loads(memory.cat_file("/out/a_v.mp4.json"))
    assert about["inputs"]["photo"]["file"] == "a.png"
    assert json.loads(run(table, "-o", "memory://out")[1])["kept"] == 2
    memory.rm_file("/out/a_v.mp4")
    memory.pipe_file("/out/b.webm", b"somebody else's")
    refused = events(run(table, "-o", "memory://out", "--dry-run")[2], "refused")
    assert [event["row"] for event in refused] == [3]


def test_poses_of_the_web_must_be_there(
    finished: tuple[Path, Any], media: Path, served: str, tmp_path: Path, run: Run
) -> None:
    shutil.copy(finished[0] / "p.json", media / "p.json")
    rows = [{"photo": media / "a.png", "video": media / "v.mp4", "output": f"{name}.mp4",
             "poses": f"{served}/{name}.json"} for name in ("p", "nothing")]  # fmt: skip
    code, _, err = run(write_rows(tmp_path / "t.csv", *rows), "--dry-run")
    (refused,) = events(err, "refused")
    assert (code, refused["row"]) == (2, 3)
    assert "nothing.json are not there" in refused["error"]
    status = status_of(run(write_rows(tmp_path / "t.csv", rows[0]), "--dry-run"))
    assert status == {2: ("run", "")}


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("http://127.0.0.1:1/o.mp4", "web address"), ("memory://out/frames", "folder of pictures"),
        ("memory://out/o.xyz", "unknown extension"), ("nosuch://out/o.mp4", "nosuch"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_to_a_url_is_refused(
    media: Path, tmp_path: Path, run: Run, output: str, says: str
) -> None:
    row = {"photo": media / "a.png", "video": media / "v.mp4", "output": output}
    code, _, err = run(write_rows(tmp_path / "t.csv", row))
    assert code == 2
    assert says in events(err, "refused")[0]["error"]


def test_files_behind_urls_appear_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    with pytest.raises(MediaError, match="memory://together/two"):
        put({tmp_path / "one": "memory://together/one", tmp_path / "no": "memory://together/two"})
    assert fsspec.filesystem("memory").find("/together") == []
