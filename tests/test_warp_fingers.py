"""Hands leave behind the clothes that they lie on, however far their labels reach."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from test_warp_pose import coloured, near
from warp_people import COLOURS, HEIGHT, WIDTH, bent, photo_of, standing, with_world

from dancecli import warp
from dancecli.labels import Label
from dancecli.types import JOINT, Frame, LabelMap, Target
from dancecli.warp.layers import LEFT_ARM
from dancecli.warp.picture import picture_of

SKIN = (230, 180, 150)


def on_the_belly(hand: tuple[int, int, int] = SKIN) -> Target:
    """The left hand lies on the trunk; what is labelled as it reaches eight pixels too far."""
    skeleton = standing()
    body, hips = skeleton.body.copy(), skeleton.joint("mid_hip")
    body[JOINT["left_elbow"], :2] = (
        skeleton.joint("left_shoulder") + np.array([0.05, 0.12]) * HEIGHT
    )
    body[JOINT["left_wrist"], :2] = hips + np.array([0.035, -0.12]) * HEIGHT
    target = photo_of(with_world(replace(skeleton, body=body), left_wrist=0.2))
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    seen = labels == Label.LEFT_HAND
    rgb[seen] = hand
    wide = cv2.dilate(seen.astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    labels[wide & (labels == Label.UPPER_CLOTHES)] = Label.LEFT_HAND
    return replace(target, frame=Frame(rgb), labels=LabelMap(labels))


def cloth_at_the_hand(target: Target) -> int:
    skeleton = standing()
    warped = warp.cut(target).pose(skeleton, HEIGHT, WIDTH)
    hand = near(skeleton.joint("left_wrist") + np.array([0, 0.04]) * HEIGHT, 0.1 * HEIGHT)
    beside = np.arange(WIDTH)[None] > skeleton.joint("left_hip")[0] + 0.06 * HEIGHT
    return int((coloured(warped, Label.UPPER_CLOTHES) & hand & beside).sum())


def test_no_cloth_comes_along_with_a_hand() -> None:
    assert cloth_at_the_hand(on_the_belly()) < 25


def test_a_hand_in_the_colour_of_the_clothes_stays_whole() -> None:
    glove = on_the_belly(COLOURS[Label.UPPER_CLOTHES])
    assert cloth_at_the_hand(glove) > 150


def test_a_hand_that_differs_a_little_from_the_clothes_stays_whole() -> None:
    """Where colours cannot tell the two apart nothing is taken."""
    blue = COLOURS[Label.UPPER_CLOTHES]
    glove = on_the_belly((blue[0] + 14, blue[1] + 14, blue[2] + 14))
    rgb = glove.frame.rgb.astype(int) + np.random.default_rng(3).normal(0, 14, (HEIGHT, WIDTH, 1))
    noisy = replace(glove, frame=Frame(np.clip(rgb, 0, 255).astype(np.uint8)))
    assert cloth_at_the_hand(noisy) > 150


def test_the_sleeve_of_a_folded_arm_stays_with_it() -> None:
    """A hand at the shoulder: past its wrist lies its own upper arm, in the colour of the trunk."""
    skeleton = bent(standing(), left_elbow=-35, left_wrist=172)
    target = photo_of(with_world(skeleton, left_wrist=0.15))
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    sleeve = labels == Label.LEFT_ARM
    rgb[sleeve], rgb[labels == Label.LEFT_HAND] = COLOURS[Label.UPPER_CLOTHES], SKIN
    labels[sleeve] = Label.UPPER_CLOTHES
    sleeved = replace(target, frame=Frame(rgb), labels=LabelMap(labels))
    picture = picture_of(sleeved)
    shoulder, elbow = picture.figure.points[[JOINT["left_shoulder"], JOINT["left_elbow"]]]
    x, y = (shoulder + np.linspace(0.4, 0.9, 20)[:, None] * (elbow - shoulder)).astype(int).T
    assert (picture.owner[y, x] == LEFT_ARM).all()
