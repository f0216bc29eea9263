"""68 landmarks as face-alignment gives them -> 70 face points.

docs/plugins-verified.md tells how this was tried with the library itself.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from dance_fan.face import FANAligner
from dance_fan.networks import CROP_SIDE, Networks, landmarks

from dancecli.errors import PluginError, WeightsError
from dancecli.types import SEEN, Frame

FACES = [np.array([40.0, 60.0, 80.0, 110.0, 0.9]), np.array([200.0, 50.0, 230.0, 80.0, 0.99])]
"""As S3FD gives them: corners and score, in a picture of 320 x 320."""


class Detector:
    """Faces inside the picture that it is shown, which is a part of the whole."""

    def __init__(self, path: str) -> None:
        torch.load(path, weights_only=True)

    def detect_from_image(self, rgb: np.ndarray) -> list[np.ndarray]:
        column = rgb[0, :, 0].astype(int) + rgb[0, :, 1]  # each column carries its number
        scale = rgb.shape[1] / max(1, column[-1] - column[0] + 1)
        shift = np.array([column[0], rgb[0, 0, 2], column[0], rgb[0, 0, 2]])
        found = [np.append((face[:4] - shift) * scale, face[4]) for face in FACES]
        return [f for f in found if (f[:2] >= -1).all() and f[2] <= rgb.shape[1] + 1]


class FaceAlignment:
    """Points about the middle of the box that it is given, all maps as high as can be."""

    def __init__(self, kind: int, device: str, face_detector_kwargs: Any, **options: Any) -> None:
        assert options == {"flip_input": True, "compile": False, "face_detector": "sfd"}
        self.face_detector = Detector(face_detector_kwargs["path_to_detector"])
        self.network = self._load_native("2DFAN-4", 4, device, torch.float32)

    def _load_native(self, *_: Any) -> Any:
        raise AssertionError("it would be fetched from the network")

    def get_landmarks_from_image(
        self, image: np.ndarray, detected_faces: list[Any], return_landmark_score: bool
    ) -> tuple[Any, ...]:
        assert image.shape == (CROP_SIDE, CROP_SIDE, 3)
        (left, top, right, bottom), = detected_faces  # fmt: skip
        middle = np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
        points = middle + np.arange(68, dtype=np.float32)[:, None] * (1, 0)
        return [points], [np.full(68, 2.0, np.float32)], None


def library() -> ModuleType:
    """What of face_alignment the plugin uses."""
    found, api = ModuleType("face_alignment"), ModuleType("api")
    found.LandmarksType, found.FaceAlignment, found.api = ModuleType("types"), FaceAlignment, api
    found.LandmarksType.TWO_D = 1
    api.FAN = lambda size: torch.nn.Linear(size, 1)
    return found


@pytest.fixture
def aligner(tmp_path: Path) -> FANAligner:
    torch.save(torch.nn.Linear(4, 1).state_dict(), tmp_path / "fan.pth")
    found = FANAligner.__new__(FANAligner)
    found.networks = Networks(library(), tmp_path / "fan.pth", tmp_path / "fan.pth", "cpu")
    return found


def numbered() -> Frame:
    """A picture whose columns (red and green) and rows (blue) carry their numbers."""
    rgb = np.zeros((320, 320, 3), np.uint8)
    column = np.arange(320)
    rgb[..., 0], rgb[..., 1] = np.minimum(column, 160), np.maximum(column - 160, 0)
    rgb[..., 2] = np.minimum(np.arange(320), 255)[:, None]
    return Frame(rgb)


def test_the_maps_of_picture_and_mirror_make_the_confidence() -> None:
    xy, scores = np.zeros((68, 2), np.float32), np.linspace(0, 2.2, 68, dtype=np.float32)
    found = landmarks(xy + 5, scores)
    assert found.dtype == np.float32 and found.shape == (68, 3)
    np.testing.assert_allclose(found[:, 2], np.minimum(scores / 2, 1), atol=1e-6)


def test_the_largest_face_without_a_hint(aligner: FANAligner) -> None:
    face = aligner.landmarks(numbered())
    assert face is not None and face.shape == (70, 3) and face.dtype == np.float32
    np.testing.assert_allclose(face[0, :2], (60, 85), atol=0.1)
    # A crop is finer than the picture: 67 of its pixels are 67 * 2.4 * 50 / 512 here.
    np.testing.assert_allclose(face[67, 0] - face[0, 0], 67 * 2.4 * 50 / CROP_SIDE, rtol=1e-3)
    assert (face[:68, 2] > SEEN).all() and (face[68:] == 0).all()


@pytest.mark.parametrize(
    ("x", "y", "middle"),
    [(215, 65, (215, 65)), (62, 80, (60, 85)), (300, 300, (215, 65))],
    ids=["there", "another", "nowhere near one"],
)
def test_the_face_nearest_the_hint(
    aligner: FANAligner, x: float, y: float, middle: tuple[float, float]
) -> None:
    hint = np.array([(x - 8, y, 1), (x + 8, y, 1), (x, y + 8, 1), (0, 0, 0)], np.float32)
    face = aligner.landmarks(numbered(), hint)
    assert face is not None
    np.testing.assert_allclose(face[0, :2], middle, atol=1.5)


def test_no_face_is_none(aligner: FANAligner) -> None:
    aligner.networks._aligner.face_detector.detect_from_image = lambda rgb: np.zeros((0,))
    assert aligner.landmarks(numbered()) is None
    assert aligner.landmarks(Frame(np.zeros((4, 4, 3), np.uint8))) is None


def test_files_of_other_networks_and_old_libraries_are_said(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="not the weights of 2D-FAN"):
        Networks(library(), *[tmp_path / "other.pth"] * 2, "cpu")
    old = library()
    old.FaceAlignment = object
    with pytest.raises(PluginError, match=r"1\.5 or newer; install it"):
        Networks(old, *[tmp_path / "other.pth"] * 2, "cpu")
