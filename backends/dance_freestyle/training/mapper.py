"""A trained P2B that makes body maps for B2F to paint: B2F learns the maps that it will meet.

True maps have outlines that rendering never sees; a B2F trained on them alone believes P2B's.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dance_freestyle import inputs
from dance_freestyle.p2b import P2B, hard_labels, one_hot
from dance_freestyle.presets import B2FPreset
from dance_freestyle.training.batches import unsigned
from dance_freestyle.training.checkpoints import fingerprint
from dancecli.labels import mirrored


class Mapper(nn.Module):
    """P2B without gradients, from the target's map and a pose to P^B."""

    def __init__(self, network: P2B) -> None:
        super().__init__()
        self.preset, self.name = network.preset, fingerprint(network)
        self.network = network
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, batch: dict[str, Tensor], preset: B2FPreset) -> Tensor:
        """Uint8 (N, h, w), channels of P^B as B2F's preset counts them.

        The batch is as `batches.mapping_item` makes it; maps that are "turned" are mirrored.
        """
        p_star = one_hot(batch["p_star"], self.preset.labels)
        found = hard_labels(self.network(p_star, unsigned(batch["P_S"]), batch.get("P_D")))
        channels = inputs.channels_of(preset.hand_labels, preset.face_labels)
        maps = []
        for labels, landmarks, turned in zip(
            found.cpu().numpy(), batch["landmarks"].cpu().numpy(), batch["turned"], strict=True
        ):
            drawn = inputs.with_face(inputs.resized(labels, preset.size), landmarks, preset)
            whole = mirrored(drawn) if turned else drawn
            maps.append(torch.from_numpy(channels[whole].astype(np.uint8)))
        return torch.stack(maps).to(found.device)
