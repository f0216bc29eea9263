"""A head that is bowed: the chin comes to lie over the collar, which stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from test_warp_pose import coloured
from warp_people import COLOURS, HEIGHT, WIDTH, photo_of, standing

from dancecli import warp
from dancecli.labels import Label
from dancecli.types import JOINT, BoolArray, Frame, LabelMap, Skeleton
from dancecli.warp import Puppet
from dancecli.warp.anatomy import driven_figure
from dancecli.warp.picture import picture_of
from dancecli.warp.puppet import HeadPose
from dancecli.warp.stance import stance
from dancecli.warp.texture import face_piece, head_piece

NECK = 19
"""Pixels across the neck in the photo."""

COLLAR = 0.35
"""How high it ends between the neck's joint and the nose."""


def puppet() -> Puppet:
    """Of somebody in a high collar, whose face ends in a round chin, by its landmarks."""
    skeleton = standing()
    neck, nose = skeleton.joint("neck"), skeleton.joint("nose")
    turn = np.linspace(0, 2 * np.pi, 70, endpoint=False)
    rim = 0.045 * HEIGHT * np.stack([np.cos(turn), np.sin(turn)], 1) + nose
    face = np.c_[rim, np.ones(70)].astype(np.float32)
    target = photo_of(replace(skeleton, face=face))
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    collar = (labels == Label.FACE) & (np.arange(HEIGHT) > neck[1] - COLLAR * (neck - nose)[1])[
        :, None
    ]
    rgb[collar], labels[collar] = COLOURS[Label.UPPER_CLOTHES], Label.UPPER_CLOTHES
    return warp.cut(replace(target, frame=Frame(rgb), labels=LabelMap(labels)))


def lowered(pixels: float) -> Skeleton:
    """Standing, the head so much nearer to the neck."""
    body = standing().body.copy()
    head = [JOINT[name] for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]
    body[head, 1] += pixels
    return replace(standing(), body=body)


def skin(pixels: float) -> BoolArray:
    """Where face and neck show, (H, W)."""
    return coloured(puppet().pose(lowered(pixels), HEIGHT, WIDTH), Label.FACE)


def test_a_bowed_head_ends_in_its_chin_and_not_in_a_bar_of_neck() -> None:
    rows = skin(14).sum(1)
    last = int(np.flatnonzero(rows)[-1])
    assert rows[last] < 0.8 * NECK
    assert rows[last - 4] < 1.45 * NECK
    assert rows[last - 14] > 1.8 * NECK, "the cheeks are above"


def test_the_head_goes_down_with_the_dancers() -> None:
    crowns = [
        int(np.flatnonzero((puppet().pose(lowered(k), HEIGHT, WIDTH).alpha > 0.5).any(1))[0])
        for k in (0, 8)
    ]
    assert crowns[1] - crowns[0] >= 6


def test_an_upright_head_keeps_its_neck() -> None:
    shown = skin(0)
    column = shown[:, int(standing().joint("neck")[0])]
    rows = np.flatnonzero(column)
    assert NECK - 4 < shown[rows[-1]].sum() < NECK + 4
    assert rows[-1] - rows[0] > 0.09 * HEIGHT


def leaning(degrees: float) -> Skeleton:
    """Standing, the head turned about the neck in the picture's plane."""
    body, neck = standing().body.copy(), standing().joint("neck")
    head = [JOINT[name] for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]
    a = np.deg2rad(degrees)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    body[head, :2] = (body[head, :2] - neck) @ turn.T + neck
    return replace(standing(), body=body)


def throat_follows(skeleton: Skeleton) -> float:
    """How far the middle of the neck goes with the head, 0 to 1."""
    person = puppet()
    figure = driven_figure(skeleton, person.figure)
    assert figure is not None
    where = stance(figure, person.figure)
    head = next(part.skin for part in person.parts if isinstance(part.skin, HeadPose))
    middle = (head.rise > 0.3) & (head.rise < 0.35)
    base, drawn = head.torso.posed(where.torso)[0], head.skin.posed(where.head)[0]
    found = head.posed(where)
    assert found is not None
    moved, most = ((points - base)[middle] for points in (found.points, drawn))
    return float((np.linalg.norm(moved, axis=1) / np.linalg.norm(most, axis=1)).mean())


def test_a_head_that_leans_to_a_side_keeps_its_neck() -> None:
    assert throat_follows(leaning(20)) > 0.3
    assert throat_follows(leaning(50)) > 0.3
    assert throat_follows(lowered(14)) < 0.1, "bowed it folds"


def test_landmarks_that_are_no_numbers_count_as_unseen() -> None:
    target = photo_of(standing())
    pictures = [
        picture_of(replace(target, skeleton=replace(standing(), face=face)))
        for face in (np.zeros((70, 3), np.float32), np.full((70, 3), np.nan, np.float32))
    ]
    missing, broken = (face_piece(picture, head_piece(picture)) for picture in pictures)
    assert missing.rgba[..., 3].max() == 255
    assert np.array_equal(missing.rgba, broken.rgba)


def test_the_face_s_sheet_does_not_come_and_go_with_noise() -> None:
    person = puppet()
    posed = [person.pose(lowered(k), HEIGHT, WIDTH).alpha for k in (-0.002, 0.002)]
    assert np.abs(posed[1] - posed[0]).max() < 0.02
