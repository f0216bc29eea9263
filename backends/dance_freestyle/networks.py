"""The networks of one run: read when first needed, made ready to compute, run without gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from dance_freestyle import encoders
from dance_freestyle.accelerate import accelerate
from dance_freestyle.appearance import PublishedEncoders
from dance_freestyle.b2f import B2F
from dance_freestyle.blocks import fold_spectral_norms
from dance_freestyle.bundles import Bundle
from dance_freestyle.checkpoint import read_preset
from dance_freestyle.field_checks import check_shapes
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B
from dance_freestyle.presets import B2FPreset, FRPreset, P2BPreset
from dancecli.device import has_bfloat16, resolve
from dancecli.errors import WeightsError


@dataclass(frozen=True, eq=False)
class Body:
    """What paints the person: P2B, B2F and the encoders of equation 5."""

    p2b: P2B
    b2f: B2F
    appearance: nn.Module


@dataclass(frozen=True, eq=False)
class Refiner:
    """What refines the face: FR and the embedding of equation 19."""

    fr: FR
    face: Any


class Networks:
    """The networks of a bundle, ready to run.

    Their presets are known at once, None for a network that the bundle lacks and for an FR that is
    switched off. Weights are read on first use, so that refining faces reads FR alone. device: as
    torch names it.
    """

    def __init__(
        self, presets: Mapping[str, Any], load: Callable[[str], Any], device: str = "cpu",
        graphs: bool = True,
    ) -> None:  # fmt: skip
        """load: gives the network of a role, or raises WeightsError. graphs: on CUDA."""
        self.graphs = graphs
        self.p2b_preset: P2BPreset | None = presets.get("p2b")
        self.b2f_preset: B2FPreset | None = presets.get("b2f")
        fr: FRPreset | None = presets.get("fr")
        self.fr_preset = fr if fr is not None and fr.use else None
        self.device, self._load = resolve(device), load

    @cached_property
    def body(self) -> Body:
        """Raises WeightsError when P2B, B2F or a published encoder is missing or refused."""
        p2b, b2f = self._load("p2b"), self._load("b2f")
        looks = b2f.appearance if b2f.preset.encoders == "small" else PublishedEncoders()
        p2b, b2f, looks = (_readied(network, self.device) for network in (p2b, b2f, looks))
        return Body(self._hastened(p2b), self._hastened(b2f), looks)

    @cached_property
    def refiner(self) -> Refiner:
        """Raises WeightsError when FR or VGGFace2 is missing or refused."""
        fr = self._load("fr")
        face = fr.face if fr.preset.encoders == "small" else encoders.vggface2()
        fr, face = (_readied(network, self.device) for network in (fr, face))
        return Refiner(self._hastened(fr), face)

    def _hastened(self, network: Any) -> Any:
        """What is run for every frame."""
        if self.device.startswith("cuda") and self.graphs:
            accelerate(network, self._bfloat16)
        return network

    @cached_property
    def _bfloat16(self) -> bool:
        return has_bfloat16(self.device)

    @contextmanager
    def running(self) -> Iterator[None]:
        """No gradients; bfloat16 where the device has it."""
        with (
            torch.inference_mode(),
            torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=self._bfloat16),
        ):
            yield


def open_networks(bundle: Bundle, device: str) -> Networks:
    """The networks of a bundle.

    Raises WeightsError when one of its files is missing or says of itself what cannot be, or when
    poses would lie elsewhere for P2B than for B2F.
    """
    presets = {role: read_preset(path, role) for role, path in bundle.files.items()}
    p2b, b2f = (presets.get(role) for role in ("p2b", "b2f"))
    if p2b and b2f:
        try:
            check_shapes(p2b.size, b2f.canvas)
        except ValueError as error:
            raise WeightsError(f"{bundle.folder}: P2B does not fit its B2F: {error}") from error
    return Networks(presets, bundle.load, device)


def assemble(
    p2b: Any, b2f: Any, fr: Any = None, device: str = "cpu", graphs: bool = True
) -> Networks:
    """Networks for rendering; those given are changed for it (training cannot go on with them).

    Raises WeightsError when their preset asks for a published encoder that is not here.
    """
    given = {"p2b": p2b, "b2f": b2f, **({} if fr is None else {"fr": fr})}
    presets = {role: network.preset for role, network in given.items()}
    networks = Networks(presets, given.__getitem__, device, graphs)
    assert networks.body
    return networks


def _readied(network: Any, device: str) -> Any:
    network.to(device, memory_format=torch.channels_last)
    network.eval().requires_grad_(False)
    fold_spectral_norms(network)
    return network
