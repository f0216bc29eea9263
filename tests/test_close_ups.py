"""Dancers and people in photos of whom head and shoulders are seen: no long bone tells a size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_puppet import head_and_shoulders, track_of, xy
from scripted_tracking import HEIGHT, RED, WIDTH, Script, painted, person, run, wall

from dancecli.composite import place_within, shown, standing_height
from dancecli.motion import LiveMotion, retarget
from dancecli.motion.body import OVER_HEAD, height_of
from dancecli.motion.people import choose
from dancecli.steps.background import others
from dancecli.types import JOINT, Skeleton


def close_up(tall: float = 900, x: float = 240, y: float = 1000) -> Skeleton:
    return head_and_shoulders(person(x, tall, y))


@pytest.mark.parametrize("tall", [60.0, 300.0, 1500.0])
def test_their_height_is_told_by_what_is_seen(tall: float) -> None:
    whole = person(240, tall)
    assert height_of(whole) == pytest.approx(tall, rel=0.01)
    assert height_of(head_and_shoulders(whole)) == pytest.approx(tall, rel=0.05)
    assert height_of(Skeleton(np.zeros((25, 3), np.float32))) == 0


def filmed(people: list[list[Skeleton]]) -> list[bool]:
    """In which frames the tracker sees the person."""
    frames = [painted(wall(), [(p, RED) for p in here], i) for i, here in enumerate(people)]
    return [seen.skeleton is not None for seen in run(frames, Script(people))]


def test_they_are_followed() -> None:
    swaying = [[close_up(x=240 + 10 * np.sin(t / 4))] for t in range(30)]
    assert all(filmed(swaying))


def test_who_comes_close_is_followed_on() -> None:
    coming = [[person(240, 400, 460)]] * 10 + [[head_and_shoulders(person(240, 400, 460))]] * 20
    assert all(filmed(coming))


def test_who_was_away_for_long_is_found_again() -> None:
    away = [[close_up()]] * 5 + [[]] * 60 + [[close_up(x=300)]] * 10
    seen = filmed(away)
    assert not any(seen[5:65]) and any(seen[65:])


def test_a_passer_by_is_not_larger() -> None:
    close, far = close_up(), person(400, 60)
    assert choose([close, far], "largest") is close
    assert choose([far, close], "largest") is close


def test_a_spectator_before_the_camera_is_not_larger_than_the_dancer() -> None:
    dancer, spectator = person(200, 320, 340), close_up(800, 400, 1000)
    assert height_of(spectator) > height_of(dancer)
    assert choose([spectator, dancer], "largest") is dancer


def test_they_are_no_company_of_themselves() -> None:
    assert others([close_up()], close_up(x=241)) == []


def test_they_are_smoothed_as_others_are() -> None:
    rng = np.random.default_rng(0)

    def noisy(skeleton: Skeleton) -> Skeleton:
        body = skeleton.body.copy()
        body[:, :2] += rng.normal(size=(25, 2))
        return Skeleton(body)

    track = track_of([noisy(close_up()) for _ in range(100)], smooth=1.0)
    path = np.stack([s.body for s in track.skeletons])[
        :, head_and_shoulders(person(0)).body[:, 2] > 0
    ]
    assert np.abs(np.diff(path[..., :2], axis=0)).mean() < 0.3  # 1.1 of the noise
    assert (path[..., 2] == 1).all()  # nothing was taken for a spike


def test_live_they_dance() -> None:
    motion = LiveMotion(close_up(), (WIDTH, HEIGHT))
    assert [motion.step(close_up(x=240 + t), t / 25) is not None for t in range(5)] == [True] * 5


def test_legs_that_nobody_saw_stand_whatever_the_extractor_supposes() -> None:
    rng, clip = np.random.default_rng(0), []
    for _ in range(40):
        world = np.full((25, 3), np.nan, np.float32)
        world[8:15] = rng.normal(0, 0.3, (7, 3))  # hips, knees and ankles
        clip.append(replace(close_up(), world=world))
    danced = retarget(track_of(clip), person(240, 200), (WIDTH, HEIGHT))
    for side in ("right", "left"):
        for above, below in (("hip", "knee"), ("knee", "ankle")):
            bone = xy(danced, f"{side}_{below}") - xy(danced, f"{side}_{above}")
            assert (bone[:, 1] > 0.95 * np.linalg.norm(bone, axis=1)).all()


def test_feet_that_nobody_saw_stay_where_they_stand() -> None:
    """The trunk breathes, nods and sways; the feet are not carried along."""
    time = np.arange(100) / 25
    sway, nod = 12 * np.sin(4 * time), 10 * np.sin(7 * time)
    clip = [close_up(x=240 + dx, y=1000 + dy) for dx, dy in zip(sway, nod, strict=True)]
    danced = retarget(track_of(clip), person(240, 200), (WIDTH, HEIGHT))
    hips = xy(danced, "mid_hip")[20:80].std(0)
    feet = (xy(danced, "left_ankle") + xy(danced, "right_ankle"))[20:80].std(0) / 2
    assert (hips > 1).all() and (feet < 0.4 * hips).all()


@pytest.mark.parametrize("degrees", [0.0, 90.0, 170.0, 180.0])
def test_knees_stay_under_hips_whatever_the_extractor_supposes(degrees: float) -> None:
    """The hips are seen, so that a guess of the thighs would be believed."""
    turn, whole, clip = np.radians(degrees), person(240, 300), []
    world = np.full((25, 3), np.nan, np.float32)
    for side, sign in (("right", -1), ("left", 1)):
        hip = np.array([0.1 * sign, 0, 0])
        knee = hip + 0.4 * np.array([np.sin(turn), np.cos(turn), 0])
        for name, place in (("hip", hip), ("knee", knee), ("ankle", knee + np.array([0, 0.4, 0]))):
            world[JOINT[f"{side}_{name}"]] = place
    body = head_and_shoulders(whole).body.copy()
    for name in ("mid_hip", "right_hip", "left_hip"):
        body[JOINT[name], 2] = 1
    for nod in 8 * np.sin(np.arange(60) / 3):
        clip.append(Skeleton(body, world=world).moved(1, 0, nod))
    danced = retarget(track_of(clip), whole, (WIDTH, HEIGHT))
    for name in ("right_knee", "left_ankle"):
        below = xy(danced, name)[:, 1] - xy(danced, "mid_hip")[:, 1]
        assert (below > 40).all() and (below < 220).all()


def test_legs_that_are_shown_at_last_dance() -> None:
    kicks = [person(240, 300).body.copy() for _ in range(1000)]
    for t, body in enumerate(kicks):
        body[[JOINT["left_ankle"], JOINT["left_heel"]], 0] += 40 * np.sin(t / 3)
    clip = [Skeleton(body) if t > 960 else head_and_shoulders(Skeleton(body))
            for t, body in enumerate(kicks)]  # fmt: skip
    danced = retarget(track_of(clip), person(240, 300), (WIDTH, HEIGHT))[970:]
    away = xy(danced, "left_ankle")[:, 0] - xy(danced, "left_knee")[:, 0]
    assert np.ptp(away) > 50  # 80 of the dancer


def test_an_output_of_another_shape_keeps_the_hair() -> None:
    portrait = close_up(700, 450, 900)
    tall, box = standing_height([portrait]), portrait.box()
    assert box is not None
    view = shown(place_within((900, 1000), (1280, 400), [portrait]), (1280, 400))
    assert view.top <= box.top - 0.9 * OVER_HEAD * tall
