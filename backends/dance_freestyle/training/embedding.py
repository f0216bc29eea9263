"""Training the face embedder: two pictures of one face lie nearer than those of two people."""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle import faces
from dance_freestyle.embedder import Embedder
from dance_freestyle.preset_fields import EmbedderPreset
from dance_freestyle.training import appearances, augment, losses, shown
from dance_freestyle.training.batches import Item, drawn_pair, picture, unsigned
from dance_freestyle.training.feeding import Show
from dance_freestyle.training.samples import Sample, Shot
from dance_freestyle.training.shown import Row
from dancecli.types import UInt8Array


def embedder_item(sample: Sample, rng: Generator, preset: EmbedderPreset) -> Item | None:
    """Two looks at a person's face, from two frames where there are two; None without a face."""
    a, b = drawn_pair(sample, rng, 0.0)
    found = [
        face for face in (_face(sample.shot(k), preset, rng) for k in (a, b)) if face is not None
    ]
    if not found:
        return None
    one, two = found[0], found[-1]
    return {"one": _seen(one, rng), "two": _seen(two, rng)}


def _face(shot: Shot, preset: EmbedderPreset, rng: Generator) -> UInt8Array | None:
    if rng.random() < 0.5:
        shot = augment.mirrored(shot)
    return faces.cut_aligned(shot.rgb, shot.skeleton.face, preset.crop)


def _seen(face: UInt8Array, rng: Generator) -> Tensor:
    """As another camera would give it; colours change little, since skin tells people apart."""
    worn = augment.worn(face, rng) if rng.random() < 0.3 else face
    looked = appearances.recoloured(appearances.photographed(worn, rng), rng, 0.4)
    return picture(looked)


class EmbedderTask:
    """Contrast within the batch, both ways (InfoNCE)."""

    role = "embedder"
    fed_by: ClassVar[dict[str, str]] = {}
    absent: tuple[str, ...] = ()

    def __init__(self, preset: EmbedderPreset) -> None:
        self.preset, self.network = preset, Embedder(preset)
        self.critics = nn.ModuleDict()
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()
        self.item: Show = partial(embedder_item, preset=preset)

    def ready(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Faces in [0, 1]."""
        return {name: unsigned(faces) for name, faces in batch.items()}

    def forward(self, batch: dict[str, Tensor], network: Any = None) -> tuple[Tensor, Tensor]:
        """Embeddings of both looks, (N, size) each, of length one."""
        network = network or self.network
        one, two = (network.embed(batch[name]) for name in ("one", "two"))
        return one.float(), two.float()

    def generator_terms(self, batch: dict[str, Tensor], output: Any) -> dict[str, Tensor]:
        """Cross entropy of finding the other look among all of the batch."""
        one, two = output
        alike = one @ two.T / self.preset.temperature
        right = torch.arange(len(one), device=one.device)
        return {"contrast": (F.cross_entropy(alike, right) + F.cross_entropy(alike.T, right)) / 2}

    def critic_loss(self, batch: dict[str, Tensor], output: Any) -> Tensor:
        """There is no critic."""
        return losses.none()

    def rows(self, batch: dict[str, Tensor], output: tuple[Tensor, Tensor]) -> list[Row]:
        """Both looks, and the look of the batch that is found for the first."""
        return shown.embedder_rows(batch, output)
