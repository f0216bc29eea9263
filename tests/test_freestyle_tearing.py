"""Which gaps of the warped photo may be filled: torn ones, and no openings of the pose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dance_freestyle.presets import COMPACT
from dance_freestyle.showing import shown
from dance_freestyle.tearing import torn
from dance_freestyle.texture import Bent

from dancecli.warp import Warped, puppet

PRESET = COMPACT.with_overrides({"b2f.size": "192x120", "b2f.canvas": "384x240"}).b2f


def bars(left: int, right: int, apart: int = 6) -> Warped:
    """Two upright bars, so many pixels apart, of these layers of a puppet."""
    layer = np.zeros((384, 240), np.uint8)
    layer[100:300, 80 : 120 - apart // 2], layer[100:300, 120 + apart // 2 : 160] = left, right
    alpha = (layer > 0).astype(np.float32)
    colour = np.repeat(alpha[..., None] * np.float32(0.5), 3, 2)
    return Warped(colour, alpha, alpha, layer, np.zeros_like(alpha))


def mask(warped: Warped) -> np.ndarray:
    """m (384, 240) where the network is sure that the person is between the bars, too."""
    alpha = torch.from_numpy(warped.alpha)[None, None]
    learned = alpha.clone()
    learned[..., 100:300, 80:160] = 1
    none = torch.zeros_like(alpha)
    small = torch.zeros(1, 6, 192, 120)
    bent = Bent(none.expand(-1, 3, -1, -1), learned, none, none, none, learned, learned - alpha,
                small)  # fmt: skip
    _, m = shown(bent, PRESET, torch.from_numpy(torn(warped, PRESET))[None])
    return m[0, 0].numpy()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (puppet.LEFT_THIGH, puppet.TORSO_LAYER),
        (puppet.LEFT_FOREARM, puppet.LEFT_UPPER_ARM), (puppet.LEFT_THIGH, puppet.RIGHT_THIGH),
        (puppet.RIGHT_SHIN, puppet.RIGHT_SHIN),
    ],
)  # fmt: skip
def test_a_gap_between_parts_that_meet_is_filled(left: int, right: int) -> None:
    assert mask(bars(left, right))[120:280, 119:121].min() > 0.9


def test_an_arm_opens_from_the_trunk_but_is_not_torn_off_it() -> None:
    slit, opening = (
        mask(bars(puppet.RIGHT_UPPER_ARM, puppet.TORSO_LAYER, apart)) for apart in (4, 8)
    )
    assert slit[120:280, 119:121].min() > 0.6 > 0.1 > opening[120:280, 119:121].max()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (puppet.LEFT_FOREARM, puppet.TORSO_LAYER), (puppet.RIGHT_FOREARM, puppet.RIGHT_THIGH),
        (puppet.LEFT_SHIN, puppet.RIGHT_SHIN), (puppet.LEFT_FOREARM, puppet.RIGHT_FOREARM),
    ],
)  # fmt: skip
def test_the_ground_shows_between_parts_that_do_not(left: int, right: int) -> None:
    warped = bars(left, right)
    shows = mask(warped)
    assert shows[120:280, 119:121].max() < 0.1
    assert shows[warped.alpha > 0].min() == 1


def test_nothing_is_torn_where_nobody_is_and_the_gap_has_a_width() -> None:
    nobody = np.zeros((384, 240), np.float32)
    empty = Warped(
        np.zeros((384, 240, 3), np.float32), nobody, nobody, nobody.astype(np.uint8), nobody
    )
    assert not torn(empty, PRESET).any()
    apart = bars(puppet.LEFT_THIGH, puppet.TORSO_LAYER)
    closed, tight = (
        torn(apart, COMPACT.with_overrides({"b2f.size": "192x120", "b2f.gap": gap}).b2f)
        for gap in (0.015, 0.0)
    )
    assert closed[0, 60:140, 60].min() > 0.9 > 0.1 > tight[0, 60:140, 60].max()
