"""Frames painted by several threads, in batches and over several devices: always the same ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import Ran, Run
from dance_freestyle.b2f import B2F
from dance_freestyle.backend import FreestyleBackend
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.networks import assemble
from dance_freestyle.p2b import P2B
from freestyle_tiny import TINY

from dancecli.device import several
from dancecli.errors import DanceError
from dancecli.figures import made_target, standing_skeleton
from dancecli.job import Job
from dancecli.overlap import batched
from dancecli.stages import Settings
from dancecli.steps.background import empty_photo
from dancecli.steps.painting import Painter, Studio, ready
from dancecli.steps.stages import Stages
from dancecli.types import Canvas, Motion
from dancecli.workdir import WorkDir

PART = ("--start", "1", "--end", "1.5", "--size", "192x256", "--backend", "freestyle")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small networks, and a work directory whose poses are found once."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("kept")
    networks = {"p2b": P2B(TINY.p2b), "b2f": B2F(TINY.b2f)}
    save_bundle(folder / "tiny", "tiny", networks, "MIT", True)
    return folder


@pytest.fixture
def reenact(run: Run, kept: Path, demo_photo: Path, demo_video: Path) -> Callable[..., Ran]:
    def reenact(out: Path, *options: str) -> Ran:
        return run("reenact", demo_photo, demo_video, "-o", out, *PART, "--weights", kept / "tiny",
                   "--work-dir", kept / "work", *options)  # fmt: skip

    return reenact


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


@pytest.mark.parametrize("how", ["--threads 3", "--threads 2 --devices cpu,cpu"])
def test_threads_and_devices_change_no_pixel(
    reenact: Callable[..., Ran], tmp_path: Path, how: str
) -> None:
    """15 frames in batches of 4, so that the last one is filled up."""
    for out, options in (("alone", ["--threads", "1"]), ("together", how.split())):
        done = reenact(tmp_path / out, "--batch-size", "4", *options)
        assert done.code == 0, done.err
    alone, together = pictures(tmp_path / "alone"), pictures(tmp_path / "together")
    assert len(alone) == 15 and together == alone


def test_a_frame_is_the_same_whichever_others_it_is_painted_with() -> None:
    torch.manual_seed(0)
    backend = FreestyleBackend(Settings(device="cpu"), assemble(P2B(TINY.p2b), B2F(TINY.b2f)))
    person = backend.prepare(made_target())
    moved = [Motion(standing_skeleton(80, 128).moved(1, 4 * k, 0), None, Canvas(80, 128)) for k in
             range(4)]  # fmt: skip
    one = backend.render(person, moved)[0]
    other = backend.render(person, [moved[0], *[moved[3]] * 3])[0]
    assert np.array_equal(one.z, other.z) and np.array_equal(one.m, other.m)


def studio(threads: int) -> Studio:
    job = Job(Path("p.jpg"), Path("v.mp4"), Path("o.mp4"), threads=threads)
    return Studio(job, Stages(job), made_target(96, 160))


def test_a_plate_that_fails_beside_is_told_where_it_is_needed(
    tmp_path: Path, demo_photo: Path
) -> None:
    class Failing:
        def inpaint(self, *_: object) -> None:
            raise DanceError("no memory just now")

    job = Job(demo_photo, Path("v.mp4"), Path("o.mp4"))
    stages, target, work = Stages(job), made_target(96, 160), WorkDir(tmp_path)
    stages.__dict__["inpaint"] = Failing()
    assert ready(job, target, stages, work).painters
    with pytest.raises(DanceError, match="no memory"):
        empty_photo(job, target, stages, work)


def test_batches_come_back_in_order() -> None:
    def doubled(painter: Painter, numbers: list[int]) -> list[int]:
        assert painter.person is not None
        return [2 * number for number in numbers]

    found = list(studio(3).paint(doubled, batched(range(17), 4)))
    assert [len(each) for each in found] == [4, 4, 4, 4, 1]
    assert np.concatenate(found).tolist() == list(range(0, 34, 2))


def test_no_frame_is_read_far_ahead() -> None:
    read = 0

    def frames() -> Iterator[int]:
        nonlocal read
        while True:
            read += 1
            yield read

    coming = studio(2).paint(lambda _, batch: batch, batched(frames(), 1))
    for wanted in range(1, 9):
        assert next(coming) == [wanted]
        assert read <= wanted + 4


@pytest.mark.parametrize("failing", ["reading", "painting"])
def test_what_fails_ends_every_thread(failing: str) -> None:
    def frames() -> Iterator[int]:
        yield from range(6)
        if failing == "reading":
            raise DanceError("torn")

    def work(_: Painter, batch: list[int]) -> list[int]:
        if failing == "painting" and batch == [5]:
            raise DanceError("torn")
        return batch

    before = threading.active_count()
    with pytest.raises(DanceError, match="torn"):
        list(studio(2).paint(work, batched(frames(), 1)))
    assert threading.active_count() == before


def test_devices_are_numbers_or_names() -> None:
    assert several("0, 1,cpu") == ("cuda:0", "cuda:1", "cpu")
    assert several(None) == several("") == ()


def test_a_device_that_is_not_there_is_refused_before_any_work(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    done = run("reenact", demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--devices", "cpu,41")
    assert done.code == 2
    assert "cuda:41" in done.err and "available: " in done.err
    assert not list(tmp_path.iterdir())
