"""The three generators and five discriminators: sizes, shapes, gradients, numbers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from dance_freestyle import inputs
from dance_freestyle.b2f import B2F
from dance_freestyle.blocks import dilated, fold_spectral_norms, unshuffled
from dance_freestyle.discriminators import (
    b2f_discriminator,
    fr_discriminator,
    p2b_discriminator,
)
from dance_freestyle.encoders import Vgg19, VggFace2
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B, one_hot
from dance_freestyle.presets import COMPACT, PAPER, Preset
from dance_freestyle.restoring import PhotoDecoder
from dance_freestyle.showing import continued, shown
from dance_freestyle.texture import VALIDITY, VISIBLE, Bent
from dance_freestyle.unet import upsampled
from freestyle_tiny import (
    TINY,
    TINY_PAPER,
    b2f_inputs,
    count_parameters,
    p2b_inputs,
    random_labels,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode

from dancecli.figures import made_target, standing_skeleton
from dancecli.warp import cut

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_the_quicker_resizings_are_torchs_own() -> None:
    x = torch.rand(2, 3, 8, 6).to(memory_format=torch.channels_last)
    assert torch.equal(unshuffled(x), nn.functional.pixel_unshuffle(x, 2))
    wanted = nn.functional.interpolate(x, (21, 13), mode="bilinear", align_corners=False)
    torch.testing.assert_close(upsampled(x, torch.empty(1, 1, 21, 13)), wanted)


def gflop(run: Callable[[], object]) -> float:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        run()
    return counter.get_total_flops() / 1e9


def sizes_of(network: nn.Module, names: list[str], run: Callable[[], object]) -> list[tuple]:
    """What some submodules put out in one run, (channels, height, width)."""
    seen: list[tuple] = []
    for name in names:
        network.get_submodule(name).register_forward_hook(
            lambda _module, _args, out: seen.append(tuple(out.shape[1:]))
        )
    run()
    return list(seen)


def test_paper_has_the_exact_parameter_counts() -> None:
    with torch.device("meta"):
        b2f = B2F(PAPER.b2f)
        assert count_parameters(P2B(PAPER.p2b)) == 182_622_102
        assert count_parameters(p2b_discriminator(PAPER.p2b)) == 5_625_730
        assert count_parameters(b2f.decoder) == 93_020_420
        assert count_parameters(b2f.fc) == 67_125_248
        assert count_parameters(b2f) == 93_020_420 + 67_125_248
        assert count_parameters(b2f_discriminator(PAPER.b2f)) == 5_582_978
        assert count_parameters(FR(PAPER.fr)) == 150_736_229


def test_paper_costs_what_the_design_says() -> None:
    with torch.device("meta"):
        p2b, b2f, fr = P2B(PAPER.p2b).eval(), B2F(PAPER.b2f).eval(), FR(PAPER.fr).eval()
        maps, picture = torch.zeros(1, 22, 512, 320), torch.zeros(1, 3, 512, 320)
        face = torch.zeros(1, 3, 256, 256)
        assert gflop(lambda: p2b(maps, picture, picture)) == pytest.approx(317.1, abs=0.1)
        P_B, start = torch.zeros(1, 27, 512, 320), torch.zeros(1, 1024, 4, 4)
        assert gflop(lambda: b2f(P_B, start)) == pytest.approx(334.0, abs=0.1)
        assert gflop(lambda: fr(face, torch.zeros(1, 2048))) == pytest.approx(9.6, abs=0.1)


@pytest.mark.parametrize("texture", ["warp", "none"])
def test_compact_keeps_to_its_budget(texture: str) -> None:
    preset = COMPACT.with_overrides({"b2f.texture": texture})
    with torch.device("meta"):
        p2b, b2f, fr = P2B(preset.p2b).eval(), B2F(preset.b2f).eval(), FR(preset.fr).eval()
        maps, picture = torch.zeros(1, 22, 256, 160), torch.zeros(1, 3, 256, 160)
        P_B, start = torch.zeros(1, 27, 256, 160), b2f.person(torch.zeros(1, 384))
        whole = torch.zeros(1, 6, 512, 320)
        face = torch.zeros(1, 3, 128, 128)
        total = (
            gflop(lambda: p2b(maps, picture, picture))
            + gflop(lambda: b2f(P_B, start, whole))
            + gflop(lambda: fr(face, torch.zeros(1, 128), face))
        )
        assert b2f(P_B, start, whole).z.shape == (1, 3, 512, 320)
    # The parser keeps at least 4 M of the 10 M.
    assert count_parameters(p2b, b2f, fr) <= 6_000_000
    assert total <= 35


def test_p2b_has_the_tables_shapes() -> None:
    with torch.device("meta"):
        network = P2B(PAPER.p2b)
        maps, picture = torch.zeros(1, 22, 512, 320), torch.zeros(1, 3, 512, 320)
        names = [
            "stem",
            *(f"downs.{i}" for i in range(4)),
            "blocks",
            *(f"ups.{i}" for i in range(4)),
        ]
        shapes = sizes_of(network, [*names, "head"], lambda: network(maps, picture, picture))
    down = [(64, 512, 320), (128, 256, 160), (256, 128, 80), (512, 64, 40), (1024, 32, 20)]
    assert shapes == [*down, (1024, 32, 20), *reversed(down[:-1]), (22, 512, 320)]


def test_b2f_grows_from_4x4_by_seven_upsamplings() -> None:
    with torch.device("meta"):
        network = B2F(PAPER.b2f)
        start = network.person(torch.zeros(1, 4096))
        assert start.shape == (1, 1024, 4, 4)
        names = [f"decoder.blocks.{i}" for i in range(8)]
        shapes = sizes_of(network, names, lambda: network(torch.zeros(1, 27, 512, 320), start))
        painted = network(torch.zeros(1, 27, 512, 320), start)
    assert shapes == [
        (1024, 4, 4), (1024, 8, 5), (1024, 16, 10), (512, 32, 20), (256, 64, 40), (128, 128, 80),
        (64, 256, 160), (32, 512, 320),
    ]  # fmt: skip
    assert painted.z.shape == (1, 3, 512, 320)
    assert painted.m.shape == (1, 1, 512, 320)


def test_all_of_b2f_begins_as_spade_does() -> None:
    fc = B2F(TINY_PAPER.b2f).fc
    xavier = 0.02 * (2 / (fc.in_features + fc.out_features)) ** 0.5
    assert fc.weight.std().item() == pytest.approx(xavier, rel=0.1)
    assert not fc.bias.any()


def test_fr_has_the_tables_shapes() -> None:
    with torch.device("meta"):
        network = FR(PAPER.fr)
        names = [f"decoder.downs.{i}" for i in range(5)]
        names += [f"decoder.residuals.{i}" for i in range(6)]
        run = lambda: network(torch.zeros(1, 3, 256, 256), torch.zeros(1, 2048))  # noqa: E731
        shapes = sizes_of(network, names, run)
        c, mask = run()
    assert shapes[:5] == [
        (128, 128, 128), (256, 64, 64), (512, 32, 32), (1024, 16, 16), (1024, 8, 8),
    ]  # fmt: skip
    assert shapes[5:] == [
        (512, 8, 8), (256, 16, 16), (128, 32, 32), (64, 64, 64), (32, 128, 128), (16, 256, 256),
    ]  # fmt: skip
    assert (c.shape, mask.shape) == ((1, 3, 256, 256), (1, 1, 256, 256))


def test_discriminators_have_the_tables_shapes() -> None:
    with torch.device("meta"):
        full, half = p2b_discriminator(PAPER.p2b)(torch.zeros(1, 50, 512, 320))
        face = fr_discriminator(PAPER.fr)(torch.zeros(1, 3, 256, 256))
        b2f = b2f_discriminator(PAPER.b2f)(torch.zeros(1, 30, 512, 320))
    wanted = [(64, 257, 161), (128, 129, 81), (256, 65, 41), (512, 66, 42), (1, 67, 43)]
    assert [tuple(x.shape[1:]) for x in full] == wanted
    assert [tuple(x.shape[1:]) for x in b2f[0]] == wanted
    halved = [(64, 129, 81), (128, 65, 41), (256, 33, 21), (512, 34, 22), (1, 35, 23)]
    assert [tuple(x.shape[1:]) for x in half] == halved
    assert tuple(face[-1].shape[1:]) == (1, 16, 16)


def test_published_encoders_have_the_published_layout() -> None:
    with torch.device("meta"):
        vgg, face = Vgg19(), VggFace2()
        crop = torch.zeros(2, 3, 224, 224)
        assert vgg.embed(crop).shape == (2, 512)
        assert [tuple(x.shape[1:]) for x in vgg(crop)] == [
            (64, 224, 224), (128, 112, 112), (256, 56, 56), (512, 28, 28), (512, 14, 14),
        ]  # fmt: skip
        assert face.embed(crop).shape == (2, 2048)
        assert [tuple(x.shape[1:]) for x in face(crop)] == [
            (64, 112, 112), (256, 56, 56), (512, 28, 28), (2048, 7, 7), (2048, 1, 1),
        ]  # fmt: skip
    names = vgg.state_dict()
    assert {"features.0.weight", "features.34.bias"} <= set(names) and len(names) == 32
    assert "layer1.0.downsample.1.running_mean" in face.state_dict()
    # Caffe's ResNet halves in the first 1x1 convolution, torchvision's in the 3x3 one.
    assert face.layer2[0].conv1.stride == (2, 2)


BEFORE_NORM = {
    "p2b": r"(stem|downs\.\d+|ups\.\d+)\.0\.bias|blocks\.\d+\.body\.[03]\.bias",
    # A constant added to a block's output is taken out by every norm that follows.
    "b2f": r"decoder\.blocks\.\d+\.conv[01]\.bias|appearance\.\w+\.layers\.\d+\.0\.bias",
    "warp": r"appearance\..*\.0\.bias|decoder\.(encoder|bottom|decoder).*\.body\.2\.bias",
    "fr": r"decoder\.(downs\..*wise\.bias|ups\.\d+\.conv\.bias)|face\.layers.*\.0\.bias",
    "photo": r"face\.layers.*\.0\.bias|decoder\.(encoder|bottom|decoder).*\.body\.2\.bias",
    "patch": r"d[12]\.layers\.[123]\.0\.bias",
    "face": r"$^",
}


def assert_reached(network: nn.Module, kind: str, loss: Tensor) -> None:
    loss.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        if not re.fullmatch(BEFORE_NORM[kind], name):
            assert parameter.grad.abs().max() > 0, f"the gradient of {name} is zero"


@pytest.mark.parametrize("preset", [TINY_PAPER, TINY], ids=["paper", "compact"])
def test_gradient_reaches_all_of_p2b(preset: Preset) -> None:
    network = P2B(preset.p2b)
    logits = network(*p2b_inputs(2, preset.p2b))
    target = random_labels(2, preset.p2b)
    assert_reached(network, "p2b", torch.nn.functional.cross_entropy(logits, target))


@pytest.mark.parametrize(("preset", "kind"), [(TINY_PAPER, "b2f"), (TINY, "warp")])
def test_gradient_reaches_all_of_b2f(preset: Preset, kind: str) -> None:
    network = B2F(preset.b2f)
    painted = network(*b2f_inputs(2, network))
    truth = torch.rand_like(painted.z)
    loss = (painted.z - truth).square().mean() + (painted.m - 0.3).square().mean()
    assert_reached(network, kind, loss)


def test_gradient_reaches_all_of_fr() -> None:
    faces, photos = torch.rand(2, 3, 3, 64, 64) * 2 - 1
    plain = FR(TINY_PAPER.fr)
    assert plain.face is not None
    c, mask = plain(faces, plain.face.embed(torch.rand(3, 3, 32, 32)))
    assert_reached(plain, "fr", (c - torch.rand_like(c)).square().mean() + mask.square().mean())
    network = begun(FR(TINY.fr))
    assert network.face is not None
    c, mask = network(faces, network.face.embed(torch.rand(3, 3, 32, 32)), photos)
    loss = (c - torch.rand_like(c)).square().mean() + mask.square().mean()
    assert_reached(network, "photo", loss)


def begun(network: FR) -> FR:
    """After the first steps: nothing that starts at zero is at zero."""
    assert isinstance(network.decoder, PhotoDecoder)
    for head in (network.decoder.flow, network.decoder.light, network.decoder.mask):
        torch.nn.init.normal_(head.weight, std=0.1)
    return network


def test_an_untrained_fr_shows_half_of_the_photos_face() -> None:
    network = FR(TINY.fr).eval()
    face, photo = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    c, mask = network(face, torch.rand(1, TINY.fr.embedding), photo)
    assert torch.allclose(c, photo, atol=1e-5)
    assert torch.equal(mask, torch.full_like(mask, 0.5))


def test_fr_changes_large_faces_as_it_does_small_ones() -> None:
    torch.manual_seed(0)
    network = begun(FR(TINY.fr)).eval()
    smooth = torch.rand(2, 1, 3, 8, 8) * 2 - 1
    small, large = (
        [F.interpolate(x, (side, side), mode="bicubic").clamp(-1, 1) for x in smooth]
        for side in (64, 256)
    )
    embedding = torch.rand(1, TINY.fr.embedding)
    with torch.inference_mode():
        c, mask = network(small[0], embedding, small[1])
        fine, fine_mask = network(large[0], embedding, large[1])
    assert fine.shape == (1, 3, 256, 256) and fine_mask.shape == (1, 1, 256, 256)
    inner = (..., slice(4, -4), slice(4, -4))
    assert (F.avg_pool2d(fine, 4) - c)[inner].abs().mean() < 0.02
    assert (F.avg_pool2d(fine_mask, 4) - mask)[inner].abs().mean() < 0.02
    assert (c - small[1])[inner].abs().mean() > 0.1  # it did change something


def test_what_fr_makes_is_as_sharp_as_the_photo() -> None:
    network = begun(FR(TINY.fr)).eval()
    checks = (torch.arange(256).view(1, -1) // 2 + torch.arange(256).view(-1, 1) // 2) % 2
    photo = (checks.float() - 0.5).expand(1, 3, 256, 256)
    blurred = torch.zeros_like(photo)
    with torch.inference_mode():
        c, _ = network(blurred, torch.rand(1, TINY.fr.embedding), photo)
    steps = [(x[..., 1:] - x[..., :-1]).abs().mean() for x in (c, photo)]
    assert steps[0] > 0.6 * steps[1]


def test_fr_uses_the_photos_face_where_it_was_made_for_it() -> None:
    faces, photos = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    embedding = torch.rand(1, TINY.fr.embedding)
    seeing, blind = FR(TINY.fr).eval(), FR(TINY_PAPER.fr).eval()
    assert not torch.equal(
        seeing(faces, embedding, photos)[0], seeing(faces, embedding, -photos)[0]
    )
    assert torch.equal(blind(faces, embedding, photos)[0], blind(faces, embedding)[0])
    with pytest.raises(ValueError, match="photo's face"):
        seeing(faces, embedding)


def two_legs() -> Tensor:
    """Alpha of two bars, four pixels apart."""
    alpha = torch.zeros(1, 1, 100, 60)
    alpha[..., 20:80, 10:20] = alpha[..., 20:80, 24:34] = 1
    return alpha


def bent_by(alpha: Tensor, change: Tensor) -> Bent:
    none = torch.zeros_like(alpha)
    z = none.expand(-1, 3, -1, -1)
    colour = torch.tensor([0.8, -0.5, 0.1]).reshape(1, 3, 1, 1) * alpha
    small = torch.cat([colour, alpha, alpha, none], 1)
    m = (alpha + change).clamp(0, 1)
    return Bent(colour, m, z, none, none, alpha + change, change, small)


NEAR = {
    "b2f.size": "100x60", "b2f.canvas": "100x60",
    "b2f.reach": 0.02, "b2f.gap": 0.03, "b2f.hard": 4.0,
}  # fmt: skip


def test_what_is_shown_is_the_warp_and_what_is_near_it_or_between_its_parts() -> None:
    alpha = two_legs()
    change = torch.zeros_like(alpha)
    change[..., 20:80, 20:24] = 1  # between them
    change[..., 20:80, 34:36] = 1  # along the outside
    change[..., 20:80, 44:50] = 1  # another one beside them
    change[..., 20:30, 10:20] = -1  # and less of the first
    bent = bent_by(alpha, change)
    _, m = shown(bent, TINY.with_overrides(NEAR).b2f)
    assert m[..., 22:78, 10:35].min() == 1, "nothing of the warp is taken away"
    assert m[..., 40:60].max() == 0
    _, m = shown(bent, TINY.with_overrides({**NEAR, "b2f.reach": 1.0}).b2f)
    assert m[..., 22:78, 45:49].min() == 1
    _, m = shown(bent, TINY.with_overrides({"b2f.reach": 0, "b2f.gap": 0}).b2f)
    assert torch.equal(m, bent.m)


def test_what_the_network_is_unsure_of_is_not_shown() -> None:
    alpha = two_legs()
    change = torch.zeros_like(alpha)
    change[..., 20:80, 42:50], change[..., 82:96, 10:30] = 0.3, 0.8
    change[..., 50, 54] = 1  # a speck
    anywhere = TINY.with_overrides({**NEAR, "b2f.reach": 1.0}).b2f
    _, m = shown(bent_by(alpha, change), anywhere)
    assert m[..., 20:80, 40:].max() == 0
    assert m[..., 84:94, 12:28].min() == 1


def test_no_ring_of_background_stays_between_the_warp_and_what_is_added() -> None:
    alpha = two_legs()
    change = torch.zeros_like(alpha)
    change[..., 20:80, 35:50] = 1  # as wide as the leg that it lies beside
    anywhere = TINY.with_overrides(
        {**NEAR, "b2f.size": "52x32", "b2f.reach": 1.0, "b2f.spread": False}
    ).b2f
    _, m = shown(bent_by(alpha, change), anywhere)
    assert m[..., 24:76, 25:48].min() > 0.95
    _, still = shown(bent_by(alpha, torch.zeros_like(alpha)), anywhere)
    assert torch.equal(still, alpha), "and an edge beside which nothing is missing does not grow"


def test_what_is_added_has_the_colour_of_the_warp_beside_it() -> None:
    alpha = two_legs()
    change = torch.zeros_like(alpha)
    change[..., 20:80, 20:24] = 1
    bent = bent_by(alpha, change)
    z, m = shown(bent, TINY.with_overrides({**NEAR, "b2f.spread": True}).b2f)
    added = (m > 0.9) & (alpha == 0)
    assert added.sum() > 150
    colours = z.movedim(1, -1)[added[:, 0]]
    assert (colours - torch.tensor([0.8, -0.5, 0.1])).abs().max() < 0.02
    painted, _ = shown(bent, TINY.with_overrides({**NEAR, "b2f.spread": False}).b2f)
    assert torch.equal(painted, bent.z)


def test_colours_are_continued_everywhere_and_nothing_is_made_of_nothing() -> None:
    small = torch.zeros(1, 6, 32, 20)
    assert torch.equal(continued(small), torch.zeros(1, 3, 32, 20))
    small[:, :2, 10:15, 10:15], small[:, 3, 10:15, 10:15] = 0.6, 1
    assert (continued(small)[:, :2] - 0.6).abs().max() < 1e-3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), st.integers(1, 9), st.integers(1, 9))
def test_dilation_is_the_largest_within_a_square(radius: int, height: int, width: int) -> None:
    x = torch.randn(2, 1, height, width)
    expected = torch.nn.functional.max_pool2d(x, 2 * radius + 1, 1, radius) if radius else x
    assert torch.equal(dilated(x, radius), expected)


def test_gradient_reaches_all_of_the_discriminators() -> None:
    picture = torch.rand(2, TINY.b2f.d_inputs, 64, 40)
    for critics in (b2f_discriminator(TINY.b2f), p2b_discriminator(TINY.p2b)):
        shown = picture if critics.d1.layers[0][0].in_channels == 30 else torch.rand(2, 50, 64, 40)
        scores = [features[-1] for features in critics(shown)]
        assert_reached(critics, "patch", sum((score**2).mean() for score in scores))  # type: ignore[arg-type]
    critic = fr_discriminator(TINY.fr)
    assert_reached(critic, "face", (critic(torch.rand(2, 3, 64, 64))[-1] ** 2).mean())


def made_texture() -> tuple[Tensor, np.ndarray, np.ndarray]:
    warped = cut(made_target()).pose(standing_skeleton(320, 512), 512, 320)
    return inputs.texture_tensor(warped)[None], warped.colour, warped.alpha


def compact_b2f(texture: str = "warp") -> tuple[B2F, tuple[Tensor, Tensor, Tensor]]:
    """With a flow, which `compact` has not."""
    preset = COMPACT.with_overrides({"b2f.texture": texture, "b2f.max_flow": 12})
    network = B2F(preset.b2f).eval()
    P_B = one_hot(random_labels(1, network.preset), 27)
    start = network.person(torch.randn(1, network.preset.embedding))
    return network, (P_B, start.detach(), made_texture()[0])


def test_untrained_compact_b2f_paints_the_warp() -> None:
    network, given = compact_b2f()
    with torch.no_grad():
        painted = network(*given)
    _, colour, alpha = made_texture()
    z = ((painted.z[0] + 1) / 2).permute(1, 2, 0).numpy()
    assert (alpha > 0.5).sum() > 10_000
    assert np.abs(z - colour)[alpha > VISIBLE].mean() < 1e-4
    assert np.abs(painted.m[0, 0].numpy() - alpha).max() < 1e-4


def test_flow_and_gate_move_and_replace_pixels_of_the_full_size() -> None:
    network, given = compact_b2f()
    network.preset = dataclasses.replace(network.preset, spread=False)
    heads = network.decoder.heads
    nn.init.constant_(heads.flow.bias, 1e4)  # saturated: max_flow canvas pixels, right and down
    given[0].zero_()[:, 5] = 1  # upper clothes everywhere: no head, whose flow is off
    with torch.no_grad():
        moved = network(*given)
        nn.init.constant_(heads.gate.bias, -100.0)
        kept = network(*given)
        given[2][:, VALIDITY] = 0
        painted = network(*given)
        network.preset = network.decoder.preset = dataclasses.replace(
            network.preset, keep_least=0.0
        )
        bare = network(*given)
    assert not torch.allclose(kept.z, kept.bent.colour)  # what the photo shows stays
    shift = round(network.preset.max_flow)
    alpha = given[2][:, 3:4]
    torch.testing.assert_close(
        moved.m[..., :-shift, :-shift], alpha[..., shift:, shift:], atol=1e-3, rtol=0
    )
    torch.testing.assert_close(bare.z, bare.bent.colour)
    # Where the warp has a colour, most of it is kept when the gate asks for none.
    assert float(painted.bent.gate.max()) == pytest.approx(0.85)
    mixed = painted.z - painted.bent.colour
    torch.testing.assert_close(mixed, painted.bent.gate * (moved.z - painted.bent.colour))


@pytest.mark.parametrize("texture", ["warp", "none"])
def test_bfloat16_agrees_with_single_precision(texture: str) -> None:
    network, given = compact_b2f(texture)
    with torch.no_grad():
        exact = network(*given)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(*given)
    assert (exact.z - rough.z.float()).abs().mean() < 2e-2
    assert (exact.m - rough.m.float()).abs().mean() < 2e-2


def test_folded_spectral_norm_computes_the_same() -> None:
    network = B2F(TINY_PAPER.b2f)
    network(*b2f_inputs(2, network))  # moves the running statistics
    given = b2f_inputs(1, network.eval())
    with torch.no_grad():
        before = network(*given).z
        fold_spectral_norms(network)
        assert not any("parametrizations" in name for name, _ in network.named_parameters())
        torch.testing.assert_close(network(*given).z, before)


def test_an_absent_part_has_a_zero_embedding() -> None:
    network = B2F(TINY.b2f)
    assert network.appearance is not None
    present = torch.tensor([[1.0, 1, 0, 1, 1]])
    e_z = network.appearance(torch.rand(1, 5, 3, 32, 32), present)
    assert e_z.shape == (1, 8 + 4 * 4)
    assert (e_z[0, 12:16] == 0).all()
    assert (e_z[0, :12] != 0).all()


def test_a_hard_mask_is_the_label_map() -> None:
    for preset in (TINY, TINY_PAPER):
        network = B2F(preset.with_overrides({"b2f.mask": "label"}).b2f).eval()
        P_B, start, texture = b2f_inputs(1, network)
        m = network(P_B, start, texture).m
        hard = torch.nn.functional.interpolate(1 - P_B[:, :1], m.shape[-2:], mode="nearest")
        assert torch.equal(m, hard)
