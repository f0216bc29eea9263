"""The format: a sample's files, a shard's tar and index, and what is refused of them."""

from __future__ import annotations

import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shard_jobs import HEIGHT, WIDTH, drawn_crop, drawn_sample

from dancecli.data import shards
from dancecli.data.people import Skipped
from dancecli.data.reading import open_stored
from dancecli.data.samples import Sample, encode
from dancecli.data.stores import LocalFile
from dancecli.errors import DanceError, MediaError, PluginError
from dancecli.types import DenseMap, Skeleton

KEYS = st.text("ABCXYZabcxyz0189_-", min_size=1, max_size=80)


def floats(count: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float32, (count, 3), elements=st.floats(-99999, 99999, width=32))


POSES = st.builds(
    Skeleton, floats(25), floats(21), floats(21), floats(70), st.none() | floats(25)
)  # fmt: skip


def written(folder: Path, *made: Sample | Skipped) -> shards.Index:
    return shards.write_shard(folder / "shard-000000.tar", made, "hash", len(made))


def test_a_sample_comes_back_to_the_bit(tmp_path: Path) -> None:
    sample = drawn_sample("ann", frames=3)
    written(tmp_path, sample)
    (stored,) = open_stored([tmp_path])
    assert stored.key == "ann" and stored.numbers == (0, 10, 20)
    assert stored.meta() == {"schema": 1, "frames": [0, 10, 20], **sample.about}
    for k, crop in enumerate(sample.crops):
        back = stored.crop(k)
        np.testing.assert_array_equal(back.labels, crop.labels)
        assert (back.parsed is None) == (crop.parsed is None) == (k > 0)
        np.testing.assert_array_equal(back.parsed, crop.parsed)
        assert crop.dense is not None and back.dense is not None
        np.testing.assert_array_equal(back.dense.iuv, crop.dense.iuv)
        np.testing.assert_array_equal(back.skeleton.points(), crop.skeleton.points())
        assert np.abs(back.plate.astype(int) - crop.plate).max() <= 2  # JPEG of one colour
        assert stored.files.read(f"{k}.jpg") == encode(sample)[f"ann.{k}.jpg"]


def test_what_was_read_and_is_written_again_is_the_same_bytes(tmp_path: Path) -> None:
    sample = drawn_sample("ann")
    written(tmp_path, sample)
    (stored,) = open_stored([tmp_path])
    again = replace(sample, crops=tuple(stored.crop(k) for k in range(stored.count)))
    before, after = encode(sample), encode(again)
    assert before.keys() == after.keys()
    exact = [name for name in before if not name.endswith(".jpg")]
    assert len(exact) == 8 and all(before[name] == after[name] for name in exact)


@settings(deadline=None, max_examples=40)
@given(KEYS, POSES)
def test_any_key_and_pose_come_back(key: str, pose: Skeleton) -> None:
    import tempfile

    crop = replace(drawn_crop(np.random.default_rng(0)), skeleton=pose, dense=None)
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), Sample(key, (crop,)))
        (stored,) = open_stored([folder])
        back = stored.crop(0)
    assert stored.key == key and back.dense is None
    assert back.skeleton.points().tobytes() == pose.points().tobytes()
    if pose.world is None:
        assert back.skeleton.world is None
    else:
        np.testing.assert_array_equal(back.skeleton.world, pose.world)


def test_joints_of_unknown_depth_stay_unknown(tmp_path: Path) -> None:
    sample = drawn_sample("ann", frames=1)
    world = np.full((25, 3), np.nan, np.float32)
    world[3] = 1, 2, 3
    crop = replace(sample.crops[0], skeleton=replace(sample.crops[0].skeleton, world=world))
    written(tmp_path, replace(sample, crops=(crop,)))
    np.testing.assert_array_equal(open_stored([tmp_path])[0].crop(0).skeleton.world, world)


def test_the_same_samples_are_the_same_bytes(tmp_path: Path) -> None:
    made = (drawn_sample("b"), Skipped("c.jpg", "too small"), drawn_sample("a", frames=1))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        index = written(tmp_path / name, *made)
    one, two = ((tmp_path / name / "shard-000000.tar") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "one/shard-000000.json").read_bytes() == index.encoded()
    with tarfile.open(one) as tar:
        members = tar.getmembers()
        assert {(m.mtime, m.uid, m.uname, m.mode, m.type) for m in members} == {
            (0, 0, "", 0o644, tarfile.REGTYPE)
        }
        assert [m.name for m in members][:2] == ["b.meta.json", "b.0.jpg"]
        assert [(m.name, m.offset_data, m.size) for m in members] == [
            row[:3] for row in index.members
        ]
    assert index.skipped == (("c.jpg", "too small"),) and index.frames == {"b": [0, 10], "a": [0]}
    assert shards.read_index(LocalFile(tmp_path / "one/shard-000000.json")) == index


def test_webdataset_reads_our_shards(tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    samples = [drawn_sample("ann"), drawn_sample("bob", frames=1)]
    written(tmp_path, *samples)
    found = list(wds.WebDataset(str(tmp_path / "shard-000000.tar"), shardshuffle=False))
    assert [each["__key__"] for each in found] == ["ann", "bob"]
    for sample, each in zip(samples, found, strict=True):
        files = {name: data for name, data in each.items() if not name.startswith("__")}
        assert {f"{sample.key}.{name}": data for name, data in files.items()} == encode(sample)


def broken(**changed: Any) -> Sample:
    sample = drawn_sample("ann", frames=1)
    if changed.keys() & {"key", "crops", "about"}:
        return replace(sample, **changed)
    return replace(sample, crops=(replace(sample.crops[0], **changed),))


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (broken(key="a/b"), "the key is not"),
        (broken(key="a" * 81), "the key is not"),
        (broken(crops=()), "has no frames"),
        (broken(about={"box": np.float32(1)}), "not JSON"),
        (broken(about={"box": float("nan")}), "not JSON"),
        (broken(labels=np.full((HEIGHT, WIDTH), 22, np.uint8)), "label 22"),
        (broken(labels=np.zeros((8, 8), np.uint8)), "labels is uint8"),
        (broken(plate=np.zeros((HEIGHT, WIDTH, 3), np.float32)), "plate is float32"),
        (broken(dense=DenseMap(np.full((HEIGHT, WIDTH, 3), 2, np.float32))), "U, V in"),
        (broken(dense=DenseMap(np.zeros((8, 8, 3), np.float32))), "dense is"),
        (broken(skeleton=Skeleton(np.full((25, 3), np.nan, np.float32))), "not finite"),
        (broken(skeleton=Skeleton(np.full((25, 3), 2e5, np.float32))), "points beyond 100000"),
        (
            broken(
                skeleton=replace(
                    drawn_sample("ann").crops[0].skeleton, world=np.full((25, 3), 2e5, np.float32)
                )
            ),
            "points beyond",
        ),
        (broken(number=2**60), "its number is 1152921504606846976"),
        (broken(key="a/b", about={"dataset": "mine"}), "sample 'a/b' of mine: the key"),
    ],
)
def test_a_sample_that_breaks_the_format_is_not_written(
    tmp_path: Path, sample: Sample, says: str
) -> None:
    with pytest.raises(PluginError, match=says):
        written(tmp_path, drawn_sample("before"), sample)
    assert list(tmp_path.iterdir()) == []


def test_two_samples_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="two samples are called ann"):
        written(tmp_path, drawn_sample("ann"), drawn_sample("ann", seed=1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: str) -> BinaryIO:
        path.touch()
        return io.open("/dev/full", mode)  # noqa: UP020

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DanceError, match=r"shard-000000.tar cannot be written \(No space left"):
        written(tmp_path, drawn_sample("ann"))
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_an_interrupted_shard_leaves_nothing(tmp_path: Path) -> None:
    def made() -> Any:
        yield drawn_sample("ann")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shards.write_shard(tmp_path / "shard-000000.tar", made(), "hash", 2)
    assert list(tmp_path.iterdir()) == []


def forged(folder: Path, **changed: Any) -> None:
    """Rewrites the index beside the shard with some fields changed."""
    path = folder / "shard-000000.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changed}))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"members": [["ann.0.jpg", 10**9, 5, 0]]}, "cut off within 'ann.0.jpg'"),
        ({"members": [["ann.0.jpg", -5, 5, 0]]}, "not the index"),
        ({"members": [["ann.0.jpg", 0, 2**60, 0]]}, "not the index"),
        ({"members": [["ann.0.jpg", 0, 2**26, 0]], "size": 2**40}, "67108864 bytes, above"),
        ({"members": [["../ann.0.jpg", 512, 5, 0]]}, "out of the shard"),
        ({"members": [["/ann.0.jpg", 512, 5, 0]]}, "out of the shard"),
        ({"members": [["ann.0.jpg", 512, 5, 0]] * 2}, "two files are called"),
        ({"members": [["ann.0.jpg", 512, 5, 0]]}, "lacks 0.labels.png"),
        ({"members": [["ann.0.jpg", 512]]}, "not the index"),
        ({"members": {"a": 1}}, "not the index"),
        ({"frames": {"ann": [0]}}, "not 2 frame numbers"),
        ({"frames": {}}, "not 2 frame numbers"),
        ({"frames": {"ann": ["0", "1"]}}, "not 2 frame numbers"),
        ({"frames": [1]}, "not the index"),
        ({"sha256": "x"}, "not the index"),
        ({"sha256": "0" * 64}, "SHA-256 is not"),
        ({"size": 5000000}, "5000000 expected"),
        ({"schema": 2}, "schema 2"),
    ],
)
def test_a_forged_index_is_refused(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    written(tmp_path, drawn_sample("ann"))
    forged(tmp_path, **changed)
    with pytest.raises(MediaError, match=says):
        open_stored([tmp_path])


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "", "\ufeff{}", '{"schema": 1}'])
def test_an_index_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    written(tmp_path, drawn_sample("ann"))
    (tmp_path / "shard-000000.json").write_text(text)
    with pytest.raises(MediaError, match=r"shard-000000\.json"):
        open_stored([tmp_path])


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_changed_index_gives_no_other_picture(data: st.DataObject) -> None:
    """Whatever single byte of an index changes: refused, or the bytes of every file are right."""
    import tempfile

    sample = drawn_sample("ann", frames=1)
    files = encode(sample)
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), sample)
        path = Path(folder, "shard-000000.json")
        text = bytearray(path.read_bytes())
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(32, 126))
        path.write_bytes(text)
        try:
            for stored in open_stored([folder]):
                for name in stored.files.names():
                    assert stored.files.read(name) in files.values()
        except DanceError:
            pass
