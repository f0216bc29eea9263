"""The photo cut into pieces of cloth and skin, each complete in itself.

Every piece is a small picture with its own alpha. At the person's outline the alpha is the
photo's; at joints it fades out over its neighbour, which continues underneath; where another
part hid it, or the photo ends, it is continued with its own colours. Colours beside an edge come
from further inside, so that neither the background nor another part shines through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dancecli.labels import Label
from dancecli.types import SEEN, BoolArray, FloatArray, UInt8Array
from dancecli.warp.anatomy import thighs_raised
from dancecli.warp.before import hidden_head
from dancecli.warp.beyond import continued_along
from dancecli.warp.continuing import continued, continued_behind
from dancecli.warp.hand import drawn_hand, hand_on_upper
from dancecli.warp.hem import bare_leg
from dancecli.warp.hiding import bare_below_hem, behind_arms, hidden_length, limb_radii
from dancecli.warp.layers import (
    BARE_ARM,
    FLAT,
    HEAD_PART,
    LEFT_ARM,
    LEFT_LEG,
    ON_HEAD,
    RIGHT_ARM,
    RIGHT_LEG,
    TORSO,
    torso_polygon,
)
from dancecli.warp.limbs import Chain, smoothstep
from dancecli.warp.missing import chain_of, end_shown, skin_colour
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import closed, distance, pixel_centres, segment_distance, soft

_OUTER = (Label.UPPER_CLOTHES, Label.DRESS, Label.COAT, Label.SKIRT, Label.SCARF)
"""Garments that hang over the legs and never belong to them."""

_BARE_LEG = (Label.LEFT_LEG, Label.RIGHT_LEG)


@dataclass(frozen=True, eq=False)
class Piece:
    """One part of the body as a picture.

    rgba: uint8 (h, w, 4), colour not multiplied by alpha, defined everywhere. real: uint8 (h, w),
    255 where the photo shows it, 0 where it was made up. left, top: place in the Picture.
    """

    rgba: UInt8Array
    real: UInt8Array
    left: int
    top: int


_CAP = {LEFT_ARM: 0.05, RIGHT_ARM: 0.05, LEFT_LEG: 0.055, RIGHT_LEG: 0.055}
"""Radius of the disc that a limb shares with the torso at shoulder or hip, heights."""

EDGE, CRISP = 0.003, 3.0
"""Heights of the body over which a cut is made smooth, and how many times narrower its edge is."""


SLIVER = 0.012
"""Heights of the body: half of how wide a strip of a thigh is that is none."""

RIM_OF_HAND = 0.012
"""Heights of the body about a hand that go with it."""

BLUR = 0.006
"""Heights of the body about a hand on a thigh where the two may be mixed."""


def made_up(piece: Piece) -> Piece:
    """The same piece where it stands for something that the photo does not show."""
    return replace(piece, real=np.zeros_like(piece.real))


def limb_pieces(picture: Picture, part: int) -> tuple[Piece, Piece]:
    """The upper (arm or thigh) and lower piece (forearm and hand, shin and foot) of a limb."""
    size, chain = picture.figure.size, chain_of(picture, part)
    own, shared = _without_slivers(picture, part, chain), _cap(picture, part, chain)
    notch = behind_arms(picture, part, chain)
    core = (own | (shared > 0.3)) & ~(soft(notch, BLUR * size) > 0.02)
    member = np.maximum(_edged(own, size), shared) * picture.alpha
    member = np.maximum(member, hidden_length(picture, part, chain))
    member = np.maximum(member, _edged(notch, size))
    filled = continued_along(picture, core, member > 0)
    pixels = pixel_centres(*picture.alpha.shape)
    if bare_below_hem(picture, part):
        radii = limb_radii(picture, part, chain)
        filled = bare_leg(skin_colour(picture), chain, radii, own.shape, size)
        core = np.zeros_like(core)
    if not end_shown(picture, part):
        member, filled, core = _with_end(picture, part, member, filled, core)
    width = limb_radii(picture, part, chain)[1]
    crook = chain.crook(pixels, width)
    past = chain.past(pixels, 1, width) / ((0.025 - 0.023 * crook) * size)
    past = _apart(past, own, chain, width)
    halves = smoothstep(2 - past), smoothstep(2 + past)
    hand = hand_on_upper(picture, part, own, halves[0])
    if hand is None:
        upper, lower = (_piece(filled, member * half, core & picture.photo) for half in halves)
        return upper, lower
    lower = _piece(filled, member * np.maximum(halves[1], _edged(hand, size)), core & picture.photo)
    beneath = segment_distance(pixels, *chain.joints[:2]) < width
    return _without_hand(picture, member * halves[0], core, hand, beneath), lower


def _without_hand(
    picture: Picture, upper: FloatArray, core: BoolArray, hand: BoolArray, beneath: BoolArray
) -> Piece:
    """The upper half of an arm before which its own hand lies, without it. upper: alpha (H, W).
    beneath: where the half goes on behind the hand, in the colours of arm and trunk about it."""
    size = picture.figure.size
    known = (core | (picture.owner == TORSO)) & ~(soft(hand, BLUR * size) > 0.02)
    rim = distance(hand) < RIM_OF_HAND * size  # softer than its labels
    alpha = upper * _edged(~rim | beneath, size)
    return _piece(continued_along(picture, known, upper > 0), alpha, known & core & picture.photo)


def _without_slivers(picture: Picture, part: int, chain: Chain) -> BoolArray:
    """A limb's own pixels (H, W), without what of a thigh runs past the fork of the legs in a strip
    that would dangle from it."""
    import cv2

    own: BoolArray = picture.owner == part
    if part not in (LEFT_LEG, RIGHT_LEG):
        return own
    side = 2 * max(1, round(SLIVER * picture.figure.size)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    broad = cv2.morphologyEx(own.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    above = (pixel_centres(*own.shape) - chain.joints[1]) @ chain.direction(0) < 0
    return np.asarray(own & (broad | ~above))


def _apart(past: FloatArray, own: BoolArray, chain: Chain, width: float) -> FloatArray:
    """`past` (H, W) of a limb's own pixels, all on the one side, however near to the other half,
    for what background or clothes part from that half of a folded limb."""
    import cv2

    # Two bars that meet at an angle touch up to half their width over the sine of half of it.
    sine = np.sqrt(max((1 + float(chain.direction(0) @ chain.direction(1))) / 2, 1e-3))
    elbow = chain.joints[1]
    away = np.hypot(*np.moveaxis(pixel_centres(*own.shape) - elbow, -1, 0))
    apart = own & (away > 1.15 * width / sine)
    if chain.folded(1) < 0.5 or not apart.any():
        return past
    _, pieces = cv2.connectedComponents(apart.astype(np.uint8))
    upper, lower = (_along(pieces, elbow, chain.joints[end]) for end in (0, 2))
    past = past.copy()
    for piece in (upper ^ lower) - {0}:
        near = cv2.dilate((pieces == piece).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        past[near & (~apart | (pieces == piece))] = -4 if piece in upper else 4
    return past


def _along(pieces: NDArray[np.int32], start: FloatArray, end: FloatArray) -> set[int]:
    """The values (H, W) on a line between two points (x, y)."""
    x, y = (start + np.linspace(0, 1, 64)[:, None] * (end - start)).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < pieces.shape[1]) & (y < pieces.shape[0])
    return set(pieces[y[inside], x[inside]].tolist())


def _with_end(
    picture: Picture, part: int, member: FloatArray, filled: UInt8Array, core: BoolArray
) -> tuple[FloatArray, UInt8Array, BoolArray]:
    """Member, colours and core with a hand drawn, or the foot as dark as a shoe."""
    size, chain = picture.figure.size, chain_of(picture, part)
    beyond = chain.past(pixel_centres(*picture.alpha.shape), 2, 0.03 * size)
    if part in (LEFT_LEG, RIGHT_LEG):
        shoe = smoothstep(beyond / (0.01 * size) + 0.5)[..., None]
        return member, (filled * (1 - 0.55 * shoe)).astype(np.uint8), core & (beyond < 0)
    alpha, skin = drawn_hand(picture, part)
    sleeve = member * smoothstep(0.5 - beyond / (0.01 * size))
    filled = np.where((alpha > 0.005)[..., None] & (beyond > 0)[..., None], skin, filled)
    return np.maximum(sleeve, alpha), filled, core & (beyond < 0)


def _cap(picture: Picture, part: int, chain: Chain) -> FloatArray:
    """Float32 (H, W): the disc of torso about a limb's root that moves with the limb too."""
    radius = _CAP[part] * picture.figure.size
    distance = np.hypot(*np.moveaxis(pixel_centres(*picture.alpha.shape) - chain.joints[0], -1, 0))
    disc = smoothstep((radius - distance) / (0.5 * radius))
    allowed = np.isin(picture.owner, (TORSO, part))
    if part in (LEFT_LEG, RIGHT_LEG):
        allowed &= ~np.isin(picture.labels, _OUTER)
    shared: FloatArray = disc * soft(allowed, 0.002 * picture.figure.size)
    return shared


def torso_piece(picture: Picture) -> Piece:
    """Trunk and whatever hangs from it, without the arms and hair that hide it."""
    import cv2

    size = picture.figure.size
    own = (picture.owner == TORSO) & ~np.isin(picture.labels, BARE_ARM)
    polygon = np.zeros(own.shape, np.uint8)
    corners = np.round(torso_polygon(picture.figure, FLAT) * 16).astype(np.int32)
    cv2.fillPoly(polygon, [corners], 1, shift=4)
    shut = closed(own, 0.04 * size)
    hidden = np.isin(picture.owner, (HEAD_PART, LEFT_ARM, RIGHT_ARM)) & ((polygon > 0) | shut)
    hidden |= (picture.owner == TORSO) & ~own
    beyond = (polygon > 0) & ~picture.photo  # of a portrait
    hidden |= beyond
    legs = np.isin(picture.owner, (LEFT_LEG, RIGHT_LEG))
    near = soft(own, 0.012 * size) > 0.2
    lap, bare = _lap(picture)
    hidden |= bare & (polygon > 0)
    legs, near = legs & ~bare, near | (lap & (polygon > 0))
    # The cut is smoothed: what parsing leaves ragged would show beside a moving arm.
    wanted = own | hidden | (legs & near)
    member = wanted & (soft(wanted, 0.01 * size) > 0.5)
    alpha = np.maximum(_edged(member, size) * picture.alpha, _edged(beyond, size))
    arms = np.isin(picture.owner, (LEFT_ARM, RIGHT_ARM))
    shown = own | (legs & near)
    filled = continued_behind(picture, shown, member & ~shown, arms)
    return _piece(filled, alpha, own)


def _lap(picture: Picture) -> tuple[BoolArray, BoolArray]:
    """Where thighs lie before the seat of somebody who sits or squats, and where these are bare,
    with a rim: the labels of shorts end roughly, and skin would hang from the trunk."""
    raised = zip((LEFT_LEG, RIGHT_LEG), thighs_raised(picture.figure), strict=True)
    lap = np.isin(picture.owner, [part for part, up in raised if up])
    skin = lap & np.isin(picture.labels, _BARE_LEG)
    return lap, lap & (soft(skin, 0.015 * picture.figure.size) > 0.02)


def head_piece(picture: Picture) -> Piece:
    """Face, hair and neck, without the hands that hide them."""
    own, size = picture.owner == HEAD_PART, picture.figure.size
    wanted = own | hidden_head(picture.owner, picture.figure)
    return _piece(continued(picture, own), _edged(wanted, size) * picture.alpha, own)


def face_piece(picture: Picture, head: Piece) -> Piece:
    """The head without neck and hanging hair: what lies over the collar when it is bowed. head:
    from `head_piece`."""
    own, figure = picture.owner == HEAD_PART, picture.figure
    rise = figure.rise(pixel_centres(*own.shape))
    face: BoolArray = own & np.isin(picture.labels, ON_HEAD) & ((rise > JAW) | _above_jaw(picture))
    face &= (rise > CHIN) | ~np.isin(picture.labels, (Label.HAIR, Label.HAT))
    rows, columns = head.real.shape
    window = np.s_[head.top : head.top + rows, head.left : head.left + columns]
    alpha = (_edged(face, figure.size) * picture.alpha)[window]
    opacity = np.round(np.clip(alpha, 0, 1) * 255).astype(np.uint8)
    return replace(head, rgba=np.dstack([head.rgba[..., :3], opacity]))


CHIN, JAW = 0.5, 0.8
"""Heights over the neck, 1 at the ears, below which hair hangs, and the face ends at the jaw."""


def _above_jaw(picture: Picture) -> BoolArray:
    """(H, W): within the landmarks of the face; everything where they were not seen."""
    import cv2

    inside = np.zeros(picture.owner.shape, np.uint8)
    seen = picture.face[:68]
    if not np.isfinite(seen).all() or seen[:, 2].min() < SEEN:
        return np.ones(inside.shape, bool)
    corners = cv2.convexHull(seen[:, :2].astype(np.float32))
    cv2.fillConvexPoly(inside, np.round(corners * 16).astype(np.int32), 1, shift=4)
    return np.asarray(inside > 0)


def _edged(mask: BoolArray, size: float) -> FloatArray:
    """The mask without raggedness, its edge nearly as sharp as an outline: the cut shows as one
    when what lay beside it moves away. Float32 in [0, 1]."""
    return np.asarray(np.clip((soft(mask, EDGE * size) - 0.5) * CRISP + 0.5, 0, 1), np.float32)


def _piece(rgb: UInt8Array, alpha: FloatArray, real: BoolArray) -> Piece:
    """Cropped to where there is something, with a border of one pixel."""
    rows, columns = np.flatnonzero((alpha > 0.01).any(1)), np.flatnonzero((alpha > 0.01).any(0))
    if not len(rows):
        empty = np.zeros((1, 1, 4), np.uint8)
        return Piece(empty, empty[..., 0], 0, 0)
    top, bottom = max(int(rows[0]) - 1, 0), int(rows[-1]) + 2
    left, right = max(int(columns[0]) - 1, 0), int(columns[-1]) + 2
    window = np.s_[top:bottom, left:right]
    opacity = np.round(np.clip(alpha[window], 0, 1) * 255).astype(np.uint8)
    rgba = np.dstack([rgb[window], opacity])
    return Piece(rgba, np.where(real[window], 255, 0).astype(np.uint8), left, top)
