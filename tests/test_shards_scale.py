"""Runs: the same bytes in one process and many, resuming, and workers that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from shard_jobs import DrawnJob, drawn_sample, tree

from dancecli.data import scale, tasks
from dancecli.data.reading import open_stored
from dancecli.data.samples import Sample
from dancecli.errors import (
    DanceError,
    NoPersonError,
    OutputExistsError,
    PluginError,
    UsageError,
)
from dancecli.progress import Progress


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What ten units in four shards are, made in this process."""
    folder = tmp_path_factory.mktemp("expected") / "set"
    summary = scale.run(DrawnJob(), folder, each=3)
    assert (summary.units, summary.samples, summary.frames, summary.shards) == (10, 8, 16, 4)
    assert summary.skipped == {"person too small": 2} and summary.kept == 0
    return tree(folder)


def test_a_run_leaves_shards_indices_and_a_manifest(expected: dict[str, bytes]) -> None:
    assert list(expected) == ["job.json", "manifest.json"] + [
        f"shard-{n:06d}.{end}" for n in range(4) for end in ("json", "tar")
    ]
    manifest = json.loads(expected["manifest.json"])
    assert manifest["counts"] == {"units": 10, "samples": 8, "frames": 16}
    assert manifest["job"] == DrawnJob().describe()
    assert [s["samples"] for s in manifest["shards"]] == [3, 2, 3, 0]
    for shard in manifest["shards"]:
        assert shard["size"] == len(expected[shard["name"]])
    index = json.loads(expected["shard-000003.json"])
    assert index["skipped"] == [["unit-009", "person too small"]]


def test_many_processes_write_the_same_bytes(expected: dict[str, bytes], tmp_path: Path) -> None:
    lines = StringIO()
    summary = scale.run(DrawnJob(), tmp_path, 2, progress=Progress("lines", lines), each=3)
    assert tree(tmp_path) == expected and summary.samples == 8
    assert "prepare 10/10" in lines.getvalue() and "units/s" in lines.getvalue()


def test_a_worker_that_dies_is_named_and_its_shard_done_again(
    expected: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "marks").mkdir()
    job = DrawnJob(marks=tmp_path / "marks", deadly="unit-004")
    lines = StringIO()
    scale.run(job, tmp_path / "set", 2, progress=Progress("json", lines), each=3)
    assert tree(tmp_path / "set") == expected
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert any("killed" in t.get("text", "") and "shard-000001" in t["text"] for t in told)
    assert told[-1]["done"] == told[-1]["total"] == 10
    begun = [path.name.split(".")[0] for path in job.marks.iterdir()] if job.marks else []
    assert begun.count("unit-004") == 2 and begun.count("unit-000") == 1


def test_a_shard_whose_workers_always_die_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    job = DrawnJob(marks=tmp_path / "marks", deadly="unit-000", deaths=99, count=2)
    with pytest.raises(DanceError, match=r"shard-000000.tar: its worker died 3 times"):
        scale.run(job, tmp_path / "set", 2, each=1)
    assert not (tmp_path / "set/manifest.json").exists()
    assert not list((tmp_path / "set").glob("*.part"))
    healthy = replace(job, deadly="")
    scale.run(healthy, tmp_path / "set", resume=True, each=1)
    assert [s.key for s in open_stored([tmp_path / "set"])] == [
        "drawn_unit-000", "drawn_unit-001"
    ]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_stops_the_run_and_names_the_unit(workers: int, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="unit-007: ZeroDivisionError: drawn badly"):
        scale.run(DrawnJob(broken="unit-007"), tmp_path, workers, each=3)
    assert not (tmp_path / "shard-000002.tar").exists() and not list(tmp_path.glob("*.part"))
    summary = scale.run(DrawnJob(), tmp_path, resume=True, each=3)
    assert summary.kept >= 1 and summary.samples == 8


def test_resuming_makes_only_what_is_missing_or_damaged(
    expected: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "marks").mkdir()
    job, out = DrawnJob(marks=tmp_path / "marks"), tmp_path / "set"
    scale.run(DrawnJob(), out, each=3)
    (out / "shard-000000.tar").unlink()
    (out / "shard-000001.tar").write_bytes(bytes(len(expected["shard-000001.tar"])))
    (out / "shard-000002.tar.1.part").write_bytes(b"left by a power cut")
    (out / "manifest.json").unlink()
    lines = StringIO()
    summary = scale.run(job, out, resume=True, each=3, progress=Progress("lines", lines))
    assert summary.kept == 2 and tree(out) == expected
    assert "shard-000001.tar: its SHA-256 is not" in lines.getvalue()
    begun = sorted(path.name.split(".")[0] for path in (tmp_path / "marks").iterdir())
    assert begun == [f"unit-{n:03d}" for n in range(6)]


def test_a_folder_with_data_is_not_written_over(tmp_path: Path) -> None:
    scale.run(DrawnJob(count=3), tmp_path)
    before = tree(tmp_path)
    with pytest.raises(OutputExistsError, match="--resume"):
        scale.run(DrawnJob(count=3), tmp_path)
    with pytest.raises(UsageError, match=r"begun with options.seed 0, not 1"):
        scale.run(DrawnJob(count=3, seed=1), tmp_path, resume=True)
    with pytest.raises(UsageError, match="begun with other files"):
        scale.run(DrawnJob(count=4), tmp_path, resume=True)
    (tmp_path / "job.json").unlink()
    with pytest.raises(UsageError, match="unknown making"):
        scale.run(DrawnJob(count=3), tmp_path, resume=True)
    assert tree(tmp_path) == {n: data for n, data in before.items() if n != "job.json"}


OTHERS = ("film.mp4.part", "shard-000000.part", "shard-000001.tar.part", "my job.json.7.part")


def with_others(folder: Path) -> dict[str, bytes]:
    """Files and a folder of somebody else whose names end as those that a run leaves behind."""
    for name in OTHERS:
        (folder / name).write_bytes(b"somebody's download")
    (folder / "shard-000002.tar.9.part").mkdir()
    (folder / "shard-000003.tar.9.part").symlink_to(folder / OTHERS[0])
    return dict.fromkeys(OTHERS, b"somebody's download")


def test_files_of_others_stay_whatever_they_are_called(
    expected: dict[str, bytes], tmp_path: Path
) -> None:
    kept = with_others(tmp_path)
    left = ("shard-000001.tar.12.part", "shard-000001.json.12.part", "job.json.3.part",
            "manifest.json.4.part")  # fmt: skip
    for name in left:
        (tmp_path / name).write_bytes(b"left by a power cut")
    scale.run(DrawnJob(), tmp_path, each=3)
    found = {p.name for p in tmp_path.iterdir()} - {".lock", *expected}
    assert found == {*kept, "shard-000002.tar.9.part", "shard-000003.tar.9.part"}
    assert all((tmp_path / name).read_bytes() == data for name, data in kept.items())


def test_a_folder_that_is_refused_keeps_its_half_written_files(tmp_path: Path) -> None:
    (tmp_path / "shard-000000.tar").write_bytes(b"of another program")
    (tmp_path / "shard-000001.tar.12.part").write_bytes(b"of another program")
    for resume, error in ((False, OutputExistsError), (True, UsageError)):
        with pytest.raises(error):
            scale.run(DrawnJob(), tmp_path, resume=resume)
    assert tree(tmp_path) == dict.fromkeys(
        ("shard-000000.tar", "shard-000001.tar.12.part"), b"of another program"
    )


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(DanceError, match="another run"):
        scale.run(DrawnJob(), tmp_path)


def test_samples_of_one_name_in_two_shards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="two samples are called twin"):
        scale.run(DrawnJob(twins=True), tmp_path, each=1)
    assert not (tmp_path / "manifest.json").exists()


def test_a_set_that_gives_nobody_is_an_error_with_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(NoPersonError, match=r"person too small \(10\)"):
        scale.run(DrawnJob(hollow=1), tmp_path)
    with pytest.raises(UsageError, match="nothing to prepare"):
        scale.run(DrawnJob(count=0), tmp_path)


class Empty:
    """A job whose pictures are worse than its description."""

    def units(self) -> list[str]:
        return ["a"]

    def describe(self) -> dict[str, Any]:
        return {}

    def samples(self, unit: str) -> Any:
        sample = drawn_sample(unit)
        yield Sample("", sample.crops)


def test_a_job_that_breaks_the_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="sample '': the key is not"):
        scale.run(Empty(), tmp_path)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 500, 2048, 2049, 100_000])
def test_every_unit_is_in_one_shard_in_order(count: int) -> None:
    units = [str(n) for n in range(count)]
    made = tasks.cut(units)
    assert [unit for task in made for unit in task.units] == units
    assert [task.number for task in made] == list(range(len(made)))
    sizes = {len(task.units) for task in made[:-1]} or {1}
    assert len(sizes) == 1 and max(sizes) <= 64


RUN = """
import sys
from pathlib import Path
from shard_jobs import DrawnJob
from dancecli.data import scale
if __name__ == "__main__":
    job = DrawnJob(marks=Path(sys.argv[1]), pause=0.2)
    scale.run(job, Path(sys.argv[2]), int(sys.argv[3]), each=3)
"""


@pytest.mark.parametrize(("workers", "blow"), [(1, signal.SIGINT), (2, signal.SIGINT),
                                                (2, signal.SIGKILL)])  # fmt: skip
def test_a_stopped_run_leaves_no_process_and_can_be_resumed(
    expected: dict[str, bytes], tmp_path: Path, workers: int, blow: int
) -> None:
    marks, out = tmp_path / "marks", tmp_path / "set"
    marks.mkdir()
    (tmp_path / "run.py").write_text(RUN)
    command = [sys.executable, tmp_path / "run.py", marks, out, str(workers)]
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths}, start_new_session=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    waited_for(lambda: len(list(marks.iterdir())) >= 4)
    if blow == signal.SIGINT:
        os.killpg(process.pid, blow)  # as the terminal does: to the workers too
    else:
        process.kill()
    process.wait(30)
    workers_of_it = {int(path.name.split(".")[1]) for path in marks.iterdir()}
    waited_for(lambda: not any(alive(pid) for pid in workers_of_it))
    assert not (out / "manifest.json").exists()
    if blow == signal.SIGINT:
        assert not list(out.glob("*.part"))
    scale.run(DrawnJob(), out, resume=True, each=3)
    assert tree(out) == expected


def waited_for(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
