"""The losses of sections 3.1-3.3, each a function of tensors; every norm is a mean.

Corrections of the printed equations and the forms chosen where the paper leaves them open are in
docs/paper.md. Pictures are (N, 3, H, W) in [-1, 1]; masks are (N, 1, H, W).
"""

# ruff: noqa: N803, N812 (the paper's and torch's notation)
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle import blocks
from dance_freestyle.discriminators import Features
from dance_freestyle.training.processes import Processes

FeatureNet = Callable[[Tensor], list[Tensor]]
"""RGB (N, 3, S, S) in [0, 1] to activations, shallow first."""

VGG_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Of relu1_1, ..., relu5_1 in equation 16, as in [33] and [44]."""

DILATION = 9
"""Pixels that P^D+ is grown by for equation 16."""


def none() -> Tensor:
    """The loss of a critic that is not there: 0, from which one can go backwards."""
    return torch.zeros((), requires_grad=True)


def lsgan_generator(judged: Sequence[Features]) -> Tensor:
    """Equation 10, summed over scales: mean (D(fake) − 1)²."""
    return _sum((features[-1] - 1).square().mean() for features in judged)


def lsgan_discriminator(real: Sequence[Features], fake: Sequence[Features]) -> Tensor:
    """½ · Σ_k [mean (D(real) − 1)² + mean D(fake)²]."""
    return 0.5 * _sum(
        (r[-1] - 1).square().mean() + f[-1].square().mean() for r, f in zip(real, fake, strict=True)
    )


def hinge_generator(judged: Sequence[Features]) -> Tensor:
    """Equation 13, corrected and averaged over scales: −mean D(P, z^b)."""
    return -_sum(features[-1].mean() for features in judged) / len(judged)


def hinge_discriminator(real: Sequence[Features], fake: Sequence[Features]) -> Tensor:
    """Equation 14, corrected: mean relu(1 − D(P, x^b)) + mean relu(1 + D(P, z^b))."""
    scales = [
        F.relu(1 - r[-1]).mean() + F.relu(1 + f[-1]).mean() for r, f in zip(real, fake, strict=True)
    ]
    return _sum(scales) / len(scales)


def feature_matching(real: Sequence[Features], fake: Sequence[Features]) -> Tensor:
    """Equations 11, 15, summed over scales: Σ_j mean |D^j(real) − D^j(fake)| without the scores."""
    return _sum(
        (r.detach() - f).abs().mean()
        for scale_r, scale_f in zip(real, fake, strict=True)
        for r, f in zip(scale_r[:-1], scale_f[:-1], strict=True)
    )


CrossEntropy = Literal["logits", "bce", "literal"]


def cross_entropy(logits: Tensor, target: Tensor, mode: CrossEntropy = "logits") -> Tensor:
    """Equation 12 on logits (N, L, H, W) and labels (N, H, W).

    logits: softmax cross-entropy of the logits. bce: binary, summed over labels. literal: softmax
    cross-entropy of the sigmoid outputs, as printed; it cannot fall below ln(1 + 21/e) for 22.
    """
    target = target.long()
    if mode == "bce":
        wanted = F.one_hot(target, logits.shape[1]).movedim(-1, 1).to(logits.dtype)
        each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        return each.sum(1).mean()
    return F.cross_entropy(logits.sigmoid() if mode == "literal" else logits, target)


def perceptual(
    network: FeatureNet, x: Tensor, o: Tensor, weights: Sequence[float] = VGG_WEIGHTS
) -> Tensor:
    """Equation 16: Σ_j w_j · mean |VGG^j(x) − VGG^j(o)|; x is the truth."""
    with torch.no_grad():
        wanted = network(_unit_range(x))
    found = network(_unit_range(o))
    pairs = zip(weights, wanted, found, strict=True)
    return _sum(weight * (a - b).abs().mean() for weight, a, b in pairs)


class FacePerceptual(nn.Module):
    """Equation 18 on the output: Σ_j mean |φ_j(truth) − φ_j(output)| / running mean |φ_j(truth)|.

    The running means make the layers' shares about equal; they learn in training mode only and are
    saved with the module.
    """

    scale: Tensor
    seen: Tensor

    def __init__(self, network: FeatureNet, layers: int, momentum: float = 0.01) -> None:
        super().__init__()
        # In a tuple, so that a frozen, shared network is no part of this module's state.
        self.network = (network,)
        self.momentum = momentum
        self.register_buffer("scale", torch.ones(layers))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, truth: Tensor, output: Tensor) -> Tensor:
        """Faces (N, 3, S, S) in [-1, 1]; 0 for an empty batch."""
        if len(truth) == 0:
            return output.sum() * 0
        with torch.no_grad():
            wanted = self.network[0](_unit_range(truth))
            if self.training:
                self._learn(wanted)
        found = self.network[0](_unit_range(output))
        return _sum(
            (a - b).abs().mean() / scale
            for a, b, scale in zip(wanted, found, self.scale.clone(), strict=True)
        )

    def _learn(self, wanted: list[Tensor]) -> None:
        means = torch.stack([x.abs().mean().float() for x in wanted]).clamp_min(1e-6)
        share = 1.0 if self.seen == 0 else self.momentum
        self.scale.lerp_(means.to(self.scale), share)
        self.seen += 1

    def agree(self, processes: Processes) -> None:
        """Takes the mean over those processes whose last batch showed most."""
        found = processes.gathered(self.seen)
        newest = torch.stack(found).max().to(self.seen.device)
        share = (self.seen == newest).to(self.scale)
        sums = torch.cat([self.scale * share, share[None]])
        processes.mean([sums])
        self.scale.copy_(sums[:-1] / sums[-1])
        self.seen.copy_(newest)


def mask_loss(m: Tensor, P_D_plus: Tensor) -> Tensor:
    """Equation 17 without its weight: mean |m − P^D+|."""
    return (m - P_D_plus).abs().mean()


def masked_l1(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Mean |x − y| over the pixels of the mask: picture by picture, so that each counts alike."""
    total = ((x - y).abs() * mask).sum((1, 2, 3))
    return (total / (mask.sum((1, 2, 3)) * x.shape[1]).clamp_min(1)).mean()


def gradient_l1(x: Tensor) -> Tensor:
    """‖∂x‖₁ + ‖∂y‖₁ of (N, C, H, W), the difference between neighbours; each norm a mean."""
    return (x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()


def detail(x: Tensor, side: int = 8) -> Tensor:
    """How much goes on in squares of that side, (N, C, H // side, W // side): mean |∂x| + |∂y|.

    Unlike the pixels it does not mind where exactly: what is sharp and a little aside is as good as
    what is sharp, and better than blur, which L1 prefers.
    """
    across = (x[..., :-1, 1:] - x[..., :-1, :-1]).abs()
    down = (x[..., 1:, :-1] - x[..., :-1, :-1]).abs()
    return F.avg_pool2d(F.pad(across + down, (0, 1, 0, 1)), side)


def dilated(mask: Tensor) -> Tensor:
    """A mask of 0 and 1 grown by `DILATION` pixels every way."""
    return blocks.dilated(mask, DILATION)


def _unit_range(x: Tensor) -> Tensor:
    """[-1, 1] as [0, 1]."""
    return (x + 1) / 2


def crop_boxes(pictures: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Square crops (M, C, size, size) of pictures (N, C, H, W), differentiable.

    boxes: (M, 5), picture number, left, top, right, bottom in pixels.
    """
    height, width = pictures.shape[-2:]
    steps = (torch.arange(size, device=boxes.device, dtype=boxes.dtype) + 0.5) / size
    x = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * steps
    y = boxes[:, 2:3] + (boxes[:, 4:5] - boxes[:, 2:3]) * steps
    columns = (x * (2 / width) - 1)[:, None, :].expand(-1, size, -1)
    rows = (y * (2 / height) - 1)[:, :, None].expand(-1, -1, size)
    chosen = pictures[boxes[:, 0].long()]
    grid = torch.stack([columns, rows], -1).to(chosen.dtype)
    return F.grid_sample(chosen, grid, padding_mode="border", align_corners=False)


def usable(boxes: Tensor, smallest: float = 24.0) -> Tensor:
    """The boxes (M, 5) whose sides are at least that many pixels long."""
    sides = torch.minimum(boxes[:, 3] - boxes[:, 1], boxes[:, 4] - boxes[:, 2])
    return boxes[sides >= smallest]


def _sum(terms: object) -> Tensor:
    return torch.stack(list(terms)).sum()  # type: ignore[call-overload]
