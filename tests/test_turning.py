"""A photo's pose, looked at in turned copies: one look trembles, the mean of several less."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from dance_mediapipe.pose import MediaPipePose
from mediapipe_media import DEMO, stills
from motion_puppet import bones, puppet

from dancecli.errors import PluginError
from dancecli.motion.body import height_of
from dancecli.stages import Settings
from dancecli.steps.turning import steadied
from dancecli.types import JOINT, Box, Frame, Skeleton, Source

TRUTH = puppet(bones(350), foot=(200, 430))
TRUTH.body[JOINT["left_wrist"], 2] = 0.05
LEFT = [JOINT[f"left_{j}"] for j in ("shoulder", "elbow", "hip", "knee", "ankle")]
RIGHT = [JOINT[f"right_{j}"] for j in ("shoulder", "elbow", "hip", "knee", "ankle")]


@pytest.fixture(scope="module")
def photo() -> Frame:
    """A dot at every joint, which tells by its colour whose it is."""
    rgb = np.zeros((450, 400, 3), np.uint8)
    for joint, (x, y) in enumerate(TRUTH.body[:, :2].round().astype(int).tolist()):
        cv2.circle(rgb, (x, y), 4, (10 * joint, 200, 0), -1)
    return Frame(rgb)


def read(frame: Frame) -> Skeleton:
    body = TRUTH.body.copy()
    ys, xs = np.nonzero(frame.rgb[..., 1] > 192)
    joints = np.rint(frame.rgb[ys, xs, 0] / 10)
    for joint in range(25):
        mine = joints == joint
        if mine.any():
            body[joint, :2] = np.median(xs[mine]), np.median(ys[mine])
    return Skeleton(body)


class Extractor:
    """Reads the dots, and then errs as `wrong` says."""

    def __init__(self, wrong: Callable[[Frame, Skeleton], Skeleton]) -> None:
        self.wrong = wrong

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        return [self.wrong(frame, read(frame))]


def tremble(frame: Frame, skeleton: Skeleton) -> Skeleton:
    noise = np.random.default_rng(zlib.crc32(frame.rgb.tobytes())).normal(0, 2.5, (25, 2))
    skeleton.body[:, :2] += noise
    return skeleton


def off(skeleton: Skeleton) -> np.ndarray:
    return np.hypot(*(skeleton.body - TRUTH.body)[:, :2].T)


def test_what_trembles_from_look_to_look_trembles_less(photo: Frame) -> None:
    before, after = [], []
    for level in range(12):
        picture = replace(photo, rgb=photo.rgb + np.uint8(level % 3) * (photo.rgb == 0))
        picture.rgb[0, 0] = level
        extractor = Extractor(tremble)
        found = extractor.extract(picture)[0]
        before.append(off(found))
        after.append(off(steadied(picture, found, extractor)))
    seen = TRUTH.body[:, 2] > 0.5
    assert np.mean(np.array(after)[:, seen]) < 0.65 * np.mean(np.array(before)[:, seen])


def test_a_point_that_one_look_misplaces_is_put_right(photo: Frame) -> None:
    elbow = JOINT["right_elbow"]

    def slipped(frame: Frame, skeleton: Skeleton) -> Skeleton:
        if frame is photo:
            skeleton.body[elbow, :2] += (30, 5)
        return skeleton

    extractor = Extractor(slipped)
    found = extractor.extract(photo)[0]
    assert off(found)[elbow] > 25
    assert off(steadied(photo, found, extractor))[elbow] < 3


def test_confidences_and_guesses_stay(photo: Frame) -> None:
    extractor = Extractor(tremble)
    found = extractor.extract(photo)[0]
    made = steadied(photo, found, extractor)
    np.testing.assert_array_equal(made.points()[:, 2], found.points()[:, 2])
    unseen = found.points()[:, 2] < 0.3
    assert unseen[JOINT["left_wrist"]]
    np.testing.assert_array_equal(made.points()[unseen], found.points()[unseen])


def test_an_extractor_that_does_not_look_at_the_picture_is_not_averaged(photo: Frame) -> None:
    """As one that reads what somebody stored: turned back, its points would move."""
    found = read(photo)

    class Stored:
        def extract(self, _: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
            return [found]

    np.testing.assert_allclose(steadied(photo, found, Stored()).points(), found.points(), atol=1e-3)


def test_copies_in_which_left_is_taken_for_right_do_not_count(photo: Frame) -> None:
    def swapped(frame: Frame, skeleton: Skeleton) -> Skeleton:
        if frame is not photo:
            skeleton.body[LEFT + RIGHT] = skeleton.body[RIGHT + LEFT]
        return skeleton

    extractor = Extractor(swapped)
    found = extractor.extract(photo)[0]
    np.testing.assert_allclose(
        steadied(photo, found, extractor).points(), found.points(), atol=1e-3
    )


def test_depth_is_turned_back_before_it_is_averaged(photo: Frame) -> None:
    metres = ((TRUTH.body - TRUTH.body[JOINT["mid_hip"]]) * (0.0048, 0.0048, 0)).astype(np.float32)

    def deep(frame: Frame, skeleton: Skeleton) -> Skeleton:
        hips = skeleton.body[JOINT["mid_hip"]]
        world = (skeleton.body - hips) * (0.0048, 0.0048, 0)
        return replace(skeleton, world=world.astype(np.float32))

    extractor = Extractor(deep)
    found = extractor.extract(photo)[0]
    made = steadied(photo, found, extractor).world
    assert made is not None
    seen = TRUTH.body[:, 2] > 0.5
    assert np.abs(made - metres)[seen].max() < 0.01


def test_a_look_that_misses_a_joint_counts_for_the_others(photo: Frame) -> None:
    elbow = JOINT["right_elbow"]

    def blinking(frame: Frame, skeleton: Skeleton) -> Skeleton:
        if frame is not photo:
            skeleton.body[JOINT["right_wrist"]] = 0
        return slipped(skeleton) if frame is photo else skeleton

    def slipped(skeleton: Skeleton) -> Skeleton:
        skeleton.body[elbow, :2] += (30, 5)
        return skeleton

    extractor = Extractor(blinking)
    found = extractor.extract(photo)[0]
    made = steadied(photo, found, extractor)
    assert off(made)[elbow] < 3 < off(found)[elbow]
    assert off(made)[JOINT["right_wrist"]] < 3


def test_an_extractor_that_cannot_read_turned_copies_has_read_the_photo(photo: Frame) -> None:
    class Upright:
        def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
            if frame is not photo:
                raise PluginError("cannot")
            return [read(frame)]

    found = read(photo)
    np.testing.assert_array_equal(steadied(photo, found, Upright()).points(), found.points())


def test_copies_are_not_taken_for_pictures_of_a_file(photo: Frame) -> None:
    """So that readers of stored poses do not answer for them with the photo's."""
    sources = []

    class Asked(Extractor):
        def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
            sources.append(frame.source)
            return super().extract(frame, boxes)

    of_a_file = replace(photo, source=Source(Path("photo.png"), None, 400, 450))
    steadied(of_a_file, read(photo), Asked(tremble))
    assert len(sources) == 4 and set(sources) == {None}


def test_a_photo_of_another_size_gives_nearly_the_same_pose() -> None:
    pose, before, after = MediaPipePose(Settings()), [], []
    for photo in stills(DEMO / "dance.mp4", 3):
        size = round(photo.width * 0.83), round(photo.height * 0.83)
        smaller = replace(photo, rgb=cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA))
        plain = [pose.extract(p)[0] for p in (photo, smaller)]
        before.append(apart(*plain))
        after.append(
            apart(*(steadied(p, s, pose) for p, s in zip((photo, smaller), plain, strict=True)))
        )
    assert np.mean(after) < 0.8 * np.mean(before)


def apart(one: Skeleton, smaller: Skeleton) -> float:
    """Mean distance of the seen joints in heights."""
    seen = one.body[:, 2] > 0.5
    off = (one.body - smaller.moved(1 / 0.83, 0, 0).body)[seen, :2]
    return float(np.hypot(*off.T).mean()) / height_of(one)
