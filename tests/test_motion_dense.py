"""Image-based dense maps follow the bones."""

from __future__ import annotations

import cv2
import numpy as np
from motion_puppet import BONE, bones, head_and_shoulders, puppet, rest_angles

from dancecli.motion import warp_dense
from dancecli.motion.body import SHARES
from dancecli.types import JOINT, DenseMap, Skeleton

LIMBS = {
    7: ("right_hip", "right_knee"), 12: ("left_knee", "left_ankle"),
    17: ("left_shoulder", "left_elbow"), 22: ("right_elbow", "right_wrist"),
}  # fmt: skip
"""A visible DensePose part of some limbs."""


def dense_of(skeleton: Skeleton, size: tuple[int, int]) -> DenseMap:
    """Capsules along the limbs, U growing along the bone, V constant."""
    width, height = size
    iuv = np.zeros((height, width, 3), np.float32)
    rows, columns = np.mgrid[:height, :width] + 0.5
    for part, (a, b) in LIMBS.items():
        p, q = skeleton.joint(a).astype(float), skeleton.joint(b).astype(float)
        mask = np.zeros((height, width), np.uint8)
        cv2.line(mask, tuple(p.astype(int).tolist()), tuple(q.astype(int).tolist()), 1, 14)
        along = ((columns - p[0]) * (q - p)[0] + (rows - p[1]) * (q - p)[1]) / ((q - p) ** 2).sum()
        iuv[mask > 0] = np.stack(
            [np.full_like(along, part), np.clip(along, 0, 1), np.full_like(along, 0.5)], -1
        )[mask > 0]
    return DenseMap(iuv)


def middles(skeleton: Skeleton) -> dict[int, np.ndarray]:
    return {p: (skeleton.joint(a) + skeleton.joint(b)) / 2 for p, (a, b) in LIMBS.items()}


def test_parts_lie_on_the_moved_bones():
    source = puppet(bones(380), foot=(250, 450))
    angles = rest_angles()
    angles[BONE["left_elbow"]] -= 1.2
    angles[BONE["right_knee"]] += 0.5
    goal = puppet(bones(500, {"elbow": 1.2, "knee": 0.9}), angles, foot=(350, 560))
    moved = warp_dense(dense_of(source, (500, 500)), source, goal, (700, 600))
    assert moved.iuv.shape == (600, 700, 3) and moved.iuv.dtype == np.float32
    assert set(np.unique(moved.iuv[..., 0])) == {0.0, *map(float, LIMBS)}
    for part, middle in middles(goal).items():
        rows, columns = np.nonzero(moved.iuv[..., 0] == part)
        assert np.abs(np.array([columns.mean(), rows.mean()]) - middle).max() < 8
        x, y = middle.astype(int)
        assert abs(moved.iuv[y, x, 1] - 0.5) < 0.1 and moved.iuv[y, x, 2] == 0.5


def test_an_unmoved_body_keeps_its_map():
    source = puppet(bones(380), foot=(250, 450))
    dense = dense_of(source, (500, 500))
    same = warp_dense(dense, source, source, (500, 500))
    was = dense.iuv[..., 0] > 0
    assert (same.iuv[was] == dense.iuv[was]).mean() > 0.99


def test_the_nearer_limb_lies_on_top():
    source = puppet(bones(380), foot=(250, 450))
    angles = rest_angles()
    angles[BONE["right_wrist"]] = angles[BONE["right_elbow"]] = 1.2
    body = puppet(bones(380), angles, foot=(250, 450))
    depth = np.zeros((25, 1), np.float32)
    world = np.hstack([body.body[:, :2] / 200, depth]).astype(np.float32)
    tops = []
    for near in (-0.4, 0.4):
        lifted = world.copy()
        lifted[[JOINT["right_elbow"], JOINT["right_wrist"]], 2] = near
        goal = Skeleton(body.body, world=lifted)
        dense = DenseMap(np.zeros((500, 500, 3), np.float32))
        for part, (a, b) in {2: ("neck", "mid_hip"), 22: LIMBS[22]}.items():
            mask = np.zeros((500, 500), np.uint8)
            p, q = (tuple(source.joint(n).astype(int).tolist()) for n in (a, b))
            cv2.line(mask, p, q, 1, 60 if part == 2 else 16)
            dense.iuv[mask > 0] = (part, 0.5, 0.5)
        moved = warp_dense(dense, source, goal, (500, 500))
        tops.append(int((moved.iuv[..., 0] == 22).sum()))
    assert tops[0] > tops[1] + 100


def test_limbs_that_point_at_the_camera_are_not_stretched():
    source = puppet(bones(380), foot=(250, 450))
    short = SHARES * 380
    short[BONE["left_elbow"]] = 1.0
    flat = puppet(short, foot=(250, 450))
    moved = warp_dense(dense_of(flat, (500, 500)), flat, source, (500, 500))
    rows, _ = np.nonzero(moved.iuv[..., 0] == 17)
    assert len(rows) == 0 or np.ptp(rows) < 60


def test_an_empty_map_stays_empty():
    source = puppet(bones(380), foot=(250, 450))
    empty = DenseMap(np.zeros((500, 500, 3), np.float32))
    assert not warp_dense(empty, source, source, (300, 200)).iuv.any()


def test_head_and_shoulders_carry_no_more_than_there_is():
    source = puppet(bones(380), foot=(250, 450))
    dense = dense_of(source, (500, 500))
    whole = warp_dense(dense, source, source, (500, 500)).iuv[..., 0] > 0
    shown_part = warp_dense(dense, head_and_shoulders(source), source, (500, 500)).iuv[..., 0] > 0
    assert (shown_part & ~whole).mean() < 0.01
