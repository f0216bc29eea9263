"""Training the parser: one crop, seen as if a camera had taken it, and its labels."""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.inputs import parser_hints
from dance_freestyle.parser import Parser
from dance_freestyle.preset_fields import ParserPreset
from dance_freestyle.training import appearances, augment, losses, shown
from dance_freestyle.training.batches import Item, picture, unsigned
from dance_freestyle.training.feeding import Show
from dance_freestyle.training.samples import Sample
from dance_freestyle.training.shown import Row
from dancecli.drawing import hand_labels
from dancecli.types import FloatArray, Skeleton

BLIND = 0.1
"""Share of items without mask and skeleton, so that the encoder reads pictures alone as well."""

REDRESSED, GARMENT = 0.6, 0.6
"""Share of items with other clothes, and of the garments that change there."""

REGROUNDED, OCCLUDED, DROPPED = 0.35, 0.25, 0.06
"""Shares of items with another ground and with things in front, and of joints not found."""


def parser_item(sample: Sample, rng: Generator, preset: ParserPreset) -> Item:
    """A crop's picture and hints as inference sees them, and its labels."""
    shot = augment.fitted(sample.shot(int(rng.integers(sample.count))), preset.size)
    if rng.random() < 0.5:
        shot = augment.mirrored(shot)
    shot = augment.moved(shot, _near_move(rng, preset.size))
    labels, rgb = hand_labels(shot.labels, shot.skeleton), shot.rgb
    if rng.random() < REDRESSED:
        rgb = appearances.redressed(rgb, labels, rng, GARMENT)
    if rng.random() < REGROUNDED:
        rgb = appearances.regrounded(rgb, labels > 0, rng)
    if rng.random() < OCCLUDED:
        rgb, hidden = appearances.occluded(rgb, rng)
        labels = np.where(hidden, 0, labels).astype(np.uint8)
    rgb = appearances.photographed(appearances.recoloured(rgb, rng), rng)
    hints = parser_hints(appearances.segmented(labels > 0, rng), _found(shot.skeleton, rng))
    if rng.random() < BLIND:
        hints = np.zeros_like(hints)
    return {
        "rgb": picture(rgb),
        "hints": picture(hints),
        "labels": torch.from_numpy(labels),
    }


def _near_move(rng: Generator, size: tuple[int, int]) -> augment.Matrix:
    """As `augment.drawn_move`, but often so near that parts of the body are outside."""
    move = augment.drawn_move(rng, size)
    if rng.random() < 0.6:
        return move
    scale = rng.uniform(1.1, 2.2)
    middle = np.array([size[1], size[0]]) * (0.5, rng.uniform(0.15, 0.85))
    near = np.concatenate([np.eye(2) * scale, (middle - scale * middle)[:, None]], axis=1)
    turn = near[:, :2] @ move[:, :2]
    shift = near[:, :2] @ move[:, 2] + near[:, 2]
    return np.concatenate([turn, shift[:, None]], axis=1)


def _found(skeleton: Skeleton, rng: Generator) -> Skeleton:
    """The skeleton without a few of its joints."""

    def thinned(points: FloatArray) -> FloatArray:
        out = points.copy()
        out[rng.random(len(points)) < DROPPED, 2] = 0
        return out

    hands = [
        np.zeros((21, 3), np.float32) if rng.random() < 0.2 else hand
        for hand in (skeleton.left_hand, skeleton.right_hand)
    ]
    return Skeleton(thinned(skeleton.body), hands[0], hands[1], skeleton.face)


class ParserTask:
    """Equation 1's network: cross entropy, without a discriminator."""

    role = "parser"
    fed_by: ClassVar[dict[str, str]] = {}
    absent: tuple[str, ...] = ()

    def __init__(self, preset: ParserPreset) -> None:
        self.preset, self.network = preset, Parser(preset)
        self.critics = nn.ModuleDict()
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()
        self.item: Show = partial(parser_item, preset=preset)

    def ready(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Picture and hints in [0, 1], (N, 3, H, W) and (N, 4, H, W); labels as they are."""
        return {**batch, "rgb": unsigned(batch["rgb"]), "hints": unsigned(batch["hints"])}

    def forward(self, batch: dict[str, Tensor], network: Any = None) -> Tensor:
        """Logits, float32 (N, 22, H, W)."""
        logits: Tensor = (network or self.network)(batch["rgb"], batch["hints"])
        return logits.float()

    def generator_terms(self, batch: dict[str, Tensor], output: Any) -> dict[str, Tensor]:
        """Cross entropy, and one minus the mean Dice of the labels that are there."""
        truth = batch["labels"].long()
        entropy = F.cross_entropy(output, truth, label_smoothing=self.preset.smoothing)
        return {"entropy": entropy, "dice": 0.5 * soft_dice(output, truth)}

    def critic_loss(self, batch: dict[str, Tensor], output: Any) -> Tensor:
        """There is no critic."""
        return losses.none()

    def rows(self, batch: dict[str, Tensor], output: Tensor) -> list[Row]:
        """Picture, hints, labels found and true."""
        return shown.parser_rows(batch, output)


def soft_dice(logits: Tensor, truth: Tensor) -> Tensor:
    """One minus the mean overlap over labels present in the batch: small labels count as much.

    logits: (N, L, H, W). truth: int64 (N, H, W).
    """
    shares = logits.softmax(1)
    wanted = F.one_hot(truth, logits.shape[1]).movedim(-1, 1).to(shares.dtype)
    shared, sums = (shares * wanted).sum((0, 2, 3)), (shares + wanted).sum((0, 2, 3))
    present = wanted.sum((0, 2, 3)) > 0
    # Chosen without counting them, so that memory can be estimated on shapes alone.
    return 1 - (2 * shared / sums.clamp(min=1e-6) * present).sum() / present.sum()
