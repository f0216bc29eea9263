"""Building blocks of the three generators, each from the work that the paper builds on."""

# ruff: noqa: N812 (the paper's and torch's notation)
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

Padding = Literal["zeros", "reflect"]


def conv(
    inputs: int,
    outputs: int,
    kernel: int = 3,
    stride: int = 1,
    pad: Padding = "zeros",
    bias: bool = True,
) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1."""
    return nn.Conv2d(
        inputs, outputs, kernel, stride, kernel // 2, padding_mode=pad, bias=bias
    )  # fmt: skip


def initialise_normal(module: nn.Module) -> None:
    """Pix2pixHD's start: convolutions N(0, 0.02), batch norm weights N(1, 0.02), biases 0."""
    if _weightless(module):
        return
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(part.weight, 0.0, 0.02)
            _zero(part.bias)
        elif isinstance(part, nn.BatchNorm2d) and part.affine:
            nn.init.normal_(part.weight, 1.0, 0.02)
            _zero(part.bias)


def initialise_xavier(modules: Iterable[nn.Module], gain: float = 0.02) -> None:
    """SPADE's start: xavier with a small gain, biases 0."""
    for part in modules:
        if isinstance(part, nn.Conv2d | nn.Linear) and not _weightless(part):
            nn.init.xavier_normal_(part.weight, gain)
            _zero(part.bias)


def _weightless(module: nn.Module) -> bool:
    """On the meta device, for weights from a file: a draw there would import torch's compiler, a
    matter of one or two seconds."""
    return any(parameter.is_meta for parameter in module.parameters())


def _zero(bias: Tensor | None) -> None:
    if bias is not None:
        nn.init.zeros_(bias)


def fold_spectral_norms(module: nn.Module) -> None:
    """Write normalised weights in place of their parametrization: same outputs, fewer steps."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and parametrize.is_parametrized(part):
            parametrize.remove_parametrizations(part, "weight")


class ResidualBlock(nn.Module):
    """Pix2pixHD's block: x + BN(conv(ReLU(BN(conv(x))))), reflection padding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels, pad="reflect"), nn.BatchNorm2d(channels), nn.ReLU(),
            conv(channels, channels, pad="reflect"), nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        out: Tensor = x + self.body(x)
        return out


def normed_conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution between the levels of a U-Net of `NormedResidual`.

    The norm keeps their sizes: without it they grow a hundredfold in ten steps, and what is small
    beside them (B2F's gate and mask) learns nothing.
    """
    return nn.Sequential(group_norm(inputs), conv(inputs, outputs, kernel, stride))


def group_norm(channels: int) -> nn.GroupNorm:
    """Over eight groups, or as many as divide the channels."""
    return nn.GroupNorm(math.gcd(8, channels), channels)


class NormedResidual(nn.Module):
    """x + conv(act(GN(conv(act(GN(x)))))): group norm, so that small batches train."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            group_norm(channels), nn.SiLU(), conv(channels, channels),
            group_norm(channels), nn.SiLU(), conv(channels, channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same."""
        out: Tensor = x + self.body(x)
        return out


def unshuffled(x: Tensor) -> Tensor:
    """(N, C, 2h, 2w) to (N, 4 C, h, w), as `pixel_unshuffle` does, in a third of its time."""
    count, channels, height, width = x.shape
    cells = x.reshape(count, channels, height // 2, 2, width // 2, 2)
    return cells.permute(0, 1, 3, 5, 2, 4).reshape(count, 4 * channels, height // 2, width // 2)


class Spade(nn.Module):
    """Spatially-adaptive normalisation [33]: BN(x) · (1 + γ(labels)) + β(labels)."""

    def __init__(self, channels: int, labels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = conv(labels, hidden)
        self.gamma = conv(hidden, channels)
        self.beta = conv(hidden, channels)
        initialise_xavier(self.modules())

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """x (N, C, h, w), labels (N, L, H, W) of any size."""
        resized = F.interpolate(labels, size=x.shape[-2:], mode="nearest")
        hidden = F.relu(self.shared(resized))
        out: Tensor = self.norm(x) * (1 + self.gamma(hidden)) + self.beta(hidden)
        return out


class SpadeResBlock(nn.Module):
    """SPADE's residual block [33]: spectral norm on its own convolutions, not inside SPADE."""

    def __init__(self, inputs: int, outputs: int, labels: int, hidden: int) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.spade0 = Spade(inputs, labels, hidden)
        self.spade1 = Spade(middle, labels, hidden)
        self.conv0 = conv(inputs, middle)
        self.conv1 = conv(middle, outputs)
        if inputs != outputs:
            self.spade_s = Spade(inputs, labels, hidden)
            self.conv_s = conv(inputs, outputs, kernel=1, bias=False)
        self.learned = inputs != outputs
        own = [self.conv0, self.conv1, *([self.conv_s] if self.learned else [])]
        initialise_xavier(own)
        for layer in own:
            spectral_norm(layer)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """x (N, inputs, h, w) to (N, outputs, h, w)."""
        shortcut = self.conv_s(self.spade_s(x, labels)) if self.learned else x
        x = self.conv0(F.leaky_relu(self.spade0(x, labels), 0.2))
        x = self.conv1(F.leaky_relu(self.spade1(x, labels), 0.2))
        out: Tensor = shortcut + x
        return out


class SeparableDown(nn.Module):
    """FR's encoder step [15]: depthwise 5×5 at stride 2, pointwise, IN, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 5, 2, 2, groups=inputs)
        self.pointwise = conv(inputs, outputs, kernel=1)
        self.norm = nn.InstanceNorm2d(outputs, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h/2, w/2)."""
        return F.leaky_relu(self.norm(self.pointwise(self.depthwise(x))), 0.2)


class PixelUp(nn.Module):
    """FR's "U" [15]: conv to four times the outputs, IN, LeakyReLU, pixel shuffle by 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv(inputs, 4 * outputs)
        self.norm = nn.InstanceNorm2d(4 * outputs, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, 2h, 2w)."""
        return F.pixel_shuffle(F.leaky_relu(self.norm(self.conv(x)), 0.2), 2)


class LeakyResidual(nn.Module):
    """FR's "R" [15]: x + conv(lrelu(conv(lrelu(x))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = conv(channels, channels)
        self.conv1 = conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same."""
        out: Tensor = x + self.conv1(F.leaky_relu(self.conv0(F.leaky_relu(x, 0.2)), 0.2))
        return out


class _Unit(torch.autograd.Function):
    """See `unit`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,), (gradient,) = ctx.saved_tensors, gradients
        outwards = ((x >= 1) & (gradient < 0)) | ((x <= 0) & (gradient > 0))
        return gradient.masked_fill(outwards, 0)


def unit(x: Tensor) -> Tensor:
    """x of any shape cut to [0, 1]; what lies outside still learns, but only to come back.

    A plain clamp gives no gradient there, so that a pixel that starts at exactly 0 or 1, as those
    of the warp do, could get stuck outside for ever.
    """
    out: Tensor = _Unit.apply(x)  # type: ignore[no-untyped-call]
    return out


def dilated(x: Tensor, radius: int) -> Tensor:
    """The largest of (N, C, H, W) within a square of 2 · radius + 1 pixels.

    By slices of doubled width: torch's max_pool2d takes ten times as long on a processor.
    """
    for axis in (-2, -1):
        margin = (0, 0, radius, radius) if axis == -2 else (radius, radius)
        wide, span = F.pad(x, margin, value=-torch.inf), 1
        while 2 * span <= 2 * radius + 1:
            wide, span = _larger(wide, span, axis), 2 * span
        x = _larger(wide, 2 * radius + 1 - span, axis)
    return x


def _larger(x: Tensor, shift: int, axis: int) -> Tensor:
    kept = x.shape[axis] - shift
    return torch.maximum(x.narrow(axis, 0, kept), x.narrow(axis, shift, kept))


def blend(top: Tensor, bottom: Tensor, mask: Tensor) -> Tensor:
    """Equation 7: top · mask + bottom · (1 − mask); (N, C, H, W), mask (N, 1, H, W), [0, 1]."""
    return torch.lerp(bottom, top, mask.expand_as(top))
