"""FR's faces as a B2F paints them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dance_freestyle import faces
from dance_freestyle.training import augment, batches
from dance_freestyle.training.memory import activations
from dance_freestyle.training.painter import Painter
from dance_freestyle.training.samples import Sample, open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import FRTask, build
from dance_freestyle.training.trainer import Trainer
from freestyle_tiny import TINY, TINY_PAPER
from made_samples import made_set

torch.set_num_threads(1)

CANVAS = replace(TINY.b2f, canvas=(256, 160))
"""As large as the made samples, whose faces are then large enough."""

ALONE = replace(TINY.fr, photo=False)
"""One of the people has a single frame."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return open_samples([made_set(tmp_path_factory.mktemp("made"), people=5)])


def painter() -> Painter:
    return Painter(build("b2f", CANVAS, 0).network)  # type: ignore[arg-type]


def task(share: float) -> FRTask:
    return FRTask(replace(ALONE, rendered=share), painter=painter())


def test_an_untrained_b2f_with_texture_paints_the_warped_photo(people: list[Sample]) -> None:
    """Its z and m then are the warp: the face is the one of that picture, cut as in rendering."""
    shown = task(1.0)
    item = shown.item(people[4], rng=np.random.default_rng(0))
    assert item is not None and item["painted"]
    ready = shown.ready(batches.collated([item], "cpu"))
    texture = item["texture"].numpy().transpose(1, 2, 0)
    ground = batches.signed(item["plate"]).numpy().transpose(1, 2, 0)
    frame = texture[..., :3] * texture[..., 3:4] + ground * (1 - texture[..., 3:4])
    rgb = np.rint(np.clip((frame + 1) * 127.5, 0, 255)).astype(np.uint8)
    alignment = faces.align(item["landmarks"].numpy(), ALONE.size)
    assert alignment is not None
    wanted = torch.from_numpy(faces.cut(rgb, alignment)).movedim(-1, 0)
    found = (ready["c0"][0] + 1) * 127.5
    assert (found - wanted).abs().mean() < 2.0
    # The person has one frame: warped onto itself, the face lies where the true one does.
    assert (ready["c0"] - ready["truth"]).abs().mean() < 0.15


def test_the_share_of_painted_faces_is_the_preset_s(people: list[Sample]) -> None:
    plain = Painter(build("b2f", replace(TINY_PAPER.b2f, canvas=(256, 160)), 0).network)  # type: ignore[arg-type]

    def painted(share: float, count: int) -> int:
        shown = FRTask(replace(ALONE, rendered=share), painter=plain)
        drawn = [shown.item(people[k % 5], rng=np.random.default_rng(k)) for k in range(count)]
        return sum(bool(item["painted"]) for item in drawn if item)

    assert painted(0.0, 10) == 0 and painted(1.0, 10) == 10
    assert 8 < painted(0.5, 40) < 32


def test_painted_and_worn_faces_keep_their_places(people: list[Sample]) -> None:
    half = task(0.5)
    drawn = [half.item(people[k % 5], rng=np.random.default_rng(k)) for k in range(6)]
    items = [item for item in drawn if item is not None]
    flags = [bool(item["painted"]) for item in items]
    assert len(set(flags)) == 2
    together = half.ready(batches.collated(items, "cpu"))["c0"]
    for place, item in enumerate(items):
        alone = half.ready(batches.collated([item], "cpu"))["c0"][0]
        torch.testing.assert_close(together[place], alone, atol=2 / 127.5, rtol=0)
        worn = torch.equal(alone, batches.signed(item["c0"]))
        assert worn != flags[place]


def test_without_a_painter_nothing_else_is_drawn(people: list[Sample]) -> None:
    with_painter = task(1.0).item(people[0], rng=np.random.default_rng(3))
    alone = FRTask(ALONE).item(people[0], rng=np.random.default_rng(3))
    assert with_painter is not None and alone is not None
    assert set(alone) == {"c0", "truth", "identity"}
    for name, value in alone.items():
        assert torch.equal(value, with_painter[name])


def test_the_photo_that_fr_sees_is_another_picture_of_the_face(people: list[Sample]) -> None:
    seeing = FRTask(TINY.fr)
    item = seeing.item(people[0], rng=np.random.default_rng(3))
    assert item is not None
    assert item["photo"].shape == item["truth"].shape
    assert not torch.equal(item["photo"], item["truth"])
    assert seeing.item(people[4], rng=np.random.default_rng(0)) is None


def test_a_face_too_small_on_the_canvas_is_worn(people: list[Sample]) -> None:
    small = FRTask(replace(ALONE, rendered=1.0),
                   painter=Painter(build("b2f", TINY_PAPER.b2f, 0).network))  # type: ignore[arg-type]  # fmt: skip
    item = small.item(people[0], rng=np.random.default_rng(0))
    assert item is not None and not item["painted"] and "images" not in item
    assert torch.equal(
        small.ready(batches.collated([item], "cpu"))["c0"][0], batches.signed(item["c0"])
    )


def test_the_painter_stays_as_it_is(people: list[Sample], tmp_path: Path) -> None:
    shown = task(1.0)
    assert shown.painter is not None
    before = [value.clone() for value in shown.painter.state_dict().values()]
    run = Trainer(shown, people, Settings(steps=2, batch=2, every=1), tmp_path)
    run.train()
    after = shown.painter.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any("painter" in name for name in run.task.network.state_dict())
    assert shown.fed_by["faces"] != "worn" and shown.fed_by["faces"] == painter().name


def test_mirrored_samples_are_painted_mirrored(people: list[Sample]) -> None:
    shot = people[0].shot(0)
    there = batches.painting_item(shot, shot, CANVAS, None)
    turned = augment.mirrored(shot)
    back = batches.painting_item(turned, turned, CANVAS, None)
    assert torch.equal(there["plate"].flip(-1), back["plate"])


def test_paper_s_memory_is_counted_without_its_files() -> None:
    from dance_freestyle.presets import PAPER

    one, two = (activations("fr", PAPER.fr, count) for count in (1, 2))
    assert 1e8 < one < 5e9 and one < two <= 2 * one
