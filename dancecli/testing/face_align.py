"""What is checked of a `FaceAligner`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dancecli.keypoints import LEFT_EYE, RIGHT_EYE
from dancecli.mirror import OTHER_FACE, mirrored_points
from dancecli.testing import pictures
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite, seen
from dancecli.testing.judging import in_unit, is_array, or_refuses, require
from dancecli.types import SEEN, FloatArray, Frame

ASTRAY = 0.25
"""Mean distance in a mirror, in widths of the face, up to which points count as the same."""


def _points(plugin: Any, frame: Frame, hint: FloatArray | None = None) -> FloatArray | None:
    found: FloatArray | None = plugin.landmarks(frame, hint)
    if found is not None:
        is_array(found, np.float32, (70, 3), "landmarks")
        in_unit(found[:, 2], "confidence")
    return found


def _face(plugin: Any, frame: Frame, hint: FloatArray | None = None) -> FloatArray:
    found = _points(plugin, frame, hint)
    if found is None:
        raise AssertionError("no face is found")
    return found


def _types(case: Case) -> None:
    _points(case.plugin, pictures.figure().frame)
    _points(case.plugin, case.frame)


def _in_place(case: Case) -> None:
    face, frame = _face(case.plugin, case.frame), case.frame
    points = face[face[:, 2] >= SEEN, :2]
    inside = ((points >= 0) & (points <= (frame.width, frame.height))).all(1)
    require(len(points) >= 35, f"only {len(points)} of 70 points are seen")
    require(inside.all(), "points that are seen lie outside the frame")


def _nearest(case: Case) -> None:
    both = pictures.two_frames(case.frame)
    face = _face(case.plugin, case.frame)
    edge = both.width - case.frame.width
    large = face + np.array([edge, 0, 0], np.float32)
    scale = np.array([pictures.SMALLER, pictures.SMALLER, 1], np.float32)
    down = np.array([0, both.height * (1 - pictures.SMALLER), 0], np.float32)
    for hint, where in ((large, "right"), (face * scale + down, "left")):
        x = float(_face(case.plugin, both, hint)[:, 0].mean())
        require((x > edge) == (where == "right"), f"not the face that the hint is near ({where})")


def _sides(case: Case) -> None:
    mirror = pictures.mirrored_frame(case.frame)
    face, reflected = (_face(case.plugin, frame) for frame in (case.frame, mirror))
    for points in (face, reflected):
        eyes = points[LEFT_EYE, 0].mean() - points[RIGHT_EYE, 0].mean()
        require(eyes > 0, "the left eye of somebody who faces us is not on the right")
    expected = mirrored_points(face, mirror.width)[OTHER_FACE]
    apart = np.linalg.norm(expected[:, :2] - reflected[:, :2], axis=1).mean()
    apart /= max(float(np.ptp(face[:, 0])), 1.0)
    require(apart < ASTRAY, f"points in a mirror are {apart:.2f} widths of the face astray")


def _empty(case: Case) -> None:
    grey = pictures.nobody()
    found = _points(case.plugin, grey.frame)
    require(found is None, "a face is found in a grey picture")
    _points(case.plugin, grey.frame, grey.skeleton.face)


def _tiny(case: Case) -> None:
    for target in pictures.tiny():
        or_refuses(lambda frame=target.frame: _points(case.plugin, frame))  # type: ignore[misc]


SUITE: Suite = {
    "returns 70 points or None": _types,
    "finds the face in the frame": seen(_in_place),
    "finds the face nearest the hint": seen(_nearest, made=True),
    "tells left from right, also in a mirror": seen(_sides, made=True),
    "finds no face in an empty picture": _empty,
    "takes a picture of a few pixels": _tiny,
    **behaviour(
        lambda plugin, frame: plugin.landmarks(frame),
        lambda case: (case.frame, pictures.figure(120, 160).frame),
    ),
}
