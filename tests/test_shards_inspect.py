"""`inspect`: what it finds in a set, and the contact sheet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Run
from made_samples import made_set
from shard_jobs import DrawnJob, drawn_crop

from dancecli.data import scale
from dancecli.data.inspecting import inspect
from dancecli.data.samples import Crop, Sample
from dancecli.data.shards import write_shard
from dancecli.errors import MediaError, UsageError
from dancecli.labels import Label
from dancecli.types import JOINT, Skeleton


def standing(facing: int) -> Crop:
    """A crop whose person is half trousers, half face; facing 1: front, -1: back."""
    crop = drawn_crop(np.random.default_rng(0))
    labels = np.zeros_like(crop.labels)
    labels[:8], labels[8:16] = Label.PANTS, Label.FACE
    body = np.zeros((25, 3), np.float32)
    for name, x in {"left_shoulder": facing, "right_shoulder": -facing, "neck": 0,
                    "left_ankle": 1, "right_ankle": -1}.items():  # fmt: skip
        body[JOINT[name]] = 20 + 5 * x, 30, 1
    return Crop(crop.rgb, labels, None, Skeleton(body), crop.plate)


def test_statistics_are_those_of_the_frames(tmp_path: Path) -> None:
    about = {"dataset": "drawn", "licence": "MIT"}
    made = [
        Sample("ann", (standing(1), standing(-1)), about),
        Sample("bob", (standing(1),), {}),
    ]
    write_shard(tmp_path / "shard-000000.tar", made, "hash", 2)
    found, sheet = inspect(tmp_path, rows=0)
    assert sheet is None and not found.whole and found.faults == ()
    assert (found.samples, found.frames, found.looked) == (2, 3, 3)
    assert found.per_person == {1: 1, 2: 1} and found.sizes == {"64x40": 3}
    assert found.datasets == {"drawn": 1, "unknown": 1}
    assert found.licences == {"MIT": 1, "unknown": 1}
    assert found.labels["pants"] == (1.0, 0.5) and found.labels["hat"] == (0.0, 0.0)
    assert found.views == pytest.approx({"whole body": 1, "front": 2 / 3, "back": 1 / 3})
    assert found.seen == pytest.approx(
        {"joints": 5 / 25, "left hand": 0, "right hand": 0, "face": 0}
    )
    assert found.dense == 0
    assert "2 people, 3 frames, not finished" in found.as_text()
    assert json.loads(json.dumps(found.as_dict()))["whole"] is False


def test_a_finished_set_is_whole_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    scale.run(DrawnJob(), tmp_path, each=3)
    found, _ = inspect(tmp_path, rows=0)
    assert found.whole and found.manifest == DrawnJob().describe()
    assert found.skipped == {"person too small": 2}
    tar = tmp_path / "shard-000001.tar"
    data = bytearray(tar.read_bytes())
    data[5000] ^= 4
    tar.write_bytes(bytes(data))
    found, _ = inspect(tmp_path, rows=0)
    assert not found.whole and len(found.faults) == 1 and found.samples == 6
    assert "FAULT" in found.as_text() and "shard-000001.tar: its SHA-256" in found.as_text()
    for path in tmp_path.glob("*.tar"):
        path.unlink()
    with pytest.raises(MediaError, match="all 4 shards are corrupt"):
        inspect(tmp_path)


def test_a_folder_of_finished_sets_is_whole_until_one_is_not(run: Run, tmp_path: Path) -> None:
    jobs = {"a": DrawnJob(), "b/c": DrawnJob(count=4, seed=1, hollow=2)}
    for name, job in jobs.items():
        scale.run(job, tmp_path / name, each=3)
    found, _ = inspect(tmp_path, rows=0)
    assert found.whole and found.samples == 10 and found.skipped == {"person too small": 4}
    assert found.manifest == {name: job.describe() for name, job in jobs.items()}
    ran = run("prepare-data", "inspect", tmp_path)
    assert ran.code == 0 and "10 people, 20 frames, finished" in ran.out
    (tmp_path / "b/c/manifest.json").unlink()
    found, _ = inspect(tmp_path, rows=0)
    assert not found.whole and found.manifest == jobs["a"].describe()
    assert "not finished (no manifest in b/c)" in found.as_text()
    for path in (tmp_path / "b/c").glob("shard-*"):
        path.unlink()  # begun, and stopped before its first shard
    assert inspect(tmp_path, rows=0)[0].unfinished == ("b/c",)
    assert run("prepare-data", "inspect", tmp_path).code == 1


def test_a_shard_by_itself_is_whole_until_it_is_damaged(run: Run, tmp_path: Path) -> None:
    scale.run(DrawnJob(), tmp_path, each=3)
    tar = tmp_path / "shard-000001.tar"
    ran = run("prepare-data", "inspect", tar)
    assert ran.code == 0 and "2 people, 4 frames, one shard" in ran.out
    data = bytearray(tar.read_bytes())
    data[5000] ^= 4
    tar.write_bytes(bytes(data))
    assert run("prepare-data", "inspect", tar).code == 1


def test_a_sample_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    folder = made_set(tmp_path / "made", people=2)
    import tarfile

    with tarfile.open(folder / "made-000.tar") as tar:
        tar.extractall(tmp_path / "loose", filter="data")
    (tmp_path / "loose" / "00001.0.labels.png").write_bytes(b"no picture")
    found, sheet = inspect(tmp_path / "loose")
    assert found.looked == 2 and len(found.faults) == 1 and sheet is not None
    assert "sample 00001: 0.labels.png: not a JPEG or 8-bit PNG" in found.faults[0]


def test_few_frames_are_spread_evenly(tmp_path: Path) -> None:
    scale.run(DrawnJob(count=20, hollow=99), tmp_path)
    found, _ = inspect(tmp_path, most=10, rows=0)
    assert found.frames == 40 and found.looked == 10 and sum(found.datasets.values()) >= 9


def test_the_sheet_has_a_row_per_person(tmp_path: Path) -> None:
    folder = made_set(tmp_path / "made", people=3)
    _, three = inspect(folder)
    _, one = inspect(folder, rows=1)
    assert three is not None and one is not None
    assert three.dtype == np.uint8 and three.shape[2] == 3
    assert three.shape[0] - one.shape[0] == pytest.approx(2 * 330, abs=10)
    assert three.shape[1] == one.shape[1]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no samples"):
        inspect(tmp_path)
