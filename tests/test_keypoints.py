"""Networks' points as plugins turn them into skeletons."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dancecli.figures import standing_skeleton
from dancecli.keypoints import best_in, body_25, calibrated, joints_seen, largest_first
from dancecli.types import BODY_25, JOINT, SEEN, Box, Skeleton

number = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(number, number, number), max_size=8), st.floats(0.01, 3))
def test_any_scores_become_confidences(points: list[tuple[float, ...]], seen: float) -> None:
    found = calibrated(np.array(points).reshape(-1, 3), seen, 2 * seen)
    assert found.shape == (len(points), 3) and found.dtype == np.float32
    assert np.isfinite(found).all()
    assert ((found[:, 2] >= 0) & (found[:, 2] <= 1)).all()
    assert (found[found[:, 2] == 0] == 0).all()


def test_what_a_network_draws_counts_as_seen_and_what_it_hides_does_not() -> None:
    found = calibrated([(1, 2, 0.29), (3, 4, 0.3), (5, 6, 1.0), (7, 8, 4.0)], 0.3)[:, 2]
    assert found[0] < SEEN <= found[1] < found[2] == found[3] == 1


def test_the_middle_of_two_joints_is_as_certain_as_the_less_certain_one() -> None:
    hips = {"left_hip": np.array([10, 20, 0.9]), "right_hip": np.array([30, 40, 0.4])}
    body = body_25({name: point.astype(np.float32) for name, point in hips.items()})
    np.testing.assert_allclose(body[JOINT["mid_hip"]], (20, 30, 0.4), rtol=1e-6)
    assert (body[JOINT["neck"]] == 0).all()


def test_a_joint_that_is_given_is_not_made_up() -> None:
    truth = standing_skeleton().body
    np.testing.assert_array_equal(body_25(dict(zip(BODY_25, truth, strict=True))), truth)


def test_people_come_by_size_and_those_without_a_point_do_not() -> None:
    small, large = standing_skeleton(), standing_skeleton().moved(2, 0, 0)
    nobody = Skeleton(np.zeros((25, 3), np.float32))
    assert largest_first([small, nobody, large]) == [large, small]
    assert (joints_seen(small), joints_seen(nobody)) == (13, 0)


def test_a_box_shows_the_person_inside_it() -> None:
    left, right = standing_skeleton(), standing_skeleton().moved(1, 200, 0)
    both = [left, right]
    assert best_in(both, Box(190, 0, 420, 330)) is right
    assert best_in(both, Box(0, 0, 210, 330)) is left
    assert best_in(both, Box(500, 0, 600, 100)) is None
