"""Prepared samples: what is read, in which order, and what is refused."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from dance_freestyle.training.samples import open_samples, order, positions, visited
from hypothesis import given
from hypothesis import strategies as st
from made_samples import HEIGHT, WIDTH, coded, made_files, made_set, write_shard

from dancecli.errors import DanceError, MediaError, UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_set(tmp_path_factory.mktemp("made"), people=3)


def one(tmp_path: Path, **changed: bytes | None) -> Path:
    """A shard of one sample with some files replaced or left out."""
    files = {**made_files(np.random.default_rng(0), 1)}
    for name, data in changed.items():
        field = name.replace("__", ".").removeprefix("f")
        if data is None:
            del files[field]
        else:
            files[field] = data
    write_shard(tmp_path / "one.tar", {f"a.{field}": data for field, data in files.items()})
    return tmp_path / "one.tar"


def test_a_shard_and_its_unpacked_files_are_the_same_samples(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(folder / "made-000.tar") as tar:
        for member in tar.getmembers():
            key, field = member.name.split(".", 1)
            (tmp_path / key).mkdir(exist_ok=True)
            file = tar.extractfile(member)
            assert file is not None
            (tmp_path / key / field).write_bytes(file.read())
    packed, loose = open_samples([folder]), open_samples([tmp_path])
    assert [s.key for s in packed] == [s.key for s in loose] == ["00000", "00001", "00002"]
    assert [s.count for s in packed] == [2, 2, 1]
    assert packed[0].numbers == (0, 10)
    a, b = packed[1].shot(1), loose[1].shot(1)
    np.testing.assert_array_equal(a.rgb, b.rgb)
    np.testing.assert_array_equal(a.skeleton.points(), b.skeleton.points())
    assert a.rgb.shape == a.plate.shape == (HEIGHT, WIDTH, 3)
    assert a.dense is not None and a.dense[..., 1:].max() <= 1
    assert set(np.unique(a.labels)) >= {0, 5, 13, 16, 17}


def test_a_missing_dense_map_is_unknown(tmp_path: Path) -> None:
    assert open_samples([one(tmp_path, f0__dense__png=None)])[0].shot(0).dense is None


def test_a_parsers_labels_take_the_true_ones_place_where_they_are_wanted_and_known(
    tmp_path: Path,
) -> None:
    parsed = np.zeros((HEIGHT, WIDTH), np.uint8)
    truth = open_samples([one(tmp_path)])[0].shot(0).labels
    for said, wanted in ((None, truth), (parsed, truth), (parsed + 7, parsed + 7)):
        data = None if said is None else coded(".png", said)
        sample = open_samples([one(tmp_path, **({"f0__parsed__png": data} if data else {}))])[0]
        assert np.array_equal(sample.shot(0, parsed=True).labels, wanted)
        assert np.array_equal(sample.shot(0).labels, truth)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"f0__parsed__png": coded(".png", np.full((HEIGHT, WIDTH), 22, np.uint8))}, "label 22"),
        ({"f0__parsed__png": coded(".png", np.zeros((8, 8), np.uint8))}, "different sizes"),
        ({"f0__plate__jpg": None}, "lacks 0.plate.jpg"),
        ({"fmeta__json": None}, "lacks meta.json"),
        ({"fmeta__json": b'{"schema": 9}'}, "schema 9"),
        ({"fmeta__json": b'{"schema": 1, "frames": [1, 2]}'}, "not 1 frame numbers"),
        ({"fmeta__json": b"["}, "not JSON"),
        ({"f0__jpg": b"\xff\xd8\xff\xc0" + bytes(20)}, "not a JPEG"),
        ({"f0__labels__png": coded(".png", np.full((HEIGHT, WIDTH), 22, np.uint8))}, "label 22"),
        ({"f0__labels__png": coded(".png", np.zeros((8, 8), np.uint8))}, "different sizes"),
        ({"f0__labels__png": coded(".png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))}, "3 channels"),
        ({"f0__labels__png": coded(".png", np.zeros((8, 5000), np.uint8))}, "at most 4096"),
        ({"f0__dense__png": coded(".png", np.full((HEIGHT, WIDTH, 3), 99, np.uint8))}, "part 99"),
        ({"f0__pose__json": json.dumps({"body": [[0, 0, 1]]}).encode()}, "25 triples"),
        ({"f0__pose__json": b'{"body": [[NaN, 0, 1]' + b",[0, 0, 1]" * 24 + b"]}"}, "25 triples"),
        ({"f0__pose__json": b'{"body": "x"}'}, "25 triples"),
    ],
)
def test_damaged_samples_are_named(
    tmp_path: Path, changed: dict[str, bytes | None], says: str
) -> None:
    with pytest.raises(MediaError, match=says):
        open_samples([one(tmp_path, **changed)])[0].shot(0)


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("../a.0.jpg", tarfile.REGTYPE, "out of the shard"),
        ("/a.0.jpg", tarfile.REGTYPE, "out of the shard"),
        ("a.0.jpg", tarfile.SYMTYPE, "link or device"),
        ("a.0.jpg", tarfile.CHRTYPE, "link or device"),
    ],
)
def test_hostile_members_are_refused(tmp_path: Path, name: str, kind: bytes, says: str) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info, io.BytesIO())
    with pytest.raises(MediaError, match=says):
        open_samples([tmp_path / "bad.tar"])


@given(st.data())
def test_a_cut_off_or_foreign_shard_never_gets_past_its_checks(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "a.tar")
        write_shard(path, {"a.0.jpg": bytes(600), "a.meta.json": b"{}"})
        whole = bytearray(path.read_bytes())
        length = data.draw(st.integers(0, 2048))
        place = data.draw(st.integers(0, 511))
        whole[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(bytes(whole[:length]))
        with pytest.raises(DanceError):
            open_samples([path])


def test_a_shard_without_index_that_is_cut_off_is_left_out_by_name(
    folder: Path, tmp_path: Path
) -> None:
    whole = (folder / "made-000.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole)
    (tmp_path / "b.tar").write_bytes(whole[:20_000])
    lines: list[str] = []
    assert len(open_samples([tmp_path], lines.append)) == 3
    assert "b.tar" in lines[0] and lines[1] == "1 of 2 shards are left out"
    with pytest.raises(MediaError, match=r"b\.tar"):
        open_samples([tmp_path])


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = one(tmp_path)
    with tarfile.open(path, "a") as tar:
        tar.addfile(tarfile.TarInfo("a.0.jpg"), io.BytesIO())
    with pytest.raises(MediaError, match=r"two files are called 'a.0.jpg'"):
        open_samples([path])


def test_a_member_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.0.jpg")
    info.size = 2**34
    (tmp_path / "huge.tar").write_bytes(info.tobuf() + bytes(2048))
    with pytest.raises(MediaError, match=r"bytes, above|cut off|not a whole"):
        open_samples([tmp_path / "huge.tar"])


def test_an_empty_folder_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no samples"):
        open_samples([tmp_path])


@given(st.integers(1, 50), st.integers(0, 99), st.integers(0, 9))
def test_an_epoch_visits_each_sample_once(count: int, seed: int, epoch: int) -> None:
    seen = [visited(epoch * count + place, count, seed) for place in range(count)]
    assert sorted(seen) == list(range(count))
    assert seen == order(count, seed, epoch).tolist()


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(order(20, seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}
    assert len(orders) == 6


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 4))
def test_processes_share_a_step_without_overlap(consumed: int, each: int, world: int) -> None:
    batch = each * world
    parts = [positions(consumed, batch, rank, world) for rank in range(world)]
    assert all(len(part) == each for part in parts)
    assert sorted(p for part in parts for p in part) == list(positions(consumed, batch))
