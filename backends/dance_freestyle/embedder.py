"""A face embedder of our own: the feature network of equation 18 where none may be used freely.

Trained to tell synthetic identities apart; it knows less of real faces than VGGFace2 does.
"""

# ruff: noqa: N812 (torch's notation)
from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle.encoders import SmallEncoder
from dance_freestyle.preset_fields import EmbedderPreset


class Embedder(nn.Module):
    """Aligned faces to unit vectors; near for one identity, far for two."""

    def __init__(self, preset: EmbedderPreset) -> None:
        super().__init__()
        self.preset, self.size = preset, preset.size
        self.encoder = SmallEncoder(preset.size, preset.widths)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Activations of every halving and the embedding (N, size, 1, 1), RGB in [0, 1]."""
        rgb = self._sized(rgb)
        return [*self.encoder(rgb), self.embed(rgb)[:, :, None, None]]

    def embed(self, rgb: Tensor) -> Tensor:
        """(N, size), of length one."""
        return F.normalize(self.encoder.embed(self._sized(rgb)), dim=1)

    def _sized(self, rgb: Tensor) -> Tensor:
        side = self.preset.crop
        if rgb.shape[-2:] == (side, side):
            return rgb
        return F.interpolate(rgb, (side, side), mode="bilinear", antialias=True)
