"""The five discriminators: two for P2B, two for B2F, one for FR."""

# ruff: noqa: N812 (the paper's and torch's notation)
from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from dance_freestyle.blocks import initialise_normal, initialise_xavier
from dance_freestyle.presets import B2FPreset, FRPreset, P2BPreset

Features = list[Tensor]
"""What a discriminator computes, layer by layer; the last entry is its map of scores."""


class PatchDiscriminator(nn.Module):
    """Pix2pixHD's PatchGAN [44]: 4×4 convolutions, 64-128-256-512-1, strides 2 2 2 1 1, pad 2."""

    def __init__(self, inputs: int, width: int, spectral: bool) -> None:
        super().__init__()
        widths = (inputs, width, 2 * width, 4 * width, 8 * width)
        layers: list[nn.Module] = []
        for step, (a, b) in enumerate(pairwise(widths)):
            # Instance norm takes any bias away again; SPADE drops it there, pix2pixHD keeps it.
            layer = nn.Conv2d(a, b, 4, 1 if step == 3 else 2, 2, bias=step == 0 or not spectral)
            norm = nn.InstanceNorm2d(b) if step else nn.Identity()
            layers.append(nn.Sequential(layer, norm, nn.LeakyReLU(0.2)))
        layers.append(nn.Conv2d(widths[-1], 1, 4, 1, 2))
        self.layers = nn.ModuleList(layers)
        self._initialise(spectral)

    def _initialise(self, spectral: bool) -> None:
        if not spectral:
            initialise_normal(self)
            return
        initialise_xavier(self.modules())
        for layer in list(self.layers)[1:-1]:
            spectral_norm(layer.get_submodule("0"))

    def forward(self, x: Tensor) -> Features:
        """(N, inputs, H, W) to four feature maps and the scores (N, 1, about H/8, about W/8)."""
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class TwoScales(nn.Module):
    """D_1 on the picture, D_2 on its half; same shape, own weights."""

    def __init__(self, inputs: int, width: int, spectral: bool) -> None:
        super().__init__()
        self.d1 = PatchDiscriminator(inputs, width, spectral)
        self.d2 = PatchDiscriminator(inputs, width, spectral)

    def forward(self, x: Tensor) -> list[Features]:
        """(N, inputs, H, W) to the features of both scales."""
        half = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return [self.d1(x), self.d2(half)]


class FaceDiscriminator(nn.Module):
    """D_FR [15]: four 4×4 convolutions at stride 2, then one to a map of probabilities."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width, 8 * width)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 4, 2, 1),
                nn.LeakyReLU(0.2),
                nn.InstanceNorm2d(b, affine=True) if step else nn.Identity(),
            )
            for step, (a, b) in enumerate(pairwise(widths))
        )
        self.score = nn.Conv2d(widths[-1], 1, 3, 1, 1)
        initialise_normal(self)

    def forward(self, c: Tensor) -> Features:
        """A face (N, 3, S, S), [-1, 1], to four feature maps and scores in [0, 1]."""
        features = []
        for layer in self.layers:
            c = layer(c)
            features.append(c)
        return [*features, self.score(c).sigmoid()]


def p2b_discriminator(preset: P2BPreset) -> TwoScales:
    """Section 3.1.1: judges body maps."""
    return TwoScales(preset.d_inputs, preset.ndf, spectral=False)


def b2f_discriminator(preset: B2FPreset) -> TwoScales:
    """Section 3.2: judges pictures of the person without ground, given the labels."""
    return TwoScales(preset.d_inputs, preset.ndf, spectral=True)


def fr_discriminator(preset: FRPreset) -> FaceDiscriminator:
    """Section 3.3: judges refined faces."""
    return FaceDiscriminator(preset.ndf)
