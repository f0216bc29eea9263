"""SCHP: the published layout to the byte, labels of each checkpoint, and one person only.

The published files are not here; networks of their layout with made weights are.
"""

from __future__ import annotations

import io
import sys
from collections import OrderedDict
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from dance_datasets.labels import ATR, LIP, VIP
from dance_schp import checkpoints, parser
from dance_schp.checkpoints import filled, fused, open_torch
from dance_schp.fitting import Region, fitted, labels_in
from dance_schp.network import Active, Schp
from dance_schp.parser import SchpAtr, SchpCihp, SchpCihpGlobal, SchpLip, SchpLipOnnx
from torch import Tensor, nn

from dancecli import registry, testing
from dancecli.errors import NoPersonError, PluginError, WeightsError
from dancecli.figures import made_target
from dancecli.labels import Label
from dancecli.stages import HumanParser, Settings
from dancecli.types import Box, Frame, PersonMask

torch.set_num_threads(1)

FILE = Path("made.pth")
"""A name for errors."""

PUBLISHED = {20: 267_449_349, 18: 267_445_237}
"""Classes -> bytes of exp-schp-201908261155-lip.pth and exp-schp-201908301523-atr.pth."""


def published_state(network: nn.Module) -> OrderedDict[str, Tensor]:
    """As the authors' training saved it: from DataParallel, without counters."""
    return OrderedDict(
        (f"module.{key}", x) for key, x in network.state_dict().items() if "num_batches" not in key
    )


@pytest.fixture(scope="module")
def network() -> Schp:
    torch.manual_seed(0)
    with torch.device("meta"):
        made = Schp(20)
    made = made.to_empty(device="cpu").eval()
    for key, x in made.state_dict().items():
        if key.endswith("running_var"):
            x.fill_(1)
        elif x.ndim == 1:
            x.copy_(torch.randn_like(x) * 0.3 + (0.5 if key.endswith("weight") else 0))
        elif x.ndim == 4:
            x.normal_(0, (2 / x[0].numel()) ** 0.5)
    return made


@pytest.fixture(scope="module")
def read(network: Schp) -> Schp:
    return filled(published_state(network), 20, FILE)


@pytest.mark.parametrize("classes", [20, 18])
def test_the_layout_is_the_published_one_to_the_byte(classes: int) -> None:
    """Names, shapes and types decide a file's length; both published lengths come out."""

    class Counting(io.RawIOBase):
        length = 0

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            size = memoryview(data).nbytes  # type: ignore[arg-type]
            self.length += size
            return size

    with torch.device("meta"):
        state = published_state(Schp(classes))
    state = OrderedDict((key, torch.empty(x.shape)) for key, x in state.items())
    counting = Counting()
    torch.save({"state_dict": state}, counting, _use_new_zipfile_serialization=False)
    assert counting.length == PUBLISHED[classes]


def test_weights_are_read_with_the_scales_of_in_place_batch_norm(network: Schp, read: Schp) -> None:
    was, now = network.bn1.weight, read.bn1.weight
    assert (was < 0).any() and torch.equal(now, was.abs() + 1e-5)
    assert torch.equal(read.bn1.bias, network.bn1.bias)
    assert torch.equal(read.decoder.conv4.weight, network.decoder.conv4.weight)


def test_lips_form_of_the_files_is_read_too_and_others_are_refused(network: Schp) -> None:
    """CIHP's files are the weights; LIP's and ATR's hold them."""
    state = published_state(network)
    read = filled({"state_dict": state}, 20, FILE)
    assert torch.equal(read.fushion[3].weight, network.fushion[3].weight)
    with pytest.raises(WeightsError, match="20x256x1x1 real numbers, the network needs 18x256"):
        filled(state, 18, FILE)
    with pytest.raises(WeightsError, match="of another network"):
        filled({"state_dict": {"module.x": torch.zeros(1)}}, 20, FILE)
    with pytest.raises(WeightsError, match="not weights by name"):
        filled({"state_dict": [1]}, 20, FILE)


def test_a_file_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "made.pth"
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="read safely") as caught:
        open_torch(checkpoints.CIHP_LOCAL, path, "cpu")
    assert "\n" not in str(caught.value)


def test_a_file_runs_and_answers_at_a_quarter_of_the_size(network: Schp, tmp_path: Path) -> None:
    path = tmp_path / "made.pth"
    torch.save(published_state(network), path)
    run = open_torch(checkpoints.CIHP_LOCAL, path, "cpu")
    picture = np.random.default_rng(0).normal(size=(1, 3, 97, 97)).astype(np.float32)
    logits = run(picture)
    assert logits.shape == (20, 25, 25) and logits.dtype == np.float32
    assert np.isfinite(logits).all() and np.array_equal(run(picture), logits)


def test_norms_outside_the_trunk_leak() -> None:
    layer = Active(1).eval()
    out = layer(torch.tensor([-2.0, 2.0]).view(1, 1, 1, 2)).flatten()
    assert out.tolist() == pytest.approx([-0.02, 2.0], abs=1e-4)


# Fitting


def test_the_square_holds_the_picture_with_its_corners_on_the_edges() -> None:
    rgb = np.full((40, 21, 3), 128, np.uint8)
    rgb[0, 0], rgb[-1, -1] = (255, 0, 0), (0, 0, 255)
    seen = fitted(rgb, Region(0, 0, 21, 40), 79)  # two pixels of the square for one
    assert seen.shape == (1, 3, 79, 79) and seen.dtype == np.float32
    mean, deviation = np.array([0.406, 0.456, 0.485]), np.array([0.225, 0.224, 0.229])
    black, red, blue = (
        (np.array(bgr) - mean) / deviation for bgr in ((0, 0, 0), (0, 0, 1), (1, 0, 0))
    )
    assert np.allclose(seen[0, :, 0, 19], red, atol=1e-5)
    assert np.allclose(seen[0, :, 78, 59], blue, atol=1e-5)
    assert np.allclose(seen[0, :, 40, 5], black, atol=1e-5)


def test_logits_come_back_to_the_pixels_they_are_of() -> None:
    """Shape and type as the network's: float32 (classes, 119, 119) for a square of 473."""
    region = Region(30, 20, 330, 620)
    logits = np.zeros((20, 119, 119), np.float32)
    logits[0], logits[13, :60], logits[19, 60:] = 0.5, 1, 1
    labels = labels_in(logits, region, 473)
    assert labels.shape == (600, 300) and labels.dtype == np.uint8
    assert (labels[:295] == 13).all() and (labels[306:] == 19).all()


def test_what_is_cut_out_is_the_person_and_some_room_within_the_frame() -> None:
    assert Region.about(Box(100, 50, 200, 250), 640, 480) == Region(90, 30, 210, 270)
    assert Region.about(Box(0, 0, 640, 480), 640, 480) == Region(0, 0, 640, 480)


# Labels


def answering(*columns: int, classes: int = 20) -> checkpoints.Run:
    """A network that sees these labels from left to right."""

    def run(picture: np.ndarray) -> np.ndarray:
        side = (picture.shape[-1] + 3) // 4
        logits = np.zeros((classes, side, side), np.float32)
        for label, part in zip(columns, np.array_split(np.arange(side), len(columns)), strict=True):
            logits[label, :, part] = 5
        return logits

    return run


@pytest.mark.parametrize(
    ("plugin", "raw", "ours"),
    [
        (SchpCihp, 10, Label.TORSO_SKIN), (SchpCihp, 14, Label.LEFT_ARM),
        (SchpCihpGlobal, 18, Label.LEFT_SHOE), (SchpLip, 10, Label.DRESS),
        (SchpLip, 12, Label.SKIRT), (SchpAtr, 11, Label.FACE), (SchpAtr, 8, Label.PANTS),
        (SchpAtr, 16, Label.BACKGROUND), (SchpAtr, 15, Label.RIGHT_ARM),
    ],
)  # fmt: skip
def test_labels_of_each_checkpoint_become_ours(plugin: type, raw: int, ours: Label) -> None:
    target = made_target()
    classes = plugin.checkpoint.classes
    parsed = plugin(Settings(), answering(raw, classes=classes)).parse(
        target.frame, None, target.mask
    )
    inside = target.mask.alpha >= 0.5
    assert (parsed.labels[inside] == ours).all() and not parsed.labels[~inside].any()


def test_checkpoints_have_the_tables_of_their_data() -> None:
    for plugin, table, side in ((SchpCihp, VIP, 473), (SchpLip, LIP, 473), (SchpAtr, ATR, 512)):
        assert plugin.checkpoint.table is table and plugin.checkpoint.side == side
    assert SchpLipOnnx.checkpoint.table is LIP and parser.SchpAtrOnnx.checkpoint.table is ATR


def test_only_the_person_in_the_mask_is_labelled_and_is_cut_out_for_it() -> None:
    """Two people side by side: the right one's picture alone goes in."""
    seen = []

    def run(picture: np.ndarray) -> np.ndarray:
        seen.append(picture)
        return answering(5)(picture)

    rgb = np.zeros((100, 300, 3), np.uint8)
    rgb[:, :150] = 255
    alpha = np.zeros((100, 300), np.float32)
    alpha[10:90, 220:260] = 1
    labels = SchpCihp(Settings(), run).parse(Frame(rgb), None, PersonMask(alpha)).labels
    assert np.array_equal(labels, np.where(alpha > 0, Label.UPPER_CLOTHES, 0))
    assert np.ptp(seen[0], (2, 3)).max() < 1e-6, "the other person was shown too"
    SchpCihpGlobal(Settings(), run).parse(Frame(rgb), None, PersonMask(alpha))
    assert np.ptp(seen[1], (2, 3)).max() > 1


def test_sides_stay_sides_in_a_picture_that_is_not_square() -> None:
    alpha = np.ones((90, 200), np.float32)
    plugin = SchpCihp(Settings(), answering(15, 14))
    labels = plugin.parse(Frame(np.zeros((90, 200, 3), np.uint8)), None, PersonMask(alpha)).labels
    assert (labels[:, :98] == Label.RIGHT_ARM).all() and (labels[:, 102:] == Label.LEFT_ARM).all()


@pytest.mark.parametrize("mask", [None, PersonMask(np.zeros((320, 200), np.float32))])
def test_without_a_person_it_says_so(mask: PersonMask | None) -> None:
    with pytest.raises(NoPersonError, match="mask"):
        SchpCihp(Settings(), answering(5)).parse(made_target().frame, None, mask)


def test_the_plugins_keep_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: parser.SchpParser) -> checkpoints.Run:
        return answering(5, classes=self.checkpoint.classes)

    for base in (parser.SchpParser, parser.OnnxParser):
        monkeypatch.setattr(base, "_open", answer)
    names = [i.name for i in registry.installed("dance.parser") if i.name.startswith("schp")]
    assert len(names) == 6
    for name in names:
        assert isinstance(registry.load("dance.parser", name, Settings()), HumanParser)
    for name in ("schp", "schp-atr-onnx"):  # the others differ in their files and tables alone
        outcomes = list(testing.check("dance.parser", name))
        assert [o for o in outcomes if o.failed] == [] and len(outcomes) >= 10


# onnxruntime


def test_of_an_exported_graphs_outputs_the_fusion_is_taken() -> None:
    """The export has decoder, fusion and edges; another has the fusion alone."""
    maps = [np.full((1, n, 128, 128), i, np.float32) for i, n in enumerate((18, 18, 2))]
    assert (fused(maps, 18, Path("made.onnx")) == 1).all()
    assert fused(maps[1:2], 18, Path("made.onnx")).shape == (18, 128, 128)
    with pytest.raises(WeightsError, match="none of 20 labels"):
        fused(maps, 20, Path("made.onnx"))


def test_a_graph_is_given_what_it_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """onnxruntime is an extra; its session's shape and names are the published export's."""
    given = []

    class Session:
        def __init__(self, path: str, providers: list[str]) -> None:
            given.append((path, providers))

        def get_inputs(self) -> list[SimpleNamespace]:
            return [SimpleNamespace(name="input.1", shape=[1, 3, 473, 473])]

        def run(self, _outputs: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [answering(label)(feed["input.1"])[None] for label in (2, 5)]

    library = ModuleType("onnxruntime")
    library.__spec__ = ModuleSpec("onnxruntime", None)
    vars(library).update(
        InferenceSession=Session, get_available_providers=lambda: ["CPUExecutionProvider"]
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", library)
    path, target = tmp_path / "parsing_lip.onnx", made_target()
    run = checkpoints.open_onnx(checkpoints.LIP_ONNX, path, "cpu")
    labels = SchpLipOnnx(Settings(), run).parse(target.frame, None, target.mask).labels
    assert (labels[target.mask.alpha >= 0.5] == Label.UPPER_CLOTHES).all()
    assert given == [(str(path), ["CPUExecutionProvider"])]
    with pytest.raises(WeightsError, match="not 3 x 512 x 512"):
        checkpoints.open_onnx(checkpoints.ATR_ONNX, path, "cpu")


def test_without_onnxruntime_one_line_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PluginError, match=r"pip install 'dancecli\[onnx\]'") as caught:
        registry.load("dance.parser", "schp-lip-onnx", Settings(device="cpu"))
    assert "\n" not in str(caught.value)
