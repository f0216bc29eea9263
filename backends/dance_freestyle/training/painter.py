"""A trained B2F that paints faces for FR to refine: FR learns the faults it will meet.

The frozen network paints the sample's own labels as it would in rendering (P2B has no part in it),
the picture is laid over the ground, rounded to 8 bits and the face cut out of it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dance_freestyle import faces
from dance_freestyle.appearance import PublishedEncoders
from dance_freestyle.b2f import B2F
from dance_freestyle.blocks import blend, fold_spectral_norms
from dance_freestyle.p2b import one_hot
from dance_freestyle.training.batches import signed, unsigned
from dance_freestyle.training.checkpoints import fingerprint


class Painter(nn.Module):
    """B2F without gradients, from labels to faces."""

    def __init__(self, network: B2F) -> None:
        """Raises WeightsError when the preset asks for a published encoder that is not here."""
        super().__init__()
        self.preset, self.name = network.preset, fingerprint(network)
        self.network = network
        self.looks = network.appearance or PublishedEncoders()
        self.eval().requires_grad_(False)
        fold_spectral_norms(self.network)

    @torch.no_grad()
    def forward(self, batch: dict[str, Tensor], side: int) -> Tensor:
        """Uint8 (N, 3, side, side): faces aligned by the batch's "landmarks".

        The rest of the batch is as `batches.painting_item` makes it.
        """
        start = self.network.person(self.looks(unsigned(batch["images"]), batch["present"].float()))
        P_B = one_hot(batch["P_B"], self.preset.labels)
        texture = batch["texture"].float() if "texture" in batch else None
        painted = self.network(P_B, start, texture)
        frames = blend(painted.z, signed(batch["plate"]), painted.m)
        rounded = ((frames + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
        rgb = np.ascontiguousarray(rounded.movedim(1, -1).cpu().numpy())
        found = []
        for frame, landmarks in zip(rgb, batch["landmarks"].cpu().numpy(), strict=True):
            face = faces.cut_aligned(frame, landmarks, side)
            assert face is not None, "`face_items.fr_item` paints no other"
            found.append(torch.from_numpy(face).movedim(-1, 0))
        return torch.stack(found).to(rounded.device)
