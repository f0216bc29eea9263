"""Motion clips, stances and hands of the synthetic humans."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from dance_synth.assets import Assets, open_assets
from dance_synth.motion import hands, retarget, stances
from dance_synth.motion import performance as motion
from dance_synth.motion.bvh import Clip, parse_bvh, read_bvh
from dance_synth.motion.rotations import (
    about_axis,
    between,
    from_vector,
    matrices,
    partway,
    quaternions,
    smooth,
)
from dance_synth.skinning import RigPose

from dancecli.errors import MediaError

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "assets" / "humans"
ASSETS = Path(os.environ.get("DANCE_TEST_ASSETS") or _BESIDE)

needs_assets = pytest.mark.skipif(
    not (ASSETS / "MANIFEST.json").is_file(),
    reason=f"the human asset pack is not in {ASSETS}; set DANCE_TEST_ASSETS",
)

SMALL = """HIERARCHY
ROOT hip
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT arm
  {
    OFFSET 1 2 3
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 90 5 30 20 10 0 0 90
1 91 5 30 20 10 40 50 60
"""


@pytest.fixture(scope="module")
def assets() -> Assets:
    return open_assets(ASSETS)


@pytest.fixture(scope="module")
def rig(assets: Assets) -> retarget.Rig:
    return motion.rig_of(assets)


def joints_of(rig: retarget.Rig, pose: RigPose) -> dict[str, np.ndarray]:
    """Where each bone of the neutral body starts in a pose."""
    places = rig.heads.copy()
    for bone, parent in enumerate(rig.parents):
        if parent >= 0:
            step = rig.heads[bone] - rig.heads[parent]
            places[bone] = places[parent] + pose.rotations[parent] @ step
    return dict(zip(rig.bones, places, strict=True))


# Files


def test_channels_turn_in_the_order_that_each_joint_states() -> None:
    clip = parse_bvh("small", SMALL.encode())
    z, y, x = (about_axis(axis, np.radians(a)) for axis, a in ((2, 30), (1, 20), (0, 10)))
    np.testing.assert_allclose(clip.rotations[0, 0], z @ y @ x, atol=1e-12)
    z, x, y = (about_axis(axis, np.radians(a)) for axis, a in ((2, 40), (0, 50), (1, 60)))
    np.testing.assert_allclose(clip.rotations[1, 1], z @ x @ y, atol=1e-12)
    np.testing.assert_allclose(clip.root, [[0, 90, 5], [1, 91, 5]])
    assert clip.joints == ("hip", "arm") and clip.parents == (-1, 0)
    assert clip.fps == pytest.approx(25) and clip.seconds == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("ROOT hip", "ROUTE hip"), "'ROUTE' where 'ROOT'"),
        (("Frames: 2", "Frames: 3"), "18 values for 3 frames"),
        (("Frames: 2", "Frames: 1e99"), "whole number"),
        (("Frames: 2", "Frames: -1"), "whole number"),
        (("Time: 0.04", "Time: 0"), "2 frames of 0 s"),
        (("OFFSET 1 2 3", "OFFSET 1 nan 3"), "'nan' where a number"),
        (("40 50 60", "40 inf 60"), "not all finite"),
        (("40 50 60", "40 x 60"), "not all numbers"),
        (("JOINT arm", "JOINT hip"), "repeats joint 'hip'"),
        (("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation"), "channels"),
        (("CHANNELS 3 Zrotation", "CHANNELS 7 Zrotation"), "whole number up to 6"),
        (("MOTION", ""), "where 'MOTION'"),
        (("HIERARCHY", "HIÉRARCHIE"), "ASCII"),
    ],
)
def test_a_damaged_clip_is_refused_in_one_line(change: tuple[str, str], message: str) -> None:
    with pytest.raises(MediaError) as caught:
        parse_bvh("damaged", SMALL.replace(*change).encode())
    assert message in str(caught.value) and "damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(cut=st.integers(0, len(SMALL)), junk=st.binary(max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_clip_or_a_media_error(cut: int, junk: bytes) -> None:
    data = SMALL.encode()[:cut] + junk + SMALL.encode()[cut:]
    for candidate in (data, data[: cut + len(junk)]):
        try:
            clip = parse_bvh("fuzzed", candidate)
        except MediaError:
            continue
        assert np.isfinite(clip.rotations).all()


def test_a_deep_hierarchy_ends_at_the_limit(tmp_path: Path) -> None:
    joint = "JOINT j{} {{ OFFSET 0 0 0 CHANNELS 0 "
    text = "HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 0 "
    (tmp_path / "deep.bvh").write_text(text + "".join(joint.format(i) for i in range(5000)))
    with pytest.raises(MediaError, match="more than 512"):
        read_bvh(tmp_path / "deep.bvh")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"nowhere\.bvh"):
        read_bvh(tmp_path / "nowhere.bvh")


# Rotations


@given(st.lists(st.floats(-3.1, 3.1), min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_quaternions_and_matrices_agree(vector: list[float]) -> None:
    turn = from_vector(vector)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(matrices(quaternions(turn)), turn, atol=1e-9)


def test_partway_and_between_have_the_angles_they_say() -> None:
    half = partway(about_axis(1, 0.2), about_axis(1, 1.4), 0.25)
    np.testing.assert_allclose(half, about_axis(1, 0.5), atol=1e-12)
    np.testing.assert_allclose(between([1, 0, 0], [0, 2, 0]), about_axis(2, np.pi / 2), atol=1e-12)
    opposite = between([0, 1, 0], [0, -1, 0])
    np.testing.assert_allclose(opposite @ [0, 1, 0], [0, -1, 0], atol=1e-12)
    assert np.linalg.det(opposite) == pytest.approx(1)


def test_the_curve_passes_through_its_frames_and_is_smooth() -> None:
    frames = np.array([[0.0], [1.0], [0.5], [3.0]])
    for number, value in enumerate(frames):
        assert smooth(frames, number) == pytest.approx(value)
    speeds = [
        (smooth(frames, 1 + d) - smooth(frames, 1 - d + 1e-9)) / (2 * d) for d in (1e-4, 1e-3)
    ]
    assert speeds[0] == pytest.approx(speeds[1], abs=0.02)
    assert smooth(frames, -5) == 0 and smooth(frames, 99) == 3


# Retargeting


def _clip(assets: Assets, turns: dict[str, np.ndarray], frames: int = 2) -> Clip:
    """A clip on the pack's hierarchy in its T-pose but for some joints."""
    name = motion.clips(assets)[0]
    known = parse_bvh(name, assets.content(f"motions/{name}.bvh"))
    rotations = np.tile(np.eye(3), (frames, len(known.joints), 1, 1))
    for joint, turn in turns.items():
        rotations[:, known.joints.index(joint)] = turn
    root = np.tile(known.root[:1] * (0, 0, 0) + (0, 84, 0), (frames, 1))
    return Clip("made", known.joints, known.parents, known.offsets, root, rotations, 30)


def _still(rig: retarget.Rig, clip: Clip, mirrored: bool = False) -> RigPose:
    """The clip's first frame without noise."""
    none = motion.JointNoise(*(np.zeros((1, 19, 3)) for _ in range(3)))
    rest = hands.HANDS["rest"]
    prepared = motion.prepare(clip, rig)
    return motion.Performance(
        rig, prepared, 0.0, mirrored, 0.0, True, (rest, rest), none
    ).at(0.0)  # fmt: skip


@needs_assets
def test_the_zero_pose_is_a_t_pose_with_palms_down(assets: Assets, rig: retarget.Rig) -> None:
    pose = _still(rig, _clip(assets, {}))
    place = joints_of(rig, pose)
    for side, sign in (("L", 1), ("R", -1)):
        arm = place[f"lowerarm01.{side}"] - place[f"upperarm01.{side}"]
        assert sign * arm[0] > 0.95 * np.linalg.norm(arm)
        leg = place[f"foot.{side}"] - place[f"upperleg01.{side}"]
        assert -leg[1] > 0.98 * np.linalg.norm(leg)
        palm = pose.rotations[rig.bones.index(f"wrist.{side}")] @ rig.palm(side)
        assert palm[1] < -0.8


@needs_assets
def test_a_known_turn_arrives_on_the_right_limb(assets: Assets, rig: retarget.Rig) -> None:
    # The left arm's +90 degrees about z lift it from straight out to straight up.
    raised = joints_of(rig, _still(rig, _clip(assets, {"lShldr": about_axis(2, np.pi / 2)})))
    assert raised["lowerarm01.L"][1] - raised["upperarm01.L"][1] > 0.2
    assert abs(raised["lowerarm01.R"][1] - raised["upperarm01.R"][1]) < 0.05
    knee = joints_of(rig, _still(rig, _clip(assets, {"rShin": about_axis(0, np.pi / 2)})))
    assert knee["foot.R"][2] < knee["lowerleg01.R"][2] - 0.3
    assert abs(knee["foot.L"][2] - knee["lowerleg01.L"][2]) < 0.1


@needs_assets
def test_the_body_turns_as_a_whole_and_bones_between_turn_by_half(
    assets: Assets, rig: retarget.Rig
) -> None:
    pose = _still(rig, _clip(assets, {"abdomen": about_axis(1, 0.8)}))
    turned = {
        bone: pose.rotations[rig.bones.index(bone)] for bone in ("spine04", "spine03", "head")
    }
    np.testing.assert_allclose(turned["spine04"], about_axis(1, 0.4), atol=1e-5)
    np.testing.assert_allclose(turned["spine03"], about_axis(1, 0.8), atol=1e-5)
    np.testing.assert_allclose(turned["head"], about_axis(1, 0.8), atol=1e-5)


@needs_assets
def test_mirroring_exchanges_left_and_right(assets: Assets, rig: retarget.Rig) -> None:
    clip = _clip(assets, {"lShldr": from_vector([0.4, -0.9, 0.7]), "rThigh": about_axis(0, -0.6)})
    plain, mirrored = (joints_of(rig, _still(rig, clip, flip)) for flip in (False, True))
    for bone, place in plain.items():
        other = bone[:-1] + {"L": "R", "R": "L"}[bone[-1]] if bone[-2:] in (".L", ".R") else bone
        if bone.startswith("neck"):
            continue  # the pack's neck bones start beside the middle
        np.testing.assert_allclose(mirrored[other], place * (-1, 1, 1), atol=0.02)


@needs_assets
def test_a_wrung_wrist_turns_the_forearm_by_half(assets: Assets, rig: retarget.Rig) -> None:
    along = motion._zero_directions(_clip(assets, {}))["lForeArm"]
    pose = _still(rig, _clip(assets, {"lHand": from_vector(along * 1.2)}))
    upper, lower, hand = (
        pose.rotations[rig.bones.index(f"{bone}.L")]
        for bone in ("lowerarm01", "lowerarm02", "wrist")
    )
    angles = [float(np.arccos((np.trace(upper.T @ turn) - 1) / 2)) for turn in (lower, hand)]
    assert angles == pytest.approx([0.6, 1.2], abs=0.01)


@needs_assets
def test_a_clip_without_a_joint_is_refused(rig: retarget.Rig) -> None:
    with pytest.raises(MediaError, match="no joint abdomen"):
        motion.prepare(parse_bvh("small", SMALL.encode()), rig)


# Performances


@needs_assets
def test_a_performance_starts_where_it_was_told_to_look(assets: Assets, rig: retarget.Rig) -> None:
    for seed, name in enumerate(motion.clips(assets)[::9]):
        played = motion.perform(
            rig, motion.motion(assets, name), np.random.default_rng(seed), 1.0, yaw=0.7
        )
        forward = played.at(0.0).rotations[0] @ (0, 0, 1)
        assert np.arctan2(forward[0], forward[2]) == pytest.approx(0.7, abs=0.02)
        assert played.seconds >= 1.0


@needs_assets
def test_poses_are_proper_rotations_and_move_smoothly(assets: Assets, rig: retarget.Rig) -> None:
    source = motion.motion(assets, "cmu_salsa_04_0030")
    played = motion.perform(rig, source, np.random.default_rng(3), 4.0)
    poses = np.stack([played.at(t).rotations for t in np.arange(0, 4, 1 / 60)])
    products = poses @ poses.transpose(0, 1, 3, 2)
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), products.shape), atol=1e-4)
    assert np.linalg.det(poses) == pytest.approx(1, abs=1e-4)
    # Nothing jumps: at 60 frames per second no bone turns more than 20 degrees.
    steps = np.trace(poses[1:] @ poses[:-1].transpose(0, 1, 3, 2), axis1=2, axis2=3)
    assert np.degrees(np.arccos(np.clip((steps - 1) / 2, -1, 1))).max() < 20


@needs_assets
def test_a_time_gives_the_same_pose_in_any_order(assets: Assets, rig: retarget.Rig) -> None:
    source = motion.motion(assets, motion.clips(assets)[5])
    first, second = (motion.perform(rig, source, np.random.default_rng(8), 2.0) for _ in range(2))
    forwards = [first.at(t).rotations for t in (0.0, 0.7, 1.9)]
    backwards = [second.at(t).rotations for t in (1.9, 0.7, 0.0)]
    for one, other in zip(forwards, backwards[::-1], strict=True):
        assert np.array_equal(one, other)
    different = motion.perform(rig, source, np.random.default_rng(9), 2.0)
    assert not np.array_equal(different.at(0.7).rotations, forwards[1])


@needs_assets
def test_longer_legs_travel_further(assets: Assets, rig: retarget.Rig) -> None:
    source = motion.motion(assets, "cmu_salsa_07_0030")
    played = motion.perform(rig, source, np.random.default_rng(1), 3.0)
    short, tall = (played.at(2.0, leg).shift for leg in (0.7, 0.98))
    np.testing.assert_allclose(tall, short * 1.4, rtol=1e-4)
    np.testing.assert_allclose(played.at(0.0).shift[[0, 2]], 0, atol=1e-6)


@needs_assets
def test_only_clips_that_jump_leave_the_ground(assets: Assets, rig: retarget.Rig) -> None:
    jumps = []
    for name in motion.clips(assets):
        source = motion.motion(assets, name)
        played = motion.perform(rig, source, np.random.default_rng(0), source.seconds)
        jumps.append(not played.grounded)
        assert np.median(np.abs(source.lift)) < 0.06
    assert 0 < sum(jumps) < len(jumps) / 2


@needs_assets
def test_pose_at_is_the_clip_at_that_time(assets: Assets) -> None:
    name = motion.clips(assets)[0]
    early, late = (
        motion.pose_at(assets, name, t, np.random.default_rng(2)).rotations for t in (0.5, 4.0)
    )
    assert early.shape == (79, 3, 3) and early.dtype == np.float32
    assert not np.allclose(early, late, atol=0.2)


# Stances


@needs_assets
@pytest.mark.parametrize("name", sorted(stances.STANCES))
def test_every_stance_keeps_hands_and_feet_where_it_says(rig: retarget.Rig, name: str) -> None:
    rng = np.random.default_rng(4)
    turned, both = stances.stance(rig, rng, name)
    place = joints_of(rig, motion.rig_pose(rig, turned, both))
    assert place["head"][1] > place["root"][1] + 0.4
    for side in "LR":
        for chain in (("upperarm01", "lowerarm01", "wrist"), ("upperleg01", "lowerleg01", "foot")):
            start, middle, end = (place[f"{bone}.{side}"] for bone in chain)
            assert np.isfinite(end).all()
            rest = [rig.at(f"{bone}.{side}") for bone in chain]
            length = np.linalg.norm(rest[1] - rest[0]), np.linalg.norm(rest[2] - rest[1])
            found = np.linalg.norm(middle - start), np.linalg.norm(end - middle)
            np.testing.assert_allclose(found, length, rtol=0.03)


@needs_assets
def test_stances_look_as_they_are_called(rig: retarget.Rig) -> None:
    def place(name: str) -> dict[str, np.ndarray]:
        turned, both = stances.stance(rig, np.random.default_rng(0), name)
        return joints_of(rig, motion.rig_pose(rig, turned, both))

    up, down, sit = place("arms up"), place("relaxed"), place("sitting")
    assert min(up[f"wrist.{s}"][1] for s in "LR") > up["head"][1] + 0.1
    assert max(down[f"wrist.{s}"][1] for s in "LR") < down["spine05"][1] + 0.1
    assert min(sit[f"lowerleg01.{s}"][2] for s in "LR") > sit["root"][2] + 0.25
    t = place("T")
    assert t["wrist.L"][0] > t["upperarm01.L"][0] + 0.35
    assert t["wrist.R"][0] < t["upperarm01.R"][0] - 0.35
    crossed = place("arms crossed")
    assert crossed["wrist.L"][0] < 0.03 and crossed["wrist.R"][0] > -0.03


@needs_assets
def test_standing_poses_vary_but_follow_their_generator(assets: Assets) -> None:
    def made(seed: int) -> RigPose:
        return motion.standing_pose(assets, np.random.default_rng(seed))

    assert np.array_equal(made(5).rotations, made(5).rotations)
    assert not np.array_equal(made(5).rotations, made(6).rotations)
    assert all(made(seed).grounded for seed in range(3))


def test_most_people_look_at_the_camera_some_away() -> None:
    rng = np.random.default_rng(0)
    yaws = np.array([motion.random_heading(rng) for _ in range(3000)])
    facing = np.cos(yaws)
    assert 0.6 < (facing > 0.7).mean() < 0.75
    assert 0.05 < (facing < -0.7).mean() < 0.12
    assert 0.15 < (np.abs(facing) < 0.7).mean() < 0.35


# Hands


@needs_assets
def test_fingers_curl_into_the_palm_on_both_hands(rig: retarget.Rig) -> None:
    for side in "LR":
        palm, wrist = rig.palm(side), rig.at(f"wrist.{side}")
        for finger in hands.FINGERS[1:]:
            tip, base = (rig.at(f"finger{finger}-{j}.{side}") for j in (3, 1))
            turn = from_vector(hands.curl_axis(rig, side, finger) * 0.5)
            moved = base + turn @ (tip - base)
            assert (moved - tip) @ palm > 0.01
            assert np.linalg.norm(moved - wrist) < np.linalg.norm(tip - wrist)


@needs_assets
def test_a_fist_is_closed_an_open_hand_spread_and_a_finger_points(rig: retarget.Rig) -> None:
    def reach(name: str) -> tuple[np.ndarray, float]:
        bones = np.tile(np.eye(3), (len(rig.bones), 1, 1))
        for side in "LR":
            hands.bend_fingers(rig, bones, side, hands.HANDS[name])
        place = joints_of(rig, RigPose(bones.astype(np.float32), np.zeros(3, np.float32)))
        tips = np.stack([place[f"finger{finger}-3.L"] for finger in hands.FINGERS])
        mirrored = np.stack([place[f"finger{finger}-3.R"] for finger in hands.FINGERS])
        np.testing.assert_allclose(tips * (-1, 1, 1), mirrored, atol=1e-6)
        span = float(np.linalg.norm(tips[1] - tips[4]))
        return np.linalg.norm(tips - place["wrist.L"], axis=1), span

    (rest, rest_span), (fist, _), (point, _), (_, wide) = map(
        reach, ("rest", "fist", "point", "open")
    )
    assert (fist[1:] < 0.7 * rest[1:]).all()
    assert point[1] > 0.95 * rest[1] and (point[2:] < 0.75 * rest[2:]).all()
    assert wide > rest_span + 0.01


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_random_hands_stay_within_what_fingers_can_do(seed: int) -> None:
    hand = hands.random_hand(np.random.default_rng(seed))
    assert len(hand.curl) == 5 and all(-0.3 <= curl <= 1.5 for curl in hand.curl)
    assert abs(hand.spread) < 0.25
