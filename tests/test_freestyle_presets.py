"""Presets: overrides and their errors, JSON, and a training step of every ablation."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from dance_freestyle import overrides
from dance_freestyle.b2f import B2F
from dance_freestyle.discriminators import b2f_discriminator, p2b_discriminator
from dance_freestyle.p2b import P2B, one_hot
from dance_freestyle.presets import ABLATIONS, COMPACT, PAPER, P2BPreset, Preset, preset
from dance_freestyle.training import objectives
from freestyle_tiny import TINY, TINY_PAPER, b2f_inputs, p2b_inputs, random_labels
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from dancecli.errors import UsageError
from dancecli.evaluate.paper import DENSE, TABLE_2
from dancecli.registry import find

torch.set_num_threads(1)


def test_overrides_are_read_by_type() -> None:
    changed = PAPER.with_overrides(
        {
            "p2b.use_dp": "off", "b2f.size": "256x160", "b2f.channels": "64,64,32,32,16",
            "b2f.loss.face": "0.5", "p2b.d_cond": "pose", "fr": "off", "name": "mine",
        }
    )  # fmt: skip
    assert changed.p2b.use_dp is False and changed.p2b.d_cond == "pose"
    assert changed.b2f.size == (256, 160) and changed.b2f.channels == (64, 64, 32, 32, 16)
    assert changed.b2f.loss.face == 0.5 and changed.fr.use is False and changed.name == "mine"
    assert PAPER.p2b.use_dp is True


def test_a_shorthand_sets_both_networks() -> None:
    changed = PAPER.with_overrides({"hand_labels": "off"})
    assert (changed.p2b.labels, changed.b2f.labels) == (20, 25)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("p2b.use_pd", "off", "p2b.use_dp"),
        ("b2f.loss.fase", 1, "b2f.loss.face"),
        ("p2b.use_dp", "maybe", "on or off"),
        ("p2b.d_cond", "some", "all or pose or none"),
        ("p2b.ngf", "many", "whole number"),
        ("p2b.ngf", 2.5, "whole number"),
        ("p2b.ngf", -1, "whole number"),
        ("p2b.ngf", True, "whole number"),
        ("b2f.loss.face", "nan", "a number"),
        ("b2f.size", "512", "512x320"),
        ("b2f.size", "500x320", "does not divide by 64"),
        ("b2f.size", "256x192", "another shape than canvas 512x320"),
        ("b2f.canvas", "512x256", "size 512x320 is of another shape"),
        ("p2b.size", "500x320", "does not divide by 16"),
        ("fr.size", 128, "not 4 doubled 6 times"),
        ("p2b", "off", "no setting is called 'p2b'"),
        ("dp.model", "R_50_FPN_s1x_legacy", "--dense NAME (densepose, or densepose-legacy"),
    ],
)
def test_wrong_overrides_say_what_is_right(key: str, value: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        PAPER.with_overrides({key: value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_preset_names_the_nearest() -> None:
    assert preset("compact") is COMPACT
    with pytest.raises(UsageError, match="compact"):
        preset("compat")


@pytest.mark.parametrize("given_preset", [PAPER, COMPACT, TINY])
def test_presets_survive_json(given_preset: Preset) -> None:
    text = json.dumps(overrides.as_json(given_preset))
    assert overrides.from_json(Preset, json.loads(text)) == given_preset


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([*overrides.as_json(PAPER.p2b), "extra"]), json_values)
    | json_values
)
def test_foreign_json_is_a_preset_or_a_usage_error(data: Any) -> None:
    try:
        found = overrides.from_json(P2BPreset, data)
    except UsageError:
        return
    assert overrides.from_json(P2BPreset, overrides.as_json(found)) == found


# Table 2, Figures 5 and 12: every row builds at the paper's size and takes a step when tiny.

CHANNELS = {
    "p2b-no-dp": {"p2b.stem.0": (25, 64), "p2b.head": (64, 22)},
    "p2b-no-fingers-dp": {"p2b.stem.0": (23, 64), "p2b.head": (64, 20)},
    "b2f-no-fingers": {"b2f.decoder.blocks.0.spade0.shared": (25, 128)},
    "b2f-no-face-loss": {"b2f.decoder.picture": (64, 3), "b2f.decoder.mask": (64, 1)},
}


def test_ablations_are_called_as_they_are_measured() -> None:
    assert {*ABLATIONS, "full"} == set(TABLE_2)
    assert set(DENSE) <= set(ABLATIONS)
    assert all(find("dance.dense", name) for name in DENSE.values())


@pytest.mark.parametrize("row", ABLATIONS)
def test_ablations_build_at_the_papers_size(row: str) -> None:
    changed = PAPER.with_overrides(ABLATIONS[row])
    assert (changed == PAPER) == (row in DENSE)  # a row of other dense maps has the full networks
    if row not in CHANNELS:
        return
    with torch.device("meta"):
        networks = torch.nn.ModuleDict({"p2b": P2B(changed.p2b), "b2f": B2F(changed.b2f)})
    for name, channels in CHANNELS[row].items():
        layer = networks.get_submodule(name)
        assert (layer.in_channels, layer.out_channels) == channels


def test_low_resolution_costs_what_the_design_says() -> None:
    changed = PAPER.with_overrides(ABLATIONS["b2f-no-face-loss"])
    counter = FlopCounterMode(display=False)
    with torch.device("meta"), counter, torch.no_grad():
        painted = B2F(changed.b2f).eval()(torch.zeros(1, 27, 256, 160), torch.zeros(1, 1024, 4, 4))
    assert painted.z.shape == (1, 3, 256, 160)
    assert counter.get_total_flops() / 1e9 == pytest.approx(173, abs=1)


def tiny(row: str, base: Preset) -> Preset:
    changes = dict(ABLATIONS[row])
    if row == "b2f-no-face-loss":
        changes |= {"b2f.size": (32, 20), "b2f.canvas": (32, 20), "b2f.channels": (8, 8, 8, 8)}
    return base.with_overrides(changes)


@pytest.mark.parametrize("base", [TINY_PAPER, TINY], ids=["paper", "compact"])
@pytest.mark.parametrize("row", ABLATIONS)
def test_ablations_take_a_step(row: str, base: Preset) -> None:
    torch.manual_seed(0)
    changed = tiny(row, base)
    if row.startswith("p2b"):
        step_p2b(changed)
    else:
        step_b2f(changed)


def step_p2b(changed: Preset) -> None:
    network, critics = P2B(changed.p2b), p2b_discriminator(changed.p2b)
    batch = objectives.P2BBatch(*p2b_inputs(2, changed.p2b), random_labels(2, changed.p2b))

    def terms() -> dict[str, torch.Tensor]:
        logits = network(batch.p_star, batch.P_S, batch.P_D)
        return objectives.p2b_generator(changed.p2b, critics, batch, logits)

    descend(network, terms)


def step_b2f(changed: Preset) -> None:
    network, critics = B2F(changed.b2f), b2f_discriminator(changed.b2f)
    P_B = one_hot(random_labels(2, changed.b2f), changed.b2f.labels)
    _, start, texture = b2f_inputs(2, network)
    pictures = torch.rand(2, 2, 3, *changed.b2f.canvas) * 2 - 1
    batch = objectives.B2FBatch(P_B, pictures[0], pictures[1], torch.zeros(0, 5))
    networks = objectives.B2FNetworks(critics)

    def terms() -> dict[str, torch.Tensor]:
        painted = network(P_B, start.detach(), texture)
        return objectives.b2f_generator(changed.b2f, networks, batch, painted)

    found = descend(network, terms)
    assert ("mask" in found) == (changed.b2f.loss.mask > 0)


def descend(network: torch.nn.Module, terms: Any) -> dict[str, float]:
    """A few steps of Adam lower the sum of the terms."""
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    values = []
    for _ in range(6):
        found = terms()
        total = sum(found.values())
        values.append(total.item())
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    assert all(map(torch.isfinite, map(torch.tensor, values)))
    assert min(values[1:]) < values[0]
    return {name: term.item() for name, term in found.items()}


@pytest.mark.parametrize(
    "change",
    [
        {"b2f.reach": -1}, {"b2f.gap": 2}, {"b2f.keep_least": 5}, {"b2f.parsed": "nan"},
        {"p2b.parsed": 2}, {"fr.schedule.fade": -1},
    ],
)  # fmt: skip
def test_a_share_is_between_none_and_all(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"not in 0\.\.1|nan"):
        COMPACT.with_overrides(change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"p2b.schedule.rate": -1}, "p2b.schedule: rate is -1; it must be more than 0"),
        ({"b2f.schedule.rate": 0}, "rate is 0"),
        ({"fr.schedule.beta1": "1.5"}, "beta1 is 1.5; it must be 0 or more, and below 1"),
        ({"parser.schedule.beta2": 1}, "beta2 is 1"),
        ({"p2b.loss.cross_entropy": -1}, "the weight cross_entropy is -1; it must be 0 or more"),
        ({"b2f.loss.flow": -0.5}, "the weight flow is -0.5"),
        ({"fr.loss.mask_gradient": -1}, "the weight mask_gradient"),
        ({"b2f.mapped": 2}, "mapped 2.0 is not in 0..1"),
        ({"fr.rendered": -1}, "rendered -1.0"),
        ({"parser.smoothing": 3}, "smoothing 3.0"),
    ],
)
def test_what_nobody_can_train_with_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        COMPACT.with_overrides(change)
    assert said in str(caught.value)
