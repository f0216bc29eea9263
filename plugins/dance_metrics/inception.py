"""Inception v3 as FID wants it (mseitzer/pytorch-fid's port of the 2015 TensorFlow network).

Names are those of its published file. It differs from torchvision's network in its average pools,
which leave the border out, and in the last block, which pools by maximum.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 299
"""Pixels a side of what the network sees."""


class Convolution(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Any = 1, **options: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h', w')."""
        return F.relu(self.bn(self.conv(x)))


def _along(inputs: int, outputs: int, across: int, down: int) -> Convolution:
    """A convolution that keeps the size."""
    return Convolution(
        inputs, outputs, (down, across), padding=(down // 2, across // 2)
    )  # fmt: skip


def _mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _largest(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, 1, 1)


def _halved(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, 2)


class BlockA(nn.Module):
    """Mixed_5b to 5d."""

    def __init__(self, inputs: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(inputs, 64)
        self.branch5x5_1 = Convolution(inputs, 48)
        self.branch5x5_2 = _along(48, 64, 5, 5)
        self.branch3x3dbl_1 = Convolution(inputs, 64)
        self.branch3x3dbl_2 = _along(64, 96, 3, 3)
        self.branch3x3dbl_3 = _along(96, 96, 3, 3)
        self.branch_pool = Convolution(inputs, pool)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, 224 + pool, h, w)."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(_mean(x))], 1)


class BlockB(nn.Module):
    """Mixed_6a."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = Convolution(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = Convolution(inputs, 64)
        self.branch3x3dbl_2 = _along(64, 96, 3, 3)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 288, h, w) to (N, 768, h/2, w/2)."""
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), three, _halved(x)], 1)


class BlockC(nn.Module):
    """Mixed_6b to 6e."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(768, 192)
        self.branch7x7_1 = Convolution(768, width)
        self.branch7x7_2 = _along(width, width, 7, 1)
        self.branch7x7_3 = _along(width, 192, 1, 7)
        self.branch7x7dbl_1 = Convolution(768, width)
        self.branch7x7dbl_2 = _along(width, width, 1, 7)
        self.branch7x7dbl_3 = _along(width, width, 7, 1)
        self.branch7x7dbl_4 = _along(width, width, 1, 7)
        self.branch7x7dbl_5 = _along(width, 192, 7, 1)
        self.branch_pool = Convolution(768, 192)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 768, h, w), as it came."""
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(_mean(x))], 1)


class BlockD(nn.Module):
    """Mixed_7a."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = Convolution(768, 192)
        self.branch3x3_2 = Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Convolution(768, 192)
        self.branch7x7x3_2 = _along(192, 192, 7, 1)
        self.branch7x7x3_3 = _along(192, 192, 1, 7)
        self.branch7x7x3_4 = Convolution(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 768, h, w) to (N, 1280, h/2, w/2)."""
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat([three, self.branch7x7x3_4(seven), _halved(x)], 1)


class BlockE(nn.Module):
    """Mixed_7b and 7c, which differ in their pool."""

    def __init__(self, inputs: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = Convolution(inputs, 320)
        self.branch3x3_1 = Convolution(inputs, 384)
        self.branch3x3_2a = _along(384, 384, 3, 1)
        self.branch3x3_2b = _along(384, 384, 1, 3)
        self.branch3x3dbl_1 = Convolution(inputs, 448)
        self.branch3x3dbl_2 = _along(448, 384, 3, 3)
        self.branch3x3dbl_3a = _along(384, 384, 3, 1)
        self.branch3x3dbl_3b = _along(384, 384, 1, 3)
        self.branch_pool = Convolution(inputs, 192)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, 2048, h, w)."""
        one = self.branch3x3_1(x)
        two = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat(
            [
                self.branch1x1(x), self.branch3x3_2a(one), self.branch3x3_2b(one),
                self.branch3x3dbl_3a(two), self.branch3x3dbl_3b(two),
                self.branch_pool(self.pool(x)),
            ],
            1,
        )  # fmt: skip


class Inception(nn.Module):
    """Pictures to the 2,048 numbers whose distribution FID compares."""

    size = 2048

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = _along(32, 64, 3, 3)
        self.Conv2d_3b_1x1 = Convolution(64, 80)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c = BlockA(192, 32), BlockA(256, 64)
        self.Mixed_5d, self.Mixed_6a = BlockA(288, 64), BlockB(288)
        self.Mixed_6b, self.Mixed_6c = BlockC(128), BlockC(160)
        self.Mixed_6d, self.Mixed_6e = BlockC(160), BlockC(192)
        self.Mixed_7a = BlockD()
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, _mean), BlockE(2048, _largest)

    def forward(self, rgb: Tensor) -> Tensor:
        """(N, 3, h, w) RGB in [0, 1] to (N, 2048)."""
        x = F.interpolate(rgb, (SIDE, SIDE), mode="bilinear", align_corners=False) * 2 - 1
        x = _halved(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = _halved(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        out: Tensor = x.mean((2, 3))
        return out
