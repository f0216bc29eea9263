"""What differs between training P2B, B2F and FR: their networks, items and losses."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from numpy.random import Generator
from torch import Tensor, nn

from dance_freestyle import encoders
from dance_freestyle.appearance import PublishedEncoders
from dance_freestyle.b2f import B2F, Painted
from dance_freestyle.discriminators import (
    b2f_discriminator,
    fr_discriminator,
    p2b_discriminator,
)
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B
from dance_freestyle.presets import B2FPreset, FRPreset, P2BPreset
from dance_freestyle.training import batches, objectives
from dance_freestyle.training.batches import Item
from dance_freestyle.training.losses import FacePerceptual
from dance_freestyle.training.objectives import (
    B2FBatch,
    B2FNetworks,
    FRBatch,
    P2BBatch,
    Terms,
)
from dance_freestyle.training.samples import Sample

Batch = dict[str, Tensor]

FACE_LAYERS = 5
"""Layers that equation 18 compares."""


class Task(Protocol):
    """One network in training.

    network, critics: what is trained. judges: losses that keep running means (equation 18).
    frozen: published networks, no part of a checkpoint. absent: terms of the preset that are left
    out, since no network is there to compute their features.
    """

    role: str
    preset: Any
    network: nn.Module
    critics: nn.Module
    judges: nn.ModuleDict
    frozen: nn.ModuleList
    absent: tuple[str, ...]

    def item(self, sample: Sample, rng: Generator) -> Item | None:
        """What a position shows; None where the sample cannot serve (no face)."""

    def forward(self, batch: Batch) -> Any:
        """The network's output for a batch."""

    def generator_terms(self, batch: Batch, output: Any) -> Terms:
        """Weighted losses of the network."""

    def critic_loss(self, batch: Batch, output: Any) -> Tensor:
        """The discriminators' loss."""


class P2BTask:
    """Section 3.1."""

    role = "p2b"
    absent: tuple[str, ...] = ()

    def __init__(self, preset: P2BPreset) -> None:
        self.preset, self.network = preset, P2B(preset)
        self.critics = p2b_discriminator(preset)
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()

    def item(self, sample: Sample, rng: Generator) -> Item:
        """See `batches.p2b_item`."""
        return batches.p2b_item(sample, self.preset, rng)

    def forward(self, batch: Batch) -> Tensor:
        """Logits, equation 3."""
        logits: Tensor = self.network(batch["p_star"], batch["P_S"], batch.get("P_D"))
        return logits.float()

    def generator_terms(self, batch: Batch, output: Tensor) -> Terms:
        """Equation 9."""
        return objectives.p2b_generator(self.preset, self.critics, self._truth(batch), output)

    def critic_loss(self, batch: Batch, output: Tensor) -> Tensor:
        """Least squares."""
        truth = self._truth(batch)
        return objectives.p2b_discriminator_loss(self.preset, self.critics, truth, output)

    def _truth(self, batch: Batch) -> P2BBatch:
        return P2BBatch(batch["p_star"], batch["P_S"], batch.get("P_D"), batch["P_M"])


class B2FTask:
    """Section 3.2."""

    role = "b2f"

    def __init__(self, preset: B2FPreset) -> None:
        """Raises WeightsError when the preset asks for a published encoder that is not here."""
        self.preset, self.network = preset, B2F(preset)
        self.critics = b2f_discriminator(preset)
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()
        weights = preset.loss
        if preset.encoders == "published":
            looks = PublishedEncoders()
            self.frozen.append(looks)
            self.looks: nn.Module = looks
            self.judges["faces"] = FacePerceptual(looks.face, FACE_LAYERS)  # type: ignore[arg-type]
            self.judges["regions"] = FacePerceptual(looks.part, FACE_LAYERS)  # type: ignore[arg-type]
            self.absent: tuple[str, ...] = ()
        else:
            assert self.network.appearance is not None
            self.looks = self.network.appearance
            wanted = {"perceptual": weights.perceptual, "face": weights.face}
            wanted["region"] = weights.region
            self.absent = tuple(name for name, weight in wanted.items() if weight)

    def item(self, sample: Sample, rng: Generator) -> Item:
        """See `batches.b2f_item`."""
        return batches.b2f_item(sample, self.preset, rng)

    def forward(self, batch: Batch) -> Painted:
        """Equations 5 and 6."""
        start = self.network.person(self.looks(batch["images"], batch["present"]))
        painted: Painted = self.network(batch["P_B"], start, batch.get("texture"))
        return painted

    def generator_terms(self, batch: Batch, output: Painted) -> Terms:
        """Equations 13 and 15 to 18."""
        judges = dict(self.judges.items())
        pictures: Any = self.looks.part if self.judges else None
        networks = B2FNetworks(
            self.critics, pictures, judges.get("faces"), judges.get("regions")  # type: ignore[arg-type]
        )  # fmt: skip
        return objectives.b2f_generator(self.preset, networks, self._truth(batch), output)

    def critic_loss(self, batch: Batch, output: Painted) -> Tensor:
        """Equation 14."""
        return objectives.b2f_discriminator_loss(self.critics, self._truth(batch), output)

    def _truth(self, batch: Batch) -> B2FBatch:
        return B2FBatch(
            batch["P_B"], batch["x"], batch["plate"], batch["faces"], batch.get("regions")
        )


class FRTask:
    """Section 3.3."""

    role = "fr"

    def __init__(self, preset: FRPreset) -> None:
        """Raises WeightsError when the preset asks for a published encoder that is not here."""
        self.preset, self.network = preset, FR(preset)
        self.critics = fr_discriminator(preset)
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()
        self.absent: tuple[str, ...] = ()
        if preset.encoders == "published":
            self.face: Any = encoders.vggface2()
            self.frozen.append(self.face)
            self.judges["faces"] = FacePerceptual(self.face, FACE_LAYERS)
        else:
            self.face = self.network.face
            self.absent = ("perceptual",) if preset.loss.perceptual else ()

    def item(self, sample: Sample, rng: Generator) -> Item | None:
        """See `batches.fr_item`."""
        return batches.fr_item(sample, self.preset, rng)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Equation 19."""
        output: tuple[Tensor, Tensor] = self.network(
            batch["c0"], self.face.embed(batch["identity"])
        )
        return output

    def generator_terms(self, batch: Batch, output: tuple[Tensor, Tensor]) -> Terms:
        """FR's terms [15]."""
        judge: Any = self.judges["faces"] if self.judges else None
        return objectives.fr_generator(self.preset, self.critics, judge, self._truth(batch), output)

    def critic_loss(self, batch: Batch, output: tuple[Tensor, Tensor]) -> Tensor:
        """Least squares on c^m."""
        return objectives.fr_discriminator_loss(self.critics, self._truth(batch), output)

    def _truth(self, batch: Batch) -> FRBatch:
        return FRBatch(batch["c0"], batch["truth"])


TASKS: dict[str, Any] = {"p2b": P2BTask, "b2f": B2FTask, "fr": FRTask}


def build(role: str, preset: Any, seed: int) -> Task:
    """A task with networks initialised by the seed.

    Raises WeightsError when a published encoder is missing.
    """
    torch.manual_seed(seed)
    task: Task = TASKS[role](preset)
    return task
