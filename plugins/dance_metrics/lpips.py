"""LPIPS v0.1 (Zhang et al. 2018; richzhang/PerceptualSimilarity): how different two pictures look.

Per layer, features are scaled to unit length over channels; their squared differences are weighted
per channel by the published linear heads, averaged over the picture, and summed over layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""What is subtracted from, and divides, RGB in [-1, 1]."""

_VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512)
"""Outputs of each convolution, 0 for a pooling."""


class Trunk(nn.Module):
    """Convolutions in torchvision's layout, and the positions whose outputs are compared."""

    def __init__(self, layers: Sequence[nn.Module], taps: tuple[int, ...]) -> None:
        super().__init__()
        self.features = nn.Sequential(*layers)
        self.taps = taps

    def forward(self, x: Tensor) -> list[Tensor]:
        """The outputs at the taps, of pictures (N, 3, H, W) less SHIFT, over SCALE."""
        found = []
        for position, layer in enumerate(self.features):
            x = layer(x)
            if position in self.taps:
                found.append(x)
        return found


def vgg16() -> Trunk:
    """VGG-16 up to relu5_3."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs in _VGG16:
        if outputs:
            layers += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU()]
            inputs = outputs
        else:
            layers.append(nn.MaxPool2d(2, 2))
    return Trunk(layers, (3, 8, 15, 22, 29))


class Fire(nn.Module):
    """SqueezeNet's block: squeeze to few channels, expand by 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, few: int, many: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, few, 1)
        self.expand1x1 = nn.Conv2d(few, many, 1)
        self.expand3x3 = nn.Conv2d(few, many, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, 2·many, h, w)."""
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def squeezenet() -> Trunk:
    """SqueezeNet 1.1."""

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    layers = [
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(),
        Fire(64, 16, 64), Fire(128, 16, 64), pool(),
        Fire(128, 32, 128), Fire(256, 32, 128), pool(),
        Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
    ]  # fmt: skip
    return Trunk(layers, (1, 4, 7, 9, 10, 11, 12))


WIDTHS = {"vgg": (64, 128, 256, 512, 512), "squeeze": (64, 128, 256, 384, 384, 512, 512)}
"""Channels at the taps."""


class Lpips(nn.Module):
    """A trunk with its linear heads."""

    def __init__(self, trunk: Trunk, heads: Sequence[Tensor]) -> None:
        """heads: one weight per channel and tap, float32 (C,)."""
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ParameterList(nn.Parameter(head, False) for head in heads)
        self.register_buffer("shift", torch.tensor(SHIFT).view(3, 1, 1), False)
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1), False)

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        """(N,) distances of RGB pictures (N, 3, h, w) in [0, 1]."""
        shift, scale = self.get_buffer("shift"), self.get_buffer("scale")
        seen = [self.trunk(((rgb * 2 - 1) - shift) / scale) for rgb in (one, two)]
        layers = [
            _weighted(a, b, head) for a, b, head in zip(*seen, self.heads, strict=True)
        ]  # fmt: skip
        return torch.stack(layers).sum(0)


def _weighted(one: Tensor, two: Tensor, head: Tensor) -> Tensor:
    differ = (_unit(one) - _unit(two)) ** 2 * head.view(-1, 1, 1)
    return differ.sum(1).mean((1, 2))


def _unit(x: Tensor) -> Tensor:
    """Of length one over channels."""
    length = (x**2).sum(1, keepdim=True).sqrt()
    return x / (length + 1e-10)
