"""What is printed on the chest: letters, badges, pictures, all made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dancecli.types import FloatArray

SIDE = 256
"""Texels of a print's side."""

_LETTERS = "ABCDEFGHJKLMNOPRSTUVXYZ0123456789"
_FONTS = (
    cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)  # fmt: skip


def draw_print(name: str, rng: np.random.Generator, colours: Sequence[FloatArray]) -> FloatArray:
    """A print of `PRINTS`: float32 (SIDE, SIDE, 4), colour times alpha, and alpha; 0-1.

    colours: (3,) each, 0-1.
    """
    picture = np.zeros((SIDE, SIDE, 4), np.float32)
    PRINTS[name](picture, rng, [(*c.tolist(), 1.0) for c in colours])
    # Washed prints have lost a little everywhere.
    return picture * np.float32(rng.uniform(0.75, 1.0))


Paint = tuple[float, ...]


def _letters(
    picture: FloatArray, rng: np.random.Generator, colours: Sequence[Paint], length: int = 0
) -> None:
    rows = 1 if length else int(rng.integers(1, 4))
    font, tall = int(rng.choice(_FONTS)), 0.62 * SIDE / rows
    for row in range(rows):
        count = length or int(rng.integers(2, 8))
        text = "".join(rng.choice(list(_LETTERS), count))
        thick = int(rng.integers(3, 9))
        (wide, high), _ = cv2.getTextSize(text, font, 1.0, thick)
        scale = min(0.92 * SIDE / wide, tall / high)
        at = (
            round((SIDE - wide * scale) / 2),
            round(SIDE * (row + 1) / (rows + 1) + high * scale / 2),
        )
        cv2.putText(picture, text, at, font, scale, colours[row % len(colours)], thick, cv2.LINE_AA)


def _number(picture: FloatArray, rng: np.random.Generator, colours: Sequence[Paint]) -> None:
    text = str(rng.integers(1, 99))
    scale = 7.0 if len(text) == 2 else 9.0
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 24)
    scale *= min(0.9 * SIDE / wide, 0.8 * SIDE / high, 1)
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 20)
    at = (SIDE - wide) // 2, (SIDE + high) // 2
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, colours[0], 20, cv2.LINE_AA)


def _badge(picture: FloatArray, rng: np.random.Generator, colours: Sequence[Paint]) -> None:
    """A polygon in a ring or on a disc."""
    centre, radius = (SIDE // 2, SIDE // 2), int(rng.uniform(0.3, 0.46) * SIDE)
    cv2.circle(picture, centre, radius, colours[0], int(rng.choice([-1, 6, 14])), cv2.LINE_AA)
    corners = _star(rng, 0.8 * radius) + SIDE / 2
    cv2.fillPoly(picture, [np.round(corners * 16).astype(np.int32)], colours[1], cv2.LINE_AA, 4)


def _star(rng: np.random.Generator, radius: float) -> NDArray[np.float64]:
    """Corners (K, 2) of a star-shaped polygon about the origin."""
    count = int(rng.integers(3, 12))
    angles = (
        np.sort(rng.uniform(0, 2 * np.pi, count))
        if rng.random() < 0.5
        else (np.arange(count) * 2 * np.pi / count - np.pi / 2)
    )
    reach = radius * np.where(np.arange(count) % 2, rng.uniform(0.35, 1), 1.0)
    corners: NDArray[np.float64] = np.stack([reach * np.cos(angles), reach * np.sin(angles)], 1)
    return corners


def _shapes(picture: FloatArray, rng: np.random.Generator, colours: Sequence[Paint]) -> None:
    """A handful of polygons and discs."""
    for _ in range(int(rng.integers(3, 9))):
        colour = colours[int(rng.integers(len(colours)))]
        centre, size = rng.uniform(0.25, 0.75, 2) * SIDE, rng.uniform(0.06, 0.24) * SIDE
        if rng.random() < 0.4:
            cv2.circle(picture, centre.astype(int).tolist(), int(size), colour, -1, cv2.LINE_AA)
        else:
            corners = np.round((_star(rng, size) + centre) * 16).astype(np.int32)
            cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA, 4)


def _scene(picture: FloatArray, rng: np.random.Generator, colours: Sequence[Paint]) -> None:
    """A framed picture of soft patches, as a photo print looks from afar."""
    seed = rng.uniform(0, 1, (6, 6, 3)).astype(np.float32)
    soft = cv2.resize(seed, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    mean = np.array(colours[:2], np.float32)[:, :3].mean(0)
    top, left = int(rng.uniform(0.05, 0.25) * SIDE), int(rng.uniform(0.05, 0.2) * SIDE)
    inside = (slice(top, SIDE - top), slice(left, SIDE - left))
    picture[..., :3][inside] = np.clip(mean + 0.3 * (soft - 0.5), 0, 1)[inside]
    picture[..., 3][inside] = 1


def _logo(picture: FloatArray, rng: np.random.Generator, colours: Sequence[Paint]) -> None:
    """A polygon above a word."""
    corners = _star(rng, 0.26 * SIDE) + np.array([0.5, 0.36]) * SIDE
    cv2.fillPoly(picture, [np.round(corners * 16).astype(np.int32)], colours[0], cv2.LINE_AA, 4)
    word = np.zeros_like(picture)
    _letters(word, rng, colours[1:] or colours, int(rng.integers(3, 8)))
    low = cv2.resize(word, (SIDE, SIDE // 2), interpolation=cv2.INTER_AREA)
    np.maximum(picture[SIDE // 2 :], low, out=picture[SIDE // 2 :])


PRINTS: Mapping[str, Callable[[FloatArray, np.random.Generator, Sequence[Paint]], None]] = {
    "letters": _letters, "number": _number, "badge": _badge, "shapes": _shapes, "scene": _scene,
    "logo": _logo,
}  # fmt: skip


def lay_print(cloth: FloatArray, drawn: FloatArray, to_uv: FloatArray, wide: float) -> None:
    """A print laid in place over cloth (h, w, 3), whose opposite edges meet.

    to_uv: float32 (2, 3), uv of the place x metres to the wearer's left and y metres up from the
    print's middle: to_uv @ (x, y, 1). wide: metres.
    """
    h, w = cloth.shape[:2]
    # Print texels (column, row) -> metres -> uv -> texels of the cloth.
    metres = np.array([[wide / SIDE, 0, -wide / 2], [0, -wide / SIDE, wide / 2], [0, 0, 1]])
    texels = np.array([[w, 0, 0], [0, -h, h]]) @ np.vstack([to_uv, [0, 0, 1]]) @ metres
    reach = min(int(np.ceil(np.abs(texels[:, :2]).sum() * SIDE)) + 2, h, w)
    corner = np.floor(texels @ (SIDE / 2, SIDE / 2, 1)).astype(int) - reach // 2
    texels[:, 2] -= corner
    small = cv2.GaussianBlur(drawn, (0, 0), max(0.35 / max(abs(texels[0, 0]), 1e-3), 0.3))
    placed = cv2.warpAffine(small, texels, (reach, reach), flags=cv2.INTER_LINEAR)
    rows = (np.arange(reach) + corner[1])[:, None] % h
    columns = (np.arange(reach) + corner[0])[None] % w
    alpha = placed[..., 3:]
    cloth[rows, columns] = cloth[rows, columns] * (1 - alpha) + placed[..., :3]
