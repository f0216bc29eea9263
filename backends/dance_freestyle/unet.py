"""The U-Nets of what copies pixels (B2F with texture=warp, FR with photo=on) and of the parser."""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.blocks import NormedResidual, conv, normed_conv, unshuffled


class Levels(nn.Module):
    """The levels of a U-Net, each half as large as the one before; its bottom sees its own mean.

    What comes before and after them is the subclass's. It makes them between the two
    (`_add_levels`): a seed's weights and an optimiser's state follow the order of the modules.
    """

    def _add_levels(self, widths: tuple[int, ...], style: int = 0) -> None:
        """widths: from the largest level down. style: channels that join at the bottom."""
        steps = list(pairwise(widths))
        self.encoder = nn.ModuleList(NormedResidual(width) for width in widths)
        self.downs = nn.ModuleList(normed_conv(a, b, stride=2) for a, b in steps)
        self.bottom = nn.Sequential(
            normed_conv(2 * widths[-1] + style, widths[-1], kernel=1),
            NormedResidual(widths[-1]),
        )
        self.ups = nn.ModuleList(normed_conv(b, a) for a, b in steps)
        self.decoder = nn.ModuleList(NormedResidual(width) for width in widths[:-1])

    def _down(self, x: Tensor) -> list[Tensor]:
        """(N, widths[0], h, w) to the encoder's activations, largest first."""
        kept = []
        for level, block in enumerate(self.encoder):
            x = block(self.downs[level - 1](x) if level else x)
            kept.append(x)
        return kept

    def _up(self, kept: list[Tensor], style: Tensor | None = None) -> Tensor:
        """`_down`'s activations, and a style (N, style, any, any), to (N, widths[0], h, w).

        Takes them out of the list, so that none is in memory longer than it is needed.
        """
        x = self.bottom(_with_context(kept.pop(), style))
        for up, block in zip(reversed(self.ups), reversed(self.decoder), strict=True):
            skip = kept.pop()
            x = block(up(F.interpolate(x, skip.shape[-2:], mode="nearest")) + skip)
        return x


def _with_context(x: Tensor, style: Tensor | None) -> Tensor:
    seen = [x, x.mean((2, 3), keepdim=True).expand_as(x)]
    if style is not None:
        seen.append(F.interpolate(style, x.shape[-2:], mode="bilinear", align_corners=False))
    return torch.cat(seen, 1)


class UNet(Levels):
    """Of pictures at half their size, with a style."""

    def __init__(self, inputs: int, widths: tuple[int, ...], style: int) -> None:
        super().__init__()
        self.stem = conv(4 * inputs, widths[0])
        self._add_levels(widths, style)

    def features(self, seen: Tensor, style: Tensor) -> Tensor:
        """seen (N, inputs, h, w), style (N, style, any, any) to (N, widths[0], h/2, w/2)."""
        return self._up(self._down(self.stem(unshuffled(seen))), style)


def upsampled(x: Tensor, like: Tensor) -> Tensor:
    """x (N, C, h, w) at the height and width of the other, bilinear, corners not aligned."""
    if x.shape[-2:] == like.shape[-2:]:
        return x
    # Channel by channel: torch takes up to four times as long over two or three at once.
    planes = x.contiguous().flatten(0, 1)[:, None]
    fine = F.interpolate(planes, like.shape[-2:], mode="bilinear", align_corners=False)
    return fine.reshape(*x.shape[:2], *like.shape[-2:])


def sampled(x: Tensor, flow: Tensor, beyond: str = "zeros") -> Tensor:
    """A picture (N, C, H, W) at each pixel's place + flow (N, 2, H, W), x and y in its pixels.

    beyond: what lies outside, as `grid_sample` names it: zeros or border.
    """
    height, width = x.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype) + 0.5
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype) + 0.5
    across = (columns + flow[:, 0]) * (2 / width) - 1
    down = (rows[:, None] + flow[:, 1]) * (2 / height) - 1
    places = torch.stack([across, down], -1)
    return F.grid_sample(x, places, mode="bilinear", padding_mode=beyond, align_corners=False)
