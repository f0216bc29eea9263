"""From each data set's labels to the 22 of `dancecli.labels`.

VIP and CIHP have the first 20 of them. LIP differs at 10 alone: jumpsuits, which become DRESS like
MHPv2's, the label of what covers trunk and legs in one piece. ATR's bag is background, its belt
goes with the trousers. MHPv2's hands become LEFT_HAND and RIGHT_HAND, which no other set has; what
is carried is background, so that it belongs neither to the person nor to the people. No table from
MHPv2 is published; this one is ours.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from dance_datasets.files import UnusableError
from dancecli.labels import BODY_LABELS, Label
from dancecli.types import BoolArray, UInt8Array

AROUND = 254
"""Becomes the label that most pixels around it have, within the person."""

ARM = 255
"""Becomes the arm that is nearest to it, within the person."""


def _table(*labels: int) -> UInt8Array:
    table = np.array(labels, np.uint8)
    table.setflags(write=False)
    return table


VIP = _table(*range(20))
"""VIP's and CIHP's labels (VIP's own list, Engineering-Course/CIHP_PGN: test_inst_part_ap.py)."""

LIP = _table(*range(10), Label.DRESS, *range(11, 20))
"""LIP's labels (GoGoDuck912/Self-Correction-Human-Parsing: simple_extractor.py)."""

ATR = _table(
    Label.BACKGROUND, Label.HAT, Label.HAIR, Label.SUNGLASSES, Label.UPPER_CLOTHES, Label.SKIRT,
    Label.PANTS, Label.DRESS, Label.PANTS, Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.FACE,
    Label.LEFT_LEG, Label.RIGHT_LEG, Label.LEFT_ARM, Label.RIGHT_ARM, Label.BACKGROUND,
    Label.SCARF,
)  # fmt: skip
"""ATR's labels (lemondan/HumanParsing-Dataset: atr_label.txt)."""

MHP = _table(
    0, 1, 1, 13, 2,                          # background, cap, helmet, face, hair
    14, 15, Label.LEFT_HAND, Label.RIGHT_HAND, AROUND,                   # arms, hands, protector
    5, 7, 5, 5, 5, 5,                        # bikini, jacket, tee, polo, sweater, singlet
    10, 9, 9, 12, 8, 8,                      # torso, pants, shorts, skirt, stockings, socks
    18, 19, 18, 19, 18, 19, 18, 19,          # boots, shoes, high heels, sandals
    16, 17, 16, 17,                          # legs, feet
    7, 6, 6, 6, 6, 1,                        # coat, dress, robe, jumpsuit, other whole, headwear
    0, 0, 0, 9, 0, 0, 0,                     # backpack, ball, bats, belt, bottle, bag, cases
    4, 13, 3, 11,                            # sunglasses, eyewear, glove, scarf
    0, 0, ARM, ARM, 5, 0, 5, 9,              # umbrella, purse, watch, wristband, tie, other ones
)  # fmt: skip
"""MHPv2's 59 labels (ZhaoJ9014/Multi-Human-Parsing; names on lv-mhp.github.io)."""

_NEIGHBOURS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


def mapped(raw: NDArray[np.uint16], table: UInt8Array, where: str) -> UInt8Array:
    """A set's labels as ours, uint8 (H, W), 0-21.

    raw: one person's, where the table has AROUND or ARM. where: the file, for the error. Raises
    UnusableError for a label that the set has not.
    """
    if raw.size and int(raw.max()) >= len(table):
        raise UnusableError(where, f"annotation has labels above {len(table) - 1}")
    labels: UInt8Array = table[raw]
    if (labels >= AROUND).any():
        labels = _settled(labels)
    return labels


def _settled(labels: UInt8Array) -> UInt8Array:
    """Every connected patch of ARM, then of AROUND, with a label of its surroundings."""
    left, top, width, height = cv2.boundingRect((labels > 0).astype(np.uint8))
    box = np.s_[top : top + height, left : left + width]
    settled = labels.copy()
    settled[box] = _filled(settled[box], ARM, _nearest_arm)
    settled[box] = _filled(settled[box], AROUND, _most_around)
    return settled


def _filled(
    labels: UInt8Array,
    mark: int,
    choose: Callable[[UInt8Array, NDArray[np.int32], int], UInt8Array],
) -> UInt8Array:
    """Labels with each 8-connected patch of `mark` replaced by what `choose` says of it."""
    marked = labels == mark
    if not marked.any():
        return labels
    count, patches = cv2.connectedComponents(marked.astype(np.uint8), connectivity=8)
    filled: UInt8Array = np.where(marked, choose(labels, patches, count)[patches], labels)
    return filled


def _nearest_arm(labels: UInt8Array, patches: NDArray[np.int32], count: int) -> UInt8Array:
    """uint8 (count,): LEFT_ARM or RIGHT_ARM by distance, hands counting as arms.

    The left one where both are as near; BACKGROUND where the person shows neither.
    """
    left = _nearness(labels, (Label.LEFT_ARM, Label.LEFT_HAND), patches, count)
    right = _nearness(labels, (Label.RIGHT_ARM, Label.RIGHT_HAND), patches, count)
    arm = np.where(left <= right, Label.LEFT_ARM, Label.RIGHT_ARM)
    neither = np.isinf(left) & np.isinf(right)
    chosen: UInt8Array = np.where(neither, Label.BACKGROUND, arm).astype(np.uint8)
    return chosen


def _nearness(
    labels: UInt8Array, of: tuple[int, ...], patches: NDArray[np.int32], count: int
) -> NDArray[np.float32]:
    """float32 (count,): pixels from each patch to the nearest pixel with one of these labels."""
    nearest = np.full(count, np.inf, np.float32)
    wanted: BoolArray = np.isin(labels, of)
    if wanted.any():
        away = cv2.distanceTransform((~wanted).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        inside = patches > 0
        np.minimum.at(nearest, patches[inside], away[inside])
    return nearest


def _most_around(labels: UInt8Array, patches: NDArray[np.int32], count: int) -> UInt8Array:
    """uint8 (count,): the label with most contacts, a contact being two neighbours of eight.

    The lowest label among equals; BACKGROUND where a patch touches nothing else of the person.
    """
    votes = np.zeros(count * BODY_LABELS, np.int64)
    padded = np.pad(labels, 1)
    height, width = labels.shape
    for dy, dx in _NEIGHBOURS:
        beside = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        contact = (patches > 0) & (beside > 0) & (beside < BODY_LABELS)
        pairs = patches[contact].astype(np.int64) * BODY_LABELS + beside[contact]
        votes += np.bincount(pairs, minlength=len(votes))
    most: UInt8Array = votes.reshape(count, BODY_LABELS).argmax(1).astype(np.uint8)
    return most
