"""A photo of several people: the one who dances leaves, the others stay."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dancecli.job import Job
from dancecli.media import read_photo
from dancecli.plate import WIDE, person_hole
from dancecli.steps.background import empty_photo
from dancecli.steps.photo import bystanders, understand
from dancecli.steps.stages import Stages
from dancecli.types import Frame
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
