"""The PyTorch port: what is made of arrays as controlnet-aux gives them.

docs/plugins-verified.md tells how this was tried with the library itself.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from dance_openpose.layout import COCO_18, FACE, HAND, skeleton
from dance_openpose.networks import INPUT, Port, joints

from dancecli.errors import WeightsError
from dancecli.figures import standing_skeleton
from dancecli.types import JOINT, SEEN

TRUTH = standing_skeleton(200, 300).body[[JOINT[name] for name in COCO_18]]
LOST = COCO_18.index("left_ear")


class Keypoint(NamedTuple):
    """As the library's."""

    x: float
    y: float
    score: float = 1.0
    id: int = -1


class Result(NamedTuple):
    """As the library's BodyResult."""

    keypoints: list[Keypoint | None]
    total_score: float
    total_parts: int


class Network:
    """A network on a device; loads its file as the library does."""

    def __init__(self, path: str) -> None:
        torch.load(path)
        self.model: Any = None

    def to(self, _device: str) -> Network:
        return self


class Body(Network):
    """One person, in pixels of the picture that it is shown."""

    def __call__(self, bgr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert bgr.dtype == np.uint8 and bgr.shape[0] == INPUT
        scale = bgr.shape[0] / 300
        ids = np.arange(18)
        candidates = np.column_stack([TRUTH[:, :2] * scale - 0.5, np.full(18, 0.7), ids])
        subset = np.array([[*ids, 12.0, 17.0]])
        subset[0, LOST] = -1
        return candidates, subset

    @staticmethod
    def format_body_result(candidates: np.ndarray, subset: np.ndarray) -> list[Result]:
        return [
            Result([Keypoint(*candidates[int(i)]) if i >= 0 else None for i in row[:18]], *row[18:])
            for row in subset
        ]


def library() -> ModuleType:
    """What of controlnet_aux.open_pose the plugin uses."""
    found, util = ModuleType("open_pose"), ModuleType("util")
    found.Body, found.Hand, found.Face, found.util = Body, Network, Network, util
    util.handDetect = lambda body, bgr: [(10, 40, 92, True), (106, 40, 92, False)]
    util.faceDetect = lambda body, bgr: (80, 0, 46)
    return found


def maps(count: int, x: int, y: int) -> torch.Tensor:
    """(1, count, 46, 46), float32: each with one peak, and a background that must not count."""
    heat = torch.zeros(1, count, 46, 46)
    heat[0, :, y, x] = torch.linspace(0.1, 0.9, count)
    heat[0, -1] = 1.0
    return heat


@pytest.fixture
def port(tmp_path: Path) -> Port:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "any.pth")
    return Port(library(), [tmp_path / "any.pth"] * 3, "cpu")


PICTURE = np.zeros((300, 200, 3), np.uint8)


def test_joints_come_in_the_pictures_pixels_with_their_scores(port: Port) -> None:
    (body,) = port.people(PICTURE)
    found = joints(body)
    assert found.dtype == np.float32
    seen = np.arange(18) != LOST
    np.testing.assert_allclose(found[seen, :2], TRUTH[seen, :2], atol=0.25)
    np.testing.assert_allclose(found[seen, 2], 0.7)
    assert (found[LOST] == 0).all()
    person = skeleton(found)
    assert not person.seen("left_ear") and not person.seen("left_heel")
    assert person.seen("mid_hip", "right_ear")


def test_a_left_hand_is_shown_in_a_mirror_and_turned_back(port: Port) -> None:
    """Of a map's place x, the right hand's box has it at x, the left hand's at its other side."""
    shown = []

    def network(x: torch.Tensor) -> torch.Tensor:
        shown.append(x)
        return maps(HAND + 1, 11, 23)

    port._hand = network
    bright = PICTURE.copy()
    bright[40:132, 10:30] = bright[40:132, 106:126] = 255  # the left edge of both boxes
    (body,) = port.people(PICTURE)
    hands = port.hands(bright, body)
    assert hands["left"].shape == hands["right"].shape == (HAND, 3)
    np.testing.assert_allclose(hands["right"][0, :2], (106 + 23, 40 + 47), atol=0.3)
    np.testing.assert_allclose(hands["left"][0, :2], (10 + 92 - 23, 40 + 47), atol=0.3)
    # Near the 0.1 to 0.9 of the maps: enlarging them is cubic.
    scores = hands["left"][:, 2]
    assert scores[0] == pytest.approx(0.1, abs=0.02) and (np.diff(scores) > 0).all()
    left, right = shown
    assert left.shape == (1, 3, INPUT, INPUT) and left.dtype == torch.float32
    assert left[0, 0, 0, -1] > left[0, 0, 0, 0] and right[0, 0, 0, 0] > right[0, 0, 0, -1]
    assert right.min() == -0.5 and right.max() == pytest.approx(255 / 256 - 0.5)


def test_a_face_has_seventy_points_of_the_last_stage(port: Port) -> None:
    port._face = lambda _: [maps(FACE + 1, 0, 0), maps(FACE + 1, 30, 20)]
    (body,) = port.people(PICTURE)
    face = port.face(PICTURE, body)
    assert face is not None and face.shape == (FACE, 3)
    np.testing.assert_allclose(face[:, :2], np.tile((80 + 30.5, 20.5), (FACE, 1)), atol=0.3)
    found = skeleton(joints(body), face=face).face
    assert found[0, 2] < SEEN <= found[-1, 2] < 1


def test_a_pickle_that_runs_code_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (ran,)

    torch.save({"weight": Hostile()}, tmp_path / "hostile.pth")
    with pytest.raises(WeightsError, match=r"hostile\.pth is not the weights of Body"):
        Port(library(), [tmp_path / "hostile.pth"] * 3, "cpu")
    assert not ran.exists()
