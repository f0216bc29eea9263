"""Heads and trunks that an extractor makes up are not danced; real ones are, however bent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_puppet import BONE, FPS, SIZE, bones, observed, puppet, rest_angles

from dancecli.errors import NoPersonError
from dancecli.motion import build_track
from dancecli.motion.live import LiveMotion
from dancecli.types import JOINT, SEEN, FloatArray, Skeleton

HEIGHT = 400.0
HEAD = [JOINT[name] for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear")]
UPPER = [JOINT["neck"], JOINT["right_shoulder"], JOINT["left_shoulder"]]


def deep(skeleton: Skeleton, trunk: float = 1.0) -> Skeleton:
    """With the same in metres, the upper body `trunk` times as far from the hips."""
    world: FloatArray = np.zeros((25, 3), np.float32)
    world[:, :2] = (skeleton.body[:, :2] - skeleton.body[JOINT["mid_hip"], :2]) * (1.7 / HEIGHT)
    world[UPPER] *= trunk
    return replace(skeleton, world=world)


def standing(over: float = 0.0) -> Skeleton:
    """Somebody of `HEIGHT` whose feet are that far above the picture's lower edge, pixels; of 400
    the head is at the upper edge."""
    return deep(puppet(bones(HEIGHT), foot=(500.0, 790.0 - over)))


def moved(skeleton: Skeleton, joints: list[int], x: float, y: float) -> Skeleton:
    body = skeleton.body.copy()
    body[joints, :2] += (x, y)
    return replace(skeleton, body=body)


def cut_off(down: float) -> Skeleton:
    """Somebody whose head is above the picture, and is said to be `down` pixels further down."""
    whole = standing(440)
    assert (whole.body[HEAD, 1] < 0).all() and whole.body[JOINT["neck"], 1] > 0
    return moved(whole, HEAD, 0, down)


def tracked(people: list[Skeleton | None]) -> list[Skeleton]:
    return list(build_track(observed(people), FPS, SIZE, 0.0).skeletons)


def test_a_head_above_the_picture_is_not_before_the_chest() -> None:
    for skeleton in tracked([cut_off(70.0)] * 30):
        assert (skeleton.body[HEAD, 2] < SEEN).all()
        assert (skeleton.body[UPPER, 2] >= SEEN).all()


def test_a_head_at_the_edge_and_one_that_is_bowed_stay() -> None:
    for skeleton in (
        standing(390),
        moved(standing(330), HEAD, 20, 40),
        moved(standing(), HEAD, 0, 50),
    ):
        for seen in tracked([skeleton] * 5):
            np.testing.assert_array_equal(seen.body, skeleton.body)


@pytest.mark.parametrize("trunk", [0.1, 0.4, 0.7])
def test_legs_alone_do_not_fold_up(trunk: float) -> None:
    """The trunk is said to be crushed, in the picture and in depth, for a while or for a moment."""
    whole = standing()
    crushed = moved(deep(whole, trunk), [*UPPER, *HEAD], 0, 0.28 * HEIGHT)
    alone = tracked([crushed] * 30)[0]
    assert (alone.body[[*UPPER, *HEAD], 2] < SEEN).all()
    np.testing.assert_array_equal(alone.body[JOINT["left_knee"]], whole.body[JOINT["left_knee"]])
    moment: list[Skeleton | None] = [whole] * 30
    moment[10:14] = [crushed] * 4
    for skeleton in tracked(moment):
        np.testing.assert_allclose(skeleton.body[UPPER, :2], whole.body[UPPER, :2], atol=0.5)


def test_a_trunk_squeezed_under_the_edge_is_not_believed() -> None:
    tall = deep(puppet(bones(HEIGHT), foot=(500.0, 280.0)))  # hips in the picture, the neck is not
    neck = float(tall.body[JOINT["neck"], 1])
    assert neck < 0 < tall.body[JOINT["mid_hip"], 1]
    squeezed = moved(tall, [*UPPER, *HEAD], 0, 20 - neck)
    (skeleton,) = tracked([squeezed])
    assert (skeleton.body[[*UPPER, *HEAD], 2] < SEEN).all()


@pytest.mark.parametrize("below", [500.0, 110.0, 90.0])
@pytest.mark.parametrize("lean", [0.3, 0.6, 0.9])
def test_whoever_bends_forward_is_believed(lean: float, below: float) -> None:
    """A trunk that points at the camera is short in the picture and long in depth, also where the
    hips are so little below the picture's edge that the head would be above it."""
    lengths, flat = bones(HEIGHT), 1 - lean
    lengths[BONE["neck"]] *= flat
    bent = deep(puppet(lengths, rest_angles(), (500.0, below), "mid_hip"))
    head = moved(bent, HEAD, 0, 0.115 * HEIGHT * lean)  # the head leans as the trunk does
    assert bent.world is not None
    world = bent.world.copy()
    for joints, long in (([*UPPER, *HEAD], 0.288), (HEAD, 0.115)):
        world[joints, 2] -= 1.7 * long * np.sqrt(1 - flat**2)
    world[HEAD, 1] += 1.7 * 0.115 * lean
    bent = replace(head, world=world)
    (skeleton,) = tracked([bent])
    np.testing.assert_array_equal(skeleton.body, bent.body)


def test_before_a_camera_nobody_has_the_head_in_the_chest_either() -> None:
    target = standing()
    live = LiveMotion(target, SIZE, smooth=0.0)
    for number in range(40):
        out = live.step(cut_off(70.0), number / float(FPS))
    assert out is not None
    assert out.joint("nose")[1] < out.joint("neck")[1] - 0.05 * HEIGHT


def crushed_head() -> Skeleton:
    """A head alone, on a trunk that the third dimension crushes: all of it is made up."""
    body = np.zeros((25, 3), np.float32)
    body[HEAD] = 300, 300, 1
    world = standing().world.copy()
    world[UPPER] *= 0.1
    return Skeleton(body, world=world)


def test_a_clip_of_nothing_but_phantoms_shows_nobody() -> None:
    with pytest.raises(NoPersonError, match="nobody was found in any of the 5 frames"):
        build_track(observed([crushed_head()] * 5), FPS, SIZE)
    seen = tracked([crushed_head(), *[standing()] * 4, crushed_head()])
    assert all((skeleton.body[HEAD, 2] > 0).all() for skeleton in seen)
    assert np.ptp([skeleton.joint("neck")[0] for skeleton in seen]) < 1


def test_poses_that_are_given_are_believed() -> None:
    (head,) = build_track(observed([crushed_head()]), FPS, SIZE, 0.0, given=True).skeletons
    assert (head.body[HEAD, 2] == 1).all()


def test_live_goes_on_after_phantoms_alone() -> None:
    live = LiveMotion(standing(), SIZE, smooth=0.0)
    people = [crushed_head(), *[standing()] * 20, crushed_head()]
    outs = [live.step(person, number / float(FPS)) for number, person in enumerate(people)]
    assert outs[-1] is not None
    assert np.isfinite(outs[-1].body).all()
