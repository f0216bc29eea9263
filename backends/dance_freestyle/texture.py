"""B2F with the photo's own pixels: texture=warp. A departure from the paper (docs/paper.md).

The person's pixels, bent to the pose by `dancecli.warp`, are an input beside the labels, and the
network says where to keep them: z = g · warp(x + flow) + (1 − g) · colour. Untrained, the gate g is
one, the flow and the change of the mask are zero, and z, m are the warp. Gate, flow and mask
act at the canvas's full size, so that the network can work at half of it and stay sharp.
"""

# ruff: noqa: N803, N812 (the paper's and torch's notation)
from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.blocks import (
    NormedResidual,
    blend,
    conv,
    group_norm,
    normed_conv,
    unit,
    unshuffled,
)
from dance_freestyle.presets import B2FPreset
from dancecli.labels import APPEARANCE_PARTS

CHANNELS = 6
"""Of a texture: R, G, B in [-1, 1] (0 where alpha is), alpha, validity in [0, 1], and depth towards
the camera in canvas heights."""

CALM = 0.02
"""Factor before the flow's tanh. A step of Adam moves all of the head's weights, and the flow by
pixels without it: it jumped to its limit at the start and stayed, having no gradient there.
"""

VALIDITY = slice(4, 5)
"""Of a texture's channels: how far the photo shows what is drawn there."""

SHOWN = 0.2
"""Validity from which on the photo shows a pixel well enough to be kept as it is."""

VISIBLE = 0.1
"""Alpha above which a warped pixel has a colour: a quotient by alpha, steep at smaller ones."""


@dataclass(frozen=True, eq=False)
class Bent:
    """z, m and what they were mixed from, all on the canvas.

    z, colour: (N, 3, H, W), [-1, 1]. m, gate: (N, 1, H, W), [0, 1]. flow: (N, 2, H, W), x and y in
    pixels of the preset's canvas. cover: m before it is cut to [0, 1]; change: what it has beyond
    the warp's. small: the texture at the network's size, (N, 6, h, w), colour times alpha.
    """

    z: Tensor
    m: Tensor
    colour: Tensor
    gate: Tensor
    flow: Tensor
    cover: Tensor
    change: Tensor
    small: Tensor


class TextureDecoder(nn.Module):
    """A U-Net over labels and texture; the appearance joins at its bottom."""

    def __init__(self, preset: B2FPreset) -> None:
        super().__init__()
        self.preset = preset
        widths = preset.unet
        steps = list(pairwise(widths))
        self.stem = conv(4 * (preset.labels + CHANNELS), widths[0])
        self.encoder = nn.ModuleList(NormedResidual(width) for width in widths)
        self.downs = nn.ModuleList(normed_conv(a, b, stride=2) for a, b in steps)
        self.bottom = nn.Sequential(
            normed_conv(2 * widths[-1] + preset.style, widths[-1], kernel=1),
            NormedResidual(widths[-1]),
        )
        self.ups = nn.ModuleList(normed_conv(b, a) for a, b in steps)
        self.decoder = nn.ModuleList(NormedResidual(width) for width in widths[:-1])
        self.heads = Heads(widths[0], preset)

    def forward(self, P_B: Tensor, start: Tensor, texture: Tensor) -> Bent:
        """P_B (N, 27, h, w) at the preset's size, start (N, style, 4, 4), texture on the canvas."""
        small = F.interpolate(premultiplied(texture), P_B.shape[-2:], mode="area")
        x = self.stem(unshuffled(torch.cat([P_B, small], 1)))
        kept = []
        for level, block in enumerate(self.encoder):
            x = block(self.downs[level - 1](x) if level else x)
            kept.append(x)
        x = self.bottom(_with_context(kept.pop(), start))
        for up, block in zip(reversed(self.ups), reversed(self.decoder), strict=True):
            skip = kept.pop()
            x = block(up(F.interpolate(x, skip.shape[-2:], mode="nearest")) + skip)
        least = 0.0 if self.training else self.preset.keep_least
        return mix(self.heads(x), texture, small, P_B, self.preset, least)


class Heads(nn.Module):
    """Colour, gate and mask at the network's size, flow at half; all but colour start at zero."""

    def __init__(self, width: int, preset: B2FPreset) -> None:
        super().__init__()
        fine = max(8, width // 4)
        self.max_flow = preset.max_flow
        self.norm = group_norm(width)
        self.flow = conv(width, 2)
        self.expand = conv(width, 4 * fine)
        self.colour = conv(fine, 3)
        self.gate = conv(fine, 1)
        self.mask = conv(fine, 1) if preset.mask == "learned" else None
        for head in (self.flow, self.gate, self.mask):
            if head is not None:
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """From (N, width, h/2, w/2)."""
        x = self.norm(x)
        fine = F.silu(F.pixel_shuffle(self.expand(F.silu(x)), 2))
        change = self.mask(fine) if self.mask else torch.zeros_like(fine[:, :1])
        heads = {
            "colour": torch.tanh(self.colour(fine)),
            "gate": 1 + self.gate(fine),
            "mask": change,
        }
        if self.max_flow or self.training:
            heads["flow"] = self.max_flow * torch.tanh(CALM * self.flow(x))
        return heads


def mix(
    heads: dict[str, Tensor],
    texture: Tensor,
    small: Tensor,
    P_B: Tensor,
    preset: B2FPreset,
    least: float = 0.0,
) -> Bent:
    """z = g · warp(x + flow) + (1 − g) · colour and m = alpha(x + flow) + change, on the canvas.

    small: as `Bent` has it. least: below which g does not fall.
    """
    if preset.max_flow and not preset.head_flow:
        still = F.interpolate(head(P_B, preset), heads["flow"].shape[-2:], mode="area")
        heads = {**heads, "flow": heads["flow"] * (1 - still)}
    # Coordinates lose whole pixels in bfloat16, hence single precision from here on.
    full = {name: upsampled(x.float(), texture) for name, x in heads.items()}
    texture = texture.float()
    moved, alpha = texture[:, :3], texture[:, 3:4]
    if preset.max_flow:
        moved, alpha = bend(texture, full["flow"] * (texture.shape[-2] / preset.canvas[0]))
    gate = unit(full["gate"])
    if preset.keep_seen:
        gate = torch.maximum(gate, unit(texture[:, VALIDITY] / SHOWN))
    gate = gate.clamp_min(least) * (alpha > VISIBLE)
    z = blend(moved, full["colour"], gate)
    cover, change = alpha + full["mask"], full["mask"]
    flow = full["flow"] if "flow" in full else torch.zeros_like(z[:, :2])
    return Bent(z, unit(cover), full["colour"], gate, flow, cover, change, small)


def bend(texture: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (N, 3, H, W) and alpha (N, 1, H, W) of the texture at x + flow (canvas pixels)."""
    height, width = texture.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype) + 0.5
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype) + 0.5
    x = (columns + flow[:, 0]) * (2 / width) - 1
    y = (rows[:, None] + flow[:, 1]) * (2 / height) - 1
    sampled = F.grid_sample(
        premultiplied(texture)[:, :4], torch.stack([x, y], -1), mode="bilinear", align_corners=False
    )
    alpha = sampled[:, 3:].clamp(0, 1)
    return sampled[:, :3] / alpha.clamp_min(VISIBLE), alpha


def premultiplied(texture: Tensor) -> Tensor:
    """The texture with its colour times alpha, so that it may be averaged."""
    return torch.cat([texture[:, :3] * texture[:, 3:4], texture[:, 3:]], 1)


def head(P_B: Tensor, preset: B2FPreset) -> Tensor:
    """(N, 1, h, w), 1 on the head and the face's parts."""
    # One by one: a list as an index would be copied to the GPU, which no graph of it may do.
    whole = sum(P_B[:, label : label + 1] for label in APPEARANCE_PARTS[0])
    found: Tensor = P_B[:, preset.first_face_channel :].sum(1, keepdim=True) + whole
    return found


def _with_context(x: Tensor, start: Tensor) -> Tensor:
    style = F.interpolate(start, x.shape[-2:], mode="bilinear", align_corners=False)
    mean = x.mean((2, 3), keepdim=True).expand_as(x)
    return torch.cat([x, mean, style], 1)


def upsampled(x: Tensor, like: Tensor) -> Tensor:
    """x at the height and width of the other."""
    if x.shape[-2:] == like.shape[-2:]:
        return x
    # Channel by channel: torch takes up to four times as long over two or three at once.
    planes = x.contiguous().flatten(0, 1)[:, None]
    fine = F.interpolate(planes, like.shape[-2:], mode="bilinear", align_corners=False)
    return fine.reshape(*x.shape[:2], *like.shape[-2:])
