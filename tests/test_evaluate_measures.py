"""Metrics against hand-computed cases, and known distortions moving each the right way."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dancecli.evaluate import bodies, pictures
from dancecli.evaluate.compare import Crop, Scores
from dancecli.evaluate.measures import MEASURES
from dancecli.figures import made_target
from dancecli.types import Box, Skeleton


def textured(seed: int = 0, height: int = 96, width: int = 64) -> np.ndarray:
    """A picture with detail at several scales."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.random((6, 4, 3)).astype(np.float32), (width, height))
    fine = cv2.GaussianBlur(rng.random((height, width, 3)).astype(np.float32), (0, 0), 1.0)
    return np.clip(255 * (0.6 * coarse + 0.4 * fine), 0, 255).astype(np.uint8)


EVERYWHERE = np.ones((96, 64), bool)


def test_equal_pictures_are_perfect() -> None:
    picture = textured()
    structure = pictures.structure(picture, picture)
    assert structure["ssim"] == pytest.approx(1)
    assert structure["dssim_rgb"] == pytest.approx(0, abs=1e-9)
    assert structure["dssim_lab"] == pytest.approx(0, abs=1e-9)
    assert pictures.psnr(picture, picture) == 100
    assert pictures.masked_l1(picture, picture, EVERYWHERE) == 0
    assert pictures.sharpness(picture, picture, EVERYWHERE) == pytest.approx(1)
    assert pictures.changes((picture,) * 2, (picture,) * 2, EVERYWHERE) == {
        "flicker": 0, "change_error": 0
    }  # fmt: skip


def distorted(kind: str, amount: float) -> np.ndarray:
    """A picture made worse, more so with a larger amount."""
    picture = textured()
    if kind == "blur":
        return cv2.GaussianBlur(picture, (0, 0), amount)
    if kind == "shift":
        return np.roll(picture, round(2 * amount), 1)
    noise = np.random.default_rng(1).normal(0, 12 * amount, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["blur", "shift", "noise"])
def test_distortions_make_picture_metrics_worse_and_worse(kind: str) -> None:
    real = textured()
    slightly, badly = (distorted(kind, amount) for amount in (0.7, 2.5))
    for name in ("ssim", "dssim_rgb", "dssim_lab"):
        one, two = (pictures.structure(real, fake)[name] for fake in (slightly, badly))
        assert MEASURES[name].loss(one) < MEASURES[name].loss(two)
    assert pictures.psnr(real, slightly) > pictures.psnr(real, badly)
    errors = [pictures.masked_l1(real, fake, EVERYWHERE) for fake in (slightly, badly)]
    assert 0 < errors[0] < errors[1]


def test_blur_lowers_sharpness_and_noise_raises_it() -> None:
    real = textured()
    assert pictures.sharpness(real, distorted("blur", 1.5), EVERYWHERE) < 0.7
    assert pictures.sharpness(real, distorted("noise", 2.0), EVERYWHERE) > 1.3


def test_dssim_is_one_for_opposite_pictures_at_most() -> None:
    board = np.indices((64, 64)).sum(0) % 2
    real = np.repeat((board * 255).astype(np.uint8)[..., None], 3, 2)
    value = pictures.structure(real, 255 - real)["dssim_rgb"]
    assert 0.95 < value <= 1


def test_psnr_of_a_known_error() -> None:
    real = np.full((8, 8, 3), 100, np.uint8)
    assert pictures.psnr(real, real + 5) == pytest.approx(20 * math.log10(255 / 5))


def test_l1_counts_the_mask_alone() -> None:
    real, fake = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    fake[0, 0], fake[3, 3] = 51, 255
    mask = np.zeros((4, 4), bool)
    mask[0, :2] = True
    assert pictures.masked_l1(real, fake, mask) == pytest.approx(0.1)
    assert math.isnan(pictures.masked_l1(real, fake, np.zeros((4, 4), bool)))


def test_flicker_is_what_the_real_video_does_not_do() -> None:
    dark, light = (np.full((4, 4, 3), value, np.uint8) for value in (100, 151))
    everywhere = np.ones((4, 4), bool)
    shaking = pictures.changes((dark, dark), (dark, light), everywhere)
    assert shaking["flicker"] == pytest.approx(0.2)
    following = pictures.changes((dark, light), (dark, light), everywhere)
    assert following["flicker"] == 0
    frozen = pictures.changes((dark, light), (dark, dark), everywhere)
    assert frozen["flicker"] == 0
    assert frozen["change_error"] == pytest.approx(0.2)


def test_iou_by_hand() -> None:
    real, fake = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    real[0, :4] = 5  # upper clothes: 4 pixels, 2 of them shared, 6 in either
    fake[0, 2:] = 5
    fake[1, :2] = 5
    real[3, :2] = 9  # trousers in the real picture only
    values = bodies.labels_seen(real, fake)
    assert values["ssbs"] == pytest.approx(2 / 8)
    assert values["ssis_all"] == pytest.approx((2 / 6) / 19)
    assert values["ssis_present"] == pytest.approx((2 / 6) / 2)


def test_hands_count_as_arms() -> None:
    real = np.full((3, 3), 20, np.uint8)
    assert bodies.labels_seen(real, np.full((3, 3), 14, np.uint8))["ssis_present"] == 1


def test_dense_parts_by_hand() -> None:
    real, fake = np.zeros((2, 4, 3), np.float32), np.zeros((2, 4, 3), np.float32)
    real[0, :, 0], fake[0, :2, 0], fake[0, 2:, 0] = 1, 1, 2
    values = bodies.dense_seen(real, fake)
    assert values["dpbs"] == 1
    assert values["dpis_all"] == pytest.approx(0.5 / 24)
    assert values["dpis_present"] == pytest.approx(0.25)


def test_nothing_in_either_is_not_a_number() -> None:
    empty = np.zeros((3, 3), np.uint8)
    values = bodies.labels_seen(empty, empty)
    assert math.isnan(values["ssbs"])
    assert values["ssis_all"] == 0


def test_a_fake_without_a_person_is_wrong_everywhere() -> None:
    real = made_target(160, 256).skeleton
    values = bodies.joints_seen(real, None, 5000.0)
    assert values == {"pck_05": 0, "pck_10": 0, "oks": 0}


@given(st.floats(0, 0.2))
def test_joints_moved_by_a_share_of_the_height(share: float) -> None:
    real = made_target(160, 256).skeleton
    box = real.box()
    assert box is not None
    moved = real.moved(1.0, share * box.height, 0.0)
    values = bodies.joints_seen(real, moved, 5000.0)
    for limit, name in ((0.05, "pck_05"), (0.10, "pck_10")):
        if abs(share - limit) > 1e-3:
            assert values[name] == (1.0 if share < limit else 0.0)
    assert 0 <= values["oks"] <= 1


def test_oks_of_one_joint_by_hand() -> None:
    body = np.zeros((25, 3), np.float32)
    body[0] = 10, 10, 1  # the nose, and the neck which COCO does not have
    body[1] = 10, 50, 1
    moved = body.copy()
    moved[0, 0] += 3
    value = bodies.joints_seen(Skeleton(body), Skeleton(moved), 400.0)["oks"]
    assert value == pytest.approx(math.exp(-9 / (2 * 400 * (2 * 0.026) ** 2)))


def test_the_crop_is_the_person_with_room_at_the_papers_size() -> None:
    picture = np.zeros((400, 300, 3), np.uint8)
    picture[100:300, 120:180] = 255
    crop = Crop.about(Box(120, 100, 180, 300)).cut(picture)
    assert crop.shape == (512, 320, 3)
    rows = np.flatnonzero(crop[..., 0].max(1) > 127)
    assert len(rows) == pytest.approx(512 / 1.2, abs=2)
    assert rows[0] == pytest.approx(511 - rows[-1], abs=2)


@given(st.floats(20, 60), st.floats(40, 90), st.floats(60, 200))
def test_a_box_lies_in_the_crop_where_its_pixels_do(left: float, top: float, tall: float) -> None:
    crop = Crop.about(Box(left, top, left + tall / 3, top + tall))
    rows, columns = np.mgrid[0:300, 0:200]
    ramp = np.stack([columns, rows % 256, rows // 256], -1).astype(np.uint8)
    there = crop.inside(Box(left, top, left + 1, top + 1))
    x, y = round(there.left), round(there.top)
    if crop.scale >= 1:
        assert abs(int(crop.cut(ramp)[y, x, 0]) - left) < 1.6


def test_means_leave_out_what_is_not_defined() -> None:
    scores = Scores()
    scores.add(0, {"psnr": 20.0})
    scores.add(1, {"psnr": 30.0, "flicker": 0.5})
    scores.add(2, {"psnr": math.nan, "flicker": 0.1})
    assert scores.mean("psnr") == 25
    assert scores.mean("flicker") == pytest.approx(0.3)
    assert [len(column) for column in scores.values.values()] == [3, 3]
    assert math.isnan(scores.mean("fid"))
