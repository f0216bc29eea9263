"""B2F with the photo's own pixels: texture=warp. A departure from the paper (docs/paper.md).

The person's pixels, bent to the pose by `dancecli.warp`, are an input beside the labels, and the
network says where to keep them: z = g · warp(x + flow) + (1 − g) · colour. Untrained, the gate g is
one, the flow and the change of the mask are zero, and z, m are the warp. Gate, flow and mask
act at the canvas's full size, so that the network can work at half of it and stay sharp.
"""

# ruff: noqa: N803, N812 (the paper's and torch's notation)
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.blocks import blend, conv, group_norm, unit
from dance_freestyle.presets import B2FPreset
from dance_freestyle.unet import UNet, sampled, upsampled
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


class TextureDecoder(UNet):
    """A U-Net over labels and texture; the appearance joins at its bottom."""

    def __init__(self, preset: B2FPreset) -> None:
        super().__init__(preset.labels + CHANNELS, preset.unet, preset.style)
        self.preset = preset
        self.heads = Heads(preset.unet[0], preset)

    def forward(self, P_B: Tensor, start: Tensor, texture: Tensor) -> Bent:
        """P_B (N, 27, h, w) at the preset's size, start (N, style, 4, 4), texture on the canvas."""
        small = F.interpolate(premultiplied(texture), P_B.shape[-2:], mode="area")
        x = self.features(torch.cat([P_B, small], 1), start)
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

    heads: what `Heads` makes, at the network's size or half. texture: (N, 6, H, W). small: as
    `Bent` has it. P_B: one-hot labels (N, 27, h, w). least: below which g does not fall.
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
    moved = sampled(premultiplied(texture)[:, :4], flow)
    alpha = moved[:, 3:].clamp(0, 1)
    return moved[:, :3] / alpha.clamp_min(VISIBLE), alpha


def premultiplied(texture: Tensor) -> Tensor:
    """The texture (N, 6, H, W) with its colour times alpha, so that it may be averaged."""
    return torch.cat([texture[:, :3] * texture[:, 3:4], texture[:, 3:]], 1)


def head(P_B: Tensor, preset: B2FPreset) -> Tensor:
    """(N, 1, h, w), 1 on the head and the face's parts."""
    # One by one: a list as an index would be copied to the GPU, which no graph of it may do.
    whole = sum(P_B[:, label : label + 1] for label in APPEARANCE_PARTS[0])
    found: Tensor = P_B[:, preset.first_face_channel :].sum(1, keepdim=True) + whole
    return found
