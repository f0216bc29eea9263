"""What is written: complete or not at all, exact in time, the same whatever was resumed."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import (
    assert_one_line,
    boxes,
    make_video,
    number_of,
    packets,
    picture,
)
from PIL import Image

from dancecli.errors import MediaError, OutputExistsError, UsageError
from dancecli.media import FORMATS, PartWriter, VideoStream, check_output, format_of, probe
from dancecli.media.gif import gif_times

TAGS = {"title": "A dance", "comment": "synthetic media made with dance"}
NAMES = ["out.mp4", "out.mov", "out.webm", "out.gif", "frames"]


def alpha_of(number: int) -> np.ndarray:
    """A soft disc that moves with the frame, uint8 (48, 64)."""
    y, x = np.mgrid[:48, :64]
    distance = np.hypot(x - 20 - number % 20, y - 24)
    return np.clip((18 - distance) * 40, 0, 255).astype(np.uint8)


def frame_of(number: int, alpha: bool) -> np.ndarray:
    return np.dstack([picture(number), alpha_of(number)]) if alpha else picture(number)


def write(
    out: Path,
    count: int = 20,
    fps: Fraction | int = 25,
    alpha: bool = False,
    part_frames: int = 6,
    parts: Path | None = None,
) -> list[range]:
    """Writes what is missing and finishes; returns what was missing."""
    parts = parts or out.with_name(f"{out.name}.parts")
    with PartWriter(out, Fraction(fps), (64, 48), count, alpha, parts, part_frames) as writer:
        missing = writer.missing()
        for span in missing:
            for k in span:
                writer.write(frame_of(k, alpha), k)
        writer.finish(None, TAGS)
    return missing


def content(out: Path) -> bytes:
    """All bytes of a file, or of a folder's files in order."""
    files = sorted(out.iterdir()) if out.is_dir() else [out]
    return b"".join(file.read_bytes() for file in files)


@pytest.mark.parametrize("rate", ["25", "30000/1001", "24000/1001", "15", "5", "2000/133"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_rate_count_and_duration(tmp_path: Path, suffix: str, rate: str) -> None:
    fps, out = Fraction(rate), tmp_path / f"out{suffix}"
    write(out, 20, fps)
    info = probe(out)
    assert info.frames == 20 and not info.variable and (info.width, info.height) == (64, 48)
    assert abs(info.duration - 20 / fps) < 0.05 / fps
    assert [number_of(f.rgb) for f in VideoStream(out).frames()] == list(range(20))
    ticks = np.sort([p.pts * p.time_base for p in packets(out, "video")])
    late = max(abs(tick - k / fps) for k, tick in enumerate(ticks))
    assert late == 0 if suffix != ".webm" else late <= Fraction(1, 2000)


def test_mp4_is_what_every_player_takes(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    write(out)
    names = boxes(out)
    assert names.index(b"moov") < names.index(b"mdat")
    with av.open(str(out)) as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.color_range, context.colorspace) == (1, 1)
        assert (context.color_primaries, context.color_trc) == (1, 1)
        assert stream.start_time == 0 and stream.average_rate == 25
        assert file.metadata["comment"] == TAGS["comment"]
    decoding = [p.dts for p in packets(out, "video")]
    assert len(set(np.diff(decoding))) == 1 and {p.duration for p in packets(out, "video")} == {512}


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.webm"])
def test_colours_come_back(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    with PartWriter(out, Fraction(25), (64, 48), 3, False, tmp_path / "parts") as writer:
        for k in range(3):
            writer.write(np.full((48, 64, 3), (190, 60, 40), np.uint8), k)
        writer.finish(None, {})
    seen = list(VideoStream(out).frames())[1].rgb
    assert np.abs(seen.astype(int) - [190, 60, 40]).max() <= 4


@pytest.mark.parametrize(("name", "near"), [("fg.mov", 2), ("fg.webm", 12), ("fg", 0)])
def test_alpha_round_trip(tmp_path: Path, name: str, near: int) -> None:
    out = tmp_path / name
    write(out, 8, alpha=True)
    if out.is_dir():
        seen = [np.asarray(Image.open(path)) for path in sorted(out.iterdir())]
    else:
        seen = list(VideoStream(out).frames_rgba())
    assert len(seen) == 8
    for k, rgba in enumerate(seen):
        assert rgba.shape == (48, 64, 4)
        assert np.abs(rgba[..., 3].astype(int) - alpha_of(k)).mean() <= near
        solid = alpha_of(k) == 255
        assert np.abs(rgba[..., :3].astype(int) - picture(k))[solid].mean() <= max(near, 6)


def test_mov_is_prores_4444(tmp_path: Path) -> None:
    write(tmp_path / "fg.mov", 3, alpha=True)
    with av.open(str(tmp_path / "fg.mov")) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.profile) == ("prores", "4444")
        assert context.codec_tag == "ap4h" and context.pix_fmt.startswith("yuva444p")


def test_webm_keeps_alpha_mode(tmp_path: Path) -> None:
    write(tmp_path / "fg.webm", 8, alpha=True)
    with av.open(str(tmp_path / "fg.webm")) as file:
        tags = {key.lower(): value for key, value in file.streams.video[0].metadata.items()}
        assert tags["alpha_mode"] == "1"
        assert file.streams.video[0].codec_context.name == "vp9"
    alpha_mode = b"\x53\xc0\x81\x01"  # the element AlphaMode, one byte, 1
    assert alpha_mode in (tmp_path / "fg.webm").read_bytes()[:2000]


@pytest.mark.parametrize("alpha", [False, True])
def test_gif(tmp_path: Path, alpha: bool) -> None:
    out = tmp_path / "out.gif"
    write(out, 20, Fraction(30000, 1001), alpha=alpha)
    with Image.open(out) as gif:
        assert gif.n_frames == 20 and gif.info["loop"] == 0
        assert TAGS["comment"] in gif.info["comment"].decode()
        if alpha:
            seen = np.asarray(gif.convert("RGBA"))[..., 3]
            assert np.mean((seen > 127) == (alpha_of(0) > 127)) > 0.98
    stream = VideoStream(out)
    assert abs(stream.info.duration - 20 * 1001 / 30000) <= 0.01
    if not alpha:
        assert [number_of(f.rgb) for f in stream.frames()] == list(range(20))


@given(fps=st.fractions(1, 120, max_denominator=1001), count=st.integers(1, 200))
def test_gif_times_add_up(fps: Fraction, count: int) -> None:
    times = [(at, lasts) for at, lasts in gif_times(fps, count) if lasts]
    assert times[0][0] == 0 and all(lasts >= 2 for _, lasts in times)
    assert all(a + n == b for (a, n), (b, _) in itertools.pairwise(times))
    assert abs(sum(lasts for _, lasts in times) - 100 * count / fps) <= 2
    if fps <= 33:
        assert len(times) == count


def test_png_folder(tmp_path: Path) -> None:
    out = tmp_path / "frames"
    write(out, 8)
    assert [p.name for p in sorted(out.iterdir())] == [f"{k:06d}.png" for k in range(1, 9)]
    for k, path in enumerate(sorted(out.iterdir())):
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), picture(k))
            assert TAGS["comment"] in image.text["Comment"]


@pytest.mark.parametrize("name", NAMES)
def test_killed_and_damaged_runs_end_in_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, resumed = tmp_path / "a" / name, tmp_path / "b" / name
    assert write(whole) == [range(20)]
    parts = tmp_path / "parts"
    with PartWriter(resumed, Fraction(25), (64, 48), 20, False, parts, 6) as writer:
        for k in range(15):  # stops in the middle of the third part
            writer.write(picture(k), k)
    assert not resumed.exists() and not [p for p in parts.iterdir() if "unfinished" in p.name]
    files = sorted(p for p in parts.iterdir() if p.suffix == ".part")
    assert len(files) == 2
    data = bytearray(files[0].read_bytes())
    data[len(data) // 2] ^= 1
    files[0].write_bytes(data)
    assert write(resumed, parts=parts) == [range(6), range(12, 20)]
    assert content(resumed) == content(whole)
    files[1].write_bytes(files[1].read_bytes()[:-10])  # truncated
    files[0].unlink()
    again = resumed.with_name("again" + resumed.suffix)
    assert write(again, parts=parts) == [range(12)]
    assert content(again) == content(whole)


def test_encoding_repeats_to_the_bit_at_real_sizes(tmp_path: Path, real_media: Path) -> None:
    """Larger than an encoder's blocks, while a decoder uses and gives back memory beside it.

    Pictures of 64x48 did not show that x264's macroblock tree gives other bits in each run.
    """
    stream = VideoStream(real_media / "drive_single_rooftop_dance_audio.mp4", max_side=320)
    size, outputs = (stream.width, stream.height), set()
    for run in range(5):
        parts = tmp_path / f"parts{run}"
        with PartWriter(parts / "out.mp4", stream.fps, size, 24, False, parts) as writer:
            for frame in stream.frames(0, 24):
                writer.write(frame.rgb, frame.index)
        outputs.add((parts / "000000.mp4.part").read_bytes())
    assert len(outputs) == 1


@settings(max_examples=8, deadline=None)
@given(count=st.integers(1, 15), part_frames=st.integers(1, 7))
def test_any_count_and_part_length(
    tmp_path_factory: pytest.TempPathFactory, count: int, part_frames: int
) -> None:
    out = tmp_path_factory.mktemp("parts") / "out.mp4"
    assert write(out, count, part_frames=part_frames) == [range(count)]
    stream = VideoStream(out)
    assert [number_of(f.rgb) for f in stream.frames()] == list(range(count))
    assert write(out, count, part_frames=part_frames) == []


def test_parts_of_other_settings_are_not_used(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    write(tmp_path / "out.mp4", 12, 25, parts=parts)
    assert write(tmp_path / "two.mp4", 12, 30, parts=parts) == [range(12)]
    assert write(tmp_path / "two.mp4", 14, 30, parts=parts) == [range(12, 14)]


def test_finish_wants_every_frame(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with PartWriter(out, Fraction(25), (64, 48), 12, False, tmp_path / "parts", 6) as writer:
        for k in range(6):
            writer.write(picture(k), k)
        with pytest.raises(ValueError, match="frames 6-11 are not written"):
            writer.finish(None, {})
    assert not out.exists()


def test_frames_out_of_turn_or_shape(tmp_path: Path) -> None:
    args = (tmp_path / "out.mp4", Fraction(25), (64, 48), 12, False, tmp_path / "parts", 6)
    with PartWriter(*args) as writer:
        with pytest.raises(ValueError, match="does not begin a part"):
            writer.write(picture(1), 1)
        writer.write(picture(0), 0)
        with pytest.raises(ValueError, match="1 is next"):
            writer.write(picture(2), 2)
        with pytest.raises(ValueError, match=r"not uint8 \(48, 64, 3\)"):
            writer.write(picture(1)[:40], 1)


def test_what_a_format_cannot_hold(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    with pytest.raises(UsageError) as caught:
        PartWriter(tmp_path / "out.mp4", Fraction(25), (64, 48), 5, True, parts)
    assert_one_line(caught, ".mov", ".webm")
    with pytest.raises(UsageError) as caught:
        PartWriter(tmp_path / "out.mp4", Fraction(25), (63, 48), 5, False, parts)
    assert_one_line(caught, "63x48", "64x48")


@pytest.mark.parametrize("size", [(63, 47), (33, 20)])
@pytest.mark.parametrize("name", NAMES[1:])
def test_odd_sizes(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    out = tmp_path / name
    with PartWriter(out, Fraction(25), size, 3, False, tmp_path / "parts") as writer:
        for k in range(3):
            writer.write(picture(k, size), k)
        writer.finish(None, {})
    if out.is_file():
        assert next(VideoStream(out).frames()).rgb.shape == (size[1], size[0], 3)


def test_formats_by_extension() -> None:
    assert [format_of(Path(name)).name for name in NAMES] == ["mp4", "mov", "webm", "gif", "png"]
    assert format_of(Path("OUT.MP4")).name == "mp4"
    for name in ("out.avi", "out.mp3", "out.png"):
        with pytest.raises(UsageError) as caught:
            format_of(Path(name))
        assert_one_line(caught, *(known.extension for known in FORMATS), Path(name).suffix)


def test_existing_output_is_refused_and_untouched(tmp_path: Path) -> None:
    for name in ("out.mp4", "sheet.png"):
        out = tmp_path / name
        check_output(out, force=False)
        out.write_bytes(b"precious")
        with pytest.raises(OutputExistsError) as caught:
            check_output(out, force=False)
        assert_one_line(caught, name, "--force")
        check_output(out, force=True)
        assert out.read_bytes() == b"precious"


def test_output_that_cannot_be_made(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mp4", 2)
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").write_text("x")
    link = tmp_path / "link.mp4"
    link.symlink_to(video)
    cases = [
        (tmp_path / "absent" / "out.mp4", "absent"), (video, "input"), (link, "input"),
        (tmp_path / "folder.mp4", "folder"), (tmp_path / "file", "is a file"),
    ]  # fmt: skip
    for out, word in cases:
        with pytest.raises(MediaError) as caught:
            check_output(out, force=True, inputs=[video, tmp_path / "gone.jpg"])
        assert_one_line(caught, out.name, word)


def test_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "frames"
    out.mkdir()
    check_output(out, force=False)
    write(out, 8)
    with pytest.raises(OutputExistsError):
        check_output(out, force=False)
    check_output(out, force=True)
    write(out, 5, part_frames=5)
    assert len(list(out.iterdir())) == 5
    (out / "diary.txt").write_text("x")
    with pytest.raises(MediaError) as caught:
        check_output(out, force=True)
    assert_one_line(caught, "frames", "diary.txt")


def test_output_appears_only_when_complete(tmp_path: Path) -> None:
    """A failing end leaves the old file as it was, and the parts."""
    out, parts = tmp_path / "out.mp4", tmp_path / "parts"
    out.write_bytes(b"old")
    with PartWriter(out, Fraction(25), (64, 48), 6, False, parts, 6) as writer:
        for k in range(6):
            writer.write(picture(k), k)
        assert out.read_bytes() == b"old"
        with pytest.raises(MediaError):
            writer.finish(None, {"comment": object()})  # type: ignore[dict-item]
        assert out.read_bytes() == b"old"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out.mp4", "parts"]
        writer.finish(None, TAGS)
    assert probe(out).frames == 6


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes there")
@pytest.mark.parametrize("limit", [3_000, 20_000])
def test_no_room_is_one_line_and_keeps_the_parts(tmp_path: Path, limit: int) -> None:
    """A limit on file sizes stands for a full disk: the first part fails, or the joined file."""
    script = textwrap.dedent("""
        import resource, signal, sys
        from fractions import Fraction
        from pathlib import Path
        import numpy as np
        from dancecli.errors import MediaError
        from dancecli.media import PartWriter
        folder, limit = Path(sys.argv[1]), int(sys.argv[2])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        noise = np.random.default_rng(0).integers(0, 255, (12, 48, 64, 3), np.uint8)
        try:
            with PartWriter(folder / "out.mp4", Fraction(25), (64, 48), 12, False,
                            folder / "parts", 2) as writer:
                for k, rgb in enumerate(noise):
                    writer.write(rgb, k)
                writer.finish(None, {})
        except MediaError as error:
            print(error)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(limit)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 1 and "MB free in" in lines[0] and "run again" in lines[0], done
    assert not (tmp_path / "out.mp4").exists() and len(list(tmp_path.iterdir())) == 1
    kept = [p.suffix for p in (tmp_path / "parts").iterdir()]
    assert kept.count(".part") == (0 if limit < 10_000 else 6) and ".unfinished" not in kept
