"""The tracker on painted clips with a scripted extractor, and once on a real one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from scripted_tracking import BLUE, GREEN, HEIGHT, RED, WIDTH, Script, painted, person, run, wall

from dancecli.errors import CacheError, MediaError, UsageError
from dancecli.motion import (
    Observation,
    Tracker,
    build_track,
    follow_in_pieces,
    left_to_right,
)
from dancecli.types import Frame, Skeleton


def middle(seen: Observation) -> float:
    assert seen.skeleton is not None
    return float(seen.skeleton.joint("mid_hip")[0])


@pytest.mark.parametrize(
    ("which", "x"), [("largest", 240), ("left", 90), ("right", 390), ("1", 90), ("3", 390)]
)
def test_person_chooses_among_the_people_of_the_first_frame_that_shows_any(which, x):
    people = [person(390, 180), person(240, 220), person(90, 190)]
    script = Script([[], people])
    frames = [painted(wall(), [(p, RED) for p in group], i) for i, group in
              enumerate(script.people)]  # fmt: skip
    seen = run(frames, script, which)
    assert seen[0].skeleton is None
    assert middle(seen[1]) == pytest.approx(x, abs=1)
    assert [s.joint("mid_hip")[0] for s in left_to_right(people)] == sorted(
        s.joint("mid_hip")[0] for s in people
    )


def test_a_person_who_is_not_there_is_refused_with_the_numbers_that_are():
    script = Script([[person(100), person(300)]])
    with pytest.raises(UsageError, match="1-2"):
        run([painted(wall(), [(p, RED) for p in script.people[0]])], script, "3")


@pytest.mark.parametrize("which", ["nearest", "0", "-1", "", "1.5"])
def test_unknown_words_for_a_person_are_refused(which):
    with pytest.raises(UsageError, match="largest"):
        Tracker(Script([]), which)


def crossing(frames: int = 50) -> tuple[list[Frame], list[list[Skeleton]]]:
    """Red walks right, green left; in the middle green hides red."""
    clip, script = [], []
    for t in range(frames):
        red, green = person(100 + 6 * t), person(400 - 6 * t)
        hidden = abs(red.joint("neck")[0] - green.joint("neck")[0]) < 40
        script.append([green] if hidden else [red, green])
        clip.append(painted(wall(), [(red, RED), (green, GREEN)], t))
    return clip, script


def test_people_who_cross_are_not_exchanged():
    frames, people = crossing()
    seen = run(frames, Script(people), "left")
    for t, observation in enumerate(seen):
        assert observation.skeleton is None or abs(middle(observation) - (100 + 6 * t)) < 1
    hidden = [t for t, here in enumerate(people) if len(here) == 1]
    assert all(seen[t].skeleton is None for t in hidden)
    assert seen[-1].skeleton is not None


def test_a_followed_person_is_searched_only_where_they_are():
    people = [[person(150 + 3 * t), person(400)] for t in range(20)]
    frames = [painted(wall(), [(a, RED), (b, BLUE)], t) for t, (a, b) in enumerate(people)]
    script = Script(people)
    seen = run(frames, script, "left")
    assert script.whole == [0]
    assert [middle(s) for s in seen] == pytest.approx([150 + 3 * t for t in range(20)], abs=1)


def test_a_person_who_vanishes_leaves_a_gap_and_is_found_again():
    people = [[person(150), person(400)] if not 5 <= t < 30 else [person(400)]
              for t in range(40)]  # fmt: skip
    frames = [painted(wall(), [(p, RED if p.joint("neck")[0] < 200 else BLUE) for p in here], t)
              for t, here in enumerate(people)]  # fmt: skip
    seen = run(frames, Script(people), "left")
    assert all(s.skeleton is None for s in seen[5:30])
    assert all(s.skeleton is not None and middle(s) < 200 for s in (*seen[:5], *seen[34:]))


@pytest.mark.parametrize("stop", [1, 7, 23, 30])
def test_a_restored_tracker_goes_on_with_the_same_bits(stop):
    frames, people = crossing(40)
    whole = run(frames, Script(people), "left")
    stored = [Observation.from_json(o.to_json()) for o in whole[:stop]]
    tracker = Tracker(Script(people), "left")
    tracker.restore(stored, frames[stop - 1])
    rest = [tracker.step(frame) for frame in frames[stop:]]
    assert [o.to_json() for o in rest] == [o.to_json() for o in whole[stop:]]


def test_restoring_nothing_is_a_new_tracker():
    frames, people = crossing(5)
    tracker = Tracker(Script(people), "left")
    tracker.step(frames[3])
    tracker.restore([], None)
    again = [tracker.step(f).to_json() for f in frames]
    assert again == [o.to_json() for o in run(frames, Script(people), "left")]


def panned(t: int, shift: float) -> np.ndarray:
    affine = np.array([[1, 0, -shift * t], [0, 1, 0]], np.float64)
    return cv2.warpAffine(cv2.GaussianBlur(wall(), (0, 0), 1.5), affine, (900, 900))


@pytest.mark.parametrize("shift", [0.4, 3.0, 9.0])
def test_a_pan_is_measured_beside_a_moving_person(shift):
    people = [[person(200 + 4 * t)] for t in range(12)]
    frames = [painted(panned(t, shift), [(people[t][0], RED)], t) for t in range(12)]
    seen = run(frames, Script(people))
    moves = np.array([s.camera[0, 2] for s in seen[1:]])
    assert moves.mean() == pytest.approx(-shift, abs=0.03 + 0.02 * shift)
    assert not any(s.cut for s in seen)


def area_panned(t: int, shift: float) -> np.ndarray:
    """As a camera averages over its pixels: finer than a pixel moves."""
    wide = cv2.resize(wall(), (1800, 1800), interpolation=cv2.INTER_CUBIC)
    moved = cv2.warpAffine(wide, np.array([[1, 0, -2 * shift * t - 40.0], [0, 1, -20]]), (960, 720))
    noise = np.random.default_rng(t).normal(0, 1.5, (360, 480, 3))
    small = cv2.resize(moved, (480, 360), interpolation=cv2.INTER_AREA)
    return np.clip(small + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [0.04, 0.15, 0.3])
def test_a_slow_pan_adds_up_to_its_way(shift):
    frames = [Frame(area_panned(t, shift), t, t / 60) for t in range(96)]
    seen = itertools.chain(*follow_in_pieces(Tracker(Script([[]] * 96)), frames, [], 1))
    way = sum(float(s.camera[0, 2]) for s in seen)
    assert way == pytest.approx(-shift * 95, abs=0.15 + 0.04 * shift * 95)


def test_a_fixed_camera_is_exactly_fixed_whoever_moves():
    rng = np.random.default_rng(0)
    people = [[person(100 + 5 * t), person(350, 250)] for t in range(15)]
    frames = []
    for t, (walker, near) in enumerate(people):
        frame = painted(wall(), [(walker, RED), (near, BLUE)], t)
        noise = rng.normal(0, 3, frame.rgb.shape)
        frames.append(Frame(np.clip(frame.rgb + noise, 0, 255).astype(np.uint8), t, t / 25))
    seen = run(frames, Script(people), "left")
    assert all(np.array_equal(s.camera, np.eye(2, 3)) for s in seen)


def test_a_bare_wall_gives_no_camera_motion():
    bare = np.full((900, 900, 3), 180, np.uint8)
    people = [[person(100 + 8 * t)] for t in range(10)]
    frames = [painted(bare, [(people[t][0], RED)], t) for t in range(10)]
    seen = run(frames, Script(people))
    assert all(np.array_equal(s.camera, np.eye(2, 3)) for s in seen)
    assert not any(s.cut for s in seen)


def test_a_cut_is_seen_and_the_same_clothes_are_followed():
    people = [[person(100), person(350)]] * 5 + [[person(380), person(120, 250)]] * 5
    colours = [(RED, BLUE)] * 5 + [(RED, BLUE)] * 5
    frames = [
        painted(wall(0 if t < 5 else 1), list(zip(people[t], colours[t], strict=True)), t)
        for t in range(10)
    ]
    seen = run(frames, Script(people), "left")
    assert [s.cut for s in seen] == [False] * 5 + [True] + [False] * 4
    assert np.array_equal(seen[5].camera, np.eye(2, 3))
    assert [middle(s) for s in seen] == pytest.approx([100] * 5 + [380] * 5, abs=1)


def test_a_preview_s_frames_of_one_room_are_one_scene_and_of_another_are_two():
    """Half a second apart, the camera looks elsewhere in a room of the same colours."""
    here = wall()[:HEIGHT, :WIDTH]
    room = [Frame(side, t, t / 2) for t, side in enumerate((here, here[::-1, ::-1].copy()))]
    dark = Frame(room[1].rgb // 3, 1, 0.5)
    assert [s.cut for s in run(room, Script([[]] * 2))] == [False, False]
    assert [s.cut for s in run([room[0], dark], Script([[]] * 2))] == [False, True]
    near = [replace(frame, time=frame.index / 25) for frame in room]
    assert [s.cut for s in run(near, Script([[]] * 2))] == [False, True]


def test_frames_of_another_size_are_refused():
    tracker = Tracker(Script([[person(100)]]), "largest", (WIDTH + 2, HEIGHT))
    with pytest.raises(MediaError, match="482x360"):
        tracker.step(painted(wall(), []))


def test_observations_survive_disk_bit_by_bit():
    rng = np.random.default_rng(0)
    body = rng.normal(0, 1e3, (25, 3)).astype(np.float32)
    world = rng.normal(0, 1, (25, 3)).astype(np.float32)
    world[3] = np.nan
    seen = Observation(
        Skeleton(body, world=world), rng.normal(0, 1, (2, 3)), True,
        rng.random(128).astype(np.float32),
    )  # fmt: skip
    again = Observation.from_json(seen.to_json())
    assert again.skeleton is not None and again.skeleton.world is not None
    assert again.skeleton.points().tobytes() == seen.skeleton.points().tobytes()
    assert again.skeleton.world.tobytes() == world.tobytes()
    assert again.camera.tobytes() == seen.camera.tobytes() and again.cut
    assert again.appearance.tobytes() == seen.appearance.tobytes()
    empty = Observation.from_json(Observation().to_json())
    assert empty.skeleton is None and len(empty.appearance) == 0


@pytest.mark.parametrize(
    "damage",
    [{"camera": ["0x1p+0"]}, {"skeleton": {"body": "AAAA"}}, {"skeleton": {"legs": ""}},
     {"appearance": "?"}, {"camera": None}, {"skeleton": 3}],
)  # fmt: skip
def test_a_damaged_observation_is_a_cache_error(damage):
    with pytest.raises(CacheError):
        Observation.from_json({**Observation().to_json(), **damage})


def test_the_dancer_of_the_demo_video_is_followed():
    av = pytest.importorskip("av")
    pose = pytest.importorskip("dance_mediapipe.pose")
    from dancecli.stages import Settings

    path = Path(__file__).parents[1] / "docs" / "media" / "dance.mp4"
    frames = []
    with av.open(str(path)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index == 12:
                break
            frames.append(Frame(picture.to_ndarray(format="rgb24"), index, index / 30))
    tracker = Tracker(pose.MediaPipePose(Settings()))
    seen = [tracker.step(frame) for frame in frames]
    assert all(s.skeleton is not None and not s.cut for s in seen)
    assert all(np.array_equal(s.camera, np.eye(2, 3)) for s in seen)
    track = build_track(seen, Fraction(30), (frames[0].width, frames[0].height))
    assert track.summary()["seen"] == 12
    steps = np.diff([s.joint("mid_hip") for s in track.skeletons], axis=0)
    assert np.abs(steps).max() < 0.05 * frames[0].height


def test_a_camera_whose_motion_is_not_found_does_not_jump_back():
    dot = 90 + 150 * np.exp(-(np.hypot(*np.mgrid[-4:5, -4:5]) ** 2)[..., None] / 6)

    def dotted(shift, shown):
        rgb = np.full((270, 360, 3), 90, np.uint8)
        for k in shown:
            x, y = 25 + 70 * (k // 5) + shift, 20 + 52 * (k % 5)
            rgb[y - 4 : y + 5, x - 4 : x + 5] = dot
        return rgb

    pan = [dotted(0, range(25)), dotted(3, range(25)), dotted(4, range(0, 22, 2))]
    frames = [Frame(rgb, index, index / 25) for index, rgb in enumerate(pan)]
    last = run(frames, Script([[]] * 3))[-1]
    assert last.camera[0, 2] > -0.5  # the truth is 1


def test_who_comes_nearer_while_the_camera_zooms_in_is_followed():
    """Larger by more than `SIZE_CHANGE`, but the camera's share is no growth."""
    zoom, room = 1.15, cv2.GaussianBlur(wall(), (0, 0), 1.5)
    about = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 0, zoom)
    people = [[person(240, 120, 240)], [person(240, 120 * zoom * 1.45, 276)]]
    frames = [
        painted(picture, [(here, RED)], t)
        for t, (picture, [here]) in enumerate(
            zip((room, cv2.warpAffine(room, about, (900, 900))), people, strict=True)
        )
    ]
    _, seen = run(frames, Script(people))
    assert not seen.cut and seen.camera[0, 0] == pytest.approx(zoom, abs=0.02)
    assert seen.skeleton is not None
