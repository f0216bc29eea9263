"""Photos of people who lie, or that are upside down: said, and the dancer stays in view."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from motion_puppet import track_of, xy
from scripted_tracking import HEIGHT, WIDTH, person

from dancecli.motion import LiveMotion, retarget
from dancecli.motion.placing import is_upright
from dancecli.steps.photo import check_usable, say_if_not_upright
from dancecli.types import Skeleton


def turned(skeleton: Skeleton, degrees: float) -> Skeleton:
    """Turned about the middle of the picture."""
    body, angle = skeleton.body.copy(), np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array([WIDTH, HEIGHT]) / 2
    body[:, :2] = (body[:, :2] - middle) @ turn + middle
    return Skeleton(body)


@pytest.mark.parametrize(
    ("degrees", "upright"),
    [(0, True), (40, True), (-50, True), (75, False), (90, False), (-90, False), (180, False)],
)
def test_who_is_not_upright_is_said(
    caplog: pytest.LogCaptureFixture, degrees: float, upright: bool
) -> None:
    say_if_not_upright(turned(person(WIDTH / 2), degrees), Path("photo.jpg"))
    assert bool(caplog.records) != upright
    assert upright or "photo.jpg is not upright" in caplog.text
    assert upright or (len(caplog.records) == 1 and "turn the photo" in caplog.text)


@pytest.mark.parametrize("headless", [True, False])
def test_a_photo_without_the_head_is_said(caplog: pytest.LogCaptureFixture, headless: bool) -> None:
    skeleton = person(WIDTH / 2)
    body = skeleton.body.copy()
    body[[0, 15, 16, 17, 18], 2] *= not headless
    check_usable(replace(skeleton, body=body), Path("photo.jpg"))
    assert ("photo.jpg does not show the head" in caplog.text) == headless


def test_who_bends_or_hides_is_upright() -> None:
    """A level back over straight legs, and head and shoulders alone, are no lying person."""
    bent = person(WIDTH / 2)
    bent.body[1, :2] = bent.joint("mid_hip")[:2] + np.array([60, -5])
    assert is_upright(bent)
    hidden = turned(person(WIDTH / 2), 180)
    hidden.body[8:, 2] = 0
    assert is_upright(hidden)


@pytest.mark.parametrize("degrees", [90, 180])
def test_the_dancer_stays_in_view(caplog: pytest.LogCaptureFixture, degrees: float) -> None:
    caplog.set_level(logging.ERROR)
    target = turned(person(WIDTH / 2), degrees)
    clip = [person(WIDTH / 2 + t) for t in range(20)]
    danced = list(retarget(track_of(clip), target, (WIDTH, HEIGHT)))
    motion = LiveMotion(target, (WIDTH, HEIGHT))
    live = [motion.step(skeleton, t / 25) for t, skeleton in enumerate(clip)]
    for skeletons in (danced, [s for s in live if s is not None]):
        for name in ("nose", "neck"):
            y = xy(skeletons, name)[:, 1]
            assert len(y) and y.min() >= 0 and y.max() < HEIGHT
