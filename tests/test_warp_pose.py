"""The puppet: what a viewer would notice when a photo's person takes another pose."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warp_people import (
    COLOURS,
    GROUND,
    HEIGHT,
    WIDTH,
    bent,
    photo_of,
    standing,
    tip,
    with_world,
)

from dancecli import warp
from dancecli.labels import Label
from dancecli.types import JOINT, BoolArray, Frame, LabelMap, Skeleton, Target
from dancecli.warp import Puppet, Warped
from dancecli.warp.anatomy import driven_figure
from dancecli.warp.limbs import Chain, limb_skin
from dancecli.warp.puppet import TorsoPose
from dancecli.warp.round import TORSO_BUILD, Place, Profile, aside, round_skin
from dancecli.warp.stance import stance


@cache
def standing_puppet() -> Puppet:
    return warp.cut(photo_of(standing()))


@pytest.fixture
def puppet() -> Puppet:
    return standing_puppet()


def coloured(warped: Warped, label: Label, tolerance: float = 60) -> BoolArray:
    """Pixels that show the colour of a part."""
    off = np.linalg.norm(warped.colour * 255 - np.array(COLOURS[label]), axis=-1)
    return (off < tolerance) & (warped.alpha > 0.5)


def near(point: np.ndarray, radius: float) -> BoolArray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.hypot(x + 0.5 - point[0], y + 0.5 - point[1]) < radius


def posed(puppet: Puppet, skeleton: Skeleton) -> Warped:
    return puppet.pose(skeleton, HEIGHT, WIDTH)


def middle(skeleton: Skeleton, a: str, b: str) -> np.ndarray:
    return (skeleton.joint(a) + skeleton.joint(b)) / 2


def holes(warped: Warped, scale: float) -> int:
    """Openings within the person too small to be the pose's own."""
    free = np.pad((warped.alpha <= 0.5).astype(np.uint8), 1, constant_values=1)
    _, _, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
    return int((stats[1:, 4] < (0.02 * scale * HEIGHT) ** 2).sum())


def test_the_photos_own_pose_gives_the_photo(puppet: Puppet) -> None:
    photo = photo_of(standing())
    warped = posed(puppet, standing())
    person, painted = photo.mask.alpha > 0.5, warped.alpha > 0.5
    assert (person & painted).sum() / (person | painted).sum() > 0.97
    inner = cv2.erode(person.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    error = (warped.colour * 255 - photo.frame.rgb)[inner]
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 24
    assert warped.validity[inner].mean() > 0.95


def test_arrays_are_what_the_dataclass_says(puppet: Puppet) -> None:
    warped = posed(puppet, bent(standing(), left_elbow=-70))
    assert warped.colour.shape == (HEIGHT, WIDTH, 3) and warped.colour.dtype == np.float32
    for plane, kind in (
        (warped.alpha, np.float32), (warped.validity, np.float32), (warped.layer, np.uint8),
        (warped.depth, np.float32),
    ):  # fmt: skip
        assert plane.shape == (HEIGHT, WIDTH) and plane.dtype == kind
    for plane in (warped.colour, warped.alpha, warped.validity):
        assert plane.min() >= 0 and plane.max() <= 1
    assert (warped.colour[warped.alpha == 0] == 0).all()
    assert ((warped.layer > 0) == (warped.alpha > 0.5)).mean() > 0.99
    assert (warped.validity <= warped.alpha + 1e-3).all()


@pytest.mark.parametrize(("side", "sign"), [("left", -1), ("right", 1)])
def test_a_raised_arm_moves_and_leaves_nothing_behind(puppet: Puppet, side: str, sign: int) -> None:
    before, label = standing(), Label[f"{side.upper()}_ARM"]
    after = bent(before, **{f"{side}_elbow": sign * 120})
    shows = coloured(posed(puppet, after), label)
    arm = shows & near(middle(after, f"{side}_elbow", f"{side}_wrist"), 0.02 * HEIGHT)
    assert arm.sum() > 0.9 * np.pi * (0.02 * HEIGHT) ** 2
    assert shows[near(tip(after, side), 6)].mean() > 0.8
    assert not shows[near(middle(before, f"{side}_elbow", f"{side}_wrist"), 12)].any()
    assert not shows[near(tip(before, side), 12)].any()


def test_raised_arms_do_not_pull_the_collar_over_the_chin(puppet: Puppet) -> None:
    arms = standing()
    trunk = float(np.hypot(*(arms.joint("mid_hip") - arms.joint("neck"))))
    body = arms.body.copy()
    for side in ("left", "right"):
        body[JOINT[f"{side}_elbow"], :2] = arms.joint(f"{side}_shoulder") - (0, 0.55 * trunk)
        body[JOINT[f"{side}_wrist"], :2] = arms.joint(f"{side}_shoulder") - (0, 1.05 * trunk)
    # What pose estimators see of it: the shoulders rise, and the neck between them.
    lifted = [JOINT[name] for name in ("neck", *(f"{s}_{j}" for s in ("left", "right")
              for j in ("shoulder", "elbow", "wrist")))]  # fmt: skip
    body[lifted, 1] -= 0.08 * trunk
    x = round(float(arms.joint("neck")[0]))

    def collar(skeleton: Skeleton) -> int:
        column = coloured(posed(puppet, skeleton), Label.UPPER_CLOTHES)[:, x - 2 : x + 3]
        return int(np.flatnonzero(column.any(1))[0])

    assert abs(collar(replace(arms, body=body)) - collar(arms)) <= 0.03 * trunk
    body[lifted, 1] += 0.08 * trunk  # shoulders that stay leave the throat as it was
    assert abs(collar(replace(arms, body=body)) - collar(arms)) <= 0.02 * trunk


def test_a_bent_head_does_not_sink_into_the_collar(puppet: Puppet) -> None:
    upright, body = standing(), standing().body.copy()
    head = [JOINT[name] for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]
    neck = float(upright.joint("neck")[1] - upright.joint("left_ear")[1])
    body[head, 1] += 0.6 * neck
    shown = coloured(posed(puppet, replace(upright, body=body)), Label.FACE).sum()
    assert shown > 0.75 * coloured(posed(puppet, upright), Label.FACE).sum()


def test_limbs_keep_their_sides(puppet: Puppet) -> None:
    pose = bent(standing(), left_elbow=-80, right_elbow=60, left_knee=-35, right_knee=20)
    warped = posed(puppet, pose)
    for side in ("left", "right"):
        for limb, a, b in (("ARM", "elbow", "wrist"), ("LEG", "knee", "ankle")):
            spot = near(middle(pose, f"{side}_{a}", f"{side}_{b}"), 6)
            assert coloured(warped, Label[f"{side.upper()}_{limb}"])[spot].mean() > 0.9


def test_limbs_stay_as_thick_as_in_the_photo(puppet: Puppet) -> None:
    before, after = standing(), bent(standing(), left_elbow=-90)
    areas = [coloured(posed(puppet, pose), Label.LEFT_ARM).sum() for pose in (before, after)]
    assert areas[1] == pytest.approx(areas[0], rel=0.15)


@pytest.mark.parametrize(("front", "back"), [("left", "right"), ("right", "left")])
def test_depth_decides_which_arm_is_in_front(puppet: Puppet, front: str, back: str) -> None:
    crossed = standing()
    body = crossed.body.copy()
    chest = (crossed.joint("neck") * 0.6 + crossed.joint("mid_hip") * 0.4).astype(np.float32)
    for side, out in (("left", 1), ("right", -1)):
        shoulder = crossed.joint(f"{side}_shoulder")
        body[JOINT[f"{side}_elbow"], :2] = shoulder + np.array([out * 12, 50])
        body[JOINT[f"{side}_wrist"], :2] = chest + np.array([-out * 22, -8])
    pose = with_world(
        replace(crossed, body=body),
        **{
            f"{front}_wrist": 0.5,
            f"{front}_elbow": 0.3,
            f"{back}_wrist": 0.2,
            f"{back}_elbow": 0.1,
        },
    )
    warped = posed(puppet, pose)
    arms = [middle(pose, f"{s}_elbow", f"{s}_wrist") for s in ("left", "right")]
    crossing = near((arms[0] + arms[1]) / 2, 5)
    assert coloured(warped, Label[f"{front.upper()}_ARM"])[crossing].mean() > 0.9


def test_between_spread_legs_nothing_hangs_below_the_thighs(puppet: Puppet) -> None:
    spread = bent(standing(), left_knee=-45, right_knee=45)
    hips, reach = middle(spread, "left_hip", "right_hip"), round(0.07 * HEIGHT)
    columns = round(float(hips[0])) + np.arange(-reach, reach + 1)
    shown = posed(puppet, spread).alpha[round(float(hips[1])) :, columns] > 0.5
    lowest = np.argmin(shown, axis=0)
    assert lowest[reach] <= lowest.min() + 0.006 * HEIGHT
    assert lowest[[0, -1]].min() > lowest[reach]


@pytest.mark.parametrize("turn", [-1.0, 0.5, 1.2])
def test_the_crotch_stays_with_the_trunk_and_the_thigh_follows_the_bone(turn: float) -> None:
    hip, bone = np.array([100, 100], np.float32), np.array([0, 60], np.float32)
    chain = Chain(hip + np.array([0, 1, 2, 2.5], np.float32)[:, None] * bone)
    crotch, knee = hip + np.array([-14, 16]), hip + bone
    points = np.array([crotch, knee], np.float32)
    widths = np.full(4, 16, np.float32)
    skin = limb_skin(chain, points, widths, inwards=np.array([-1, 0], np.float32))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    joints = (hip + (chain.joints - hip) @ turned.T).astype(np.float32)
    whole = skin.posed(joints, 0.0, np.ones(3, np.float32), 1.0, False, facing=1.0)
    aside = skin.posed(joints, 0.0, np.ones(3, np.float32), 1.0, False, facing=0.0)
    assert abs(whole[0] - complex(*crotch)) < 0.3 * abs(aside[0] - complex(*crotch))
    np.testing.assert_allclose(whole[1], complex(*joints[1]), atol=1e-3)


@pytest.mark.parametrize("degrees", [-60, -20, 0, 20, 60, 120, 200])
def test_hips_show_the_thighs_side_whole_however_the_trunk_is_turned(
    puppet: Puppet, degrees: float
) -> None:
    """A strip of a hip that turns away with the trunk would leave a ledge over the thigh."""
    turned = standing().body.copy()
    middle_x, half = standing().joint("mid_hip")[0], 0.12 * np.sin(np.radians(degrees))
    turned[:, 0] = middle_x + (turned[:, 0] - middle_x) * np.cos(np.radians(degrees))
    pairs = {f"{side}_{joint}": sign * half for joint in ("shoulder", "hip")
             for side, sign in (("left", -1), ("right", 1))}  # fmt: skip
    figure = driven_figure(with_world(replace(standing(), body=turned), **pairs), puppet.figure)
    assert figure is not None
    where = stance(figure, puppet.figure)
    assert where.back == (abs(degrees) > 90)
    sheets = [part for part in puppet.parts if isinstance(part.skin, TorsoPose)]
    for part in sheets:
        assert isinstance(part.skin, TorsoPose)
        hips, shown = part.skin.follows.sum(0) > 0.99, part.skin.posed(where)
        if shown is None or shown.facing is None:
            continue
        assert hips.sum() > 10
        assert ((shown.facing[hips] > 0) == (part.skin.far == where.back)).all()
    assert {part.skin.far for part in sheets if isinstance(part.skin, TorsoPose)} == {True, False}


def test_the_background_does_not_come_along(puppet: Puppet) -> None:
    for angle in (-150, -90, -40):
        warped = posed(puppet, bent(standing(), left_elbow=angle, right_knee=25))
        off = np.linalg.norm(warped.colour * 255 - np.array(GROUND), axis=-1)
        assert not ((off < 60) & (warped.alpha > 0.2)).any()


def test_far_from_the_person_nothing_is_painted(puppet: Puppet) -> None:
    warped = posed(puppet, standing())
    box = standing().box()
    assert box is not None
    left, top, right, bottom = box.grown(1.5).pixels(WIDTH, HEIGHT)
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[top:bottom, left:right] = False
    assert not warped.alpha[outside].any()


def test_a_person_twice_as_large_is_painted_twice_as_large(puppet: Puppet) -> None:
    pose = bent(standing(), left_elbow=-100, right_knee=20)
    small = posed(puppet, pose)
    large = puppet.pose(pose.moved(2, 0, 0), 2 * HEIGHT, 2 * WIDTH)
    shrunk = cv2.resize(large.alpha, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - small.alpha).mean() < 0.004
    colour = cv2.resize(large.colour, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    inner = cv2.erode((small.alpha > 0.99).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.abs(colour - small.colour)[inner].mean() < 0.02


def test_the_same_pose_gives_the_same_bits_in_any_order(puppet: Puppet) -> None:
    first, second = bent(standing(), left_elbow=-60), bent(standing(), right_knee=30)
    a, b = posed(puppet, first), posed(puppet, second)
    again, other = warp.cut(photo_of(standing())), posed(puppet, second)
    for one, two in ((a, posed(again, first)), (b, other)):
        for name in ("colour", "alpha", "validity", "layer", "depth"):
            assert np.array_equal(getattr(one, name), getattr(two, name))


def test_without_depth_the_pose_is_still_painted(puppet: Puppet) -> None:
    pose = replace(bent(standing(), left_elbow=-100), world=None)
    warped = posed(puppet, pose)
    spot = near(middle(pose, "left_elbow", "left_wrist"), 6)
    assert coloured(warped, Label.LEFT_ARM)[spot].mean() > 0.9


@pytest.mark.parametrize("lost", ["left_wrist", "left_elbow", "right_ankle", "left_ear", "neck"])
def test_a_joint_the_driver_hides_is_supplied(puppet: Puppet, lost: str) -> None:
    body = standing().body.copy()
    body[JOINT[lost]] = 0
    warped = posed(puppet, replace(standing(), body=body))
    whole = posed(puppet, standing())
    both = (warped.alpha > 0.5) & (whole.alpha > 0.5)
    assert both.sum() / (whole.alpha > 0.5).sum() > 0.9


def test_a_skeleton_without_a_torso_paints_nothing(puppet: Puppet) -> None:
    warped = posed(puppet, Skeleton(np.zeros((25, 3), np.float32)))
    assert not warped.alpha.any() and not warped.layer.any()


def test_a_person_partly_off_the_canvas_is_cut_at_its_edge(puppet: Puppet) -> None:
    shift = 100.0  # through an arm: along a crack it could not be known whether to close it
    whole, cropped = posed(puppet, standing()), posed(puppet, standing().moved(1, shift, 0))
    k = round(shift)
    assert whole.alpha[:, WIDTH - k].max() == 1
    assert np.abs(cropped.alpha[:, k:-1] - whole.alpha[:, : WIDTH - k - 1]).max() < 1e-3
    # The last column's outline is smoothed without what lies beyond.
    assert np.abs(cropped.alpha[:, -1] - whole.alpha[:, WIDTH - k - 1]).max() < 0.3
    assert not puppet.pose(standing().moved(1, 3 * WIDTH, 0), HEIGHT, WIDTH).alpha.any()


def test_someone_seen_from_behind_shows_hair_not_a_face(puppet: Puppet) -> None:
    front = standing()
    body = front.body.copy()
    body[:, 0] = 2 * front.joint("mid_hip")[0] - body[:, 0]
    pose = with_world(replace(front, body=body), nose=-0.1)
    warped = posed(puppet, pose)
    head = near(pose.joint("nose"), 0.02 * HEIGHT)
    assert coloured(warped, Label.HAIR)[head].mean() > 0.9
    assert not coloured(warped, Label.FACE)[head].any()
    assert warped.validity[head].max() < 0.1
    for side in ("left", "right"):
        spot = near(middle(pose, f"{side}_elbow", f"{side}_wrist"), 5)
        assert coloured(warped, Label[f"{side.upper()}_ARM"])[spot].mean() > 0.9


_ANGLES = st.floats(-100, 100)


@settings(max_examples=25, deadline=None)
@given(
    st.fixed_dictionaries({
        "left_elbow": _ANGLES, "left_wrist": _ANGLES, "right_elbow": _ANGLES,
        "right_wrist": _ANGLES, "left_knee": st.floats(-80, 15), "right_knee": st.floats(-15, 80),
        "left_ankle": st.floats(0, 90), "right_ankle": st.floats(-90, 0),
    }),
    st.floats(0.4, 1.3), st.booleans(),
)  # fmt: skip
def test_any_plausible_pose_is_one_whole_person(
    angles: dict[str, float], scale: float, world: bool
) -> None:
    pose = bent(standing(), **angles).moved(scale, 0, 0)
    pose = pose if world else replace(pose, world=None)
    warped = standing_puppet().pose(pose, HEIGHT, WIDTH)
    for plane in (warped.colour, warped.alpha, warped.validity, warped.depth):
        assert np.isfinite(plane).all()
    assert warped.alpha.max() <= 1 and warped.alpha.min() >= 0
    _, _, stats, _ = cv2.connectedComponentsWithStats((warped.alpha > 0.5).astype(np.uint8))
    if len(stats) > 1 and scale <= 0.9:
        assert stats[1:, 4].max() / stats[1:, 4].sum() > 0.97
    assert holes(warped, scale) == 0


def test_a_collapsed_skeleton_does_not_crash(puppet: Puppet) -> None:
    body = np.ones((25, 3), np.float32)
    body[:, :2] = 100
    warped = posed(puppet, with_world(Skeleton(body)))
    assert np.isfinite(warped.colour).all() and warped.alpha.sum() < 400


def test_someone_from_behind_without_depth_shows_no_face(puppet: Puppet) -> None:
    front = standing()
    body = front.body.copy()
    body[:, 0] = 2 * front.joint("mid_hip")[0] - body[:, 0]
    warped = posed(puppet, Skeleton(body))
    assert not coloured(warped, Label.FACE)[near(body[JOINT["nose"], :2], 8)].any()


def test_a_head_photographed_from_the_side_keeps_its_side() -> None:
    aside = turned_head(standing(), 0.08)
    target = photo_of(aside)
    x, y = target.skeleton.joint("nose")
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    behind = (labels == Label.FACE) & (np.arange(WIDTH) < x) & (np.arange(HEIGHT) < y + 20)[:, None]
    rgb[behind], labels[behind] = COLOURS[Label.HAIR], Label.HAIR
    puppet = warp.cut(Target(Frame(rgb), target.mask, LabelMap(labels), target.skeleton))
    for towards in (-0.02, 0.0, 0.02):
        warped = posed(puppet, turned_head(standing(), towards))
        row = int(standing().joint("nose")[1]) - 5
        across = np.flatnonzero(warped.alpha[row] > 0.9)
        assert coloured(warped, Label.HAIR)[row, across[: len(across) // 3]].all()
        assert coloured(warped, Label.FACE)[row, across[-len(across) // 3 :]].mean() > 0.6


def turned_head(skeleton: Skeleton, metres: float) -> Skeleton:
    """The right ear that much nearer than the middle of the head, the left one farther."""
    reach = 0.085 * np.sqrt(1 - (metres / 0.085) ** 2) if abs(metres) < 0.085 else 0.0
    body = skeleton.body.copy()
    scale = 0.85 * 0.9 * HEIGHT / 1.7
    for name, sign in (("left_ear", 1), ("right_ear", -1)):
        body[JOINT[name], 0] = skeleton.joint("nose")[0] + sign * reach * scale
    body[JOINT["nose"], 0] += 1.2 * metres * scale
    nose = 0.1 * np.sqrt(max(0, 1 - (metres / 0.085) ** 2))
    return with_world(replace(skeleton, body=body), right_ear=metres, left_ear=-metres, nose=nose)


@pytest.mark.parametrize("trunk", [-0.05, 0.0, 0.05])
def test_the_neck_of_a_kept_profile_is_kept_whichever_way_the_trunk_errs(trunk: float) -> None:
    here = Place(np.zeros(2, np.float32), np.array([0, 1], np.float32), trunk)
    outline = Profile(0.0, 2.0, np.zeros(48, np.float32), np.full(48, 20, np.float32))
    vertices = np.array([[-10, 5], [0, 20], [12, 40]], np.float32)
    skin = round_skin(here, outline, vertices, 60.0, TORSO_BUILD, False, aside(-1.0))
    towards, _, _ = skin.posed(replace(here, yaw=0.9))
    away, _, _ = skin.posed(replace(here, yaw=-0.9))
    assert np.abs(towards - vertices).max() < 2
    assert np.abs(away - vertices).max() > 5
