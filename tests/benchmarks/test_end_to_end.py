"""Whole runs as a user starts them: frames per second, peak memory, start-up (`make bench`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conftest import Record
from measured_runs import ran

pytestmark = [pytest.mark.bench, pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")]

FRAMES = 180
"""Of the demo video."""


def test_start_up(record: Record, tmp_path: Path) -> None:
    """The best of five."""
    for args in (("--help",), ("reenact", "--help"), ("doctor", "--json")):
        best = min(ran(tmp_path, *args)[0] for _ in range(5 if "doctor" not in args else 1))
        record(f"dance {' '.join(args)}", best, "s")


@pytest.mark.parametrize("backend", ["posewarp", "freestyle"])
@pytest.mark.parametrize(
    ("what", "options"),
    [
        ("first run", ["--size", "320x512"]),
        ("one thread", ["--size", "320x512", "--threads", "1"]),
        ("four threads", ["--size", "320x512", "--threads", "4"]),
        ("batches of 4", ["--size", "320x512", "--batch-size", "4"]),
        ("2 s of it", ["--size", "320x512", "--end", "2"]),
        ("1080x1440", ["--size", "1080x1440"]),
    ],
)
def test_the_demo(
    record: Record, demo_photo: Path, demo_video: Path, tmp_path: Path, backend: str, what: str,
    options: list[str],
) -> None:  # fmt: skip
    """Six seconds at 1280x720 driving; nothing kept from before, start-up and all included."""
    seconds, peak = ran(
        tmp_path, "reenact", demo_photo, demo_video, "-o", "out.mp4", "--no-cache", "-q",
        "--backend", backend, *options,
    )  # fmt: skip
    frames = 60 if "--end" in options else FRAMES
    record(f"{backend}, {what}", frames / seconds, "1/s")
    record(f"{backend}, {what}, peak memory", peak / 2**20, "MiB")


@pytest.mark.parametrize("backend", ["posewarp", "freestyle"])
def test_painting_alone(
    record: Record, demo_photo: Path, demo_video: Path, tmp_path: Path, backend: str
) -> None:
    """The poses are known from a first run."""
    args = ["reenact", demo_photo, demo_video, "-q", "--backend", backend, "--size", "320x512",
            "--work-dir", "work"]  # fmt: skip
    ran(tmp_path, *args, "-o", "first.mp4")
    seconds, _ = ran(tmp_path, *args, "-o", "again.mp4", "--no-audio")
    record(f"{backend}, poses known", FRAMES / seconds, "1/s")


def test_many_jobs(record: Record, demo_photo: Path, demo_video: Path, tmp_path: Path) -> None:
    """`dance batch`: four jobs of a photo and parts of a video that share their poses."""
    rows = ["photo,video,output,background"]
    rows += [f"{demo_photo},{demo_video},{n}.mp4,{c}" for n, c in
             enumerate(("white", "black", "red", "blue"))]  # fmt: skip
    (tmp_path / "jobs.csv").write_text("\n".join(rows))
    for workers in (1, 2):
        own = ["--work-dir", f"work{workers}", "--state", f"{workers}.state"]
        spent, _ = ran(tmp_path, "batch", "jobs.csv", "--workers", workers, "-q", "--force", *own)
        record(f"four jobs, {workers} worker(s)", 4 * FRAMES / spent, "1/s")
