"""What of a limb something hides in the photo, and how wide the limb is there."""

from __future__ import annotations

import numpy as np

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray
from dancecli.warp.crossing import crossings
from dancecli.warp.hem import skirted
from dancecli.warp.layers import (
    ARM_RADII,
    LEFT_ARM,
    LEFT_LEG,
    LEG_RADII,
    NOBODY,
    RIGHT_ARM,
    RIGHT_LEG,
)
from dancecli.warp.limbs import Chain
from dancecli.warp.missing import LIMBS, chain_of, end_shown
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import closed, distance, pixel_centres, segment_distance, soft

_RADII = {LEFT_ARM: ARM_RADII, RIGHT_ARM: ARM_RADII, LEFT_LEG: LEG_RADII, RIGHT_LEG: LEG_RADII}

_BEFORE = {LEFT_LEG: (RIGHT_LEG, "right"), RIGHT_LEG: (LEFT_LEG, "left")}
"""Each leg's twin and its side."""

BARE_LEG = (0.056, 0.038, 0.024, 0.026)
"""Half-widths at hip, knee, ankle and toes, heights of the body."""

BARE, BARE_ANKLE = 0.25, 0.6
"""Share of skin in what shows of a leg from which on it is bare below, and how wide its ankle then
is of its shin: trousers have 0.9."""

_BARE = (Label.LEFT_LEG, Label.RIGHT_LEG)

RIM = 1.2
"""Radii of a limb: what shows less of it across, beside what lies before its bone, is a rim."""

NOTCH = 0.03
"""Heights of the body: half of how wide a hand may be whose notch in a thigh is closed."""


def hidden_length(picture: Picture, part: int, chain: Chain) -> FloatArray:
    """Float32 (H, W): the stretches of a limb that something hides, as tapered capsules.

    That is another part, the photo's edge, or something in front of the person: then a joint is
    not seen and its bone leaves the silhouette. A bone that runs beside its own limb, as poses do
    by a few pixels, hides nothing, nor does one that is guessed where the photo shows the hand or
    foot that it leads to. At its root a limb has the torso's pixels (`_cap`), unless
    another limb hides those too.
    """
    own = picture.owner == part
    shown = distance(own)
    beyond = soft(~picture.photo, 0.006 * picture.figure.size) > 0.02
    nobody = picture.owner == NOBODY
    radii, hidden = limb_radii(picture, part, chain), np.zeros(own.shape, bool)
    rooted = owner_at(picture, chain.joints[0]) not in LIMBS.keys() - {part}
    guessed = not picture.figure.known[LIMBS[part][3]] and end_shown(picture, part)
    for bone in range(2 if guessed else 3):
        in_front = nobody & ~picture.figure.known[LIMBS[part][bone + 1]]
        covered = (~nobody & ~own) | beyond | in_front
        root = bone == 0 and not rooted
        off = np.where(beyond | root, np.inf, shown)
        start = 0.3 if bone == 0 and rooted else 0.0
        shows = own if bone < 2 else None
        usual = _RADII[part][bone] * picture.figure.size
        hidden |= _capsules(chain, radii, bone, start, covered, off, shows, usual) & covered
    return soft(hidden, 0.003 * picture.figure.size)


def owner_at(picture: Picture, point: FloatArray) -> int:
    """The part at a point (x, y); nobody outside the picture."""
    x, y = (int(v) for v in np.floor(point))
    height, width = picture.owner.shape
    return int(picture.owner[y, x]) if 0 <= x < width and 0 <= y < height else NOBODY


def _capsules(
    chain: Chain,
    radii: FloatArray,
    bone: int,
    start: float,
    covered: BoolArray,
    off: FloatArray,
    own: BoolArray | None,
    usual: float,
) -> BoolArray:
    """Discs (H, W) along the covered stretches of a bone, from its part `start` on, that are `off`
    its limb, pixels, or beside which only a rim of it shows. own: the limb, None for hands and
    feet, of which a rim is all that there is. usual: its radius, pixels, where none is measured:
    beside a bone that errs all of a limb is no rim, however far off it reaches."""
    import cv2

    height, width = covered.shape
    mask = np.zeros((height, width), np.uint8)
    for t in np.linspace(start, 0.8 if bone == 2 else 1.0, 24):
        x, y = point = chain.joints[bone] + t * (chain.joints[bone + 1] - chain.joints[bone])
        if not (0 <= x < width and 0 <= y < height) or not covered[int(y), int(x)]:
            continue
        radius = (1 - t) * radii[bone] + t * radii[bone + 1]
        least = RIM * min(radius, usual)
        rim = own is not None and _breadth(own, point, chain.direction(bone), radius) < least
        if rim or off[int(y), int(x)] >= 0.9 * radius:
            cv2.circle(mask, (round(16 * x), round(16 * y)), round(16 * radius), 1, -1, shift=4)
    return mask > 0


def _breadth(own: BoolArray, point: FloatArray, along: FloatArray, radius: float) -> float:
    """Pixels of a limb (H, W) on the line across it at a point, up to 2.5 of its radii away."""
    steps = np.arange(-2.5 * radius, 2.5 * radius, 0.5)
    x, y = (point + steps[:, None] * np.array([-along[1], along[0]])).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < own.shape[1]) & (y < own.shape[0])
    return float(own[y[inside], x[inside]].sum()) / 2


def behind_arms(picture: Picture, part: int, chain: Chain) -> BoolArray:
    """Where an arm lies on a thigh (H, W): notches that it cuts into thighs and trunk."""
    arms = np.isin(picture.owner, (LEFT_ARM, RIGHT_ARM))
    if part not in (LEFT_LEG, RIGHT_LEG):
        return np.zeros_like(arms)
    radius = 1.2 * float(limb_radii(picture, part, chain)[:2].max())
    thigh = segment_distance(pixel_centres(*arms.shape), *chain.joints[:2]) < radius
    before = arms & thigh
    if not before.any():
        return before
    body = (picture.owner != NOBODY) & ~arms
    return before & closed(body, NOTCH * picture.figure.size)


def bare_below_hem(picture: Picture, part: int) -> bool:
    """Whether a limb is a leg of which a skirt, at whose hem the photo ends, leaves nothing."""
    none = part in (LEFT_LEG, RIGHT_LEG) and not (picture.owner == part).any()
    return none and skirted(picture.owner, picture.labels, picture.figure)


def limb_radii(picture: Picture, part: int, chain: Chain) -> FloatArray:
    """Float32 (4,): half-width at each joint, pixels, measured where the limb shows.

    A leg that goes on behind the other one is no stouter than that: what shows of it lies beside
    its bones.
    """
    radii = _radii(picture, part, chain)
    other = _BEFORE.get(part)
    if other is None or other[1] not in {side for _, side in crossings(picture.figure)}:
        return radii
    return np.minimum(radii, _radii(picture, other[0], chain_of(picture, other[0])))


def _radii(picture: Picture, part: int, chain: Chain) -> FloatArray:
    usual = np.array(_RADII[part], np.float32) * picture.figure.size
    if bare_below_hem(picture, part):
        return np.array(BARE_LEG, np.float32) * picture.figure.size
    pixels = np.argwhere(picture.owner == part)[::7, ::-1].astype(np.float32) + 0.5
    place = chain.position(pixels) if len(pixels) else np.zeros(0, np.float32)
    stout = 1.0
    measured = usual.copy()
    for bone in range(3):
        near = pixels[(place > bone + 0.2) & (place < bone + 0.8)]
        if len(near) > 20:
            off = segment_distance(near, chain.joints[bone], chain.joints[bone + 1])
            stout = float(np.clip(np.quantile(off, 0.95) / usual[bone], 0.6, 1.8))
        elif bone == 2:
            stout = min(stout, 1.0)  # no hand or foot is as wide as a sleeve or a trouser leg
        measured[bone] = stout * usual[bone]  # an unseen shin is as stout as the thigh
    if part in (LEFT_LEG, RIGHT_LEG) and not end_shown(picture, part):
        measured[1:] = np.minimum(measured[1:], _shown_shin(picture, part, chain, usual[1]))
    upper, lower, end = measured
    ankle = BARE_ANKLE if _bare_and_cut_off(picture, part) else 0.9
    return np.array([upper, (upper + lower) / 2, ankle * lower, 0.8 * end], np.float32)


def _shown_shin(picture: Picture, part: int, chain: Chain, radius: float) -> float:
    """Half-width of what the photo shows of a shin that it cuts off, pixels, however far off the
    guessed bone; infinite where it shows none."""
    own = picture.owner == part
    steps = np.linspace(0.1, 0.9, 9)[:, None] * (chain.joints[2] - chain.joints[1])
    along = chain.direction(1)
    breadths = [_breadth(own, chain.joints[1] + step, along, radius) for step in steps]
    seen = [breadth for breadth in breadths if breadth > 0.5 * radius]
    return 0.55 * float(np.median(seen)) if seen else np.inf


def _bare_and_cut_off(picture: Picture, part: int) -> bool:
    """Whether a limb is a bare leg without a foot in the photo."""
    if part not in (LEFT_LEG, RIGHT_LEG) or end_shown(picture, part):
        return False
    own = picture.labels[picture.owner == part]
    return bool(np.isin(own, _BARE).sum() > BARE * max(len(own), 1))
