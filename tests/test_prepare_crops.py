"""A person's crop: proportions, places and what lies beyond the picture's edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dancecli.data.cropping import crop_alpha, crop_dense, crop_labels, crop_picture, window_about
from dancecli.types import Box, DenseMap, Skeleton

SIZE = (512, 320)

sides = st.floats(3, 3000)


@given(st.floats(-50, 2000), st.floats(-50, 2000), sides, sides)
def test_a_window_has_the_crops_proportions_and_holds_the_person(left, top, width, height) -> None:
    person = Box(left, top, left + width, top + height)
    window = window_about(person, SIZE, 1.2)
    assert window.height * 320 == window.width * 512
    box = window.box
    slack = 0.1 * height - 1  # half of the margin, less a rounded pixel
    assert box.top <= person.top - slack and box.bottom >= person.bottom + slack
    assert box.left <= person.left + 1 and box.right >= person.right - 1
    needed = 1.2 * max(height, width * 1.6)
    assert needed <= window.height + 1e-6 and window.height <= needed + 8


@pytest.mark.parametrize("tall", [90, 180, 427, 900, 2000])
def test_a_mark_lies_where_the_skeleton_says(tall: int) -> None:
    height, width = 3 * tall, 2 * tall
    x, y, half = 0.9 * tall, 1.7 * tall, max(4, tall // 40)
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[int(y) - half : int(y) + half, int(x) - half : int(x) + half] = 255
    window = window_about(Box(0.7 * tall, tall, 1.2 * tall, 2 * tall), SIZE, 1.2)
    crop = crop_picture(rgb, window)[..., 0].astype(float)
    labels = crop_labels((rgb[..., 0] > 0).astype(np.uint8), window)
    iuv = np.repeat((rgb[..., :1] > 0).astype(np.float32), 3, 2)
    dense = crop_dense(DenseMap(iuv), window).iuv[..., 0]
    points = np.zeros((25, 3), np.float32)
    points[:] = (int(x), int(y), 1)
    there = window.skeleton(Skeleton(points)).body[0, :2]
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]] + 0.5
    for picture in (crop, labels, dense):
        middle = [(columns * picture).sum() / picture.sum(), (rows * picture).sum() / picture.sum()]
        assert np.abs(there - middle).max() < 0.6
    seen = crop > 127
    spans = [np.ptp(np.flatnonzero(seen.any(axis))) + 1 for axis in (0, 1)]
    assert abs(spans[0] - spans[1]) <= 1, "a square stays a square"


def test_one_to_one_keeps_every_pixel() -> None:
    rng = np.random.default_rng(3)
    rgb = rng.integers(0, 256, (700, 500, 3), np.uint8)
    labels = rng.integers(0, 22, (700, 500), np.uint8)
    window = window_about(Box(200, 100, 300, 100 + 512 / 1.2), SIZE, 1.2)
    assert window.height == 512
    inside = np.s_[window.top : window.top + 512, window.left : window.left + 320]
    assert np.array_equal(crop_picture(rgb, window), rgb[inside])
    assert np.array_equal(crop_labels(labels, window), labels[inside])


def test_beyond_the_edges_the_picture_is_mirrored_and_nobody_is_there() -> None:
    rgb = np.arange(200 * 150 * 3, dtype=np.uint32).reshape(200, 150, 3).astype(np.uint8)
    window = window_about(Box(60, 40, 110, 200), (512, 320), 1.2)
    assert window.top + window.height > 200
    below = 200 - window.top
    labels = crop_labels(np.full((200, 150), 5, np.uint8), window)
    edge = round(below * window.scale)
    assert (labels[: edge - 2] == 5).all() and (labels[edge + 2 :] == 0).all()
    assert crop_alpha(np.ones((200, 150), bool), window)[edge + 3 :].max() == 0
    smooth = crop_picture(np.repeat(np.arange(200, dtype=np.uint8)[:, None, None], 3, 2)
                          * np.ones((1, 150, 1), np.uint8), window)  # fmt: skip
    column = smooth[:, 160, 0].astype(int)
    assert np.diff(column[: edge - 3]).min() >= 0 and np.diff(column[edge + 3 :]).max() <= 0
    assert abs(int(column[edge - 4]) - int(column[edge + 4])) <= 3
    assert crop_picture(rgb, window).shape == (512, 320, 3)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(20, 120))
def test_labels_are_those_of_the_picture(seed: int, tall: int) -> None:
    rng = np.random.default_rng(seed)
    used = rng.choice(22, 4, replace=False).astype(np.uint8)
    labels = used[rng.integers(0, 4, (150, 120))]
    window = window_about(Box(30, 10, 70, 10 + tall), (128, 80), 1.2)
    assert set(np.unique(crop_labels(labels, window))) <= {0, *used.tolist()}


@pytest.mark.parametrize("size", [(512, 320), (256, 160), (101, 67), (64, 64)])
def test_a_wider_window_has_the_crop_in_its_middle(size: tuple[int, int]) -> None:
    waves = np.sin(np.mgrid[0:400, 0:300] / np.array([17, 11])[:, None, None]) * 120 + 128
    rgb = np.stack([*waves, waves.mean(0)], -1).astype(np.uint8)
    window = window_about(Box(90, 100, 180, 290), size, 1.2)
    wide, border = window.wider()
    assert border >= size[0] / 8
    inside = crop_picture(rgb, wide)[border:-border, border:-border]
    # The crop alone knows nothing beyond its edge; everywhere else they are the same.
    assert np.abs(inside.astype(int) - crop_picture(rgb, window))[2:-2, 2:-2].max() <= 2
