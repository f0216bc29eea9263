"""Samples made while training, and what `--data` says of them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dance_freestyle.training.samples import Samples, open_data
from hypothesis import given
from hypothesis import strategies as st
from shard_jobs import DrawnJob, drawn_sample

from dancecli.data import sources
from dancecli.data.live import JobSamples
from dancecli.data.people import Skipped
from dancecli.data.samples import Sample
from dancecli.data.sources import Joined, live_job
from dancecli.errors import MediaError, PluginError, UsageError


def begun(job: DrawnJob) -> list[str]:
    assert job.marks is not None
    return sorted(path.name.split(".")[0] for path in job.marks.iterdir())


def test_a_job_is_a_set_of_its_units(tmp_path: Path) -> None:
    job = DrawnJob(marks=tmp_path)
    samples = Samples(JobSamples(job))
    assert len(samples) == 10 and begun(job) == []  # nothing is made before it is asked for
    sample = samples[2]
    assert (sample.key, sample.count, sample.numbers) == ("drawn_unit-002", 2, (0, 10))
    shot, truth = sample.shot(1), drawn_sample("drawn_unit-002").crops[1]
    np.testing.assert_array_equal(shot.rgb, truth.rgb)
    assert truth.dense is not None
    np.testing.assert_array_equal(shot.dense, truth.dense.iuv)
    assert begun(job) == ["unit-002"]
    assert samples[-8].key == sample.key
    with pytest.raises(IndexError):
        samples[10]


def test_an_epoch_of_what_is_made_on_the_way_is_told_by_the_first_sample(tmp_path: Path) -> None:
    job = DrawnJob(marks=tmp_path)
    assert Samples(JobSamples(job)).frames == 20
    assert begun(job) == ["unit-000"]
    assert Samples(JobSamples(DrawnJob(count=0))).frames == 0


def test_the_last_few_are_remembered(tmp_path: Path) -> None:
    job = DrawnJob(marks=tmp_path)
    samples = JobSamples(job, kept=2)
    for index in (0, 1, 0, 1, 2, 1, 0):
        assert samples[index].key == f"drawn_unit-00{index}"
    assert begun(job) == ["unit-000", "unit-000", "unit-001", "unit-002"]


def test_a_unit_without_a_person_gives_the_next_one() -> None:
    samples = JobSamples(DrawnJob(hollow=5))
    assert samples[4].key == samples[5].key == "drawn_unit-005"
    assert samples[9].key == "drawn_unit-000"  # after the last comes the first
    with pytest.raises(MediaError, match="10 units from unit-003 on give nobody"):
        JobSamples(DrawnJob(hollow=1))[3]


def test_a_copy_in_another_process_gives_the_same(tmp_path: Path) -> None:
    samples = JobSamples(DrawnJob())
    first = samples[7]
    packed = pickle.dumps(samples)
    assert len(packed) < 2000  # no pictures
    np.testing.assert_array_equal(pickle.loads(packed)[7].crop(0).rgb, first.crop(0).rgb)


class Crowd(DrawnJob):
    def samples(self, unit: str) -> Iterator[Sample | Skipped]:
        yield drawn_sample("a")
        yield drawn_sample("b")


def test_a_unit_with_several_people_is_refused() -> None:
    with pytest.raises(PluginError, match="unit-000 gives 2 people"):
        JobSamples(Crowd())[0]


@given(st.lists(st.integers(0, 5), max_size=5))
def test_joined_sequences_are_one(lengths: list[int]) -> None:
    parts = [[f"{n}.{k}" for k in range(count)] for n, count in enumerate(lengths)]
    flat = [each for part in parts for each in part]
    joined = Joined(parts)  # type: ignore[arg-type]
    assert list(joined) == flat and len(joined) == len(flat)
    assert [joined[-k] for k in range(1, len(flat) + 1)] == flat[::-1]


@pytest.fixture
def synth() -> None:
    if not any(info.name == "synth" for info in sources.registry.installed(sources.GROUP)):
        pytest.skip("no data set plugin 'synth' is installed")


@pytest.mark.usefixtures("synth")
def test_data_may_name_a_set_that_is_made_on_the_way(tmp_path: Path) -> None:
    job = live_job("synth:some/assets?people=20000&frames=4&seed=3&pose=truth&light=soft")
    assert (job.reader, job.root) == ("synth", Path("some/assets"))
    assert (job.options.people, job.options.frames, job.options.seed) == (20000, 4, 3)
    assert job.options.set == {"light": "soft"}
    assert (job.stages.pose, job.stages.seed) == ("truth", 3)
    assert live_job("synth:").root is None
    small = live_job("synth:?min-height=40&device=cpu")
    assert (small.rules.height, small.stages.device) == (40, "cpu") and not small.options.set
    assert live_job("synth:?parsed=on").stages.parsed and not job.stages.parsed


@pytest.mark.usefixtures("synth")
@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("synth:?people=many", "people=many is not a whole number"),
        ("synth:?people=-1", "not a whole number"),
        ("synth:?min-height=tall", "min-height=tall is not a whole number"),
        ("synth:?min-height=3", "min-height=3 is below 16"),
        ("synth:?parsed=yes", "parsed=yes: say on or off"),
        ("synth:?dense=nosuch", "no dance.dense plugin is called 'nosuch'"),
    ],
)
def test_what_cannot_be_made_is_refused_at_once(data: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        live_job(data)


@pytest.mark.usefixtures("synth")
def test_synthetic_humans_are_made_on_the_way() -> None:
    root = Path(__file__).resolve().parents[2] / "shared" / "assets" / "humans"
    assets = Path(os.environ.get("DANCE_TEST_ASSETS", root))
    if not assets.is_dir():
        pytest.skip(f"no asset pack at {assets} (set DANCE_TEST_ASSETS)")
    people = open_data(f"synth:{assets}?people=50&frames=1&pose=truth&dense=truth&noise=none")
    assert len(people) == 50
    shot = people[17].shot(0)
    assert shot.rgb.shape == shot.plate.shape == (512, 320, 3) and shot.dense is not None
    shown = shot.labels > 0
    assert 0.03 < shown.mean() < 0.9
    assert np.abs(shot.rgb.astype(int) - shot.plate).max(2)[shown].mean() > 10
    assert (shot.dense[..., 0] > 0)[shown].mean() > 0.5
