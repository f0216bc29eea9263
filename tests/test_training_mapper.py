"""B2F's items: photos cut once, poses that turn with the picture, maps that a P2B makes."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dance_freestyle import inputs
from dance_freestyle.p2b import hard_labels, one_hot
from dance_freestyle.training import augment, batches
from dance_freestyle.training.cuts import Cuts
from dance_freestyle.training.mapper import Mapper
from dance_freestyle.training.samples import Sample, open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import B2FTask, build
from dance_freestyle.training.trainer import Trainer
from freestyle_tiny import TINY
from made_samples import made_set

from dancecli.errors import UsageError
from dancecli.labels import mirrored

torch.set_num_threads(1)

CANVAS = TINY.b2f.canvas


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return open_samples([made_set(tmp_path_factory.mktemp("made"), people=3)])


def mapper() -> Mapper:
    return Mapper(build("p2b", TINY.p2b, 5).network)  # type: ignore[arg-type]


def test_a_photo_is_cut_once_and_looks_the_same_after(people: list[Sample], tmp_path: Path) -> None:
    shot = people[0].shot(0)
    pose = augment.fitted(shot, CANVAS).skeleton
    pictures = [
        Cuts(folder).puppet(shot, CANVAS).pose(pose, *CANVAS).colour
        for folder in (None, tmp_path, tmp_path)
    ]
    assert len(list(tmp_path.glob("*.puppet"))) == 1
    assert np.array_equal(pictures[0], pictures[1]) and np.array_equal(pictures[1], pictures[2])
    Cuts(tmp_path).puppet(people[1].shot(0), CANVAS)
    assert len(list(tmp_path.glob("*.puppet"))) == 2


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("touched"),)


@pytest.mark.parametrize("content", [b"", b"nonsense", pickle.dumps(Hostile()), pickle.dumps(3)])
def test_a_cut_from_elsewhere_is_not_run(
    people: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    cuts, shot = Cuts(tmp_path / "cuts"), people[0].shot(0)
    cuts.puppet(shot, CANVAS)
    (kept,) = (tmp_path / "cuts").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(content)
    cuts.puppet(shot, CANVAS)
    assert not Path("touched").exists()
    assert kept.read_bytes() == whole


def test_metric_joints_turn_with_the_picture(people: list[Sample]) -> None:
    world = np.random.default_rng(0).normal(0, 0.5, (25, 3)).astype(np.float32)
    body = people[0].shot(0).skeleton.body.copy()
    body[:, :2] = 60 * world[:, :2] + 90
    skeleton = replace(people[0].shot(0).skeleton, body=body, world=world)
    turned = augment.moved_skeleton(
        skeleton, augment.drawn_move(np.random.default_rng(4), (256, 160))
    )
    assert turned.world is not None
    ratio = np.ptp(turned.body[:, :2], axis=0) / np.ptp(turned.world[:, :2], axis=0)
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-3)
    np.testing.assert_allclose(
        np.linalg.norm(turned.world, axis=1), np.linalg.norm(world, axis=1), rtol=1e-5
    )


def test_p2b_makes_the_share_of_maps_that_the_preset_says(people: list[Sample]) -> None:
    def shares(mapped: float) -> float:
        task = B2FTask(replace(TINY.b2f, mapped=mapped), mapper=mapper())
        items = [task.item(people[0], rng=np.random.default_rng(seed)) for seed in range(12)]
        return float(np.mean([bool(item["mapped"]) for item in items if item]))

    assert shares(0.0) == 0 and shares(1.0) == 1 and 0.1 < shares(0.5) < 0.9


def test_a_made_map_is_p2b_s_with_the_face_drawn_in(people: list[Sample]) -> None:
    network = mapper()
    task = B2FTask(replace(TINY.b2f, mapped=1.0, aug_colour=0.0), mapper=network)
    for seed in range(6):
        item = task.item(people[0], rng=np.random.default_rng(seed))
        assert item is not None
        batch = batches.collated([item], "cpu")
        found = task.ready(batch)["P_B"].argmax(1)[0].numpy()
        with torch.no_grad():
            logits = network.network(
                one_hot(batch["p_star"], TINY.p2b.labels), batch["P_S"].float() / 255, batch["P_D"]
            )
        labels = inputs.resized(hard_labels(logits)[0].numpy(), TINY.b2f.size)
        wanted = inputs.with_face(labels, item["landmarks"].numpy(), TINY.b2f)
        wanted = mirrored(wanted) if item["turned"] else wanted
        assert np.array_equal(found, wanted)


def test_a_run_goes_on_with_the_p2b_that_it_began_with(
    people: list[Sample], tmp_path: Path
) -> None:
    def run(seed: int) -> Trainer:
        other = Mapper(build("p2b", TINY.p2b, seed).network)  # type: ignore[arg-type]
        return Trainer(B2FTask(TINY.b2f, mapper=other), people, Settings(1, 1), tmp_path)

    run(5).train()
    run(5).resume()
    with pytest.raises(UsageError, match="begun with maps"):
        run(6).resume()


def test_without_a_mapper_maps_are_true(people: list[Sample]) -> None:
    item = B2FTask(TINY.b2f).item(people[0], rng=np.random.default_rng(0))
    assert item is not None and "mapped" not in item and "p_star" not in item
