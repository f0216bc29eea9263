"""The networks of one run: read from a bundle, made ready to compute, and run without gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import nn

from dance_freestyle import encoders
from dance_freestyle.appearance import PublishedEncoders
from dance_freestyle.b2f import B2F
from dance_freestyle.blocks import fold_spectral_norms
from dance_freestyle.checkpoint import find_bundle, read_bundle
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B
from dancecli.device import resolve


@dataclass(frozen=True, eq=False)
class Networks:
    """P2B, B2F, the encoders of equation 5, FR and the face embedding of equation 19, ready to run.

    fr, face: None where faces are not refined. device: as torch names it.
    """

    p2b: P2B
    b2f: B2F
    appearance: nn.Module
    fr: FR | None = None
    face: Any = None
    device: str = "cpu"

    @contextmanager
    def running(self) -> Iterator[None]:
        """No gradients; bfloat16 on CUDA, where that is several times faster."""
        cuda = self.device.startswith("cuda")
        with (
            torch.inference_mode(),
            torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=cuda),
        ):
            yield


def open_networks(weights: str | None, device: str) -> Networks:
    """The networks of the bundle that --weights names.

    Raises WeightsError when it, one of its files, or a published encoder is missing or refused.
    """
    bundle = read_bundle(find_bundle(weights))
    fr: Any = bundle.load("fr") if "fr" in bundle.files else None
    p2b, b2f = bundle.load("p2b"), bundle.load("b2f")
    return assemble(p2b, b2f, fr, device)


def assemble(p2b: Any, b2f: Any, fr: Any = None, device: str = "cpu") -> Networks:
    """Networks for rendering; those given are changed for it (training cannot go on with them).

    Raises WeightsError when their preset asks for a published encoder that is not here.
    """
    looks = b2f.appearance if b2f.preset.encoders == "small" else PublishedEncoders()
    fr = fr if fr is not None and fr.preset.use else None
    face = None
    if fr is not None:
        face = fr.face if fr.preset.encoders == "small" else encoders.vggface2()
    found = Networks(p2b, b2f, looks, fr, face, resolve(device))
    for each in fields(found):
        network = getattr(found, each.name)
        if isinstance(network, nn.Module):
            _readied(network, found.device)
    return found


def _readied(network: nn.Module, device: str) -> None:
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.eval().requires_grad_(False)
    fold_spectral_norms(network)
