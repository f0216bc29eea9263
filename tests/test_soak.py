"""Long runs (`make test-soak`): memory does not grow with the length of the video."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import pytest
from measured_runs import ran

pytestmark = [pytest.mark.soak, pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")]


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


MOST = 2.5 * 2**30
"""Bytes that a run may take, however long the video."""


def peak_of(photo: Path, video: Path, folder: Path, name: str, backend: str) -> int:
    """Peak resident memory of a run, bytes."""
    _, peak = ran(
        folder, "reenact", photo, video, "-o", f"{name}.mp4", "--no-cache", "-q",
        "--backend", backend,
    )  # fmt: skip
    return peak


@pytest.mark.parametrize("backend", ["posewarp", "freestyle"])
def test_memory_is_flat_from_six_seconds_to_a_minute(
    demo_photo: Path, demo_video: Path, tmp_path: Path, backend: str
) -> None:
    short = peak_of(demo_photo, demo_video, tmp_path, "short", backend)
    long = looped(demo_video, 10, tmp_path / "looped.mp4")
    longer = peak_of(demo_photo, long, tmp_path, "long", backend)
    print(f"{backend}: {short / 2**20:.0f} MiB, ten times as long {longer / 2**20:.0f} MiB")
    assert longer < 1.15 * short
    assert longer < MOST
