"""`--resume`: what a run goes on with, and what it is told where it cannot."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from dance_freestyle.checkpoint import load_network
from dance_freestyle.embedder import Embedder
from dance_freestyle.parser import Parser
from dance_freestyle.training.checkpoints import checkpoints
from dance_freestyle.training.features import Features
from dance_freestyle.training.samples import Sample, open_samples
from dance_freestyle.training.settings import Settings
from dance_freestyle.training.tasks import build
from dance_freestyle.training.trainer import Trainer
from freestyle_tiny import TINY
from made_samples import made_set

from dancecli.errors import UsageError, WeightsError

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return open_samples([made_set(tmp_path_factory.mktemp("made"), people=5)])


def trainer(
    role: str, people: list[Sample], run: Path, steps: int = 4,
    features: Features | None = None, **settings: Any,
) -> Trainer:  # fmt: skip
    helpers = {"features": features} if features else {}
    task = build(role, getattr(TINY, role), settings.get("seed", 0), **helpers)
    return Trainer(task, people, Settings(steps, **{"batch": 2, "every": 2, **settings}), run)


def features(seed: int, where: str = "") -> Features:
    torch.manual_seed(seed)
    return Features(Parser(TINY.parser), Embedder(TINY.embedder), where)


def forget(run: Path, *names: str) -> None:
    """Makes the newest checkpoint one of a version that did not keep these settings."""
    last = checkpoints(run)[-1]
    state = last.state()
    for name in names:
        del state["settings"][name]
    torch.save(state, last.path / "state.pt")


def test_resume_refuses_other_settings(people: list[Sample], tmp_path: Path) -> None:
    trainer("fr", people, tmp_path, steps=2).train()
    with pytest.raises(UsageError, match=r"begun with seed 0, not 7; resume with the same, or"):
        trainer("fr", people, tmp_path, seed=7).resume()
    with pytest.raises(UsageError, match="no checkpoint"):
        trainer("fr", people, tmp_path / "none").resume()


def test_a_run_of_an_earlier_version_goes_on_where_nobody_asks_for_what_it_lacked(
    people: list[Sample], tmp_path: Path
) -> None:
    trainer("p2b", people, tmp_path, steps=2).train()
    forget(tmp_path, "p2b.parsed", "p2b.schedule.fade")
    with pytest.raises(UsageError, match=r"begun with p2b.parsed 0.0, not 0.7"):
        trainer("p2b", people, tmp_path).resume()
    preset = TINY.with_overrides({"p2b.parsed": 0}).p2b
    again = Trainer(build("p2b", preset, 0), people, Settings(4, batch=2, every=2), tmp_path)
    again.resume()
    assert again.step == 2


@pytest.mark.parametrize("role", ["b2f", "fr"])
def test_a_run_goes_on_with_the_features_that_it_began_with(
    role: str, people: list[Sample], tmp_path: Path
) -> None:
    trainer(role, people, tmp_path, 2, features(3, "my bundle")).train()
    for given in (None, features(4, "other")):
        with pytest.raises(UsageError, match=r"begun with features .* of my bundle") as refused:
            trainer(role, people, tmp_path, 4, given).resume()
        assert "resume with the same --features" in str(refused.value)
    again = trainer(role, people, tmp_path, 4, features(3, "elsewhere"))
    again.resume()
    assert again.step == 2


@pytest.mark.parametrize("role", ["b2f", "fr"])
def test_a_run_without_features_goes_on_without(
    role: str, people: list[Sample], tmp_path: Path
) -> None:
    trainer(role, people, tmp_path, 2).train()
    with pytest.raises(UsageError, match=r'features "none".*resume without --features'):
        trainer(role, people, tmp_path, 4, features(3)).resume()
    trainer(role, people, tmp_path, 4).resume()


@pytest.mark.parametrize("began", [True, False])
def test_an_earlier_version_kept_that_there_were_features_but_not_which(
    began: bool, people: list[Sample], tmp_path: Path
) -> None:
    given, other = (features(3), None) if began else (None, features(3))
    trainer("fr", people, tmp_path, 2, given).train()
    forget(tmp_path, "features")
    says = 'features "some".*with the same --features' if began else "resume without --features"
    with pytest.raises(UsageError, match=says):
        trainer("fr", people, tmp_path, 4, other).resume()
    run = trainer("fr", people, tmp_path, 4, given)
    run.resume()
    run.train()
    assert checkpoints(tmp_path)[-1].step == 4


def test_a_run_of_the_cpu_goes_on_on_cuda_by_its_seed(people: list[Sample], tmp_path: Path) -> None:
    trainer("fr", people, tmp_path, 2).train()
    run = trainer("fr", people, tmp_path)
    # Where there is no GPU the weights stay here; what is kept for one is looked for all the same.
    run.settings = replace(run.settings, device="cuda")
    run.resume()
    assert run.step == 2


@pytest.mark.gpu
@pytest.mark.parametrize(("first", "then"), [("cpu", "cuda"), ("cuda", "cpu"), ("cuda", "cuda")])
def test_a_run_goes_on_on_another_device(
    first: str, then: str, people: list[Sample], tmp_path: Path
) -> None:
    trainer("fr", people, tmp_path, 2, device=first).train()
    run = trainer("fr", people, tmp_path, device=then)
    run.resume()
    run.train()
    assert checkpoints(tmp_path)[-1].step == 4


@pytest.mark.parametrize("name", ["state.pt", "critics.safetensors", "fr-raw.safetensors"])
def test_a_damaged_checkpoint_says_which_one_is_before_it(
    name: str, people: list[Sample], tmp_path: Path
) -> None:
    trainer("fr", people, tmp_path).train()
    last = checkpoints(tmp_path)[-1].path
    (last / name).write_bytes((last / name).read_bytes()[:1000])
    advice = rf"{name}: not a readable .*; remove {last} to go on from step-00000002"
    with pytest.raises(WeightsError, match=advice):
        trainer("fr", people, tmp_path).resume()
    shutil.rmtree(last)
    run = trainer("fr", people, tmp_path)
    run.resume()
    assert run.step == 2
    (run.run / "step-00000002" / name).unlink()
    with pytest.raises(WeightsError, match="no checkpoint is before it"):
        trainer("fr", people, tmp_path).resume()


def test_a_checkpoint_that_does_not_fit_is_not_to_be_removed(
    people: list[Sample], tmp_path: Path
) -> None:
    trainer("fr", people, tmp_path).train()
    last = checkpoints(tmp_path)[-1]
    torch.save({**last.state(), "generator": {"state": {}}}, last.path / "state.pt")
    with pytest.raises(WeightsError, match=f"does not fit.*--init {last.path}") as refused:
        trainer("fr", people, tmp_path).resume()
    assert "remove" not in str(refused.value)
    assert load_network(last.path / "fr.safetensors", "fr") is not None


class Evil:
    """Would run code of the file's choice when unpickled."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("evil"),))


def test_a_training_state_cannot_run_code(
    people: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trainer("fr", people, tmp_path, steps=2).train()
    torch.save({"step": Evil()}, checkpoints(tmp_path)[-1].path / "state.pt")
    with pytest.raises(WeightsError, match=r"state\.pt"):
        trainer("fr", people, tmp_path).resume()
    assert not Path("evil").exists()
