"""Legs that cross in the photo, as in a walk, come apart whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from test_warp_pose import coloured
from warp_people import HEIGHT, WIDTH, bent, photo_of, standing, with_world

from dancecli import warp
from dancecli.labels import Label
from dancecli.types import LabelMap, Skeleton, Target
from dancecli.warp.anatomy import photo_figure
from dancecli.warp.crossing import crossings
from dancecli.warp.hiding import limb_radii
from dancecli.warp.layers import LEFT_LEG, NOBODY, RIGHT_LEG
from dancecli.warp.missing import chain_of
from dancecli.warp.picture import picture_of

LEGS = {"left": Label.LEFT_LEG, "right": Label.RIGHT_LEG}


def walker(front: str = "left") -> Skeleton:
    near = {f"{front}_knee": 0.15, f"{front}_ankle": 0.15}
    return with_world(bent(standing(), left_knee=13, right_knee=-13), **near)


def in_trousers() -> Target:
    """The left leg is drawn before the right one, and no label tells them apart."""
    target = photo_of(walker())
    labels = target.labels.labels.copy()
    labels[np.isin(labels, list(LEGS.values()))] = Label.PANTS
    return replace(target, labels=LabelMap(labels))


@pytest.mark.parametrize("front", ["left", "right"])
def test_the_nearer_leg_is_in_front_where_they_cross(front: str) -> None:
    ((place, side),) = crossings(photo_figure(walker(front), WIDTH, HEIGHT))
    assert side == front
    hips, knees = (walker().joint(f"left_{joint}")[1] for joint in ("hip", "knee"))
    assert hips < place[1] and abs(place[1] - knees) < 0.15 * HEIGHT


def test_legs_side_by_side_or_of_unknown_depth_do_not_cross() -> None:
    assert crossings(photo_figure(standing(), WIDTH, HEIGHT)) == []
    assert crossings(photo_figure(replace(walker(), world=None), WIDTH, HEIGHT)) == []


def test_the_leg_in_front_is_whole_and_all_its_own() -> None:
    skeleton = standing()
    warped = warp.cut(in_trousers()).pose(skeleton, HEIGHT, WIDTH)
    joints = [skeleton.joint(f"left_{joint}") for joint in ("hip", "knee", "ankle")]
    bone = [a + t * (b - a) for a, b in pairwise(joints) for t in np.linspace(0.35, 0.9, 40)]
    columns, rows = np.array(bone).astype(int).T
    assert warped.alpha[rows, columns].min() > 0.9
    assert coloured(warped, Label.LEFT_LEG)[rows, columns].mean() > 0.95


def test_neither_leg_has_a_hole_or_hangs_by_a_corner() -> None:
    skeleton = standing()
    crossed, apart = (
        warp.cut(target).pose(skeleton, HEIGHT, WIDTH)
        for target in (in_trousers(), photo_of(skeleton))
    )
    below = np.arange(HEIGHT)[:, None] > skeleton.joint("left_knee")[1] - 0.1 * HEIGHT
    legs = below & (apart.alpha > 0.95)
    assert (crossed.alpha[legs] < 0.5).mean() < 0.06


def test_the_leg_behind_goes_on_no_stouter_than_the_one_in_front() -> None:
    """What shows of it may be a flap of cloth beside its bones."""
    picture = picture_of(in_trousers())
    own = (picture.owner == RIGHT_LEG).astype(np.uint8)
    flap = (cv2.dilate(own, np.ones((31, 31), np.uint8)) > 0) & (picture.owner == NOBODY)
    flared = replace(picture, owner=np.where(flap, np.uint8(RIGHT_LEG), picture.owner))
    behind, front = (limb_radii(flared, p, chain_of(flared, p)) for p in (RIGHT_LEG, LEFT_LEG))
    assert (behind <= front).all()
    apart = replace(flared, figure=replace(flared.figure, has_depth=False))
    assert limb_radii(apart, RIGHT_LEG, chain_of(apart, RIGHT_LEG))[1] > 1.2 * front[1]
