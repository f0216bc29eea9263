"""What of a B2F with the photo's own pixels is shown: in rendering alone, with texture=warp.

A learned mask is soft where the network is unsure, and what it paints there is grey. Nobody wants
to see either, so the warp stays as it is, and only what it surely misses is added.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from dance_freestyle.blocks import dilated, unit
from dance_freestyle.presets import B2FPreset
from dance_freestyle.texture import VISIBLE, Bent
from dance_freestyle.unet import upsampled

RING = 2
"""Pixels of the network's size by which smoothing widens the warp's edge (`_sure`)."""


def shown(bent: Bent, preset: B2FPreset, torn: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """z (N, 3, H, W) and m (N, 1, H, W) on the canvas; as learned where `reach` and `gap` are 0.

    torn: (N, 1, h, w), as `dance_freestyle.tearing.torn` has it; without it whatever lies between
    parts of the warp may be filled. What can be is done at the network's size: at a canvas's it
    takes as long as the network.
    """
    if not (preset.reach or preset.gap):
        return bent.z, bent.m
    alpha = unit(bent.cover - bent.change)
    warped, learned = (F.interpolate(x, preset.size, mode="area") for x in (alpha, bent.m))
    more = _added(_sure(learned, preset.hard), _sure(warped, preset.hard))
    if torn is None:
        torn = _closed(warped, pixels(preset.gap, warped.shape[-2]))
    between = torch.maximum(warped, torn)
    coarse = [more, between]
    spread = preset.spread and preset.mask == "learned"
    if spread:
        coarse.append(continued(bent.small.float()))
    fine = upsampled(torch.cat(coarse, 1), alpha)
    most = torch.maximum(dilated(alpha, pixels(preset.reach, alpha.shape[-2])), fine[:, 1:2])
    m = torch.maximum(alpha, torch.minimum(alpha + fine[:, :1], most))
    return (torch.where(alpha > VISIBLE, bent.z, fine[:, 2:]) if spread else bent.z), m


def pixels(share: float, height: int) -> int:
    """A share of the height, at least one pixel if it is not nothing."""
    return max(1, round(share * height)) if share else 0


def _sure(cover: Tensor, hard: float) -> Tensor:
    """The smoothed mask with `hard` times its contrast about one half."""
    for _ in range(2):
        cover = F.avg_pool2d(cover, 3, 1, 1, count_include_pad=False)
    return unit(0.5 + hard * (cover - 0.5))


def _added(learned: Tensor, warped: Tensor) -> Tensor:
    """What the learned mask has beyond the warp's, up to the warp itself.

    Both are smoothed, so that their difference begins only some pixels off the warp's edge, and the
    plate would shine through between them; along an edge beside which nothing is missing it is 0.
    """
    return torch.minimum(dilated((learned - warped).clamp_min(0), RING), learned)


def _closed(x: Tensor, radius: int) -> Tensor:
    """x, and what lies between parts of it that are less than 2 · radius apart."""
    return -dilated(-dilated(x, radius), radius)


def continued(small: Tensor) -> Tensor:
    """Colours (N, 3, h, w) of a texture times alpha; where it has none those of wider averages."""
    levels = [small[:, :4]]
    while max(levels[-1].shape[-2:]) > 1:
        height, width = levels[-1].shape[-2:]
        levels.append(F.avg_pool2d(F.pad(levels[-1], (0, width % 2, 0, height % 2)), 2))
    filled = levels.pop()
    for level in reversed(levels):
        height, width = level.shape[-2:]
        wider = F.interpolate(filled, scale_factor=2, mode="bilinear", align_corners=False)
        filled = level + (1 - level[:, 3:]) * wider[..., :height, :width]
    return filled[:, :3] / filled[:, 3:].clamp_min(1e-6)
