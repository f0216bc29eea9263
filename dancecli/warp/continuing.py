"""The photo's colours continued where it does not show what is wanted of a piece."""

from __future__ import annotations

import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.layers import nearest, nearest_fill, shrunk
from dancecli.warp.limbs import smoothstep
from dancecli.warp.picture import Picture

SHADE = 0.015
"""Heights of the body: what lies so near to an arm may be in its shadow."""

DARKER = 16.0
"""Levels by which a shadow is darker than what lies further from the arm; at twice that it is
taken away entirely."""

ALIKE = 1.35
"""Most that a shadow darkens one colour more than another; more is another cloth, or skin."""

PLAIN = 0.5
"""Share that the finest detail has in all of it, up to which cloth is plain, or skin: its folds and
shades are those of one place and are not repeated. Lace has 0.8, a bare chest 0.4."""

RIM = 0.008
"""Heights of the body about what is hidden where its edge may be mixed with the arm's."""

COARSE, FINE = 0.012, 0.004
"""What counts as detail and as the finest, heights of the body."""

LEAST = 0.6
"""Pixels: the narrowest mean there is."""

FOLD = 0.06
"""Heights of the body: detail repeats to and fro over no more than this."""


def continued(picture: Picture, core: BoolArray) -> UInt8Array:
    """The picture's colours where `core` is well inside the person, continued everywhere else."""
    return _colours(picture.rgb, _sure(picture, core), picture.figure.size)


def continued_behind(
    picture: Picture, core: BoolArray, hidden: BoolArray, arms: BoolArray
) -> UInt8Array:
    """`continued`, with the weave of cloth, mirrored, where it is `hidden` by `arms`.

    Shadows beside the arms go: they would stay as seams when the arms move away.
    """
    sure, size = _sure(picture, core), picture.figure.size
    if not sure.any() or not (hidden & ~sure).any():
        return _colours(picture.rgb, sure, size)
    photo = picture.rgb.astype(np.float32)
    same, lift = _beside_arms(photo, sure, arms, size)
    lit = sure & ~same
    bare = ~shrunk(~hidden, RIM * size) & ~sure
    colours = _colours(picture.rgb, lit, size).astype(np.float32)
    weave, detail = _woven(photo, lit, size)
    smooth = (0.015 + 0.015 * weave) * size
    colours[bare] = mean_of(colours, lit | bare, smooth)[bare]
    if weave > 0:
        colours[bare] += weave * mirrored(detail, lit, bare, FOLD * size)
    colours[sure] = (photo + lift)[sure]
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


def _sure(picture: Picture, core: BoolArray) -> BoolArray:
    import cv2

    inset = max(1, round(0.003 * picture.figure.size))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * inset + 1, 2 * inset + 1))
    sure = core & (picture.alpha > 0.9) & picture.photo
    inner: BoolArray = cv2.erode(sure.astype(np.uint8), kernel) > 0
    if not inner.any():
        inner = sure if sure.any() else picture.alpha > 0.5
    return inner


def _colours(rgb: UInt8Array, known: BoolArray, size: float) -> UInt8Array:
    """The nearest known colours, the smoother the further away they come from."""
    import cv2

    inset = max(1, round(0.003 * size))
    filled = nearest_fill(rgb, known, ~known).copy()
    for reach, sigma in ((2 * inset, 0.006), (8 * inset, 0.02)):
        smooth = cv2.GaussianBlur(filled, (0, 0), sigma * size)
        far = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5) > reach
        filled[far] = smooth[far]
    return filled


def _beside_arms(
    photo: FloatArray, sure: BoolArray, arms: BoolArray, size: float
) -> tuple[BoolArray, FloatArray]:
    """What lies beside arms and is of the same cloth as what lies further away, so that this may
    stand for it (H, W); and by how many levels the arms' shadow darkens it, (H, W, 3).
    """
    away = sure & shrunk(~arms, SHADE * size)
    band = sure & ~away
    if not band.any() or not away.any():
        return np.zeros_like(sure), np.zeros_like(photo)
    further = mean_of(nearest_fill(photo, away, band), away | band, COARSE * size)
    here = mean_of(photo, sure, FINE * size)
    darker = (further + 1) / (here + 1)
    same = band & (darker.max(-1) < ALIKE * darker.min(-1))
    share = same * smoothstep((further - here).mean(-1) / DARKER - 1)
    return same, np.asarray(share[..., None] * np.maximum(further - here, 0), np.float32)


def _woven(photo: FloatArray, lit: BoolArray, size: float) -> tuple[float, FloatArray]:
    """Whether the cloth has a weave that may be repeated, in [0, 1], and its detail (H, W, 3).

    Small photos show none.
    """
    detail = photo - mean_of(photo, lit, COARSE * size)
    fine = photo - mean_of(photo, lit, FINE * size)
    share = np.abs(fine[lit]).mean() / max(float(np.abs(detail[lit]).mean()), 1e-3)
    usual = 1.5 * mean_of(np.abs(detail), lit, 0.02 * size)
    detail = np.clip(detail, -usual, usual)  # buttons and prints are not repeated
    resolved = FINE * size >= LEAST
    return float(np.clip((share - PLAIN) / 0.15, 0, 1)) * resolved, detail


def mirrored(
    values: FloatArray, known: BoolArray, wanted: BoolArray, most: float = np.inf
) -> FloatArray:
    """Values (n, C) of the wanted pixels: those of (h, w, C) as far on the other side of the edge
    of what is known, to and fro where that is thinner, or than `most` pixels."""
    source, away = nearest(known)
    here, depth = np.argwhere(wanted).astype(np.float32), away[wanted]
    edge = np.stack(np.divmod(source[wanted], known.shape[1]), -1).astype(np.float32)
    inward = (edge - here) / np.maximum(depth, 1e-6)[:, None]
    thick = _thickness(known, edge, inward, min(float(depth.max(initial=1)), most))
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


def mean_of(values: FloatArray, where: BoolArray, sigma: float) -> FloatArray:
    """Gaussian mean of (h, w, C) over the pixels of `where`."""
    import cv2

    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), max(sigma, LEAST))
    share = cv2.GaussianBlur(weight, (0, 0), max(sigma, LEAST))[..., None]
    overall = values[where].mean(0) if where.any() else np.zeros(values.shape[-1], np.float32)
    return np.asarray((total + 1e-3 * overall) / (share + 1e-3), np.float32)
