"""The back of a head, which the photo does not show, made up from its front.

Hair covers the face: its colours spread over it, and its own strands, mirrored at the hairline, lie
on them. Below short hair, and where there is none, skin covers what is left of the face.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.continuing import mean_of
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import nearest, nearest_fill, pixel_centres, shrunk
from dancecli.warp.texture import Piece, made_up

_HEADGEAR = (Label.HAIR, Label.HAT)

_THROAT, _NAPE = 0.4, 0.65
"""Heights over the neck, 1 at the ears: what lies below the first is the neck already, and short
hair ends behind the head at the second."""

_CROWN = 1.45
"""Height above which a head has hair if it is not labelled."""

_RIM = 0.008
"""Heights of the body: width of the edge in which hair and face are mixed."""


@dataclass(frozen=True, eq=False)
class _Head:
    """The head's front. hair, face: bool (h, w), disjoint: what is seen behind as it is, and what
    hair covers; the rest is skin. rise: see `_rise`. size: the body's height, pixels."""

    rgb: UInt8Array
    hair: BoolArray
    face: BoolArray
    rise: FloatArray
    size: float


def far_head(picture: Picture, near: Piece) -> Piece:
    """The back of the head of `near`: hair and hat as they are, the face covered by them."""
    head = _head_of(picture, near)
    rgb = _with_skin(head)
    if head.hair.any():
        rgb = _covered(head, rgb)
    rgba = near.rgba.copy()
    rgba[..., :3] = np.clip(rgb, 0, 255)
    return made_up(replace(near, rgba=rgba))


def _head_of(picture: Picture, near: Piece) -> _Head:
    height, width = near.real.shape
    window = np.s_[near.top : near.top + height, near.left : near.left + width]
    labels = np.pad(picture.labels, ((0, 2), (0, 2)))[window]
    solid, rise = near.rgba[..., 3] > 200, _rise(picture, near)
    hair = np.isin(labels, _HEADGEAR) & solid
    if hair.sum() < 0.05 * solid.sum():
        hair = solid & (rise > _CROWN)
    end = np.clip(np.percentile(rise[hair], 5), _THROAT, _NAPE) if hair.any() else _NAPE
    size = picture.figure.size
    there = ~shrunk(near.rgba[..., 3] == 0, _RIM * size)  # and a little more, for sampling
    return _Head(near.rgba[..., :3], hair, ~hair & there & (rise > end), rise, size)


def _with_skin(head: _Head) -> FloatArray:
    """The colours, float32 (h, w, 3), with mean skin over the face down to the throat."""
    blur = 3 * _RIM * head.size
    skin = mean_of(head.rgb.astype(np.float32), ~head.hair & (head.rise > 0), blur)
    over = (np.clip((head.rise - _THROAT) / 0.15, 0, 1) * ~head.hair)[..., None]
    return np.asarray(head.rgb * (1 - over) + skin * over, np.float32)


def _covered(head: _Head, rgb: FloatArray) -> FloatArray:
    """The colours with hair over the face."""
    import cv2

    rim = _RIM * head.size
    # The rim of the hair is mixed with the face; it is not continued where enough is left.
    inner = shrunk(head.hair, rim)
    inner = inner if inner.sum() > 0.2 * head.hair.sum() else head.hair
    bare = head.face | (head.hair & ~inner & ~shrunk(~head.face, 2 * rim))
    hair = nearest_fill(head.rgb, inner, bare).astype(np.float32)
    colours = mean_of(hair, inner | bare, 2.5 * rim)
    strands = hair - mean_of(hair, inner, 1.5 * rim)
    usual = 2 * strands[inner].std()
    strands = np.clip(strands, -usual, usual)  # earrings and combs are not repeated
    soft = cv2.GaussianBlur((head.hair | bare).astype(np.float32), (0, 0), rim)[bare, None]
    share = np.clip(2 * soft - 1, 0, 1)
    out = rgb.copy()
    out[bare] += share * (colours[bare] + mirrored(strands, inner, bare) - out[bare])
    return out


def mirrored(values: FloatArray, known: BoolArray, wanted: BoolArray) -> FloatArray:
    """Values (n, C) of the wanted pixels: those of (h, w, C) as far on the other side of the edge
    of what is known, to and fro where that is thinner."""
    source, away = nearest(known)
    here, depth = np.argwhere(wanted).astype(np.float32), away[wanted]
    edge = np.stack(np.divmod(source[wanted], known.shape[1]), -1).astype(np.float32)
    inward = (edge - here) / np.maximum(depth, 1e-6)[:, None]
    thick = _thickness(known, edge, inward, float(depth.max(initial=1)))
    folded = thick - np.abs(np.mod(depth, 2 * thick) - thick)
    y, x = np.rint(edge + folded[:, None] * inward).astype(np.intp).T
    found: FloatArray = values[y.clip(0, known.shape[0] - 1), x.clip(0, known.shape[1] - 1)]
    return found


def _thickness(known: BoolArray, edge: FloatArray, inward: FloatArray, most: float) -> FloatArray:
    """Pixels (n,) from `edge` to where it ends going `inward`, 1 to `most`."""
    steps = np.arange(1, int(most) + 2, dtype=np.float32)
    at = np.rint(edge[:, None] + steps[:, None] * inward[:, None]).astype(np.intp)
    limits = np.array(known.shape) - 1
    inside = ((at >= 0) & (at <= limits)).all(-1)
    inside &= known[tuple(np.moveaxis(np.clip(at, 0, limits), -1, 0))]
    run = np.where(inside.all(1), len(steps), inside.argmin(1))
    return np.maximum(run, 1).astype(np.float32)


def _rise(picture: Picture, piece: Piece) -> FloatArray:
    """Float32 (h, w): height over the neck, 1 at the ears."""
    corner = np.array([piece.left, piece.top], np.float32)
    return picture.figure.rise(pixel_centres(*piece.real.shape) + corner)
