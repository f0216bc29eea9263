"""How the losses add up for each network, and what each discriminator is shown.

Generator functions return weighted terms by name (their sum is minimised), so that a trainer can
log each. A term of weight 0 is left out. Discriminators take generated pictures detached.
"""

# ruff: noqa: N803, N812 (the paper's and torch's notation)
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dance_freestyle.b2f import Painted, character
from dance_freestyle.blocks import blend
from dance_freestyle.discriminators import FaceDiscriminator, Features, TwoScales
from dance_freestyle.fr import refined
from dance_freestyle.p2b import condition, one_hot
from dance_freestyle.presets import B2FLoss, B2FPreset, FRLoss, FRPreset, P2BLoss, P2BPreset
from dance_freestyle.training import losses
from dance_freestyle.training.losses import FacePerceptual, FeatureNet

Terms = dict[str, Tensor]

STEEP = 2.0
"""Logits between the warp's background and its person, as which its mask is taken. The L1 of
equation 17 alone moves a pixel only once it is more likely wrong than right, and learned nothing
from masks that are mostly right. The less steep, the harder the mask: what is as likely as not is
half transparent, what is thrice as likely is opaque.
"""

STILL = 0.05
"""Weight of the flow's squared length beside its differences, which a constant flow lacks."""


@dataclass(frozen=True, eq=False)
class P2BBatch:
    """p_star, P_S, P_D as `P2B.forward` takes them; P_M: the true labels, uint8 (N, H, W)."""

    p_star: Tensor
    P_S: Tensor
    P_D: Tensor | None
    P_M: Tensor


def p2b_shown(preset: P2BPreset, batch: P2BBatch, body_map: Tensor) -> Tensor:
    """What P2B's discriminators see: by `d_cond` all its inputs, the pose, or nothing; the map.

    body_map: (N, L, H, W) of the preset's labels, one-hot or σ(a). Raises ValueError as
    `condition`.
    """
    if preset.d_cond == "none":
        return body_map
    seen = condition(preset, batch.p_star, batch.P_S, batch.P_D)
    if preset.d_cond == "pose":
        seen = seen[:, preset.labels :]
    return torch.cat([seen, body_map], 1)


def p2b_generator(preset: P2BPreset, critics: TwoScales, batch: P2BBatch, logits: Tensor) -> Terms:
    """Equation 9: Σ_k (LSGAN + λ_D · FM) + λ_CE · CE. logits: of `P2B.forward`."""
    weights = preset.loss
    entropy = losses.cross_entropy(logits, batch.P_M, weights.ce_mode)
    terms = {"cross_entropy": weights.cross_entropy * entropy}
    if not judged(weights):
        return terms
    fake = critics(p2b_shown(preset, batch, logits.sigmoid()))
    with torch.no_grad():
        real = critics(p2b_shown(preset, batch, one_hot(batch.P_M, preset.labels)))
    return {
        "gan": weights.adversarial * losses.lsgan_generator(fake),
        "feature_matching": weights.feature_matching * losses.feature_matching(real, fake),
        **terms,
    }


def judged(weights: P2BLoss | B2FLoss | FRLoss) -> bool:
    """Whether a discriminator has any say; where not, none is computed or trained."""
    if isinstance(weights, FRLoss):
        return bool(weights.adversarial)
    adversarial = weights.hinge if isinstance(weights, B2FLoss) else weights.adversarial
    return bool(adversarial or weights.feature_matching)


def p2b_discriminator_loss(
    preset: P2BPreset, critics: TwoScales, batch: P2BBatch, logits: Tensor
) -> Tensor:
    """Least squares, against the same pictures as the generator's; 0 where nothing is judged.

    logits: of `P2B.forward`.
    """
    if not judged(preset.loss):
        return losses.none()
    real = critics(p2b_shown(preset, batch, one_hot(batch.P_M, preset.labels)))
    fake = critics(p2b_shown(preset, batch, logits.detach().sigmoid()))
    return losses.lsgan_discriminator(real, fake)


@dataclass(frozen=True, eq=False)
class B2FBatch:
    """One step's truth.

    P_B: one-hot labels (N, 27, h, w). x: the picture (N, 3, H, W), [-1, 1], and plate: its
    inpainted ground, both on the canvas. faces, regions: boxes (M, 5) as `losses.crop_boxes`
    takes them; None leaves their terms out. inside: the silhouette (N, 1, H, W), where it is known
    more finely than by the labels.
    """

    P_B: Tensor
    x: Tensor
    plate: Tensor
    faces: Tensor | None = None
    regions: Tensor | None = None
    inside: Tensor | None = None

    def silhouette(self) -> Tensor:
        """P^D+ (N, 1, H, W) on the canvas: as finely as it is known."""
        coarse = character(_fitted(self.P_B, self.x))
        return coarse if self.inside is None else self.inside


@dataclass(frozen=True, eq=False)
class B2FNetworks:
    """What judges B2F: its discriminators, and the networks behind equations 16 and 18."""

    critics: TwoScales
    pictures: FeatureNet | None = None
    faces: FacePerceptual | None = None
    regions: FacePerceptual | None = None


def b2f_shown(P_B: Tensor, picture: Tensor) -> Tensor:
    """What B2F's discriminators see: the labels, and the picture where P^D+ is 1 (z^b, x^b)."""
    labels = _fitted(P_B, picture)
    return torch.cat([labels, picture * character(labels)], 1)


def b2f_generator(
    preset: B2FPreset, networks: B2FNetworks, batch: B2FBatch, painted: Painted
) -> Terms:
    """Equations 13 and 15-18 with the preset's weights."""
    weights = preset.loss
    inside = batch.silhouette()
    terms = _adversarial(preset, networks.critics, batch, painted)
    if weights.perceptual and networks.pictures:
        wide = losses.dilated(inside)
        o = blend(painted.z, batch.plate, painted.m) * wide
        found = losses.perceptual(networks.pictures, batch.x * wide, o)
        terms["perceptual"] = weights.perceptual * found
    if weights.mask:
        terms["mask"] = weights.mask * losses.mask_loss(painted.m, inside)
    for name, weight, judge, boxes in (
        ("face", weights.face, networks.faces, batch.faces),
        ("region", weights.region, networks.regions, batch.regions),
    ):
        if weight and judge and boxes is not None:
            z, x = painted.z * inside, batch.x * inside  # the person alone (section 3.2)
            terms[name] = weight * boxed(judge, z, x, boxes, preset.crop)
    return {**terms, **_copying(preset, batch, painted, inside)}


def _adversarial(preset: B2FPreset, critics: TwoScales, batch: B2FBatch, painted: Painted) -> Terms:
    weights = preset.loss
    if not judged(weights):
        return {}
    fake = critics(b2f_shown(batch.P_B, painted.z))
    with torch.no_grad():
        real = critics(b2f_shown(batch.P_B, batch.x))
    matching = losses.feature_matching(real, fake) / len(real)
    return {
        "gan": weights.hinge * losses.hinge_generator(fake),
        "feature_matching": weights.feature_matching * matching,
    }


def _copying(preset: B2FPreset, batch: B2FBatch, painted: Painted, inside: Tensor) -> Terms:
    """Terms for texture=warp: they keep z, and the painted colour by itself, near the truth."""
    weights, terms = preset.loss, Terms()
    if weights.l1:
        terms["l1"] = weights.l1 * losses.masked_l1(painted.z, batch.x, inside)
    if weights.composite or weights.gradient:
        wide = losses.dilated(inside)
        o = blend(painted.z, batch.plate, painted.m)
        if weights.composite:
            terms["composite"] = weights.composite * losses.masked_l1(o, batch.x, wide)
        if weights.gradient:
            terms["gradient"] = weights.gradient * losses.gradient_l1((o - batch.x) * wide)
    if painted.bent is not None and weights.colour:
        painting = losses.masked_l1(painted.bent.colour, batch.x, inside)
        terms["colour"] = weights.colour * painting
    if painted.bent is not None and weights.silhouette:
        logits = STEEP * (painted.bent.cover - 0.5)
        entropy = F.binary_cross_entropy_with_logits(logits, inside)
        terms["silhouette"] = weights.silhouette * entropy
    if painted.bent is not None and weights.flow:
        flow = painted.bent.flow
        still = losses.gradient_l1(flow) + STILL * flow.square().mean()
        terms["flow"] = weights.flow * still
    return terms


def boxed(judge: FacePerceptual, z: Tensor, x: Tensor, boxes: Tensor, size: int) -> Tensor:
    """A perceptual loss inside boxes, small ones skipped. z, x: pictures (N, 3, H, W), [-1, 1].

    boxes: (M, 5) as `losses.crop_boxes` takes them. size: side of the crops, pixels.
    """
    boxes = losses.usable(boxes)
    loss: Tensor = judge(losses.crop_boxes(x, boxes, size), losses.crop_boxes(z, boxes, size))
    return loss


def b2f_discriminator_loss(
    preset: B2FPreset, critics: TwoScales, batch: B2FBatch, painted: Painted
) -> Tensor:
    """Equation 14, corrected (docs/paper.md); 0 where nothing is judged."""
    if not judged(preset.loss):
        return losses.none()
    real = critics(b2f_shown(batch.P_B, batch.x))
    fake = critics(b2f_shown(batch.P_B, painted.z.detach()))
    return losses.hinge_discriminator(real, fake)


@dataclass(frozen=True, eq=False)
class FRBatch:
    """c0: the generated face, truth: the real one, both (N, 3, S, S) in [-1, 1].

    inside: (N, 1, S, S) in [0, 1], where a face is pasted, if that is known.
    """

    c0: Tensor
    truth: Tensor
    inside: Tensor | None = None

    @property
    def counted(self) -> Tensor | float:
        """Weights of pixels, each face's with the mean 1: what is not pasted counts a little.

        (N, 1, S, S); 1.0 where `inside` is not known.
        """
        if self.inside is None:
            return 1.0
        weights = AROUND + self.inside
        return weights / weights.mean((1, 2, 3), keepdim=True)


COARSE = 4
"""Pixels in one for the L1 of c^m: at full size it would rather keep a blurred face than show a
sharp one that is a pixel aside."""

AROUND = 0.1
"""Weight of a face's surroundings beside its own pixels' 1."""


def fr_generator(
    preset: FRPreset,
    critic: FaceDiscriminator,
    judge: FacePerceptual | None,
    batch: FRBatch,
    output: tuple[Tensor, Tensor],
) -> Terms:
    """FR's terms on c and c^m = m^c · c + (1 − m^c) · c⁰; equation 18 compares with the truth.

    output: c and m^c, as `FR.forward` gives them.
    """
    (c, mask), weights = output, preset.loss
    merged = refined(c, mask, batch.c0)
    wrong = (c - batch.truth) * batch.counted
    terms = {
        "l1": weights.l1 * wrong.abs().mean(),
        "gradient": weights.gradient * losses.gradient_l1(wrong),
        "mask": weights.mask * mask.abs().mean(),
        "mask_gradient": weights.mask_gradient * losses.gradient_l1(mask),
    }
    if judged(weights):
        terms["gan"] = weights.adversarial * losses.lsgan_generator([critic(merged)])
    if weights.merged:
        left = (merged - batch.truth) * batch.counted
        terms["merged"] = weights.merged * F.avg_pool2d(left, COARSE).abs().mean()
    if weights.detail:
        lacking = losses.detail(merged) - losses.detail(batch.truth)
        terms["detail"] = weights.detail * (lacking * _pooled(batch.counted, lacking)).abs().mean()
    if judge is not None and weights.perceptual:
        truth, c, merged = (_sided(x, preset.crop) for x in (batch.truth, c, merged))
        terms["perceptual"] = weights.perceptual * (judge(truth, c) + judge(truth, merged))
    return terms


def _pooled(weights: Tensor | float, like: Tensor) -> Tensor | float:
    if isinstance(weights, float):
        return weights
    return F.interpolate(weights, like.shape[-2:], mode="area")


def fr_discriminator_loss(
    preset: FRPreset, critic: FaceDiscriminator, batch: FRBatch, output: tuple[Tensor, Tensor]
) -> Tensor:
    """Least squares on c^m against the real face; 0 where nothing is judged. output: c and m^c."""
    if not judged(preset.loss):
        return losses.none()
    merged = refined(*output, batch.c0).detach()
    real: list[Features] = [critic(batch.truth)]
    return losses.lsgan_discriminator(real, [critic(merged)])


def _fitted(labels: Tensor, like: Tensor) -> Tensor:
    if labels.shape[-2:] == like.shape[-2:]:
        return labels
    return torch.nn.functional.interpolate(labels, like.shape[-2:], mode="nearest")


def _sided(x: Tensor, side: int) -> Tensor:
    return torch.nn.functional.interpolate(
        x, (side, side), mode="bilinear", align_corners=False, antialias=True
    )
