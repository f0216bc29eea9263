"""Pictures of a training: there for people, and without a trace in what is trained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from dance_freestyle.training import shown
from dance_freestyle.training.checkpoints import checkpoints
from dance_freestyle.training.processes import ALONE
from dance_freestyle.training.samples import Sample, open_samples
from dance_freestyle.training.trainer import Trainer
from made_samples import made_set
from training_pair import fingerprint, trainer

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return open_samples([made_set(tmp_path_factory.mktemp("made"), people=5)])


@pytest.mark.parametrize(("role", "columns"), [("p2b", 5), ("b2f", 7), ("fr", 6)])
def test_pictures_are_kept_and_change_nothing(
    role: str, columns: int, people: list[Sample], tmp_path: Path
) -> None:
    ends = []
    for name, every in (("with", 1), ("without", 0)):
        run = trainer(role, people, tmp_path / name, ALONE, steps=2, batch=2, pictures=every)
        run.train()
        ends.append(fingerprint(run))
    assert ends[0] == ends[1]
    assert not (tmp_path / "without" / "pictures").exists()
    found = sorted((tmp_path / "with" / "pictures").iterdir())
    assert [path.name for path in found] == ["step-00000001.png", "step-00000002.png"]
    one, two = (cv2.imread(str(path)) for path in found)
    # Four rows of all columns; the output changes, what goes in and the truth do not.
    assert one.shape == two.shape and one.shape[0] == shown.TITLES + 4 * (shown.HEIGHT + shown.GAP)
    assert len(run.task.rows(*shown_batch(run))[0]) == columns
    changed = (one != two).any(2)
    assert changed.any() and not changed[:, : one.shape[1] // 8].any()
    assert not changed[:, -one.shape[1] // 8 :].any()


def shown_batch(run: Trainer) -> tuple[Any, Any]:
    batch = run.batch(range(1))
    return batch, run.task.forward(batch)


def test_a_resumed_run_takes_back_later_pictures(people: list[Sample], tmp_path: Path) -> None:
    run = trainer("fr", people, tmp_path, ALONE, batch=2, every=1, steps=3, pictures=1)
    run.train()
    shutil.rmtree(checkpoints(tmp_path)[-1].path)
    again = trainer("fr", people, tmp_path, ALONE, batch=2, every=1, steps=2)
    again.resume()
    again.train()
    assert [path.name[5:13] for path in sorted((tmp_path / "pictures").iterdir())] == [
        "00000001", "00000002"
    ]  # fmt: skip
    assert len((tmp_path / "losses.jsonl").read_text().splitlines()) == 2


def test_tensorboard_gets_them_too(people: list[Sample], tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer("fr", people, tmp_path, ALONE, steps=2, batch=2, pictures=2).train()
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in found.Images("pictures")] == [2]
    assert [event.step for event in found.Scalars("total")] == [1, 2]
