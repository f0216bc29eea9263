"""Networks of the real kinds, a few channels wide, for tests of dance_freestyle."""

from __future__ import annotations

import torch
from dance_freestyle.b2f import B2F
from dance_freestyle.p2b import one_hot
from dance_freestyle.presets import COMPACT, PAPER, B2FPreset, P2BPreset, Preset
from torch import Tensor, nn

_SMALL = {
    "p2b.size": "64x40", "p2b.ngf": 4, "p2b.downs": 3, "p2b.blocks": 1, "p2b.ndf": 4,
    "b2f.size": "64x40", "b2f.canvas": "64x40", "b2f.channels": "8,8,8,8,4",
    "b2f.spade_hidden": 4, "b2f.encoders": "small", "b2f.crop": 32, "b2f.face_embedding": 8,
    "b2f.part_embedding": 4, "b2f.ndf": 4,
    "fr.size": 64, "fr.encoder": "4,8,8,8,8",
    "fr.start": 8, "fr.latent": 8, "fr.decoder": "8,4,4,4",
    "fr.encoders": "small", "fr.crop": 32, "fr.embedding": 8, "fr.ndf": 4,
    "parser.size": "64x32", "parser.widths": "4,4,8,8,8",
    "embedder.crop": 32, "embedder.widths": "8,8,8,8", "embedder.size": 8,
}  # fmt: skip

TINY_PAPER: Preset = PAPER.with_overrides(_SMALL)
"""The paper's designs: SPADE from an embedding, no texture."""

TINY: Preset = COMPACT.with_overrides(
    {
        **_SMALL,
        "b2f.canvas": "128x80",
        "b2f.unet": "8,8,8",
        "b2f.style": 4,
        "b2f.max_flow": 12,
        "fr.unet": "8,8,8",
        "fr.style": 4,
        "fr.enlarged": 0,
    }
)
"""The compact designs: skips in P2B, a warped photo in B2F at twice the network's size; a flow."""


def count_parameters(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def random_labels(count: int, preset: P2BPreset | B2FPreset) -> Tensor:
    """Whole numbers (N, h, w) below the preset's labels, in blocks, background at the left."""
    height, width = preset.size
    blocks = torch.randint(0, preset.labels, (count, 1, height // 8, width // 8)).float()
    labels = torch.nn.functional.interpolate(blocks, scale_factor=8, mode="nearest")[:, 0]
    labels[..., :8] = 0
    return labels.long()


def p2b_inputs(count: int, preset: P2BPreset) -> tuple[Tensor, Tensor, Tensor]:
    """p^M*, P^S and P^D."""
    pictures = torch.rand(2, count, 3, *preset.size)
    return one_hot(random_labels(count, preset), preset.labels), pictures[0], pictures[1]


def b2f_inputs(count: int, network: B2F) -> tuple[Tensor, Tensor, Tensor]:
    """P^B, the person's start from random parts, and a texture with a soft-edged figure."""
    preset = network.preset
    P_B = one_hot(random_labels(count, preset), preset.labels)
    assert network.appearance is not None
    parts = torch.rand(count, 5, 3, preset.crop, preset.crop)
    start = network.person(network.appearance(parts, torch.ones(count, 5)))
    height, width = preset.canvas
    texture = torch.rand(count, 6, height, width)
    alpha = torch.linspace(-1, 2, width).clamp(0, 1).expand(count, 1, height, width)
    texture = torch.cat([texture[:, :3] * 2 - 1, alpha, texture[:, 4:] - 0.5], 1)
    return P_B, start, texture
