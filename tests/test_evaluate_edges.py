"""`dance evaluate` where names, folders or people are not as usual."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from commands import Run
from PIL import Image

from dancecli.errors import MediaError, UsageError
from dancecli.evaluate import asking
from dancecli.evaluate.compare import Crop, Scores
from dancecli.evaluate.gallery import Gallery
from dancecli.evaluate.report import write_report
from dancecli.evaluate.results import Results
from dancecli.evaluate.running import Evaluation, measure_files
from dancecli.evaluate.shapes import APART, colours
from dancecli.evaluate.study import write_study
from dancecli.media import read_photo
from dancecli.progress import Progress
from dancecli.types import Box, Frame

CROP = Crop.about(Box(50, 20, 150, 180))


def shown(index: int, value: int = 90) -> Frame:
    return Frame(np.full((200, 200, 3), value, np.uint8), index, index / 25)


def evaluation(out: Path) -> Evaluation:
    eyes: Any = None
    return Evaluation(out, eyes, None, Progress("quiet"), Results({}, []))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--real", "real.mp4", "--fake", "ours=far/ours.mp4", "-o", "."), "real.mp4 lies there"),
        (("--real", "real.mp4", "--fake", "far/ours.mp4", "-o", "far"), "ours.mp4 lies there"),
        (("--real", "far/link.mp4", "--fake", "far/ours.mp4", "-o", "."), "link.mp4 lies there"),
        (("--self", "far/ours.mp4", "--self", "real.mp4", "-o", "far/.."), "real.mp4 lies there"),
        (("--real", "far", "--fake", "a=far", "-o", "far"), "far lies there"),
        (("--self", "far/ours.mp4", "-o", "real.mp4"), "that is a file"),
    ],
)
def test_a_report_is_not_written_over_what_is_measured(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("far").mkdir()
    for name in ("real.mp4", "far/ours.mp4"):
        Path(name).write_bytes(b"mine")
    Path("far/link.mp4").symlink_to(tmp_path / "real.mp4")
    ran = run("evaluate", *args)
    assert ran.code == 2 and says in ran.err and len(ran.err.splitlines()) == 1
    assert sorted(str(p) for p in Path().rglob("*")) == [
        "far", "far/link.mp4", "far/ours.mp4", "real.mp4"
    ]  # fmt: skip
    assert Path("real.mp4").read_bytes() == Path("far/ours.mp4").read_bytes() == b"mine"


def test_folders_of_frames_and_circles_of_links_stand_beside_a_report(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    folders = "--real", tmp_path / "a", "--fake", f"ours={tmp_path / 'b'}"
    for given in (folders, ("--self", tmp_path / "loop.mp4")):
        ran = run("evaluate", *given, "-o", tmp_path if given is folders else tmp_path / "report")
        assert ran.code == 1 and ("no pictures" in ran.err or "symbolic links" in ran.err), ran.err


def test_the_sheet_shows_whom_few_frames_show(tmp_path: Path) -> None:
    for name, count, passed in (("rare", 300, 20), ("usual", 20, 20)):
        with Gallery(tmp_path, name, count, Fraction(25)) as gallery:
            for k in range(passed):
                gallery.add(CROP, shown(k), {"ours": shown(k)})
    rare, usual = (read_photo(tmp_path / f"{name}.png") for name in ("rare", "usual"))
    assert rare.width == usual.width and 3 * rare.height < usual.height


def test_strips_and_sheets_say_that_they_are_synthetic(tmp_path: Path) -> None:
    with Gallery(tmp_path, "clip", 3, Fraction(25)) as gallery:
        for k in range(3):
            gallery.add(CROP, shown(k), {"caf\udce9": shown(k)})
    with av.open(str(gallery.strip)) as strip, Image.open(gallery.still) as sheet:
        for tags in (strip.metadata, {key.lower(): text for key, text in sheet.info.items()}):
            assert "synthetic" in tags["title"]
            assert tags["comment"].startswith("synthetic media: made with dance")


def test_clips_whose_long_names_begin_alike_have_files_of_their_own(tmp_path: Path) -> None:
    title = "A very long title of a video that somebody downloaded from the web, kept as it was, "
    ask, names = evaluation(tmp_path), []
    for name in (f"{title}1", f"{title}2", f"{title}1", f"{title}1", 90 * "x", 90 * "x"):
        names.append(ask._unused(name))
        ask.results.scores[names[-1]] = {}
    assert names[0] == f"{title}1" and names[1] == f"{title}2"
    assert names[2:4] == [f"{title}1-2", f"{title}1-3"] and names[5] == 90 * "x" + "-2"


def test_the_report_takes_names_that_are_no_utf_8(tmp_path: Path) -> None:
    scores = Scores()
    scores.add(0, {"ssim": 0.5})
    results = Results({}, [], {"caf\udce9": {"ours": scores}})
    write_report(results, {}, tmp_path / "report.html")
    results.write(tmp_path / "metrics.json")
    assert r"caf\udce9" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "caf\udce9" in json.loads((tmp_path / "metrics.json").read_text())["clips"]


def test_no_system_is_called_as_the_real_frames(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'real' is what the real frames are called"):
        measure_files(evaluation(tmp_path), tmp_path / "a.mp4", {"real": tmp_path / "real.mp4"})


def test_a_study_is_of_videos_and_says_its_own_option(tmp_path: Path) -> None:
    for name in ("p.jpg", "v.mp4"):
        (tmp_path / name).write_bytes(b"x")
    photo, video, out = tmp_path / "p.jpg", tmp_path / "v.mp4", tmp_path / "study"
    for given in ((f"A={photo}", f"B={video}"), (f"A={video}", f"B={photo}")):
        with pytest.raises(UsageError, match=r"p\.jpg: browsers play \.mp4, \.webm"):
            write_study(given, out)
    with pytest.raises(UsageError, match=r"--study A=.*twice"):
        write_study((f"A={photo}", f"A={video}"), out)
    assert not out.exists()


def test_colours_of_nobody_are_wrong_and_of_no_label_are_no_number() -> None:
    rgb, labels = shown(0).rgb, np.full((200, 200), 5, np.uint8)
    empty, other = np.zeros_like(labels), np.full_like(labels, 7)
    assert colours(rgb, labels, rgb, labels) == 0
    assert colours(rgb, labels, rgb, empty) == colours(rgb, labels, rgb, other) == APART
    assert np.isnan(colours(rgb, empty, rgb, labels))


@pytest.mark.parametrize("share", ["nan", "inf"])
def test_a_tolerance_is_a_number(run: Run, share: str) -> None:
    ran = run("evaluate", "--self", "none.mp4", "-o", "none", "--tolerance", share)
    assert ran.code == 2 and "is not a finite number" in ran.err


def test_a_seed_is_not_below_nought(run: Run, tmp_path: Path) -> None:
    ran = run("evaluate", "--cross", "synth", "--assets", tmp_path, "-o", "none", "--seed", "-1")
    assert ran.code == 2 and "'--seed': -1 is not in the range" in ran.err


def test_what_is_checked_against_may_be_written_anew(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(value: float) -> Results:
        scores = Scores()
        scores.add(0, {"ssim": value})
        return Results({}, [], {"clip": {"ours": scores}})

    def answer(ask: asking.Ask, _: Progress) -> Results:
        results = measured(0.5)
        results.write(stored)
        return results

    stored = tmp_path / "metrics.json"
    measured(0.9).write(stored)
    monkeypatch.setattr(asking, "answer", answer)
    ran = run("evaluate", "--self", tmp_path / "far" / "v.mp4", "-o", tmp_path, "--check", stored)
    assert ran.code == 1 and "ssim" in ran.err and "was 0.9, is 0.5" in ran.err


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file size")
def test_without_room_an_earlier_study_stays(demo_video: Path, tmp_path: Path) -> None:
    for name in ("study.html", "study.json"):
        (tmp_path / name).write_text("of before")
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))\n"
        "from dancecli.cli.main import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "evaluate", "--study", f"A={demo_video}", "--study",
         f"B={demo_video}", "-o", str(tmp_path)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 1 and "no room to write" in ran.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "study.html": "of before", "study.json": "of before"
    }  # fmt: skip


def test_results_that_find_no_room_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str, *_: object, **__: object) -> None:
        path.write_bytes(text.encode()[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    results = Results({}, [])
    with pytest.raises(MediaError, match="no room"):
        results.write(tmp_path / "metrics.json")
    with pytest.raises(MediaError, match="no room"):
        write_report(results, {}, tmp_path / "report.html")
    assert not list(tmp_path.iterdir())
