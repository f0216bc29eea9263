"""Sound: the same packets where they fit, at the right time, never at the price of the video."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_samples import make_video, packets, picture, sound_samples

from dancecli.media import AudioSource, PartWriter, probe


def write(out: Path, audio: AudioSource | None, count: int = 25, fps: int = 25) -> None:
    parts = out.with_name(f"{out.name}.parts")
    with PartWriter(out, Fraction(fps), (64, 48), count, False, parts) as writer:
        for span in writer.missing():
            for k in span:
                writer.write(picture(k), k)
        writer.finish(audio, {"comment": "synthetic"})
    assert not [p for p in parts.iterdir() if p.suffix not in (".part", ".sha256")]


def sound_end(path: Path) -> float:
    return max(float((p.pts + p.duration) * p.time_base) for p in packets(path, "audio"))


def loudness_start(path: Path) -> float:
    """Seconds at which the tone is first heard."""
    start, samples = sound_samples(path)
    rate = av.open(str(path)).streams.audio[0].codec_context.rate
    level = np.abs(samples) / np.abs(samples).max()
    return start + int(np.argmax(level > 0.1)) / rate


@pytest.mark.parametrize(
    ("suffix", "encoder", "out_suffix"),
    [(".mp4", "aac", ".mp4"), (".mp4", "aac", ".mov"), (".mp4", "libmp3lame", ".mp4"),
     (".mkv", "ac3", ".mp4"), (".mov", "alac", ".mov"), (".webm", "libopus", ".webm")],
)  # fmt: skip
def test_sound_is_copied_bit_by_bit(
    tmp_path: Path, suffix: str, encoder: str, out_suffix: str
) -> None:
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{out_suffix}"
    make_video(source, 25, sound=encoder)
    write(out, AudioSource(source))
    old, new = packets(source, "audio"), packets(out, "audio")
    assert [bytes(p) for p in new] == [bytes(p) for p in old][: len(new)]
    assert len(old) - len(new) <= 2  # the encoder's last packet may begin after the video's end
    assert float(new[0].pts * new[0].time_base) == pytest.approx(
        float(old[0].pts * old[0].time_base), abs=0.002
    )
    assert probe(out).has_audio and probe(out).frames == 25


@pytest.mark.parametrize(
    ("suffix", "encoder", "out_suffix", "codec"),
    [(".mkv", "pcm_s16le", ".mp4", "aac"), (".webm", "libopus", ".mp4", "aac"),
     (".mp4", "aac", ".webm", "opus"), (".mkv", "flac", ".mov", "aac")],
)  # fmt: skip
def test_other_sound_is_encoded_again(
    tmp_path: Path, suffix: str, encoder: str, out_suffix: str, codec: str
) -> None:
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{out_suffix}"
    make_video(source, 50, sound=encoder, sound_start=0.5)
    write(out, AudioSource(source), count=50)
    with av.open(str(out)) as file:
        assert file.streams.audio[0].codec_context.codec.canonical_name == codec
    assert loudness_start(out) == pytest.approx(loudness_start(source), abs=0.03)
    assert sound_end(out) <= 2.0 + 0.03
    video = sorted(float(p.pts * p.time_base) for p in packets(out, "video"))
    assert video[0] == 0 and len(video) == 50


def tone(path: Path, begin: float, end: float) -> bool:
    """Whether something is heard from one second to another: all the time, or never."""
    with av.open(str(path)) as file:
        pieces = [(float(f.pts * f.time_base), f.to_ndarray()) for f in file.decode(audio=0)]
    most = max(np.abs(samples.astype(float)).max() for _, samples in pieces)
    within = [
        bool(np.abs(samples.astype(float)).max() > 0.1 * most)
        for at, samples in pieces
        if begin <= at < end
    ]
    assert len(set(within)) <= 1, within
    return bool(within and within[0])


def holed(source: Path, path: Path) -> Path:
    """The same packets, but for those of the sound from 0.5 to 2.0 seconds."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if not packet.size:
                continue
            if packet.stream.type == "video" or not 0.5 < packet.pts * packet.time_base < 2:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    return path


@pytest.mark.parametrize("out_suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("encoder", ["flac", "libopus", "aac"])
def test_a_hole_in_the_sound_stays(tmp_path: Path, encoder: str, out_suffix: str) -> None:
    """What comes after it is neither early nor late."""
    whole, out = (
        make_video(tmp_path / "whole.mkv", 75, sound=encoder),
        tmp_path / f"out{out_suffix}",
    )
    write(out, AudioSource(holed(whole, tmp_path / "in.mkv")), count=75)
    assert tone(out, 0.02, 0.4) and not tone(out, 0.7, 1.9) and tone(out, 2.15, 2.9)


@pytest.mark.parametrize(
    ("suffix", "encoder"),
    [(".mov", "pcm_mulaw"), (".mov", "pcm_alaw"), (".avi", "adpcm_ms")],
)
@pytest.mark.parametrize("out_suffix", [".mp4", ".webm"])
def test_sound_that_few_containers_hold(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, encoder: str, out_suffix: str
) -> None:
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{out_suffix}"
    make_video(source, 50, sound=encoder)
    write(out, AudioSource(source, 1.0), count=25)
    assert tone(out, 0.02, 0.9) and 0.95 <= sound_end(out) <= 1.05 and not caplog.records


def in_short_packets(path: Path) -> Path:
    """A tone in packets of 40 samples, of which Matroska gives several the same time."""
    clip = make_video(path.with_name("silent.mkv"), 50)
    wave = (np.sin(np.arange(96000) * 0.0576) * 20000).astype(np.int16)
    with av.open(str(clip)) as old, av.open(str(path), "w") as new:
        pictures = new.add_stream_from_template(old.streams.video[0])
        track = new.add_stream("pcm_s16le", rate=48000, layout="mono")
        for packet in packets(clip, "video"):
            packet.stream = pictures
            new.mux(packet)
        for at in range(0, len(wave), 40):
            frame = av.AudioFrame.from_ndarray(wave[None, at : at + 40], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
            new.mux(track.encode(frame))
    return path


def test_sound_of_very_short_packets_keeps_its_speed(tmp_path: Path) -> None:
    """As TrueHD comes: no packet is left out because its time is that of the one before."""
    source, out = in_short_packets(tmp_path / "in.mkv"), tmp_path / "out.mp4"
    write(out, AudioSource(source), count=50)
    assert tone(out, 0.02, 1.95) and sound_end(out) == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("out_suffix", [".mp4", ".webm"])
def test_sound_is_cut_with_the_picture(tmp_path: Path, out_suffix: str) -> None:
    """The tone begins at 1.0 s of the source, so at 0.6 s of a piece from 0.4 s on."""
    source, out = make_video(tmp_path / "in.mp4", 75, sound="aac", sound_start=1.0), None
    out = tmp_path / f"out{out_suffix}"
    write(out, AudioSource(source, 0.4, 1.6), count=30)
    assert loudness_start(out) == pytest.approx(0.6, abs=0.03)
    assert 1.1 < sound_end(out) <= 1.2 + 0.03


def test_a_cut_within_a_packet_keeps_time(tmp_path: Path) -> None:
    """Packets are whole; an edit list hides what lies before time zero."""
    source, out = make_video(tmp_path / "in.mp4", 75, sound="aac"), tmp_path / "out.mp4"
    write(out, AudioSource(source, 1.01, 2.01), count=25)
    old = {bytes(p): p.pts * p.time_base for p in packets(source, "audio")}
    for packet in packets(out, "audio"):
        wanted = old[bytes(packet)] - Fraction("1.01")
        assert abs(packet.pts * packet.time_base - wanted) <= Fraction(1, 40000)
    start, _ = sound_samples(out)
    assert abs(start) <= 1024 / 48000


@pytest.mark.parametrize("encoder", ["pcm_s16le", "flac"])
def test_a_cut_within_a_long_packet(tmp_path: Path, encoder: str) -> None:
    source, out = make_video(tmp_path / "in.mkv", 75, sound=encoder), tmp_path / "out.mp4"
    write(out, AudioSource(source, 1.01, 2.01), count=25)
    assert loudness_start(out) <= 0.03 and 0.95 < sound_end(out) <= 1.03


def test_sound_never_outlasts_the_video(tmp_path: Path) -> None:
    source, out = make_video(tmp_path / "in.mp4", 75, sound="aac"), tmp_path / "out.mp4"
    write(out, AudioSource(source), count=10)
    assert 0.4 <= sound_end(out) <= 0.4 + 1024 / 48000


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sound_follows_a_picture_that_begins_late(tmp_path: Path, suffix: str) -> None:
    times = [1 + k / 25 for k in range(50)]
    source = tmp_path / f"in{suffix}"
    make_video(source, 50, times=times, sound="aac", sound_start=1.5)
    write(tmp_path / "out.mp4", AudioSource(source), count=50)
    assert loudness_start(tmp_path / "out.mp4") == pytest.approx(0.5, abs=0.03)


def test_video_without_sound(tmp_path: Path) -> None:
    source, out = make_video(tmp_path / "in.mp4", 10), tmp_path / "out.mp4"
    write(out, AudioSource(source), count=10)
    assert not probe(source).has_audio and not probe(out).has_audio


def test_no_sound_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", None, count=10)
    assert not probe(tmp_path / "out.mp4").has_audio


@pytest.mark.parametrize("name", ["out.gif", "frames"])
def test_formats_without_sound_leave_it_out(tmp_path: Path, name: str) -> None:
    source = make_video(tmp_path / "in.mp4", 5, sound="aac")
    write(tmp_path / name, AudioSource(source), count=5)
    assert (tmp_path / name).exists()


@pytest.mark.parametrize("out_suffix", [".mp4", ".webm"])
def test_broken_sound_does_not_cost_the_video(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, out_suffix: str
) -> None:
    source, out = make_video(tmp_path / "in.mkv", 25, sound="flac"), tmp_path / f"out{out_suffix}"
    data = bytearray(source.read_bytes())
    for packet in packets(source, "audio"):
        at = data.find(bytes(packet))
        data[at : at + packet.size] = bytes(packet.size)
    source.write_bytes(data)
    with caplog.at_level(logging.WARNING, "dancecli.media"):
        write(out, AudioSource(source))
    assert probe(out).frames == 25


def test_missing_sound_file_does_not_cost_the_video(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "dancecli.media"):
        write(tmp_path / "out.mp4", AudioSource(tmp_path / "gone.mp4"), count=5)
    assert probe(tmp_path / "out.mp4").frames == 5 and "left out" in caplog.text


def test_real_sound(tmp_path: Path, real_media: Path) -> None:
    source, out = real_media / "drive_single_rooftop_dance_audio.mp4", tmp_path / "out.mp4"
    write(out, AudioSource(source, 2.0, 4.0), count=50)
    old = [bytes(p) for p in packets(source, "audio")]
    new = [bytes(p) for p in packets(out, "audio")]
    first = old.index(new[0])
    assert new == old[first : first + len(new)]
    assert 2.0 <= sound_end(out) <= 2.0 + 1024 / 44100
