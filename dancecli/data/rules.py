"""Who is too small, too hidden or too doubtful to learn from.

The paper drops "small and highly occluded people" (section 4) without saying where it draws the
line; the lines here are ours, and all of them can be moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dancecli.errors import NoPersonError
from dancecli.motion.body import height_of
from dancecli.plate.holes import body_region
from dancecli.types import JOINT, SEEN, BoolArray, Box, FloatArray, PersonMask, Skeleton

LEAST_HEIGHT = 16
"""Pixels below which `Rules.height` makes no sense."""

INSIDE = 0.5
"""Alpha from which a pixel is the person's."""

SMALL = "person too small"
EMPTY = "nothing of the person is marked"
THIN = "too little of the person is visible"
NO_POSE = "no pose found"
NO_TRUE_POSE = "the data set has no pose of its own"
FEW_JOINTS = "too few joints seen"
ELSEWHERE = "the pose found is not this person's"
HIDDEN = "hidden by other people"
NO_LABELS = "the parser found nobody"
UNEVEN = "picture, labels and masks differ in size"
"""Reasons: the same words for the same cause, so that they can be counted."""


class Unfit(Exception):  # noqa: N818 - not an error: the reason is counted and the work goes on
    """This view cannot serve; its text is one of the reasons."""


@dataclass(frozen=True)
class Rules:
    """The lines.

    size: (height, width) of a crop. margin: height of a crop in heights of the person.
    height: least pixels of the picture that a person is high; a wide one counts by the height of
    the crop that holds them. joints: least BODY_25 joints seen, a shoulder or hip among them.
    cover: least share of the crop that is the person's. own: least share of the joints seen that
    lie on the person. hidden: most of the body, drawn along its bones, that lies on other people.
    """

    size: tuple[int, int] = (512, 320)
    margin: float = 1.2
    height: int = 160
    joints: int = 8
    cover: float = 0.04
    own: float = 0.6
    hidden: float = 0.3


def person_box(mask: BoolArray) -> Box | None:
    """The tight box of a mask (H, W), None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return None
    return Box(float(columns[0]), float(rows[0]), columns[-1] + 1.0, rows[-1] + 1.0)


def required_person(mask: PersonMask | None) -> tuple[BoolArray, Box]:
    """Where a parser's person is, (H, W), and their box.

    Raises NoPersonError when the mask is missing or empty.
    """
    if mask is None:
        raise NoPersonError("the parser needs a person mask")
    inside = mask.alpha >= INSIDE
    box = person_box(inside)
    if box is None:
        raise NoPersonError("the person mask is empty; use a photo that shows the person")
    return inside, box


def check_size(box: Box, rules: Rules) -> None:
    """Raises Unfit for a person, boxed in picture pixels, who is too small."""
    height, width = rules.size
    if max(box.height, box.width * height / width) < rules.height:
        raise Unfit(SMALL)


def check_cover(mask: BoolArray, rules: Rules) -> None:
    """Raises Unfit where too little of a crop, (H, W), is the person."""
    if mask.mean() < rules.cover:
        raise Unfit(THIN)


def check_pose(skeleton: Skeleton, mask: BoolArray, people: BoolArray, rules: Rules) -> None:
    """Raises Unfit where a pose, the person (H, W) and all people (H, W) do not fit together.

    The pictures must be large enough to show whatever of the body is hidden behind others.
    """
    seen = skeleton.body[:, 2] >= SEEN
    if seen.sum() < rules.joints or not seen[_TRUNK].any():
        raise Unfit(FEW_JOINTS)
    if _share_on(skeleton.body[seen], mask, NEAR * height_of(skeleton)) < rules.own:
        raise Unfit(ELSEWHERE)
    region = body_region(skeleton, (mask.shape[0], mask.shape[1]), height_of(skeleton)) > 0
    if (region & people & ~mask).sum() > rules.hidden * region.sum():
        raise Unfit(HIDDEN)


_TRUNK = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("shoulder", "hip")]

NEAR = 0.03
"""Heights by which a joint may miss the mask and still be on it."""


def _share_on(points: FloatArray, mask: BoolArray, slack: float) -> float:
    """Share of the points (N, 3) within the picture that lie on the mask or near it; 0 of none."""
    import cv2

    height, width = mask.shape
    side = 2 * max(1, round(slack)) + 1
    x, y = np.floor(points[:, :2]).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    if not inside.any():
        return 0.0
    near = cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8))
    return float((near[y[inside], x[inside]] > 0).mean())
