"""The photo's colours continued where it does not show what is wanted of a piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.bare import shoulders
from dancecli.warp.limbs import smoothstep
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import distance, nearest, nearest_fill, shrunk

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

SEAM = 0.01
"""Heights of the body beside what is hidden that are not believed of plain cloth and skin; at twice
that the photo counts alone."""

SPREAD = 0.7
"""How wide the mean is that a hidden pixel takes, of its way to the nearest one that is shown."""

WIDTHS = 0.008, 0.128
"""Narrowest and widest such mean, heights of the body."""

SMALL = 300
"""Pixels of the body's height at which they are taken."""

LINE = 1024
"""Pixels that are looked up in one line."""

_LOWER = (Label.PANTS, Label.SKIRT, Label.SOCKS, Label.LEFT_LEG, Label.RIGHT_LEG)

FOLDS = (0.04, 0.07, 0.11, 0.16, 0.22)
"""Heights of the body by which detail is moved to where it is missing."""

MOVES, MOST_MOVES = 16, 6
"""Directions that are tried, and how many moves one gap is filled from."""


def continued(picture: Picture, core: BoolArray) -> UInt8Array:
    """The picture's colours where `core` is well inside the person, continued everywhere else.

    uint8 (H, W, 3); core: bool (H, W).
    """
    return _colours(picture.rgb, surely(picture, core), picture.figure.size)


def continued_behind(
    picture: Picture, core: BoolArray, hidden: BoolArray, arms: BoolArray
) -> UInt8Array:
    """`continued`, with the weave of cloth going on where it is `hidden` by `arms`.

    Shadows beside the arms go: they would stay as seams when the arms move away.
    """
    sure, size = surely(picture, core), picture.figure.size
    if not sure.any() or not (hidden & ~sure).any():
        return _colours(picture.rgb, sure, size)
    photo = picture.rgb.astype(np.float32)
    same, lift = _beside_arms(photo, sure, arms, size)
    lit = sure & ~same
    colours = _colours(picture.rgb, lit, size).astype(np.float32)
    colours[sure] = (photo + lift)[sure]
    bare = ~shrunk(~hidden, RIM * size) & ~sure
    below = nearest_fill(np.isin(picture.labels, _LOWER), lit, ~lit)
    skin = shoulders(picture, lit & ~below, arms & surely(picture, arms))
    for cloth, more in ((below, np.zeros_like(skin)), (~below, skin)):
        seen = _Seen(photo, (lit & cloth) | more, sure & cloth)
        _continue(colours, seen, bare & cloth, hidden & arms, size)
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the photo shows of one cloth. lit: without what arms shade, `sure`: with it; (H, W)."""

    photo: FloatArray
    lit: BoolArray
    sure: BoolArray


def _continue(
    colours: FloatArray, seen: _Seen, bare: BoolArray, behind: BoolArray, size: float
) -> None:
    """Colours what is `bare` of a cloth, and its seam along what is `behind` arms, in place.

    A hidden pixel takes the mean of what is shown about it, from the wider the further away that
    is: a single dark fold at its edge does not colour all of it.
    """
    if not bare.any() or not seen.lit.any():
        return
    weave, detail = weave_of(seen.photo, seen.lit, size)
    rest = _off_the_seam(seen.sure, behind, weave, size)
    lit = seen.lit & (rest == 1)
    lit = lit if lit.any() else seen.lit
    made, shown = bare | (rest < 1), colours[seen.sure]
    _, away = nearest(lit)
    colours[made] = _mean_as_wide(seen.photo, lit, made, SPREAD * away[made], size)
    colours[made] = mean_of(colours, lit | made, (0.01 + 0.02 * weave) * size)[made]
    if weave > 0:
        colours[made] += weave * repeated(detail, lit, made, size)
    kept = rest[seen.sure][:, None]
    colours[seen.sure] = kept * shown + (1 - kept) * colours[seen.sure]


def _off_the_seam(sure: BoolArray, hidden: BoolArray, weave: float, size: float) -> FloatArray:
    """Float32 (H, W): 1, but falling to 0 beside what is hidden where there is no weave to break:
    an arm's own edge and its darkest shadow lie there."""
    seam = SEAM * size  # far from everything the distance is the largest number there is
    near = 1 - smoothstep((np.minimum(distance(hidden), 3 * seam) / seam - 1).astype(np.float32))
    return np.asarray(1 - (1 - weave) * near * sure, np.float32)


def surely(picture: Picture, core: BoolArray) -> BoolArray:
    """`core` (H, W) as far as it is well inside the person, and in the photo."""
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
        far = distance(known) > reach
        filled[far] = smooth[far]
    return filled


def _mean_as_wide(
    photo: FloatArray, known: BoolArray, wanted: BoolArray, sigma: FloatArray, size: float
) -> FloatArray:
    """Gaussian means (n, 3) of the known pixels about the wanted ones, each of its own sigma (n,)
    within `WIDTHS`."""
    import cv2

    small = min(1.0, SMALL / size)
    shape = [max(1, round(side * small)) for side in known.shape]
    share = cv2.resize(known.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    total = cv2.resize(photo * known[..., None], shape[::-1], interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(wanted)
    # In lines of some length: OpenCV takes 32,766 lines at most.
    x, y = (
        np.pad(np.minimum(at * small, side - 1), (0, -len(at) % LINE)).reshape(-1, LINE)
        for at, side in ((columns, shape[1]), (rows, shape[0]))
    )
    level = np.log2(np.clip(sigma / size, *WIDTHS) / WIDTHS[0])
    out = np.zeros((len(rows), 3), np.float32)
    for k in range(int(np.log2(WIDTHS[1] / WIDTHS[0])) + 1):
        mean = _mean(total, share, WIDTHS[0] * 2**k * size * small)
        weight = np.maximum(1 - np.abs(level - k), 0)[:, None].astype(np.float32)
        there = cv2.remap(mean, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
        out += weight * there.reshape(-1, 3)[: len(out)]
    return out


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


def weave_of(photo: FloatArray, lit: BoolArray, size: float) -> tuple[float, FloatArray]:
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


def repeated(
    detail: FloatArray, known: BoolArray, wanted: BoolArray, size: float,
    folds: tuple[float, ...] = FOLDS,
) -> FloatArray:  # fmt: skip
    """Detail (n, C) of the wanted pixels: that of `known` ones, moved as a whole, so that a pattern
    stays one. A few moves, the shortest that bring much, and zero where none brings anything."""
    places = np.argwhere(wanted)
    found, left = np.zeros((len(places), detail.shape[-1]), np.float32), np.ones(len(places), bool)
    for move in _moves(known, wanted, size, folds):
        now = left & _known_at(known, places + move)
        found[now] = detail[tuple((places + move)[now].T)]
        left &= ~now
    return found


def _moves(
    known: BoolArray, wanted: BoolArray, size: float, folds: tuple[float, ...]
) -> Iterator[NDArray[np.intp]]:
    """(rows, columns) to where known pixels are for the wanted ones, the most useful first."""
    small = max(1, round(size / SMALL))
    known, left = known[::small, ::small], np.argwhere(wanted[::small, ::small])
    angles = np.arange(MOVES) * 2 * np.pi / MOVES
    around = np.stack([np.sin(angles), np.cos(angles)], -1)
    moves = [(fold, (fold * size / small * way).round()) for fold in folds for way in around]
    for _ in range(MOST_MOVES):
        worth = [
            _known_at(known, left + move).sum() / (1 + fold / folds[-1]) for fold, move in moves
        ]
        best = moves[int(np.argmax(worth))][1].astype(np.intp)
        brought = _known_at(known, left + best)
        if not brought.any():
            return
        left = left[~brought]
        yield best * small


def _known_at(known: BoolArray, places: NDArray[Any]) -> BoolArray:
    """Which of the places (n, 2), rows and columns, are known."""
    places = places.astype(np.intp)
    inside = ((places >= 0) & (places < known.shape)).all(1)
    clipped = np.clip(places, 0, np.array(known.shape) - 1)
    return np.asarray(inside & known[tuple(clipped.T)])


def mean_of(values: FloatArray, where: BoolArray, sigma: float) -> FloatArray:
    """Gaussian mean of (h, w, C) over the pixels of `where`."""
    weight = where.astype(np.float32)
    return _mean(values * weight[..., None], weight, sigma)


def _mean(total: FloatArray, share: FloatArray, sigma: float) -> FloatArray:
    """Gaussian mean of values (h, w, C) that are already times their weight (h, w)."""
    import cv2

    sigma = max(sigma, LEAST)
    overall = total.sum((0, 1)) / max(float(share.sum()), 1e-6)
    total, share = (cv2.GaussianBlur(each, (0, 0), sigma) for each in (total, share))
    return np.asarray((total + 1e-3 * overall) / (share[..., None] + 1e-3), np.float32)
