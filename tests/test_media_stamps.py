"""Files whose clocks fall back, begin late, or begin before zero."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from media_samples import make_video, number_of, packets, sound_samples

from dancecli.media import AudioSource, PartWriter, VideoStream, probe


def numbers(stream: VideoStream, first: int = 0, stop: int | None = None) -> list[int]:
    return [number_of(frame.rgb) for frame in stream.frames(first, stop)]


def copied(source: Path, path: Path, shift: Fraction = Fraction(0)) -> Path:
    """The same packets in another file, `shift` seconds later, without edit lists."""
    with (
        av.open(str(source)) as old,
        av.open(str(path), "w", container_options={"avoid_negative_ts": "disabled"}) as new,
    ):
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.size:
                ticks = round(shift / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    return path


def heard(source: Path, out: Path) -> tuple[float, float]:
    """When the sound begins that a copy of the video has, and when it ends."""
    stream = VideoStream(source)
    size = stream.width, stream.height
    with PartWriter(out, stream.fps, size, stream.count, False, out.with_suffix("")) as writer:
        for frame in stream.frames():
            writer.write(frame.rgb, frame.index)
        writer.finish(AudioSource(source), {})
    start, samples = sound_samples(out)
    loud = (abs(samples) > 0.1 * abs(samples).max()).nonzero()[0]
    return start + loud[0] / 48000, start + loud[-1] / 48000


@pytest.mark.parametrize("out", ["out.mp4", "out.webm"])
def test_streams_that_were_appended_follow_one_another(tmp_path: Path, out: str) -> None:
    """As `cat a.ts b.ts` makes them: the second begins at the first one's times again."""
    one = make_video(tmp_path / "a.ts", 30, sound="aac", sound_start=0.4)
    two = make_video(tmp_path / "b.ts", 20)
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() + one.read_bytes() + two.read_bytes())
    stream = VideoStream(both)
    assert (stream.fps, stream.count, stream.info.variable) == (25, 80, False)
    assert numbers(stream) == [*range(30), *range(30), *range(20)]
    assert numbers(stream, 58, 63) == [28, 29, 0, 1, 2]
    begins, ends = heard(both, tmp_path / out)
    assert begins == pytest.approx(0.4, abs=0.04) and ends == pytest.approx(2.8, abs=0.06)


def test_a_late_beginning_is_no_missing_end(tmp_path: Path) -> None:
    """Matroska's length is often counted from zero, however late its first frame is."""
    path = make_video(tmp_path / "clip.mkv", 50, times=[10800 + k / 25 for k in range(50)])
    assert probe(path).frames == 50 and not probe(path).cut


def test_frames_before_zero_have_their_time(tmp_path: Path) -> None:
    """Matroska cannot stamp them; the tone still begins a second after the first frame."""
    source = make_video(tmp_path / "clip.mp4", 50, sound="aac", sound_start=1.0)
    path = copied(source, tmp_path / "clip.mkv", Fraction(-1, 2))
    assert any(packet.pts is None for packet in packets(path, "video"))
    stream = VideoStream(path)
    assert (stream.fps, stream.count) == (25, 50) and numbers(stream) == list(range(50))
    assert numbers(stream, 11, 14) == [11, 12, 13]
    assert heard(path, tmp_path / "out.mp4")[0] == pytest.approx(1.0, abs=0.04)


def test_reordered_frames_in_avi_are_steady(tmp_path: Path) -> None:
    source = make_video(tmp_path / "clip.ts", 50)
    first = packets(source, "video")[0]
    path = copied(source, tmp_path / "clip.avi", -first.dts * first.time_base)
    stream = VideoStream(path)
    assert (stream.fps, stream.count, stream.info.variable) == (25, 50, False)
    assert numbers(stream) == list(range(50))
