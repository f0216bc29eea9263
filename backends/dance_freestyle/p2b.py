"""P2B, Pose2Body (section 3.1): the target's body map in the driver's pose, equation 3.

Pix2pixHD's global generator [44] with batch norm in the encoder and instance norm in the decoder.
"""

# ruff: noqa: N803, N812 (the paper's and torch's notation)
from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.blocks import Padding, ResidualBlock, conv, initialise_normal
from dance_freestyle.presets import P2BPreset


class P2B(nn.Module):
    """Equation 3: P^M = σ(P2B(p^M*, P^S, P^D))."""

    def __init__(self, preset: P2BPreset) -> None:
        super().__init__()
        self.preset = preset
        widths = [preset.ngf * 2**step for step in range(preset.downs + 1)]
        self.stem = _encoder_step(preset.inputs, widths[0], 7, 1)
        self.downs = nn.ModuleList(_encoder_step(a, b, 3, 2) for a, b in pairwise(widths))
        self.blocks = nn.Sequential(*(ResidualBlock(widths[-1]) for _ in range(preset.blocks)))
        down = widths[::-1]
        self.ups = nn.ModuleList(_decoder_step(a, b) for a, b in pairwise(down))
        self.head = conv(widths[0], preset.labels, 7, pad="reflect")
        initialise_normal(self)

    def forward(self, p_star: Tensor, P_S: Tensor, P_D: Tensor | None) -> Tensor:
        """Logits a of P^M = σ(a), (N, 22, H, W).

        p_star: target parsing, one-hot (N, 22, H, W). P_S: stick figure (N, 3, H, W), [0, 1].
        P_D: I/24, U, V (N, 3, H, W), [0, 1]; None only where the preset leaves it out.
        """
        x = self.stem(condition(self.preset, p_star, P_S, P_D))
        kept = []
        for down in self.downs:
            kept.append(x)
            x = down(x)
        x = self.blocks(x)
        for up in self.ups:
            x = up(x)
            if self.preset.skips:
                x = x + kept.pop()
        out: Tensor = self.head(x)
        return out


def _encoder_step(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    pad: Padding = "reflect" if stride == 1 else "zeros"
    return nn.Sequential(
        conv(inputs, outputs, kernel, stride, pad), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _decoder_step(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1),
        nn.InstanceNorm2d(outputs), nn.ReLU(),
    )  # fmt: skip


def condition(
    preset: P2BPreset,
    p_star: Tensor,
    P_S: Tensor,
    P_D: Tensor | None,
) -> Tensor:
    """What P2B sees, (N, 28, H, W): p^M*, P^S and P^D stacked, without P^D where it is off.

    Raises ValueError where P^D is on and not given.
    """
    parts = [p_star, P_S]
    if preset.use_dp:
        if P_D is None:
            raise ValueError("this P2B was made with use_dp=on and needs a dense map")
        parts.append(P_D)
    return torch.cat(parts, 1)


def one_hot(labels: Tensor, count: int) -> Tensor:
    """Labels (N, H, W), integers below `count`, as float (N, count, H, W)."""
    return F.one_hot(labels.long(), count).movedim(-1, 1).float()


def hard_labels(logits: Tensor) -> Tensor:
    """Uint8 (N, H, W): the strongest label per pixel, what B2F is given."""
    return logits.argmax(1).to(torch.uint8)
