"""VIP: people are followed from key frame to key frame where that is sure."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from dance_datasets.annotated import Annotated
from dance_datasets.tracks import Sighting, Tracker, windows
from dance_datasets.vip import VipReader
from hypothesis import given
from hypothesis import strategies as st
from made_datasets import VIP_LEFTS, Scene, annotate, make_vip, save, scene, write

from dancecli.data.people import Options, Person, Skipped
from dancecli.errors import UsageError
from dancecli.stages import Settings

VIP = VipReader(Settings())
BOTH = {"split": "trainval"}


def people_in(root: Path, unit: str, options: Options | None = None) -> list[Person]:
    found = list(VIP.read(root, unit, options or Options(set=BOTH)))
    assert [each for each in found if isinstance(each, Skipped)] == []
    return [each for each in found if isinstance(each, Person)]


@pytest.mark.parametrize("above", ["", "Annotations"])
@pytest.mark.parametrize("outer", ["", "VIP"])
def test_people_are_followed_though_their_numbers_change(
    tmp_path: Path, above: str, outer: str
) -> None:
    make_vip(tmp_path / outer, above)
    assert VIP.units(tmp_path, Options(set=BOTH)) == ["videos1", "videos245"]
    first, second = people_in(tmp_path, "videos1")
    assert first.key == "videos1-000000000001-1" and second.key == "videos1-000000000001-2"
    assert first.about["humans"] == [1, 2, 1]
    for person, place in ((first, 0), (second, 1)):
        assert [view.number for view in person.views] == [1, 26, 51]
        for view in person.views:
            lefts = VIP_LEFTS["videos1"][view.number]
            assert np.array_equal(view.labels, scene([lefts[place]]).labels)
            assert np.array_equal(view.people, scene(lefts).labels > 0)
            assert np.array_equal(view.mask, view.labels > 0)


def test_somebody_who_jumps_is_somebody_else(tmp_path: Path) -> None:
    make_vip(tmp_path)
    people = people_in(tmp_path, "videos245")
    assert [[v.number for v in p.views] for p in people] == [[1], [26, 51]]


def test_parts_are_chosen_by_the_lists(tmp_path: Path) -> None:
    make_vip(tmp_path)
    assert VIP.units(tmp_path, Options()) == ["videos1"]
    assert VIP.units(tmp_path, Options(set={"split": "val"})) == ["videos245"]
    (found,) = VIP.read(tmp_path, "videos245", Options())
    assert found == Skipped("videos245", "video is not in the list")


def test_the_gap_cuts_people_into_samples(tmp_path: Path) -> None:
    make_vip(tmp_path)
    people = people_in(tmp_path, "videos1", Options(gap=25))
    assert [[v.number for v in p.views] for p in people] == [[1, 26], [1, 26], [51], [51]]
    assert len({person.key for person in people}) == 4


def test_views_are_chosen_by_seed_and_name_alone(tmp_path: Path) -> None:
    make_vip(tmp_path)

    def numbers(seed: int) -> list[list[int]]:
        found = people_in(tmp_path, "videos1", Options(frames=2, seed=seed))
        return [[view.number for view in person.views] for person in found]

    assert numbers(3) == numbers(3)
    choices = [numbers(seed) for seed in range(8)]
    assert all(len(n) == 2 and n == sorted(n) for choice in choices for n in choice)
    assert len({tuple(choice[0]) for choice in choices}) > 1


def test_no_more_people_than_asked_for(tmp_path: Path) -> None:
    make_vip(tmp_path)
    assert len(people_in(tmp_path, "videos1", Options(people=1))) == 1


@pytest.mark.parametrize("absent", ["Category_ids", "Human_ids"])
def test_instance_maps_stand_in_for_either(tmp_path: Path, absent: str) -> None:
    make_vip(tmp_path)
    shutil.rmtree(tmp_path / absent)
    first, _ = people_in(tmp_path, "videos1")
    assert np.array_equal(first.views[1].labels, scene([4]).labels)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Images/videos1/000000000026.jpg", "picture cannot be decoded"),
        ("Human_ids/videos1/000000000026.png", "annotation cannot be decoded"),
    ],
)
def test_a_bad_frame_is_told_and_bridged(tmp_path: Path, name: str, reason: str) -> None:
    make_vip(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:70])
    found = list(VIP.read(tmp_path, "videos1", Options()))
    assert found[0] == Skipped(name, reason)
    assert [[v.number for v in p.views] for p in found[1:]] == [[1, 51], [1, 51]]


def test_a_missing_frame_is_told(tmp_path: Path) -> None:
    make_vip(tmp_path)
    with (tmp_path / "lists/train_id.txt").open("a") as lines:
        lines.write("videos1/000000000076\nvideos9\n../x/1\n")
    units = VIP.units(tmp_path, Options())
    assert units[0] == "videos1" and len(units) == 3
    found = [each for unit in units for each in VIP.read(tmp_path, unit, Options())]
    assert [each for each in found if isinstance(each, Skipped)] == [
        Skipped("Images/videos1/000000000076.jpg", "picture is missing"),
        Skipped("lists/train_id.txt:5", "no name of a picture"),
        Skipped("lists/train_id.txt:6", "no name of a picture"),
    ]


def test_a_missing_list_is_told(tmp_path: Path) -> None:
    make_vip(tmp_path)
    (tmp_path / "lists/val_id.txt").unlink()
    units = VIP.units(tmp_path, Options(set=BOTH))
    assert units[0] == "videos1"
    assert list(VIP.read(tmp_path, units[1], Options(set=BOTH))) == [
        Skipped("lists/val_id.txt", "list is missing")
    ]


def test_lists_beside_the_pictures_are_found(tmp_path: Path) -> None:
    make_vip(tmp_path)
    (tmp_path / "lists/train_id.txt").rename(tmp_path / "train_id.txt")
    assert VIP.units(tmp_path, Options()) == ["videos1"]


def test_another_folder_and_wrong_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lists/"):
        VIP.units(tmp_path, Options())
    make_vip(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'trainval'"):
        VIP.units(tmp_path, Options(set={"split": "trainva"}))
    with pytest.raises(UsageError, match="the only setting: split"):
        VIP.units(tmp_path, Options(set={"frames": "3"}))


def test_frames_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    make_vip(tmp_path)
    lines = (tmp_path / "lists/train_id.txt").read_text().split()
    write(tmp_path / "lists/train_id.txt", *reversed(lines), "videos1/1")
    save(tmp_path / "Images/videos1/1.jpg", scene([2, 30], 5).rgb)
    annotate(tmp_path, "videos1/1", scene([2, 30], 5))
    first, _ = people_in(tmp_path, "videos1", Options())
    assert [view.number for view in first.views] == [1, 26, 51]


# -- following


def followed(*frames: tuple[int, Scene]) -> list[list[tuple[int, int]]]:
    tracker = Tracker()
    for number, made in frames:
        tracker.add(number, Annotated(made.rgb, made.labels, made.humans.astype(np.uint16), ""))
    return [[(s.number, s.human) for s in track] for track in tracker.tracks]


def test_a_cut_starts_new_people() -> None:
    assert followed((1, scene([10], 1)), (26, scene([10], 2))) == [[(1, 1)], [(26, 1)]]
    assert followed((1, scene([10], 1)), (26, scene([10], 1))) == [[(1, 1), (26, 1)]]


def test_too_long_a_pause_starts_new_people() -> None:
    assert followed((1, scene([10])), (51, scene([10]))) == [[(1, 1), (51, 1)]]
    assert followed((1, scene([10])), (76, scene([10]))) == [[(1, 1)], [(76, 1)]]


def test_other_clothes_in_the_same_place_start_a_new_person() -> None:
    before = scene([10])
    table = np.array([0, 1, 1, 3, 4, 6, 6, 7, 8, 6, 10, 11, 12, 4, 6, 6, 16, 17, 8, 8], np.uint8)
    now = Scene(before.rgb, table[before.labels], before.humans)
    assert followed((1, before), (26, now)) == [[(1, 1)], [(26, 1)]]


def test_two_who_might_be_either_start_anew() -> None:
    """Two stand so that the one before overlaps both much alike."""
    before = scene([16])
    now = scene([16])
    half = now.humans.copy()
    half[:, 23:][half[:, 23:] > 0] = 2
    found = followed((1, before), (26, Scene(now.rgb, now.labels, half)))
    assert found == [[(1, 1)], [(26, 1)], [(26, 2)]]


def test_numbers_of_people_may_be_large() -> None:
    made = scene([2, 30])
    odd = Scene(made.rgb, made.labels, np.array([0, 700, 65535])[made.humans])
    assert followed((1, made), (26, odd)) == [[(1, 1), (26, 700)], [(1, 2), (26, 65535)]]


@given(st.lists(st.integers(1, 4000), unique=True).map(sorted), st.integers(0, 300))
def test_windows_keep_every_frame_and_the_gap(numbers: Sequence[int], gap: int) -> None:
    pieces = windows([Sighting(number, 1) for number in numbers], gap)
    assert [s.number for piece in pieces for s in piece] == list(numbers)
    assert all(piece[-1].number - piece[0].number <= gap for piece in pieces)
