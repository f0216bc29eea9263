"""Generators of other works in plain torch layers: what to be faster than.

Nothing is folded or fused, float32, contiguous. Widths, depths and sizes are a preset's, so that
they have the size of ours.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from itertools import pairwise

import torch
from dance_freestyle.presets import B2FPreset, P2BPreset
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm


class Pix2PixHD(nn.Module):
    """The global generator of Wang et al. 2018, instance norms throughout."""

    def __init__(self, preset: P2BPreset) -> None:
        super().__init__()
        widths = [preset.ngf << step for step in range(preset.downs + 1)]
        layers = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(preset.inputs, widths[0], 7),
            *_normed(widths[0]),
        ]
        for a, b in pairwise(widths):
            layers += [nn.Conv2d(a, b, 3, 2, 1), *_normed(b)]
        layers += [_Residual(widths[-1]) for _ in range(preset.blocks)]
        for a, b in pairwise(widths[::-1]):
            layers += [nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), *_normed(b)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(widths[0], preset.labels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


def _normed(channels: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)]


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), *_normed(width),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.layers(x)
        return out


class SpadeGenerator(nn.Module):
    """The generator of Park et al. 2019 from a latent tensor."""

    def __init__(self, preset: B2FPreset) -> None:
        super().__init__()
        outputs = preset.channels
        inputs = (outputs[0], *outputs)
        self.blocks = nn.ModuleList(
            _SpadeBlock(a, b, preset.labels, preset.spade_hidden)
            for a, b in zip(inputs, outputs, strict=False)
        )
        last = len(outputs) - 1
        self.sizes = [(4, 4)] + [
            (preset.size[0] >> (last - k), preset.size[1] >> (last - k)) for k in range(1, last + 1)
        ]
        self.picture = nn.Conv2d(outputs[-1], 3, 3, padding=1)

    def forward(self, labels: Tensor, x: Tensor) -> Tensor:
        for size, block in zip(self.sizes, self.blocks, strict=True):
            x = block(F.interpolate(x, size=size), labels)
        return torch.tanh(self.picture(F.leaky_relu(x, 0.2)))


class _SpadeNorm(nn.Module):
    def __init__(self, channels: int, labels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = nn.Sequential(nn.Conv2d(labels, hidden, 3, padding=1), nn.ReLU())
        self.gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        hidden = self.shared(F.interpolate(labels, size=x.shape[2:]))
        out: Tensor = self.norm(x) * (1 + self.gamma(hidden)) + self.beta(hidden)
        return out


class _SpadeBlock(nn.Module):
    def __init__(self, a: int, b: int, labels: int, hidden: int) -> None:
        super().__init__()
        middle = min(a, b)
        self.norm0, self.norm1 = _SpadeNorm(a, labels, hidden), _SpadeNorm(middle, labels, hidden)
        self.conv0 = spectral_norm(nn.Conv2d(a, middle, 3, padding=1))
        self.conv1 = spectral_norm(nn.Conv2d(middle, b, 3, padding=1))
        self.learned = a != b
        if self.learned:
            self.norm_s = _SpadeNorm(a, labels, hidden)
            self.conv_s = spectral_norm(nn.Conv2d(a, b, 1, bias=False))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        shortcut = self.conv_s(self.norm_s(x, labels)) if self.learned else x
        x = self.conv0(F.leaky_relu(self.norm0(x, labels), 0.2))
        x = self.conv1(F.leaky_relu(self.norm1(x, labels), 0.2))
        out: Tensor = shortcut + x
        return out
