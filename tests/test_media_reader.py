"""Videos: the right frame at the right time, however the file keeps time."""

from __future__ import annotations

import inspect
import itertools
import logging
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import assert_one_line, make_video, number_of, packets, picture
from PIL import Image

from dancecli.errors import MediaError, UsageError
from dancecli.media import VideoStream, probe, read_photo


def numbers(stream: VideoStream, first: int = 0, stop: int | None = None) -> list[int]:
    return [number_of(frame.rgb) for frame in stream.frames(first, stop)]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif"])
def test_every_frame_once_and_in_order(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / f"clip{suffix}", 30)
    info, stream = probe(path), VideoStream(path)
    assert (info.width, info.height, info.fps, info.frames) == (64, 48, 25, 30)
    assert info.duration == pytest.approx(1.2) and not info.variable and not info.has_audio
    frames = list(stream.frames())
    assert [number_of(f.rgb) for f in frames] == list(range(30))
    assert [f.index for f in frames] == list(range(30)) and stream.count == 30
    assert [f.time for f in frames] == pytest.approx([k / 25 for k in range(30)])
    assert all(f.rgb.shape == (48, 64, 3) and f.rgb.dtype == np.uint8 for f in frames)
    assert np.abs(frames[7].rgb.astype(int) - picture(7)).mean() < (30 if suffix == ".gif" else 6)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("rate", ["30000/1001", "24000/1001", "15", "5"])
def test_rate_count_and_duration(tmp_path: Path, suffix: str, rate: str) -> None:
    """Matroska rounds time to milliseconds; the rate is still the exact one."""
    fps = Fraction(rate)
    stream = VideoStream(make_video(tmp_path / f"clip{suffix}", 40, fps))
    assert (stream.fps, stream.count) == (fps, 40)
    assert abs(stream.info.duration - 40 / fps) < 1 / fps
    assert numbers(stream) == list(range(40))


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=3, max_size=40))
def test_variable_rate_becomes_constant(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int]
) -> None:
    """Output k shows the frame on screen at k / fps; the duration is kept to within a frame."""
    times = np.cumsum([0, *gaps]) / 50
    path = make_video(
        tmp_path_factory.mktemp("vfr") / "clip.mp4", len(times), 50, times=times.tolist()
    )
    stream = VideoStream(path)
    assert abs(stream.count / stream.fps - stream.info.duration) <= 1 / stream.fps
    assert stream.info.duration >= times[-1]
    shown = numbers(stream)
    assert len(shown) == stream.count
    if stream.info.variable:
        for k, number in enumerate(shown):
            now = float(k / stream.fps)
            early = 0.11 / float(stream.fps) + 1e-4  # frames may come a tenth of a frame early
            assert times[number] <= now + early
            assert number == len(times) - 1 or times[number + 1] > now
    else:
        assert shown[: len(times)] == list(range(len(times)))


def test_last_picture_of_a_gif_stays(tmp_path: Path) -> None:
    path = tmp_path / "clip.gif"
    pictures = [Image.fromarray(picture(k)) for k in range(5)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[100] * 4 + [500])
    stream = VideoStream(path)
    assert stream.fps == 10 and stream.info.duration == pytest.approx(0.9)
    assert numbers(stream) == [0, 1, 2, 3, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotation_metadata(tmp_path: Path, angle: int) -> None:
    """A phone held upright stores the picture lying and says how to turn it."""
    stream = VideoStream(make_video(tmp_path / "clip.mp4", 4, rotation=angle))
    plain = next(VideoStream(make_video(tmp_path / "plain.mp4", 4)).frames()).rgb
    seen = next(stream.frames()).rgb
    assert (stream.width, stream.height) == ((64, 48) if angle == 180 else (48, 64))
    assert (stream.info.width, stream.info.height) == (stream.width, stream.height)
    assert np.array_equal(seen, np.rot90(plain, angle // 90))


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (33, 48)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    stream = VideoStream(make_video(tmp_path / "clip.mkv", 3, size=size))
    frame = next(stream.frames())
    assert (frame.width, frame.height) == (stream.width, stream.height) == size


def test_wide_pixels_are_made_square(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(picture(1), "rgb24")))
        file.mux(stream.encode(None))
    assert next(VideoStream(path).frames()).rgb.shape == (48, 93, 3)


@pytest.mark.parametrize(
    ("size", "max_side", "wanted"),
    [((64, 48), 32, (32, 24)), ((64, 48), 33, (32, 24)), ((47, 63), 31, (22, 30)),
     ((64, 48), 64, (64, 48)), ((63, 47), 640, (63, 47))],
)  # fmt: skip
def test_max_side(
    tmp_path: Path, size: tuple[int, int], max_side: int, wanted: tuple[int, int]
) -> None:
    stream = VideoStream(make_video(tmp_path / "clip.mkv", 2, size=size), max_side=max_side)
    assert (stream.width, stream.height) == wanted
    assert next(stream.frames()).rgb.shape == (wanted[1], wanted[0], 3)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi", ".gif"])
def test_starting_anywhere_gives_the_same_pixels(tmp_path: Path, suffix: str) -> None:
    stream = VideoStream(make_video(tmp_path / f"clip{suffix}", 48, gop=6))
    whole = [frame.rgb for frame in stream.frames()]
    for first in (1, 5, 6, 7, 13, 30, 47):
        part = list(stream.frames(first, first + 3))
        assert [f.index for f in part] == list(range(first, min(first + 3, 48)))
        for frame in part:
            assert np.array_equal(frame.rgb, whole[frame.index])
    assert list(stream.frames(48)) == [] and len(list(stream.frames(-3, 2))) == 2


@pytest.mark.parametrize("variable", [False, True])
def test_trim(tmp_path: Path, variable: bool) -> None:
    times = [k / 25 + (0.015 if k % 3 else 0) for k in range(50)] if variable else None
    path = make_video(tmp_path / "clip.mp4", 50, 25, times=times)
    stream = VideoStream(path, start=0.4, end=1.2)
    shown = numbers(stream)
    assert stream.count == len(shown) and abs(stream.count - 20) <= 1
    assert abs(shown[0] - 10) <= variable and abs(shown[-1] - 29) <= variable
    assert next(stream.frames()).time == 0.0
    assert VideoStream(path, start=1.0).count == VideoStream(path, start=1.0, end=99).count


def test_another_rate_can_be_asked_for(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 50, 25)
    assert numbers(VideoStream(path, fps=Fraction(5))) == list(range(0, 50, 5))
    assert numbers(VideoStream(path, fps=Fraction(50)))[:6] == [0, 0, 1, 1, 2, 2]


def test_impossible_ranges(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 25, 25)
    for start, end in ((0.5, 0.5), (0.6, 0.2), (-1, None)):
        with pytest.raises(UsageError) as usage:
            VideoStream(path, start=start, end=end)
        assert_one_line(usage, "clip.mp4", "1.00 s")
    with pytest.raises(MediaError) as caught:
        VideoStream(path, start=3, end=4)
    assert_one_line(caught, "clip.mp4", "only 1.00 s")


def test_a_stream_that_begins_late(tmp_path: Path) -> None:
    """Time zero is the first frame's, wherever the container's clock stands then."""
    times = [3 + k / 25 for k in range(20)]
    for suffix in (".mkv", ".mp4"):
        stream = VideoStream(make_video(tmp_path / f"clip{suffix}", 20, 25, times=times))
        assert stream.fps == 25 and numbers(stream) == list(range(20))


def test_edit_list_hides_frames(tmp_path: Path) -> None:
    """Packets before time zero are decoded but not shown, as players do."""
    source, path = make_video(tmp_path / "source.mp4", 20, 25), tmp_path / "clip.mp4"
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.pts -= round(5 / 25 / packet.time_base)
                packet.dts -= round(5 / 25 / packet.time_base)
                packet.stream = stream
                new.mux(packet)
    stream = VideoStream(path)
    assert numbers(stream) == list(range(5, 20)) and stream.info.frames == 15
    assert not stream.info.cut


def test_frames_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    """Neither all frames nor all packets are held: the first comes before the rest is decoded."""
    stream = VideoStream(make_video(tmp_path / "clip.mp4", 250))
    frames = stream.frames()
    assert inspect.isgenerator(frames)
    assert [f.index for f in itertools.islice(frames, 2)] == [0, 1]
    frames.close()
    assert number_of(next(stream.frames(200)).rgb) == 200


def test_truncated_video_gives_what_there_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = make_video(tmp_path / "whole.mkv", 100, size=(320, 240), gop=5)
    path = tmp_path / "clip.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with caplog.at_level(logging.WARNING, "dancecli.media"):
        stream = VideoStream(path)
        shown = numbers(stream)
    assert 20 < stream.count == len(shown) < 80 and stream.info.cut
    assert shown[: stream.count - 5] == list(range(stream.count - 5))
    assert "truncated" in caplog.text


def test_undecodable_frames_are_replaced_by_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_video(tmp_path / "clip.mp4", 40, gop=10)
    data = bytearray(path.read_bytes())
    for packet in packets(path, "video")[-12:]:
        data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING, "dancecli.media"):
        shown = numbers(VideoStream(path))
    assert len(shown) == 40 and shown[:25] == list(range(25))
    assert len(set(shown[-10:])) == 1 and "damaged" in caplog.text


def test_alpha_of_a_video_without_any_is_full(tmp_path: Path) -> None:
    rgba = next(VideoStream(make_video(tmp_path / "clip.mp4", 2)).frames_rgba())
    assert rgba.shape == (48, 64, 4) and rgba[..., 3].min() == 255


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    text, photo = tmp_path / "text.mp4", tmp_path / "photo.jpg"
    still, empty, sound = tmp_path / "still.gif", tmp_path / "empty.mp4", tmp_path / "sound.m4a"
    text.write_text("not a video\n" * 100)
    Image.fromarray(picture(1)).save(photo)
    Image.fromarray(picture(1)).save(still)
    empty.touch()
    with av.open(str(sound), "w") as file:
        stream = file.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 4096), np.float32), "fltp", "stereo")
        frame.sample_rate = 48000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(make_video(tmp_path / "clip.mp4", 20).read_bytes()[:400])
    cases = [
        (tmp_path / "absent.mp4", "does not exist"), (tmp_path, "folder"),
        (text, "not a video"), (photo, "still picture"), (still, "still picture"),
        (empty, "empty"), (sound, "no video stream"), (cut, "truncated"),
    ]  # fmt: skip
    for path, word in cases:
        for opener in (probe, VideoStream):
            with pytest.raises(MediaError) as caught:
                opener(path)
            assert_one_line(caught, path.name, word)


@pytest.mark.parametrize("kind", ["WebP", "PNG"])
def test_animated_pictures_are_called_so(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"clip.{kind.lower()}"
    pictures = [Image.fromarray(picture(k)) for k in range(3)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:])
    with pytest.raises(MediaError) as caught:
        VideoStream(path)
    assert_one_line(caught, path.name, f"animated {kind}", "convert it to .mp4 or .gif")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
@pytest.mark.timeout(60)
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """As `<(command)` makes one: it cannot be read twice, and nothing may wait for it."""
    os.mkfifo(tmp_path / "clip.mp4")
    for opener in (probe, read_photo):
        with pytest.raises(MediaError) as caught:
            opener(tmp_path / "clip.mp4")
        assert_one_line(caught, "clip.mp4", "pipe", "save it as a file")


def test_video_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        file.start_encoding()
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert_one_line(caught, "clip.mp4")


def test_play_list_does_not_reach_out(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert_one_line(caught, "clip.mp4")


def test_small_jitter_is_no_variable_rate(tmp_path: Path) -> None:
    """Phones stamp frames some milliseconds early or late: none is doubled or left out."""
    jitter = np.random.default_rng(0).uniform(-0.004, 0.004, 60)
    times = (np.arange(60) / 30 + np.where(np.arange(60) > 0, jitter, 0)).tolist()
    stream = VideoStream(make_video(tmp_path / "clip.mp4", 60, 30, times=times))
    assert not stream.info.variable and abs(stream.fps - 30) < 0.1
    assert numbers(stream)[:60] == list(range(60))


def test_absurd_time_stamps_do_not_fill_the_memory(tmp_path: Path) -> None:
    times = [0, 0.04, 0.08, 900_000]
    path = make_video(tmp_path / "clip.mkv", 4, 25, times=times)
    assert VideoStream(path).count == 4
    with pytest.raises(MediaError) as caught:
        VideoStream(path, fps=Fraction(25))
    assert_one_line(caught, "clip.mkv", "time stamps")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_damaged_bytes_give_frames_or_one_clear_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    suffix = data.draw(st.sampled_from([".mp4", ".webm", ".gif", ".avi"]))
    path = make_video(folder / f"clip{suffix}", 8)
    content = bytearray(path.read_bytes())
    places = st.integers(0, len(content) - 1)
    for at, value in data.draw(st.dictionaries(places, st.integers(0, 255), max_size=20)).items():
        content[at] = value
    path.write_bytes(content[: data.draw(places) + 1])
    try:
        stream = VideoStream(path, max_side=64)
        assert len(list(stream.frames(0, 50))) == min(stream.count, 50)
    except MediaError as error:
        assert "\n" not in str(error) and "clip" in str(error)


def test_real_videos(real_media: Path) -> None:
    stream = VideoStream(real_media / "drive_single_squats_5fps.mp4", max_side=160)
    assert (stream.fps, stream.count, stream.info.has_audio) == (5, 65, False)
    assert (stream.width, stream.height) == (90, 160)
    walk = VideoStream(real_media / "drive_two_people_corridor_walk.mp4", max_side=160)
    whole = [frame.rgb for frame in walk.frames()]
    assert len(whole) == 35
    assert np.array_equal(next(walk.frames(30)).rgb, whole[30])


def test_a_frame_knows_its_place_in_the_file(tmp_path: Path) -> None:
    """Whatever part of the video, rate and size were asked for, and at variable rates too."""
    times = [0, 0.04, 0.08, 0.5, 0.54, 1.0]
    for path, count in (
        (make_video(tmp_path / "steady.mp4", 30), 30),
        (make_video(tmp_path / "varied.mp4", len(times), times=times), len(times)),
    ):
        whole = VideoStream(path)
        stream = VideoStream(path, start=0.2, fps=whole.fps / 2, max_side=32)
        sources = [(frame.source, number_of(frame.rgb)) for frame in stream.frames()]
        assert [source.number for source, _ in sources if source] == [n for _, n in sources]
        assert {(s.path, s.width, s.height) for s, _ in sources if s} == {(path, 64, 48)}
        assert [f.source.number for f in whole.frames() if f.source][-1] == count - 1
