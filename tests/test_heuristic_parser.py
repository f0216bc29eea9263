"""The heuristic parser on painted people, whose labels are known, and on the project's photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dance_builtin.garments import Span, ordered_spans
from dance_builtin.heuristic import HeuristicParser
from hypothesis import given, settings
from hypothesis import strategies as st
from painted_people import BLACK, GREEN, Outfit, Painted, paint

from dancecli.errors import NoPersonError
from dancecli.labels import Label, mirrored
from dancecli.media import read_photo
from dancecli.stages import Settings
from dancecli.types import JOINT, Frame, PersonMask, Skeleton, UInt8Array

SIDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear", "big_toe",
         "small_toe", "heel")  # fmt: skip


def parse(person: Painted) -> UInt8Array:
    return HeuristicParser(Settings()).parse(person.frame, person.skeleton, person.mask).labels


def at(labels: UInt8Array, person: Painted, start: str, end: str, share: float) -> Label:
    """The label at a place between two joints."""
    first, last = person.skeleton.joint(start), person.skeleton.joint(end)
    x, y = (first + share * (last - first)).astype(int)
    return Label(labels[y, x])


def flipped(person: Painted) -> Painted:
    """The mirrored picture with the skeleton of the mirrored person."""

    def mirror(points: np.ndarray) -> np.ndarray:
        out = points.copy()
        out[:, 0] = person.frame.width - points[:, 0]
        return out

    body = mirror(person.skeleton.body)
    for name in SIDED:
        pair = [JOINT[f"left_{name}"], JOINT[f"right_{name}"]]
        body[pair] = body[pair[::-1]]
    skeleton = Skeleton(
        body, mirror(person.skeleton.right_hand), mirror(person.skeleton.left_hand),
        mirror(person.skeleton.face),
    )  # fmt: skip
    return Painted(
        Frame(person.frame.rgb[:, ::-1].copy()), mirrored(person.labels),
        PersonMask(person.mask.alpha[:, ::-1].copy()), skeleton,
    )  # fmt: skip


OUTFITS = {
    "short sleeves": Outfit(),
    "long sleeves": Outfit(sleeve=2),
    "shorts": Outfit(hem=0.7),
    "one colour": Outfit(top=BLACK),
    "bare chest and feet": Outfit(top=None, hem=0.6, shoes=None),
    "skirt": Outfit(hem=0.9, skirt=True, spread=0.17, labels={"bottom": Label.SKIRT}),
    "dress": Outfit(GREEN, GREEN, hem=0.9, skirt=True, spread=0.17,
                    labels={"top": Label.DRESS, "bottom": Label.DRESS}),
    "from behind": Outfit(from_behind=True),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTFITS)
def test_nine_pixels_in_ten_have_the_painted_label(name: str) -> None:
    person = paint(OUTFITS[name])
    labels = parse(person)
    inside = person.labels > 0
    assert (labels[inside] == person.labels[inside]).mean() > 0.9


@pytest.mark.parametrize("name", OUTFITS)
def test_the_mask_and_nothing_else_is_labelled(name: str) -> None:
    person = paint(OUTFITS[name])
    labels = parse(person)
    assert labels.dtype == np.uint8
    assert ((labels > 0) == (person.mask.alpha >= 0.5)).all()
    assert labels.max() <= 21


def test_every_part_of_a_dressed_person_is_named_on_its_own_side() -> None:
    person = paint(Outfit())
    labels = parse(person)
    expected = {
        ("neck", "mid_hip", 0.5): Label.UPPER_CLOTHES,
        ("left_hip", "left_knee", 0.6): Label.PANTS,
        ("right_knee", "right_ankle", 0.5): Label.PANTS,
        ("left_elbow", "left_wrist", 0.5): Label.LEFT_ARM,
        ("right_elbow", "right_wrist", 0.5): Label.RIGHT_ARM,
        ("left_elbow", "left_wrist", 1.3): Label.LEFT_HAND,
        ("right_elbow", "right_wrist", 1.3): Label.RIGHT_HAND,
        ("left_heel", "left_big_toe", 0.8): Label.LEFT_SHOE,
        ("right_heel", "right_big_toe", 0.8): Label.RIGHT_SHOE,
        ("neck", "nose", 1.0): Label.FACE,
        ("neck", "nose", 1.8): Label.HAIR,
    }
    assert {place: at(labels, person, *place) for place in expected} == expected


def test_a_long_sleeve_leaves_no_bare_arm() -> None:
    labels = parse(paint(Outfit(sleeve=2)))
    assert not np.isin(labels, (Label.LEFT_ARM, Label.RIGHT_ARM)).any()


def test_bare_legs_begin_at_the_hem() -> None:
    person = paint(Outfit(hem=0.7))
    labels = parse(person)
    assert at(labels, person, "left_hip", "left_knee", 0.5) == Label.PANTS
    assert at(labels, person, "left_knee", "left_ankle", 0.3) == Label.LEFT_LEG
    assert at(labels, person, "right_knee", "right_ankle", 0.3) == Label.RIGHT_LEG


def test_a_bare_foot_belongs_to_the_leg() -> None:
    person = paint(Outfit(hem=0.7, shoes=None))
    labels = parse(person)
    assert not np.isin(labels, (Label.LEFT_SHOE, Label.RIGHT_SHOE)).any()
    assert at(labels, person, "left_heel", "left_big_toe", 0.8) == Label.LEFT_LEG


def test_from_behind_left_is_still_the_persons_left() -> None:
    person = paint(Outfit(from_behind=True))
    labels = parse(person)
    columns = np.nonzero(labels == Label.LEFT_ARM)[1]
    assert columns.max() < person.frame.width / 2
    assert Label.FACE not in labels


def test_socks_are_found_between_leg_and_shoe() -> None:
    person = paint(Outfit(hem=0.7, shoes=(200, 40, 40)))
    rgb, truth = person.frame.rgb.copy(), person.labels
    rows = np.arange(len(rgb))[:, None]
    ankle, knee = (person.skeleton.joint(f"left_{j}")[1] for j in ("ankle", "knee"))
    legs = np.isin(truth, (Label.LEFT_LEG, Label.RIGHT_LEG))
    sock = legs & (rows > ankle - 0.45 * (ankle - knee))
    rgb[sock] = (240, 240, 235)
    labels = parse(replace(person, frame=Frame(rgb)))
    assert (labels[sock] == Label.SOCKS).mean() > 0.8
    assert (labels == Label.SOCKS).sum() < 1.3 * sock.sum()


@pytest.mark.parametrize("name", ["short sleeves", "shorts"])
def test_the_mirrored_picture_gives_the_mirrored_labels(name: str) -> None:
    person = paint(OUTFITS[name])
    labels = parse(person)
    inside = person.labels[:, ::-1] > 0
    same = parse(flipped(person)) == mirrored(labels)
    assert same[inside].mean() > 0.97


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 255))
def test_labels_move_with_the_person(right: int, down: int, grey: int) -> None:
    person = paint(Outfit())
    pads = ((down, 40 - down), (right, 40 - right))
    moved = replace(
        person,
        frame=Frame(np.pad(person.frame.rgb, (*pads, (0, 0)), constant_values=grey)),
        mask=PersonMask(np.pad(person.mask.alpha, pads)),
        skeleton=person.skeleton.moved(1, right, down),
    )
    here = parse(person)
    there = parse(moved)[down : down + here.shape[0], right : right + here.shape[1]]
    # The ground only touches the outline, where pixels of the working picture straddle it.
    assert (here == there).mean() > 0.99


@settings(max_examples=4, deadline=None)
@given(st.sampled_from([0.4, 0.75, 1.5, 2.5]))
def test_labels_grow_with_the_picture(scale: float) -> None:
    import cv2

    person = paint(Outfit())
    size = tuple(round(side * scale) for side in (person.frame.width, person.frame.height))
    rgb = cv2.resize(person.frame.rgb, size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(person.mask.alpha, size, interpolation=cv2.INTER_AREA)
    truth = cv2.resize(person.labels, size, interpolation=cv2.INTER_NEAREST)
    labels = parse(
        Painted(Frame(rgb), truth, PersonMask(alpha), person.skeleton.moved(scale, 0, 0))
    )
    inside = (alpha >= 0.5) & (truth > 0)
    assert (labels[inside] == truth[inside]).mean() > 0.9


def test_parsing_is_repeatable_and_leaves_its_input_alone() -> None:
    person, other = paint(Outfit()), paint(Outfit(hem=0.7))
    before = person.frame.rgb.copy()
    first = parse(person)
    parse(other)
    assert (parse(person) == first).all()
    assert (person.frame.rgb == before).all()


def test_a_person_cut_off_at_the_thighs_is_labelled_to_the_edge() -> None:
    person = paint(Outfit())
    rows = int(person.skeleton.joint("left_knee")[1] - 20)
    body = person.skeleton.body.copy()
    body[body[:, 1] > rows, 2] = 0
    cut = Painted(
        Frame(person.frame.rgb[:rows].copy()), person.labels[:rows],
        PersonMask(person.mask.alpha[:rows].copy()), replace(person.skeleton, body=body),
    )  # fmt: skip
    labels = parse(cut)
    inside = cut.labels > 0
    assert (labels[inside] == cut.labels[inside]).mean() > 0.9
    assert not np.isin(labels, (Label.LEFT_SHOE, Label.RIGHT_SHOE)).any()


def test_a_mask_of_one_pixel_gets_one_label() -> None:
    person = paint(Outfit())
    alpha = np.zeros_like(person.mask.alpha)
    x, y = person.skeleton.joint("mid_hip").astype(int)
    alpha[y, x] = 1
    labels = parse(replace(person, mask=PersonMask(alpha)))
    assert (labels > 0).sum() == 1
    assert labels[y, x] > 0


def test_without_skeleton_or_mask_there_is_nobody() -> None:
    person, parser = paint(Outfit()), HeuristicParser(Settings())
    empty = PersonMask(np.zeros_like(person.mask.alpha))
    unseen = Skeleton(np.zeros((25, 3), np.float32))
    for skeleton, mask in (
        (None, person.mask), (person.skeleton, None), (person.skeleton, empty),
        (unseen, person.mask),
    ):  # fmt: skip
        with pytest.raises(NoPersonError):
            parser.parse(person.frame, skeleton, mask)


def test_the_projects_own_photo_is_parsed_sensibly(demo_photo: Path) -> None:
    pose = pytest.importorskip("dance_mediapipe.pose").MediaPipePose(Settings())
    masker = pytest.importorskip("dance_mediapipe.mask").MediaPipeMasker(Settings())
    frame = read_photo(demo_photo)
    skeleton = pose.extract(frame)[0]
    person = Painted(frame, np.zeros(0, np.uint8), masker.mask(frame, skeleton), skeleton)
    labels = parse(person)
    assert at(labels, person, "neck", "mid_hip", 0.5) == Label.UPPER_CLOTHES
    assert at(labels, person, "left_knee", "left_ankle", 0.5) == Label.PANTS
    assert at(labels, person, "right_hip", "right_knee", 0.7) == Label.PANTS
    assert at(labels, person, "left_ankle", "left_big_toe", 0.6) == Label.LEFT_LEG
    assert at(labels, person, "right_ankle", "right_big_toe", 0.6) == Label.RIGHT_LEG
    x, y = skeleton.joint("nose").astype(int)
    assert labels[y, x] == Label.FACE


def test_ordered_spans_finds_the_cheapest_cuts() -> None:
    evidence = np.full((40, 3), -1.0)
    evidence[:10, 0], evidence[10:30, 1], evidence[30:, 2] = 2, 2, 2
    assert ordered_spans(evidence) == [Span(0, 0.5), Span(0.5, 1.5), Span(1.5, 2.0)]


def test_ordered_spans_never_goes_back() -> None:
    evidence = np.full((40, 2), -1.0)
    evidence[:15, 0], evidence[15:35, 1], evidence[35:, 0] = 2, 2, 2
    assert ordered_spans(evidence) == [Span(0, 0.75), Span(0.75, 2.0)]


def test_ordered_spans_skips_a_state_that_cannot_be() -> None:
    evidence = np.zeros((20, 3))
    evidence[:, 1] = -50
    spans = ordered_spans(evidence)
    assert spans[1].empty
    assert not spans[0].empty
