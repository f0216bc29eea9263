"""Whole-body pose: 133 points as rtmlib gives them -> Skeleton.

docs/plugins-verified.md tells how this was tried with rtmlib and onnxruntime themselves.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from dance_rtmpose.layout import BODY, FACE, LEFT_HAND, RIGHT_HAND, skeleton
from dance_rtmpose.networks import MODELS, Networks, device_of, model_of
from dance_rtmpose.pose import RTMPose

from dancecli.errors import UsageError, WeightsError
from dancecli.figures import standing_skeleton
from dancecli.types import BODY_25, JOINT, SEEN, Box, FloatArray, Frame


def whole_body(score: float = 0.8) -> FloatArray:
    """(133, 3) of a standing person, each point of hands and face with a place of its own."""
    points = np.zeros((133, 3), np.float32)
    body = standing_skeleton(200, 320).body
    points[: len(BODY)] = body[[JOINT[name] for name in BODY]]
    for part, joint in ((FACE, "nose"), (LEFT_HAND, "left_wrist"), (RIGHT_HAND, "right_wrist")):
        count = part.stop - part.start
        points[part, :2] = body[JOINT[joint], :2] + np.arange(count)[:, None] * (0.1, 0.2)
    points[:, 2] = score
    return points


def test_133_points_become_body_with_feet_hands_and_face() -> None:
    points, truth = whole_body(), standing_skeleton(200, 320)
    found = skeleton(points)
    known = [JOINT[name] for name in BODY_25 if name not in ("neck", "mid_hip")]
    np.testing.assert_allclose(found.body[known, :2], truth.body[known, :2], rtol=1e-6)
    assert found.points().shape == (137, 3) and found.points().dtype == np.float32
    for name, ends in (("neck", "shoulder"), ("mid_hip", "hip")):
        middle = (truth.joint(f"left_{ends}") + truth.joint(f"right_{ends}")) / 2
        np.testing.assert_allclose(found.joint(name), middle, rtol=1e-6)
    assert (found.face[68:] == 0).all() and (found.face[:68, 2] > SEEN).all()


def test_each_hand_hangs_on_its_own_arm() -> None:
    found = skeleton(whole_body())
    np.testing.assert_allclose(found.left_hand[0], found.body[JOINT["left_wrist"]])
    np.testing.assert_allclose(found.right_hand[0], found.body[JOINT["right_wrist"]])
    np.testing.assert_allclose(found.face[0], found.body[JOINT["nose"]])


class YOLOX:
    """Boxes float64 (n, 4) and classes int64 (n,), as rtmlib gives them; empty if none."""

    def __init__(self, path: str, **options: Any) -> None:
        print(f"load {path} with {options['backend']} backend")
        assert Path(path).read_bytes().startswith(b"onnx")
        assert options["det_mode"] == "multiclass" and options["model_input_size"] == (640, 640)

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not image.any():
            return np.array([]), np.array([])
        assert tuple(image[0, 0]) == (3, 2, 1)  # BGR
        boxes = np.array([[0, 0, 80, 90], [10, 20, 180, 310], [400, 0, 500, 310]], np.float64)
        return boxes, np.array([16, 0, 0])


class Pose:
    """Keypoints float64 (n, 133, 2) and scores float32 (n, 133), as rtmlib gives them."""

    def __init__(self, path: str, **options: Any) -> None:
        assert Path(path).read_bytes().startswith(b"onnx")
        assert options["model_input_size"] == (288, 384)

    def __call__(self, image: np.ndarray, bboxes: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        assert tuple(image[0, 0]) == (1, 2, 3)  # RGB
        points = np.stack([whole_body() for _ in bboxes]).astype(np.float64)
        # Nobody is in the box at the right.
        scores = np.array([0.1 if box[0] >= 400 else 0.8 for box in bboxes], np.float32)
        return points[..., :2], np.repeat(scores[:, None], 133, 1)


def rtmlib() -> ModuleType:
    """What of the library the plugin uses."""
    found = ModuleType("rtmlib")
    found.YOLOX, found.RTMPose = YOLOX, Pose
    return found


@pytest.fixture
def networks(tmp_path: Path) -> Networks:
    (tmp_path / "any.onnx").write_bytes(b"onnx")
    return Networks(rtmlib(), MODELS["dwpose"], *[tmp_path / "any.onnx"] * 2, "cpu")


def extractor(networks: Networks) -> RTMPose:
    """The plugin as it is once its networks are loaded."""
    pose = RTMPose.__new__(RTMPose)
    pose.networks = networks
    return pose


COLOURED = Frame(np.full((320, 600, 3), (1, 2, 3), np.uint8))


def test_only_people_who_are_there_come_out(networks: Networks) -> None:
    """Neither the dog of class 16, nor the box in which the network sees too little."""
    assert len(networks.boxes(COLOURED.rgb)) == 2
    (person,) = extractor(networks).extract(COLOURED)
    assert person.points().dtype == np.float32 and person.seen("left_heel", "right_wrist")


def test_boxes_need_no_detector_and_an_empty_picture_no_network(networks: Networks) -> None:
    pose = extractor(networks)
    boxes = [Box(410, 0, 590, 310), Box(10, 20, 180, 310), Box(-50, 0, 2, 300)]
    assert len(pose.extract(COLOURED, boxes)) == 1
    assert pose.extract(Frame(np.zeros((320, 600, 3), np.uint8))) == []
    assert pose.extract(Frame(np.full((4, 4, 3), 9, np.uint8))) == []


def test_nothing_is_printed_while_loading(
    networks: Networks, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("name", "hidden", "drawn"), [("dwpose", 0.29, 0.31), ("rtmw", 2.9, 3.1)])
def test_each_networks_own_scores_decide_what_is_seen(
    networks: Networks, name: str, hidden: float, drawn: float
) -> None:
    networks._model = MODELS[name]
    networks._pose = lambda image, bboxes: (
        np.zeros((1, 133, 2)) + 5.0, np.full((1, 133), hidden, np.float32)
    )  # fmt: skip
    assert (networks.points(COLOURED.rgb, [Box(0, 0, 9, 9)])[0][:, 2] < SEEN).all()
    networks._pose = lambda image, bboxes: (
        np.zeros((1, 133, 2)) + 5.0, np.full((1, 133), drawn, np.float32)
    )  # fmt: skip
    (found,) = networks.points(COLOURED.rgb, [Box(0, 0, 9, 9)])
    assert ((found[:, 2] >= SEEN) & (found[:, 2] <= 1)).all()


def test_another_network_is_named(networks: Networks) -> None:
    networks._pose = lambda image, bboxes: (np.zeros((1, 17, 2)), np.zeros((1, 17), np.float32))
    with pytest.raises(WeightsError, match="17 points, 133 expected"):
        networks.points(COLOURED.rgb, [Box(0, 0, 9, 9)])


def test_a_network_is_taken_out_of_its_archive(tmp_path: Path) -> None:
    detector, packed = tmp_path / "any.onnx", tmp_path / "rtmw.zip"
    detector.write_bytes(b"onnx")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("deep/inside/end2end.onnx", b"onnx")
        archive.writestr("deep/inside/detail.json", b"{}")
    Networks(rtmlib(), MODELS["rtmw"], detector, packed, "cpu")
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("second.onnx", b"onnx")
    with pytest.raises(WeightsError, match="2 networks in the archive"):
        Networks(rtmlib(), MODELS["rtmw"], detector, packed, "cpu")


def test_an_unknown_model_names_those_there_are() -> None:
    assert model_of(None) is MODELS["dwpose"]
    with pytest.raises(UsageError, match="rtmpose@x: valid are dwpose, rtmw"):
        model_of("x")


@pytest.mark.parametrize(
    ("asked", "providers", "found"),
    [
        ("auto", ["CPUExecutionProvider"], "cpu"),
        ("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"], "cuda"),
        ("cuda:1", ["CUDAExecutionProvider", "CPUExecutionProvider"], "cuda:1"),
        ("auto", ["CoreMLExecutionProvider", "CPUExecutionProvider"], "cpu"),
        ("cuda", ["CPUExecutionProvider"], "onnxruntime has cpu here"),
    ],
)
def test_the_device_is_one_that_onnxruntime_has(
    asked: str, providers: list[str], found: str
) -> None:
    onnxruntime = ModuleType("onnxruntime")
    onnxruntime.get_available_providers = lambda: providers
    try:
        told = device_of(onnxruntime, asked)
    except UsageError as error:
        told = str(error)
    assert found in told
