"""`dance composite`: what it takes for a foreground, and what it says of where that came from."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Ran, Run
from media_samples import make_video
from PIL import Image

from dancecli import provenance
from dancecli.job import Job
from dancecli.media import PartWriter, VideoStream
from dancecli.stages import DEFAULTS
from dancecli.steps.stages import Stages

FRAMES = 3
OPEN = {"name": "compact", "licence": "MIT", "commercial": True, "sha256": {}}
FACES = [np.random.default_rng(n).uniform(0, 40, (70, 3)).tolist() for n in range(FRAMES)]


def written(path: Path, alpha: int | None, fps: Fraction = Fraction(10)) -> Path:
    """A red square on nothing, whose surroundings have this alpha; None: no alpha at all."""
    picture = np.full((48, 64, 4), (190, 60, 40, alpha or 0), np.uint8)
    picture[10:30, 20:40, 3] = 255
    shown = picture if alpha is not None else np.ascontiguousarray(picture[..., :3])
    parts = path.with_name(f"{path.name} parts")
    with PartWriter(path, fps, (64, 48), FRAMES, alpha is not None, parts) as writer:
        for k in range(FRAMES):
            writer.write(shown, k)
        writer.finish(None, {})
    return path


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A foreground without a sidecar, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return written(Path("fg.mov"), 0)


def beside(
    foreground: Path, weights: Any = OPEN, without: tuple[str, ...] = (), **plugins: str
) -> dict[str, Any]:
    """The sidecar that `dance reenact` writes with these plugins and weights; returns it."""
    names = {**DEFAULTS, **{f"dance.{group}": name for group, name in plugins.items()}}
    stages = Stages(Job(foreground, foreground, foreground, names))
    told = [p for p in stages.describe() if p["group"] not in without]
    path = provenance.write_sidecar(
        foreground, inputs={}, options={}, plugins=told, seed=7, weights=weights, landmarks=FACES
    )
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def composite(run: Run, foreground: Path, *more: object) -> Ran:
    return run("composite", foreground, "--background", "#00ff00", "-o", "out.mp4", *more)


def refused(ran: Ran, *words: str) -> None:
    """One line of error with these words, and nothing written."""
    lines = [line for line in ran.err.splitlines() if "error:" in line]
    assert ran.code == 1 and len(lines) == 1, ran.err
    assert all(word in lines[0] for word in words), lines[0]
    assert not Path("out.mp4").exists() and not Path("out.mp4.json").exists()


def test_the_sidecar_says_what_made_the_foreground(run: Run, saved: Path) -> None:
    first = beside(saved, pose="openpose")
    assert composite(run, saved).code == 0
    told = json.loads(Path("out.mp4.json").read_text())
    for key in ("plugins", "licences", "weights", "seed"):
        assert told[key] == first[key], key
    assert any("academic" in licence.lower() for licence in told["licences"])
    assert told["seed"] == 7 and "photo" not in told["inputs"] and "refined" not in told


def test_licences_that_no_plugin_has_are_carried_too(run: Run, saved: Path) -> None:
    told = beside(saved)
    told["licences"].append("of the weights alone")
    Path("fg.mov.json").write_text(json.dumps(told))
    assert composite(run, saved).code == 0
    assert "of the weights alone" in json.loads(Path("out.mp4.json").read_text())["licences"]


@pytest.mark.parametrize(
    ("plugins", "weights", "says"),
    [
        ({"pose": "openpose"}, OPEN, "dance.pose 'openpose'"),
        ({"pose": "rtmpose"}, OPEN, "unclear"),
        ({}, {**OPEN, "commercial": False, "licence": "for research"}, "for research"),
        ({}, {**OPEN, "commercial": None}, "unclear"),
        ({}, None, "dance.backend 'freestyle'"),
        ({"backend": "posewarp"}, "somebody's", "the weights 'somebody's'"),
    ],
)
def test_a_foreground_whose_terms_forbid_it_is_refused_for_commercial_use(
    run: Run, saved: Path, plugins: dict[str, str], weights: Any, says: str
) -> None:
    beside(saved, weights, **plugins)
    refused(composite(run, saved, "--licence", "commercial"), "--licence commercial refuses", says)
    assert composite(run, saved).code == 0


@pytest.mark.parametrize(("backend", "weights"), [("freestyle", OPEN), ("posewarp", None)])
def test_a_foreground_whose_terms_allow_it_is_taken_for_commercial_use(
    run: Run, saved: Path, backend: str, weights: Any
) -> None:
    beside(saved, weights, backend=backend)
    ran = composite(run, saved, "--licence", "commercial")
    assert ran.code == 0, ran.err


def test_of_a_foreground_without_sidecar_nothing_is_known(
    run: Run, saved: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused(composite(run, saved, "--licence", "commercial"), "nothing is known", "fg.mov.json")
    assert composite(run, saved).code == 0
    assert "fg.mov has no sidecar: nothing is known" in caplog.text
    told = json.loads(Path("out.mp4.json").read_text())
    assert told["plugins"] == told["licences"] == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"plugins": []}, {"plugins": [1]}, {"plugins": None}, {"seed": None}, {"licences": 5},
        {"seed": float("inf")},
        {"landmarks": [[1]]},
        {"plugins": [{"group": "dance.backend", "name": "x", "commercial": "very"}]},
        {"plugins": [{"group": "dance.backend", "name": "x", "licence": ["MIT"]}]},
    ],
)  # fmt: skip
def test_a_damaged_sidecar_is_told(run: Run, saved: Path, spoilt: dict[str, Any]) -> None:
    told = beside(saved)
    Path("fg.mov.json").write_text(json.dumps({**told, **spoilt}))
    refused(composite(run, saved), "fg.mov.json is not the sidecar of a saved foreground")


def test_what_a_sidecar_says_of_itself_stays_on_one_line(run: Run, saved: Path) -> None:
    beside(saved, {**OPEN, "commercial": False, "licence": "none\n\x1b[31m" + 9000 * "x"})
    ran = composite(run, saved, "--licence", "commercial")
    refused(ran, "the weights 'compact'")
    assert "\x1b" not in ran.err and len(ran.err) < 1000


def test_the_one_who_refines_the_face_is_in_the_sidecar(
    run: Run, saved: Path, demo_photo: Path
) -> None:
    first = beside(saved, None, without=("dance.parser",), backend="posewarp")
    ran = composite(run, saved, "--photo", demo_photo, "--backend", "freestyle",
                    "--licence", "commercial")  # fmt: skip
    assert ran.code == 0, ran.err
    told = json.loads(Path("out.mp4.json").read_text())
    assert told["inputs"]["photo"]["file"] == demo_photo.name
    added = [p for p in told["plugins"] if p not in first["plugins"]]
    assert told["plugins"][: len(first["plugins"])] == first["plugins"]
    assert {(p["group"], p["name"]) for p in added} == {
        ("dance.backend", "freestyle"), ("dance.parser", "builtin")
    }  # fmt: skip
    assert {p["licence"] for p in added} <= set(told["licences"])
    assert told["refined"]["backend"] == "freestyle" and told["refined"]["weights"]["sha256"]["fr"]
    assert told["weights"] is None


def test_a_photo_is_not_named_where_no_face_is_refined(
    run: Run, saved: Path, demo_photo: Path
) -> None:
    beside(saved, None, backend="posewarp")
    assert composite(run, saved, "--photo", demo_photo).code == 0
    told = json.loads(Path("out.mp4.json").read_text())
    assert "photo" not in told["inputs"] and "refined" not in told


@pytest.mark.parametrize("name", ["fg.mov", "fg.webm", "fg.gif"])
def test_a_foreground_with_alpha_is_put_on_the_background(run: Run, saved: Path, name: str) -> None:
    foreground = written(Path(name).with_stem("alpha"), 0)
    ran = composite(run, foreground)
    assert ran.code == 0, ran.err
    rgb = next(VideoStream(Path("out.mp4")).frames()).rgb.astype(int)
    assert np.abs(rgb[:6] - [0, 255, 0]).mean() < 20
    assert np.abs(rgb[15:25, 25:35] - [190, 60, 40]).mean() < 20


@pytest.mark.parametrize("name", ["x.mp4", "x.mov", "x.webm", "x.gif"])
def test_a_video_without_alpha_is_refused(run: Run, saved: Path, name: str) -> None:
    refused(composite(run, written(Path(name), None)), f"{name} has no transparency", "foreground")


@pytest.mark.parametrize("name", ["x.mov", "x.webm"])
def test_alpha_that_hides_all_is_refused(run: Run, saved: Path, name: str) -> None:
    refused(composite(run, written(Path(name), 255)), "has no transparency")


@pytest.mark.parametrize("name", ["x.mkv", "x.avi"])
def test_ordinary_videos_are_refused(run: Run, saved: Path, name: str) -> None:
    refused(composite(run, make_video(Path(name), 3)), "has no transparency")


def test_a_folder_of_pictures_is_refused_with_what_is_taken(run: Run, saved: Path) -> None:
    Path("frames").mkdir()
    Image.new("RGBA", (64, 48)).save("frames/000000.png")
    refused(composite(run, Path("frames")), "frames is a folder", ".mov, .webm")
    assert ".mov, .webm" in run("composite", "--help").out


def test_a_gif_that_left_frames_out_is_told_from_one_that_was_changed(
    run: Run, saved: Path, demo_photo: Path
) -> None:
    foreground = written(Path("fg.gif"), 0, Fraction(60))
    beside(foreground)
    ran = composite(run, foreground, "--photo", demo_photo)
    refused(ran, "more than the 50 a second that a GIF holds (save a .mov); leave out --photo")


def test_the_person_s_photo_is_not_written_over(run: Run, saved: Path) -> None:
    beside(saved)
    Image.new("RGB", (8, 8)).save("photo.gif")
    was = Path("photo.gif").read_bytes()
    ran = run("composite", saved, "--background", "white", "--photo", "photo.gif", "-o",
              "photo.gif", "--force")  # fmt: skip
    assert ran.code == 1 and "photo.gif is an input: writing it would destroy it" in ran.err
    assert Path("photo.gif").read_bytes() == was


def test_a_composition_that_goes_on_counts_what_was_done(
    run: Run, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PartWriter, "finish", interrupted)
        assert composite(run, saved, "--work-dir", "work").code == 130
    ran = composite(run, saved, "--work-dir", "work", "--json")
    assert ran.code == 0, ran.err
    told = [json.loads(line) for line in ran.err.splitlines()]
    (last,) = (event for event in told if event["event"] == "progress")
    assert (last["done"], last["total"]) == (FRAMES, FRAMES)


def test_a_sidecar_takes_no_other_file_s_place_unasked(run: Run, saved: Path) -> None:
    Path("out.mp4.json").write_text("mine")
    ran = composite(run, saved)
    assert ran.code == 1 and "out.mp4.json exists, and the sidecar would replace it" in ran.err
    assert Path("out.mp4.json").read_text() == "mine" and not Path("out.mp4").exists()
    assert composite(run, saved, "--force").code == 0
