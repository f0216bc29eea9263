"""CIHP, MHPv2, LIP and ATR are read in every layout, and what is wrong with them is told."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from dance_datasets.atr import AtrReader
from dance_datasets.cihp import CihpReader
from dance_datasets.lip import LipReader
from dance_datasets.mhp import MhpReader
from dance_datasets.stills import StillsReader
from hypothesis import given, settings
from hypothesis import strategies as st
from made_datasets import (
    MHP_NUMBERS,
    Scene,
    in_red,
    instances,
    make_atr,
    make_cihp,
    make_lip,
    make_mhp,
    make_renamed,
    renumbered,
    save,
    scene,
    write,
)

from dancecli.data.people import Options, Person, Skipped
from dancecli.errors import UsageError
from dancecli.stages import Settings

CIHP, MHP, LIP, ATR = (kind(Settings()) for kind in (CihpReader, MhpReader, LipReader, AtrReader))
MAKERS: list[tuple[StillsReader, Callable[[Path], dict[str, Scene]]]] = [
    (CIHP, make_cihp), (MHP, make_mhp), (LIP, make_lip), (ATR, make_atr),
]  # fmt: skip


def read(
    reader: StillsReader, root: Path, split: str = "", **options: object
) -> tuple[dict[str, Person], list[Skipped]]:
    """Everything that the reader finds: people by key, and what was skipped."""
    given = Options(set={"split": split} if split else {}, **options)
    units = reader.units(root, given)
    everything = list(chain.from_iterable(reader.read(root, unit, given) for unit in units))
    people = [each for each in everything if isinstance(each, Person)]
    assert len({person.key for person in people}) == len(people)
    for person in people:
        check_person(person)
    return {p.key: p for p in people}, [e for e in everything if isinstance(e, Skipped)]


def check_person(person: Person) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", person.key)
    json.dumps(person.about)
    (view,) = person.views
    assert view.rgb.shape == (64, 48, 3) and view.rgb.dtype == np.uint8
    assert view.labels.dtype == np.uint8 and view.labels.max() <= 21
    assert view.mask.dtype == view.people.dtype == bool
    assert np.array_equal(view.mask, view.labels > 0) and view.mask.any()
    assert view.people[view.mask].all()


def labels_of(person: Person) -> np.ndarray:
    return person.views[0].labels


# -- CIHP


@pytest.mark.parametrize("outer", ["", "instance-level_human_parsing"])
def test_cihp_gives_each_person_of_a_picture(tmp_path: Path, outer: str) -> None:
    scenes = make_cihp(tmp_path / outer)
    people, skipped = read(CIHP, tmp_path)
    assert skipped == []
    assert list(people) == [f"train-0000006-{k}" for k in (1, 2)] + [
        f"train-0000007-{k}" for k in (1, 3, 4)
    ]
    made = scenes["0000007"]
    for number in (1, 3, 4):
        view = people[f"train-0000007-{number}"].views[0]
        assert np.array_equal(view.labels, made.person(number))
        assert np.array_equal(view.people, made.labels > 0)
        assert np.abs(view.rgb.astype(int) - made.rgb).mean() < 8


def test_cihp_parts_are_chosen(tmp_path: Path) -> None:
    make_cihp(tmp_path)
    train, val, both = (set(read(CIHP, tmp_path, s)[0]) for s in ("train", "val", "trainval"))
    assert val == {"val-0000008-1"} and both == train | val


@pytest.mark.parametrize("absent", ["Category_ids", "Human_ids"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("table", [True, False])
def test_instance_maps_stand_in_for_either(
    tmp_path: Path, absent: str, bits: int, table: bool
) -> None:
    scenes = make_cihp(tmp_path)
    part = tmp_path / "Training"
    shutil.rmtree(part / absent)
    for name in ("0000006", "0000007"):
        numbers, _ = instances(scenes[name])
        save(part / f"Instance_ids/{name}.png", numbers.astype(f"uint{bits}"))
        if not table:
            (part / f"Instance_ids/{name}.txt").unlink()
    people, skipped = read(CIHP, tmp_path)
    assert skipped == [] and len(people) == 5
    assert np.array_equal(labels_of(people["train-0000007-4"]), scenes["0000007"].person(4))


def test_without_a_table_the_ground_is_nobody(tmp_path: Path) -> None:
    make_cihp(tmp_path)
    part = tmp_path / "Training"
    shutil.rmtree(part / "Human_ids")
    for name, made in (("0000006", scene([2, 26], numbers=[2, 3])), ("0000007", scene([]))):
        save(part / f"Instance_ids/{name}.png", instances(made)[0])
        (part / f"Instance_ids/{name}.txt").unlink()
    people, skipped = read(CIHP, tmp_path)
    assert set(people) == {"train-0000006-2", "train-0000006-3"}
    assert [each.reason for each in skipped] == ["annotation shows nobody"]


def test_more_people_than_8_bits_hold_are_told_apart(tmp_path: Path) -> None:
    make_cihp(tmp_path)
    made = scene([2, 26], numbers=[1, 14])
    numbers, lines = instances(made)
    shutil.rmtree(tmp_path / "Training/Human_ids")
    save(tmp_path / "Training/Instance_ids/0000006.png", numbers)
    write(tmp_path / "Training/Instance_ids/0000006.txt", *lines)
    people, _ = read(CIHP, tmp_path)
    assert np.array_equal(labels_of(people["train-0000006-14"]), made.person(14))


def test_the_instance_table_has_the_say(tmp_path: Path) -> None:
    scenes = make_cihp(tmp_path)
    part = tmp_path / "Training"
    shutil.rmtree(part / "Human_ids")
    _, lines = instances(scenes["0000006"])
    changed = [re.sub(r" 2$", " 9", line) for line in lines]
    write(part / "Instance_ids/0000006.txt", *changed)
    people, _ = read(CIHP, tmp_path)
    assert np.array_equal(labels_of(people["train-0000006-9"]), scenes["0000006"].person(2))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["1 2"], "not lines of"),
        (["a b c"], "not lines of"),
        (["1" * 5000 + " 1 1"], "not lines of"),
        (["-1 2 3"], "not lines of"),
        (["2 2 1"], "instances that its list has not"),
    ],
)
def test_a_broken_instance_table_is_told(tmp_path: Path, lines: list[str], reason: str) -> None:
    make_cihp(tmp_path)
    shutil.rmtree(tmp_path / "Training/Human_ids")
    write(tmp_path / "Training/Instance_ids/0000006.txt", *lines)
    people, skipped = read(CIHP, tmp_path)
    assert len(people) == 3 and len(skipped) == 1
    assert "Training/Instance_ids/0000006" in skipped[0].where and reason in skipped[0].reason


def test_labelled_pixels_of_nobody_are_people_too(tmp_path: Path) -> None:
    made = make_cihp(tmp_path)["0000006"]
    bystander = np.where(made.humans == 2, 0, made.humans).astype(np.uint8)
    save(tmp_path / "Training/Human_ids/0000006.png", bystander)
    people, _ = read(CIHP, tmp_path)
    view = people["train-0000006-1"].views[0]
    assert "train-0000006-2" not in people
    assert np.array_equal(view.people, made.labels > 0)
    assert np.array_equal(view.labels, made.person(1))


def test_too_many_people_in_a_picture_are_refused(tmp_path: Path) -> None:
    made = make_cihp(tmp_path)["0000006"]
    save(tmp_path / "Training/Human_ids/0000006.png",
         np.arange(made.labels.size, dtype=np.uint16).reshape(made.labels.shape))  # fmt: skip
    _, (skipped,) = read(CIHP, tmp_path)
    assert skipped.reason == "annotation has more than 100 people"


# -- MHPv2


@pytest.mark.parametrize("outer", ["", "LV-MHP-v2"])
def test_mhp_reads_the_red_channel(tmp_path: Path, outer: str) -> None:
    scenes = make_mhp(tmp_path / outer)
    people, skipped = read(MHP, tmp_path, "trainval")
    expected = ["train-3-1", "train-3-2", "train-96-1", "train-96-3", "val-7-1", "val-7-2"]
    assert list(people) == expected
    for key in expected:
        _, name, number = key.split("-")
        assert np.array_equal(labels_of(people[key]), scenes[name].person(int(number)))
    assert [(Path(s.where).name, s.reason) for s in skipped] == [
        ("96_03_02.png", "person has no labelled pixel")
    ]


def test_mhp_hands_have_their_own_labels(tmp_path: Path) -> None:
    made = make_mhp(tmp_path)["3"]
    values = renumbered(made.person(1), MHP_NUMBERS)
    values[30:34][values[30:34] == 5] = 7
    values[30:34][values[30:34] == 6] = 8
    save(tmp_path / "train/parsing_annos/3_02_01.png", in_red(values))
    people, _ = read(MHP, tmp_path)
    found = labels_of(people["train-3-1"])
    assert np.array_equal(found == 20, values == 7) and (found == 20).any()
    assert np.array_equal(found == 21, values == 8) and (found == 21).any()


def test_later_people_lie_over_earlier_ones(tmp_path: Path) -> None:
    make_mhp(tmp_path)
    front, behind = scene([8]), scene([2])
    for number, made in ((1, behind), (2, front)):
        values = renumbered(made.labels, MHP_NUMBERS)
        save(tmp_path / f"train/parsing_annos/3_02_{number:02d}.png", in_red(values))
    people, _ = read(MHP, tmp_path)
    assert np.array_equal(labels_of(people["train-3-2"]), front.labels)
    assert np.array_equal(
        labels_of(people["train-3-1"]), np.where(front.labels > 0, 0, behind.labels)
    )
    assert np.array_equal(people["train-3-1"].views[0].people, (front.labels + behind.labels) > 0)


def test_somebody_wholly_hidden_is_told(tmp_path: Path) -> None:
    make_mhp(tmp_path)
    values = in_red(renumbered(scene([2]).labels, MHP_NUMBERS))
    for number in (1, 2):
        save(tmp_path / f"train/parsing_annos/3_02_{number:02d}.png", values)
    people, skipped = read(MHP, tmp_path)
    assert "train-3-1" not in people and "train-3-2" in people
    reasons = {Path(s.where).name: s.reason for s in skipped}
    assert reasons["3_02_01.png"] == "person is hidden by others"


def test_what_is_carried_is_ground(tmp_path: Path) -> None:
    made = make_mhp(tmp_path)["3"]
    values = renumbered(made.person(1), MHP_NUMBERS)
    values[0:3, 2:16] = 51  # an umbrella
    save(tmp_path / "train/parsing_annos/3_02_01.png", in_red(values))
    view = read(MHP, tmp_path)[0]["train-3-1"].views[0]
    assert not view.labels[0:3].any() and not view.mask[0:3].any() and not view.people[0:3].any()


def test_a_person_whose_file_is_missing_is_told_and_the_others_read(tmp_path: Path) -> None:
    make_mhp(tmp_path)
    (tmp_path / "train/parsing_annos/96_03_01.png").unlink()
    people, skipped = read(MHP, tmp_path)
    assert "train-96-3" in people and "train-96-1" not in people
    assert Skipped("train/parsing_annos/96_03_01.png", "annotation is missing") in skipped


def test_a_picture_without_any_masks_is_told(tmp_path: Path) -> None:
    make_mhp(tmp_path)
    write(tmp_path / "list/train.txt", "3", "1396")
    save(tmp_path / "train/images/1396.jpg", scene([]).rgb)
    _, skipped = read(MHP, tmp_path)
    assert skipped == [Skipped("train/parsing_annos/1396_*.png", "annotation is missing")]


# -- Parsing-R-CNN's folders


@pytest.mark.parametrize(("reader", "name"), [(CIHP, "cihp"), (MHP, "mhp")])
def test_renamed_folders_are_read_by_their_index(
    tmp_path: Path, reader: StillsReader, name: str
) -> None:
    scenes = make_renamed(tmp_path, name)
    people, skipped = read(reader, tmp_path)
    assert skipped == []
    assert list(people) == ["train-0000006-1", "train-0000006-2", "train-0000007-1"]
    assert np.array_equal(labels_of(people["train-0000006-2"]), scenes["0000006"].person(2))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "list is no JSON of images and their 'parsing'"),
        ('{"images": [], "annotations": [{}]}', "list is no JSON of images and their 'parsing'"),
        ("[" * 100_000, "list is no JSON of images and their 'parsing'"),
        (json.dumps({"images": [{"id": 1, "file_name": "../../a.jpg"}], "annotations": []}),
         "list names files in other folders"),
    ],
    ids=["cut", "without parsing", "deep", "leading out"],
)  # fmt: skip
def test_a_broken_index_is_told(tmp_path: Path, text: str, reason: str) -> None:
    make_renamed(tmp_path, "cihp")
    index = tmp_path / "annotations/CIHP_train.json"
    index.write_text(text)
    people, skipped = read(CIHP, tmp_path)
    assert people == {} and skipped == [Skipped("annotations/CIHP_train.json", reason)]


# -- LIP and ATR


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("", ""),
        ("TrainVal_images", "TrainVal_parsing_annotations"),
        ("TrainVal_images/TrainVal_images",
         "TrainVal_parsing_annotations/TrainVal_parsing_annotations"),
    ],
)  # fmt: skip
def test_lip_is_read_wherever_its_zip_files_lie(tmp_path: Path, images: str, labels: str) -> None:
    scenes = make_lip(tmp_path, images, labels)
    people, skipped = read(LIP, tmp_path, "trainval")
    assert skipped == []
    assert list(people) == ["train-1000_1234574-1", "val-77_5-1"]
    for key, person in people.items():
        made = scenes[key.split("-")[1]].labels  # jumpsuits were painted over the upper clothes
        assert np.array_equal(labels_of(person), np.where(made == 5, 6, made))


def test_atr_is_read_whole_or_by_list(tmp_path: Path) -> None:
    scenes = make_atr(tmp_path)
    people, skipped = read(ATR, tmp_path)
    assert list(people) == ["all-997_1-1", "all-997_2-1"] and skipped == []
    assert np.array_equal(labels_of(people["all-997_1-1"]), scenes["997_1"].labels)
    assert list(read(ATR, tmp_path, "val")[0]) == ["val-997_2-1"]
    assert list(read(ATR, tmp_path / "humanparsing")[0]) == ["all-997_1-1", "all-997_2-1"]
    assert read(ATR, tmp_path, "train")[1] == [
        Skipped("humanparsing/train_id.txt", "list is missing")
    ]


def test_one_person_each_lets_the_units_be_cut(tmp_path: Path) -> None:
    make_atr(tmp_path)
    assert ATR.units(tmp_path, Options(people=1)) == ["all/997_1"]


# -- what all have in common


def spoil(root: Path, ending: str, change: Callable[[Path], object]) -> str:
    """Changes one file of the data set with that ending; gives its name in it."""
    path = sorted(root.rglob(f"*{ending}"))[0]
    change(path)
    return path.relative_to(root).as_posix()


@pytest.mark.parametrize(("reader", "make"), MAKERS, ids=[r.name for r, _ in MAKERS])
def test_bad_files_are_named_and_the_rest_is_read(
    tmp_path: Path, reader: StillsReader, make: Callable[[Path], dict[str, Scene]]
) -> None:
    spoilt: list[tuple[str, Callable[[Path], object], str]] = [
        (".jpg", lambda p: p.write_bytes(p.read_bytes()[:300]), "picture cannot be decoded"),
        (".jpg", lambda p: p.unlink(), "picture is missing"),
        (".png", lambda p: p.unlink(), "annotation is missing"),
        (".png", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99)), "annotation"),
        (".png", lambda p: save(p, np.ones((48, 64), np.uint8)), "annotation is of another size"),
        (".png", lambda p: save(p, np.full((64, 48), 99, np.uint8)), "annotation has labels above"),
    ]
    split = "all" if reader is ATR else "trainval"
    make(tmp_path / "whole")
    whole, before = read(reader, tmp_path / "whole", split)
    for number, (ending, change, reason) in enumerate(spoilt):
        root = tmp_path / str(number)
        make(root)
        shutil.rmtree(root / "Training/Instance_ids", ignore_errors=True)
        name = spoil(root, ending, change)
        people, skipped = read(reader, root, split)
        assert 0 < len(people) < len(whole)
        (new,) = [each for each in skipped if each not in before]
        assert new.where == name and new.reason.startswith(reason)


@pytest.mark.parametrize(("reader", "make"), MAKERS, ids=[r.name for r, _ in MAKERS])
def test_a_picture_of_nobody_is_told(
    tmp_path: Path, reader: StillsReader, make: Callable[[Path], dict[str, Scene]]
) -> None:
    make(tmp_path)
    for path in tmp_path.rglob("*.png"):
        save(path, np.zeros((64, 48), np.uint8))
    people, skipped = read(reader, tmp_path)
    assert people == {}
    assert {each.reason for each in skipped} <= {
        "annotation shows nobody", "person has no labelled pixel",
    }  # fmt: skip
    assert len(skipped) >= len(reader.units(tmp_path, Options()))


@pytest.mark.parametrize(("reader", "make"), MAKERS[:3], ids=[r.name for r, _ in MAKERS[:3]])
def test_lists_that_are_missing_or_lead_out_are_named(
    tmp_path: Path, reader: StillsReader, make: Callable[[Path], dict[str, Scene]]
) -> None:
    make(tmp_path)
    (train,), (val,) = (list(tmp_path.rglob(f"{part}*.txt")) for part in ("train", "val"))
    val.unlink()
    train.write_text("../../secret\n" + train.read_text())
    people, skipped = read(reader, tmp_path, "trainval")
    where = train.relative_to(tmp_path).as_posix()
    assert people
    assert Skipped(f"{where}:1", "no name of a picture") in skipped
    assert Skipped(val.relative_to(tmp_path).as_posix(), "list is missing") in skipped


@pytest.mark.parametrize(("reader", "make"), MAKERS, ids=[r.name for r, _ in MAKERS])
def test_unknown_options_and_parts_are_refused_with_the_nearest_name(
    tmp_path: Path, reader: StillsReader, make: Callable[[Path], dict[str, Scene]]
) -> None:
    make(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'split'"):
        reader.units(tmp_path, Options(set={"spilt": "train"}))
    with pytest.raises(UsageError, match="did you mean 'val'"):
        reader.units(tmp_path, Options(set={"split": "vall"}))


def test_a_part_that_is_not_there_is_refused(tmp_path: Path) -> None:
    make_cihp(tmp_path)
    shutil.rmtree(tmp_path / "Training")
    with pytest.raises(UsageError, match=r"no part 'train', only val"):
        CIHP.units(tmp_path, Options())
    assert len(read(CIHP, tmp_path, "val")[0]) == 1


@pytest.mark.parametrize(("reader", "make"), MAKERS, ids=[r.name for r, _ in MAKERS])
def test_another_sets_folder_is_refused_with_the_layout(
    tmp_path: Path, reader: StillsReader, make: Callable[[Path], dict[str, Scene]]
) -> None:
    other = make_mhp if make is not make_mhp else make_lip
    other(tmp_path)
    with pytest.raises(UsageError, match=re.escape(reader.layout)):
        reader.units(tmp_path, Options())
    with pytest.raises(UsageError, match=re.escape(reader.layout)):
        list(reader.read(tmp_path, "train/3", Options()))


Place = tuple[StillsReader, Path, str]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Place]:
    """Every set, and Parsing-R-CNN's folders, with the parts to read."""
    found: list[Place] = []
    for reader, make in MAKERS:
        found.append((reader, tmp_path_factory.mktemp(reader.name), "trainval"))
        make(found[-1][1])
    found[-1] = (ATR, found[-1][1], "all")
    found.append((CIHP, tmp_path_factory.mktemp("renamed"), "train"))
    make_renamed(found[-1][1], "cihp")
    return found


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_holds_nothing_is_raised(places: list[Place], data: st.DataObject) -> None:
    reader, root, split = data.draw(st.sampled_from(places), "set")
    path = data.draw(st.sampled_from(sorted(p for p in root.rglob("*") if p.is_file())), "file")
    whole = path.read_bytes()
    start = data.draw(st.integers(0, min(len(whole), 400)), "start")
    junk = data.draw(st.binary(max_size=12), "junk")
    try:
        path.write_bytes(whole[:start] + junk + whole[start + len(junk) :])
        people, skipped = read(reader, root, split)
        assert people or skipped
    finally:
        path.write_bytes(whole)


def test_no_more_people_than_asked_for(tmp_path: Path) -> None:
    make_cihp(tmp_path)
    found = list(CIHP.read(tmp_path, "train/0000007", Options(people=2)))
    assert [person.key for person in found] == ["train-0000007-1", "train-0000007-3"]
    assert list(CIHP.read(tmp_path, "train/0000007", Options(people=0))) == []


@pytest.mark.parametrize("unit", ["", "train", "train/../../x", "other/0000006", "train/!x", "!"])
def test_units_that_do_not_exist_are_told(tmp_path: Path, unit: str) -> None:
    make_cihp(tmp_path)
    (found,) = CIHP.read(tmp_path, unit, Options())
    assert isinstance(found, Skipped)
