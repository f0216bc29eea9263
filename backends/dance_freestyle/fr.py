"""FR, the face refinement network (section 3.3): equations 8 and 19.

`Autoencoder` is the paper's, of the de-identification network [15]: the encoder reads pose,
expression and light from the generated face, VGGFace2 of the photo's face says who it should be.
With `photo` `dance_freestyle.restoring` takes its place.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.blocks import LeakyResidual, PixelUp, SeparableDown, blend, conv
from dance_freestyle.encoders import SmallEncoder
from dance_freestyle.presets import FRPreset
from dance_freestyle.restoring import PhotoDecoder

SKIP = 32
"""Side at which a one-channel skip joins encoder and decoder."""

START = 4
"""Side of the tensor that the decoder begins with."""


class FR(nn.Module):
    """Equation 19: c, m^c = FR(c_I, c⁰), with c_I given by its embedding, and by itself."""

    def __init__(self, preset: FRPreset) -> None:
        super().__init__()
        self.preset = preset
        self.decoder = PhotoDecoder(preset) if preset.photo else Autoencoder(preset)
        small = preset.encoders == "small"
        self.face = SmallEncoder(preset.embedding) if small else None

    def forward(
        self, c0: Tensor, embedding: Tensor, photo: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """c (N, 3, S, S) in [-1, 1] and m^c (N, 1, S, S) in [0, 1].

        c0: the generated face, aligned, (N, 3, S, S), [-1, 1]. embedding: VGGFace2(c_I), (N, 2048).
        photo: c_I like c0, with `photo` alone; S may then be any multiple of the preset's size.
        Raises ValueError where a photo is wanted and not given.
        """
        if isinstance(self.decoder, PhotoDecoder):
            if photo is None:
                raise ValueError("this FR was made with photo=on and needs the photo's face")
            return self.decoder(c0, embedding, photo)
        c, mask = self.decoder(c0, embedding)
        return c, mask


class Autoencoder(nn.Module):
    """From c⁰ through a narrow code, which the embedding joins, to a face painted anew."""

    def __init__(self, preset: FRPreset) -> None:
        super().__init__()
        widths = preset.encoder
        self.stem = conv(3, widths[0], 5)
        self.downs = nn.ModuleList(SeparableDown(a, b) for a, b in pairwise(widths))
        self.skip_after = int(math.log2(preset.size // SKIP))
        self.skip = conv(widths[self.skip_after], 1, 1)
        side = preset.size >> len(self.downs)
        self.squeeze = nn.Linear(widths[-1] * side * side, preset.latent)
        self.expand = nn.Linear(preset.latent + preset.embedding, preset.start * START * START)
        self.ups, self.residuals = self._decoder(preset)
        self.picture = conv(preset.decoder[-1], 3, 5)
        self.mask = conv(preset.decoder[-1], 1, 5)

    def _decoder(self, preset: FRPreset) -> tuple[nn.ModuleList, nn.ModuleList]:
        ups, width, side = nn.ModuleList(), preset.start, START
        for outputs in preset.decoder:
            ups.append(PixelUp(width, outputs))
            side *= 2
            width = outputs + (side == SKIP)
        return ups, nn.ModuleList(LeakyResidual(width) for width in preset.decoder)

    def forward(self, c0: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """As `FR.forward`, without the photo."""
        x = F.leaky_relu(self.stem(c0), 0.2)
        skip = x
        for step, down in enumerate(self.downs, 1):
            x = down(x)
            if step == self.skip_after:
                skip = x
        code = torch.cat([self.squeeze(x.flatten(1)), embedding], 1)
        x = self.expand(code).unflatten(1, (-1, START, START))
        for up, residual in zip(self.ups, self.residuals, strict=True):
            x = residual(up(x))
            if x.shape[-1] == SKIP:
                x = torch.cat([x, self.skip(skip)], 1)
        return torch.tanh(self.picture(x)), torch.sigmoid(self.mask(x))


def refined(c: Tensor, mask: Tensor, c0: Tensor) -> Tensor:
    """c^m = m^c · c + (1 − m^c) · c⁰: faces (N, 3, S, S), m^c (N, 1, S, S) in [0, 1]."""
    return blend(c, c0, mask)
