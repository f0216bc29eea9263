"""What a network is given on CUDA: fewer and larger kernels, weights in bfloat16, a CUDA graph.

The functions stay the same up to rounding. Only the parts that run for every frame are changed.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dance_freestyle.blocks import Spade, SpadeResBlock
from dance_freestyle.graphs import Graphed

ONCE = ("appearance", "fc", "face")
"""Parts of B2F and FR that run once per person; an embedding stays in single precision."""

CHANNELS = 8
"""Tensor cores take channels by so many; with other counts cuDNN falls back to slower kernels."""


def accelerate(network: Any, bfloat16: bool) -> None:
    """Change P2B, B2F or FR, which is in evaluation mode on CUDA, for the same results sooner.

    bfloat16: keep the weights as autocast wants them, which otherwise converts them every time.
    """
    torch.backends.cudnn.benchmark = True
    fuse(network)
    network.to(memory_format=torch.channels_last)
    if bfloat16:
        _halve(network)
    network.forward = Graphed(network.forward)


def fuse(network: nn.Module) -> None:
    """Fold batch norms, join SPADE's convolutions and align channels, in place."""
    if isinstance(network, nn.Sequential):
        _fold_batch_norms(network)
    for name, part in list(network.named_children()):
        if name in ONCE:
            continue
        if isinstance(part, SpadeResBlock):
            setattr(network, name, JoinedSpadeBlock(part))
        elif isinstance(part, nn.Conv2d):
            setattr(network, name, aligned(part))
        else:
            fuse(part)


def _fold_batch_norms(layers: nn.Sequential) -> None:
    for place in range(len(layers) - 1):
        first, second = layers[place], layers[place + 1]
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            layers[place] = fuse_conv_bn_eval(first, second)
            layers[place + 1] = nn.Identity()


def _halve(network: nn.Module) -> None:
    """Norms stay in single precision, as with autocast."""
    for name, part in network.named_children():
        if name in ONCE:
            continue
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            part.to(torch.bfloat16)
        _halve(part)


def aligned(conv: nn.Conv2d) -> nn.Module:
    """The convolution with its channels filled up by zeros to a multiple of CHANNELS."""
    inputs, outputs = (-n % CHANNELS for n in (conv.in_channels, conv.out_channels))
    return conv if conv.groups > 1 or not (inputs or outputs) else Aligned(conv, inputs, outputs)


class Aligned(nn.Module):
    """A convolution with channels of zeros; those that come out of it are left away."""

    def __init__(self, conv: nn.Conv2d, inputs: int, outputs: int) -> None:
        super().__init__()
        self.outputs = conv.out_channels
        bias = None if conv.bias is None else F.pad(conv.bias.detach(), (0, outputs))
        weight = F.pad(conv.weight.detach(), (0, 0, 0, 0, 0, inputs, 0, outputs))
        self.conv = _with(conv, weight, bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w), or with the channels of zeros already there."""
        out: Tensor = self.conv(filled(x, self.conv))
        return out[:, : self.outputs]


def filled(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """x (N, C, h, w) in the convolution's type, zeros appended up to the channels it takes."""
    return F.pad(x.to(conv.weight.dtype), (0, 0, 0, 0, 0, conv.in_channels - x.shape[1]))


class JoinedSpadeBlock(nn.Module):
    """`SpadeResBlock` that resizes its labels once and computes γ and β together."""

    def __init__(self, block: SpadeResBlock) -> None:
        super().__init__()
        for name in ("spade0", "spade1", *(["spade_s"] if block.learned else [])):
            setattr(block, name, JoinedSpade(getattr(block, name)))
        self.block = block

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """As `SpadeResBlock.forward`; labels (N, L, H, W) of any size."""
        resized = F.interpolate(labels, size=x.shape[-2:], mode="nearest")
        out: Tensor = self.block(x, filled(resized, self.block.spade0.shared))
        return out


class JoinedSpade(nn.Module):
    """`Spade` with γ and β from one convolution, γ with the one that is added to it."""

    def __init__(self, spade: Spade) -> None:
        super().__init__()
        self.norm = spade.norm
        shared, more = spade.shared, -spade.shared.in_channels % CHANNELS
        self.shared = _with(shared, F.pad(shared.weight, (0, 0, 0, 0, 0, more)), shared.bias)
        gamma, beta = spade.gamma, spade.beta
        assert gamma.bias is not None and beta.bias is not None
        both = torch.cat([gamma.weight, beta.weight]), torch.cat([gamma.bias + 1, beta.bias])
        self.both = _with(gamma, *both)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """x (N, C, h, w) to the same; labels: of x's size, with channels for `shared`."""
        scale, shift = self.both(F.relu(self.shared(labels))).chunk(2, 1)
        return torch.addcmul(shift, self.norm(x), scale)


def _with(conv: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """A convolution like another with these weights, which are not trained."""
    made = nn.Conv2d(
        weight.shape[1], weight.shape[0], conv.kernel_size, conv.stride, conv.padding,
        bias=bias is not None, padding_mode=conv.padding_mode, device=weight.device,
    )  # fmt: skip
    made.requires_grad_(False).eval()
    made.weight.copy_(weight)
    if bias is not None and made.bias is not None:
        made.bias.copy_(bias)
    return made
