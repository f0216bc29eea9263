"""Cutting a photo's person apart: what is missing in the photo is made up, and said to be."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias

import cv2
import numpy as np
import pytest
from test_warp_pose import coloured, middle, near
from warp_people import (
    COLOURS,
    HEIGHT,
    WIDTH,
    bent,
    leaning,
    photo_of,
    standing,
    tip,
    with_world,
)

from dancecli import warp
from dancecli.labels import Label
from dancecli.types import JOINT, Frame, LabelMap, PersonMask, Skeleton, Target
from dancecli.warp.anatomy import ARM, HAND_TIP, MID_HIP, NECK, driven_figure, photo_figure
from dancecli.warp.hand import REACH, drawn_hand
from dancecli.warp.layers import LEFT_ARM, RIGHT_ARM, TORSO
from dancecli.warp.missing import LIMBS, chain_of
from dancecli.warp.picture import picture_of
from dancecli.warp.pixels import pixel_centres, segment_distance, shrunk
from dancecli.warp.puppet import TORSO_LAYER
from dancecli.warp.texture import limb_pieces, torso_piece

SIZE = WIDTH, HEIGHT
Levels: TypeAlias = "np.ma.MaskedArray[Any, Any]"


def test_a_hidden_arm_is_borrowed_from_the_other_side() -> None:
    puppet = warp.cut(photo_of(standing(), without=(Label.LEFT_ARM,)))
    pose = bent(standing(), left_elbow=-60)
    warped = puppet.pose(pose, HEIGHT, WIDTH)
    spot = near(middle(pose, "left_elbow", "left_wrist"), 5)
    assert coloured(warped, Label.RIGHT_ARM)[spot].mean() > 0.9
    assert warped.validity[spot].max() < 0.1


def test_legs_below_the_photos_edge_are_continued() -> None:
    rows = int(standing().joint("left_knee")[1]) - 10
    body = standing().body.copy()
    below = body[:, 1] > rows
    body[below, 2] = 0
    puppet = warp.cut(photo_of(replace(standing(), body=body), rows=rows))
    warped = puppet.pose(standing(), HEIGHT, WIDTH)
    for side in ("left", "right"):
        spot = near(middle(standing(), f"{side}_knee", f"{side}_ankle"), 4)
        assert coloured(warped, Label[f"{side.upper()}_LEG"])[spot].mean() > 0.9
        assert warped.validity[spot].max() < 0.1
        thigh = near(middle(standing(), f"{side}_hip", f"{side}_knee"), 4)
        assert warped.validity[thigh].min() > 0.9


def test_knitted_legs_below_the_photos_edge_are_knitted() -> None:
    rows = int(standing().joint("left_knee")[1]) - 10
    body = standing().body.copy()
    body[body[:, 1] > rows, 2] = 0
    target = photo_of(replace(standing(), body=body), rows=rows)
    knit = 20 * np.random.default_rng(0).choice((-1, 1), target.labels.labels.shape)
    legs = np.isin(target.labels.labels, (Label.LEFT_LEG, Label.RIGHT_LEG))
    rgb = target.frame.rgb.astype(int) + (knit * legs)[..., None]
    knitted = replace(target, frame=Frame(np.clip(rgb, 0, 255).astype(np.uint8)))
    shin = near(middle(standing(), "left_knee", "left_ankle"), 5)
    detail = [
        warp.cut(each).pose(standing(), HEIGHT, WIDTH).colour[shin].std(0).mean()
        for each in (target, knitted)
    ]
    assert detail[1] > detail[0] + 0.02


def test_legs_behind_a_table_are_continued() -> None:
    rows = int(standing().joint("left_knee")[1]) - 10
    body = standing().body.copy()
    body[body[:, 1] > rows, 2] = 0
    target = photo_of(replace(standing(), body=body))
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    alpha = target.mask.alpha.copy()
    rgb[rows:], labels[rows:], alpha[rows:] = (120, 80, 20), 0, 0
    seated = Target(Frame(rgb), PersonMask(alpha), LabelMap(labels), target.skeleton)
    warped = warp.cut(seated).pose(standing(), HEIGHT, WIDTH)
    for side in ("left", "right"):
        spot = near(middle(standing(), f"{side}_knee", f"{side}_ankle"), 4)
        assert coloured(warped, Label[f"{side.upper()}_LEG"])[spot].mean() > 0.9
        assert warped.validity[spot].max() < 0.1


def test_an_arm_whose_shoulder_another_arm_hides_begins_at_the_shoulder() -> None:
    picture = picture_of(photo_of(bent(standing(), left_elbow=-80)))
    joint = picture.figure.points[list(LIMBS[LEFT_ARM])]
    pixels = pixel_centres(*picture.owner.shape)
    upper = segment_distance(pixels, joint[0], 0.6 * joint[0] + 0.4 * joint[1])
    owner = np.where(upper < 0.08 * picture.figure.size, RIGHT_ARM, picture.owner)
    piece, _ = limb_pieces(replace(picture, owner=owner.astype(np.uint8)), LEFT_ARM)
    for t in np.linspace(0, 0.9, 10):
        x, y = ((1 - t) * joint[0] + t * joint[1] - (piece.left, piece.top)).astype(int)
        assert piece.rgba[y, x, 3] > 230


def test_someone_who_leans_aside_stands_up_with_square_shoulders() -> None:
    upright = bent(standing(), left_elbow=-80, right_elbow=60)
    warped = warp.cut(photo_of(leaning())).pose(upright, HEIGHT, WIDTH)
    right, left = (int(upright.joint(f"{side}_shoulder")[0]) for side in ("right", "left"))
    below = int(upright.joint("left_shoulder")[1]) + 10
    assert coloured(warped, Label.UPPER_CLOTHES)[below, right : left + 1].mean() > 0.92


def test_an_arm_across_the_chest_leaves_the_clothes_behind_it() -> None:
    folded = bent(standing(), left_wrist=75)
    puppet = warp.cut(photo_of(folded))
    warped = puppet.pose(bent(standing(), left_elbow=-60), HEIGHT, WIDTH)
    place = middle(folded, "left_elbow", "left_wrist")
    chest = standing().joint("neck") * 0.4 + standing().joint("mid_hip") * 0.6
    assert not coloured(warped, Label.LEFT_ARM)[near(chest, 20)].any()
    assert coloured(warped, Label.UPPER_CLOTHES)[near(chest, 12)].mean() > 0.95
    assert warped.alpha[near(place, 3)].min() >= 0


def test_hands_in_pockets_are_drawn_in_skin() -> None:
    target = photo_of(standing())
    labels = target.labels.labels.copy()
    rgb = target.frame.rgb.copy()
    for hand in (Label.LEFT_HAND, Label.RIGHT_HAND):
        rgb[labels == hand] = COLOURS[Label.UPPER_CLOTHES]
        labels[labels == hand] = Label.UPPER_CLOTHES
    puppet = warp.cut(replace(target, frame=Frame(rgb), labels=LabelMap(labels)))
    pose = bent(standing(), left_elbow=-80, right_elbow=80)
    warped = puppet.pose(pose, HEIGHT, WIDTH)
    for side in ("left", "right"):
        skin = coloured(warped, Label.FACE, 90)
        assert skin[near(tip(pose, side), 4)].mean() > 0.7


def test_a_drawn_hand_has_fingers() -> None:
    picture = picture_of(photo_of(standing(), without=(Label.LEFT_ARM,)))
    alpha, colours = drawn_hand(picture, LEFT_ARM)
    wrist, along = chain_of(picture, LEFT_ARM).joints[2], chain_of(picture, LEFT_ARM).direction(1)
    across = np.linspace(-0.05, 0.05, 400)[:, None] * np.array([-along[1], along[0]])
    tips = wrist + picture.figure.size * (0.8 * REACH * along + across)
    shown = alpha[tips[:, 1].astype(int), tips[:, 0].astype(int)] > 0.6
    assert np.count_nonzero(np.diff(shown.astype(int)) == 1) >= 3
    skin = np.array(COLOURS[Label.FACE], float)
    assert np.abs(colours[alpha > 0.9].mean(0) - skin).max() < 0.12 * 255


def test_long_hair_moves_with_the_head_not_with_the_arm() -> None:
    target = photo_of(standing())
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    x, y = (int(v) for v in standing().joint("left_shoulder"))
    lock = np.s_[y - 40 : y + 30, x - 22 : x - 8]
    labels[lock], rgb[lock] = Label.HAIR, COLOURS[Label.HAIR]
    alpha = np.maximum(target.mask.alpha, (labels > 0).astype(np.float32))
    target = replace(target, frame=Frame(rgb), labels=LabelMap(labels), mask=PersonMask(alpha))
    pose = bent(standing(), left_elbow=-120)
    warped = warp.cut(target).pose(pose, HEIGHT, WIDTH)
    assert coloured(warped, Label.HAIR)[y - 20 : y + 10, x - 19 : x - 11].mean() > 0.8


def test_the_largest_photos_are_worked_on_smaller() -> None:
    import cv2

    target = photo_of(standing())
    size = (WIDTH * 5, HEIGHT * 5)
    large = Target(
        Frame(cv2.resize(target.frame.rgb, size, interpolation=cv2.INTER_NEAREST)),
        PersonMask(cv2.resize(target.mask.alpha, size)),
        LabelMap(cv2.resize(target.labels.labels, size, interpolation=cv2.INTER_NEAREST)),
        standing().moved(5, 0, 0),
    )
    warped = warp.cut(large).pose(standing(), HEIGHT, WIDTH)
    person = target.mask.alpha > 0.5
    assert (person & (warped.alpha > 0.5)).sum() / (person | (warped.alpha > 0.5)).sum() > 0.96


def test_labels_of_one_kind_still_give_a_person() -> None:
    target = photo_of(standing())
    labels = np.where(target.labels.labels > 0, Label.UPPER_CLOTHES, 0).astype(np.uint8)
    warped = warp.cut(replace(target, labels=LabelMap(labels))).pose(standing(), HEIGHT, WIDTH)
    person = target.mask.alpha > 0.5
    assert (person & (warped.alpha > 0.5)).sum() / person.sum() > 0.95


def test_a_photo_of_head_and_shoulders_can_be_posed() -> None:
    body = standing().body.copy()
    rows = int(standing().joint("mid_hip")[1]) - 60
    body[body[:, 1] > rows, 2] = 0
    half = photo_of(Skeleton(body), rows=rows)
    warped = warp.cut(half).pose(standing(), HEIGHT, WIDTH)
    assert np.isfinite(warped.colour).all()
    head = near(standing().joint("nose"), 6)
    assert coloured(warped, Label.FACE)[head].mean() > 0.9


@pytest.mark.parametrize(
    "lost",
    [
        ("neck",), ("neck", "mid_hip"), ("neck", "hip", "knee", "ankle"),
        ("neck", "knee", "ankle", "toe", "heel", "wrist", "nose", "eye", "ear"),
        ("neck", "mid_hip", "knee", "ankle", "toe", "heel", "elbow", "wrist", "nose", "eye", "ear"),
    ],
)  # fmt: skip
def test_somebody_cut_in_two_by_the_photos_edge_is_a_whole_person(lost: tuple[str, ...]) -> None:
    """Neither the left side nor the middle of the body is seen, nor, once, any hip or leg."""
    body = standing().body.copy()
    gone = [i for n, i in JOINT.items() if n.startswith("left") or n.endswith(lost)]
    body[gone, 2] = 0
    halved = replace(photo_of(standing()), skeleton=replace(standing(), body=body))
    puppet, whole = warp.cut(halved), warp.cut(photo_of(standing()))
    assert puppet.figure.size == pytest.approx(whole.figure.size, rel=0.3)
    from_shoulder = [
        p.figure.points[[NECK, MID_HIP]] - p.figure.points[JOINT["right_shoulder"]]
        for p in (puppet, whole)
    ]
    assert np.abs(np.diff(from_shoulder, axis=0)).max() < 0.08 * whole.figure.size
    painted, person = (p.pose(standing(), HEIGHT, WIDTH).alpha > 0.5 for p in (puppet, whole))
    assert (painted & person).sum() > 0.7 * (painted | person).sum()


def test_a_photo_of_head_and_shoulders_is_posed_at_any_size() -> None:
    body = standing().body.copy()
    rows = int(standing().joint("mid_hip")[1]) - 60
    shown = ("nose", "neck", "shoulder", "eye", "ear")
    body[[row for name, row in JOINT.items() if not any(p in name for p in shown)], 2] = 0
    puppet = warp.cut(photo_of(Skeleton(body), rows=rows))
    head = np.s_[: int(standing().joint("neck")[1])]
    once = puppet.pose(standing(), HEIGHT, WIDTH).alpha[head].sum()
    head = np.s_[: int(3 * standing().joint("neck")[1])]
    thrice = puppet.pose(standing().moved(3, 0, 0), 3 * HEIGHT, 3 * WIDTH).alpha[head].sum()
    assert thrice == pytest.approx(9 * once, rel=0.15)


@pytest.mark.parametrize("fold", [150, -150, 120, -140])
def test_a_folded_arm_keeps_both_its_halves_and_unfolds_whole(fold: float) -> None:
    folded = bent(standing(), left_elbow=-60, left_wrist=fold)
    target = photo_of(folded)
    puppet = warp.cut(target)
    arm = np.isin(target.labels.labels, (Label.LEFT_ARM, Label.LEFT_HAND))
    assert (puppet.pose(folded, HEIGHT, WIDTH).alpha[arm] > 0.5).mean() > 0.97
    straight = bent(standing(), left_elbow=-90)
    warped = puppet.pose(straight, HEIGHT, WIDTH)
    joints = [straight.joint(f"left_{name}") for name in ("shoulder", "elbow", "wrist")]
    away = np.minimum.reduce([
        segment_distance(pixel_centres(HEIGHT, WIDTH), a, b) for a, b in pairwise(joints)
    ])  # fmt: skip
    assert (warped.alpha[away < 0.012 * HEIGHT] > 0.5).mean() > 0.98
    assert away[coloured(warped, Label.LEFT_ARM)].max() < 0.08 * HEIGHT


def across() -> Skeleton:
    """One arm across the belly."""
    return bent(standing(), left_elbow=25, left_wrist=75)


def dressed(target: Target, pattern: np.ndarray) -> Target:
    """The pattern (H, W), levels, added to the clothes of the trunk."""
    rgb = target.frame.rgb.astype(int)
    cloth = target.labels.labels == Label.UPPER_CLOTHES
    rgb[cloth] += pattern[: rgb.shape[0]][cloth][:, None]
    return replace(target, frame=Frame(np.clip(rgb, 0, 255).astype(np.uint8)))


def under_the_arm(pattern: np.ndarray, belted: bool = False) -> tuple[Levels, Levels]:
    """The trunk's levels (H, W) masked where the photo shows it, and where an arm was.

    belted: trousers without the pattern begin behind the arm, and where they were hidden counts.
    """
    target = dressed(photo_of(across()), pattern)
    if belted:
        target = with_trousers(target)
    piece = torso_piece(picture_of(target))
    solid = shrunk(piece.rgba[..., 3] > 250, 6)
    hidden = shrunk(piece.real == 0, 6) & solid
    assert hidden.sum() > 60
    levels = piece.rgba[..., 2].astype(float)
    shown = shrunk(piece.real > 0, 8)
    return np.ma.array(levels, mask=~shown), np.ma.array(levels, mask=~hidden)


def with_trousers(target: Target) -> Target:
    """The trunk from a little below the crossing forearm's upper edge on in plain grey."""
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    rows = np.argwhere(labels == Label.LEFT_HAND)[:, 0]
    legs = labels == Label.UPPER_CLOTHES
    legs[: int(rows.mean()) - 2] = False
    rgb[legs], labels[legs] = (60, 60, 60), Label.PANTS
    return replace(target, frame=Frame(rgb), labels=LabelMap(labels))


def weave(levels: Levels) -> float:
    """How much neighbours differ, downwards or sideways, whichever is less."""
    steps = np.abs(np.gradient(levels.data))
    return float(min(step[~levels.mask].mean() for step in steps))


def test_the_weave_of_a_dress_goes_on_where_an_arm_hid_it() -> None:
    checks = 24 * (np.indices((HEIGHT, WIDTH)) // 3).sum(0) % 48 - 12
    shown, made = under_the_arm(checks)
    assert weave(made) > 0.3 * weave(shown)


def test_a_wide_trunk_in_a_large_photo_is_continued_behind_its_arms() -> None:
    small = photo_of(bent(across(), right_elbow=-25, right_wrist=-75))
    body = small.skeleton.body * np.float32([6, 3, 1])
    grown = [
        cv2.resize(plane, None, fx=6, fy=3, interpolation=cv2.INTER_NEAREST)
        for plane in (small.frame.rgb, small.mask.alpha, small.labels.labels)
    ]
    wide = Target(Frame(grown[0]), PersonMask(grown[1]), LabelMap(grown[2]), Skeleton(body))
    piece = torso_piece(picture_of(wide))
    assert ((piece.real == 0) & (piece.rgba[..., 3] > 250)).sum() > 30_000
    trunk = piece.rgba[: len(piece.rgba) // 2]
    assert np.abs(trunk[trunk[..., 3] > 250][:, 2].astype(int) - 200).max() < 12


def test_the_weave_of_a_shirt_stays_off_the_trousers_below() -> None:
    checks = 24 * (np.indices((HEIGHT, WIDTH)) // 3).sum(0) % 48 - 12
    _, made = under_the_arm(checks, belted=True)
    rows = np.flatnonzero(~made.mask.all(1))
    grey = made[rows[-6] :]  # those that lie beside the trousers
    assert grey.count() > 20 and abs(float(grey.mean()) - 60) < 12 and weave(grey) < 3


def test_the_folds_of_plain_cloth_are_not_repeated() -> None:
    y, x = np.indices((HEIGHT, WIDTH))
    folds = (10 * np.sin(y / 5) + 10 * np.sin(x / 6)).astype(int)
    shown, made = under_the_arm(folds)
    assert weave(made) < 0.35 * weave(shown)


def test_cloth_beside_an_arm_stays_as_photographed_without_its_shadow() -> None:
    target = photo_of(across())
    cloth = target.labels.labels == Label.UPPER_CLOTHES
    arm = np.isin(target.labels.labels, (Label.LEFT_ARM, Label.LEFT_HAND))
    beside = ~shrunk(~arm, 3) & cloth
    dots = np.where((np.indices(cloth.shape) % 5 == 0).all(0), -60, 0)
    off = {}
    for name, levels in (("dots", dots), ("shade", np.where(beside, -50, 0))):
        picture = picture_of(dressed(target, levels))
        piece = torso_piece(picture)
        photo = picture.rgb[piece.top :, piece.left :][: piece.real.shape[0], : piece.real.shape[1]]
        height, width = photo.shape[:2]
        real = shrunk(piece.real[:height, :width] > 0, 2)
        change = piece.rgba[:height, :width, 2].astype(int) - photo[..., 2]
        off[name] = change[real]
    assert np.abs(off["dots"]).mean() < 2
    assert (off["shade"] > 25).sum() > 30 and off["shade"].min() > -5


def test_an_arms_edge_leaves_no_line_on_plain_cloth_and_does_not_colour_what_it_hid() -> None:
    target = photo_of(across())
    arm = np.isin(target.labels.labels, (Label.LEFT_ARM, Label.LEFT_HAND))
    rim = ~shrunk(~arm, 1.5) & (target.labels.labels == Label.UPPER_CLOTHES)
    levels = {}
    for name, change in (("plain", 0), ("rim", 60)):
        piece = torso_piece(picture_of(dressed(target, np.where(rim, change, 0))))
        inside = shrunk(piece.rgba[..., 3] > 250, 6)
        levels[name] = piece.rgba[..., 2].astype(int)[inside]
    assert rim.sum() > 60
    assert np.abs(levels["rim"] - levels["plain"]).max() < 15


@pytest.mark.parametrize("apart", [0.0, 0.25, 3.0])
@pytest.mark.parametrize(
    "start, below",
    [("shoulder", "elbow wrist"), ("elbow", "wrist"), ("hip", "knee ankle heel big_toe small_toe"),
     ("knee", "ankle heel big_toe small_toe")],
)  # fmt: skip
def test_a_limb_that_points_at_the_camera_unfolds_to_no_more_than_a_limb(
    start: str, below: str, apart: float
) -> None:
    body, rows = standing().body.copy(), [JOINT[f"left_{name}"] for name in below.split()]
    body[rows, :2] += body[JOINT[f"left_{start}"], :2] + (apart, 0) - body[rows[0], :2]
    warped = warp.cut(photo_of(replace(standing(), body=body))).pose(standing(), HEIGHT, WIDTH)
    usual = warp.cut(photo_of(standing())).pose(standing(), HEIGHT, WIDTH)
    beyond = (warped.alpha > 0.5) & shrunk(usual.alpha < 0.5, 0.02 * HEIGHT)
    assert beyond.sum() < 0.02 * (usual.alpha > 0.5).sum()


@pytest.mark.parametrize("seen", [0.5, 0.25, 0.06])
def test_the_hem_over_foreshortened_thighs_stays_at_the_hips(seen: float) -> None:
    """Somebody who sits facing us, danced standing."""
    body = standing().body.copy()
    for side in ("left", "right"):
        hip, knee = JOINT[f"{side}_hip"], JOINT[f"{side}_knee"]
        below = [JOINT[f"{side}_{n}"] for n in ("knee", "ankle", "heel", "small_toe", "big_toe")]
        body[below, :2] -= (1 - seen) * (body[knee, :2] - body[hip, :2])
    near = {f"{side}_{n}": 0.35 for side in ("left", "right") for n in ("knee", "ankle")}
    sitting = with_world(replace(standing(), body=body), **near)
    warped = warp.cut(photo_of(sitting)).pose(standing(), HEIGHT, WIDTH)
    rows = np.flatnonzero(coloured(warped, Label.UPPER_CLOTHES).any(1))
    hips, knees = (standing().joint(f"left_{n}")[1] for n in ("hip", "knee"))
    assert rows.max() < hips + 0.6 * (knees - hips)


def test_the_shorts_of_somebody_who_squats_stay_on_the_thighs() -> None:
    squat = bent(standing(), left_knee=-75, right_knee=75, left_ankle=75, right_ankle=-75)
    target = photo_of(squat)
    shorts = np.zeros((HEIGHT, WIDTH), bool)
    for side in ("left", "right"):
        shorts |= near(0.65 * squat.joint(f"{side}_hip") + 0.35 * squat.joint(f"{side}_knee"), 16)
    shorts &= np.isin(target.labels.labels, (Label.LEFT_LEG, Label.RIGHT_LEG))
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    rgb[shorts], labels[shorts] = (20, 20, 20), Label.SKIRT
    worn = replace(target, frame=Frame(rgb), labels=LabelMap(labels))
    warped = warp.cut(worn).pose(standing(), HEIGHT, WIDTH)
    dark = (warped.colour.max(-1) < 0.15) & (warped.alpha > 0.5)
    on_thighs = np.zeros_like(dark)
    for side in ("left", "right"):
        hip, knee = standing().joint(f"{side}_hip"), standing().joint(f"{side}_knee")
        on_thighs |= segment_distance(pixel_centres(HEIGHT, WIDTH), hip, knee) < 0.04 * HEIGHT
    assert dark.sum() > 0.6 * shorts.sum() and on_thighs[dark].mean() > 0.97


@pytest.mark.parametrize(("reach", "whole"), [(1.6, True), (0.6, False)])
def test_a_long_dress_spans_spread_legs(reach: float, whole: bool) -> None:
    """What ends above the knees may be shorts, and goes with the thighs as before."""
    target = photo_of(standing())
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    hips = [standing().joint(f"{side}_hip") for side in ("left", "right")]
    down = reach * (standing().joint("left_knee") - hips[0])
    flare = np.array([0.05 * HEIGHT, 0])
    corners = [hips[0] + flare, hips[0] + flare + down, hips[1] - flare + down, hips[1] - flare]
    cv2.fillPoly(labels, [np.rint(corners).astype(np.int32)], int(Label.DRESS))
    rgb[labels == Label.DRESS] = (20, 20, 20)
    worn = Target(
        Frame(rgb), PersonMask((labels > 0).astype(np.float32)), LabelMap(labels), target.skeleton
    )
    spread = bent(standing(), left_knee=-35, right_knee=35)
    warped = warp.cut(worn).pose(spread, HEIGHT, WIDTH)
    dark = (warped.colour.max(-1) < 0.15) & (warped.alpha > 0.5)
    shins = [spread.joint(f"{side}_{n}") for side in ("left", "right") for n in ("knee", "ankle")]
    column, row = np.rint(np.average(shins, 0, (3, 2, 3, 2))).astype(int)
    assert dark[row, column] == whole


@pytest.mark.parametrize("spread", [0, 30])
def test_bare_thighs_of_somebody_who_squats_leave_no_skin_on_the_trunk(spread: float) -> None:
    squat = bent(standing(), left_knee=-75, right_knee=75, left_ankle=75, right_ankle=-75)
    stood = bent(standing(), left_knee=-spread, right_knee=spread)
    warped = warp.cut(photo_of(squat)).pose(stood, HEIGHT, WIDTH)
    skin = coloured(warped, Label.LEFT_LEG) | coloured(warped, Label.RIGHT_LEG)
    assert skin.sum() > 5000 and not (skin & (warped.layer == TORSO_LAYER)).any()


def test_sleeves_lead_to_elbows_that_the_photo_cuts_off_where_they_are_guessed() -> None:
    body, rows = standing().body.copy(), int(standing().joint("left_shoulder")[1]) + 20
    body[body[:, 1] > rows, 2] = 0  # guesses, as pose networks make them
    cut = replace(standing(), body=body)
    guessed = photo_figure(cut, WIDTH, rows).points
    for side in ("left", "right"):
        elbow, wrist = (ARM[side][k] for k in (1, 2))
        assert np.allclose(guessed[elbow], standing().joint(f"{side}_elbow"), atol=1e-3)
        assert np.allclose(guessed[wrist], standing().joint(f"{side}_wrist"), atol=1e-3)
    body[[JOINT["left_elbow"], JOINT["right_elbow"]], :2] = (0, 0), (900, 900)  # none, and nonsense
    supposed = photo_figure(replace(cut, body=body), WIDTH, rows).points
    for side in ("left", "right"):
        reach = supposed[ARM[side][1]] - standing().joint(f"{side}_shoulder")
        assert 0.05 * HEIGHT < reach[1] < 0.25 * HEIGHT and abs(reach[0]) < 0.1 * HEIGHT


def test_a_hand_whose_root_nobody_sees_goes_on_from_the_forearm() -> None:
    hand = np.ones((21, 3), np.float32)
    wrist = standing().joint("left_wrist")
    hand[:, :2] = wrist + np.linspace(0, 25, 21)[:, None] * np.array([0.3, 1])
    hand[0] = 0
    driven = driven_figure(replace(standing(), left_hand=hand), photo_figure(standing(), *SIZE))
    assert driven is not None
    assert np.hypot(*(driven.points[HAND_TIP["left"]] - wrist)) < 0.15 * HEIGHT


def test_what_a_gap_parts_from_the_forearm_stays_with_the_upper_arm() -> None:
    """A wide sleeve that reaches further than half way to the hand of a folded arm."""
    folded = bent(standing(), left_elbow=-60, left_wrist=-135)
    target = photo_of(folded)
    shoulder, elbow, wrist = (folded.joint(f"left_{n}") for n in ("shoulder", "elbow", "wrist"))
    upper, fore = 0.35 * elbow + 0.65 * shoulder, 0.35 * elbow + 0.65 * wrist
    sleeve = near(0.7 * upper + 0.3 * fore, 0.034 * HEIGHT)
    sleeve &= ~near(fore, 0.034 * HEIGHT) & (target.mask.alpha == 0)
    assert sleeve.sum() > 60
    rgb, labels, alpha = (
        target.frame.rgb.copy(),
        target.labels.labels.copy(),
        target.mask.alpha.copy(),
    )
    rgb[sleeve], labels[sleeve], alpha[sleeve] = (250, 250, 250), Label.LEFT_ARM, 1
    wide = Target(Frame(rgb), PersonMask(alpha), LabelMap(labels), folded)
    straight = bent(standing(), left_elbow=-90)
    warped = warp.cut(wide).pose(straight, HEIGHT, WIDTH)
    white = (warped.colour.min(-1) > 0.75) & (warped.alpha > 0.5)
    a, b, c = (straight.joint(f"left_{n}") for n in ("shoulder", "elbow", "wrist"))
    pixels = pixel_centres(HEIGHT, WIDTH)
    with_upper = segment_distance(pixels, a, b) < segment_distance(pixels, b, c)
    assert white.sum() > 40 and with_upper[white].mean() > 0.97


def test_cloth_before_a_bare_arms_hand_stays_with_the_trunk() -> None:
    """A hand behind the hip that the pose takes for one in front of it."""
    posed = bent(standing(), right_elbow=50, right_wrist=-115)
    posed = with_world(posed, right_wrist=0.25, right_elbow=0.1)
    target, wrist, end = photo_of(posed), posed.joint("right_wrist"), tip(posed, "right")
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    pixels = pixel_centres(*labels.shape)
    before = (segment_distance(pixels, wrist, end) < 20) & (pixels[..., 0] > wrist[0])
    labels[before & (labels > 0)] = Label.UPPER_CLOTHES
    rgb[before & (labels > 0)] = COLOURS[Label.UPPER_CLOTHES]
    picture = picture_of(replace(target, frame=Frame(rgb), labels=LabelMap(labels)))
    x, y = (int(v) for v in picture.figure.points[ARM["right"][2]])
    assert (picture.owner[y - 3 : y + 9, x + 6 : x + 12] == TORSO).all()
    forearm = (picture.figure.points[ARM["right"][1]] + (x, y)) / 2
    assert picture.owner[int(forearm[1]), int(forearm[0])] == RIGHT_ARM


def test_a_cut_that_becomes_an_outline_is_as_sharp_as_one() -> None:
    """The trunk's side, where an arm lay before it in a photo of some size."""
    posed = with_world(bent(standing(), left_elbow=12), left_elbow=0.2, left_wrist=0.3)
    small, scale = photo_of(posed), 3
    size = WIDTH * scale, HEIGHT * scale
    rgb, labels = (
        cv2.resize(each, size, interpolation=cv2.INTER_NEAREST)
        for each in (small.frame.rgb, small.labels.labels)
    )
    mask = PersonMask((labels > 0).astype(np.float32))
    large = Target(Frame(rgb), mask, LabelMap(labels), posed.moved(scale, 0, 0))
    picture = picture_of(large)
    trunk = torso_piece(picture)
    row = int(picture.figure.points[[NECK, MID_HIP], 1].mean()) - trunk.top
    alpha = trunk.rgba[row - 20 : row + 20, :, 3] / 255
    between = ((alpha > 0.1) & (alpha < 0.9))[:, alpha.shape[1] // 2 :].sum(1)
    assert picture.figure.size > 800 and (alpha.max(1) > 0.99).all()
    assert 1 <= np.median(between) <= 3


def test_a_bare_chest_behind_arms_goes_up_to_the_shoulders_in_the_light() -> None:
    """Its lower part, all that shows, is in the shade of the arms that lie before it."""
    posed = bent(standing(), left_elbow=40, left_wrist=75, right_elbow=-40, right_wrist=-75)
    posed = with_world(posed, left_wrist=0.3, right_wrist=0.3, left_elbow=0.2, right_elbow=0.2)
    target = photo_of(posed)
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    arms = np.isin(labels, [Label[f"{s}_{n}"] for s in ("LEFT", "RIGHT") for n in ("ARM", "HAND")])
    rgb[arms], rgb[labels == Label.UPPER_CLOTHES] = (216, 150, 120), (124, 76, 58)
    for label in (Label.TORSO_SKIN, Label.UPPER_CLOTHES):  # the same body, bare and dressed
        now = np.where(labels == Label.UPPER_CLOTHES, label, labels).astype(np.uint8)
        picture = picture_of(replace(target, frame=Frame(rgb), labels=LabelMap(now)))
        trunk = torso_piece(picture)
        made = (trunk.real == 0) & (trunk.rgba[..., 3] > 250)
        lightest = np.percentile(trunk.rgba[made][:, 0], 90)
        assert (lightest > 170) == (label == Label.TORSO_SKIN), (label, lightest, made.sum())
