"""Made people in whole pictures, with all that a data set may know of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dancecli.data.people import Person, View
from dancecli.figures import made_target
from dancecli.types import Skeleton, UInt8Array

GREY = 128
"""Of the ground that the figures stand on."""


def hand(wrist: np.ndarray, size: float) -> np.ndarray:
    """21 points of an open hand below a wrist, all seen."""
    fingers = [
        (wrist[0] + (f - 2) * 0.4 * size, wrist[1] + size * (0.4 + 0.3 * bone))
        for f in range(5)
        for bone in range(4)
    ]
    return np.concatenate([[wrist, *fingers], np.ones((21, 1))], 1).astype(np.float32)


def with_hands(skeleton: Skeleton, size: float) -> Skeleton:
    """The skeleton with both hands."""
    return replace(
        skeleton,
        left_hand=hand(skeleton.joint("left_wrist"), size),
        right_hand=hand(skeleton.joint("right_wrist"), size),
    )


def placed(picture: UInt8Array, place: tuple[int, int], size: tuple[int, int], ground: int):
    """A figure's picture or labels at (left, top) of a larger picture; cut off at its edges."""
    out = np.full((*size, *picture.shape[2:]), ground, np.uint8)
    left, top = place
    rows = slice(max(0, top), min(size[0], top + picture.shape[0]))
    columns = slice(max(0, left), min(size[1], left + picture.shape[1]))
    out[rows, columns] = picture[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return out


def view(
    tall: int = 400, place: tuple[int, int] = (150, 60), size: tuple[int, int] = (520, 560),
    number: int = 0, hands: bool = True,
) -> View:  # fmt: skip
    """A figure `tall` pixels high (a little less) at (left, top), labels and pose known."""
    figure = made_target(tall * 5 // 8, tall)
    skeleton = with_hands(figure.skeleton, 0.04 * tall) if hands else figure.skeleton
    labels = placed(figure.labels.labels, place, size, 0)
    rgb = placed(figure.frame.rgb, place, size, GREY)
    return View(rgb, number, labels=labels, people=labels > 0, skeleton=skeleton.moved(1, *place))


def person(*views: View, key: str = "somebody") -> Person:
    """Of those views."""
    return Person(key, views, {"set": "made"})
