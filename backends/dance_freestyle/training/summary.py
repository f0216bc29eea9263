"""What a training run would be, counted without data and without allocating its networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dance_freestyle.checkpoint import ROLES
from dance_freestyle.discriminators import (
    b2f_discriminator,
    fr_discriminator,
    p2b_discriminator,
)
from dance_freestyle.parser import HINTS

CRITICS: dict[str, Any] = {
    "p2b": p2b_discriminator,
    "b2f": b2f_discriminator,
    "fr": fr_discriminator,
    "parser": lambda preset: nn.ModuleDict(),
    "embedder": lambda preset: nn.ModuleDict(),
}

BYTES = (20, 16)
"""Per parameter of network and discriminators: weight, gradient, Adam's two, and the average."""


@dataclass(frozen=True)
class Summary:
    """Parameters per part, FLOP of one forward pass of one sample (2 per multiply-add), bytes.

    memory: of weights, gradients, optimisers and average; activations come on top.
    """

    parts: dict[str, int]
    critics: int
    flop: int
    memory: int

    @property
    def parameters(self) -> int:
        """Of the network."""
        return sum(self.parts.values())


def summary(role: str, preset: Any) -> Summary:
    """Counts for one network; nothing is allocated."""
    with torch.device("meta"):
        network, critics = ROLES[role].build(preset), CRITICS[role](preset)
    parts = {name: _count(child) for name, child in network.named_children() if _count(child)}
    judged = _count(critics)
    memory = sum(parts.values()) * BYTES[0] + judged * BYTES[1]
    return Summary(parts, judged, _flop(role, network.eval()), memory)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _flop(role: str, network: nn.Module) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        FORWARD[role](network, network.preset)
    return int(counter.get_total_flops())


def _p2b(network: Any, preset: Any) -> None:
    dense = _zeros(3, *preset.size) if preset.use_dp else None
    network(_zeros(preset.labels, *preset.size), _zeros(3, *preset.size), dense)


def _b2f(network: Any, preset: Any) -> None:
    start = network.person(_zeros(preset.embedding))
    warped = _zeros(6, *preset.canvas) if preset.texture == "warp" else None
    network(_zeros(preset.labels, *preset.size), start, warped)


def _fr(network: Any, preset: Any) -> None:
    face = _zeros(3, preset.size, preset.size)
    network(face, _zeros(preset.embedding), face if preset.photo else None)


def _parser(network: Any, preset: Any) -> None:
    network(_zeros(3, *preset.size), _zeros(HINTS, *preset.size))


def _embedder(network: Any, preset: Any) -> None:
    for _ in range(2):  # a sample is two looks at a face
        network.embed(_zeros(3, preset.crop, preset.crop))


FORWARD = {"p2b": _p2b, "b2f": _b2f, "fr": _fr, "parser": _parser, "embedder": _embedder}
"""What each network computes of one sample."""


def _zeros(*shape: int) -> Tensor:
    return torch.zeros(1, *shape, device="meta")
