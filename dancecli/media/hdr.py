"""HDR and wide colours shown as SDR: BT.2100's HLG and PQ and BT.2020 into BT.709.

Light of 203 nits, a white sheet (BT.2408), is the white of SDR; what is up to KNEE of it keeps its
brightness, and the rest up to PEAK is laid into what is left, so that lights do not burn out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.types import UInt8Array

PQ, HLG = 16, 18
"""ITU-T H.273's numbers of the transfers of HDR."""

BT2020 = 9
"""ITU-T H.273's number of the primaries, and of the usual matrix, of wide colours."""

WHITE = 203.0
"""Nits of a white sheet in HDR."""

PEAK = 1000.0
"""Nits of the brightest light that is told from a brighter one; HLG's display has as many."""

KNEE = 0.6
"""Share of SDR's white up to which light is not compressed."""

GAMMA = 2.4
"""Of SDR's display (BT.1886)."""

ROWS = 16
"""Rows converted at a time: they stay in the processor's own memory."""

LEVELS = 65536

_Floats = NDArray[np.float32]

_TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349],
     [-0.018151, -0.100579, 1.118730]], np.float32,
)  # fmt: skip
"""Linear BT.2020 to linear BT.709 (BT.2087)."""

_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]], np.float32)
"""Of linear BT.2020."""


@dataclass(frozen=True)
class Colours:
    """How a picture's colours are written: ITU-T H.273's numbers; 2 where nothing is said."""

    transfer: int = 2
    primaries: int = 2

    @property
    def hdr(self) -> bool:
        """Whether light brighter than SDR's white can be written."""
        return self.transfer in (PQ, HLG)

    @property
    def wide(self) -> bool:
        """Whether they must be converted to be shown as SDR."""
        return self.hdr or self.primaries == BT2020

    def __str__(self) -> str:
        return {PQ: "HDR (PQ)", HLG: "HDR (HLG)"}.get(self.transfer, "BT.2020")


def to_sdr(rgb: NDArray[Any], colours: Colours) -> UInt8Array:
    """Full-range R'G'B', uint16 or uint8 (H, W, 3), as uint8 (H, W, 3) for a display of BT.709.

    Memory beside the result does not grow with H.
    """
    shown = np.empty(rgb.shape, np.uint8)
    for top in range(0, len(rgb), ROWS):
        shown[top : top + ROWS] = _shown(rgb[top : top + ROWS], colours)
    return shown


def _shown(rgb: NDArray[Any], colours: Colours) -> UInt8Array:
    """A few rows: into light, into BT.709's primaries, and back."""
    import cv2

    decode, encode, most = _tables(colours.transfer)
    codes = rgb if rgb.dtype == np.uint16 else rgb.astype(np.uint16) * 257
    light: Any = decode.take(codes, mode="clip")
    if colours.transfer == HLG:
        # The display's own gamma of 1.2, which is one of brightness and not of each colour.
        bright = cv2.pow(cv2.transform(light, _LUMINANCE), 0.2) * np.float32(PEAK / WHITE)
        light = cv2.multiply(light, cv2.cvtColor(bright, cv2.COLOR_GRAY2RGB))
    if colours.primaries in (BT2020, 2):
        light = cv2.transform(light, _TO_709)
    # By the root, so that the table's steps are fine where the eye's are.
    root = cv2.sqrt(np.clip(light, 0, most)) * np.float32((LEVELS - 1) / most**0.5)
    shown: UInt8Array = encode.take(root.astype(np.uint16), mode="clip")
    return shown


@lru_cache(maxsize=4)
def _tables(transfer: int) -> tuple[_Floats, UInt8Array, float]:
    """float32 (65536,): light of each code, SDR's white being 1 (HLG: of the scene, its most
    being 1). uint8 (65536,): SDR's code for the root of light. And the most light."""
    codes = np.linspace(0, 1, LEVELS)
    most = PEAK / WHITE if transfer in (PQ, HLG) else 1.0
    light = {PQ: _pq, HLG: _hlg}.get(transfer, lambda c: c**GAMMA)(codes)
    shown = _compressed(codes**2 * most) if most > 1 else codes**2
    encode = np.rint(255 * np.clip(shown, 0, 1) ** (1 / GAMMA)).astype(np.uint8)
    return light.astype(np.float32), encode, most


def _pq(code: NDArray[Any]) -> NDArray[Any]:
    """BT.2100's EOTF of PQ, in units of WHITE."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = code ** (1 / m2)
    return np.asarray(10000 / WHITE * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def _hlg(code: NDArray[Any]) -> NDArray[Any]:
    """BT.2100's inverse OETF of HLG: light of the scene, 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def _compressed(light: NDArray[Any]) -> NDArray[Any]:
    """Light in units of WHITE, unchanged up to KNEE, then ever flatter to 1 at PEAK."""
    over = np.maximum(light - KNEE, 0) / (1 - KNEE)
    most = (PEAK / WHITE - KNEE) / (1 - KNEE)
    bent = over * (1 + over / most**2) / (1 + over)
    return np.where(light <= KNEE, light, KNEE + (1 - KNEE) * bent)
