"""MediaPipe as person masker, on real pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dance_mediapipe.mask import MediaPipeMasker, skeleton_region
from dance_mediapipe.pose import MediaPipePose
from mediapipe_media import DEMO, media, picture, side_by_side, stills

from dancecli.stages import PersonMasker, Settings
from dancecli.types import BODY_25, Box, FloatArray, Frame, Skeleton

POSE, MASKER = MediaPipePose(Settings()), MediaPipeMasker(Settings())
INNER = [n for n in BODY_25 if not n.endswith(("toe", "heel", "ear", "wrist", "eye", "nose"))]


def alpha_of(frame: Frame, skeleton: Skeleton) -> FloatArray:
    return MASKER.mask(frame, skeleton).alpha


def at_joints(alpha: FloatArray, skeleton: Skeleton) -> FloatArray:
    """Alpha under the seen joints that lie well inside the body."""
    joints = [skeleton.joint(n) for n in INNER if skeleton.seen(n)]
    columns, rows = np.floor(joints).astype(int).T
    return alpha[rows, columns]


def overlap(one: FloatArray, other: FloatArray) -> float:
    a, b = one > 0.5, other > 0.5
    return float((a & b).sum() / (a | b).sum())


def test_a_close_up_is_cut_out_down_to_the_pictures_edge() -> None:
    photo = picture(DEMO / "photo.jpg")
    whole = alpha_of(photo, *POSE.extract(photo))[60:340, 240:530]
    close = Frame(np.ascontiguousarray(photo.rgb[60:340, 240:530]))
    assert overlap(alpha_of(close, *POSE.extract(close)), whole) > 0.85


@pytest.mark.parametrize("hips", [(0, 0), (-1, -1), (1e5, 1e5), (np.nan, np.nan), (30, 5)])
def test_hips_that_nobody_sees_and_that_cannot_be_are_not_looked_for(
    hips: tuple[float, float],
) -> None:
    photo = picture(DEMO / "photo.jpg")
    close = Frame(np.ascontiguousarray(photo.rgb[60:340, 240:530]))
    (seen,) = POSE.extract(close)
    body = seen.body.copy()
    body[BODY_25.index("mid_hip")] = (*hips, 0)
    region = skeleton_region(replace(seen, body=body))
    box = seen.box()
    assert region is not None and box is not None
    assert (region.x, region.y) == pytest.approx(box.center)


PEOPLE = [
    "target_simple_man_park.jpg",
    "target_simple_man_white_tee.jpg",
    "target_simple_woman_pink_gym.jpg",
    "target_challenging_man_deep_squat.jpg",
    "target_challenging_woman_seated_driftwood.jpg",
    "target_challenging_man_barbell_from_behind.jpg",
]


@pytest.fixture(scope="module")
def photo() -> Frame:
    return picture(DEMO / "photo.jpg")


@pytest.fixture(scope="module")
def person(photo: Frame) -> Skeleton:
    (skeleton,) = POSE.extract(photo)
    return skeleton


def test_keeps_the_interface(photo: Frame, person: Skeleton) -> None:
    alpha = alpha_of(photo, person)
    assert isinstance(MASKER, PersonMasker)
    assert alpha.shape == photo.rgb.shape[:2]
    assert alpha.dtype == np.float32
    assert alpha.min() == 0
    assert alpha.max() == 1


@pytest.mark.parametrize("name", ["photo.jpg", *PEOPLE])
def test_covers_the_body_and_nothing_far_from_it(name: str) -> None:
    frame = picture(DEMO / name if name == "photo.jpg" else media(name))
    (skeleton,) = POSE.extract(frame)
    alpha = alpha_of(frame, skeleton)
    assert at_joints(alpha, skeleton).min() > 0.9
    box = skeleton.box()
    assert box is not None
    margin = 0.15 * max(box.width, box.height)
    around = Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)
    left, top, right, bottom = around.pixels(frame.width, frame.height)
    outside = alpha.copy()
    outside[top:bottom, left:right] = 0
    assert outside.max() == 0
    assert 0.15 < alpha.sum() / (box.width * box.height) < 1.0


def test_is_hard_but_for_a_thin_edge(photo: Frame, person: Skeleton) -> None:
    alpha = alpha_of(photo, person)
    soft = (alpha > 0.02) & (alpha < 0.98)
    outline = np.abs(np.diff((alpha > 0.5).astype(int), axis=0)).sum()
    outline += np.abs(np.diff((alpha > 0.5).astype(int), axis=1)).sum()
    assert 0.5 * outline < soft.sum() < 4 * outline


def test_is_the_same_every_time_and_after_other_frames(photo: Frame, person: Skeleton) -> None:
    first = alpha_of(photo, person)
    for frame in stills(DEMO / "dance.mp4", 4)[:2]:
        alpha_of(frame, POSE.extract(frame)[0])
    assert np.array_equal(first, alpha_of(photo, person))


def test_leaves_out_a_second_person(photo: Frame, person: Skeleton) -> None:
    dancer = stills(DEMO / "dance.mp4", 4)[0]
    (other,) = POSE.extract(dancer)
    both = side_by_side(photo, dancer)
    beside = other.moved(1, photo.width, 0)
    mine, theirs = alpha_of(both, person), alpha_of(both, beside)
    assert at_joints(mine, beside).max() == 0
    assert at_joints(theirs, person).max() == 0
    assert overlap(mine[: photo.height, : photo.width], alpha_of(photo, person)) > 0.97
    assert overlap(theirs[: dancer.height, photo.width :], alpha_of(dancer, other)) > 0.97


def test_a_skeleton_read_otherwise_is_nobody_else(photo: Frame, person: Skeleton) -> None:
    """As a head too high: what the detector finds there is this person again, not somebody beside
    them whose part of the picture is not theirs."""
    misread = person.moved(1, 0, -120)
    assert overlap(alpha_of(photo, misread), alpha_of(photo, person)) > 0.7


def test_separates_people_who_walk_side_by_side() -> None:
    for frame in stills(media("drive_two_people_corridor_walk.mp4"), 5)[1:]:
        woman, man = sorted(POSE.extract(frame), key=lambda s: float(s.joint("neck")[0]))
        masks = [alpha_of(frame, woman), alpha_of(frame, man)]
        for mask, own, other in ((masks[0], woman, man), (masks[1], man, woman)):
            assert at_joints(mask, own).mean() > 0.8
            assert at_joints(mask, other).mean() < 0.1
        assert overlap(*masks) < 0.05


def test_grows_with_the_picture(photo: Frame, person: Skeleton) -> None:
    large = Frame(photo.rgb.repeat(2, 0).repeat(2, 1))
    alpha = alpha_of(large, person.moved(2, 0, 0))
    assert overlap(alpha[::2, ::2], alpha_of(photo, person)) > 0.97


def test_without_seen_joints_nobody_is_masked(photo: Frame) -> None:
    assert alpha_of(photo, Skeleton(np.zeros((25, 3), np.float32))).max() == 0


def test_a_skeleton_where_nobody_is_masks_next_to_nothing(person: Skeleton) -> None:
    empty = Frame(np.full((1024, 768, 3), 127, np.uint8))
    assert alpha_of(empty, person).mean() < 0.05


def test_a_skeleton_outside_the_frame_masks_nothing(photo: Frame, person: Skeleton) -> None:
    assert alpha_of(photo, person.moved(1, 9000, 0)).max() == 0
