"""Points held to how the picture moves under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from motion_puppet import BONE, FPS, SIZE, bones, observed, puppet, rest_angles
from scripted_tracking import HEIGHT, RED, WIDTH, Script, painted, person, wall

from dancecli.motion import Observation, Track, Tracker, build_track, flow
from dancecli.types import JOINT, SEEN, Frame, Skeleton

_NOISE = np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
CLOTH = cv2.GaussianBlur(_NOISE, (0, 0), 1.5)


def shifted(x: float, y: float) -> np.ndarray:
    """The cloth moved by pixels."""
    affine = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return cv2.warpAffine(CLOTH, affine, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


def between(first: np.ndarray, second: np.ndarray, start: Skeleton, end: Skeleton) -> np.ndarray:
    found = flow.drift(Frame(first), Frame(second), start, end)
    assert found is not None
    return found.astype(np.float64)


@given(st.floats(-4, 4), st.floats(-4, 4))
def test_drift_is_how_the_picture_moved(x: float, y: float) -> None:
    """To half a pixel, wherever the network may have seen the person go."""
    here = person(200, 180, 280)
    found = between(CLOTH, shifted(x, y), here, person(203, 180, 278))
    seen = here.points()[:, 2] >= SEEN
    assert np.abs(found[seen, :2] - (x, y)).max() < 0.5
    assert found[seen, 2].max() < 1
    assert np.isinf(found[~seen, 2]).all()


def test_what_is_hidden_in_the_next_frame_is_doubted() -> None:
    here, covered = person(200, 180, 280), CLOTH.copy()
    x, y = here.joint("left_knee").astype(int)
    covered[y - 25 : y + 25, x - 25 : x + 25] = np.random.default_rng(8).integers(
        0, 256, (50, 50, 3)
    )
    found = between(CLOTH, covered, here, here)
    seen = here.points()[:, 2] >= SEEN
    knee = found[JOINT["left_knee"], 2]
    assert knee > 10 * np.median(found[seen, 2])


def test_points_beyond_the_picture_and_slivers_tell_nothing() -> None:
    far = person(WIDTH + 60, 180, 280)
    assert flow.drift(Frame(CLOTH), Frame(CLOTH), far, far) is None
    half = person(WIDTH - 4, 180, 280)
    found = between(CLOTH, CLOTH, half, half)
    outside = half.points()[:, 0] >= WIDTH
    assert outside.any() and np.isinf(found[outside, 2]).all()


def trembling(frames: int, pace: float) -> tuple[list[Skeleton], list[Skeleton]]:
    """Somebody whose arm-long way is a sine, and the same as a network sees it."""
    truth, seen, rng = [], [], np.random.default_rng(3)
    for t in range(frames):
        true = person(240 + 40 * np.sin(pace * t), 400, 800)
        body = true.body.copy()
        body[:, :2] += rng.normal(0, 1.6, (25, 2))
        truth.append(true)
        seen.append(replace(true, body=body.astype(np.float32)))
    return truth, seen


def with_flow(seen: Sequence[Skeleton], truth: Sequence[Skeleton]) -> list[Observation]:
    """Observations whose flow is the truth's own motion, with a tenth of a pixel of error."""
    found, rng = observed(seen), np.random.default_rng(4)
    for t in range(1, len(seen)):
        moved = truth[t].points() - truth[t - 1].points()
        drift = np.column_stack([moved[:, :2] + rng.normal(0, 0.1, (137, 2)), np.full(137, 0.05)])
        found[t] = replace(found[t], drift=drift.astype(np.float16))
    return found


def error(track: Track, truth: Sequence[Skeleton]) -> float:
    """Root mean square distance of the body's joints, pixels."""
    away = [a.body[:, :2] - b.body[:, :2] for a, b in zip(track.skeletons, truth, strict=True)]
    return float(np.sqrt(np.mean(np.square(away))))


@pytest.mark.parametrize("pace", [0.0, 0.3, 0.9])
def test_flow_takes_trembling_away_and_leaves_motion(pace: float) -> None:
    """Slow or fast: the filter alone keeps trembling of what moves, or flattens it."""
    truth, seen = trembling(60, pace)
    held = error(build_track(with_flow(seen, truth), FPS, SIZE), truth)
    assert held < 0.75 * error(build_track(observed(seen), FPS, SIZE), truth)


@pytest.mark.parametrize("pace", [0.1, 0.3, 0.9])
def test_flow_of_something_else_is_not_followed(pace: float) -> None:
    """Of a wall behind a thin arm, say: it stands while the person walks to and fro."""
    truth, seen = trembling(120, pace)
    beside = build_track(with_flow(seen, [truth[0]] * 120), FPS, SIZE)
    alone = error(build_track(observed(seen), FPS, SIZE), truth)
    assert error(beside, truth) < 1.5 * alone


@pytest.mark.parametrize(("slip", "held"), [(0.037, True), (0.08, False)])
def test_a_joint_that_slips_a_little_is_held_where_the_picture_stands(
    slip: float, held: bool
) -> None:
    """By more than 4.5 % of the height it may as well have left what flow shows."""
    wrist, height = JOINT["right_wrist"], 800
    truth = [puppet(bones(height), None, (500, 900))] * 60
    seen = []
    for t, true in enumerate(truth):
        body = true.body.copy()
        body[wrist, 0] += slip * height * (20 <= t < 40)
        seen.append(replace(true, body=body))
    track = build_track(with_flow(seen, truth), FPS, SIZE)
    off = np.array([abs(s.body[wrist, 0] - truth[0].body[wrist, 0]) for s in track.skeletons])
    # The path goes between what was seen and what it was: no jump where it is held.
    assert (np.abs(np.diff(off)).max() < 0.25 * slip * height) == held


def test_flow_of_exchanged_legs_is_exchanged_with_them() -> None:
    """Legs that the network takes for each other for a third of a second."""
    rng, legs = np.random.default_rng(3), [JOINT[f"{s}_knee"] for s in ("right", "left")]
    legs += [JOINT[f"{side}_ankle"] for side in ("right", "left")]
    truth, seen, known = [], [], []
    for t in range(80):
        angles = rest_angles()
        for side, sign in (("right", 1), ("left", -1)):
            for name in ("knee", "ankle"):
                angles[BONE[f"{side}_{name}"]] += sign * 0.6 * np.sin(0.1 * t)
        true = puppet(bones(800), angles, (500, 400), "mid_hip")
        body = true.body.copy()
        body[:, :2] += rng.normal(0, 1.6, (25, 2))
        wrong = 30 <= t < 38
        known.append(replace(true, body=crossed(true.body)) if wrong else true)
        seen.append(replace(true, body=crossed(body) if wrong else body.astype(np.float32)))
        truth.append(true)
    clip = observed(seen)
    for t in range(1, 80):  # the picture moves as what lies at the points as they were seen
        start = known[t - 1]
        swapped = known[t - 1] is not truth[t - 1]
        end = crossed(truth[t].body) if swapped else truth[t].body
        drift = np.zeros((137, 3), np.float16)
        drift[:25, :2] = end[:, :2] - start.body[:, :2]
        clip[t] = replace(clip[t], drift=drift)
    track = build_track(clip, FPS, SIZE)
    away = [
        np.abs(a.body[legs, :2] - b.body[legs, :2]).max()
        for a, b in zip(track.skeletons, truth, strict=True)
    ]
    assert max(away[28:40]) < 2.5


def crossed(body: np.ndarray) -> np.ndarray:
    """With the legs below the hips on the other side, float32."""
    out = body.astype(np.float32)
    for name in ("knee", "ankle", "big_toe", "small_toe", "heel"):
        rows = [JOINT[f"right_{name}"], JOINT[f"left_{name}"]]
        out[rows] = out[rows[::-1]]
    return out


@pytest.mark.parametrize("strength", [1e-6, 0.05])
def test_a_little_smoothing_changes_little(strength: float) -> None:
    truth, seen = trembling(40, 0.3)
    track = build_track(with_flow(seen, truth), FPS, SIZE, smooth=strength)
    assert error(track, seen) < 20 * strength


def test_people_leaving_the_picture_and_faces_that_fill_it_are_looked_at() -> None:
    """A window of some pixels' breadth, and a person larger than the picture."""
    tall = Frame(np.tile(CLOTH, (4, 1, 1))[:1280])
    for x in range(WIDTH - 20, WIDTH + 60, 4):
        leaving = person(x, 1150, 1270)
        flow.drift(tall, tall, leaving, leaving)
    near = person(240, 9000, 4000)
    found = flow.drift(Frame(CLOTH), Frame(CLOTH), near, near)
    assert found is None or np.isfinite(found[:, :2]).all()


def test_without_smoothing_every_point_is_where_it_was_seen() -> None:
    truth, seen = trembling(30, 0.3)
    track = build_track(with_flow(seen, truth), FPS, SIZE, smooth=0.0)
    assert error(track, seen) == pytest.approx(0, abs=1e-3)


def test_flow_under_a_moving_camera_is_that_of_the_scene() -> None:
    """A pan: everything moves by 9 pixels a frame in the picture, and nothing in the scene."""
    truth, seen = trembling(60, 0.0)
    pan = np.array([[1.0, 0, 9], [0, 1, 0]])
    panned = [[s.moved(1, 9.0 * t, 0) for t, s in enumerate(people)] for people in (truth, seen)]
    clip = with_flow(panned[1], panned[0])
    clip = [clip[0], *(replace(each, camera=pan) for each in clip[1:])]
    alone = [replace(each, drift=None) for each in clip]
    held, filtered = (error(build_track(each, FPS, SIZE), panned[0]) for each in (clip, alone))
    assert held < 0.75 * filtered


def followed(frames: Sequence[Frame], people: Sequence[Sequence[Skeleton]]) -> list[Observation]:
    tracker = Tracker(Script(people), drift=True)
    return [tracker.step(frame) for frame in frames]


def test_a_tracker_that_is_asked_tells_the_drift_of_whom_it_follows() -> None:
    here = [person(120 + 3 * t) for t in range(4)]
    frames = [painted(wall(), [(skeleton, RED)], t) for t, skeleton in enumerate(here)]
    shown = [[skeleton] for skeleton in here]
    shown[2] = []  # not found
    first, second, gone, back = followed(frames, shown)
    assert first.drift is None and gone.drift is None and back.drift is None
    assert second.drift is not None and second.drift.shape == (137, 3)
    plain = Tracker(Script(shown))
    assert all(plain.step(frame).drift is None for frame in frames)


def test_a_cut_breaks_the_drift() -> None:
    here = person(200)
    frames = [painted(wall(seed), [(here, RED)], t) for t, seed in enumerate((0, 0, 5))]
    _, same, cut = followed(frames, [[here]] * 3)
    assert same.drift is not None and np.abs(same.drift[1, :2]).max() < 0.1
    assert cut.cut and cut.drift is None


def test_drift_survives_disk_bit_by_bit() -> None:
    drift = np.random.default_rng(9).normal(0, 30, (137, 3)).astype(np.float16)
    drift[5, 2] = np.inf
    again = Observation.from_json(Observation(person(100), drift=drift).to_json()).drift
    assert again is not None and again.tobytes() == drift.tobytes()
