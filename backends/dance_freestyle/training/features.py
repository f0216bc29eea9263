"""The feature networks of equations 16 and 18 where no published one may be used: our own."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from dance_freestyle.parser import Parser
from dance_freestyle.training.checkpoints import fingerprint


class Features(nn.Module):
    """A trained parser's encoder for pictures, a trained embedder for faces; both frozen."""

    def __init__(self, parser: Parser, embedder: Any, where: str = "") -> None:
        """where: the bundle they are of, for whoever is to give the same again."""
        super().__init__()
        self.parser, self.embedder = parser, embedder
        self.name = f"{fingerprint(self)} of {where}" if where else fingerprint(self)
        self.eval().requires_grad_(False)

    def picture(self, rgb: Tensor) -> list[Tensor]:
        """Activations of five levels, RGB (N, 3, H, W) in [0, 1] with sides that divide by 32."""
        return self.parser.features(rgb)

    def face(self, rgb: Tensor) -> list[Tensor]:
        """Activations of four halvings and the embedding of faces, RGB (N, 3, S, S) in [0, 1]."""
        found: list[Tensor] = self.embedder(rgb)
        return found
