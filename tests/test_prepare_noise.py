"""True poses made imperfect: as much as was measured, and the same every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prepare_people import with_hands

from dancecli.data import noise
from dancecli.data.noise import generator, noisy
from dancecli.figures import standing_skeleton
from dancecli.motion.body import height_of
from dancecli.types import JOINT, Skeleton

DRAWS = 3000


def truth() -> Skeleton:
    skeleton = with_hands(standing_skeleton(500, 800), 30)
    face = np.ones((70, 3), np.float32)
    face[:, :2] = skeleton.joint("nose") + np.random.default_rng(0).normal(0, 15, (70, 2))
    world = np.random.default_rng(1).normal(0, 0.3, (25, 3)).astype(np.float32)
    return replace(skeleton, face=face, world=world)


@pytest.fixture(scope="module")
def seen() -> list[Skeleton]:
    return [noisy(truth(), generator(0, "p", number)) for number in range(DRAWS)]


def test_the_same_frame_of_the_same_person_is_the_same_in_any_order() -> None:
    def points(seed: int, key: str, number: int) -> np.ndarray:
        return noisy(truth(), generator(seed, key, number)).points()

    first = [points(5, "p", n) for n in (0, 1, 2)]
    again = [points(5, "p", n) for n in (2, 1, 0)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    others = [points(6, "p", 0), points(5, "q", 0), points(5, "p", 1)]
    assert not any(np.array_equal(first[0], other) for other in others)


def test_joints_err_as_much_as_was_measured(seen: list[Skeleton]) -> None:
    exact, height = truth(), height_of(truth())
    body = np.stack([s.body for s in seen])
    away = np.linalg.norm(body[..., :2] - exact.body[:, :2], axis=2) / height
    away[body[..., 2] == 0] = np.nan
    for joint, error in (("nose", 0.012), ("left_shoulder", 0.023), ("mid_hip", 0.019),
                         ("right_ankle", 0.019), ("left_small_toe", 0.017)):  # fmt: skip
        assert np.nanmedian(away[:, JOINT[joint]]) == pytest.approx(error, rel=0.08), joint
    exchanged = away > noise.LARGEST + 1e-4
    assert exchanged.mean() < 0.01, "only exchanged limbs may be farther off"
    assert not exchanged[:, JOINT["nose"]].any()


def test_hands_and_faces_keep_their_shape_and_are_lost_as_often_as_measured(
    seen: list[Skeleton],
) -> None:
    height = height_of(truth())
    for part, shift, bend, lost in (
        ("left_hand", 0.0023, 0.0051, 0.25), ("face", 0.0017, 0.0035, 0.28)
    ):  # fmt: skip
        exact = getattr(truth(), part)
        found = [p for s in seen if (p := getattr(s, part))[:, 2].any()]
        assert 1 - len(found) / DRAWS == pytest.approx(lost, abs=0.03)
        away = np.stack([(p - exact)[:, :2] for p in found]) / height
        whole = np.linalg.norm(away.mean(1), axis=1)
        own = np.linalg.norm(away - away.mean(1, keepdims=True), axis=2).mean(1)
        assert np.median(whole) == pytest.approx(shift, rel=0.1)
        assert np.median(own) == pytest.approx(bend, rel=0.25)
        middle = exact[:, :2] - exact[:, :2].mean(0)
        for points in found[:50]:  # straight lines stay straight: it is still a hand, or a face
            moved = points[:, :2] - points[:, :2].mean(0)
            fit = np.linalg.lstsq(middle, moved, rcond=None)[0]
            assert np.abs(middle @ fit - moved).max() < 0.01 * height
    whole = all(s.left_hand[:, 2].all() or not s.left_hand[:, 2].any() for s in seen)
    assert whole, "a hand is found whole or not at all"


def test_limbs_are_lost_and_exchanged_now_and_then(seen: list[Skeleton]) -> None:
    body = np.stack([s.body for s in seen])
    elbow, wrist = body[:, JOINT["left_elbow"], 2] == 0, body[:, JOINT["left_wrist"], 2] == 0
    assert 0.015 < elbow.mean() < 0.05
    assert wrist[elbow].all() and wrist.mean() > elbow.mean(), "a lost elbow takes the wrist along"
    lost = np.stack([np.isnan(s.world).any(1) for s in seen])
    assert np.array_equal(lost, body[..., 2] == 0)
    knees = body[:, [JOINT["left_knee"], JOINT["right_knee"]], 0]
    share = (knees[:, 0] < knees[:, 1]).mean()  # the person faces us: left is to the right
    assert 0.001 < share < 0.012
    assert (body[:, JOINT["neck"], 2] > 0.9).all()


def test_what_the_truth_does_not_show_stays_unseen() -> None:
    exact = truth()
    body, hand = exact.body.copy(), exact.left_hand.copy()
    body[JOINT["right_knee"], 2], body[JOINT["left_wrist"], 2] = 0, 0.5
    hand[:, 2] = 0.5  # hidden behind the body
    for number in range(50):
        seen = noisy(replace(exact, body=body, left_hand=hand), generator(0, "p", number))
        assert not seen.body[JOINT["right_knee"]].any() or not seen.body[JOINT["left_knee"]].any()
        assert max(seen.body[JOINT["left_wrist"], 2], seen.left_hand[:, 2].max()) <= 1
        assert not (seen.left_hand[:, 2].any() and seen.right_hand[:, 2].any())
    lost = replace(exact, body=np.zeros((25, 3), np.float32))
    assert np.isfinite(noisy(lost, generator(0, "p", 0)).points()).all()
