"""Stick figure, hand and face labels, and pictures for people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from painted_people import Outfit, paint

from dancecli.drawing import (
    face_labels,
    hand_labels,
    number_people,
    overlay,
    stick_figure,
    write,
)
from dancecli.figures import standing_skeleton
from dancecli.labels import Label
from dancecli.types import JOINT, Skeleton, UInt8Array

WIDTH, HEIGHT = 300, 480

LIMB_COLOURS = {
    ("neck", "mid_hip"): (255, 0, 0),
    ("neck", "right_shoulder"): (255, 85, 0),
    ("right_shoulder", "right_elbow"): (255, 170, 0),
    ("right_elbow", "right_wrist"): (255, 255, 0),
    ("neck", "left_shoulder"): (170, 255, 0),
    ("left_shoulder", "left_elbow"): (85, 255, 0),
    ("left_elbow", "left_wrist"): (0, 255, 0),
    ("right_hip", "right_knee"): (0, 255, 170),
    ("right_knee", "right_ankle"): (0, 255, 255),
    ("left_hip", "left_knee"): (0, 85, 255),
    ("left_knee", "left_ankle"): (0, 0, 255),
    ("right_ankle", "right_heel"): (0, 255, 255),
}


def pixel(picture: UInt8Array, place: np.ndarray) -> tuple[int, ...]:
    x, y = place.astype(int)
    return tuple(int(v) for v in picture[y, x])


def middle(skeleton: Skeleton, start: str, end: str) -> np.ndarray:
    return (skeleton.joint(start) + skeleton.joint(end)) / 2


def test_limbs_have_their_second_joints_openpose_colour() -> None:
    skeleton = standing_skeleton(WIDTH, HEIGHT)
    figure = stick_figure(skeleton, HEIGHT, WIDTH)
    found = {limb: pixel(figure, middle(skeleton, *limb)) for limb in LIMB_COLOURS}
    assert found == LIMB_COLOURS


def test_the_body_is_as_wide_as_a_75th_of_the_picture() -> None:
    skeleton = standing_skeleton(WIDTH, HEIGHT)
    x, y = middle(skeleton, "left_knee", "left_ankle").astype(int)
    row = stick_figure(skeleton, HEIGHT, WIDTH)[y, x - 20 : x + 21].any(1)
    assert abs(int(row.sum()) - 2 * HEIGHT / 150) <= 1.5


def test_fingers_grow_brighter_and_have_their_colours() -> None:
    hand = np.zeros((21, 3), np.float32)
    hand[0] = 20, 100, 1
    for finger in range(5):
        for bone in range(4):
            hand[1 + 4 * finger + bone] = 60 + 40 * bone, 20 + 40 * finger, 1
    figure = stick_figure(Skeleton(np.zeros((25, 3), np.float32), left_hand=hand), 200, 240)
    lit = {0: (1, 0, 0), 1: (1, 1, 0), 2: (0, 1, 0), 3: (0, 0, 1), 4: (1, 0, 1)}
    for finger, colour in lit.items():
        for bone, light in ((1, 150), (2, 200), (3, 255)):
            place = np.array([40 + 40 * bone, 20 + 40 * finger])
            assert pixel(figure, place) == tuple(light * c for c in colour)


def test_the_face_is_white_and_closed() -> None:
    person = paint(Outfit())
    face_only = replace(person.skeleton, body=np.zeros((25, 3), np.float32))
    face_only = Skeleton(face_only.body, face=person.skeleton.face)
    figure = stick_figure(face_only, 480, 240)
    assert set(map(tuple, figure.reshape(-1, 3).tolist())) == {(0, 0, 0), (255, 255, 255)}
    for first, last in ((60, 67), (59, 48)):
        ends = face_only.face[[first, last], :2]
        assert pixel(figure, ends.mean(0)) == (255, 255, 255)


def test_unseen_points_are_not_drawn() -> None:
    skeleton = standing_skeleton(WIDTH, HEIGHT)
    body = skeleton.body.copy()
    body[JOINT["left_wrist"], 2] = 0
    figure = stick_figure(replace(skeleton, body=body), HEIGHT, WIDTH)
    assert pixel(figure, middle(skeleton, "left_elbow", "left_wrist")) == (0, 0, 0)
    assert (stick_figure(Skeleton(np.zeros((25, 3), np.float32)), 64, 40) == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(-200, 200), st.integers(-200, 200))
def test_the_stick_figure_moves_with_the_skeleton(right: int, down: int) -> None:
    skeleton = standing_skeleton(120, 200)
    here = stick_figure(skeleton.moved(1, 200, 200), 600, 520)
    there = stick_figure(skeleton.moved(1, 200 + right, 200 + down), 600, 520)
    assert (np.roll(here, (down, right), (0, 1)) == there).all()


def test_far_away_points_do_no_harm() -> None:
    figure = stick_figure(standing_skeleton(WIDTH, HEIGHT).moved(1e6, 0, 0), HEIGHT, WIDTH)
    assert figure.shape == (HEIGHT, WIDTH, 3)


def test_hands_overwrite_the_labels_at_their_points() -> None:
    person = paint(Outfit())
    labels = np.full((480, 240), int(Label.PANTS), np.uint8)
    drawn = hand_labels(labels, person.skeleton)
    for hand, label in (
        (person.skeleton.left_hand, Label.LEFT_HAND), (person.skeleton.right_hand, Label.RIGHT_HAND)
    ):  # fmt: skip
        columns, rows = hand[:, 0].astype(int), hand[:, 1].astype(int)
        assert (drawn[rows, columns] == label).all()
    assert (labels == Label.PANTS).all()
    assert (drawn == Label.PANTS).mean() > 0.97


def test_hand_points_below_the_threshold_are_skipped() -> None:
    person = paint(Outfit())
    hand = person.skeleton.left_hand.copy()
    hand[:, 2] = 0.19
    labels = np.zeros((480, 240), np.uint8)
    drawn = hand_labels(labels, replace(person.skeleton, left_hand=hand))
    assert Label.LEFT_HAND not in drawn
    assert Label.RIGHT_HAND in drawn


def test_bones_of_a_hand_are_at_least_two_pixels_wide() -> None:
    hand = np.zeros((21, 3), np.float32)
    hand[5], hand[6] = (10, 5, 1), (10, 25, 1)
    drawn = hand_labels(np.zeros((30, 20), np.uint8), Skeleton(np.zeros((25, 3), np.float32), hand))
    assert (drawn[10:20] == Label.LEFT_HAND).sum(1).min() >= 2


def test_face_labels_lie_on_their_features() -> None:
    person = paint(Outfit())
    face = person.skeleton.face
    drawn = face_labels(np.full((480, 240), int(Label.FACE), np.uint8), face)
    centres = {
        Label.EYES: face[36:42, :2].mean(0), Label.NOSE: face[[30, 33], :2].mean(0),
        Label.INNER_MOUTH: face[60:68, :2].mean(0), Label.EYEBROWS: face[19, :2],
        Label.FACE: (face[2, :2] + face[48, :2]) / 2,
    }  # fmt: skip
    found = {label: pixel(drawn[:, :, None], place)[0] for label, place in centres.items()}
    assert found == {label: int(label) for label in centres}
    lips, mouth = (drawn == Label.LIPS), (drawn == Label.INNER_MOUTH)
    assert lips.any()
    assert np.nonzero(lips)[0].min() < np.nonzero(mouth)[0].min()


def test_a_feature_that_is_not_seen_is_left_out() -> None:
    face = paint(Outfit()).skeleton.face.copy()
    face[50, 2] = 0
    labels = np.full((480, 240), int(Label.FACE), np.uint8)
    assert Label.LIPS not in face_labels(labels, face)
    assert Label.EYES in face_labels(labels, face)
    assert (face_labels(labels, None) == labels).all()


def test_overlay_draws_the_skeleton() -> None:
    person = paint(Outfit())
    picture = overlay(person.frame.rgb, person.skeleton)
    assert pixel(picture, middle(person.skeleton, "neck", "mid_hip")) == (255, 0, 0)


@pytest.mark.parametrize("scale", [0.5, 1, 4])
def test_each_person_has_a_box_and_a_number_that_can_be_read(scale: float) -> None:
    width, height = round(400 * scale), round(300 * scale)
    people = [standing_skeleton(100, 240).moved(scale, x * scale, 20 * scale) for x in (20, 250)]
    rgb = np.full((height, width, 3), 120, np.uint8)
    picture = number_people(rgb, people)
    first, second = (np.zeros((height, width), bool) for _ in range(2))
    first[:, : width // 2], second[:, width // 2 :] = True, True
    gold = (picture == (255, 215, 0)).all(2)
    blue = (picture == (0, 220, 255)).all(2)
    assert gold[first].any()
    assert blue[second].any()
    assert not gold[second].any()
    assert not blue[first].any()
    rows, columns = np.nonzero(gold)
    edge = 0.02 * width
    within = (rows > rows.min() + edge) & (rows < rows.max() - edge)
    within &= (columns > columns.min() + edge) & (columns < columns.max() - edge)
    assert np.ptp(rows[within]) > 0.035 * height


def test_people_that_are_not_seen_are_not_numbered() -> None:
    rgb = np.full((80, 60, 3), 9, np.uint8)
    assert (number_people(rgb, [Skeleton(np.zeros((25, 3), np.float32))]) == rgb).all()


def test_text_stays_inside_the_picture() -> None:
    picture = np.full((60, 120, 3), 128, np.uint8)
    write(picture, "12", (118, 58), 20)
    touched = (picture != 128).any(2)
    assert touched.sum() > 60
    light = (picture > 240).all(2)
    assert light[20:, 60:].sum() == light.sum() > 10


def test_brows_are_thin_where_the_eyes_corners_are_not_seen() -> None:
    face = np.zeros((70, 3), np.float32)
    face[17:27] = [(300 + 4 * k, 200, 0.9) for k in range(10)]
    face[45] = (335, 210, 0.9)
    rows = (face_labels(np.zeros((480, 640), np.uint8), face) == Label.EYEBROWS).any(1)
    assert 1 <= rows.sum() <= 2
