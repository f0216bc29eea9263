"""DensePose: charts into the frame, the right person, and a run with what stands in for detectron2.

detectron2 is not needed here. What it returns (int64 labels and float32 U, V in whole pixels of a
box) is made; docs/plugins-verified-dense.md tells how the real one was looked at.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from dance_builtin.template import TemplateDense
from dance_densepose import dense, models
from dance_densepose.charts import Charts, Detections, charts_of, in_frame
from dance_densepose.dense import DensePose
from dance_densepose.network import load_weights
from dance_freestyle.b2f import B2F
from dance_freestyle.backend import FreestyleBackend
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B
from dance_mediapipe.pose import MediaPipePose
from freestyle_tiny import TINY
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dancecli import registry, testing
from dancecli.cli.main import main
from dancecli.cli.plugins import command as plugins_command
from dancecli.errors import PluginError, WeightsError
from dancecli.figures import made_target, standing_skeleton
from dancecli.media import read_photo
from dancecli.stages import Settings
from dancecli.types import Box, Frame, Motion, Skeleton

torch.set_num_threads(1)


def charts(left: int = 0, top: int = 0, width: int = 5, height: int = 4, part: int = 7) -> Charts:
    """A box whose left column is background; U and V as a regression gives them."""
    labels = np.full((height, width), part, np.int64)
    labels[:, 0] = 0
    uv = np.stack([np.full((height, width), 1.25), np.full((height, width), 0.5)])
    return Charts(left, top, labels, uv.astype(np.float32))


@given(st.integers(-9, 14), st.integers(-9, 14))
def test_charts_lie_where_their_box_lies_and_end_with_the_frame(left: int, top: int) -> None:
    made = charts(left, top)
    iuv = in_frame(made, 12, 10).iuv
    assert iuv.shape == (10, 12, 3) and iuv.dtype == np.float32
    expected = np.zeros((10, 12, 3), np.float32)
    for row, column in np.ndindex(4, 5):
        y, x = top + row, left + column
        if column and 0 <= y < 10 and 0 <= x < 12:
            expected[y, x] = 7, 1, 0.5
    assert np.array_equal(iuv, expected)


def found(*those: Charts) -> Detections:
    boxes = tuple(
        Box(c.left, c.top, c.left + c.labels.shape[1], c.top + c.labels.shape[0]) for c in those
    )
    return Detections(boxes, those.__getitem__)


def test_of_several_people_the_one_in_the_box_is_taken() -> None:
    one, two = charts(0, 0, 60, 200), charts(100, 0, 60, 200)
    skeleton = standing_skeleton(60, 200)
    assert charts_of(found(one, two), Box(5, 5, 55, 195), skeleton) is one
    assert charts_of(found(one, two), Box(105, 5, 155, 195), skeleton) is two
    assert charts_of(found(one, two), Box(300, 0, 350, 200), skeleton) is None
    assert charts_of(found(), Box(0, 0, 50, 200), skeleton) is None


def test_of_two_people_in_one_box_it_is_who_covers_the_joints() -> None:
    skeleton = standing_skeleton(100, 200)
    stripe, body = charts(0, 0, 100, 200), charts(1, 0, 98, 200)
    stripe.labels[:, 10:] = 0
    for people in ((stripe, body), (body, stripe)):
        assert charts_of(found(*people), Box(0, 0, 100, 200), skeleton) is body


class StandIn:
    """A network that finds the people it was given, and whoever is in a box that it is shown."""

    def __init__(self, *people: Charts) -> None:
        self.people, self.shown = people, list[Box]()

    def detect(self, rgb: np.ndarray, box: Box | None = None) -> Detections:
        if box is None:
            return found(*self.people)
        self.shown.append(box)
        left, top, right, bottom = box.pixels(rgb.shape[1], rgb.shape[0])
        return found(charts(left, top, right - left, bottom - top))


def test_a_missed_person_is_looked_at_where_the_skeleton_is() -> None:
    network, target = StandIn(), made_target(200, 320)
    plugin = DensePose(Settings(), network)
    iuv = plugin.dense(target.frame, None, target.skeleton).iuv
    (box,) = network.shown
    tight = target.skeleton.box()
    assert tight and box.iou(tight) > 0.6 and box.height > tight.height
    assert (iuv[..., 0] == 7).sum() > 0.9 * box.width * box.height


@pytest.mark.parametrize("box", [None, Box(400, 0, 500, 100)])
def test_nobody_gives_an_empty_map(box: Box | None) -> None:
    nobody = Skeleton(np.zeros((25, 3), np.float32))
    plugin = DensePose(Settings(), StandIn(charts()))
    assert not plugin.dense(Frame(np.zeros((80, 60, 3), np.uint8)), box, nobody).iuv.any()


def test_without_detectron2_one_line_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "densepose", None)
    with pytest.raises(PluginError, match=r"pip install .*projects/DensePose") as caught:
        registry.load("dance.dense", "densepose", Settings(device="cpu"))
    assert "\n" not in str(caught.value)
    listed = CliRunner().invoke(plugins_command, ["list", "--group", "dense"])
    assert listed.exit_code == 0 and "densepose-legacy" in listed.output


def test_the_models_are_those_of_the_paper() -> None:
    named = {"R_101_FPN_DL_s1x", "R_50_FPN_s1x", "R_50_FPN_s1x_legacy"}
    plugins = [DensePose, dense.DensePoseR50, dense.DensePoseLegacy, dense.DensePoseLow]
    assert {plugin.model.name for plugin in plugins} == named
    assert models.R50_LEGACY.settings()["MODEL.ROI_DENSEPOSE_HEAD.NUM_COARSE_SEGM_CHANNELS"] == 15


def saved(path: Path, state: object) -> Path:
    """In the form of detectron2's model zoo."""
    path.write_bytes(pickle.dumps({"model": state, "__author__": "made"}))
    return path


def arrays(network: nn.Module) -> dict[str, np.ndarray]:
    return {key: value.numpy().copy() for key, value in network.state_dict().items()}


def test_a_file_of_the_model_zoo_loads_and_its_anchors_are_passed_over(tmp_path: Path) -> None:
    source, network = nn.Linear(3, 2), nn.Linear(3, 2)
    state = {**arrays(source), "anchor_generator.cell_anchors.0": np.zeros((3, 4), np.float32)}
    load_weights(network, saved(tmp_path / "made.pkl", state))
    assert torch.equal(network.weight, source.weight) and torch.equal(network.bias, source.bias)


class Hostile:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("hostile-was-here"),))


def test_other_files_are_refused_and_none_runs_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network, file = nn.Linear(3, 2), tmp_path / "made.pkl"
    lacking = {"weight": arrays(network)["weight"]}
    for state, said in (
        ({"weight": Hostile()}, "read safely"),
        ({"weight": "text"}, "not a tensor"),
        (lacking, "'bias' is missing"),
        ({"other": np.zeros(3)}, "none of the network's tensors"),
        ({**lacking, "bias": np.full(2, np.nan, np.float32)}, "NaN"),
        ({**lacking, "bias": np.zeros(3, np.float32)}, "the network needs 2 real"),
    ):
        with pytest.raises(WeightsError, match=said):
            load_weights(network, saved(file, state))
    assert not (tmp_path / "hostile-was-here").exists()


class Puppeteer:
    """Sees people with MediaPipe and answers with drawn bodies, a bystander first."""

    def __init__(self) -> None:
        self.pose, self.body = MediaPipePose(Settings(device="cpu")), TemplateDense(Settings())

    def detect(self, rgb: np.ndarray, box: Box | None = None) -> Detections:
        if box is not None:  # whom MediaPipe does not see has no surface either
            return found(Charts(0, 0, np.zeros((1, 1), np.int64), np.zeros((2, 1, 1), np.float32)))
        people = self.pose.extract(Frame(rgb))
        drawn = [self.body.dense(Frame(rgb), None, person).iuv for person in people]
        bystander = charts(rgb.shape[1] - 40, 0, 40, 90, part=2)
        return found(bystander, *(boxed(iuv) for iuv in drawn if iuv.any()))


def boxed(iuv: np.ndarray) -> Charts:
    """A map of the frame as the charts of its box."""
    rows, columns = np.nonzero(iuv[..., 0])
    top, left = int(rows.min()), int(columns.min())
    part = iuv[top : rows.max() + 1, left : columns.max() + 1]
    return Charts(left, top, part[..., 0].astype(np.int64), np.moveaxis(part[..., 1:], -1, 0))


def test_the_plugin_keeps_the_contract(demo_photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, on a photo of a person: sides, mirror, two people, threads."""
    monkeypatch.setattr(DensePose, "_open", lambda _self: Puppeteer())
    outcomes = list(testing.check("dance.dense", "densepose", read_photo(demo_photo)))
    assert [o for o in outcomes if not o.passed] == [] and len(outcomes) >= 10


def test_a_dance_is_read_with_it_and_bent_onto_the_target(
    demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole command; the backend must be given the dancer's surface on the target's bones."""
    seen: list[Motion] = []
    real = FreestyleBackend.render
    monkeypatch.setattr(DensePose, "_open", lambda _self: Puppeteer())
    monkeypatch.setattr(
        FreestyleBackend, "render",
        lambda self, person, motions: seen.extend(motions) or real(self, person, motions),
    )  # fmt: skip
    torch.manual_seed(0)
    networks = {"p2b": P2B(TINY.p2b), "b2f": B2F(TINY.b2f), "fr": FR(TINY.fr)}
    save_bundle(tmp_path / "bundle", "untrained", networks, "MIT", True)
    with pytest.raises(SystemExit) as caught:
        main([
            "reenact", str(demo_photo), str(demo_video), "-o", str(tmp_path / "out.mp4"),
            "--start", "1", "--end", "1.06", "--size", "288x384", "--device", "cpu", "--backend",
            "freestyle", "--weights", str(tmp_path / "bundle"), "--dense", "densepose",
        ])  # fmt: skip
    assert not caught.value.code and (tmp_path / "out.mp4").stat().st_size > 0
    assert len(seen) == 2
    for motion in seen:
        assert motion.dense is not None
        shown = motion.dense.iuv[..., 0]
        assert shown.shape == TINY.p2b.size
        skeleton = motion.skeleton.moved(len(shown) / motion.canvas.height, 0, 0)
        blank = Frame(np.zeros((*shown.shape, 3), np.uint8))
        bones = TemplateDense(Settings()).dense(blank, None, skeleton).iuv[..., 0]
        assert ((shown > 0) & (bones > 0)).sum() > 0.7 * ((shown > 0) | (bones > 0)).sum()
        assert (shown == bones)[bones > 0].mean() > 0.6, "parts of the body are exchanged"
