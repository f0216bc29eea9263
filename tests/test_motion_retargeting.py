"""Retargeting against a puppet whose limbs and path are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_puppet import (
    BONE,
    FPS,
    SIZE,
    bending,
    bones,
    observed,
    puppet,
    rest_angles,
    swing,
    track_of,
    vectors,
    xy,
)

from dancecli.errors import UsageError
from dancecli.motion import build_track, ground, placing, proportions, retarget
from dancecli.motion.body import BONES, LONG, height_of
from dancecli.types import JOINT, Box, Skeleton

HEAD = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")

PHOTO = (800, 700)
FEET = ("right_big_toe", "right_small_toe", "right_heel", "left_big_toe", "left_small_toe",
        "left_heel")  # fmt: skip

factor = st.floats(0.88, 1.12)
body = st.fixed_dictionaries({"elbow": factor, "wrist": factor, "knee": factor, "ankle": factor})


def lowest(skeletons: tuple[Skeleton, ...]) -> np.ndarray:
    return np.max([xy(skeletons, name)[:, 1] for name in FEET], axis=0)


def target(height: float = 500.0, factors: dict[str, float] | None = None) -> Skeleton:
    return puppet(bones(height, factors), foot=(400, 650))


@settings(max_examples=25, deadline=None)
@given(body, body, st.floats(200, 800), st.integers(0, 1000))
def test_limbs_point_as_the_drivers_and_are_between_both_lengths(driver, mine, height, seed):
    clip = [puppet(bones(height, driver), angles) for angles in swing(30, seed)]
    person = target(500, mine)
    out = vectors(retarget(track_of(clip), person, PHOTO))[:, LONG]
    into = vectors(clip)[:, LONG]
    cos = (out * into).sum(-1) / np.linalg.norm(out, axis=-1) / np.linalg.norm(into, axis=-1)
    assert np.degrees(np.arccos(np.clip(cos, -1, 1))).max() < 1
    lengths = np.linalg.norm(out, axis=-1)
    own, theirs = bones(500, mine), bones(500, driver)
    theirs = theirs * standing(own) / standing(theirs)
    low, high = np.minimum(own, theirs)[LONG], np.maximum(own, theirs)[LONG]
    assert (lengths > 0.98 * low).all() and (lengths < 1.02 * high).all()


@settings(max_examples=15, deadline=None)
@given(body, body, st.floats(200, 800), st.integers(0, 1000))
def test_where_every_ratio_is_believed_limbs_are_as_long_as_the_targets(driver, mine, height, seed):
    clip = [puppet(bones(height, driver), angles) for angles in swing(30, seed)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proportions, "BELIEVED", dict.fromkeys(proportions.BELIEVED, 1.0))
        out = vectors(retarget(track_of(clip), target(500, mine), PHOTO))[:, LONG]
    lengths = np.linalg.norm(out, axis=-1) / bones(500, mine)[LONG]
    assert abs(lengths - 1).max() < 0.02


def standing(lengths: np.ndarray) -> float:
    """Height of who has these bones, as `proportions` counts it."""
    upright = [i for i in LONG if BONES[i].share > 0.2]
    return float(lengths[upright].sum())


def test_of_a_ratio_as_much_is_taken_as_is_believed():
    clip = [puppet(bones(300), angles) for angles in swing(30, 1)]
    out = [
        vectors(retarget(track_of(clip), target(500, mine), PHOTO))[:, LONG]
        for mine in ({}, {"elbow": 0.78, "wrist": 0.78})
    ]
    usual, short = (np.linalg.norm(each, axis=-1).mean(0) for each in out)
    ratio = np.sort(short / usual)
    believed = 0.78 ** proportions.BELIEVED["bones"]
    assert np.abs(ratio[:4] - believed).max() < 0.01, "the arms"
    assert np.abs(ratio[4:] - 1).max() < 0.01


def test_a_head_that_looks_small_is_believed_less_than_one_that_looks_large():
    """A head turned away looks small; none looks larger than it is."""
    driver = proportions.of_target(target(500))
    for ratio, least, most in ((1.3, 1.08, 1.2), (1 / 1.3, 0.95, 0.99)):
        body = replace(driver, head=driver.head * ratio)
        told = proportions.told_apart(body, driver).head / driver.head
        assert least < told < most


@settings(max_examples=10, deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(("elbow", "wrist", "knee", "ankle"), st.floats(0.95, 1.05)))
)
def test_a_photo_s_noise_does_not_change_the_dancer(noise):
    """The same person, whose bones one photo shows a little longer or shorter."""
    clip = [puppet(bones(300), angles) for angles in swing(20, 3)]
    raw = retarget(track_of(clip), target(300), PHOTO, retarget=False, frame="driving")
    out = retarget(track_of(clip), target(300, noise), PHOTO, frame="driving")
    moved = [
        np.linalg.norm(a.body[:, :2] - b.body[:, :2], axis=1) for a, b in zip(raw, out, strict=True)
    ]
    assert np.max(moved) < 0.01 * 300


def test_the_first_frame_stands_where_the_target_stands():
    clip = [puppet(bones(300), angles, foot=(200, 800)) for angles in swing(20, size=0.1)]
    first = retarget(track_of(clip), target(), PHOTO)[:1]
    assert lowest(first)[0] == pytest.approx(650, abs=2)
    middle = np.mean([xy(first, name)[0, 0] for name in ("right_ankle", "left_ankle")])
    assert middle == pytest.approx(400, abs=15)


def squat(frames: int = 40) -> np.ndarray:
    """Both feet stay, the knees go out to the sides and back."""
    angles = np.repeat(rest_angles()[None], frames, 0)
    bend = 0.9 * np.sin(np.linspace(0, np.pi, frames)) ** 2
    for side, sign in (("right", 1), ("left", -1)):
        angles[:, BONE[f"{side}_knee"]] = np.pi / 2 + sign * bend
        angles[:, BONE[f"{side}_ankle"]] = np.pi / 2 - sign * bend
    return angles


@settings(max_examples=15, deadline=None)
@given(body, body)
def test_feet_stay_on_the_ground_in_a_squat(driver, mine):
    clip = [puppet(bones(300, driver), angles) for angles in squat()]
    out = retarget(track_of(clip), target(500, mine), PHOTO)
    assert np.ptp(lowest(out)) < 0.01 * 500
    assert lowest(out)[0] == pytest.approx(650, abs=2)
    assert np.ptp(xy(out, "mid_hip")[:, 1]) > 0.05 * 500


def test_a_standing_foot_does_not_slide_while_the_body_sways():
    angles = np.repeat(rest_angles()[None], 60, 0)
    sway = 0.35 * np.sin(np.arange(60) / 25 * 3)
    for name in ("left_knee", "left_ankle"):
        angles[:, BONE[name]] += sway
    clip = [puppet(bones(300, {"knee": 1.1}), a, (500, 900), "left_heel") for a in angles]
    out = retarget(track_of(clip), target(500, {"ankle": 1.1, "knee": 0.9}), PHOTO)
    assert np.ptp(xy(out, "left_heel")[:, 0]) < 0.02 * 500
    assert np.ptp(xy(out, "mid_hip")[:, 0]) > 0.15 * 500


def test_a_standing_foot_does_not_tremble_and_a_moving_one_moves():
    still = np.stack([target().body[:, :2]] * 60).astype(float)
    heights, fps = np.full(60, 500.0), 25.0
    contact = ground.contacts(still, heights, fps)
    noise = np.random.default_rng(0).normal(0, 0.001 * 500, (60, 1, 2))
    held = ground.planted(still + noise, heights, contact, fps)
    heel = JOINT["left_heel"]
    before, after = (np.diff(points[:, heel], axis=0).std() for points in (still + noise, held))
    assert after < 0.4 * before
    sway = still + 0.02 * 500 * np.sin(np.arange(60) / 8)[:, None, None] * np.array([1, 0])
    kept = ground.planted(sway, heights, contact, fps)
    assert np.ptp(kept[:, heel, 0]) > 0.9 * np.ptp(sway[:, heel, 0])


@pytest.mark.parametrize("height", [150.0, 400.0])
def test_a_jump_is_a_jump_scaled_by_height(height):
    rise = 0.25 * height * np.clip(np.sin((np.arange(50) - 15) / 20 * np.pi), 0, None)
    rise[:15] = rise[35:] = 0
    clip = [puppet(bones(height), foot=(500, 900 - r)) for r in rise]
    out = lowest(retarget(track_of(clip), target(500), PHOTO))
    assert out[0] - out.min() == pytest.approx(0.25 * 500, rel=0.03)
    assert out[-1] == pytest.approx(out[0], abs=1)


def test_travel_is_scaled_by_height():
    clip = [puppet(bones(250), foot=(500 + 2 * t, 900)) for t in range(40)]
    out = xy(retarget(track_of(clip), target(500), (3000, 700)), "mid_hip")
    assert out[-1, 0] - out[0, 0] == pytest.approx(2 * (2 * 39), rel=0.02)


def pan(skeleton: Skeleton, dx: float) -> Skeleton:
    return skeleton.moved(1.0, dx, 0.0)


def test_the_cameras_motion_is_taken_out_unless_it_is_wanted():
    clip = [puppet(bones(300), a) for a in swing(40, 3)]
    step = np.array([[1.0, 0, -6.0], [0, 1, 0]])
    panned = [pan(s, -6.0 * t) for t, s in enumerate(clip)]
    observations = observed(panned, camera=step)
    track = build_track(observations, FPS, SIZE, 0.0)
    still = retarget(track_of(clip), target(), PHOTO)
    out = retarget(track, target(), PHOTO)
    assert np.abs(xy(out, "neck") - xy(still, "neck")).max() < 0.5
    raw = retarget(track, target(), (9000, 700), stabilise=False)
    drift = xy(raw, "mid_hip")[-1, 0] - xy(raw, "mid_hip")[0, 0]
    assert drift == pytest.approx(-6 * 39 * 500 / 300, rel=0.1)


def test_in_the_driving_frame_the_feet_are_the_dancers():
    clip = [puppet(bones(300, {"knee": 1.1}), a, (500 + 2 * t, 800)) for t, a in
            enumerate(squat())]  # fmt: skip
    out = retarget(track_of(clip), target(900, {"ankle": 1.1}), (4000, 4000), frame="driving")
    assert np.abs(lowest(out) - lowest(tuple(clip))).max() < 3
    assert np.abs(xy(out, "left_heel") - xy(clip, "left_heel"))[:, 0].max() < 15
    tall = [np.ptp(s.body[:, 1]) for s in (out[0], clip[0])]
    assert tall[0] == pytest.approx(tall[1], rel=0.03)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.4, 2.5), st.floats(-300, 300))
def test_the_size_of_the_driving_video_does_not_matter(scale, shift):
    clip = [puppet(bones(300), a) for a in swing(20, 5)]
    other = [s.moved(scale, shift, shift) for s in clip]
    a, b = (retarget(track_of(c), target(), PHOTO) for c in (clip, other))
    assert np.abs(xy(a, "left_wrist") - xy(b, "left_wrist")).max() < 0.5


def test_without_retargeting_one_similarity_moves_the_driver():
    clip = [puppet(bones(300, {"knee": 1.12}), a) for a in swing(20, 2)]
    out = retarget(track_of(clip), target(), (3000, 700), retarget=False)
    a, b = (np.stack([s.body[:, :2] for s in c]) for c in (clip, out))
    ratio = np.ptp(b[..., 1]) / np.ptp(a[..., 1])
    assert np.allclose(b - b[0, 0], (a - a[0, 0]) * ratio, atol=0.1)


def test_walking_towards_the_camera_makes_the_person_grow_and_come_down():
    scale = np.linspace(1, 1.5, 75)
    clip = [puppet(bones(300 * s), a, (500, 500 + 300 * s)) for s, a in
            zip(scale, swing(75, 4, 0.2), strict=True)]  # fmt: skip
    out = retarget(track_of(clip), target(300), (800, 2000))
    size = np.linalg.norm(vectors(out)[:, 0], axis=-1)
    assert size[-1] / size[0] > 1.25
    assert (np.diff(size) > -0.5).all()
    assert lowest(out)[-1] > lowest(out)[0] + 50


def test_a_cropped_target_gets_the_legs_of_the_table_below_the_photo():
    person = target()
    points = person.body.copy()
    for name in ("knee", "ankle", "big_toe", "small_toe", "heel"):
        for side in ("right", "left"):
            points[JOINT[f"{side}_{name}"]] = 0
    clip = [puppet(bones(300), a) for a in squat()]
    whole = retarget(track_of(clip), person, PHOTO)
    cropped = retarget(track_of(clip), replace(person, body=points), (800, 400))
    assert np.abs(xy(whole, "neck") - xy(cropped, "neck")).max() < 0.03 * 500


def test_legs_the_driver_does_not_show_hang_down():
    clip = []
    for angles in swing(20, 1):
        points = puppet(bones(300), angles).body.copy()
        for name in ("right_knee", "left_knee", "right_ankle", "left_ankle", *FEET):
            points[JOINT[name]] = 0
        clip.append(Skeleton(points))
    out = retarget(track_of(clip), target(), PHOTO)
    assert all(s.seen("right_ankle", "left_big_toe") for s in out)
    assert (xy(out, "right_ankle")[:, 1] - xy(out, "right_hip")[:, 1] > 0.4 * 500).all()


def test_the_dance_stays_in_the_photo():
    clip = [puppet(bones(300), foot=(200 + 4 * t, 900)) for t in range(60)]
    out = retarget(track_of(clip), target(), PHOTO)
    points = np.stack([s.body[:, 0] for s in out])
    assert points.min() >= -1 and points.max() <= PHOTO[0] + 1
    long_walk = [puppet(bones(300), foot=(200 + 30 * t, 900)) for t in range(60)]
    hips = xy(retarget(track_of(long_walk), target(), PHOTO), "mid_hip")[:, 0]
    assert hips.min() >= 0 and hips.max() <= PHOTO[0] and (np.diff(hips) >= 0).all()


def test_the_head_stays_in_a_photo_too_narrow_for_the_dance():
    clip = bending(120)
    width = 220
    out = retarget(track_of(clip), puppet(bones(500), foot=(130, 900)), (width, 1000))
    heads = np.stack([s.body[[0, 15, 16, 17, 18], 0] for s in out])
    assert heads.min() >= 0 and heads.max() <= width


@pytest.mark.parametrize("unseen", [("left_ear",), ("nose", "right_eye", "left_eye")])
@pytest.mark.parametrize("feet", [True, False])
def test_joints_of_the_head_that_nobody_sees_move_nobody(unseen, feet):
    plain = puppet(bones(300), foot=(400, 900))
    body = plain.body.copy()
    body[[JOINT[name] for name in unseen]] = 0
    person = target().body.copy()
    if not feet:
        person[[JOINT[f"{side}_{n}"] for side in ("right", "left") for n in ("knee", "ankle")]] = 0
        person[[JOINT[name] for name in FEET]] = 0
    made = [
        retarget(track_of([each] * 60), Skeleton(person), (2000, 700))
        for each in (plain, Skeleton(body))
    ]
    assert np.abs(xy(made[0], "mid_hip") - xy(made[1], "mid_hip")).max() < 20


def test_each_scene_starts_anew():
    clip = [puppet(bones(300), foot=(300, 900))] * 10 + [puppet(bones(600), foot=(700, 950))] * 10
    observations = observed(clip)
    observations[10] = replace(observations[10], cut=True)
    out = retarget(build_track(observations, FPS, SIZE), target(), PHOTO)
    assert np.abs(out[0].body - out[10].body).max() < 1


def test_hands_and_face_follow_wrist_and_head_at_the_targets_size():
    rng = np.random.default_rng(0)
    clip = []
    for angles in swing(15, 6):
        plain = puppet(bones(300), angles)
        hand = np.ones((21, 3), np.float32)
        hand[:, :2] = plain.joint("left_wrist") + rng.uniform(-5, 5, (21, 2))
        hand[0, :2] = plain.joint("left_wrist")
        hand[9, :2] = hand[0, :2] + np.array([0.055 * 300, 0], np.float32)
        face = np.ones((70, 3), np.float32)
        face[:, :2] = plain.joint("nose")
        clip.append(replace(plain, left_hand=hand, face=face))
    out = retarget(track_of(clip), target(600), (2000, 900))
    for skeleton in out:
        assert np.allclose(skeleton.left_hand[0, :2], skeleton.joint("left_wrist"), atol=0.1)
        palm = skeleton.left_hand[9, :2] - skeleton.left_hand[0, :2]
        assert palm == pytest.approx([0.055 * 600, 0], rel=0.1, abs=0.1)
        assert np.allclose(skeleton.face[0, :2], skeleton.joint("nose"), atol=0.5)


def test_an_unknown_frame_is_refused():
    with pytest.raises(UsageError, match="photo and driving"):
        retarget(track_of([puppet(bones(300))]), target(), PHOTO, frame="moon")  # type: ignore[arg-type]


@given(st.integers(0, 2**32 - 1), st.floats(5, 60))
def test_arms_that_leave_the_picture_are_drawn_back_in_slowly(seed: int, fps: float) -> None:
    rng = np.random.default_rng(seed)
    frames = round(6 * fps)
    wander = np.cumsum(rng.normal(0, 200 / fps, frames))
    points = rng.uniform(100, 300, (1, 20, 2)) + wander[:, None, None] * np.array([1, 0])
    shift = placing.drawn_in(points[..., 0], 0, 400, fps)
    moved = points[..., 0] + shift[:, None]
    over = np.maximum(np.maximum(moved - 400, -moved).max(1), 0)
    was = np.maximum(np.maximum(points[..., 0] - 400, -points[..., 0]).max(1), 0)
    assert (over <= was + 1e-6).all()
    if points[..., 0].min() > was.max():
        assert over.max() < 1e-6  # there was room on the other side all the time
    if was.max() == 0:
        assert not shift.any()
    # As slow as a Gaussian of half a second lets a step of that size be.
    beyond = max(points[..., 0].max() - 400, 0) + max(-points[..., 0].min(), 0)
    assert np.abs(np.diff(shift)).max() * fps <= 0.9 * beyond + 1e-9


@pytest.mark.parametrize("left", [0, 150, 500])
def test_the_dance_stays_in_the_part_of_the_photo_that_is_shown(left: int) -> None:
    steps = [puppet(bones(300), foot=(400 + 3 * t, 900)) for t in range(100)]
    view = Box(left, 0, left + 600, PHOTO[1])
    danced = retarget(track_of(steps), target(), PHOTO, view=view)
    trunk = xy(danced, "neck")[:, 0]
    assert trunk.min() >= view.left and trunk.max() <= view.right
    assert np.ptp(trunk) > 100  # and it is still a dance


@pytest.mark.parametrize("below", [20, 2, -6])
def test_toes_that_the_view_cuts_off_move_nobody(below: int) -> None:
    dance = [puppet(bones(500.0), foot=(400, 700 - 150 * (10 < t < 14))) for t in range(50)]
    low = max(target().body[target().body[:, 2] > 0, 1])
    view = Box(0, 0, PHOTO[0], low + below)
    danced = retarget(track_of(dance), target(), PHOTO, view=view)
    whole = retarget(track_of(dance), target(), PHOTO)
    assert np.allclose(xy(danced, "neck"), xy(whole, "neck"), atol=1)


def test_whose_ground_is_out_of_view_is_followed_down_and_up() -> None:
    """A squat in an output that shows the photo's upper part alone."""
    down = [90 * (1 - np.cos(t / 12)) for t in range(150)]
    dance = [puppet(bones(500.0), foot=(400, 700 + dy)) for dy in down]
    view = Box(0, 150, PHOTO[0], 400)
    danced = retarget(track_of(dance), target(), PHOTO, view=view)
    nose, neck = (xy(danced, name)[:, 1] for name in ("nose", "neck"))
    assert nose.min() > view.top and neck.max() < view.bottom + 1
    whole = retarget(track_of(dance), target(), PHOTO)
    assert np.ptp(xy(whole, "neck")[:, 1]) > 60  # there, on the photo's ground, it is one


def test_who_shows_no_feet_is_lowered_until_the_head_is_in_the_picture() -> None:
    whole = puppet(bones(500.0), foot=(400, 490))
    body = whole.body.copy()
    legs = [JOINT[f"{side}_{name}"] for side in ("left", "right")
            for name in ("knee", "ankle", "heel", "big_toe", "small_toe")]  # fmt: skip
    body[legs] = 0
    cut = replace(whole, body=body)
    track = track_of([puppet(bones(600.0), angles) for angles in swing(30, size=0.1)])
    stood = retarget(track, whole, PHOTO)
    lowered = retarget(track, cut, PHOTO)
    nose = [np.median(xy(skeletons, "nose")[:, 1]) for skeletons in (stood, lowered)]
    assert nose[0] < 40 <= nose[1] < 80


def test_a_hand_whose_root_is_not_seen_hangs_on_its_wrist():
    body = puppet(bones(400))
    hand = np.ones((21, 3), np.float32)
    hand[:, :2] = body.joint("left_wrist") + np.arange(21)[:, None] * (0.5, 1)
    rootless = hand.copy()
    rootless[0] = 0

    def danced(left):
        clip = [replace(body, left_hand=left)] * 20
        return retarget(track_of(clip), puppet(bones(300)), SIZE)[10]

    seen, guessed = danced(hand), danced(rootless)
    assert np.abs(seen.left_hand[1:, :2] - guessed.left_hand[1:, :2]).max() < 2
    assert np.abs(seen.body[:, :2] - guessed.body[:, :2]).max() < 1


def test_a_head_between_two_sights_of_it_is_on_its_neck():
    whole = puppet(bones(400))

    def with_head(*joints):
        body = whole.body.copy()
        for row in (JOINT[name] for name in HEAD if name not in joints):
            body[row] = 0
        return Skeleton(body)

    clip = [with_head("left_ear")] * 25 + [with_head()] * 25 + [with_head(*HEAD)] * 25
    danced = retarget(track_of(clip), whole, SIZE, retarget=False)
    near = np.linalg.norm(whole.joint("nose") - whole.joint("neck"))
    for skeleton in danced:
        for name in HEAD:
            if skeleton.seen(name):
                apart = np.linalg.norm(skeleton.joint(name) - skeleton.joint("neck"))
                assert apart < 1.5 * near, name


@pytest.mark.parametrize("lift", [-200, 150])
def test_who_comes_into_the_picture_feet_last_does_not_float(lift):
    """A camera that tilts is not followed that well: for two seconds the scene seems to move."""
    clip = []
    for t in range(100):
        body = puppet(bones(300), foot=(500, 900 + lift * max(0, 50 - t) / 50)).body.copy()
        if t < 50:
            for name in ("right_ankle", "left_ankle", *FEET):
                body[JOINT[name]] = 0
        clip.append(Skeleton(body))
    danced = retarget(track_of(clip), target(), PHOTO)
    feet = xy(danced, "right_ankle")[:, 1]
    assert np.abs(feet - feet[-1]).max() < 0.08 * height_of(danced[-1])
