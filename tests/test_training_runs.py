"""Whole training runs on made people: exact resume, stops, the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dance_freestyle import encoders
from dance_freestyle.checkpoint import load_network
from dance_freestyle.presets import ABLATIONS
from dance_freestyle.training import losses
from dance_freestyle.training.checkpoints import KEPT, checkpoints
from dance_freestyle.training.processes import TrainingError
from dance_freestyle.training.samples import Sample, open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.starting import initialised
from dance_freestyle.training.tasks import build
from dance_freestyle.training.trainer import Trainer
from freestyle_tiny import TINY, TINY_PAPER
from made_samples import made_set
from safetensors.torch import load_file

from dancecli.errors import UsageError

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_set(tmp_path_factory.mktemp("made"), people=5)


@pytest.fixture(scope="module")
def people(folder: Path) -> list[Sample]:
    return open_samples([folder])


def trainer(role: str, people: list[Sample], run: Path, steps: int = 4, **settings: Any) -> Trainer:
    settings = {"batch": 2, "every": 2, **settings}
    task = build(role, getattr(TINY, role), settings.get("seed", 0))
    return Trainer(task, people, Settings(steps=steps, **settings), run)


def tensors_of(run: Path, role: str) -> dict[str, bytes]:
    """Every number of the newest checkpoint's networks; the files' headers have no fixed order."""
    last = checkpoints(run)[-1].path
    return {
        f"{name} {key}": value.numpy().tobytes()
        for name in (role, f"{role}-raw", "critics")
        for key, value in load_file(last / f"{name}.safetensors").items()
    }


@pytest.mark.parametrize("role", ["p2b", "b2f", "fr"])
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(
    role: str, people: list[Sample], tmp_path: Path
) -> None:
    trainer(role, people, tmp_path / "whole").train()
    broken = trainer(role, people, tmp_path / "broken", steps=4)
    steps = iter(range(3))
    one_step = broken.one_step

    def killed(coming: Any) -> dict[str, float]:
        # In the third step, after the checkpoint of the second.
        if next(steps) == 2:
            raise KeyboardInterrupt
        return one_step(coming)

    broken.one_step = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    torch.manual_seed(99)
    resumed = trainer(role, people, tmp_path / "broken")
    resumed.resume()
    assert (resumed.step, resumed.consumed) == (2, 4)
    resumed.train()
    broken_end, whole_end = (tensors_of(tmp_path / run, role) for run in ("broken", "whole"))
    assert broken_end.keys() == whole_end.keys()
    assert [key for key in whole_end if broken_end[key] != whole_end[key]] == []
    logs = [(tmp_path / run / "losses.jsonl").read_text() for run in ("whole", "broken")]
    assert logs[0] == logs[1] and len(logs[0].splitlines()) == 4


def test_parts_of_a_batch_add_up_where_no_norm_couples_them(
    people: list[Sample], tmp_path: Path
) -> None:
    whole = trainer("fr", people, tmp_path / "a", batch=4).one_step()
    parts = trainer("fr", people, tmp_path / "b", batch=4, parts=2).one_step()
    assert parts == pytest.approx(whole, rel=1e-4)
    with pytest.raises(UsageError, match="3 parts"):
        Settings(steps=1, batch=4, parts=3).share()


def test_training_lowers_the_losses_of_one_batch(people: list[Sample], tmp_path: Path) -> None:
    run = trainer("p2b", people[:1], tmp_path, batch=2)
    batch = run.batch(range(2))
    run.batch = lambda places: batch  # type: ignore[method-assign]
    found = [run.one_step()["cross_entropy"] for _ in range(30)]
    assert found[-1] < 0.8 * found[0]


def test_the_average_lags_behind_and_is_what_is_kept(people: list[Sample], tmp_path: Path) -> None:
    path = trainer("fr", people, tmp_path, steps=2).train()
    last = checkpoints(tmp_path)[-1]
    average, raw = last.network("fr"), last.network("fr", raw=True)
    assert load_network(path, "fr").state_dict().keys() == average.state_dict().keys()
    gaps = [
        (a - b).abs().max() for a, b in zip(average.parameters(), raw.parameters(), strict=True)
    ]
    assert 0 < max(gaps) < 0.01


@pytest.mark.parametrize("poison", [float("nan"), 1e9])
def test_a_lost_loss_stops_before_the_weights(
    poison: float, people: list[Sample], tmp_path: Path
) -> None:
    run = trainer("b2f", people, tmp_path, steps=9)
    terms = run.task.generator_terms

    def poisoned(batch: Any, output: Any) -> Any:
        found = terms(batch, output)
        return {**found, "l1": found["l1"] * poison} if run.step == 3 else found

    run.task.generator_terms = poisoned  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match=r"stopped at step 4: l1 is .*step-00000002"):
        run.train()
    last = checkpoints(tmp_path)[-1]
    assert last.step == 2
    kept = last.network("b2f", raw=True).parameters()
    now = run.task.network.parameters()
    assert all(a.isfinite().all() and b.isfinite().all() for a, b in zip(kept, now, strict=True))


def test_only_the_last_checkpoints_are_kept(people: list[Sample], tmp_path: Path) -> None:
    trainer("fr", people, tmp_path, steps=KEPT + 2, every=1).train()
    assert [c.step for c in checkpoints(tmp_path)] == [3, 4, 5]
    assert not list(tmp_path.glob("*.part"))


def test_a_rate_fades_out_and_such_a_run_keeps_its_length(
    people: list[Sample], tmp_path: Path
) -> None:
    preset = TINY.with_overrides({"p2b.schedule.rate": 0.01, "p2b.schedule.fade": 0.5}).p2b

    def begun(steps: int) -> Trainer:
        task = build("p2b", preset, 0)
        return Trainer(task, people, Settings(steps, batch=2, every=2), tmp_path)

    run, rates = begun(4), []
    for _ in range(4):
        rates.append(run.rate())
        run.one_step()
        assert {group["lr"] for each in run.optimisers for group in each.param_groups} == {
            rates[-1]
        }
    assert rates == pytest.approx([0.01, 0.01, 0.01, 0.005])
    run.save()
    with pytest.raises(UsageError, match="begun with steps 4, not 8; resume with --steps 4"):
        begun(8).resume()
    constant = trainer("p2b", people, tmp_path / "constant", steps=2)
    assert constant.rate() == TINY.p2b.schedule.rate


def test_fr_says_that_it_needs_two_pictures_of_a_face(tmp_path: Path) -> None:
    alone = open_samples([made_set(tmp_path / "one", people=3, frames=1)])
    with pytest.raises(UsageError, match=r"two pictures.*fr\.photo=off"):
        trainer("fr", alone, tmp_path).batch(range(1))
    preset = TINY.with_overrides({"fr.photo": False}).fr
    run = Trainer(build("fr", preset, 0), alone, Settings(1, batch=2), tmp_path)
    assert len(run.batch(range(2))["c0"]) == 2


def test_fr_passes_over_people_without_a_face(
    people: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer("fr", people, tmp_path)
    whole, faceless = run.task.item, people[0].key

    def show(sample: Sample, *, rng: np.random.Generator) -> Any:
        return None if sample.key == faceless else whole(sample, rng=rng)

    monkeypatch.setattr(run.items, "show", show)
    assert len(run.batch(range(10))["c0"]) == 10
    monkeypatch.setattr(run.items, "show", lambda sample, rng: None)
    with pytest.raises(UsageError, match="no face that is large enough to train on"):
        run.batch(range(1))


@pytest.mark.parametrize(
    ("role", "preset", "term"),
    [
        ("p2b", TINY.p2b, "cross_entropy"), ("b2f", TINY.b2f, "composite"),
        ("b2f", TINY.with_overrides({"b2f.texture": "none"}).b2f, "composite"),
        ("fr", TINY.fr, "l1"),
    ],
)  # fmt: skip
def test_bf16_trains_too(
    role: str, preset: Any, term: str, people: list[Sample], tmp_path: Path
) -> None:
    found = [
        Trainer(build(role, preset, 0), people, Settings(4, batch=2, every=2, bf16=half), tmp_path)
        .one_step()[term]
        for half in (True, False)
    ]  # fmt: skip
    assert found[0] == pytest.approx(found[1], rel=0.02)


def test_init_takes_the_weights_of_the_same_preset(people: list[Sample], tmp_path: Path) -> None:
    start = load_network(trainer("fr", people, tmp_path, steps=1).train())
    task = initialised("fr", TINY.fr, 5, start)
    for a, b in zip(task.network.parameters(), start.parameters(), strict=True):
        assert torch.equal(a, b)
    other = build("p2b", TINY_PAPER.p2b, 0)
    with pytest.raises(UsageError, match="another preset"):
        initialised("fr", TINY.fr, 5, other.network)


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_trains(name: str, people: list[Sample], tmp_path: Path) -> None:
    large = ("b2f.size", "b2f.canvas", "b2f.channels")
    changes = {key: value for key, value in ABLATIONS[name].items() if key not in large}
    preset = TINY_PAPER.with_overrides(changes)
    for role in {key.split(".")[0] for key in changes} & {"p2b", "b2f"}:
        run = Trainer(build(role, getattr(preset, role), 0), people, Settings(1, 2), tmp_path)
        assert np.isfinite(run.one_step()["total"])
        terms = run.one_step().keys()
        assert ("mask" in terms) == (role == "b2f" and name != "b2f-no-mask")


def frozen(network: torch.nn.Module) -> torch.nn.Module:
    return network.eval().requires_grad_(False)


def test_published_encoders_judge_and_stay_as_they_are(
    people: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The published layouts with weights of chance: the files are not here.
    torch.manual_seed(0)
    face, part = frozen(encoders.VggFace2()), frozen(encoders.Vgg19())
    before = [p.clone() for p in face.parameters()]
    monkeypatch.setattr(encoders, "vggface2", lambda: face)
    monkeypatch.setattr(encoders, "vgg19", lambda: part)
    changes = {
        "b2f.encoders": "published", "b2f.face_embedding": 2048, "b2f.part_embedding": 512,
        "b2f.crop": 64, "b2f.loss.region": 1, "b2f.canvas": "256x160",
        "fr.encoders": "published", "fr.embedding": 2048, "fr.crop": 64,
    }  # fmt: skip
    preset = TINY_PAPER.with_overrides(changes)
    wanted = {"b2f": {"perceptual", "face", "region"}, "fr": {"perceptual"}}
    for role, terms in wanted.items():
        task = build(role, getattr(preset, role), 0)
        run = Trainer(task, people, Settings(1, 1), tmp_path / role)
        losses = run.one_step()
        assert terms <= losses.keys() and task.absent == ()
        assert all(losses[name] > 0 for name in terms)
        run.save()
        again = Trainer(build(role, getattr(preset, role), 1), people, Settings(1, 1), run.run)
        again.resume()
        learned, restored = (each.task.judges.state_dict() for each in (run, again))
        assert learned["faces.seen"] > 0
        assert all(torch.equal(learned[key], restored[key]) for key in learned)
    assert all(torch.equal(a, b) for a, b in zip(before, face.parameters(), strict=True))


def test_the_same_position_shows_the_same(people: list[Sample], tmp_path: Path) -> None:
    one, other = (trainer("b2f", people, tmp_path) for _ in range(2))
    other.batch(range(3))
    for a, b in zip(one.items[7].values(), other.items[7].values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_frozen_norms_keep_their_statistics(people: list[Sample], tmp_path: Path) -> None:
    ends = []
    for freeze in (True, False):
        run = trainer("p2b", people, tmp_path, freeze_norms=freeze)
        before = {key: value.clone() for key, value in run.task.network.state_dict().items()}
        run.one_step()
        after = run.task.network.state_dict()
        assert not torch.equal(before["head.weight"], after["head.weight"])
        running = [key for key in after if "running" in key]
        ends.append([torch.equal(before[key], after[key]) for key in running])
    assert all(ends[0]) and not any(ends[1]) and ends[0]


def test_each_picture_counts_alike_whatever_its_person_s_size() -> None:
    x, mask = torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)
    mask[0, :, :, :], mask[1, :, 0, 0] = 1, 1
    y = torch.stack([torch.full((3, 4, 4), 0.5), torch.full((3, 4, 4), 1.0)])
    assert losses.masked_l1(x, y, mask).item() == pytest.approx(0.75)
    halves = [losses.masked_l1(x[n : n + 1], y[n : n + 1], mask[n : n + 1]) for n in (0, 1)]
    assert sum(halves).item() / 2 == pytest.approx(0.75)
