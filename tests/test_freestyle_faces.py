"""Faces are cut out upright, and go back where they came from and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dance_freestyle import faces
from hypothesis import given
from hypothesis import strategies as st
from made_dancers import made_landmarks

from dancecli.types import UInt8Array


def picture(height: int = 240, width: int = 200) -> UInt8Array:
    """Smooth, so that resampling keeps it."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 17 + y / 29), np.cos(x / 23 - y / 31), np.sin(y / 19)]
    return np.stack([127 + 100 * wave for wave in waves], -1).astype(np.uint8)


@given(scale=st.floats(0.2, 5), angle=st.floats(-3, 3), x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_a_similarity_is_found_again(scale: float, angle: float, x: float, y: float) -> None:
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    matrix = faces.similarity(faces.ARCFACE, faces.ARCFACE @ turn.T + (x, y))
    np.testing.assert_allclose(matrix, np.column_stack([turn, (x, y)]), atol=1e-6)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    matrix = faces.similarity(faces.ARCFACE * (-1, 1), faces.ARCFACE)
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("side", [128, 256])
def test_the_five_points_land_on_the_template(side: int) -> None:
    landmarks = made_landmarks((100, 120), 90, angle=0.4)
    alignment = faces.align(landmarks, side)
    assert alignment is not None
    points = faces.five_points(landmarks)
    placed = points @ alignment.to_crop[:, :2].T + alignment.to_crop[:, 2]
    expected = (faces.ARCFACE * 1.7 + 32.8) * side / 256
    np.testing.assert_allclose(placed, expected, atol=1e-3)


@given(size=st.floats(60, 900))
def test_a_large_face_is_cut_as_finely_as_the_frame_has_it(size: float) -> None:
    landmarks = made_landmarks((500, 500), size)
    alignment = faces.align_finely(landmarks, (128, 256, 512))
    assert alignment is not None and alignment.side in (128, 256, 512)
    finer = np.sqrt(np.linalg.det(alignment.to_crop[:, :2]))  # crop pixels per frame pixel
    assert alignment.side == 512 or finer >= 1
    assert alignment.side == 128 or finer < 2
    assert faces.align_finely(np.zeros((70, 3), np.float32), (128, 256)) is None


def test_what_cannot_be_aligned_is_left_alone() -> None:
    landmarks = made_landmarks((100, 120), 90)
    hidden = landmarks.copy()
    hidden[38, 2] = 0
    assert faces.align(None, 256) is None
    assert faces.align(hidden, 256) is None
    assert faces.align(made_landmarks((100, 120), 20), 256) is None
    assert faces.align(np.zeros((70, 3), np.float32), 256) is None


@pytest.mark.parametrize("centre", [(100, 120), (6, 8)], ids=["inside", "at a corner"])
def test_pasting_the_cut_back_changes_nothing(centre: tuple[float, float]) -> None:
    frame = picture()
    alignment = faces.align(made_landmarks(centre, 90, angle=-0.3), 256)
    assert alignment is not None
    face = faces.cut(frame, alignment).astype(np.float32)
    pasted = faces.paste(frame, alignment, face, np.ones((256, 256), np.float32))
    assert np.abs(pasted.astype(int) - frame).max() <= 2


def test_a_face_is_pasted_inside_the_landmarks_hull_only() -> None:
    frame = picture()
    landmarks = made_landmarks((100, 120), 90)
    alignment = faces.align(landmarks, 128)
    assert alignment is not None
    before = frame.copy()
    black, everywhere = np.zeros((128, 128, 3), np.float32), np.ones((128, 128), np.float32)
    pasted = faces.paste(frame, alignment, black, everywhere)
    assert np.array_equal(frame, before)
    y, x = np.nonzero((pasted != frame).any(-1))
    low, high = landmarks[:68, :2].min(0), landmarks[:68, :2].max(0)
    reach = 0.15 * 90 * (92.3 - 51.6) / 112 + 2
    assert (x.min(), y.min()) >= tuple(low - reach) and x.max() <= high[0] + reach
    assert y.max() <= high[1] + reach
    assert (pasted[120, 100] == 0).all()
    half = faces.paste(frame, alignment, black, 0.5 * everywhere)
    assert np.abs(half[120, 100].astype(float) - frame[120, 100] / 2).max() <= 1
    untouched = faces.paste(frame, alignment, black, 0 * everywhere)
    assert np.array_equal(untouched, frame)
