"""What is checked of a `PersonMasker`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dancecli.testing import pictures
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite, seen
from dancecli.testing.judging import in_unit, is_array, or_refuses, require
from dancecli.testing.where import in_the_middle, of_one_of_two
from dancecli.types import FloatArray, PersonMask, Target


def _alpha(plugin: Any, target: Target) -> FloatArray:
    mask = plugin.mask(target.frame, target.skeleton)
    require(isinstance(mask, PersonMask), "mask does not return a PersonMask")
    is_array(mask.alpha, np.float32, (target.frame.height, target.frame.width), "alpha")
    in_unit(mask.alpha, "alpha")
    alpha: FloatArray = mask.alpha
    return alpha


def _types(case: Case) -> None:
    _alpha(case.plugin, pictures.figure())
    _alpha(case.plugin, case.target)


def _covers(case: Case) -> None:
    target = case.target
    alpha = _alpha(case.plugin, target)
    in_the_middle(alpha, target)
    left, top, right, bottom = pictures.person_box(target).grown(1.5).pixels(*alpha.shape[::-1])
    total = float(alpha.sum())
    share = float(alpha[top:bottom, left:right].sum()) / max(total, 1.0)
    require(share > 0.9, f"{1 - share:.0%} of the mask lie far from the person")


def _two(case: Case) -> None:
    of_one_of_two(lambda target: _alpha(case.plugin, target), case.target)


def _mirror(case: Case) -> None:
    straight = _alpha(case.plugin, case.target) > 0.5
    turned = _alpha(case.plugin, pictures.mirrored(case.target))[:, ::-1] > 0.5
    overlap = (straight & turned).sum() / max((straight | turned).sum(), 1)
    require(overlap > 0.85, f"the mask in a mirror is another (intersection/union {overlap:.2f})")


def _empty(case: Case) -> None:
    alpha = or_refuses(lambda: _alpha(case.plugin, pictures.nobody()))
    require(alpha is None or not alpha.any(), "somebody is in the mask of an empty picture")


def _tiny(case: Case) -> None:
    for target in pictures.tiny():
        or_refuses(lambda target=target: _alpha(case.plugin, target))  # type: ignore[misc]


SUITE: Suite = {
    "returns alpha of the frame's size": _types,
    "covers the person and little else": seen(_covers),
    "masks the one of two people it is asked for": seen(_two),
    "masks the same person in a mirror": seen(_mirror),
    "masks nobody in an empty picture": _empty,
    "takes a picture of a few pixels": _tiny,
    **behaviour(
        lambda plugin, target: plugin.mask(target.frame, target.skeleton),
        lambda case: (case.target, pictures.figure(120, 160)),
    ),
}
