"""The fields of FR's preset, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dance_freestyle.field_checks import check_shares, check_weights
from dance_freestyle.preset_fields import Schedule


@dataclass(frozen=True)
class FRLoss:
    """Weights of FR's terms [15]; docs/paper.md says how sure they are.

    merged, detail: L1 of c^m, coarsely, and of how much goes on in it; without them the mask hears
    only of its own size where no discriminator and no features judge. Not in the paper.
    """

    adversarial: float = 0.5
    l1: float = 0.5
    merged: float = 0.0
    detail: float = 0.0
    gradient: float = 0.5
    perceptual: float = 0.5
    mask: float = 3e-3
    mask_gradient: float = 1e-2

    def __post_init__(self) -> None:
        check_weights(self)


@dataclass(frozen=True)
class FRPreset:
    """FR and its discriminator.

    use: whether faces are refined at all. size: side of the aligned faces. encoder: outputs of the
    first convolution and of each halving. decoder: outputs of each doubling, starting from 4x4.
    encoders: where VGGFace2(c_I) comes from, as in `B2FPreset`; crop is the side it sees.
    photo: FR bends and lights the photo's own face instead of painting one (not in the paper), by a
        U-Net of the widths `unet` that the embedding joins as `style` channels; max_flow: pixels
        of `size` that it bends by at most. encoder, start, latent and decoder are unused then.
    rendered: share of the faces that B2F paints in training, where a B2F is given for it.
    enlarged: output pixels per pixel of B2F's canvas from which on B2F's faces are refined: up to
        there those of a warped photo are as sharp as the photo is, and FR gives them back.
    """

    use: bool = True
    size: int = 256
    encoder: tuple[int, ...] = (64, 128, 256, 512, 1024, 1024)
    start: int = 1024
    latent: int = 1024
    decoder: tuple[int, ...] = (512, 256, 128, 64, 32, 16)
    encoders: Literal["published", "small"] = "published"
    crop: int = 224
    embedding: int = 2048
    photo: bool = False
    unet: tuple[int, ...] = (24, 40, 64, 80, 80)
    style: int = 32
    max_flow: float = 16.0
    rendered: float = 0.5
    enlarged: float = 0.0
    ndf: int = 64
    loss: FRLoss = field(default_factory=FRLoss)
    schedule: Schedule = field(default_factory=lambda: Schedule(1e-4, 256, 40))

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the aligned faces that it takes, the smallest first."""
        return tuple(k * self.size for k in (1, 2, 4)) if self.photo else (self.size,)

    def __post_init__(self) -> None:
        check_shares(self, "rendered")
        if self.photo:
            if self.size % 2 or self.size < 64 or not self.unet:
                raise ValueError(f"size {self.size} is not even and at least 64, or unet is empty")
            return
        if 4 * 2 ** len(self.decoder) != self.size or self.size < 64:
            raise ValueError(
                f"size {self.size} is not 4 doubled {len(self.decoder)} times, at least 64"
            )
        if (
            self.size % 2 ** (len(self.encoder) - 1)
            or 32 * 2 ** (len(self.encoder) - 1) < self.size
        ):
            raise ValueError(f"size {self.size} does not fit {len(self.encoder)} encoder layers")
