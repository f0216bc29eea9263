"""What is checked of a `PoseExtractor`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dancecli.mirror import mirrored_skeleton
from dancecli.testing import pictures
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite, seen
from dancecli.testing.judging import is_skeleton, or_refuses, require
from dancecli.testing.outcomes import CannotTellError
from dancecli.types import SEEN, Box, Frame, Skeleton

ASTRAY = 0.1
"""Mean distance in a mirror, in heights of the person, up to which joints count as the same."""


def _types(case: Case) -> None:
    for frame in (pictures.figure().frame, case.frame):
        people = case.plugin.extract(frame)
        require(isinstance(people, list), "extract does not return a list")
        for skeleton in people:
            is_skeleton(skeleton)
    require(case.photo is None or people, "nobody found in the photo that was given")


def _found(plugin: Any, frame: Frame, boxes: list[Box] | None = None) -> list[Skeleton]:
    people: list[Skeleton] = plugin.extract(frame, boxes)
    require(people, "nobody is found")
    return people


def _box(skeleton: Skeleton) -> Box:
    box = skeleton.box()
    if box is None:
        raise AssertionError("somebody without a joint that is seen")
    return box


def _in_place(case: Case) -> None:
    person, frame = _found(case.plugin, case.frame)[0], case.frame
    joints = person.body[person.body[:, 2] >= SEEN, :2]
    inside = ((joints >= 0) & (joints <= (frame.width, frame.height))).all(1)
    require(len(joints) >= 8, f"only {len(joints)} joints of the body are seen")
    require(inside.mean() > 0.8, "joints that are seen lie outside the frame")


def _reads_pixels(case: Case) -> None:
    """A picture made here has no file, so who reads what was written of files is not shown any."""
    bare = replace(case.frame, source=None)
    if not case.plugin.extract(bare) and case.plugin.extract(case.frame):
        raise CannotTellError("reads what was written of a file, which a made picture has not")


def _two(case: Case) -> None:
    _reads_pixels(case)
    both = pictures.two_frames(case.frame)
    people = _found(case.plugin, both)
    require(len(people) >= 2, "of two people one is found")
    larger, smaller = (_box(each).center[0] for each in people[:2])
    edge = both.width - case.frame.width
    require(smaller < edge < larger, "the larger of two people does not come first")


def _boxes(case: Case) -> None:
    _reads_pixels(case)
    both = pictures.two_frames(case.frame)
    large, small = (_box(each).grown(1.1) for each in _found(case.plugin, both)[:2])
    asked = [small, large]
    people = _found(case.plugin, both, asked)
    require(len(people) == 2, f"{len(people)} people in two boxes that show one each")
    for box, skeleton in zip(asked, people, strict=True):
        x, y = _box(skeleton).center
        inside = box.left < x < box.right and box.top < y < box.bottom
        require(inside, "people do not come in the order of their boxes")


def _no_boxes(case: Case) -> None:
    grey = pictures.nobody().frame
    require(case.plugin.extract(case.frame, []) == [], "somebody is found without a box")
    found = case.plugin.extract(grey, [Box(20, 10, 100, 110)])
    require(found == [], "somebody is found in a box that shows nobody")


def _sides(case: Case) -> None:
    _reads_pixels(case)
    mirror = pictures.mirrored_frame(case.frame)
    person, reflected = (_found(case.plugin, frame)[0] for frame in (case.frame, mirror))
    for each in (person, reflected):
        shoulders = each.joint("left_shoulder")[0] - each.joint("right_shoulder")[0]
        require(shoulders > 0, "the left shoulder of somebody who faces us is not on the right")
    expected = mirrored_skeleton(person, mirror.width).body
    both = (expected[:, 2] >= SEEN) & (reflected.body[:, 2] >= SEEN)
    apart = np.linalg.norm(expected[both, :2] - reflected.body[both, :2], axis=1).mean()
    apart /= max(_box(person).height, 1.0)
    require(apart < ASTRAY, f"joints in a mirror are {apart:.2f} heights astray")


def _empty(case: Case) -> None:
    found = case.plugin.extract(pictures.nobody().frame)
    require(found == [], f"{len(found)} people found in a grey picture")


def _tiny(case: Case) -> None:
    for target in pictures.tiny():
        people = or_refuses(lambda frame=target.frame: case.plugin.extract(frame))  # type: ignore[misc]
        for skeleton in people or []:
            is_skeleton(skeleton)


SUITE: Suite = {
    "returns skeletons of the right types": _types,
    "finds the joints in the frame": seen(_in_place),
    "finds two people, the larger first": seen(_two, made=True),
    "looks into the boxes, in their order": seen(_boxes, made=True),
    "finds nobody without a box, or in an empty one": _no_boxes,
    "tells left from right, also in a mirror": seen(_sides, made=True),
    "finds nobody in an empty picture": _empty,
    "takes a picture of a few pixels": _tiny,
    **behaviour(
        lambda plugin, frame: plugin.extract(frame),
        lambda case: (case.frame, pictures.figure(120, 160).frame),
    ),
}
