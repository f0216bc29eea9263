"""SCHP's network: ResNet-101, a pyramid of means, and a decoder that also sees edges (CE2P).

Written from the papers (Ruan et al. 2019, "Devil in the Details"; Li et al. 2020) with the tensor
names of the published files, so that these load as they are. Only what the last output needs is
computed: the edge branch's own maps are for training.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from typing import Any

import torch
from dance_freestyle.encoders import Bottleneck
from torch import Tensor, nn
from torch.nn import functional as F

LEAK = 0.01
"""Slope below zero of the activation that follows a norm outside the trunk."""

BINS = (1, 2, 3, 6)
"""Cells a side of the pyramid's means [PSPNet]."""


class Active(nn.BatchNorm2d):
    """Batch norm and its leaky ReLU: one layer in the files."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w), as it came."""
        return F.leaky_relu(super().forward(x), LEAK)


def point(inputs: int, outputs: int) -> list[nn.Module]:
    """A 1x1 convolution and its norm."""
    return [nn.Conv2d(inputs, outputs, 1, bias=False), Active(outputs)]


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """x (N, C, h, w) at the other's height and width: bilinear, corners on corners."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=True)


def stage(inputs: int, width: int, count: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """`count` blocks, the first of which changes size."""
    blocks = [Bottleneck(inputs, width, stride, dilation, first=False)]
    blocks += [Bottleneck(4 * width, width, 1, dilation) for _ in range(count - 1)]
    return nn.Sequential(*blocks)


class Pyramid(nn.Module):
    """The picture's means over 1, 4, 9 and 36 cells, beside the features themselves."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(side), *point(inputs, outputs)) for side in BINS
        )
        joined = inputs + len(BINS) * outputs
        self.bottleneck = nn.Sequential(
            nn.Conv2d(joined, outputs, 3, padding=1, bias=False), Active(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h, w)."""
        out: Tensor = self.bottleneck(torch.cat([*(enlarged(s(x), x) for s in self.stages), x], 1))
        return out


class Edges(nn.Module):
    """Features of three depths, from which the edges between labels were learned."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (
            nn.Sequential(*point(inputs, 256)) for inputs in (256, 512, 1024)
        )
        self.conv4 = nn.Conv2d(256, 2, 3, padding=1)
        self.conv5 = nn.Conv2d(6, 2, 1)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
        """(N, 768, h, w) of the finest one's size."""
        rest = (self.conv2(middle), self.conv3(coarse))
        return torch.cat([self.conv1(fine), *(enlarged(each, fine) for each in rest)], 1)


class Decoder(nn.Module):
    """Deep features laid over fine ones."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*point(512, 256))
        self.conv2 = nn.Sequential(*point(256, 48))
        self.conv3 = nn.Sequential(*point(304, 256), *point(256, 256))
        self.conv4 = nn.Conv2d(256, classes, 1)

    def forward(self, deep: Tensor, fine: Tensor) -> Tensor:
        """(N, 256, h, w) of the fine one's size."""
        joined = torch.cat([enlarged(self.conv1(deep), fine), self.conv2(fine)], 1)
        out: Tensor = self.conv3(joined)
        return out


class Schp(nn.Module):
    """Equation 1: p^M = HP(I), as logits of the checkpoint's own labels."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, 128, 3, 1, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(128)
        self.layer1 = stage(128, 64, 3)
        self.layer2 = stage(256, 128, 4, stride=2)
        self.layer3 = stage(512, 256, 23, stride=2)
        self.layer4 = stage(1024, 512, 3, dilation=2)
        self.context_encoding = Pyramid(2048, 512)
        self.edge = Edges()
        self.decoder = Decoder(classes)
        # Spelt as in the files. The third layer drops out in training and has no tensors.
        self.fushion = nn.Sequential(*point(1024, 256), nn.Identity(), nn.Conv2d(256, classes, 1))

    def forward(self, bgr: Tensor) -> Tensor:
        """(N, 3, S, S) standardised blue, green, red to (N, classes, s, s), s = (S + 3) // 4."""
        x: Any = F.relu(self.bn1(self.conv1(bgr)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.relu(self.bn3(self.conv3(x)))
        fine = self.layer1(F.max_pool2d(x, 3, 2, 1))
        middle = self.layer2(fine)
        coarse = self.layer3(middle)
        deep = self.context_encoding(self.layer4(coarse))
        joined = torch.cat([self.decoder(deep, fine), self.edge(fine, middle, coarse)], 1)
        out: Tensor = self.fushion(joined)
        return out
