"""Equation 7: f0 = z m + b (1 - m), with the layer brought into the frame through its canvas.

The paper blends in [-1, 1]; the map to [0, 1] is affine and m sums to one with 1 - m, so blending
here gives the same picture. The result is clamped and rounded to 8 bits once, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dancecli.types import Canvas, FloatArray, Layer, UInt8Array

BLEED = 15
"""Pixels that a saved foreground's colour goes on past its edge, for the encoder's sake."""


@dataclass(frozen=True, eq=False)
class _Patch:
    """A layer in frame pixels. zm: float32 (h, w, 3), z m in [0, 1]; m: the same, m thrice."""

    left: int
    top: int
    zm: FloatArray
    m: FloatArray

    @property
    def window(self) -> tuple[slice, slice]:
        """Where it lies in the frame."""
        height, width = self.m.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def compose(layer: Layer, plate: UInt8Array) -> UInt8Array:
    """f0, uint8 RGB the size of `plate` (uint8 RGB); equal to the plate wherever m is 0."""
    out = plate.copy()
    patch = _placed(layer, plate.shape[1], plate.shape[0])
    if patch is not None:
        out[patch.window] = _blended(patch.zm * np.float32(255), patch.m, plate[patch.window])
    return out


def foreground(layer: Layer, size: tuple[int, int]) -> UInt8Array:
    """The layer alone, uint8 RGBA (height, width, 4) of size (width, height), not premultiplied.

    Colour goes on a little past the edge, where alpha is 0, so that a lossy encoder does not pull
    black into it.
    """
    out = np.zeros((size[1], size[0], 4), np.uint8)
    patch = _placed(layer, *size)
    if patch is not None:
        patch = _bordered(patch, *size)
        part = np.dstack([_carried_on(patch), patch.m[..., 0]])
        out[patch.window] = _eight_bit(part * np.float32(255))
    return out


def compose_rgba(rgba: UInt8Array, plate: UInt8Array) -> UInt8Array:
    """Equation 7 with what `foreground` gave; uint8 RGB, both of one size."""
    out = plate.copy()
    window = _touched(rgba[..., 3])
    if window is not None:
        part = rgba[window].astype(np.float32)
        m = _thrice(part[..., 3]) * np.float32(1 / 255)
        out[window] = _blended(part[..., :3] * m, m, plate[window])
    return out


def _blended(zm: FloatArray, m: FloatArray, b: UInt8Array) -> UInt8Array:
    """z m + b (1 - m) on the scale of 0 to 255; `zm` is used up."""
    zm += b * (1 - m)
    return _eight_bit(zm)


def _eight_bit(values: FloatArray) -> UInt8Array:
    """Rounded to nearest and clamped."""
    import cv2

    cv2.max(values, 0, values)
    return np.asarray(cv2.convertScaleAbs(values), np.uint8)


def _thrice(m: FloatArray) -> FloatArray:
    # As whole pictures: numpy is several times slower where it has to stretch a last axis of 1.
    import cv2

    return np.asarray(cv2.merge([m, m, m]), np.float32)


def _touched(m: UInt8Array | FloatArray) -> tuple[slice, slice] | None:
    """The smallest window with everything above 0."""
    rows, columns = np.flatnonzero(m.max(1) > 0), np.flatnonzero(m.max(0) > 0)
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _placed(layer: Layer, width: int, height: int) -> _Patch | None:
    """The part of the layer inside a frame of that size; None where nothing of it shows."""
    window = _touched(layer.m) if layer.m.size else None
    if window is None:
        return None
    canvas = layer.canvas
    whole = canvas.scale == 1 and canvas.x == int(canvas.x) and canvas.y == int(canvas.y)
    if not whole:
        window = _with_margin(window, layer.m.shape)
    m = _thrice(np.clip(layer.m[window], 0, 1))
    # Premultiplied before any resampling: colour where m is 0 means nothing and must not leak
    # into the soft edge as a dark or bright fringe.
    zm = layer.z[window] * m
    x = canvas.x + window[1].start * canvas.scale
    y = canvas.y + window[0].start * canvas.scale
    if whole:
        return _cropped(int(x), int(y), zm, m, width, height)
    part = Canvas(m.shape[1], m.shape[0], canvas.scale, x, y)
    return _resampled(np.dstack([zm, m[..., 0]]), part, width, height)


def _with_margin(window: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Two pixels more on each side, what an interpolation kernel reaches."""
    rows, columns = (
        slice(max(0, part.start - 2), min(side, part.stop + 2))
        for part, side in zip(window, shape, strict=True)
    )
    return rows, columns


def _cropped(
    x: int, y: int, zm: FloatArray, m: FloatArray, width: int, height: int
) -> _Patch | None:
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + m.shape[1], width), min(y + m.shape[0], height)
    if left >= right or top >= bottom:
        return None
    inside = slice(top - y, bottom - y), slice(left - x, right - x)
    return _Patch(left, top, zm[inside], m[inside])


def _resampled(rgba: FloatArray, canvas: Canvas, width: int, height: int) -> _Patch | None:
    """Frame pixels whose centre the canvas covers, by cubic interpolation (area when shrinking)."""
    import cv2

    scale_x = scale_y = canvas.scale
    if canvas.scale < 0.8:
        size = (max(1, round(canvas.width * scale_x)), max(1, round(canvas.height * scale_y)))
        rgba = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
        scale_x *= canvas.width / size[0]
        scale_y *= canvas.height / size[1]
    left, right = _covered(canvas.x, rgba.shape[1] * scale_x, width)
    top, bottom = _covered(canvas.y, rgba.shape[0] * scale_y, height)
    if left >= right or top >= bottom:
        return None
    back = np.array(
        [
            [1 / scale_x, 0, (left + 0.5 - canvas.x) / scale_x - 0.5],
            [0, 1 / scale_y, (top + 0.5 - canvas.y) / scale_y - 0.5],
        ]
    )
    warped = cv2.warpAffine(
        rgba, back, (right - left, bottom - top),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    # Cubic interpolation overshoots at edges: colour is brought back together with its share.
    m = np.clip(warped[..., 3], 0, 1)
    back_in_range = _thrice(m / np.maximum(warped[..., 3], np.float32(1e-3)))
    m = _thrice(m)
    return _Patch(left, top, np.clip(warped[..., :3] * back_in_range, 0, m), m)


def _covered(start: float, length: float, limit: int) -> tuple[int, int]:
    """First and one past the last pixel with its centre inside, clipped to the frame."""
    return max(0, int(np.ceil(start - 0.5))), min(limit, int(np.ceil(start + length - 0.5)))


def _bordered(patch: _Patch, width: int, height: int) -> _Patch:
    """The patch with `BLEED` empty pixels around it, as far as the frame goes."""
    rows, columns = patch.window
    left, top = max(0, columns.start - BLEED), max(0, rows.start - BLEED)
    right, bottom = min(width, columns.stop + BLEED), min(height, rows.stop + BLEED)
    sides = (
        (rows.start - top, bottom - rows.stop), (columns.start - left, right - columns.stop), (0, 0)
    )  # fmt: skip
    return _Patch(left, top, np.pad(patch.zm, sides), np.pad(patch.m, sides))


def _carried_on(patch: _Patch) -> FloatArray:
    """z of a patch, continued past the silhouette by the mean colour nearby."""
    import cv2

    side = (2 * BLEED + 1, 2 * BLEED + 1)
    near = cv2.blur(patch.zm, side, borderType=cv2.BORDER_REPLICATE)
    weight = cv2.blur(patch.m, side, borderType=cv2.BORDER_REPLICATE)
    around = near / np.maximum(weight, np.float32(1e-4))
    own = patch.zm / np.maximum(patch.m, np.float32(1e-4))
    z: FloatArray = np.where(patch.m > np.float32(1 / 512), own, around)
    return z
