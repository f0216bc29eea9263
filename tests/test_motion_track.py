"""Gaps, outliers, smoothing and scenes of a track."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_puppet import FPS, SIZE, bones, observed, puppet, swing, track_of, xy

from dancecli.errors import NoPersonError, UsageError
from dancecli.motion import Observation, State, Track, build_track
from dancecli.motion.smoothing import median
from dancecli.types import JOINT, SEEN, Skeleton

HEIGHT = 300.0


def clip(frames: int, seed: int = 0) -> list[Skeleton]:
    return [puppet(bones(HEIGHT), angles) for angles in swing(frames, seed)]


def noisy(skeletons: list[Skeleton], sigma: float) -> list[Skeleton]:
    rng = np.random.default_rng(1)
    out = []
    for skeleton in skeletons:
        body = skeleton.body.copy()
        body[:, :2] += rng.normal(0, sigma, (25, 2))
        out.append(replace(skeleton, body=body))
    return out


def without(skeleton: Skeleton, *joints: str) -> Skeleton:
    body = skeleton.body.copy()
    body[[JOINT[name] for name in joints]] = 0
    return replace(skeleton, body=body)


def test_missing_frames_are_interpolated_or_held_and_flagged():
    people: list[Skeleton | None] = [puppet(bones(HEIGHT), foot=(400 + 3 * t, 900))
                                     for t in range(20)]  # fmt: skip
    truth = xy([p for p in people if p], "neck")
    for gone in (0, 1, 8, 9, 10, 19):
        people[gone] = None
    track = build_track(observed(people), FPS, SIZE, 0.0)
    S, I, H = State.SEEN, State.INTERPOLATED, State.HELD  # noqa: E741
    assert track.state.tolist() == [H, H, S, S, S, S, S, S, I, I, I, *[S] * 8, H]
    assert np.abs(xy(track.skeletons, "neck")[2:19] - truth[2:19]).max() < 0.01
    assert xy(track.skeletons, "neck")[0] == pytest.approx(truth[2], abs=0.01)
    assert all(SEEN <= s.body[JOINT["neck"], 2] < 0.5 for s in track.skeletons[8:11])
    assert track.summary() == {"frames": 20, "seen": 14, "interpolated": 3, "held": 3, "cuts": 0}


def test_nobody_anywhere_says_how_many_frames_were_looked_at():
    with pytest.raises(NoPersonError, match="17 frames"):
        build_track([Observation()] * 17, FPS, SIZE)


@pytest.mark.parametrize("smooth", [-1.0, float("nan"), float("inf")])
def test_impossible_smoothing_is_refused(smooth):
    with pytest.raises(UsageError, match="--smooth"):
        build_track(observed(clip(3)), FPS, SIZE, smooth)


def test_a_briefly_hidden_joint_is_interpolated_and_a_long_hidden_one_is_not():
    people = clip(60)
    hidden = [without(p, "right_wrist") if 10 <= t < 14 or 20 <= t < 50 else p
              for t, p in enumerate(people)]  # fmt: skip
    track = track_of(hidden)
    wrist = [s.body[JOINT["right_wrist"]] for s in track.skeletons]
    assert all(SEEN <= w[2] < 0.5 for w in wrist[10:14])
    truth = xy(people, "right_wrist")[10:14]
    assert np.abs(np.stack(wrist)[10:14, :2] - truth).max() < 0.05 * HEIGHT
    assert all(w[2] == 0 for w in wrist[20:50])


def test_no_smoothing_changes_no_seen_point():
    people = clip(20)
    track = track_of(people, smooth=0.0)
    assert all(np.array_equal(a.body, b.body) for a, b in zip(people, track.skeletons, strict=True))


def rms(track: Track, truth: list[Skeleton], joint: str) -> float:
    error = xy(track.skeletons, joint) - xy(truth, joint)
    return float(np.sqrt((error**2).mean()))


def test_smoothing_removes_trembling_and_does_not_lag():
    still = [puppet(bones(HEIGHT))] * 50
    shaky = noisy(still, 2.0)
    assert rms(track_of(shaky, 1.0), still, "neck") < 0.5 * rms(track_of(shaky), still, "neck")
    moving = clip(75)
    wrist = xy(moving, "right_wrist")[:, 0]
    smoothed = xy(track_of(moving, 1.0).skeletons, "right_wrist")[:, 0]
    inner = slice(10, -10)
    errors = [np.abs(np.roll(smoothed, lag)[inner] - wrist[inner]).mean() for lag in range(-3, 4)]
    assert int(np.argmin(errors)) == 3
    assert rms(track_of(moving, 1.0), moving, "right_wrist") < 0.01 * HEIGHT


def test_stronger_smoothing_is_smoother():
    shaky = noisy(clip(60), 2.0)
    trembling = [
        np.abs(np.diff(xy(track_of(shaky, s).skeletons, "neck"), 2, axis=0)).mean()
        for s in (0.0, 0.5, 1.0, 3.0)
    ]
    assert trembling == sorted(trembling, reverse=True)


def test_smoothing_starts_anew_at_a_cut():
    people = [puppet(bones(HEIGHT), foot=(200, 900))] * 10
    people += [puppet(bones(HEIGHT), foot=(800, 900))] * 10
    observations = observed(people)
    observations[10] = replace(observations[10], cut=True)
    track = build_track(observations, FPS, SIZE, 3.0)
    assert track.cuts == (10,)
    assert [s.stop - s.start for s in track.scenes()] == [10, 10]
    hips = xy(track.skeletons, "mid_hip")[:, 0]
    assert np.allclose(hips, [200] * 10 + [800] * 10, atol=0.01)


def test_a_scene_with_nobody_holds_the_last_pose():
    people: list[Skeleton | None] = [*clip(10), *[None] * 5]
    observations = observed(people)
    observations[10] = replace(observations[10], cut=True)
    track = build_track(observations, FPS, SIZE, 0.0)
    assert (track.state[10:] == State.HELD).all()
    assert xy(track.skeletons, "neck")[14] == pytest.approx(xy(track.skeletons, "neck")[9])


@pytest.mark.parametrize("fps", [5, 8, 12])
def test_a_wave_of_few_frames_a_second_is_no_row_of_spikes(fps: int) -> None:
    """Two turns a second, 0.4 heights wide."""
    people = []
    for t in range(6 * fps):
        body = puppet(bones(300), foot=(500, 900)).body.copy()
        body[JOINT["left_wrist"], 1] += 60 * np.cos(4 * np.pi * t / fps + 0.4)
        people.append(Skeleton(body))
    seen = [Observation(skeleton) for skeleton in people]
    track = build_track(seen, Fraction(fps), SIZE, smooth=0.0)
    for before, after in zip(people, track.skeletons, strict=True):
        assert np.allclose(before.body, after.body, atol=1e-3)


def test_a_single_frame_spike_is_removed():
    people = clip(30)
    body = people[15].body.copy()
    body[JOINT["left_ankle"], :2] += 0.3 * HEIGHT
    spiked = [*people[:15], replace(people[15], body=body), *people[16:]]
    track = track_of(spiked)
    assert np.abs(xy(track.skeletons, "left_ankle")[15] - xy(people, "left_ankle")[15]).max() < 5


def swapped(skeleton: Skeleton, *names: str) -> Skeleton:
    body = skeleton.body.copy()
    for name in names:
        right, left = JOINT[f"right_{name}"], JOINT[f"left_{name}"]
        body[[right, left]] = body[[left, right]]
    return replace(skeleton, body=body)


@pytest.mark.parametrize(
    "names", [("knee", "ankle", "big_toe", "small_toe", "heel"), ("elbow", "wrist")]
)
def test_limbs_exchanged_for_a_few_frames_are_put_back(names):
    people = clip(50, seed=2)
    wrong = [swapped(p, *names) if 20 <= t < 24 else p for t, p in enumerate(people)]
    track = track_of(wrong)
    for name in names:
        error = xy(track.skeletons, f"right_{name}") - xy(people, f"right_{name}")
        assert np.abs(error).max() < 0.03 * HEIGHT


def test_legs_that_pass_each_other_are_left_alone():
    people = []
    for t in range(60):
        points = puppet(bones(HEIGHT)).body.copy()
        for side, sign in (("right", 1), ("left", -1)):
            for name, reach in (("knee", 0.5), ("ankle", 1), ("heel", 1), ("big_toe", 1),
                                ("small_toe", 1)):  # fmt: skip
                row = JOINT[f"{side}_{name}"]
                points[row, 0] = 500 + sign * reach * 60 * np.sin(t / 25 * 6)
        people.append(Skeleton(points))
    track = track_of(people)
    assert np.abs(xy(track.skeletons, "right_ankle") - xy(people, "right_ankle")).max() < 1


def test_a_camera_that_only_trembles_stands_still_exactly():
    rng = np.random.default_rng(0)
    people = clip(40)
    observations = [
        Observation(p, np.array([[1, 0, a], [0, 1, b]])) for p, (a, b) in
        zip(people, rng.normal(0, 0.3, (40, 2)), strict=True)
    ]  # fmt: skip
    track = build_track(observations, FPS, SIZE, 0.0)
    assert np.array_equal(track.camera, np.repeat(np.eye(2, 3)[None], 40, 0))


def test_camera_motion_adds_up_within_a_scene():
    step = np.array([[1.0, 0, 10], [0, 1, 0]])
    track = build_track(observed(clip(10), camera=step), FPS, SIZE, 0.0)
    assert track.camera[:, 0, 2] == pytest.approx(-10.0 * np.arange(10))


def test_smoothing_at_a_low_frame_rate_keeps_the_motion():
    people = clip(75)[::5]
    track = build_track(observed(people), Fraction(5), SIZE, 1.0)
    assert rms(track, people, "right_wrist") < 0.03 * HEIGHT


def rolled(skeleton: Skeleton, turn: float) -> Skeleton:
    """Turned about its middle by `turn` radians."""
    body = skeleton.body.copy()
    middle = body[:, :2].mean(0)
    c, s = np.cos(turn), np.sin(turn)
    body[:, :2] = (body[:, :2] - middle) @ np.array([[c, s], [-s, c]]) + middle
    return replace(skeleton, body=body)


def heads_up(track: Track) -> np.ndarray:
    """Body heights, pixels, by which the head is over the feet; negative on one's head."""
    return np.array([s.joint("left_ankle")[1] - s.joint("nose")[1] for s in track.skeletons])


@pytest.mark.parametrize("wrong", [[0], [0, 1], [12], [12, 13], [29]])
def test_nobody_stands_on_the_head_for_a_moment(wrong: list[int]) -> None:
    clip: list[Skeleton | None] = [puppet(bones(400)) for _ in range(30)]
    for number in wrong:
        clip[number] = rolled(puppet(bones(400)), np.pi)
    if wrong[0] == 0:  # one who comes in at the picture's edge is lost again at first
        clip[2:6] = [None] * 4
    assert heads_up(build_track(observed(clip), FPS, SIZE)).min() > 250


def test_whoever_turns_a_cartwheel_does() -> None:
    clip = [rolled(puppet(bones(400)), 2 * np.pi * t / 29) for t in range(30)]
    track = build_track(observed(clip), FPS, SIZE, 0.0)
    np.testing.assert_allclose(heads_up(track)[15], -heads_up(track)[0], rtol=0.05)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 12), st.integers(0, 40), st.integers(0, 99))
def test_a_running_median_may_be_wider_than_what_there_is(
    frames: int, half: int, seed: int
) -> None:
    values = np.random.default_rng(seed).normal(size=frames)
    at = np.arange(frames)[:, None] + np.arange(-half, half + 1)
    expected = np.median(values[np.clip(at, 0, frames - 1)], axis=1) if frames else values
    np.testing.assert_allclose(median(values, 2 * half + 1), expected)
