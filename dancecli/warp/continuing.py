"""The photo's colours continued where it does not show what is wanted of a piece."""

from __future__ import annotations

import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.layers import nearest, nearest_fill
from dancecli.warp.limbs import smoothstep
from dancecli.warp.picture import Picture

SHADE = 0.015
"""Heights of the body: what lies so near to an arm may be in its shadow."""

ODD = 16.0
"""Levels: what differs by less from what lies further from the arm is cloth, what differs
by twice as much is shadow, or a rim of the arm."""

PLAIN = 0.5
"""Share that the finest detail has in all of it, up to which cloth is plain, or skin: its folds and
shades are those of one place and are not repeated. Lace has 0.8, a bare chest 0.4."""

FOLD = 0.06
"""Heights of the body: detail repeats to and fro over no more than this."""


def continued(
    picture: Picture,
    core: BoolArray,
    hidden: BoolArray | None = None,
    arms: BoolArray | None = None,
) -> UInt8Array:
    """The picture's colours where `core` is well inside the person, continued everywhere else.

    hidden: where woven detail is continued as well, mirrored; elsewhere colours are smooth. arms:
    what hides it; the shadows beside them fade out.
    """
    sure = _sure(picture, core)
    if hidden is None or arms is None or not sure.any() or not (hidden & ~sure).any():
        return _colours(picture.rgb, sure, picture.figure.size)
    size = picture.figure.size
    lit = _lit(sure, arms, SHADE * size)
    return _with_detail(picture.rgb, sure, lit, hidden, size)


def _sure(picture: Picture, core: BoolArray) -> BoolArray:
    import cv2

    inset = max(1, round(0.003 * picture.figure.size))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * inset + 1, 2 * inset + 1))
    sure = core & (picture.alpha > 0.9) & picture.photo
    inner: BoolArray = cv2.erode(sure.astype(np.uint8), kernel) > 0
    if not inner.any():
        inner = sure if sure.any() else picture.alpha > 0.5
    return inner


def _lit(sure: BoolArray, arms: BoolArray, reach: float) -> BoolArray:
    """What is further than `reach` from arms, if that is most of it."""
    lit = sure & ~_beside(arms, reach)
    return lit if 2 * lit.sum() > sure.sum() else sure


def _colours(rgb: UInt8Array, known: BoolArray, size: float) -> UInt8Array:
    """The nearest known colours, the smoother the further away they come from."""
    import cv2

    inset = max(1, round(0.003 * size))
    filled = nearest_fill(rgb, known, ~known)
    for reach, sigma in ((2 * inset, 0.006), (8 * inset, 0.02)):
        smooth = cv2.GaussianBlur(filled, (0, 0), sigma * size)
        far = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5) > reach
        filled[far] = smooth[far]
    return filled


def _with_detail(
    rgb: UInt8Array, sure: BoolArray, lit: BoolArray, hidden: BoolArray, size: float
) -> UInt8Array:
    """`_colours` with the detail of what is lit over what is hidden."""
    colours, photo = _colours(rgb, lit, size).astype(np.float32), rgb.astype(np.float32)
    shaded = sure & ~lit
    bare = (hidden | shaded | _beside(hidden, 0.008 * size)) & ~lit
    weave, detail = _woven(photo, lit, size)
    colours[bare] = mean_of(colours, lit | bare, (0.015 + 0.015 * weave) * size)[bare]
    if weave > 0:
        colours[bare] += weave * mirrored(detail, lit, bare, FOLD * size)
    if shaded.any():
        _, away = nearest(~(lit | shaded))
        difference = photo[shaded] - colours[shaded]
        odd = smoothstep(np.abs(difference).mean(-1) / ODD - 1)
        share = 1 - odd * smoothstep(2 - 2 * away[shaded] / (SHADE * size))
        colours[shaded] += share[:, None] * difference
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


def _woven(photo: FloatArray, lit: BoolArray, size: float) -> tuple[float, FloatArray]:
    """Whether the cloth has a weave that may be repeated, in [0, 1], and its detail (H, W, 3)."""
    detail = photo - mean_of(photo, lit, 0.012 * size)
    fine = photo - mean_of(photo, lit, 0.004 * size)
    share = np.abs(fine[lit]).mean() / max(float(np.abs(detail[lit]).mean()), 1e-3)
    usual = 1.5 * mean_of(np.abs(detail), lit, 0.02 * size)
    detail = np.clip(detail, -usual, usual)  # buttons and prints are not repeated
    return float(np.clip((share - PLAIN) / 0.15, 0, 1)), detail


def _beside(mask: BoolArray, reach: float) -> BoolArray:
    """The mask and what is no further from it."""
    import cv2

    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= reach)


def mirrored(
    values: FloatArray, known: BoolArray, wanted: BoolArray, most: float = np.inf
) -> FloatArray:
    """Values (n, C) of the wanted pixels: those of (h, w, C) as far on the other side of the edge
    of what is known, to and fro where that is thinner."""
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
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), max(sigma, 0.6))
    share = cv2.GaussianBlur(weight, (0, 0), max(sigma, 0.6))[..., None]
    overall = values[where].mean(0) if where.any() else np.zeros(values.shape[-1], np.float32)
    return np.asarray((total + 1e-3 * overall) / (share + 1e-3), np.float32)
