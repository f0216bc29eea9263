"""A photo of several people: the one who dances leaves, the others stay."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dancecli.errors import NoPersonError
from dancecli.job import Job
from dancecli.media import read_photo
from dancecli.plate import WIDE, person_hole
from dancecli.steps.background import empty_photo
from dancecli.steps.photo import bystanders, understand
from dancecli.steps.stages import Stages
from dancecli.types import Frame, PersonMask, Skeleton
from dancecli.workdir import WorkDir


@pytest.fixture
def twins(demo_photo: Path, tmp_path: Path) -> Path:
    """The demo's person twice, so near each other that one's hole reaches the other."""
    rgb = read_photo(demo_photo).rgb[:, 280:500]
    path = tmp_path / "twins.png"
    cv2.imwrite(str(path), np.hstack([rgb, rgb])[..., ::-1])
    return path


def test_who_does_not_dance_stays_and_is_not_copied_from(
    twins: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(photo=twins, video=demo_video, out=tmp_path / "out.mp4", photo_person="left")
    stages, work = Stages(job), WorkDir(tmp_path / "work")
    target = understand(job, stages, work)
    others = bystanders(job, target, stages, work)
    assert others is not None
    holes = []
    fill = type(stages.inpaint).inpaint

    def noted(self: object, frame: Frame, hole: np.ndarray) -> Frame:
        holes.append(hole)
        return fill(self, frame, hole)

    monkeypatch.setattr(type(stages.inpaint), "inpaint", noted)
    empty, before = empty_photo(job, target, stages, work).rgb, target.frame.rgb
    own = person_hole(target.mask.alpha, WIDE) > 0
    assert (own & (others > 0.99)).sum() > 500
    assert np.array_equal(empty[others > 0.99], before[others > 0.99])
    assert (holes[0][others > 0.1] > 0).all()
    away = ~own & (others < 0.01)
    assert np.array_equal(empty[away], before[away])


def test_a_person_alone_has_no_bystanders(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    job = Job(photo=demo_photo, video=demo_video, out=tmp_path / "out.mp4")
    stages, work = Stages(job), WorkDir(tmp_path / "work")
    target = understand(job, stages, work)
    assert bystanders(job, target, stages, work) is None


def two_people(demo_photo: Path, path: Path, size: float) -> int:
    """The demo's person, and beside them the same `size` times as large; the x between them."""
    large = read_photo(demo_photo).rgb[:, 220:560]
    small = cv2.resize(large, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    small = np.pad(small, ((large.shape[0] - small.shape[0], 0), (0, 0), (0, 0)), mode="edge")
    cv2.imwrite(str(path), np.hstack([large, small])[..., ::-1])
    return int(large.shape[1])


@pytest.mark.parametrize(
    ("who", "size", "raises", "dancer"),
    [
        ("largest", 0.8, False, "small"), ("left", 0.8, False, "large"),
        ("largest", 0.4, False, "large"), ("largest", 0.8, True, "small"),
    ],
)  # fmt: skip
def test_instead_of_a_largest_person_who_cannot_be_cut_out_the_next_one_dances(
    demo_photo: Path,
    demo_video: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    who: str,
    size: float,
    raises: bool,
    dancer: str,
) -> None:
    path = tmp_path / "two.png"
    between = two_people(demo_photo, path, size)
    job = Job(photo=path, video=demo_video, out=tmp_path / "out.mp4", photo_person=who)
    stages = Stages(job)
    mask = type(stages.mask).mask

    def fails_on_the_left(self: object, frame: Frame, skeleton: Skeleton) -> PersonMask:
        alpha, (x, y) = mask(self, frame, skeleton).alpha.copy(), skeleton.joint("neck")
        if x < between and raises:
            raise NoPersonError("nobody is there")
        if x < between:
            alpha[int(y) :] = 0
        return PersonMask(alpha)

    monkeypatch.setattr(type(stages.mask), "mask", fails_on_the_left)
    target = understand(job, stages, WorkDir(tmp_path / "work"))
    assert (target.skeleton.joint("neck")[0] < between) == (dancer == "large")
    said = "it is the next one" if dancer == "small" else "expect a torn one"
    assert [said in record.getMessage() for record in caplog.records] == [True]
