"""Each loss against a case worked out by hand, and what each discriminator is shown."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from dance_freestyle.b2f import Painted
from dance_freestyle.discriminators import (
    b2f_discriminator,
    fr_discriminator,
    p2b_discriminator,
)
from dance_freestyle.fr import refined
from dance_freestyle.presets import COMPACT, PAPER
from dance_freestyle.texture import Bent
from dance_freestyle.training import losses, objectives
from dance_freestyle.training.losses import FacePerceptual
from freestyle_tiny import TINY, TINY_PAPER, p2b_inputs, random_labels
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def judged(*scores: list[float]) -> list[list[Tensor]]:
    """Two features per scale, 1 and 2 times the scores, then the scores themselves."""
    out = []
    for scale in scores:
        score = torch.tensor(scale).view(1, 1, 1, -1)
        out.append([score, 2 * score, score.clone()])
    return out


def test_lsgan() -> None:
    fake, real = judged([0.5, 1.0], [0.0]), judged([1.0, 0.0], [2.0])
    assert losses.lsgan_generator(fake).item() == pytest.approx(0.125 + 1.0)
    # Scale 1: real (0 + 1)/2, fake (0.25 + 1)/2. Scale 2: real 1, fake 0.
    expected = 0.5 * (0.5 + 0.625 + 1.0)
    assert losses.lsgan_discriminator(real, fake).item() == pytest.approx(expected)


def test_hinge_has_the_corrected_signs() -> None:
    fake, real = judged([0.5, -2.0], [3.0]), judged([2.0, 0.0], [-1.0])
    assert losses.hinge_generator(fake).item() == pytest.approx(-((0.5 - 2.0) / 2 + 3.0) / 2)
    # Real: relu(1 - 2), relu(1 - 0); relu(1 + 1). Fake: relu(1.5), relu(-1); relu(4).
    expected = ((0 + 1) / 2 + (1.5 + 0) / 2 + 2 + 4) / 2
    assert losses.hinge_discriminator(real, fake).item() == pytest.approx(expected)


def test_feature_matching_leaves_scores_out_and_holds_the_real_side_fixed() -> None:
    real, fake = judged([1.0, 3.0], [0.0]), judged([0.0, 1.0], [1.0])
    for side in (real, fake):
        for features in side:
            for feature in features:
                feature.requires_grad_()
    loss = losses.feature_matching(real, fake)
    # Scale 1: mean |1, 2| = 1.5 and twice that; scale 2: 1 and 2.
    assert loss.item() == pytest.approx(1.5 + 3.0 + 1.0 + 2.0)
    loss.backward()
    assert real[0][0].grad is None
    assert fake[0][0].grad is not None
    assert fake[0][-1].grad is None


def test_cross_entropy_modes() -> None:
    logits = torch.tensor([2.0, 0.0, -1.0]).view(1, 3, 1, 1)
    target = torch.zeros(1, 1, 1, dtype=torch.uint8)
    softmax = -math.log(math.exp(2) / (math.exp(2) + 1 + math.exp(-1)))
    assert losses.cross_entropy(logits, target).item() == pytest.approx(softmax, rel=1e-5)
    each = math.log1p(math.exp(-2)) + math.log(2) + math.log1p(math.exp(-1))
    assert losses.cross_entropy(logits, target, "bce").item() == pytest.approx(each, rel=1e-5)
    sigmoid = [1 / (1 + math.exp(-x)) for x in (2, 0, -1)]
    literal = -math.log(math.exp(sigmoid[0]) / sum(map(math.exp, sigmoid)))
    found = losses.cross_entropy(logits, target, "literal").item()
    assert found == pytest.approx(literal, rel=1e-5)


def test_the_literal_cross_entropy_has_the_floor_that_speaks_against_it() -> None:
    perfect = torch.full((1, 22, 1, 1), -100.0)
    perfect[:, 7] = 100
    target = torch.full((1, 1, 1), 7)
    floor = math.log(1 + 21 / math.e)
    assert losses.cross_entropy(perfect, target, "literal").item() == pytest.approx(floor, rel=1e-4)
    assert losses.cross_entropy(perfect, target).item() == 0


def doubling(rgb: Tensor) -> list[Tensor]:
    """A feature network whose activations can be worked out: once and twice the picture."""
    return [rgb, 2 * rgb]


def test_perceptual_weighs_its_layers() -> None:
    x, o = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)  # [-1, 1]: 0.25 apart in [0, 1]
    found = losses.perceptual(doubling, x, o, (1.0, 10.0)).item()
    assert found == pytest.approx(0.25 + 10 * 0.5)


def test_perceptual_weights_are_those_of_spade() -> None:
    assert losses.VGG_WEIGHTS == (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)


def test_face_perceptual_divides_by_a_running_mean() -> None:
    judge = FacePerceptual(doubling, 2, momentum=0.5)
    truth, output = torch.full((1, 3, 2, 2), 0.0), torch.full((1, 3, 2, 2), 0.5)
    # First call: means 0.5 and 1, differences 0.25 and 0.5.
    assert judge(truth, output).item() == pytest.approx(0.5 + 0.5)
    # Second: a truth of 1 has means 1 and 2, so that the scales become 0.75 and 1.5.
    one = torch.ones(1, 3, 2, 2)
    assert judge(one, output).item() == pytest.approx(0.25 / 0.75 + 0.5 / 1.5)
    judge.eval()
    judge(torch.full((1, 3, 2, 2), -0.9), output)
    torch.testing.assert_close(judge.scale, torch.tensor([0.75, 1.5]))
    assert judge(truth[:0], output[:0]).item() == 0
    assert set(judge.state_dict()) == {"scale", "seen"}


def test_mask_and_l1_terms() -> None:
    m = torch.tensor([[0.2, 1.0], [0.5, 0.0]]).view(1, 1, 2, 2)
    P = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).view(1, 1, 2, 2)
    assert losses.mask_loss(m, P).item() == pytest.approx((0.2 + 0.5) / 4)
    x, y = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    assert losses.masked_l1(x, 0.5 * y, P).item() == pytest.approx(0.5)
    assert losses.masked_l1(x, y, 0 * P).item() == 0


def test_gradient_l1() -> None:
    x = torch.tensor([[0.0, 1.0, 3.0], [0.0, 0.0, 0.0]]).view(1, 1, 2, 3)
    # Along x: 1, 2, 0, 0; along y: 0, 1, 3.
    assert losses.gradient_l1(x).item() == pytest.approx(3 / 4 + 4 / 3)


def test_dilation_reaches_nine_pixels() -> None:
    mask = torch.zeros(1, 1, 41, 41)
    mask[..., 20, 20] = 1
    grown = losses.dilated(mask)
    assert grown.sum() == 19 * 19
    assert grown[..., 11, 11] == 1 and grown[..., 10, 20] == 0


@given(left=st.integers(0, 8), top=st.integers(0, 5), side=st.integers(1, 7))
def test_boxes_crop_the_pixels_they_name(left: int, top: int, side: int) -> None:
    picture = torch.arange(2 * 12 * 15, dtype=torch.float32).view(2, 1, 12, 15)
    box = torch.tensor([[1.0, left, top, left + side, top + side]])
    crop = losses.crop_boxes(picture, box, side)
    expected = picture[1:, :, top : top + side, left : left + side]
    torch.testing.assert_close(crop, expected, atol=1e-2, rtol=0)


def test_small_boxes_are_skipped() -> None:
    boxes = torch.tensor([[0.0, 0, 0, 30, 30], [0, 0, 0, 30, 20]])
    assert len(losses.usable(boxes)) == 1


# What the objectives show and add up.


def p2b_batch() -> objectives.P2BBatch:
    preset = TINY_PAPER.p2b
    return objectives.P2BBatch(*p2b_inputs(2, preset), random_labels(2, preset))


@pytest.mark.parametrize(("d_cond", "channels"), [("all", 50), ("pose", 28), ("none", 22)])
def test_p2b_discriminators_see_what_d_cond_says(d_cond: str, channels: int) -> None:
    preset = TINY_PAPER.with_overrides({"d_cond": d_cond}).p2b
    batch, body_map = p2b_batch(), torch.rand(2, 22, 64, 40)
    shown = objectives.p2b_shown(preset, batch, body_map)
    assert shown.shape[1] == channels == preset.d_inputs
    assert torch.equal(shown[:, -22:], body_map)
    assert p2b_discriminator(preset)(shown)[0][-1].shape[1] == 1


def test_p2b_terms_have_the_papers_weights() -> None:
    preset, batch = TINY_PAPER.p2b, p2b_batch()
    critics, logits = p2b_discriminator(preset), torch.randn(2, 22, 64, 40, requires_grad=True)
    terms = objectives.p2b_generator(preset, critics, batch, logits)
    shown = objectives.p2b_shown(preset, batch, logits.sigmoid())
    truth = torch.nn.functional.one_hot(batch.P_M, 22).movedim(-1, 1).float()
    real, fake = critics(objectives.p2b_shown(preset, batch, truth)), critics(shown)
    torch.testing.assert_close(terms["feature_matching"], 40 * losses.feature_matching(real, fake))
    torch.testing.assert_close(
        terms["cross_entropy"], torch.nn.functional.cross_entropy(logits, batch.P_M)
    )
    torch.testing.assert_close(terms["gan"], losses.lsgan_generator(fake))
    assert objectives.p2b_discriminator_loss(preset, critics, batch, logits).requires_grad
    assert logits.grad is None


def b2f_case() -> tuple[objectives.B2FBatch, Painted]:
    preset = TINY_PAPER.b2f
    labels = torch.nn.functional.one_hot(random_labels(2, preset), 27).movedim(-1, 1).float()
    pictures = torch.rand(3, 2, 3, 64, 40) * 2 - 1
    faces = torch.tensor([[0.0, 4, 4, 30, 30], [1, 2, 3, 10, 11]])
    batch = objectives.B2FBatch(labels, pictures[0], pictures[1], faces)
    painted = Painted(pictures[2].requires_grad_(), torch.rand(2, 1, 64, 40, requires_grad=True))
    return batch, painted


def test_b2f_discriminators_see_the_person_only() -> None:
    batch, painted = b2f_case()
    shown = objectives.b2f_shown(batch.P_B, painted.z)
    outside = batch.P_B[:, :1].expand(-1, 3, -1, -1) > 0
    assert outside.any() and not outside.all()
    assert (shown[:, 27:][outside] == 0).all()
    assert torch.equal(shown[:, 27:][~outside], painted.z[~outside])
    assert torch.equal(shown[:, :27], batch.P_B)
    critics = b2f_discriminator(TINY_PAPER.b2f)
    losses.hinge_generator(critics(shown)).backward()
    assert painted.z.grad is not None
    assert (painted.z.grad[outside] == 0).all()
    assert (painted.z.grad[~outside] != 0).any()


def test_b2f_discriminator_loss_teaches_the_discriminators_alone() -> None:
    batch, painted = b2f_case()
    critics = b2f_discriminator(TINY_PAPER.b2f)
    objectives.b2f_discriminator_loss(TINY_PAPER.b2f, critics, batch, painted).backward()
    assert painted.z.grad is None
    assert all(p.grad is not None for p in critics.parameters())


def test_b2f_terms_have_the_papers_weights() -> None:
    batch, painted = b2f_case()
    preset = TINY_PAPER.with_overrides({"b2f.crop": 16}).b2f

    def five(rgb: Tensor) -> list[Tensor]:
        return [rgb] * 5

    judge = FacePerceptual(doubling, 2)
    networks = objectives.B2FNetworks(b2f_discriminator(preset), five, judge)
    terms = objectives.b2f_generator(preset, networks, batch, painted)
    assert set(terms) == {"gan", "feature_matching", "perceptual", "mask", "face"}
    inside = 1 - batch.P_B[:, :1]
    torch.testing.assert_close(terms["mask"], 5 * (painted.m - inside).abs().mean())
    wide = losses.dilated(inside)
    f0 = painted.z * painted.m + batch.plate * (1 - painted.m)
    difference = ((batch.x - f0) * wide / 2).abs().mean()
    torch.testing.assert_close(terms["perceptual"], 10 * sum(losses.VGG_WEIGHTS) * difference)
    first = batch.faces[:1]  # the other is smaller than 24 pixels
    crops = [losses.crop_boxes(p * inside, first, 16) for p in (batch.x, painted.z)]
    torch.testing.assert_close(terms["face"], 2 * judge.eval()(*crops))


def test_faces_are_compared_on_the_person_alone() -> None:
    batch, painted = b2f_case()
    preset = TINY_PAPER.with_overrides({"b2f.crop": 32, "b2f.loss.region": 1}).b2f
    judge = FacePerceptual(doubling, 2)
    networks = objectives.B2FNetworks(b2f_discriminator(preset), None, judge, judge)
    outside = (batch.P_B[:, :1] > 0).expand_as(painted.z)
    batch = replace(batch, regions=batch.faces)
    for name in ("face", "region"):
        painted.z.grad = None
        objectives.b2f_generator(preset, networks, batch, painted)[name].backward()
        assert painted.z.grad is not None
        assert (painted.z.grad[outside] == 0).all() and (painted.z.grad[~outside] != 0).any()


def test_b2f_texture_terms() -> None:
    batch, painted = b2f_case()
    preset = TINY.with_overrides(
        {"b2f.loss.hinge": 0, "b2f.loss.feature_matching": 0, "b2f.loss.mask": 0}
    ).b2f
    flow = torch.zeros(2, 2, 64, 40)
    flow[..., 1:] = 3
    cover = torch.full_like(painted.m, 0.75)
    bent = Bent(painted.z, painted.m, batch.x + 0.5, painted.m, flow, cover, cover, batch.x)
    networks = objectives.B2FNetworks(b2f_discriminator(preset))
    terms = objectives.b2f_generator(preset, networks, batch, Painted(painted.z, painted.m, bent))
    assert set(terms) == {"l1", "composite", "colour", "flow", "gradient", "silhouette"}
    assert terms["colour"].item() == pytest.approx(5 * 0.5, rel=1e-4)
    still = objectives.STILL * 9 * 39 / 40
    assert terms["flow"].item() == pytest.approx(0.02 * (3 / 39 + still), rel=1e-4)
    inside = float(batch.silhouette().mean())
    entropy = [np.log1p(np.exp(sign * objectives.STEEP * 0.25)) for sign in (-1, 1)]
    expected = 5 * (inside * entropy[0] + (1 - inside) * entropy[1])
    assert terms["silhouette"].item() == pytest.approx(expected, rel=1e-4)


def test_fr_terms() -> None:
    preset = PAPER.with_overrides({"fr.crop": 64, "fr.ndf": 4}).fr
    critic = fr_discriminator(preset)
    torch.nn.init.zeros_(critic.score.weight)  # probability one half everywhere
    c0, truth = torch.zeros(1, 3, 64, 64), torch.full((1, 3, 64, 64), 0.5)
    c, mask = torch.full((1, 3, 64, 64), 0.25), torch.full((1, 1, 64, 64), 0.5)
    judge = FacePerceptual(doubling, 2).eval()
    terms = objectives.fr_generator(preset, critic, judge, objectives.FRBatch(c0, truth), (c, mask))
    values = {name: round(term.item(), 5) for name, term in terms.items()}
    # c is 0.25 from the truth, c^m = 0.125 is 0.375 from it; halves in [0, 1], layers 1 and 2.
    assert values == {
        "gan": 0.5 * 0.25, "l1": 0.5 * 0.25, "gradient": 0.0, "mask": 3e-3 * 0.5,
        "mask_gradient": 0.0, "perceptual": pytest.approx(0.5 * 3 * (0.125 + 0.1875), rel=1e-4),
    }  # fmt: skip
    loss = objectives.fr_discriminator_loss(
        preset, critic, objectives.FRBatch(c0, truth), (c, mask)
    )
    assert loss.item() == pytest.approx(0.5 * (0.25 + 0.25))
    assert refined(c, mask, c0).mean().item() == pytest.approx(0.125)


def test_fr_counts_the_face_more_than_what_is_about_it() -> None:
    preset = COMPACT.with_overrides({"fr.loss.perceptual": 0}).fr
    inside = torch.zeros(1, 1, 64, 64)
    inside[..., 16:48, 16:48] = 1
    truth, mask = torch.zeros(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    batch = objectives.FRBatch(truth, truth, inside)
    within, about = (
        objectives.fr_generator(preset, fr_discriminator(preset), None, batch, (0.1 * x, mask))
        for x in (inside.expand(-1, 3, -1, -1), (1 - inside).expand(-1, 3, -1, -1))
    )
    for name in ("l1", "merged"):
        assert within[name] > 3 * about[name]  # though there is thrice as much about it
    assert "gan" not in within


def test_each_face_counts_alike_whatever_is_beside_it_in_the_batch() -> None:
    torch.manual_seed(0)
    preset = COMPACT.with_overrides({"fr.loss.perceptual": 0}).fr
    inside = torch.zeros(2, 1, 64, 64)
    inside[0, :, 8:56, 8:56] = inside[1, :, 28:36, 28:36] = 1
    c0, truth, c = torch.rand(3, 2, 3, 64, 64) * 2 - 1
    mask, critic = torch.rand(2, 1, 64, 64), fr_discriminator(preset)

    def terms(part: slice) -> dict[str, Tensor]:
        batch = objectives.FRBatch(c0[part], truth[part], inside[part])
        return objectives.fr_generator(preset, critic, None, batch, (c[part], mask[part]))

    together, one, other = terms(slice(0, 2)), terms(slice(0, 1)), terms(slice(1, 2))
    for name, value in together.items():
        assert value.item() == pytest.approx((one[name] + other[name]).item() / 2, rel=1e-5)


def test_detail_minds_blur_and_not_the_place() -> None:
    sharp = (torch.arange(64) // 2 % 2).float().expand(1, 3, 64, 64)
    aside, blurred = sharp.roll(1, -1), torch.full_like(sharp, 0.5)
    away = (losses.detail(sharp) - losses.detail(aside)).abs().mean()
    assert away < 0.1 * (losses.detail(sharp) - losses.detail(blurred)).abs().mean()
    assert (sharp - aside).abs().mean() >= (sharp - blurred).abs().mean()
