"""Limbs that something hides in the photo are whole when it moves away."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from test_warp_pose import coloured, middle, near
from warp_people import COLOURS, HEIGHT, WIDTH, bent, photo_of, standing, with_world

from dancecli import warp
from dancecli.labels import Label
from dancecli.types import JOINT, BoolArray, Frame, LabelMap, Target, UInt8Array
from dancecli.warp.hiding import hidden_length, limb_radii
from dancecli.warp.layers import LEFT_ARM, LEFT_LEG, RIGHT_LEG, TORSO
from dancecli.warp.missing import LIMBS, chain_of, end_shown
from dancecli.warp.picture import Picture, picture_of
from dancecli.warp.pixels import pixel_centres, segment_distance
from dancecli.warp.texture import limb_pieces


def hand_on_thighs() -> Target:
    """The left hand hangs before the crotch, on the inner side of both thighs."""
    skeleton = standing()
    body, hips = skeleton.body.copy(), skeleton.joint("mid_hip")
    body[JOINT["left_elbow"], :2] = skeleton.joint("left_hip") + np.array([0.06, -0.13]) * HEIGHT
    body[JOINT["left_wrist"], :2] = hips + np.array([0.01, 0.03]) * HEIGHT
    return photo_of(with_world(replace(skeleton, body=body), left_wrist=0.2, left_elbow=0.1))


def test_a_hand_on_the_thighs_leaves_no_hole_in_them() -> None:
    warped, clear = (
        warp.cut(each).pose(standing(), HEIGHT, WIDTH)
        for each in (hand_on_thighs(), photo_of(standing()))
    )
    lap = near(standing().joint("mid_hip") + np.array([0, 0.05]) * HEIGHT, 0.07 * HEIGHT)
    body = lap & (clear.alpha > 0.95) & ~coloured(clear, Label.LEFT_ARM, 100)
    body &= ~coloured(clear, Label.RIGHT_ARM, 100)
    assert body.sum() > 1500
    assert (warped.alpha[body] < 0.5).sum() < 80  # along the outline; 570 with a hole
    assert coloured(warped, Label.LEFT_ARM, 60)[body].sum() < 10, "nor a rim of the hand"


def with_rim(picture: Picture) -> tuple[Picture, BoolArray]:
    """The right shin behind the left one, but for a rim of a fifth of its width beside the bone."""
    joints = picture.figure.points[list(LIMBS[RIGHT_LEG])]
    owner: UInt8Array = picture.owner.copy()
    own = owner == RIGHT_LEG
    row = np.arange(len(owner))[:, None]
    column = np.arange(owner.shape[1])[None]
    between = (row > joints[1][1] + 10) & (row < joints[2][1] - 10)
    axis = joints[1][0] + (row - joints[1][1]) / (joints[2][1] - joints[1][1]) * (
        joints[2][0] - joints[1][0]
    )
    hidden = own & between & (column > axis - 6)
    owner[hidden] = LEFT_LEG
    return replace(picture, owner=owner), hidden


def test_a_shin_of_which_a_rim_shows_beside_the_other_one_is_whole() -> None:
    picture, hidden = with_rim(picture_of(photo_of(standing())))
    whole = hidden_length(picture, RIGHT_LEG, chain_of(picture, RIGHT_LEG)) > 0.5
    assert whole[hidden].mean() > 0.7


def beside(aside: float) -> BoolArray:
    """What hides the right shin (H, W), all of which shows so many pixels beside its bone."""
    picture = picture_of(photo_of(standing()))
    points = picture.figure.points.copy()
    knee, ankle = LIMBS[RIGHT_LEG][1:3]
    # The pose errs by most of a shin's width, into the other leg.
    points[[knee, ankle], 0] += aside
    owner = picture.owner.copy()
    right = cv2.dilate((owner == RIGHT_LEG).astype(np.uint8), np.ones((1, 61), np.uint8)) > 0
    owner[right & (owner != RIGHT_LEG)] = LEFT_LEG
    erring = replace(picture, owner=owner, figure=replace(picture.figure, points=points))
    more = hidden_length(erring, RIGHT_LEG, chain_of(erring, RIGHT_LEG)) > 0.5
    return more[int(points[knee, 1]) + 15 : int(points[ankle, 1]) - 15]


def test_a_shin_beside_whose_bone_all_of_it_shows_gets_no_twin() -> None:
    assert not beside(14).any()


def test_nor_does_one_that_seems_wide_for_the_bone_is_far_from_it() -> None:
    assert beside(18).sum() < 500  # about the ankle; 1500 with a twin


def in_a_dress(bare: bool) -> Target:
    """A dress to mid-thigh, at whose hem the photo ends, or below which the legs go on."""
    skeleton = standing()
    hip, knee = skeleton.joint("left_hip"), skeleton.joint("left_knee")
    hem = int(hip[1] + 0.7 * (knee[1] - hip[1]))
    target = photo_of(skeleton)
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    alpha = target.mask.alpha.copy()
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    skirt = (y > hip[1] - 20) & (y < hem) & (np.abs(x - skeleton.joint("mid_hip")[0]) < 40)
    dress = skirt | (labels == Label.UPPER_CLOTHES)
    rgb[dress], labels[dress], alpha[dress] = COLOURS[Label.UPPER_CLOTHES], Label.DRESS, 1
    if bare:
        return Target(Frame(rgb), replace(target.mask, alpha=alpha), LabelMap(labels), skeleton)
    body = skeleton.body.copy()
    body[body[:, 1] > hem, 2] = 0
    cut = np.s_[: hem + 2]
    return Target(
        Frame(rgb[cut]), replace(target.mask, alpha=alpha[cut]), LabelMap(labels[cut]),
        with_world(replace(skeleton, body=body)),
    )  # fmt: skip


def shins(warped: warp.Warped) -> np.ndarray:
    """Median colours of both, (2, 3)."""
    spots = [
        near(middle(standing(), f"{side}_knee", f"{side}_ankle"), 3) for side in ("left", "right")
    ]
    assert min(warped.alpha[spot].min() for spot in spots) > 0.9
    return np.array([np.median(warped.colour[spot] * 255, 0) for spot in spots])


def test_legs_below_a_hem_at_the_photos_edge_are_bare() -> None:
    found = shins(warp.cut(in_a_dress(bare=False)).pose(standing(), HEIGHT, WIDTH))
    skin, cloth = (np.array(COLOURS[k]) for k in (Label.FACE, Label.UPPER_CLOTHES))
    for each in found:
        assert np.abs(each - skin).sum() < 0.4 * np.abs(each - cloth).sum()
        assert np.abs(each / each.sum() - skin / skin.sum()).max() < 0.02


def test_legs_that_show_below_a_hem_stay_what_they_are() -> None:
    found = shins(warp.cut(in_a_dress(bare=True)).pose(standing(), HEIGHT, WIDTH))
    for each, label in zip(found, (Label.LEFT_LEG, Label.RIGHT_LEG), strict=True):
        assert np.abs(each - COLOURS[label]).max() < 12


def ankle_width(label: Label) -> int:
    """Pixels of the left ankle, made up for a photo that ends below the knees."""
    rows = int(standing().joint("left_knee")[1]) + 20
    body = standing().body.copy()
    body[body[:, 1] > rows, 2] = 0
    target = photo_of(replace(standing(), body=body), rows=rows)
    labels = target.labels.labels.copy()
    labels[np.isin(labels, (Label.LEFT_LEG, Label.RIGHT_LEG))] = label
    warped = warp.cut(replace(target, labels=LabelMap(labels))).pose(standing(), HEIGHT, WIDTH)
    x, y = standing().joint("left_ankle")
    return int((warped.alpha[int(y) - 12, int(x) - 30 : int(x) + 30] > 0.5).sum())


def test_bare_shins_that_the_photo_cuts_off_end_in_slim_ankles() -> None:
    assert 4 < ankle_width(Label.LEFT_LEG) < 0.8 * ankle_width(Label.PANTS)


def test_a_leg_beyond_the_photos_edge_has_its_own_colour_whatever_stains_the_edge() -> None:
    rows = int(standing().joint("left_knee")[1]) - 10
    body = standing().body.copy()
    body[body[:, 1] > rows, 2] = 0
    target = photo_of(replace(standing(), body=body), rows=rows)
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    legs = np.isin(labels, (Label.LEFT_LEG, Label.RIGHT_LEG))
    rgb[legs], labels[legs] = (30, 40, 90), Label.PANTS
    stain = legs & (np.arange(rows) > rows - 12)[:, None]
    stain[:, : int(standing().joint("mid_hip")[0])] = False
    rgb[stain] = (220, 220, 220)
    cut_off = replace(target, frame=Frame(rgb), labels=LabelMap(labels))
    left, right = shins(warp.cut(cut_off).pose(standing(), HEIGHT, WIDTH))
    assert np.abs(left - right).max() < 12
    assert np.abs(left - (30, 40, 90)).max() < 12


def test_below_shorts_the_legs_go_on_bare() -> None:
    knee = standing().joint("left_knee")
    rows = int(knee[1]) + 10
    body = standing().body.copy()
    body[body[:, 1] > rows, 2] = 0
    target = photo_of(replace(standing(), body=body), rows=rows)
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    shorts = np.isin(labels, (Label.LEFT_LEG, Label.RIGHT_LEG))
    shorts &= (np.arange(rows) < knee[1] - 15)[:, None]
    rgb[shorts], labels[shorts] = (20, 20, 20), Label.PANTS
    found = shins(warp.cut(replace(target, frame=Frame(rgb), labels=LabelMap(labels))).pose(
        standing(), HEIGHT, WIDTH))  # fmt: skip
    for each, label in zip(found, (Label.LEFT_LEG, Label.RIGHT_LEG), strict=True):
        assert np.abs(each - COLOURS[label]).max() < 12


def test_a_strip_past_the_fork_does_not_dangle_from_the_thigh() -> None:
    picture = picture_of(photo_of(standing()))
    hip, knee = (picture.figure.points[LIMBS[LEFT_LEG][k]] for k in (0, 1))
    x, y = (0.6 * hip + 0.4 * knee).astype(int)
    owner = picture.owner.copy()
    strip = np.s_[y : y + 5, x - 40 : x]
    owner[strip] = LEFT_LEG
    thigh, _ = limb_pieces(replace(picture, owner=owner), LEFT_LEG)
    whole = np.zeros(owner.shape, np.uint8)
    rows, columns = thigh.real.shape
    whole[thigh.top : thigh.top + rows, thigh.left : thigh.left + columns] = thigh.rgba[..., 3]
    assert whole[y + 2, x - 40 : x - 25].max() < 60
    assert whole[y + 2, x - 5 : x + 5].min() > 200


def test_nothing_of_a_leg_that_is_drawn_below_a_hem_counts_as_the_photos() -> None:
    picture = picture_of(in_a_dress(bare=False))
    hip = picture.figure.points[LIMBS[LEFT_LEG][0]]
    away = np.hypot(*np.moveaxis(pixel_centres(*picture.labels.shape) - hip, -1, 0))
    labels = np.where(away < 0.03 * HEIGHT, np.uint8(Label.TORSO_SKIN), picture.labels)
    thigh, shin = limb_pieces(replace(picture, labels=labels), LEFT_LEG)
    assert thigh.rgba[..., 3].max() == 255
    assert not thigh.real.any() and not shin.real.any()


def test_no_ball_floats_where_the_tip_of_a_hand_is_guessed() -> None:
    skeleton = bent(standing(), left_elbow=40)
    picture = picture_of(photo_of(skeleton))
    chain = chain_of(picture, LEFT_ARM)
    assert not picture.figure.known[LIMBS[LEFT_ARM][3]] and end_shown(picture, LEFT_ARM)
    pixels = pixel_centres(*picture.owner.shape)
    away = np.hypot(*np.moveaxis(pixels - chain.joints[3], -1, 0))
    hand = chain.past(pixels, 2, 10.0) > 0
    # The hand is bent: where it would end if it were straight the trunk shows.
    owner = picture.owner.copy()
    owner[hand & (away < 0.06 * picture.figure.size)] = TORSO
    owner[(picture.owner == LEFT_ARM) & (away > 0.05 * picture.figure.size)] = LEFT_ARM
    folded = replace(picture, owner=owner)
    assert end_shown(folded, LEFT_ARM)
    assert not (hidden_length(folded, LEFT_ARM, chain)[hand] > 0.5).any()


def test_trousers_go_on_as_wide_as_they_are_however_far_off_the_bone() -> None:
    rows = int(standing().joint("left_ankle")[1]) - 25
    body = standing().body.copy()
    body[body[:, 1] > rows, 2] = 0
    target = photo_of(replace(standing(), body=body), rows=rows)
    labels = target.labels.labels.copy()
    legs = np.isin(labels, (Label.LEFT_LEG, Label.RIGHT_LEG))
    labels[legs] = Label.PANTS
    erring = body.copy()
    for joint in ("left_knee", "left_ankle", "right_knee", "right_ankle"):
        erring[JOINT[joint], 0] += 12 if joint.startswith("left") else -12
    off = replace(
        target, labels=LabelMap(labels), skeleton=with_world(replace(standing(), body=erring))
    )
    picture = picture_of(off)
    chain = chain_of(picture, LEFT_LEG)
    shown = np.median((picture.owner[: rows - 10] == LEFT_LEG)[-40:].sum(1))
    assert 2 * limb_radii(picture, LEFT_LEG, chain)[2] < 1.3 * shown


def folded(hands: bool = True) -> Target:
    """The left forearm lies on the upper arm, and the hand, white, before the shoulder."""
    skeleton = bent(standing(), left_elbow=-35, left_wrist=172)
    target = photo_of(with_world(skeleton, left_wrist=0.15))
    hand = target.labels.labels == Label.LEFT_HAND
    rgb = np.where(hand[..., None], np.uint8(255), target.frame.rgb)
    labels = target.labels.labels.copy()
    if not hands:
        labels[np.isin(labels, (Label.LEFT_HAND, Label.RIGHT_HAND))] = Label.UPPER_CLOTHES
    return replace(target, frame=Frame(rgb), labels=LabelMap(labels))


def test_the_hand_of_a_folded_arm_does_not_stay_on_the_upper_arm() -> None:
    skeleton = standing()
    warped = warp.cut(folded()).pose(skeleton, HEIGHT, WIDTH)
    white = (warped.colour.min(-1) > 0.85) & (warped.alpha > 0.5)
    wrist = skeleton.joint("left_wrist")
    hand = near(wrist + np.array([0, 0.04]) * HEIGHT, 0.12 * HEIGHT)
    assert (white & hand).sum() > 150
    assert (white & ~hand).sum() < 30
    upper = middle(skeleton, "left_shoulder", "left_elbow").astype(int)
    assert warped.alpha[upper[1], upper[0]] > 0.9


def test_a_rim_of_a_foot_behind_the_other_one_is_no_foot() -> None:
    """The leg is then the other one's, mirrored, and does not end in a wire."""
    picture = picture_of(photo_of(standing()))
    ankle, toes = picture.figure.points[list(LIMBS[RIGHT_LEG])][2:]
    pixels = pixel_centres(*picture.owner.shape)
    foot = (picture.owner == RIGHT_LEG) & ((pixels - ankle) @ (toes - ankle) > 0)
    rim = foot & (segment_distance(pixels, ankle, toes) < 2)
    owner = np.where(foot & ~rim, np.uint8(LEFT_LEG), picture.owner)
    assert rim.sum() > 20
    assert end_shown(picture, RIGHT_LEG)
    assert not end_shown(replace(picture, owner=owner), RIGHT_LEG)
    assert end_shown(replace(picture, owner=owner), LEFT_LEG)


def test_what_a_long_skirt_hides_stays_behind_it_in_a_squat() -> None:
    skeleton = standing()
    target = photo_of(skeleton)
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    hip, ankle = skeleton.joint("mid_hip"), skeleton.joint("left_ankle")
    hem = hip[1] + 0.75 * (ankle[1] - hip[1])
    corners = [(-30, hip[1]), (30, hip[1]), (45, hem), (-45, hem)]
    skirt = np.array([(hip[0] + x, y) for x, y in corners])
    for array, value in ((labels, int(Label.SKIRT)), (rgb, (20, 120, 120))):
        cv2.fillPoly(array, [skirt.astype(np.int32)], value)
    alpha = np.maximum(target.mask.alpha, (labels > 0).astype(np.float32))
    photo = Target(Frame(rgb), replace(target.mask, alpha=alpha), LabelMap(labels), skeleton)
    body = skeleton.body.copy()
    for side in ("left", "right"):  # thighs towards us
        for joint in ("knee", "ankle"):
            body[JOINT[f"{side}_{joint}"], 1] -= 0.12 * HEIGHT
    knees = {"left_knee": 0.4, "right_knee": 0.4, "left_ankle": 0.3, "right_ankle": 0.3}
    warped = warp.cut(photo).pose(with_world(replace(skeleton, body=body), **knees), HEIGHT, WIDTH)
    lap = near(hip + np.array([0, 0.08]) * HEIGHT, 0.05 * HEIGHT) & (warped.alpha > 0.5)
    cloth = np.abs(warped.colour * 255 - (20, 120, 120)).max(-1) < 60
    assert lap.sum() > 1000
    assert cloth[lap].mean() > 0.97


def test_the_trunk_does_not_go_along_with_the_shin_of_a_folded_leg() -> None:
    """Of somebody who stands on one leg: what lies beside the shin hangs from the hips."""
    skeleton = with_world(bent(standing(), left_knee=-75, left_ankle=155), left_knee=0.1)
    warped = warp.cut(photo_of(skeleton)).pose(standing(), HEIGHT, WIDTH)
    low = np.arange(HEIGHT)[:, None] > standing().joint("mid_hip")[1] + 0.1 * HEIGHT
    assert (coloured(warped, Label.UPPER_CLOTHES) & low).sum() < 20
