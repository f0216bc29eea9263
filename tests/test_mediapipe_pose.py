"""MediaPipe as pose extractor, on real pictures."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from dance_mediapipe import people
from dance_mediapipe.people import Person
from dance_mediapipe.pose import MediaPipePose
from dance_mediapipe.regions import Region
from mediapipe_media import DEMO, media, mirror, noise, picture, side_by_side, stills

from dancecli.stages import PoseExtractor, Settings
from dancecli.types import BODY_25, JOINT, SEEN, Box, Frame, Skeleton

POSE = MediaPipePose(Settings())
PAIRS = [name[5:] for name in BODY_25 if name.startswith("left_")]


def only(frame: Frame) -> Skeleton:
    (skeleton,) = POSE.extract(frame)
    return skeleton


def equal(one: Skeleton, other: Skeleton) -> bool:
    return np.array_equal(one.points(), other.points()) and np.array_equal(one.world, other.world)


@pytest.fixture(scope="module")
def dancer() -> Skeleton:
    """The demo video's first frame: seen from the front, arms spread."""
    return only(stills(DEMO / "dance.mp4", 4)[0])


def test_keeps_the_interface(dancer: Skeleton) -> None:
    assert isinstance(POSE, PoseExtractor)
    assert dancer.body.shape == (25, 3)
    assert dancer.left_hand.shape == dancer.right_hand.shape == (21, 3)
    assert dancer.face.shape == (70, 3)
    assert dancer.world is not None
    assert dancer.world.shape == (25, 3)
    assert dancer.points().dtype == dancer.world.dtype == np.float32
    assert (dancer.points()[:, 2] >= 0).all()
    assert (dancer.points()[:, 2] <= 1).all()


def test_left_is_the_persons_left(dancer: Skeleton) -> None:
    for name in PAIRS:
        assert dancer.joint(f"left_{name}")[0] > dancer.joint(f"right_{name}")[0], name


@pytest.mark.parametrize("rows, people", [((60, 340), 1), ((100, 230), 0)])
def test_a_head_with_its_shoulders_is_somebody_and_a_face_alone_is_not(
    rows: tuple[int, int], people: int
) -> None:
    """The demo's photo cut off at the chest, and at the throat."""
    photo = picture(DEMO / "photo.jpg").rgb
    close = np.ascontiguousarray(photo[slice(*rows), 240:530])
    found = POSE.extract(Frame(close))
    assert len(found) == people
    for skeleton in found:
        assert skeleton.seen("nose", "left_shoulder", "right_shoulder")
        assert not skeleton.seen("left_elbow") and not skeleton.seen("mid_hip")
        assert skeleton.joint("mid_hip")[1] > len(close)  # guessed, for who looks for the mask


def test_joints_lie_in_the_order_of_a_body(dancer: Skeleton) -> None:
    chain = ("nose", "neck", "mid_hip", "left_knee", "left_ankle", "left_heel")
    heights = [dancer.joint(name)[1] for name in chain]
    assert heights == sorted(heights)
    middle = (dancer.joint("left_shoulder") + dancer.joint("right_shoulder")) / 2
    np.testing.assert_allclose(dancer.joint("neck"), middle, atol=0.01)


@pytest.mark.parametrize(("side", "outwards"), [("left", 1), ("right", -1)])
def test_small_toes_lie_outside(dancer: Skeleton, side: str, outwards: int) -> None:
    offset = dancer.joint(f"{side}_small_toe") - dancer.joint(f"{side}_big_toe")
    assert offset[0] * outwards > 0


def test_hands_grow_from_their_own_wrists(dancer: Skeleton) -> None:
    for side, hand in (("left", dancer.left_hand), ("right", dancer.right_hand)):
        forearm = np.linalg.norm(dancer.joint(f"{side}_elbow") - dancer.joint(f"{side}_wrist"))
        assert (hand[:, 2] >= SEEN).all()
        assert np.linalg.norm(hand[0, :2] - dancer.joint(f"{side}_wrist")) < 0.5 * forearm


def test_face_lies_about_the_nose(dancer: Skeleton) -> None:
    (left, top), (right, bottom) = dancer.face[:, :2].min(0), dancer.face[:, :2].max(0)
    x, y = dancer.joint("nose")
    assert left < x < right
    assert top < y < bottom


def test_world_is_metric_about_the_hips(dancer: Skeleton) -> None:
    world = dancer.world
    assert world is not None
    np.testing.assert_allclose(world[JOINT["mid_hip"]], 0, atol=1e-6)
    assert world[JOINT["nose"], 1] < 0 < world[JOINT["left_ankle"], 1], "y points down"
    assert world[JOINT["left_hip"], 0] > world[JOINT["right_hip"], 0], "x points right"
    ears = (world[JOINT["left_ear"]] + world[JOINT["right_ear"]]) / 2
    assert world[JOINT["nose"], 2] < ears[2], "z points away: the nose is nearer than the ears"
    assert 1.0 < world[JOINT["left_heel"], 1] - world[JOINT["nose"], 1] < 2.0


def test_a_frames_pose_does_not_depend_on_other_frames() -> None:
    frames = stills(DEMO / "dance.mp4", 4)
    forwards = [only(frame) for frame in frames]
    backwards = [only(frame) for frame in reversed(frames)][::-1]
    fresh = MediaPipePose(Settings()).extract(frames[2])
    assert all(equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert equal(fresh[0], forwards[2])


def test_threads_do_not_disturb_each_other() -> None:
    frames = stills(DEMO / "dance.mp4", 4)
    alone = [only(frame) for frame in frames]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(only, frames))
    assert all(equal(a, b) for a, b in zip(alone, together, strict=True))


def test_the_mirror_swaps_left_and_right() -> None:
    """Each result is the mean of a look and one at the mirror image; alone they lie 0.007 apart."""
    apart = []
    for frame in stills(DEMO / "dance.mp4", 4):
        one, other = only(frame), only(mirror(frame))
        size = one.box().height  # type: ignore[union-attr]
        for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            x, y = other.joint(f"right_{name}")
            there = np.array([frame.width - x, y])
            apart.append(np.linalg.norm(one.joint(f"left_{name}") - there) / size)
    assert max(apart) < 0.05 and np.median(apart) < 0.006


def test_looks_of_two_minds_are_not_averaged() -> None:
    size, marks, world = 100.0, np.zeros((33, 2), np.float32), np.zeros((33, 3), np.float32)
    other_marks, other_world = marks + 2, world + np.float32(0.02)
    other_marks[13], other_world[14, 2] = 20, 0.4  # an elbow elsewhere, one behind the body
    looks = [
        Person(m, np.ones(33, np.float32), w, Region(0, 0, size), np.zeros((8, 8), np.float32), 1)
        for m, w in ((marks, world), (other_marks, other_world))
    ]
    both = people.averaged(*looks)
    assert (both.marks[12] == 1).all() and (both.marks[13] == 0).all()
    np.testing.assert_allclose(both.world[12], 0.01)
    assert not both.world[13].any() and not both.world[14].any() and both.marks[14, 0] == 1
    assert 0 < both.moved < 0.1


def test_a_box_selects_a_person_whoever_is_larger() -> None:
    left, right = picture(DEMO / "photo.jpg"), stills(DEMO / "dance.mp4", 4)[0]
    both = side_by_side(left, right)
    people = POSE.extract(both)
    assert len(people) == 2
    sizes = [person.box() for person in people]
    assert sizes[0].height * sizes[0].width > sizes[1].height * sizes[1].width  # type: ignore
    boxes = [person.box() for person in reversed(people)]
    again = POSE.extract(both, [box.grown(1.2) for box in boxes if box])
    for person, chosen in zip(reversed(people), again, strict=True):
        size = person.box().height  # type: ignore[union-attr]
        assert np.abs(person.body[:15, :2] - chosen.body[:15, :2]).max() < 0.06 * size


def test_where_the_person_stands_does_not_matter() -> None:
    frame = stills(DEMO / "dance.mp4", 4)[0]
    moved = Frame(np.pad(frame.rgb, ((0, 0), (120, 0), (0, 0)), mode="edge"))
    here, there = only(frame), only(moved).moved(1, -120, 0)
    size = here.box().height  # type: ignore[union-attr]
    assert np.abs(here.body[:15, :2] - there.body[:15, :2]).max() < 0.03 * size


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_lying_and_upside_down_people_keep_their_sides(quarters: int) -> None:
    frame = stills(DEMO / "dance.mp4", 4)[0]
    upright, turned = only(frame), only(Frame(np.rot90(frame.rgb, quarters).copy()))
    # About the middle of the picture, a turn to the left takes (x, y) to (y, -x).
    angle = quarters * np.pi / 2
    left = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array([frame.width, frame.height]) / 2
    shown = middle if quarters == 2 else middle[::-1]
    points = (turned.body[:, :2] - shown) @ left + middle
    size = upright.box().height  # type: ignore[union-attr]
    assert np.abs(points[:15] - upright.body[:15, :2]).max() < 0.06 * size


def test_no_boxes_no_people_and_boxes_may_leave_the_frame() -> None:
    frame = stills(DEMO / "dance.mp4", 4)[0]
    assert POSE.extract(frame, []) == []
    assert POSE.extract(frame, [Box(5000, 5000, 5100, 5100), Box(10, 10, 10, 10)]) == []
    assert len(POSE.extract(frame, [Box(-200, -200, 700, 900)])) == 1


def test_joints_outside_the_picture_are_not_seen() -> None:
    frame, whole = picture(DEMO / "photo.jpg"), only(picture(DEMO / "photo.jpg"))
    knees = int((whole.joint("left_hip")[1] + whole.joint("left_knee")[1]) / 2)
    cut = only(Frame(np.ascontiguousarray(frame.rgb[:knees])))
    assert cut.seen("nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
    for side in ("left", "right"):
        for name in ("knee", "ankle", "heel", "big_toe", "small_toe"):
            assert not cut.seen(f"{side}_{name}")


def test_legs_below_the_picture_are_not_folded_into_it() -> None:
    """A person is looked for again in the box of what was seen of them, frame after frame."""
    photo = picture(DEMO / "photo.jpg")
    whole = only(photo)
    hips, knees = (float(whole.joint(name)[1]) for name in ("mid_hip", "right_knee"))
    cut = Frame(np.ascontiguousarray(photo.rgb[: round((hips + knees) / 2)]))
    seen = only(cut)
    for _ in range(3):
        box = seen.box()
        assert box is not None
        (seen,) = POSE.extract(cut, [box.clipped(cut.width, cut.height)])
        assert abs(seen.joint("mid_hip")[1] - hips) < 0.15 * (knees - hips)
        assert not seen.seen("right_knee") and not seen.seen("left_knee")


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (40, 30), (300, 400)])
def test_nobody_in_noise_or_in_a_flat_picture(size: tuple[int, int]) -> None:
    assert POSE.extract(noise(*size)) == []
    assert POSE.extract(Frame(np.full((*size, 3), 200, np.uint8))) == []


@pytest.mark.parametrize("name", ["background_room.jpg", "background_dinosaur_garden.jpg"])
def test_nobody_in_an_empty_scene(name: str) -> None:
    assert POSE.extract(picture(media(name))) == []


def test_two_people_side_by_side() -> None:
    for frame in stills(media("drive_two_people_corridor_walk.mp4"), 5):
        people = sorted(POSE.extract(frame), key=lambda s: float(s.joint("neck")[0]))
        assert len(people) == 2
        assert people[0].joint("left_shoulder")[0] < people[1].joint("right_shoulder")[0]


def test_a_person_from_behind_has_sides_but_no_face() -> None:
    for frame in stills(media("drive_two_people_gym.mp4"), 4):
        people = sorted(POSE.extract(frame), key=lambda s: float(s.joint("neck")[0]))
        assert len(people) >= 2
        woman = people[0]
        assert woman.joint("left_shoulder")[0] < woman.joint("right_shoulder")[0]
        assert not woman.face.any()
        assert not woman.seen("nose")


def test_sides_stay_right_through_turns() -> None:
    frames = stills(media("drive_single_rooftop_dance_audio.mp4"), 8)
    for frame in frames:
        one, other = only(frame), only(mirror(frame))
        size = one.box().height  # type: ignore[union-attr]
        for name in ("shoulder", "hip", "knee", "ankle"):
            x, y = other.joint(f"right_{name}")
            there = np.array([frame.width - x, y])
            assert np.linalg.norm(one.joint(f"left_{name}") - there) < 0.06 * size, name


SCRIPT = """
import numpy as np, PIL.Image, sys
from dance_mediapipe.pose import MediaPipePose
from dance_mediapipe.mask import MediaPipeMasker
from dancecli.stages import Settings
from dancecli.types import Frame
frame = Frame(np.asarray(PIL.Image.open(sys.argv[1]).convert("RGB")))
(person,) = MediaPipePose(Settings()).extract(frame)
MediaPipeMasker(Settings()).mask(frame, person)
print("what others say", file=sys.stderr)
"""


def test_nothing_but_our_own_words_on_stderr() -> None:
    command = [sys.executable, "-c", SCRIPT, str(DEMO / "photo.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == "what others say\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ("libGL.so.1: cannot open shared object file", "apt-get install libgl1 libglib2.0-0"),
        ("No module named 'cv2'", "pip install opencv-contrib-python"),
    ],
)
def test_a_missing_library_is_one_line_with_the_remedy(
    tmp_path: Path, missing: str, remedy: str
) -> None:
    (tmp_path / "cv2.py").write_text(f"raise ImportError({missing!r})\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import dance_mediapipe.pose"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("dancecli.errors.PluginError: ")
    assert missing in last
    assert remedy in last
