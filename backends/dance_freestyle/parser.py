"""The human parser HP of equation 1, small enough to ship: a U-Net over picture, mask and skeleton.

The paper takes a published parser; none may be used freely (docs/paper.md). This one sees what the
pose and mask plugins found besides the picture, so that it need not find the person itself, and its
encoder doubles as the feature network of equation 16.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.blocks import conv, group_norm
from dance_freestyle.preset_fields import ParserPreset
from dance_freestyle.unet import Levels
from dancecli.labels import BODY_LABELS

HINTS = 4
"""Channels beside the picture: the person's mask and the stick figure's red, green and blue."""


class Parser(Levels):
    """Equation 1: p^M = HP(I), as logits."""

    def __init__(self, preset: ParserPreset) -> None:
        super().__init__()
        self.preset = preset
        widths = preset.widths
        self.picture = conv(4 * 3, widths[0])
        self.hints = conv(4 * HINTS, widths[0])
        self._add_levels(widths)
        self.head = nn.Sequential(
            group_norm(widths[0]), nn.SiLU(), conv(widths[0], 4 * BODY_LABELS)
        )

    def forward(self, rgb: Tensor, hints: Tensor | None = None) -> Tensor:
        """Logits (N, 22, H, W) of a crop about the person, as in training.

        rgb: (N, 3, H, W) in [0, 1]. hints: (N, 4, H, W), mask and stick figure in [0, 1]; None
        where nothing is known.
        """
        x = self._up(self._encoded(rgb, hints))
        out: Tensor = F.pixel_shuffle(self.head(x), 2)
        return out

    def features(self, rgb: Tensor) -> list[Tensor]:
        """The encoder's activations of a picture alone: what equation 16 compares.

        rgb: (N, 3, H, W) in [0, 1]. (N, widths[k], H / 2^(k + 1), W / 2^(k + 1)) for each level k.
        """
        return self._encoded(rgb, None)

    def _encoded(self, rgb: Tensor, hints: Tensor | None) -> list[Tensor]:
        x = self.picture(F.pixel_unshuffle(rgb * 2 - 1, 2))
        if hints is not None:
            x = x + self.hints(F.pixel_unshuffle(hints, 2))
        return self._down(x)
