"""Whether what is found of a person lies where that person is, and left on their left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from dancecli.testing import pictures
from dancecli.testing.judging import require
from dancecli.types import BODY_25, SEEN, BoolArray, FloatArray, Skeleton, Target

MIDDLE = ("neck", "mid_hip", "right_hip", "left_hip", "right_knee", "left_knee")
"""Joints with the body all around them."""


def in_the_middle(found: Any, target: Target) -> None:
    """Most of the seen joints of MIDDLE are within what was found, (H, W), more than a half."""
    inside = []
    for name in MIDDLE:
        x, y = (int(v) for v in target.skeleton.joint(name))
        shown = 0 <= x < target.frame.width and 0 <= y < target.frame.height
        if target.skeleton.seen(name) and shown:
            inside.append(bool(found[y, x] > 0.5))
    require(inside, "no joint of the trunk is seen in the picture")
    require(np.mean(inside) > 0.5, "the middle of the body is not found")


def of_one_of_two(find: Callable[[Target], Any], target: Target) -> None:
    """What `find` makes of each of two people, (H, W), is theirs alone."""
    edge = round(target.frame.width * pictures.SMALLER)
    larger, smaller = pictures.two_people(target)
    for person, other in ((larger, np.s_[:, :edge]), (smaller, np.s_[:, edge:])):
        found = find(person)
        share = float(found[other].sum()) / max(float(found.sum()), 1.0)
        require(found.max() > 0.5, "one of two people is not found")
        require(share < 0.1, f"{share:.0%} of what is found is somebody else's")


def on_their_sides(left: BoolArray, right: BoolArray, skeleton: Skeleton) -> None:
    """Most pixels of both maps (H, W) lie nearer to joints of their side than of the other's."""
    require(left.any() and right.any(), "nothing is called left, or nothing right")
    for name, found in (("left", left), ("right", right)):
        pixels = np.argwhere(found)[:, ::-1].astype(np.float32) + 0.5
        near, far = (_distance(pixels, _joints(skeleton, side)) for side in _sides(name))
        share = float((near < far).mean())
        require(share > 0.6, f"only {share:.0%} of what is called {name} lie on the {name}")


def _sides(name: str) -> Iterable[str]:
    return (name, "right" if name == "left" else "left")


def _joints(skeleton: Skeleton, side: str) -> FloatArray:
    rows = [i for i, joint in enumerate(BODY_25) if joint.startswith(f"{side}_")]
    joints = skeleton.body[rows]
    found: FloatArray = joints[joints[:, 2] >= SEEN, :2]
    require(len(found), f"no {side} joint is seen")
    return found


def _distance(pixels: FloatArray, joints: FloatArray) -> FloatArray:
    apart: FloatArray = np.linalg.norm(pixels[:, None] - joints[None], axis=2).min(1)
    return apart
