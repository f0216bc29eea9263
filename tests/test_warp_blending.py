"""Pieces laid over each other: seams and cracks close, openings of the pose stay."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dancecli.types import FloatArray, UInt8Array
from dancecli.warp.blending import CRACK, blend
from dancecli.warp.raster import Painted

SIZE = 500.0
RED, BLUE = (200, 30, 30), (30, 30, 200)


def piece(alpha: FloatArray, colour: tuple[int, int, int] = RED) -> Painted:
    """All of a canvas of that alpha in one colour."""
    rgba: UInt8Array = np.zeros((*alpha.shape, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = colour, np.rint(255 * alpha)
    everywhere = np.full(alpha.shape, 255, np.uint8)
    return Painted(0, 0, rgba, everywhere, np.zeros(alpha.shape, np.float32))


def ramp(middle: float, width: float) -> FloatArray:
    """Float32 (120, 120), alpha falling from 1 to 0 about a column."""
    columns = np.arange(120, dtype=np.float32)[None].repeat(120, 0)
    return np.clip(0.5 - (columns - middle) / width, 0, 1)


def test_a_seam_between_two_soft_edges_is_closed_in_their_colours() -> None:
    left, right = ramp(58.5, 4), ramp(60.5, 4)[:, ::-1]
    warped = blend([(1, piece(left)), (2, piece(right, BLUE))], 120, 120, SIZE)
    assert (1 - (1 - left) * (1 - right))[60].min() < 0.85, "there is a seam"
    assert warped.alpha[10:110, 10:110].min() > 0.98
    assert np.abs(warped.colour[60, 10:110].sum(-1) - 260 / 255).max() < 0.03, "no dark line"


@pytest.mark.parametrize("degrees", [0, 20, 45, 90])
def test_an_opening_wider_than_a_crack_stays_whatever_its_direction(degrees: float) -> None:
    rows, columns = np.mgrid[:120, :120].astype(np.float32) - 60
    angle = np.radians(degrees)
    across = columns * np.cos(angle) + rows * np.sin(angle)
    for width, closed in ((0.5 * CRACK * SIZE, True), (1.6 * CRACK * SIZE, False)):
        alpha = (np.abs(across) > width / 2).astype(np.float32)
        shown = blend([(1, piece(alpha))], 120, 120, SIZE).alpha
        gap = (alpha == 0) & (np.hypot(rows, columns) < 40)
        assert (shown[gap].mean() > 0.95) if closed else (shown[gap].mean() < 0.2)


def test_soft_hair_stays_as_it_is() -> None:
    rng = np.random.default_rng(0)
    alpha = (ramp(60, 40) * (rng.random((120, 120)) < 0.5)).astype(np.float32)
    alpha[:, :35] = 1
    shown = blend([(1, piece(alpha))], 120, 120, SIZE).alpha
    thin = np.s_[20:100, 62:]
    assert shown[thin].mean() < 1.1 * alpha[thin].mean() + 0.01


def test_a_hole_as_large_as_a_pinhole_may_be_is_filled_with_colour() -> None:
    alpha = np.ones((120, 120), np.float32)
    alpha[50:64, 50:64] = 0
    warped = blend([(3, piece(alpha))], 120, 120, SIZE)
    assert warped.alpha[10:110, 10:110].min() > 0.98
    assert (warped.layer[50:64, 50:64] == 3).all()
    assert np.abs(warped.colour[50:64, 50:64] - np.array(RED) / 255).max() < 0.02


def test_an_outline_has_no_stairs() -> None:
    rows, columns = np.mgrid[:120, :120]
    hard = (3 * columns + rows < 200).astype(np.float32)  # a slanted edge, all or nothing
    warped = blend([(1, piece(hard))], 120, 120, SIZE)
    before, after = (np.abs(np.diff(a[20:100].sum(1))) for a in (hard, warped.alpha))
    assert before.max() == 1 and before.min() == 0
    assert after.std() < 0.8 * before.std()
    assert np.array_equal(warped.alpha > 0, hard > 0)  # it grows nowhere
    red = np.array(RED) / 255
    assert np.abs(warped.colour[warped.alpha > 0] - red).max() < 0.01  # and has no dark rim


def test_a_smudge_ends_in_an_outline_but_not_before_another_piece() -> None:
    wide = ramp(60, 40)  # half a body's head broad
    alone = blend([(1, piece(wide))], 120, 120, SIZE).alpha
    half = np.abs(alone - 0.5) < 0.4
    assert half[60].sum() < 0.5 * (np.abs(wide - 0.5) < 0.4)[60].sum()
    assert np.abs(alone[60].sum() - wide[60].sum()) < 2  # neither larger nor smaller
    body = np.ones_like(wide)
    over = blend([(1, piece(body, BLUE)), (2, piece(wide))], 120, 120, SIZE)
    mixed = np.asarray(wide[60, :, None] * RED + (1 - wide[60, :, None]) * np.array(BLUE)) / 255
    assert np.abs(over.colour[60] - mixed).max() < 0.02


def test_a_veil_stays_as_thin_as_it_is() -> None:
    for thin in (0.35, 0.65):
        veil = np.full((240, 240), thin, np.float32)
        veil[:, :60] = 1
        veil[:, 180:] = 0
        shown = blend([(1, piece(veil))], 240, 240, SIZE).alpha
        assert np.abs(shown[20:220, 80:160] - thin).max() < 0.02


def test_a_rim_that_grows_does_not_jump() -> None:
    """Nor flicker, then, in a dance."""
    rims = [blend([(1, piece(ramp(60, width)))], 120, 120, SIZE).alpha[60]
            for width in np.arange(4, 16, 0.5)]  # fmt: skip
    assert max(np.abs(after - before).max() for before, after in pairwise(rims)) < 0.15


def test_a_soft_outline_stays_as_soft_as_it_is() -> None:
    soft = ramp(60, 0.01 * SIZE)
    shown = blend([(1, piece(soft))], 120, 120, SIZE).alpha
    assert np.abs(shown[10:110] - soft[10:110]).max() < 0.12
