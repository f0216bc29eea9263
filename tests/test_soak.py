"""Long runs (`make test-soak`): memory does not grow with the length of the video."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import pytest

pytestmark = [pytest.mark.soak, pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")]

PEAK = (
    "import json, resource, subprocess, sys\n"
    "code = subprocess.call(sys.argv[1:])\n"
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
    "print(json.dumps([code, peak]))"
)


def looped(video: Path, times: int, out: Path) -> Path:
    """The video's frames several times over, packets copied."""
    with av.open(str(video)) as source, av.open(str(out), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [p for p in source.demux(stream) if p.dts is not None]
        length = sum(p.duration or 0 for p in packets)
        for turn in range(times):
            source.seek(0)
            for packet in source.demux(stream):
                if packet.dts is None:
                    continue
                packet.pts += turn * length
                packet.dts += turn * length
                packet.stream = copy
                target.mux(packet)
    return out


def peak_of(photo: Path, video: Path, folder: Path, name: str) -> int:
    """Peak resident memory of a run, in the system's units."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, sys.executable, "-m", "dancecli", "reenact", str(photo),
         str(video), "-o", f"{name}.mp4", "--no-cache", "-q", "--json"],
        cwd=folder, capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    code, peak = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return int(peak)


def test_memory_is_flat_from_six_seconds_to_a_minute(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    short = peak_of(demo_photo, demo_video, tmp_path, "short")
    long = looped(demo_video, 10, tmp_path / "long.mp4")
    assert peak_of(demo_photo, long, tmp_path, "long") < 1.15 * short
