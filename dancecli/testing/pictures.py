"""What plugins are shown: one drawn person, two, a mirror, nobody, a few pixels."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from dancecli import registry
from dancecli.errors import NoPersonError
from dancecli.figures import made_target
from dancecli.labels import mirrored as mirrored_labels
from dancecli.mirror import mirrored_skeleton
from dancecli.stages import DEFAULTS, Settings
from dancecli.types import (
    Box,
    Frame,
    LabelMap,
    PersonMask,
    Skeleton,
    Target,
    UInt8Array,
)

LONGEST = 800
"""Pixels of a photo's longest side; larger ones are shrunk, since they are looked at often."""

SMALLER = 0.7
"""Size of the second of two people."""

TINY = ((1, 1), (3, 2), (16, 24))
"""Heights and widths of pictures too small to show anybody."""


@lru_cache(maxsize=8)
def figure(width: int = 200, height: int = 320) -> Target:
    """The drawn person; not to be written to."""
    return made_target(width, height)


def shrunk(photo: Frame) -> Frame:
    """The photo at LONGEST."""
    scale = min(1.0, LONGEST / max(photo.height, photo.width))
    return photo if scale == 1 else replace(photo, rgb=_resized(photo.rgb, scale))


def found_in(photo: Frame) -> Target:
    """The photo with what the default plugins see in it: skeleton and mask; no labels.

    Raises NoPersonError when they see nobody.
    """
    people = _default("dance.pose").extract(photo)
    if not people:
        raise NoPersonError(f"plugin '{DEFAULTS['dance.pose']}' sees nobody in the photo")
    mask = _default("dance.mask").mask(photo, people[0])
    return Target(photo, mask, LabelMap(np.zeros(mask.alpha.shape, np.uint8)), people[0])


@lru_cache(maxsize=4)
def _default(group: str) -> Any:
    return registry.load(group, DEFAULTS[group], Settings(device="cpu"))


def nobody(width: int = 160, height: int = 120) -> Target:
    """A grey picture without anybody: mask and labels are empty, no joint is seen."""
    empty = np.zeros((height, width), np.uint8)
    return Target(
        Frame(np.full((height, width, 3), 90, np.uint8)), PersonMask(empty.astype(np.float32)),
        LabelMap(empty), Skeleton(np.zeros((25, 3), np.float32)),
    )  # fmt: skip


def tiny() -> list[Target]:
    """The drawn person in pictures of a few pixels, down to one."""
    return [figure(width, height) for height, width in TINY]


def mirrored_frame(frame: Frame) -> Frame:
    """The frame in a mirror."""
    return replace(frame, rgb=np.ascontiguousarray(frame.rgb[:, ::-1]), source=None)


def mirrored(target: Target) -> Target:
    """The target in a mirror: left and right are exchanged in labels and skeleton."""
    return Target(
        mirrored_frame(target.frame),
        PersonMask(np.ascontiguousarray(target.mask.alpha[:, ::-1])),
        LabelMap(np.ascontiguousarray(mirrored_labels(target.labels.labels))),
        mirrored_skeleton(target.skeleton, target.frame.width),
    )


def two_frames(frame: Frame) -> Frame:
    """The frame, and left of it the same smaller, on one ground."""
    small = _resized(frame.rgb, SMALLER)
    above = ((frame.height - small.shape[0], 0), (0, 0), (0, 0))
    both = np.concatenate([np.pad(small, above, mode="edge"), frame.rgb], 1)
    return replace(frame, rgb=both, source=None)


def two_people(target: Target) -> tuple[Target, Target]:
    """`two_frames` as two targets: of the larger person on the right, and of the smaller one."""
    both, mask, labels = two_frames(target.frame), target.mask.alpha, target.labels.labels
    left = both.width - target.frame.width
    larger = Target(
        both, PersonMask(np.pad(mask, ((0, 0), (left, 0)))),
        LabelMap(np.pad(labels, ((0, 0), (left, 0)))), target.skeleton.moved(1, left, 0),
    )  # fmt: skip
    small, small_labels = _resized(mask, SMALLER), _resized(labels, SMALLER, smooth=False)
    room = both.height - small.shape[0]
    beside = ((room, 0), (0, target.frame.width))
    smaller = Target(
        both, PersonMask(np.pad(small, beside)), LabelMap(np.pad(small_labels, beside)),
        target.skeleton.moved(SMALLER, 0, room),
    )  # fmt: skip
    return larger, smaller


def person_box(target: Target) -> Box:
    """The box of the target's skeleton. Raises NoPersonError when it has none."""
    box = target.skeleton.box()
    if box is None:
        raise NoPersonError("no joint of the person is seen")
    return box


def _resized(picture: Any, scale: float, smooth: bool = True) -> UInt8Array:
    import cv2

    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if smooth else cv2.INTER_NEAREST
    resized: UInt8Array = cv2.resize(picture, size, interpolation=how)
    return resized
