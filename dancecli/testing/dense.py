"""What is checked of a `DensePoser`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dancecli.mirror import OTHER_PART
from dancecli.testing import pictures
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Check, Suite, seen
from dancecli.testing.judging import in_unit, is_array, or_refuses, require, same
from dancecli.testing.where import in_the_middle, of_one_of_two, on_their_sides
from dancecli.types import DenseMap, FloatArray, Frame, Target, UInt8Array

LEFT = (4, 5, 8, 10, 12, 14, 15, 17, 19, 21, 24)
RIGHT = (3, 6, 7, 9, 11, 13, 16, 18, 20, 22, 23)
"""DensePose's part numbers by side."""

HALVES = {1: 2, 7: 9, 8: 10, 11: 13, 12: 14, 15: 17, 16: 18, 19: 21, 20: 22}
"""Back or inside of a limb -> its front or outside: a flat skeleton does not tell which shows."""

WHOLE = np.array([HALVES.get(part, part) for part in range(25)], np.uint8)


def _iuv(plugin: Any, target: Target) -> FloatArray:
    dense = plugin.dense(target.frame, target.skeleton.box(), target.skeleton)
    require(isinstance(dense, DenseMap), "dense does not return a DenseMap")
    is_array(dense.iuv, np.float32, (target.frame.height, target.frame.width, 3), "iuv")
    parts = dense.iuv[..., 0]
    require(np.isin(parts, np.arange(25)).all(), "part indices are not whole numbers 0-24")
    in_unit(dense.iuv[..., 1:], "U, V")
    require((dense.iuv[parts == 0] == 0).all(), "U, V are not 0 off the body")
    iuv: FloatArray = dense.iuv
    return iuv


def _parts(plugin: Any, target: Target) -> UInt8Array:
    return _iuv(plugin, target)[..., 0].astype(np.uint8)


def _shown(case: Case) -> Target:
    """A drawing is as good as a photo for what reads the skeleton alone."""
    return pictures.figure() if case.plugin.from_skeleton else case.target


def _drawn(test: Check) -> Check:
    """`seen` for what reads pixels; the drawn figure tells all of what reads the skeleton alone."""
    on_photo = seen(test)
    return lambda case: test(case) if case.plugin.from_skeleton else on_photo(case)


def _types(case: Case) -> None:
    require(isinstance(case.plugin.from_skeleton, bool), "from_skeleton is not a bool")
    _iuv(case.plugin, pictures.figure())
    _iuv(case.plugin, case.target)


def _covers(case: Case) -> None:
    target = _shown(case)
    in_the_middle(_parts(case.plugin, target) > 0, target)


def _pixels_unread(case: Case) -> None:
    target = pictures.figure()
    black = replace(target, frame=Frame(np.zeros_like(target.frame.rgb)))
    unread = same(_iuv(case.plugin, target), _iuv(case.plugin, black))
    require(unread or not case.plugin.from_skeleton, "from_skeleton, but the pixels matter")


def _two(case: Case) -> None:
    of_one_of_two(lambda target: _parts(case.plugin, target) > 0, _shown(case))


def _sides(case: Case) -> None:
    shown = _shown(case)
    mirror = pictures.mirrored(shown)
    straight, turned = _parts(case.plugin, shown), _parts(case.plugin, mirror)
    for parts, target in ((straight, shown), (turned, mirror)):
        on_their_sides(np.isin(parts, LEFT), np.isin(parts, RIGHT), target.skeleton)
    expected, turned = WHOLE[OTHER_PART][WHOLE[straight[:, ::-1]]], WHOLE[turned]
    agree = (expected == turned)[(expected > 0) | (turned > 0)].mean()
    require(agree > 0.7, f"only {agree:.0%} of the parts are the same in a mirror")


def _empty(case: Case) -> None:
    iuv = or_refuses(lambda: _iuv(case.plugin, pictures.nobody()))
    require(iuv is None or not iuv.any(), "somebody is found in an empty picture")


def _tiny(case: Case) -> None:
    for target in pictures.tiny():
        or_refuses(lambda target=target: _iuv(case.plugin, target))  # type: ignore[misc]


SUITE: Suite = {
    "returns parts, U and V": _types,
    "covers the person": _drawn(_covers),
    "reads the pixels only if it says so": _pixels_unread,
    "maps the one of two people it is asked for": _drawn(_two),
    "tells left from right, also in a mirror": _drawn(_sides),
    "maps nobody in an empty picture": _empty,
    "takes a picture of a few pixels": _tiny,
    **behaviour(
        lambda plugin, target: plugin.dense(target.frame, target.skeleton.box(), target.skeleton),
        lambda case: (_shown(case), pictures.figure(120, 160)),
    ),
}
