"""The default inpainter: fills, leaves the rest alone, repeats itself, stays within bounds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from dance_opencv.candidates import along_rows, from_border, guess, surprise
from dance_opencv.inpaint import OpenCVInpainter, _gradients
from dance_opencv.labelling import _settled
from dance_opencv.level import Level, places
from dance_opencv.shifts import _exact
from hypothesis import given, settings
from hypothesis import strategies as st

from dancecli.errors import PluginError
from dancecli.stages import INTERFACE_VERSION, Inpainter, Settings
from dancecli.types import Frame

MEDIA = Path(os.environ.get("DANCE_TEST_MEDIA", Path(__file__).parents[2] / "shared" / "media"))


def person_shaped(height: int, width: int, share: float = 0.7) -> np.ndarray:
    """A standing figure, uint8 0 or 255."""
    hole = np.zeros((height, width), np.uint8)
    tall, x, top = share * height, width // 2, round((1 - share) / 2 * height)
    cv2.ellipse(hole, (x, round(top + 0.55 * tall)), (round(tall * 0.13), round(tall * 0.45)),
                0, 0, 360, 255, -1)  # fmt: skip
    cv2.circle(hole, (x, round(top + 0.1 * tall)), round(tall * 0.1), 255, -1)
    return hole


def inpaint(rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
    return OpenCVInpainter(Settings()).inpaint(Frame(rgb), hole).rgb


def landscape(height: int, width: int) -> np.ndarray:
    """A bright sky over a darker ground, with texture."""
    rng = np.random.default_rng(0)
    rgb = np.full((height, width, 3), (150, 190, 230), np.float32)
    rgb[height // 2 :] = (90, 110, 60)
    rgb += cv2.GaussianBlur(rng.normal(0, 30, rgb.shape).astype(np.float32), (0, 0), 1.5)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def test_it_is_an_inpainter_of_this_interface() -> None:
    plugin = OpenCVInpainter(Settings())
    assert isinstance(plugin, Inpainter)
    assert plugin.INTERFACE_VERSION == INTERFACE_VERSION and plugin.COMMERCIAL is True


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_any_hole_is_taken_and_the_rest_is_left_alone(
    height: int, width: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    hole = (rng.random((height, width)) < share).astype(np.uint8) * 255
    before = rgb.copy()
    out = inpaint(rgb, hole)
    assert out.shape == rgb.shape and out.dtype == np.uint8
    assert np.array_equal(out[hole == 0], rgb[hole == 0])
    assert np.array_equal(rgb, before)


def test_nothing_of_the_person_is_left_and_horizon_and_texture_go_on() -> None:
    rgb, hole = landscape(240, 320), person_shaped(240, 320)
    painted = rgb.copy()
    painted[hole > 0] = (255, 0, 255)
    out = inpaint(painted, hole).astype(int)
    inside = hole > 0
    assert (np.abs(out - (255, 0, 255)).sum(-1)[inside] > 100).all()
    sky, ground = inside.copy(), inside.copy()
    sky[112:], ground[:128] = False, False
    assert np.abs(out[sky].mean(0) - (150, 190, 230)).max() < 12
    assert np.abs(out[ground].mean(0) - (90, 110, 60)).max() < 12
    detail = cv2.Laplacian(out.astype(np.float32), cv2.CV_32F)
    assert np.abs(detail[ground]).mean() > 0.4 * np.abs(detail[~inside]).mean()


@pytest.mark.parametrize("size", [(1066, 1599), (731, 997)])
def test_nothing_of_the_person_is_left_in_photos_that_are_filled_at_another_size(
    size: tuple[int, int],
) -> None:
    rgb, hole = landscape(*size), person_shaped(*size)
    painted = rgb.copy()
    painted[hole > 0] = (255, 0, 255)
    left = np.abs(inpaint(painted, hole).astype(int) - (255, 0, 255)).sum(-1) < 100
    assert not left[hole > 0].any()


def test_specks_and_scratches_take_the_colours_beside_them() -> None:
    rgb = np.linspace(40, 220, 480)[None, :, None] * np.ones((320, 1, 3))
    rgb = rgb.round().astype(np.uint8)
    specks = np.random.default_rng(3).random((320, 480)) < 0.3
    scratches = np.zeros((320, 480), bool)
    scratches[:, ::16] = True
    for missing in (specks, scratches):
        painted = np.where(missing[..., None], np.uint8(0), rgb)
        out = inpaint(painted, missing.astype(np.uint8) * 255).astype(int)
        assert np.abs(out - rgb)[missing].mean() < 2


def test_the_border_offers_the_shift_by_which_the_picture_repeats_itself() -> None:
    rng = np.random.default_rng(6)
    tile = cv2.GaussianBlur(rng.random((60, 40, 3)).astype(np.float32), (0, 0), 1.0)
    image = np.tile(tile, (1, 3, 1))
    hole = np.zeros(image.shape[:2], bool)
    hole[20:40, 52:68] = True
    best = from_border(Level(image, hole))[:2].tolist()
    assert sorted(best) == [[0, -40], [0, 40]]


def test_rows_bring_every_cell_something_that_looks_as_guessed() -> None:
    image = np.repeat(np.linspace(0.1, 0.9, 48, dtype=np.float32)[:, None], 80, 1)
    level = Level(np.repeat(image[..., None], 3, 2), np.zeros((48, 80), bool))
    level.hole[8:40, 30:50] = True
    nothing_unsafe = level.hole.copy()
    expected = guess(level)
    assert np.abs(expected - level.image)[level.hole].max() < 0.03
    shifts = along_rows(level, nothing_unsafe, expected)
    at = np.argwhere(level.hole).astype(np.int32)
    cost, safe = surprise(level, nothing_unsafe, expected, at, shifts)
    assert (safe & (cost < 0.02)).any(1).all()


def test_labels_of_least_cost_are_found_on_a_small_grid() -> None:
    rng = np.random.default_rng(4)
    index = np.arange(9).reshape(3, 3)
    for _ in range(5):
        unary = rng.random((9, 2)).astype(np.float32)
        seams = rng.random((9, 1, 1)) * np.array([[0, 1], [1, 0]]) * 0.3

        def cost(labels: Sequence[int], unary: np.ndarray, seams: np.ndarray) -> float:
            total = float(unary[np.arange(9), list(labels)].sum())
            for a, b in [*zip(index[:, :-1].flat, index[:, 1:].flat, strict=True),
                         *zip(index[:-1].flat, index[1:].flat, strict=True)]:  # fmt: skip
                x, y = labels[a], labels[b]
                total += seams[a, x, y] + seams[b, x, y]
            return total

        best = min(cost(labels, unary, seams) for labels in product((0, 1), repeat=9))
        found = _settled(unary, seams.astype(np.float32), index)
        assert cost(found.tolist(), unary, seams) == pytest.approx(best, rel=0.02)


def test_a_shift_found_on_cells_is_brought_to_the_pixel() -> None:
    rng = np.random.default_rng(5)
    tile = cv2.GaussianBlur(rng.random((120, 50, 3)).astype(np.float32), (0, 0), 1.5)
    image = np.concatenate([tile, tile, tile], axis=1)
    hole = np.zeros(image.shape[:2], bool)
    hole[40:80, 60:90] = True
    exact = _exact(Level(image, hole), np.where(hole, 0, -1), np.array([[2, 47]], np.int32), 4)
    assert exact.tolist() == [[0, 50]]


def test_the_edge_of_a_thing_that_a_seam_cuts_does_not_glow() -> None:
    image = np.full((9, 12, 3), 0.5, np.float32)
    image[:, :3] = 1.0  # bright, beside what is copied to the left of the seam
    hole = np.zeros((9, 12), bool)
    hole[2:7, 5:9] = True
    taken = places(9, 12)
    taken[2:7, 5:7, 1] -= 2  # columns 3 and 4, right of the bright ones
    taken[2:7, 7:9, 1] += 3
    copied = image[taken[..., 0], taken[..., 1]]
    gradients = _gradients(Level(image, hole), copied, taken)
    assert not gradients[3:6, 4:9].any()


def test_no_outline_remains_on_a_wall_with_a_gradient() -> None:
    wall = np.linspace(90, 200, 300)[None, :, None] * np.ones((260, 1, 3))
    rgb, hole = wall.round().astype(np.uint8), person_shaped(260, 300)
    painted = rgb.copy()
    painted[hole > 0] = 0
    out = inpaint(painted, hole).astype(int)
    assert np.abs(out - wall)[hole > 0].mean() < 4
    assert np.abs(np.diff(out, axis=1)).max() <= 8 and np.abs(np.diff(out, axis=0)).max() <= 8


def test_the_same_call_gives_the_same_bits_from_any_thread_count() -> None:
    rgb, hole = landscape(200, 300), person_shaped(200, 300)
    first = inpaint(rgb, hole)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        assert np.array_equal(inpaint(rgb, hole), first)
    finally:
        cv2.setNumThreads(threads)


def test_a_fence_goes_on_behind_the_person_as_sharp_as_it_is() -> None:
    column = np.tile(np.repeat(np.array([60, 200]), 6), 40)[:360]
    fence = np.broadcast_to(column[None, :, None], (240, 360, 3)).astype(np.uint8).copy()
    fence[:80] = (150, 190, 230)
    hole = person_shaped(240, 360)
    painted = fence.copy()
    painted[hole > 0] = (255, 0, 255)
    out = inpaint(painted, hole).astype(int)
    inside = (hole > 0) & (np.arange(240) > 90)[:, None]
    assert np.abs(out - fence)[inside].mean() < 15
    edges = np.abs(np.diff(out.mean(2), axis=1, append=0))
    assert edges[inside].mean() > 0.8 * np.abs(np.diff(column)).mean()


def test_things_that_stand_elsewhere_are_not_put_on_an_empty_wall() -> None:
    rng = np.random.default_rng(2)
    wall = np.full((260, 400, 3), 180.0) + rng.normal(0, 3, (260, 400, 3))
    rgb = np.clip(wall, 0, 255).astype(np.uint8)
    for left in (20, 340):  # a red box on either side
        rgb[120:200, left : left + 40] = (200, 30, 30)
    hole = person_shaped(260, 400)
    painted = rgb.copy()
    painted[hole > 0] = 0
    out = inpaint(painted, hole).astype(int)
    assert np.abs(out - 180)[hole > 0].max() < 40


def test_large_photos_are_searched_at_a_bounded_size_and_keep_their_grain() -> None:
    rng = np.random.default_rng(1)
    rgb = np.clip(rng.normal(128, 20, (1500, 2000, 3)), 0, 255).astype(np.uint8)
    hole = person_shaped(1500, 2000, 0.6)
    painted = rgb.copy()
    painted[hole > 0] = 255
    out = inpaint(painted, hole)
    assert out[hole > 0].std() == pytest.approx(20, rel=0.4)
    assert abs(out[hole > 0].mean() - 128) < 5


def test_nothing_to_fill_and_nothing_known() -> None:
    rgb = landscape(40, 50)
    assert np.array_equal(inpaint(rgb, np.zeros((40, 50), np.uint8)), rgb)
    out = inpaint(rgb, np.full((40, 50), 255, np.uint8))
    assert len(np.unique(out.reshape(-1, 3), axis=0)) == 1


def test_a_hole_of_another_size_is_refused() -> None:
    with pytest.raises(PluginError, match=r"hole is 50x40 but the frame is 60x40"):
        inpaint(landscape(40, 60), np.zeros((40, 50), np.uint8))


@pytest.mark.skipif(not MEDIA.is_dir(), reason="test media not present")
def test_a_hidden_part_of_a_real_room_is_guessed_better_than_by_smearing() -> None:
    bgr = cv2.imread(str(MEDIA / "background_room.jpg"))
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    hole = np.roll(person_shaped(*rgb.shape[:2], 0.6), -200, axis=1)
    smeared = cv2.inpaint(rgb, hole, 5, cv2.INPAINT_TELEA)

    def error(picture: np.ndarray) -> float:
        return float(np.abs(picture.astype(int) - rgb)[hole > 0].mean())

    assert error(inpaint(rgb, hole)) < 0.8 * error(smeared)
