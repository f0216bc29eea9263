"""B2F, Body2Frame (section 3.2): the person's picture and mask from body map and appearance.

Equation 6: z, m = B2F(P^M, e_z), here with the face labels drawn in (P^B). `SpadeDecoder` is the
paper's; with texture=warp `dance_freestyle.texture` takes its place.
"""

# ruff: noqa: N803, N812 (the paper's and torch's notation)
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.appearance import SmallEncoders
from dance_freestyle.blocks import SpadeResBlock, conv, initialise_xavier
from dance_freestyle.presets import B2FPreset
from dance_freestyle.showing import shown
from dance_freestyle.texture import Bent, TextureDecoder

START = 4
"""Side of the tensor that the fully connected layer makes: 4 x 4 x 1024."""


@dataclass(frozen=True, eq=False)
class Painted:
    """What B2F makes of one batch, on its canvas.

    z: (N, 3, H, W), [-1, 1]. m: (N, 1, H, W), [0, 1]. bent: with texture=warp, what z was mixed
    from, for its losses.
    """

    z: Tensor
    m: Tensor
    bent: Bent | None = None


class B2F(nn.Module):
    """Equation 6. `person` is run once per person, `forward` once per frame."""

    def __init__(self, preset: B2FPreset) -> None:
        super().__init__()
        self.preset = preset
        warped = preset.texture == "warp"
        width = preset.style if warped else preset.channels[0]
        self.appearance = SmallEncoders(preset) if preset.encoders == "small" else None
        self.fc = nn.Linear(preset.embedding, width * START * START)
        if not warped:  # beside a U-Net's features so small a style would hardly be seen
            initialise_xavier([self.fc])
        self.decoder = TextureDecoder(preset) if warped else SpadeDecoder(preset)

    def person(self, e_z: Tensor) -> Tensor:
        """e_z (N, 4096) to the decoder's start, (N, 1024, 4, 4)."""
        start: Tensor = self.fc(e_z)
        return start.reshape(len(e_z), -1, START, START)

    def forward(
        self,
        P_B: Tensor,
        start: Tensor,
        texture: Tensor | None = None,
        torn: Tensor | None = None,
    ) -> Painted:
        """P_B: one-hot labels (N, 27, h, w) of the preset's size. start: from `person`.

        texture: (N, 6, H, W) on the canvas, see `dance_freestyle.texture`; with texture=warp only.
        A canvas of its shape that is smaller than the preset's gives a picture of that size. torn:
        (N, 1, h, w), where its gaps may be filled in rendering, see `dance_freestyle.showing`.
        Raises ValueError where a texture is wanted and not given.
        """
        if isinstance(self.decoder, TextureDecoder):
            if texture is None:
                raise ValueError("this B2F was made with texture=warp and needs the warped photo")
            bent = self.decoder(P_B, start, texture)
            z, m = (bent.z, bent.m) if self.training else shown(bent, self.preset, torn)
            return Painted(z, self._mask(P_B, m), bent)
        # Single precision, as with a texture: what is mixed and compared from here on is.
        z, m = (_resized(x.float(), self.preset.canvas) for x in self.decoder(P_B, start))
        return Painted(z, self._mask(P_B, m))

    def _mask(self, P_B: Tensor, learned: Tensor) -> Tensor:
        if self.preset.mask == "learned":
            return learned
        return F.interpolate(character(P_B), learned.shape[-2:], mode="nearest")


class SpadeDecoder(nn.Module):
    """SPADE's generator in its `most` mode [33], from 4x4 by seven upsamplings to 512x320.

    320 is 5·2⁶, so that the first upsampling goes from 4x4 to 8x5 and six exact doublings follow.
    """

    def __init__(self, preset: B2FPreset) -> None:
        super().__init__()
        outputs = preset.channels
        inputs = (outputs[0], *outputs)
        last = len(outputs) - 1
        self.sizes = [(START, START)] + [
            (preset.size[0] >> (last - step), preset.size[1] >> (last - step))
            for step in range(1, last + 1)
        ]
        self.blocks = nn.ModuleList(
            SpadeResBlock(a, b, preset.labels, preset.spade_hidden)
            for a, b in zip(inputs, outputs, strict=False)
        )
        self.picture = conv(outputs[-1], 3)
        self.mask = conv(outputs[-1], 1) if preset.mask == "learned" else None
        initialise_xavier([self.picture, *([self.mask] if self.mask else [])])

    def forward(self, P_B: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """z (N, 3, h, w) in [-1, 1] and m (N, 1, h, w) in [0, 1], at the preset's size."""
        for size, block in zip(self.sizes, self.blocks, strict=True):
            x = block(_nearest(x, size), P_B)
        x = F.leaky_relu(x, 0.2)
        m = torch.sigmoid(self.mask(x)) if self.mask else character(P_B)
        return torch.tanh(self.picture(x)), m


def character(P_B: Tensor) -> Tensor:
    """P^D+ (N, 1, h, w): the label map after threshold at zero, 1 on the person."""
    return 1 - P_B[:, :1]


def _nearest(x: Tensor, size: tuple[int, int]) -> Tensor:
    return x if x.shape[-2:] == size else F.interpolate(x, size, mode="nearest")


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=False)
