"""The drawn dense map: right part in the right place, nearer parts before farther ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dance_builtin.template import TemplateDense
from hypothesis import given, settings
from hypothesis import strategies as st
from painted_people import Outfit, paint

from dancecli.figures import standing_skeleton
from dancecli.stages import Settings
from dancecli.types import JOINT, FloatArray, Frame, Skeleton

HEIGHT, WIDTH = 480, 300

THIGHS = {"left": (8, 10), "right": (7, 9)}
CALVES = {"left": (12, 14), "right": (11, 13)}
UPPER_ARMS = {"left": (15, 17), "right": (16, 18)}
FOREARMS = {"left": (19, 21), "right": (20, 22)}


def draw(skeleton: Skeleton, height: int = HEIGHT, width: int = WIDTH) -> FloatArray:
    frame = Frame(np.zeros((height, width, 3), np.uint8))
    return TemplateDense(Settings()).dense(frame, None, skeleton).iuv


def standing() -> Skeleton:
    return standing_skeleton(WIDTH, HEIGHT)


def turned(skeleton: Skeleton) -> Skeleton:
    """Seen from behind."""
    body = skeleton.body.copy()
    body[:, 0] = WIDTH - body[:, 0]
    body[[JOINT["nose"], JOINT["left_eye"], JOINT["right_eye"]], 2] = 0
    return replace(skeleton, body=body)


def with_world(skeleton: Skeleton, **depth: float) -> Skeleton:
    """World joints of a flat figure of 1.7 m; depth: metres towards the camera of some joints."""
    scale = 1.7 / HEIGHT
    flat = (skeleton.body[:, :2] - skeleton.joint("mid_hip")) * scale
    world = np.concatenate([flat, np.zeros((25, 1))], 1).astype(np.float32)
    for name, metres in depth.items():
        world[JOINT[name], 2] = -metres
    return replace(skeleton, world=world)


def middle(iuv: FloatArray, skeleton: Skeleton, start: str, end: str, share: float = 0.5) -> int:
    x, y = (skeleton.joint(start) * (1 - share) + skeleton.joint(end) * share).astype(int)
    return int(iuv[y, x, 0])


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("behind", [False, True])
def test_a_limbs_middle_is_that_limb_on_that_side(side: str, behind: bool) -> None:
    skeleton = turned(standing()) if behind else standing()
    iuv = draw(skeleton)
    for start, end, parts in (
        ("hip", "knee", THIGHS), ("knee", "ankle", CALVES), ("shoulder", "elbow", UPPER_ARMS),
        ("elbow", "wrist", FOREARMS),
    ):  # fmt: skip
        assert middle(iuv, skeleton, f"{side}_{start}", f"{side}_{end}") in parts[side]
    assert middle(iuv, skeleton, f"{side}_elbow", f"{side}_wrist", 1.35) == (
        4 if side == "left" else 3
    )
    assert middle(iuv, skeleton, f"{side}_heel", f"{side}_big_toe", 0.8) == (
        5 if side == "left" else 6
    )


def test_the_front_shows_front_parts_and_the_back_back_parts() -> None:
    front, back = standing(), turned(standing())
    for skeleton, torso, thigh, calf in ((front, 2, 10, 14), (back, 1, 8, 12)):
        iuv = draw(skeleton)
        assert middle(iuv, skeleton, "neck", "mid_hip") == torso
        assert middle(iuv, skeleton, "left_hip", "left_knee") == thigh
        assert middle(iuv, skeleton, "left_knee", "left_ankle") == calf


def test_the_left_half_of_the_head_is_on_the_persons_left() -> None:
    for skeleton in (standing(), turned(standing())):
        iuv = draw(skeleton)
        left = np.nonzero(iuv[:, :, 0] == 24)[1].mean() - np.nonzero(iuv[:, :, 0] == 23)[1].mean()
        assert np.sign(left) == np.sign(
            skeleton.joint("left_ear")[0] - skeleton.joint("right_ear")[0]
        )


def test_in_profile_one_sees_half_front_and_half_back() -> None:
    skeleton = standing()
    body = skeleton.body.copy()
    body[:, 0] = WIDTH / 2 + 0.05 * (body[:, 0] - WIDTH / 2)
    depth = {"left_shoulder": 0.18, "right_shoulder": -0.18, "left_hip": 0.09, "right_hip": -0.09}
    iuv = draw(with_world(replace(skeleton, body=body), **depth))
    front, back = (iuv[:, :, 0] == 2).sum(), (iuv[:, :, 0] == 1).sum()
    assert 0.5 < front / back < 2
    # The left shoulder is nearer, so the person looks to the picture's left.
    assert np.nonzero(iuv[:, :, 0] == 2)[1].mean() < np.nonzero(iuv[:, :, 0] == 1)[1].mean()


@pytest.mark.parametrize(
    ("start", "end"), [("left_hip", "left_knee"), ("right_elbow", "right_wrist")]
)
def test_u_grows_along_a_limb_and_v_across_it(start: str, end: str) -> None:
    skeleton = standing()
    iuv = draw(skeleton)
    places = np.linspace(0.25, 0.75, 12)[:, None]
    line = skeleton.joint(start) * (1 - places) + skeleton.joint(end) * places
    u = iuv[line[:, 1].astype(int), line[:, 0].astype(int), 1]
    assert (np.diff(u) > 0).all()
    x, y = line[6].astype(int)
    row = iuv[y, x - 4 : x + 5]
    row = row[row[:, 0] == row[4, 0]]
    assert len(row) >= 4
    assert (np.diff(row[:, 2]) > 0).all() or (np.diff(row[:, 2]) < 0).all()


@pytest.mark.parametrize(("metres", "seen"), [(0.3, True), (-0.3, False)])
def test_an_arm_across_the_trunk_is_seen_only_before_it(metres: float, seen: bool) -> None:
    skeleton = standing()
    body = skeleton.body.copy()
    middle_of_trunk = (skeleton.joint("neck") + skeleton.joint("mid_hip")) / 2
    body[JOINT["left_wrist"], :2] = middle_of_trunk
    skeleton = replace(skeleton, body=body)
    skeleton = with_world(skeleton, left_wrist=metres, left_elbow=metres)
    iuv = draw(skeleton)
    assert (middle(iuv, skeleton, "left_elbow", "left_wrist", 0.9) in FOREARMS["left"]) is seen


def test_values_are_in_range_and_parts_whole_numbers() -> None:
    person = paint(Outfit())
    iuv = draw(person.skeleton, person.frame.height, person.frame.width)
    assert iuv.dtype == np.float32
    assert (iuv[:, :, 0] == np.rint(iuv[:, :, 0])).all()
    assert iuv[:, :, 0].min() == 0
    assert iuv[:, :, 0].max() <= 24
    assert iuv[:, :, 1:].min() >= 0
    assert iuv[:, :, 1:].max() <= 1
    assert (iuv[iuv[:, :, 0] == 0] == 0).all()


def test_the_template_covers_most_of_a_painted_person_and_little_else() -> None:
    person = paint(Outfit())
    drawn = draw(person.skeleton, person.frame.height, person.frame.width)[:, :, 0] > 0
    true = person.labels > 0
    assert (drawn & true).sum() / (drawn | true).sum() > 0.75


def test_an_unseen_limb_is_not_drawn() -> None:
    skeleton = standing()
    body = skeleton.body.copy()
    body[[JOINT["left_elbow"], JOINT["left_wrist"]], 2] = 0
    parts = np.unique(draw(replace(skeleton, body=body))[:, :, 0])
    assert not np.isin(parts, (4, *UPPER_ARMS["left"], *FOREARMS["left"])).any()
    assert np.isin(parts, UPPER_ARMS["right"]).any()


def test_nobody_gives_an_empty_map() -> None:
    assert (draw(Skeleton(np.zeros((25, 3), np.float32))) == 0).all()


def test_a_person_outside_the_picture_gives_an_empty_map() -> None:
    assert (draw(standing().moved(1, 10000, -10000)) == 0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(-60, 60), st.integers(-60, 60))
def test_the_map_moves_with_the_skeleton(right: int, down: int) -> None:
    here = draw(standing().moved(1, 100, 100), 700, 500)
    there = draw(standing().moved(1, 100 + right, 100 + down), 700, 500)
    moved = np.roll(here, (down, right), (0, 1))
    assert (moved[:, :, 0] == there[:, :, 0]).mean() > 0.999


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 2.0))
def test_the_map_grows_with_the_skeleton(scale: float) -> None:
    import cv2

    here = draw(standing())
    height, width = round(HEIGHT * scale), round(WIDTH * scale)
    there = draw(standing().moved(scale, 0, 0), height, width)
    wanted = cv2.resize(here[:, :, 0], (width, height), interpolation=cv2.INTER_NEAREST)
    assert (wanted == there[:, :, 0]).mean() > 0.96


def test_drawing_is_repeatable() -> None:
    assert (draw(standing()) == draw(standing())).all()
