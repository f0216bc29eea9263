"""Whom the protocols compare, and whether a body is known again."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dancecli.cli.evaluate import command
from dancecli.errors import NoPersonError, PluginError, UsageError
from dancecli.evaluate import asking, reenactment
from dancecli.evaluate.asking import Ask
from dancecli.evaluate.reenactment import (
    BASELINE,
    Protocol,
    SelfClip,
    System,
    blurred,
    chosen_target,
    contenders,
    job_of,
)
from dancecli.evaluate.shapes import colours, limb_lengths, limb_widths
from dancecli.evaluate.sources import Folder, Together, parse_named
from dancecli.figures import made_target
from dancecli.media import VideoStream, write_png
from dancecli.media.encoding import Encoder
from dancecli.media.formats import format_of
from dancecli.motion import State, Track
from dancecli.progress import Progress
from dancecli.types import JOINT, Canvas, Layer
from dancecli.workdir import WorkDir

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "docs" / "media" / "dance.mp4"
PACK = Path(os.environ.get("DANCE_TEST_ASSETS", ROOT.parent / "shared" / "assets" / "humans"))


def test_the_baseline_is_always_there_with_and_without_retargeting() -> None:
    found = contenders(("freestyle@runs/b", "posewarp"), "elsewhere")
    assert [each.name for each in found] == [
        "posewarp", "posewarp retargeted", "freestyle@runs/b", "freestyle@runs/b retargeted"
    ]  # fmt: skip
    assert [each.weights for each in found] == [None, None, "runs/b", "runs/b"]
    assert [each.retarget for each in found] == [False, True, False, True]
    assert contenders(("freestyle",), "dir")[2].weights == "dir"


def test_the_control_keeps_what_is_covered_and_loses_detail() -> None:
    z, m = np.zeros((64, 64, 3), np.float32), np.zeros((64, 64), np.float32)
    m[16:48, 16:48] = 1
    z[16:48, 16:48:2] = 1
    soft = blurred(Layer(z, m, Canvas(64, 64)), 1.0)
    assert soft.m.sum() == pytest.approx(m.sum(), rel=1e-3)
    middle = soft.z[28:36, 28:36]
    assert middle.min() > 0.4 and middle.max() < 0.6
    assert soft.z.min() >= 0 and soft.z.max() <= 1


def test_the_same_body_differs_by_nothing() -> None:
    target = made_target(320, 512)
    mask = target.mask.alpha >= 0.5
    assert limb_lengths(target.skeleton, target.skeleton) == 0
    assert limb_widths(target.skeleton, mask, target.skeleton, mask) == 0
    rgb, labels = target.frame.rgb, target.labels.labels
    assert colours(rgb, labels, rgb, labels) == 0


def test_other_proportions_and_colours_are_seen() -> None:
    target = made_target(320, 512)
    skeleton, mask = target.skeleton, target.mask.alpha >= 0.5
    body = skeleton.body.copy()
    hip, knee = JOINT["left_hip"], JOINT["left_knee"]
    body[knee, :2] = body[hip, :2] + 0.5 * (body[knee, :2] - body[hip, :2])
    short = replace(skeleton, body=body)
    assert limb_lengths(skeleton, short) > 0.005
    thick = np.zeros_like(mask)
    for step in range(-3, 4):
        thick |= np.roll(mask, step, 1) | np.roll(mask, step, 0)
    assert limb_widths(skeleton, mask, skeleton, thick) > 0.005
    rgb, labels = target.frame.rgb, target.labels.labels
    assert colours(rgb, labels, 255 - rgb, labels) > 10


def test_nobody_counts_as_all_wrong() -> None:
    skeleton = made_target(320, 512).skeleton
    assert limb_lengths(skeleton, None) > 0.05


def track_of(joints: list[int | None]) -> Track:
    """Frames in which so many joints are seen; None: nobody, and the track is held."""
    skeleton = made_target(160, 256).skeleton
    skeletons = []
    for count in joints:
        body = skeleton.body.copy()
        body[count or 0 :, 2] = 0
        skeletons.append(replace(skeleton, body=body))
    state = np.array([State.HELD if n is None else State.SEEN for n in joints], np.uint8)
    camera = np.tile(np.eye(2, 3), (len(joints), 1, 1))
    return Track(tuple(skeletons), state, (), camera, (160, 256), Fraction(5))


@pytest.mark.parametrize(
    ("joints", "target"),
    [
        ([20, 25, 25], (1, True)),
        ([20, 22, 25], (1, False)),
        ([20, 18, 25, None], (0, False)),
        ([None, 12, 3], (1, False)),
    ],
)
def test_the_target_is_the_fullest_frame_that_has_a_later_one(
    joints: list[int | None], target: tuple[int, bool]
) -> None:
    assert chosen_target(track_of(joints)) == target


def folder(path: Path, count: int, size: tuple[int, int] = (40, 60)) -> Path:
    path.mkdir()
    for index in range(count):
        write_png(path / f"f{index}.png", np.full((*size, 3), index, np.uint8))
    return path


def test_pictures_are_walked_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    found = [frame.rgb[0, 0, 0] for frame in Folder(folder(tmp_path / "a", 12)).frames()]
    assert found == list(range(12))


def test_sources_are_brought_to_the_smallest_size(tmp_path: Path) -> None:
    real, fake = Folder(folder(tmp_path / "a", 3)), Folder(folder(tmp_path / "b", 3, (20, 30)))
    together = Together(real, {"b": fake})
    assert (together.width, together.height) == (30, 20)
    assert all(
        frame.rgb.shape == other["b"].rgb.shape == (20, 30, 3) for frame, other in together.frames()
    )
    assert together.scaled == [str(tmp_path / "a")]


def test_a_source_that_is_as_wide_and_not_as_high_is_said(tmp_path: Path) -> None:
    real = Folder(folder(tmp_path / "a", 3, (100, 60)))
    fake = Folder(folder(tmp_path / "b", 3, (99, 60)))
    assert Together(real, {"b": fake}).scaled == [str(tmp_path / "a")]


@pytest.mark.parametrize(("count", "size"), [(6, (40, 60)), (3, (60, 40))])
def test_sources_that_do_not_fit_are_refused(
    tmp_path: Path, count: int, size: tuple[int, int]
) -> None:
    real, fake = Folder(folder(tmp_path / "a", 3)), Folder(folder(tmp_path / "b", count, size))
    with pytest.raises(UsageError, match="b"):
        Together(real, {"b": fake})


def test_names_of_systems() -> None:
    assert parse_named(("ours=a/b.mp4", "c/d.mp4")) == {
        "ours": Path("a/b.mp4"),
        "d": Path("c/d.mp4"),
    }
    with pytest.raises(UsageError, match="twice"):
        parse_named(("x=a", "x=b"))


def asked(**changes: Any) -> Ask:
    values: dict[str, Any] = {
        "real": None, "fakes": (), "clips": (Path("a.mp4"),), "cross": None, "ablations": None,
        "backends": (), "weights": None, "out": Path("o"), "frames": 2, "pairs": 1, "assets": None,
        "seed": 0, "paper": False, "check": None, "tolerance": 0.0, "study": (), "tally": None,
        "answers": (), "pose": "mediapipe", "mask": "mediapipe", "parser": "builtin",
        "dense": "template", "inpaint": "opencv", "device": "cpu", "work_dir": None,
    }  # fmt: skip
    return Ask(**{**values, **changes})


def test_ablations_are_the_rows_of_table_2_whose_weights_are_there(tmp_path: Path) -> None:
    (tmp_path / "b2f-no-mask").mkdir()
    (tmp_path / "something-else").mkdir()
    names = [each.name for each in asked(ablations=tmp_path).protocol().contenders]
    assert names == ["posewarp", "posewarp retargeted", "b2f-no-mask"]
    with pytest.raises(UsageError, match="p2b-no-dp"):
        asked(ablations=tmp_path / "something-else").protocol()


def test_folders_that_are_no_row_of_table_2_are_said_to_be_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b2f-no-mask", "no-fr", "old runs"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").touch()
    monkeypatch.setattr(asking, "measure_clips", lambda *_: None)
    monkeypatch.setattr(asking.Evaluation, "finish", lambda evaluation: evaluation.results)
    said = io.StringIO()
    asking.answer(asked(ablations=tmp_path, out=tmp_path / "out"), Progress("lines", said))
    assert "passed over no-fr, old runs; the rows of Table 2 are p2b-no-squeeze" in said.getvalue()


def test_the_row_without_accurate_dense_maps_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in ("p2b-no-accurate-dp", "p2b-no-squeeze"):
        (tmp_path / row).mkdir()
    protocol = asked(ablations=tmp_path).protocol()
    monkeypatch.setattr(reenactment, "set_scene", lambda *_: None)
    clip: Any = SimpleNamespace(
        job=job_of(tmp_path / "photo.png", DEMO, protocol), target=made_target(), video=None,
        track=None, plate=None,
    )  # fmt: skip
    rows = [
        replace(each, backend=BASELINE, weights=None)
        for each in protocol.contenders
        if each.weights is not None
    ]
    used = {row.name: System(row, clip).stages.infos["dance.dense"].name for row in rows}
    assert used == {"p2b-no-accurate-dp": "densepose-legacy", "p2b-no-squeeze": "template"}


def measured(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    out, work = str(tmp_path / "report"), str(tmp_path / "work")
    result = CliRunner().invoke(
        command, [*arguments, "-o", out, "--work-dir", work, "-q", "--json"]
    )
    assert result.exception is None, result.exception
    summary: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])["summary"]
    return summary


def well_measured(summary: dict[str, Any], *others: str) -> None:
    """Whether a summary has its systems, and tells good from still and from blurred."""
    always = ["still", BASELINE, f"{BASELINE} blurred", f"{BASELINE} retargeted"]
    assert list(summary) == [*always, *others]
    warp, blur = summary[BASELINE], summary[f"{BASELINE} blurred"]
    assert warp["ssbs"] > 0.85 and warp["pck_10"] > 0.9
    assert blur["sharpness"] < 0.9 * warp["sharpness"]
    assert summary["still"]["flicker"] == 0


@pytest.mark.slow
def test_self_reenactment_of_the_demo(tmp_path: Path) -> None:
    summary = measured(tmp_path, "--self", str(DEMO), "--frames", "3")
    well_measured(summary, "freestyle", "freestyle retargeted")


def test_self_reenactment_of_the_demos_first_frames(tmp_path: Path) -> None:
    """The baseline alone, with the parser that takes least."""
    clip = made_clip(tmp_path / "clip.mp4", (NOTHING,) * 4)
    plugins = ("--backend", BASELINE, "--parser", "heuristic")
    well_measured(measured(tmp_path, "--self", str(clip), "--frames", "2", *plugins))


def made_clip(path: Path, hidden: Sequence[slice | None]) -> Path:
    """The demo's first frames; the rows that are hidden in each are black, in None all are."""
    video = VideoStream(DEMO, max_side=480)
    size = (video.width, video.height)
    with Encoder(path, format_of(path), video.fps, size, False) as encoder:
        for frame, rows in zip(video.frames(0, len(hidden)), hidden, strict=True):
            rgb = frame.rgb.copy()
            rgb[rows if rows is not None else slice(None)] = 0
            encoder.write(rgb)
    return path


def reenacted(tmp_path: Path, clip: Path) -> SelfClip:
    protocol = Protocol((), plugins={"dance.parser": "heuristic"}, device="cpu")
    return SelfClip(clip, protocol, WorkDir(tmp_path / "work"), tmp_path, Progress("quiet"))


NOTHING, LEGS = slice(0, 0), slice(285, None)


def test_a_person_whom_the_last_frame_shows_best_is_compared_there(tmp_path: Path) -> None:
    clip = reenacted(tmp_path, made_clip(tmp_path / "clip.mp4", (LEGS, LEGS, NOTHING)))
    assert 2 in clip.span
    assert not clip.simple


def test_a_person_who_is_seen_once_cannot_be_compared(tmp_path: Path) -> None:
    path = made_clip(tmp_path / "clip.mp4", (None, None, NOTHING))
    with pytest.raises(NoPersonError, match=r"clip\.mp4.*one frame only"):
        reenacted(tmp_path, path)


def test_a_clip_of_one_frame_is_refused_before_any_is_measured(tmp_path: Path) -> None:
    path = made_clip(tmp_path / "one.mp4", (NOTHING,))
    first = made_clip(tmp_path / "first.mp4", (NOTHING,) * 3)
    work = tmp_path / "work"
    asked = ["--self", str(first), "--self", str(path), "-o", str(tmp_path / "report")]
    result = CliRunner().invoke(command, [*asked, "--work-dir", str(work), "-q"])
    assert isinstance(result.exception, UsageError)
    assert "one.mp4 has a single frame" in str(result.exception)
    assert not list(work.rglob("*.jsonl"))


def test_a_row_whose_dense_maps_cannot_be_made_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "detectron2", None)
    (tmp_path / "rows").mkdir()
    row = tmp_path / "rows" / "p2b-no-accurate-dp"
    row.symlink_to(ROOT / "backends" / "dance_freestyle" / "bundle" / "compact")
    clip, work = made_clip(tmp_path / "clip.mp4", (NOTHING,) * 3), tmp_path / "work"
    asked = ["--self", str(clip), "--ablations", str(row.parent), "-o", str(tmp_path / "report")]
    result = CliRunner().invoke(command, [*asked, "--work-dir", str(work), "-q"])
    assert isinstance(result.exception, PluginError), result.exception
    says = str(result.exception)
    assert says.startswith("p2b-no-accurate-dp: ") and "detectron2" in says
    assert not list(work.rglob("*.jsonl"))


@pytest.mark.slow
def test_a_dance_on_another_body(tmp_path: Path) -> None:
    if not (PACK / "body.npz").is_file():
        pytest.skip("needs the human asset pack (DANCE_TEST_ASSETS)")
    summary = measured(
        tmp_path, "--cross", "synth", "--pairs", "1", "--frames", "3", "--assets", str(PACK)
    )
    assert summary[BASELINE]["colours"] < summary["driver"]["colours"]
    assert summary[BASELINE]["l1_union"] < summary["driver"]["l1_union"]
