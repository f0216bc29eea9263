"""The parser and embedder of our own: networks, items, training steps, and the plugin."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dance_builtin.heuristic import HeuristicParser
from dance_builtin.learned import LearnedParser
from dance_freestyle.checkpoint import ROLES
from dance_freestyle.embedder import Embedder
from dance_freestyle.parser import Parser
from dance_freestyle.preset_fields import EmbedderPreset, ParserPreset
from dance_freestyle.presets import COMPACT
from dance_freestyle.training import appearances, samples
from dance_freestyle.training.embedding import EmbedderTask
from dance_freestyle.training.features import Features
from dance_freestyle.training.parsing import ParserTask, parser_item, soft_dice
from dance_freestyle.training.tasks import build
from freestyle_tiny import count_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from made_samples import made_set

from dancecli.errors import NoPersonError
from dancecli.figures import made_target
from dancecli.labels import Label, mirrored
from dancecli.mirror import mirrored_skeleton
from dancecli.stages import Settings
from dancecli.types import Frame, PersonMask

SMALL = ParserPreset(size=(64, 32), widths=(8, 8, 16))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[samples.Sample]:
    return samples.open_samples([made_set(tmp_path_factory.mktemp("made"), 4)])


def test_the_bundle_stays_below_ten_million_parameters() -> None:
    presets = {name: getattr(COMPACT, name) for name in ("p2b", "b2f", "fr", "parser")}
    total = sum(count_parameters(ROLES[name].build(p)) for name, p in presets.items())
    assert total < 10_000_000


def test_the_parser_gives_22_labels_at_its_size_with_and_without_hints() -> None:
    network = Parser(SMALL).eval()
    rgb, hints = torch.rand(2, 3, 64, 32), torch.rand(2, 4, 64, 32)
    with torch.no_grad():
        told, blind = network(rgb, hints), network(rgb)
    assert told.shape == blind.shape == (2, 22, 64, 32)
    assert not torch.equal(told, blind)


def test_sizes_that_do_not_halve_are_refused() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        ParserPreset(size=(60, 40), widths=(8, 8, 8))


def test_feature_networks_have_a_layer_for_every_weight_of_equation_16_and_18() -> None:
    features = Features(Parser(COMPACT.parser), Embedder(COMPACT.embedder))
    assert len(features.picture(torch.rand(1, 3, 128, 64))) == 5
    assert len(features.face(torch.rand(1, 3, 96, 96))) == 5
    assert not any(p.requires_grad for p in features.parameters())


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_item_is_a_picture_hints_and_labels_and_follows_from_its_seed(
    people: list[samples.Sample], seed: int
) -> None:
    one, two = (parser_item(people[0], np.random.default_rng(seed), SMALL) for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert one["rgb"].shape == (3, 64, 32) and one["rgb"].dtype == torch.uint8
    assert one["hints"].shape == (4, 64, 32)
    assert one["labels"].shape == (64, 32) and int(one["labels"].max()) < 22


def test_one_map_of_colours_changes_all_pictures_alike(people: list[samples.Sample]) -> None:
    rgb = people[0].shot(0).rgb
    tint = appearances.drawn_tint(np.random.default_rng(3))
    one, two = (appearances.tinted(rgb, tint) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, rgb)


def test_a_map_of_colours_is_what_it_says() -> None:
    tint = appearances.Tint(
        np.array([[0, 1, 0], [0.5, 0, 0], [0, 0, 1]], np.float32),
        np.array([0, 0.1, -2], np.float32), np.float32(2), True,
    )  # fmt: skip
    found = tint.of(np.array([[[0.2, 0.6, 0.9]]], np.float32))
    assert np.allclose(found, 1 - np.array([0.6, 0.2, 0.0]) ** 2, atol=1e-6)


def test_a_segmented_silhouette_stays_near_the_true_one() -> None:
    person = np.zeros((128, 80), bool)
    person[20:110, 25:60] = True
    found = [
        appearances.segmented(person, np.random.default_rng(seed)) >= 0.5 for seed in range(20)
    ]
    overlaps = [(mask & person).sum() / (mask | person).sum() for mask in found]
    assert np.median(overlaps) > 0.85
    assert len({mask.tobytes() for mask in found}) > 15


def test_dice_is_nought_for_the_truth_and_one_for_nothing_right() -> None:
    truth = torch.zeros(1, 8, 8, dtype=torch.long)
    truth[:, :4] = 5
    right = 50 * torch.nn.functional.one_hot(truth, 22).movedim(-1, 1).float()
    assert float(soft_dice(right, truth)) == pytest.approx(0, abs=1e-4)
    wrong = 50 * torch.nn.functional.one_hot((truth == 0) * 9, 22).movedim(-1, 1).float()
    assert float(soft_dice(wrong, truth)) == pytest.approx(1, abs=1e-4)


def test_contrast_is_small_when_everybody_is_found() -> None:
    task = EmbedderTask(EmbedderPreset(crop=32, widths=(8, 8), size=16))
    apart = torch.eye(16)[:4]
    found = float(task.generator_terms({}, (apart, apart))["contrast"])
    lost = float(task.generator_terms({}, (apart, apart.roll(1, 0)))["contrast"])
    assert found < 0.01 < 5 < lost


@pytest.mark.parametrize(
    ("role", "preset"),
    [("parser", SMALL), ("embedder", EmbedderPreset(crop=32, widths=(8, 16), size=16))],
)
def test_a_few_steps_on_one_batch_lower_the_loss(
    people: list[samples.Sample], role: str, preset: object
) -> None:
    task = build(role, preset, 0)
    rng = np.random.default_rng(0)
    items = [task.item(people[k % len(people)], rng) for k in range(4)]
    batch = task.ready({name: torch.stack([item[name] for item in items]) for name in items[0]})
    adam = torch.optim.Adam(task.network.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        adam.zero_grad()
        loss = torch.stack([*task.generator_terms(batch, task.forward(batch)).values()]).sum()
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    task.critic_loss(batch, task.forward(batch)).backward()


def test_the_plugin_labels_the_mask_and_nothing_else() -> None:
    target = made_target(160, 256)
    plugin = LearnedParser(Settings("cpu"), ParserTask(SMALL).network)
    labels = plugin.parse(target.frame, target.skeleton, target.mask).labels
    inside = target.mask.alpha >= 0.5
    assert labels.shape == inside.shape and labels.dtype == np.uint8
    assert (labels[inside] > 0).all() and (labels[~inside] == 0).all()
    assert labels.max() < 22
    again = plugin.parse(target.frame, target.skeleton, target.mask).labels
    assert np.array_equal(labels, again)


def test_in_the_mirror_the_labels_are_mirrored() -> None:
    target, size, network = made_target(160, 256), 160, ParserTask(SMALL).network
    torch.nn.init.normal_(network.head[-1].weight)  # far surer than colours are
    plugin = LearnedParser(Settings("cpu"), network)
    labels = plugin.parse(target.frame, target.skeleton, target.mask).labels
    turned = plugin.parse(
        Frame(np.ascontiguousarray(target.frame.rgb[:, ::-1])),
        mirrored_skeleton(target.skeleton, size),
        PersonMask(np.ascontiguousarray(target.mask.alpha[:, ::-1])),
    ).labels
    inside = labels > 0
    assert (mirrored(turned) == labels)[inside].mean() > 0.97


def test_colours_decide_where_the_network_does_not_know_and_yield_where_it_does() -> None:
    target = made_target(160, 256)
    network = ParserTask(SMALL).network
    torch.nn.init.zeros_(network.head[-1].weight)
    torch.nn.init.zeros_(network.head[-1].bias)
    plugin, inside = LearnedParser(Settings("cpu"), network), target.mask.alpha >= 0.5
    by_colour = (
        HeuristicParser(Settings("cpu")).parse(target.frame, target.skeleton, target.mask).labels
    )

    def found() -> np.ndarray:
        return plugin.parse(target.frame, target.skeleton, target.mask).labels

    assert (found() == by_colour)[inside].mean() > 0.9
    with torch.no_grad():
        network.head[-1].bias[4 * Label.DRESS : 4 * Label.DRESS + 4] = 9.0
    assert (found()[inside] == Label.DRESS).all()


def test_nobody_is_a_clear_error() -> None:
    plugin = LearnedParser(Settings("cpu"), ParserTask(SMALL).network)
    frame = Frame(np.zeros((64, 64, 3), np.uint8))
    for mask in (None, PersonMask(np.zeros((64, 64), np.float32))):
        with pytest.raises(NoPersonError):
            plugin.parse(frame, None, mask)
