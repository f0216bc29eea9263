"""FR with the photo's own face: photo=on. A departure from the paper (docs/paper.md).

The photo's face, aligned as the generated one is, is bent and lit until it lies on that, and the
mask says where to show it: c = warp(c_I, flow) · (1 + gain) + light. So c is as sharp as the photo
however little the network saw, at any size; what the photo does not show, as an open mouth, stays
the generated face's. Untrained, c is the photo's face and the mask one half.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.blocks import conv, group_norm
from dance_freestyle.presets import FRPreset
from dance_freestyle.unet import UNet, sampled, upsampled

CALM = 0.02
"""Factor before the flow's tanh, as B2F's (`dance_freestyle.texture`)."""

SMOOTH = 2
"""Pixels of the network's maps, half its size, in one of the flow: skin does not crumble."""

COARSE = 2
"""The same of gain and light: nothing sharp is lit."""

WHOLE = 8
"""The same of the mask: eyes, mouth, cheeks. A finer one learned stripes of both faces, which look
like detail."""

MOST_GAIN, MOST_LIGHT = 0.5, 0.7
"""Largest change of contrast, and of brightness where black is -1 and white 1."""


class PhotoDecoder(UNet):
    """A U-Net over both faces; who it is joins at its bottom."""

    def __init__(self, preset: FRPreset) -> None:
        super().__init__(6, preset.unet, preset.style)
        self.size, self.max_flow = preset.size, preset.max_flow
        width = preset.unet[0]
        self.who = nn.Linear(preset.embedding, preset.style)
        self.norm = group_norm(width)
        self.flow, self.light, self.mask = (conv(width, n) for n in (2, 6, 1))
        for head in (self.flow, self.light, self.mask):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]

    def forward(self, c0: Tensor, embedding: Tensor, photo: Tensor) -> tuple[Tensor, Tensor]:
        """As `FR.forward`; the network works at the preset's size, whatever that of the faces."""
        seen = torch.cat([c0, photo], 1)
        if seen.shape[-1] != self.size:
            seen = F.interpolate(seen, (self.size, self.size), mode="area")
        x = F.silu(self.norm(self.features(seen, self.who(embedding)[..., None, None])))
        # Coordinates lose whole pixels in bfloat16, hence single precision from here on.
        flow = self.max_flow * torch.tanh(CALM * F.avg_pool2d(self.flow(x).float(), SMOOTH))
        scale = photo.shape[-1] / self.size
        moved = sampled(photo.float(), upsampled(flow, photo) * scale, "border")
        gain, light = F.avg_pool2d(torch.tanh(self.light(x).float()), COARSE).chunk(2, 1)
        gain, light = (upsampled(each, photo) for each in (gain, light))
        c = moved * (1 + MOST_GAIN * gain) + MOST_LIGHT * light
        mask = F.avg_pool2d(self.mask(x).float(), WHOLE, ceil_mode=True)
        return c.clamp(-1, 1), torch.sigmoid(upsampled(mask, photo))
