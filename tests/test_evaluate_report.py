"""What `dance evaluate` writes, checks and refuses."""

from __future__ import annotations

import html
import json
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from dancecli.cli.evaluate import WorseError, command
from dancecli.errors import DanceError, UsageError
from dancecli.evaluate import asking
from dancecli.evaluate.compare import Scores
from dancecli.evaluate.paper import TABLE_2, beside
from dancecli.evaluate.report import as_text, table, write_report
from dancecli.evaluate.results import Results, read_summary, worse
from dancecli.evaluate.study import tally, write_study

DEMO = Path(__file__).parent.parent / "docs" / "media" / "dance.mp4"


def made_results() -> Results:
    results = Results({"name": "A <test>"}, [])
    for clip, shift in (("one", 0.0), ("two", 0.1)):
        for system, good in (("ours", 0.9), ("theirs", 0.8)):
            scores = Scores()
            for frame in range(3):
                value = math.nan if frame == 2 else good - shift
                scores.add(frame, {"ssbs": value, "sharpness": 1.5 - good})
            results.scores.setdefault(clip, {})[system] = scores
    results.missing = {"fid": "no <weights>"}
    return results


def test_the_summary_is_the_mean_of_clips() -> None:
    summary = made_results().summary()
    assert summary["ours"]["ssbs"] == pytest.approx(0.85)
    assert summary["theirs"]["ssbs"] == pytest.approx(0.75)
    assert summary["ours"]["fid"] is None


def test_metrics_json_can_be_read_again(tmp_path: Path) -> None:
    results = made_results()
    results.write(tmp_path / "metrics.json")
    assert read_summary(tmp_path / "metrics.json") == results.summary()
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["metrics"]["ssbs"]["better"] == "higher"
    assert content["clips"]["one"]["systems"]["ours"]["values"]["ssbs"] == [0.9, 0.9, None]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"schema": 1, "summary": {"a": {"fid": 3}}}', '{"schema": 2, "summary": {"a": 3}}'],
)
def test_files_that_are_no_results_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UsageError, match=r"m\.json"):
        read_summary(tmp_path / "m.json")


def test_check_knows_which_way_is_worse() -> None:
    stored = {"ours": {"ssbs": 0.80, "flicker": 0.010, "sharpness": 0.9}}
    better = {"ours": {"ssbs": 0.90, "flicker": 0.005, "sharpness": 1.0}}
    assert worse(stored, better, 0.0) == []
    lines = worse(stored, {"ours": {"ssbs": 0.70, "flicker": 0.02, "sharpness": 1.4}}, 0.02)
    assert [line.split()[1] for line in lines] == ["ssbs", "flicker", "sharpness"]
    assert worse(stored, {"ours": {"ssbs": 0.79, "flicker": 0.0101, "sharpness": 0.89}}, 0.02) == []
    assert "not measured any more" in worse(stored, {"ours": {"ssbs": 0.8}}, 0.02)[0]
    with pytest.raises(UsageError):
        worse(stored, {"others": {}}, 0.02)


def test_check_misses_a_system_that_is_not_measured_any_more() -> None:
    stored = {"posewarp": {"ssbs": 0.8}, "freestyle@runs/a": {"ssbs": 0.95}}
    (line,) = worse(stored, {"posewarp": {"ssbs": 0.8}, "freestyle@runs/b": {"ssbs": 0.1}}, 0.02)
    assert line.startswith("freestyle@runs/a: not measured any more")
    assert worse({"posewarp": {"ssbs": 0.8}}, stored, 0.02) == []


def test_fid_is_of_all_frames_of_a_tables_videos(tmp_path: Path) -> None:
    results = made_results()
    results.groups = {"simple": ["one"], "challenging": ["two"]}
    results.fid = {None: {"ours": 9.0}, "simple": {"ours": 7.5}, "challenging": {}}
    results.write(tmp_path / "metrics.json")
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["summary"]["ours"]["fid"] == 9
    groups = {name: each["summary"]["ours"]["fid"] for name, each in content["groups"].items()}
    assert groups == {"simple": 7.5, "challenging": None}
    assert "9.0000" in table(results) and "7.5000" in table(results, "simple")


def test_terminal_and_paper_tables_name_every_system() -> None:
    results = made_results()
    assert "0.8500" in as_text(results)
    text = beside(results)
    assert all(name in text for name in (*TABLE_2, "ours", "theirs", "SPT"))


def page_text(page: Path) -> str:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine to open the page with")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000",
         f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path: Path) -> None:
    write_report(made_results(), {}, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "http:" not in text and "https:" not in text and 'src="/' not in text
    assert "A &lt;test&gt;" in text and "no &lt;weights&gt;" in text
    assert '<td class="best">0.8500</td>' in text
    assert "<polyline" in text


def test_the_report_opens_in_a_browser(tmp_path: Path) -> None:
    write_report(made_results(), {}, tmp_path / "report.html")
    assert "Not measured" in page_text(tmp_path / "report.html")


def made_videos(folder: Path, value: int, name: str = "clip.mp4") -> Path:
    from fractions import Fraction

    from dancecli.media.encoding import Encoder
    from dancecli.media.formats import format_of

    folder.mkdir(exist_ok=True)
    out = folder / name
    with Encoder(out, format_of(out), Fraction(5), (32, 32), False) as encoder:
        for _ in range(3):
            encoder.write(np.full((32, 32, 3), value, np.uint8))
    return folder


def test_a_study_is_blind_and_its_answers_are_counted(tmp_path: Path) -> None:
    ours, theirs = made_videos(tmp_path / "ours", 60), made_videos(tmp_path / "theirs", 200)
    page = write_study((f"ours={ours}", f"theirs={theirs}"), tmp_path / "study")
    text = page.read_text()
    assert "ours" not in text and "theirs" not in text
    assert "1 of 1" in page_text(page)
    study = page.with_name("study.json")
    identity = json.loads(study.read_text())["id"]
    for viewer, choice in enumerate((0, 0, 1)):
        answers = {"study": identity, "answers": [{"pair": "clip", "choice": choice}]}
        (tmp_path / f"{viewer}.json").write_text(json.dumps(answers))
    counted = tally([tmp_path / f"{viewer}.json" for viewer in range(3)], study)
    assert counted["preferred"]["ours"] == {"times": 2, "share": 0.6667}
    assert counted["pairs"] == {"clip": {"ours": 2, "theirs": 1}}


def test_the_page_numbers_its_viewers(tmp_path: Path) -> None:
    """As a browser runs it: every opening is another viewer."""
    ours, theirs = made_videos(tmp_path / "ours", 60), made_videos(tmp_path / "theirs", 200)
    page = write_study((f"ours={ours}", f"theirs={theirs}"), tmp_path / "study")
    # The first button is pressed as soon as the page stands.
    text = page.read_text().replace(
        "ask();\n</script>", 'ask();\ndocument.querySelector("button").click();\n</script>'
    )
    page.write_text(text)
    numbers = []
    for _ in range(2):
        shown = html.unescape(page_text(page))
        answers = json.loads(re.search(r'data-answers="(\{.*?\})"', shown, re.S)[1])
        assert len(answers["answers"]) == 1
        numbers.append(answers["viewer"])
    assert len(set(numbers)) == 2 and all(len(number) == 32 for number in numbers)


def made_answers(path: Path, choice: int | None, viewer: str | None) -> Path:
    chosen = [] if choice is None else [{"pair": "clip", "choice": choice}]
    number = {} if viewer is None else {"viewer": viewer}
    path.write_text(json.dumps({"study": "x", **number, "answers": chosen}))
    return path


def test_a_viewer_counts_once(tmp_path: Path) -> None:
    study = tmp_path / "study.json"
    study.write_text(json.dumps({"id": "x", "systems": ["a", "b"], "pairs": ["clip"]}))
    one = made_answers(tmp_path / "one.json", 0, "1")
    two = made_answers(tmp_path / "two.json", 1, "2")
    earlier = [made_answers(tmp_path / f"{name}.json", 1, None) for name in "ef"]
    nobody = made_answers(tmp_path / "nobody.json", None, "3")
    counted = tally([one, two, *earlier, nobody], study)
    assert counted["viewers"] == 4 and counted["pairs"] == {"clip": {"a": 1, "b": 3}}
    assert tally([nobody], study)["viewers"] == 0
    copy = made_answers(tmp_path / "copy.json", 0, "1")
    (tmp_path / "link.json").symlink_to(earlier[0])
    for twice in ([one, two, one], [one, copy], [earlier[0], tmp_path / "link.json"]):
        with pytest.raises(UsageError, match="counts once"):
            tally(twice, study)


def test_videos_that_would_share_a_pair_are_refused(tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.webm", "other.mp4"):
        ours, theirs = (made_videos(tmp_path / each, 60, name) for each in ("ours", "theirs"))
    given = (f"ours={ours}", f"theirs={theirs}")
    with pytest.raises(UsageError, match=r"ours/clip\.mp4 and .*ours/clip\.webm"):
        write_study(given, tmp_path / "study")
    assert not (tmp_path / "study").exists()
    (ours / "clip.webm").unlink()
    page = write_study(given, tmp_path / "study")
    assert json.loads(page.with_name("study.json").read_text())["pairs"] == ["clip", "other"]


@pytest.mark.parametrize(
    "answers",
    [
        {"study": "other", "answers": []},
        {"study": "x", "answers": [{"pair": "clip", "choice": 2}]},
        {"study": "x", "answers": [{"pair": "none", "choice": 0}]},
        {"study": "x", "answers": [{"pair": "clip", "choice": 0}] * 2},
        {"study": "x"},
    ],
)
def test_answers_that_do_not_fit_are_refused(tmp_path: Path, answers: Any) -> None:
    (tmp_path / "study.json").write_text(
        json.dumps({"id": "x", "systems": ["a", "b"], "pairs": ["clip"]})
    )
    (tmp_path / "a.json").write_text(json.dumps(answers))
    with pytest.raises(UsageError, match=r"a\.json"):
        tally([tmp_path / "a.json"], tmp_path / "study.json")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "choose one of"),
        (("--real", "a.mp4"), "needed together"),
        (("--self", "a.mp4", "--cross", "synth"), "choose one of"),
        (("--self", "a.mp4"), "give -o"),
        (("--real", "a", "--fake", "b", "--ablations", "x", "-o", "o"), "--ablations goes with"),
        (("--self", "a.mp4", "-o", "o", "--check", "none.json"), "none.json"),
        (("--tally", "study.json"), "answer files"),
        (("--tally", "study.json", "a.json", "--check", "m.json"), "not with --tally"),
        (("--study", "A=a", "--study", "B=b", "-o", "o", "--check", "m.json"), "not with --study"),
    ],
)
def test_impossible_requests_are_refused_before_any_work(
    arguments: tuple[str, ...], said: str
) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, DanceError)
    assert said in str(result.exception)


def test_a_check_passes_what_is_as_good_and_fails_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command with results that somebody else measured."""
    found = made_results()
    monkeypatch.setattr(asking, "answer", lambda *_: found)
    stored = tmp_path / "stored.json"
    found.write(stored)
    asked = ("--real", "r", "--fake", "f", "-o", str(tmp_path), "-q", "--check", str(stored))
    assert run(*asked).exception is None
    for systems in found.scores.values():
        del systems["theirs"]
    alone = run(*asked)
    assert isinstance(alone.exception, WorseError) and alone.exception.exit_code == 1
    assert str(alone.exception) == (
        f"worse than {stored}: theirs: not measured any more (systems are matched by name)"
    )


def real_same_and_bad(tmp_path: Path) -> list[str]:
    """What asks about the demo clip beside itself and beside a shifted dark copy."""
    from dancecli.media import VideoStream

    for name in ("real", "same", "bad"):
        (tmp_path / name).mkdir()
    for frame in VideoStream(DEMO, max_side=480).frames(0, 4):
        bad = (np.roll(frame.rgb, 12, 1) * 0.7).astype(np.uint8)
        for name, rgb in (("real", frame.rgb), ("same", frame.rgb), ("bad", bad)):
            path = tmp_path / name / f"{frame.index}.png"
            cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    return [
        "--real", str(tmp_path / "real"), "--fake", f"same={tmp_path / 'same'}",
        "--fake", f"bad={tmp_path / 'bad'}", "-o", str(tmp_path / "report"), "-q", "--json",
        "--work-dir", str(tmp_path / "work"),
    ]  # fmt: skip


def test_the_real_clip_beside_itself_and_worse(tmp_path: Path) -> None:
    """Real perception on the demo clip: the clip itself is perfect, a shifted dark one is not."""
    result, out = run(*real_same_and_bad(tmp_path)), tmp_path / "report"
    assert result.exception is None, result.exception
    summary = json.loads(result.stdout.splitlines()[-1])["summary"]
    same, bad = summary["same"], summary["bad"]
    assert same["ssim"] == 1 and same["l1_union"] == 0 and same["flicker"] == 0
    assert same["ssbs"] == same["dpbs"] == same["pck_05"] == same["oks"] == 1
    for name in ("ssim", "psnr", "ssbs", "dpbs", "oks"):
        assert bad[name] < same[name]
    assert bad["l1_union"] > 0.05 and bad["head_l1"] > 0.05
    assert {"metrics.json", "report.html"} <= {path.name for path in out.iterdir()}
    assert worse(read_summary(out / "metrics.json"), summary, 0.0) == []


@pytest.mark.slow
def test_a_check_of_what_is_measured_again(tmp_path: Path) -> None:
    asked = real_same_and_bad(tmp_path)
    first = run(*asked)
    assert first.exception is None, first.exception
    stored = shutil.copy(tmp_path / "report" / "metrics.json", tmp_path / "stored.json")
    again = run(*asked, "--check", stored)
    assert again.exception is None, again.exception
    alone = run(*asked[:4], *asked[6:], "--check", stored)
    assert isinstance(alone.exception, WorseError)
    assert "bad: not measured any more" in str(alone.exception)
