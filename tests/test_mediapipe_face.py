"""MediaPipe as face aligner, on real pictures."""

from __future__ import annotations

import numpy as np
from dance_mediapipe.face import MediaPipeFaceAligner
from dance_mediapipe.pose import MediaPipePose
from mediapipe_media import DEMO, media, noise, picture, side_by_side, stills

from dancecli.stages import FaceAligner, Settings
from dancecli.types import FloatArray, Frame

ALIGNER, POSE = MediaPipeFaceAligner(Settings()), MediaPipePose(Settings())


def centre(face: FloatArray | None) -> FloatArray:
    assert face is not None
    return face[:, :2].mean(0)


def test_keeps_the_interface() -> None:
    face = ALIGNER.landmarks(picture(DEMO / "photo.jpg"))
    assert isinstance(ALIGNER, FaceAligner)
    assert face is not None
    assert face.shape == (70, 3)
    assert face.dtype == np.float32
    assert (face[:, 2] > 0.5).all()
    assert (face[:, 2] <= 1).all()


def test_agrees_with_the_pose_extractors_face() -> None:
    frame = picture(DEMO / "photo.jpg")
    (person,) = POSE.extract(frame)
    for face in (ALIGNER.landmarks(frame), ALIGNER.landmarks(frame, person.face)):
        assert face is not None
        apart = np.linalg.norm(face[:, :2] - person.face[:, :2], axis=1)
        assert apart.max() < 0.15 * np.ptp(person.face[:17, 0])


def test_the_hint_chooses_between_faces_and_else_the_largest_wins() -> None:
    small = Frame(np.ascontiguousarray(picture(DEMO / "photo.jpg").rgb[:400]))
    large = Frame(small.rgb.repeat(2, 0).repeat(2, 1))
    both = side_by_side(small, large)
    face = ALIGNER.landmarks(small)
    assert face is not None
    np.testing.assert_allclose(centre(ALIGNER.landmarks(both, face)), centre(face), atol=4)
    right = centre(face) * 2 + (small.width, 0)
    np.testing.assert_allclose(centre(ALIGNER.landmarks(both)), right, atol=8)
    beside = face.copy()
    beside[:, :2] = face[:, :2] * 2 + (small.width, 0)
    np.testing.assert_allclose(centre(ALIGNER.landmarks(both, beside)), right, atol=8)


def test_a_hint_without_seen_points_is_no_hint() -> None:
    frame = picture(DEMO / "photo.jpg")
    unseen = ALIGNER.landmarks(frame, np.zeros((70, 3), np.float32))
    assert unseen is not None
    assert np.array_equal(unseen, ALIGNER.landmarks(frame))


def test_no_face_no_points() -> None:
    assert ALIGNER.landmarks(noise(200, 300)) is None
    assert ALIGNER.landmarks(noise(1, 1)) is None
    assert ALIGNER.landmarks(picture(media("background_room.jpg"))) is None


def test_does_not_depend_on_earlier_frames() -> None:
    frames = stills(DEMO / "dance.mp4", 4)
    first = [ALIGNER.landmarks(frame) for frame in frames]
    again = [ALIGNER.landmarks(frame) for frame in reversed(frames)][::-1]
    for one, other in zip(first, again, strict=True):
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one, other)
