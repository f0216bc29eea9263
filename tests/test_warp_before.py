"""A hand that lies before the face in the photo stays a hand, and the face is whole without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from test_warp_pose import coloured, near
from warp_people import COLOURS, HEIGHT, WIDTH, photo_of, standing, tip, with_world

from dancecli import warp
from dancecli.labels import Label
from dancecli.types import JOINT, Frame, LabelMap, Skeleton, Target
from dancecli.warp.picture import picture_of
from dancecli.warp.texture import head_piece


def raised(depth: float = 0.15) -> Skeleton:
    """The left hand lies before the cheek, so many metres nearer than the hips."""
    skeleton = standing()
    body, nose = skeleton.body.copy(), skeleton.joint("nose")
    body[JOINT["left_elbow"], :2] = nose + np.array([0.16, 0.16]) * HEIGHT
    body[JOINT["left_wrist"], :2] = nose + np.array([0.06, 0.03]) * HEIGHT
    skeleton = with_world(replace(skeleton, body=body), left_wrist=depth, left_elbow=depth / 2)
    along = tip(skeleton, "left") - skeleton.joint("left_wrist")
    aside = 0.01 * HEIGHT * np.array([-along[1], along[0]]) / np.hypot(*along)
    fingers = [np.outer((0.4, 0.7, 1, 1.2), along) + k * aside for k in (-2, -1, 0, 1, 2)]
    hand = np.concatenate([np.zeros((1, 2)), *fingers]) + skeleton.joint("left_wrist")
    return replace(skeleton, left_hand=np.c_[hand, np.ones(21)].astype(np.float32))


def mistaken(skeleton: Skeleton) -> Target:
    """A photo whose parser takes for face what lies before it."""
    target = photo_of(skeleton)
    labels, rgb = target.labels.labels.copy(), target.frame.rgb
    labels[near(skeleton.joint("nose"), 0.05 * HEIGHT)] = Label.FACE
    assert ((labels == Label.FACE) & (rgb == COLOURS[Label.LEFT_ARM]).all(-1)).sum() > 150
    return replace(target, labels=LabelMap(labels))


def test_no_hand_stays_on_the_face() -> None:
    warped = warp.cut(mistaken(raised())).pose(standing(), HEIGHT, WIDTH)
    face = near(standing().joint("nose"), 0.04 * HEIGHT)
    assert coloured(warped, Label.LEFT_ARM, 100)[face].mean() < 0.02
    assert warped.alpha[face].min() > 0.9, "and what it hid of the head is there"
    blind = replace(raised(), left_hand=np.zeros((21, 3), np.float32))
    stained = warp.cut(mistaken(blind)).pose(standing(), HEIGHT, WIDTH)
    assert coloured(stained, Label.LEFT_ARM, 100)[face].mean() > 0.05, "keypoints told it"


def test_a_hand_behind_the_head_takes_nothing_of_it() -> None:
    labels = [picture_of(mistaken(raised(depth))).labels for depth in (-0.25, 0.15)]
    behind, before = ((each == Label.LEFT_HAND).sum() for each in labels)
    assert before > behind + 100


def test_between_long_hair_an_arm_hides_no_head() -> None:
    target = photo_of(standing())
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    nose, hips = standing().joint("nose"), standing().joint("mid_hip")
    lock = (np.abs(np.abs(x - nose[0]) - 0.15 * HEIGHT) < 6) & (y > nose[1]) & (y < hips[1])
    labels[lock], rgb[lock] = Label.HAIR, COLOURS[Label.HAIR]
    alpha = replace(target.mask, alpha=np.maximum(target.mask.alpha, lock.astype(np.float32)))
    haired = replace(target, frame=Frame(rgb), labels=LabelMap(labels), mask=alpha)
    picture = picture_of(haired)
    piece = head_piece(picture)
    rows, columns = piece.rgba.shape[:2]
    owner = picture.owner[piece.top : piece.top + rows, piece.left : piece.left + columns]
    assert piece.rgba[..., 3][np.isin(owner, (2, 3))].max(initial=0) < 200
