"""Cloth between fingers, which parsers label as the hand before it: it stays with what it is of."""

from __future__ import annotations

import numpy as np

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.anatomy import ARM, Figure
from dancecli.warp.layers import HANDS, HEAD_PART, LEFT_ARM, NOBODY, RIGHT_ARM
from dancecli.warp.pixels import closed, distance, nearest_fill, pixel_centres, segment_distance

_SKIN = (
    Label.FACE, Label.HAIR, Label.TORSO_SKIN, Label.LEFT_ARM, Label.RIGHT_ARM, *HANDS,
)  # fmt: skip

CORE, AROUND = 0.012, (0.004, 0.04)
"""Heights of the body from a hand's middle line that are surely hand, and from its outline that are
what lies behind."""

SLIT = 0.004
"""Half of how wide shadows between fingers are, heights of the body: those stay with the hand."""

TOLD = 0.6, 0.85
"""Shares of the hand's middle and of what lies behind that must be nearer to their own colours, for
colours to tell the two apart."""

ALIKE = 10.0
"""Steps of Lab of which colours are one."""

CLEARLY = 1.8
"""How many times nearer to the colours of cloth than to the hand's a pixel is that is cloth."""

BEFORE_HEAD = 0.4
"""Share of the person about a hand that is head, from which on it lies before that."""

PALM, MOST = 0.02, 0.4
"""Heights of the body about the middle line of a hand, and the share of that which may be cloth: of
more the colours are those of a hand in the shade."""

LEAST, CENTRES = 60, 3
"""Pixels of either, and how many colours each is of."""


def without_cloth(
    owner: UInt8Array, rgb: UInt8Array, labels: UInt8Array, figure: Figure
) -> UInt8Array:
    """Owners (H, W) with what is labelled as a hand of an arm, and has the colour of the clothes
    about it, given to the part beside it. Where colours tell nothing all stays as it is."""
    out = owner.copy()
    for part, side in ((LEFT_ARM, "left"), (RIGHT_ARM, "right")):
        labelled = (owner == part) & np.isin(labels, HANDS)
        if labelled.sum() < LEAST:
            continue
        window = _about(labelled, round(2 * AROUND[1] * figure.size))
        limb = figure.points[list(ARM[side])] - (window[1].start, window[0].start)
        hand = labelled[window] | (owner[window] == part) & _beyond(labelled[window].shape, limb)
        clothes = ~np.isin(owner[window], (LEFT_ARM, RIGHT_ARM, NOBODY))
        clothes &= ~np.isin(labels[window], _SKIN)
        if _before_head(hand, owner[window], figure.size):
            continue
        cloth = _cloth(hand, clothes, rgb[window], limb[2:], figure.size)
        others, nobody = ~np.isin(owner[window], (part, NOBODY)), owner[window] == NOBODY
        inside = distance(others) < distance(nobody)  # else it is what lies behind the person
        out[window] = nearest_fill(out[window], others, cloth & inside)
    return out


def _before_head(hand: BoolArray, owner: UInt8Array, size: float) -> bool:
    """Whether a hand (h, w) lies before the head, whose outline would fray, rather than clothes."""
    around = ~hand & (distance(hand) < AROUND[1] * size) & (owner != NOBODY)
    return bool((owner[around] == HEAD_PART).sum() > BEFORE_HEAD * around.sum())


def _beyond(shape: tuple[int, ...], limb: FloatArray) -> BoolArray:
    """What of an arm lies past its wrist (h, w), and not at its own upper half. limb: (4, 2)."""
    shoulder, elbow, wrist, tip = limb
    pixels = pixel_centres(*shape)
    past: BoolArray = (pixels - wrist) @ (tip - wrist) > 0
    upper = segment_distance(pixels, shoulder, elbow)
    return past & (segment_distance(pixels, wrist, tip) < upper)


def _about(mask: BoolArray, border: int) -> tuple[slice, slice]:
    """Rows and columns of a mask with a border."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = max(int(rows[0]) - border, 0), max(int(columns[0]) - border, 0)
    return slice(top, int(rows[-1]) + border), slice(left, int(columns[-1]) + border)


def _cloth(
    hand: BoolArray, clothes: BoolArray, rgb: UInt8Array, middle: FloatArray, size: float
) -> BoolArray:
    """What of a hand (h, w) is cloth by its colour. middle: wrist and tip (2, 2)."""
    import cv2

    wrist, tip = middle
    line = segment_distance(pixel_centres(*hand.shape), wrist, wrist + 0.6 * (tip - wrist))
    core = hand & (line < CORE * size)
    away = distance(hand)
    behind = clothes & (away > AROUND[0] * size) & (away < AROUND[1] * size)
    nothing = np.zeros_like(hand)
    if min(core.sum(), behind.sum()) < LEAST:
        return nothing
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    cloth, skin = (_colours(lab[some]) for some in (behind, core))
    skin = skin[_distance(skin, cloth) > ALIKE]  # of the middle line, too, some may be cloth
    if not len(skin):
        return nothing
    to_cloth, to_skin = _distance(lab, cloth), _distance(lab, skin)
    nearer = to_cloth - to_skin
    if (nearer[core] > 0).mean() < TOLD[0] or (nearer[behind] < 0).mean() < TOLD[1]:
        return nothing
    nearer = CLEARLY * to_cloth - to_skin
    bare = hand & (cv2.GaussianBlur(nearer, (0, 0), max(0.0015 * size, 0.5)) > 0)
    taken = _with(hand & ~_with(closed(bare, SLIT * size) & hand, core), distance(~hand) <= 1.5)
    middle_of_it = hand & (line < PALM * size)
    return taken if taken[middle_of_it].mean() < MOST else nothing


def _with(mask: BoolArray, core: BoolArray) -> BoolArray:
    """The pieces of a mask (h, w) that reach a core: no islands of skin, no holes of cloth."""
    import cv2

    _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    return mask & np.isin(pieces, np.unique(pieces[core & mask]))


def _colours(pixels: FloatArray) -> FloatArray:
    """A few colours (CENTRES, 3) that pixels (N, 3) have; the same for the same pixels."""
    import cv2

    order = np.argsort(pixels[:, 0], kind="stable")
    start = np.empty((len(pixels), 1), np.int32)
    start[order, 0] = np.arange(len(pixels)) * CENTRES // len(pixels)
    until = cv2.TERM_CRITERIA_COUNT, 10, 0.0
    _, _, centres = cv2.kmeans(pixels, CENTRES, start, until, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    return np.asarray(centres, np.float32)


def _distance(lab: FloatArray, colours: FloatArray) -> FloatArray:
    """From colours (..., 3) to the nearest of some (K, 3), (...)."""
    each = [np.linalg.norm(lab - colour, axis=-1) for colour in colours]
    return np.asarray(np.minimum.reduce(each), np.float32)
