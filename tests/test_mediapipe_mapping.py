"""The table from MediaPipe's landmarks to OpenPose's."""

from __future__ import annotations

import numpy as np
import pytest
from dance_mediapipe.face import MediaPipeFaceAligner
from dance_mediapipe.mapping import BODY_FROM_POSE, FACE_FROM_MESH
from mediapipe_media import DEMO, mirror, picture

from dancecli.mirror import OTHER_FACE
from dancecli.stages import Settings
from dancecli.types import BODY_25, FloatArray


@pytest.fixture(scope="module")
def face() -> FloatArray:
    points = MediaPipeFaceAligner(Settings()).landmarks(picture(DEMO / "photo.jpg"))
    assert points is not None
    return points


def test_every_body_joint_has_a_source_of_its_own_side() -> None:
    assert set(BODY_FROM_POSE) == set(BODY_25)
    for name, sources in BODY_FROM_POSE.items():
        if name.startswith("left_"):
            twins = BODY_FROM_POSE[name.replace("left", "right")]
            assert len(sources) == len(twins)
            assert not set(sources) & set(twins)


def test_face_points_are_different_vertices_of_the_mesh_with_irises() -> None:
    assert FACE_FROM_MESH.shape == (70,)
    assert len(set(FACE_FROM_MESH.tolist())) == 70
    assert FACE_FROM_MESH.min() >= 0
    assert FACE_FROM_MESH.max() < 478


def test_mirroring_twice_is_nothing() -> None:
    assert (np.array(OTHER_FACE)[OTHER_FACE] == np.arange(70)).all()


def test_partners_change_places_in_the_mirror(face: FloatArray) -> None:
    frame = picture(DEMO / "photo.jpg")
    seen = MediaPipeFaceAligner(Settings()).landmarks(mirror(frame))
    assert seen is not None
    expected = face[OTHER_FACE, :2] * (-1, 1) + (frame.width, 0)
    width = np.ptp(face[:17, 0])
    assert np.linalg.norm(seen[:, :2] - expected, axis=1).max() < 0.12 * width


def upright(face: FloatArray) -> FloatArray:
    """The points turned so that the outer corners of the eyes are level."""
    dx, dy = face[45, :2] - face[36, :2]
    length = np.hypot(dx, dy)
    return face[:, :2] @ np.array([[dx, -dy], [dy, dx]]) / length


def test_contours_run_as_openpose_numbers_them(face: FloatArray) -> None:
    x, y = upright(face).T
    # The ends of the jaw run upwards beside the ears; a turned head may show them reversed.
    for contour in (range(2, 14), range(17, 27), range(31, 36), range(48, 55), range(60, 65)):
        assert (np.diff(x[list(contour)]) > 0).all(), "from the person's right to the left"
    assert (np.diff(x[54:60]) < 0).all(), "and back along the lower lip"
    assert (np.diff(y[27:31]) > 0).all(), "down the bridge of the nose"
    assert y[8] > np.delete(y, range(6, 11)).max(), "the chin is lowest"
    assert y[17:27].max() < y[36:48].min() < y[33] < y[48:60].min()


@pytest.mark.parametrize(("pupil", "eye"), [(68, range(36, 42)), (69, range(42, 48))])
def test_pupils_lie_in_their_eyes(face: FloatArray, pupil: int, eye: range) -> None:
    corners = face[list(eye), :2]
    assert (face[pupil, :2] > corners.min(0) - 1).all()
    assert (face[pupil, :2] < corners.max(0) + 1).all()
