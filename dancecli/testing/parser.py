"""What is checked of a `HumanParser`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dancecli.errors import NoPersonError
from dancecli.labels import BODY_LABELS, FLIP_PAIRS, mirrored
from dancecli.testing import pictures
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite, seen
from dancecli.testing.judging import is_array, or_refuses, require
from dancecli.testing.where import of_one_of_two, on_their_sides
from dancecli.types import LabelMap, Target, UInt8Array

LEFT, RIGHT = ([int(pair[side]) for pair in FLIP_PAIRS] for side in (0, 1))


def _labels(plugin: Any, target: Target) -> UInt8Array:
    parsed = plugin.parse(target.frame, target.skeleton, target.mask)
    require(isinstance(parsed, LabelMap), "parse does not return a LabelMap")
    is_array(parsed.labels, np.uint8, (target.frame.height, target.frame.width), "labels")
    require(parsed.labels.max() < BODY_LABELS, f"label {parsed.labels.max()} is above 21")
    labels: UInt8Array = parsed.labels
    return labels


def _types(case: Case) -> None:
    _labels(case.plugin, pictures.figure())
    _labels(case.plugin, case.target)


def _covers(case: Case) -> None:
    inside = case.target.mask.alpha > 0.5
    labels = _labels(case.plugin, case.target)
    share = float((labels[inside] > 0).mean())
    require(share > 0.5, f"only {share:.0%} of the person are labelled")
    kinds = len(np.unique(labels[labels > 0]))
    require(kinds >= 3, f"there are {kinds} different labels on a whole person")


def _two(case: Case) -> None:
    of_one_of_two(lambda target: _labels(case.plugin, target) > 0, case.target)


def _sides(case: Case) -> None:
    mirror = pictures.mirrored(case.target)
    straight, turned = _labels(case.plugin, case.target), _labels(case.plugin, mirror)
    for labels, target in ((straight, case.target), (turned, mirror)):
        on_their_sides(np.isin(labels, LEFT), np.isin(labels, RIGHT), target.skeleton)
    expected = mirrored(straight)
    agree = (expected == turned)[(expected > 0) | (turned > 0)].mean()
    require(agree > 0.7, f"only {agree:.0%} of the labels are the same in a mirror")


def _empty(case: Case) -> None:
    target = pictures.nobody()
    labels = or_refuses(lambda: _labels(case.plugin, target))
    require(labels is None or not labels.any(), "labels a person where the mask is empty")


def _without(case: Case) -> None:
    frame = case.frame
    try:
        parsed = case.plugin.parse(frame)
    except NoPersonError:
        return
    require(isinstance(parsed, LabelMap), "parse does not return a LabelMap")
    is_array(parsed.labels, np.uint8, (frame.height, frame.width), "labels")


def _tiny(case: Case) -> None:
    for target in pictures.tiny():
        or_refuses(lambda target=target: _labels(case.plugin, target))  # type: ignore[misc]


SUITE: Suite = {
    "returns the 22 labels": _types,
    "labels the person": seen(_covers),
    "labels the one of two people it is asked for": seen(_two),
    "tells left from right, also in a mirror": seen(_sides),
    "labels nobody where nobody is": _empty,
    "does without skeleton and mask, or says NoPersonError": _without,
    "takes a picture of a few pixels": _tiny,
    **behaviour(
        lambda plugin, target: plugin.parse(target.frame, target.skeleton, target.mask),
        lambda case: (case.target, pictures.figure(120, 160)),
    ),
}
