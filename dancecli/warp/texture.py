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
from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.anatomy import thighs_raised
from dancecli.warp.before import hidden_head
from dancecli.warp.continuing import continued, continued_along, continued_behind
from dancecli.warp.hand import drawn_hand
from dancecli.warp.layers import (
    ARM_RADII,
    BARE_ARM,
    FLAT,
    HEAD_PART,
    LEFT_ARM,
    LEFT_LEG,
    LEG_RADII,
    NOBODY,
    RIGHT_ARM,
    RIGHT_LEG,
    TORSO,
    torso_polygon,
)
from dancecli.warp.limbs import Chain, smoothstep
from dancecli.warp.missing import LIMBS, chain_of, end_shown
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import pixel_centres, segment_distance

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


_RADII = {LEFT_ARM: ARM_RADII, RIGHT_ARM: ARM_RADII, LEFT_LEG: LEG_RADII, RIGHT_LEG: LEG_RADII}
_CAP = {LEFT_ARM: 0.05, RIGHT_ARM: 0.05, LEFT_LEG: 0.055, RIGHT_LEG: 0.055}
"""Radius of the disc that a limb shares with the torso at shoulder or hip, heights."""

EDGE, CRISP = 0.003, 3.0
"""Heights of the body over which a cut is made smooth, and how many times narrower its edge is."""


def made_up(piece: Piece) -> Piece:
    """The same piece where it stands for something that the photo does not show."""
    return replace(piece, real=np.zeros_like(piece.real))


def limb_pieces(picture: Picture, part: int) -> tuple[Piece, Piece]:
    """The upper (arm or thigh) and lower piece (forearm and hand, shin and foot) of a limb."""
    size, chain = picture.figure.size, chain_of(picture, part)
    own, shared = picture.owner == part, _cap(picture, part, chain)
    core = own | (shared > 0.3)
    member = np.maximum(_edged(own, size), shared) * picture.alpha
    member = np.maximum(member, _hidden_length(picture, part, chain))
    filled = continued_along(picture, core, member > 0)
    pixels = pixel_centres(*picture.alpha.shape)
    if not end_shown(picture, part):
        member, filled, core = _with_end(picture, part, member, filled, core)
    width = limb_radii(picture, part, chain)[1]
    crook = chain.crook(pixels, width)
    past = chain.past(pixels, 1, width) / ((0.025 - 0.023 * crook) * size)
    past = _apart(past, own, chain, width)
    upper, lower = (
        _piece(filled, member * half, core & picture.photo)
        for half in (smoothstep(2 - past), smoothstep(2 + past))
    )
    return upper, lower


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
    shared: FloatArray = disc * _soft(allowed, 0.002 * picture.figure.size)
    return shared


def _hidden_length(picture: Picture, part: int, chain: Chain) -> FloatArray:
    """Float32 (H, W): the stretches of a limb that something hides, as tapered capsules.

    That is another part, the photo's edge, or something in front of the person: then a joint is
    not seen and its bone leaves the silhouette. A bone that runs beside its own limb, as poses do
    by a few pixels, hides nothing. At its root a limb has the torso's pixels (`_cap`), unless
    another limb hides those too.
    """
    import cv2

    own = picture.owner == part
    shown = cv2.distanceTransform((~own).astype(np.uint8), cv2.DIST_L2, 5)
    beyond = _soft(~picture.photo, 0.006 * picture.figure.size) > 0.02
    nobody = picture.owner == NOBODY
    radii, hidden = limb_radii(picture, part, chain), np.zeros(own.shape, bool)
    rooted = _owner_at(picture, chain.joints[0]) not in LIMBS.keys() - {part}
    for bone in range(3):
        in_front = nobody & ~picture.figure.known[LIMBS[part][bone + 1]]
        covered = (~nobody & ~own) | beyond | in_front
        root = bone == 0 and not rooted
        off = np.where(beyond | root, np.inf, shown)
        start = 0.3 if bone == 0 and rooted else 0.0
        hidden |= _capsules(chain, radii, bone, start, covered, off) & covered
    return _soft(hidden, 0.003 * picture.figure.size)


def _owner_at(picture: Picture, point: FloatArray) -> int:
    """The part at a point (x, y); nobody outside the picture."""
    x, y = (int(v) for v in np.floor(point))
    height, width = picture.owner.shape
    return int(picture.owner[y, x]) if 0 <= x < width and 0 <= y < height else NOBODY


def _capsules(
    chain: Chain, radii: FloatArray, bone: int, start: float, covered: BoolArray, off: FloatArray
) -> BoolArray:
    """Discs (H, W) along the covered stretches of a bone, from its part `start` on, that are `off`
    its limb, pixels."""
    import cv2

    height, width = covered.shape
    mask = np.zeros((height, width), np.uint8)
    for t in np.linspace(start, 0.8 if bone == 2 else 1.0, 24):
        x, y = chain.joints[bone] + t * (chain.joints[bone + 1] - chain.joints[bone])
        if not (0 <= x < width and 0 <= y < height) or not covered[int(y), int(x)]:
            continue
        radius = (1 - t) * radii[bone] + t * radii[bone + 1]
        if off[int(y), int(x)] >= 0.9 * radius:
            cv2.circle(mask, (round(16 * x), round(16 * y)), round(16 * radius), 1, -1, shift=4)
    return mask > 0


def limb_radii(picture: Picture, part: int, chain: Chain) -> FloatArray:
    """Float32 (4,): half-width at each joint, pixels, measured where the limb shows."""
    usual = np.array(_RADII[part], np.float32) * picture.figure.size
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
    upper, lower, end = measured
    return np.array([upper, (upper + lower) / 2, 0.9 * lower, 0.8 * end], np.float32)


def torso_piece(picture: Picture) -> Piece:
    """Trunk and whatever hangs from it, without the arms and hair that hide it."""
    import cv2

    size = picture.figure.size
    own = (picture.owner == TORSO) & ~np.isin(picture.labels, BARE_ARM)
    polygon = np.zeros(own.shape, np.uint8)
    corners = np.round(torso_polygon(picture.figure, FLAT) * 16).astype(np.int32)
    cv2.fillPoly(polygon, [corners], 1, shift=4)
    closed = _closed(own, 0.04 * size)
    hidden = np.isin(picture.owner, (HEAD_PART, LEFT_ARM, RIGHT_ARM)) & ((polygon > 0) | closed)
    hidden |= (picture.owner == TORSO) & ~own
    beyond = (polygon > 0) & ~picture.photo  # of a portrait
    hidden |= beyond
    legs = np.isin(picture.owner, (LEFT_LEG, RIGHT_LEG))
    near = _soft(own, 0.012 * size) > 0.2
    lap, bare = _lap(picture)
    hidden |= bare & (polygon > 0)
    legs, near = legs & ~bare, near | (lap & (polygon > 0))
    # The cut is smoothed: what parsing leaves ragged would show beside a moving arm.
    wanted = own | hidden | (legs & near)
    member = wanted & (_soft(wanted, 0.01 * size) > 0.5)
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
    return lap, lap & (_soft(skin, 0.015 * picture.figure.size) > 0.02)


def _closed(mask: BoolArray, radius: float) -> BoolArray:
    """The mask with notches narrower than two radii closed."""
    import cv2

    side = 2 * round(radius) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed: BoolArray = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return closed


def head_piece(picture: Picture) -> Piece:
    """Face, hair and neck, without the hands that hide them."""
    own, size = picture.owner == HEAD_PART, picture.figure.size
    wanted = own | hidden_head(picture.owner, picture.figure)
    return _piece(continued(picture, own), _edged(wanted, size) * picture.alpha, own)


def _edged(mask: BoolArray, size: float) -> FloatArray:
    """The mask without raggedness, its edge nearly as sharp as an outline: the cut shows as one
    when what lay beside it moves away. Float32 in [0, 1]."""
    return np.asarray(np.clip((_soft(mask, EDGE * size) - 0.5) * CRISP + 0.5, 0, 1), np.float32)


def _soft(mask: BoolArray, sigma: float) -> FloatArray:
    """The mask with a smooth edge, float32 in [0, 1]."""
    import cv2

    blurred: FloatArray = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(sigma, 0.6))
    return blurred


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
