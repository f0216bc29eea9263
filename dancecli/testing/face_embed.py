"""What is checked of a `FaceEmbedder`. Its pictures have one size, so there is no tiny one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite
from dancecli.testing.judging import is_array, require
from dancecli.types import FloatArray, UInt8Array

SIDE = 256

PALE = ((225, 185, 160), (90, 60, 40), (60, 90, 140))
DARK = ((110, 75, 55), (20, 15, 15), (50, 30, 20))
"""Two people: colours of skin, hair and eyes."""


@lru_cache(maxsize=2)
def drawn_face(colours: tuple[tuple[int, int, int], ...] = PALE, wide: int = 75) -> UInt8Array:
    """A face as a child draws one, uint8 (256, 256, 3); not to be written to."""
    import cv2

    skin, hair, eyes = colours
    face = np.full((SIDE, SIDE, 3), 150, np.uint8)
    cv2.ellipse(face, (128, 110), (wide + 15, 105), 0, 0, 360, hair, -1)
    cv2.ellipse(face, (128, 135), (wide, 100), 0, 0, 360, skin, -1)
    for x in (128 - wide // 2, 128 + wide // 2):
        cv2.ellipse(face, (x, 112), (15, 9), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(face, (x, 112), 7, eyes, -1)
    cv2.ellipse(face, (128, 185), (wide // 2, 12), 0, 0, 180, (170, 60, 70), -1)
    return face


def _embedded(plugin: Any, face: UInt8Array) -> FloatArray:
    found: FloatArray = plugin.embed(face)
    is_array(found, np.float32, (plugin.size,), "the embedding")
    return found


def _types(case: Case) -> None:
    size = case.plugin.size
    require(isinstance(size, int) and size > 0, f"size is {size!r}")
    _embedded(case.plugin, drawn_face())


def _mirror(case: Case) -> None:
    _embedded(case.plugin, np.ascontiguousarray(drawn_face()[:, ::-1]))


def _two(case: Case) -> None:
    one, other = _embedded(case.plugin, drawn_face()), _embedded(case.plugin, drawn_face(DARK, 62))
    apart = float(np.linalg.norm(one - other)) / max(float(np.linalg.norm(one)), 1e-9)
    require(apart > 1e-3, "two people have the same embedding")


def _blank(case: Case) -> None:
    for value in (0, 128, 255):
        _embedded(case.plugin, np.full((SIDE, SIDE, 3), value, np.uint8))


SUITE: Suite = {
    "returns an embedding of its size": _types,
    "tells two people apart": _two,
    "embeds a face in a mirror": _mirror,
    "embeds a picture without a face": _blank,
    **behaviour(
        lambda plugin, face: plugin.embed(face), lambda case: (drawn_face(), drawn_face(DARK, 62))
    ),
}
