"""Where on the head what is: soft regions and lines between the 68 landmarks of the face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.looks.atlas import SkinAtlas, skin_atlas
from dancecli.types import FloatArray


@dataclass(frozen=True, eq=False)
class FaceFields:
    """The head's M texels, and fields over them, float32 (M,), 0-1.

    rows: which of the atlas' texels they are. fields: "cheeks" and "nose" (where skin is ruddy),
    "under eyes", "folds" (nose to mouth), "forehead" (lines), "parting" (of the lips), "lids",
    "shadow" (where eye shadow goes), "crease", "rims" (where lashes grow), "brows", and the
    beards "moustache", "goatee" and "full".
    """

    rows: NDArray[np.intp]
    fields: Mapping[str, FloatArray]


class _Painter:
    """Distances from the head's texels."""

    def __init__(self, place: FloatArray) -> None:
        self.place = place

    def near(self, points: FloatArray, radius: float) -> FloatArray:
        """1 at the points (K, 3), falling off within a radius in metres as a Gaussian."""
        total = np.zeros(len(self.place), np.float32)
        for point in np.atleast_2d(points):
            close = np.flatnonzero((np.abs(self.place - point) < 2.6 * radius).all(1))
            squared = ((self.place[close] - point) ** 2).sum(1)
            total[close] = np.maximum(total[close], np.exp(squared / np.float32(-(radius**2))))
        return total

    def line(self, points: FloatArray, radius: float) -> FloatArray:
        """The same about a line through points (K, 3)."""
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        counts = np.maximum((steps / (radius * 0.7)).astype(int), 1)
        dense = [
            start + (end - start) * np.linspace(0, 1, count + 1)[:, None]
            for start, end, count in zip(points[:-1], points[1:], counts, strict=True)
        ]
        return self.near(np.concatenate(dense), radius)

    def on_surface(self, points: FloatArray) -> FloatArray:
        """The texels' places that are nearest to points (K, 3)."""
        nearest = [((self.place - point) ** 2).sum(1).argmin() for point in points]
        return self.place[nearest]


def face_fields(assets: Assets, size: int) -> FaceFields:
    """The face on the skin's texture at a size; made once."""

    def make() -> FaceFields:
        atlas = skin_atlas(assets, size)
        head = [str(n) for n in assets.vertex_labels["coarse_names"]].index("head")
        rows = np.flatnonzero(atlas.part == head)
        return FaceFields(rows, _fields(_Painter(atlas.place[rows]), atlas))

    found: FaceFields = assets.once(f"face/{size}", make)
    return found


def _fields(paint: _Painter, atlas: SkinAtlas) -> dict[str, FloatArray]:
    marks = atlas.landmarks
    eyes = {"upper": (marks[36:40], marks[42:46]), "all": (marks[36:42], marks[42:48])}

    def eyelids(which: str, raised: float, radius: float) -> FloatArray:
        return np.maximum(*(paint.line(line + _up(raised), radius) for line in eyes[which]))

    return {
        "cheeks": paint.near(_cheeks(marks), 0.026), "nose": paint.near(marks[30], 0.014),
        "under eyes": paint.near(marks[[40, 41, 46, 47]] - _up(0.009), 0.009),
        "folds": _folds(paint, marks), "forehead": _forehead(paint, marks),
        "parting": paint.line(marks[[48, 60, 61, 62, 63, 64, 54]], 0.0014),
        "lids": paint.near(marks[[37, 38, 43, 44]], 0.01), "shadow": eyelids("upper", 0.004, 0.005),
        "crease": eyelids("upper", 0.0065, 0.0022), "rims": eyelids("all", 0, 0.0016),
        "brows": np.maximum(paint.line(marks[17:22], 0.0035), paint.line(marks[22:27], 0.0035)),
        **_beards(paint, marks),
    }  # fmt: skip


def _up(metres: float) -> FloatArray:
    return np.array([0, metres, 0], np.float32)


def _cheeks(marks: FloatArray) -> FloatArray:
    """Middle of each cheek: between the eye's outer corner and the mouth's."""
    right = 0.55 * marks[36] + 0.45 * marks[48]
    left = 0.55 * marks[45] + 0.45 * marks[54]
    outward = np.array([0.012, -0.008, 0], np.float32)
    return np.stack([right + outward * np.array([-1, 1, 1], np.float32), left + outward])


def _folds(paint: _Painter, marks: FloatArray) -> FloatArray:
    total = np.zeros(len(paint.place), np.float32)
    for wing, corner, side in ((31, 48, -1), (35, 54, 1)):
        out = np.array([0.008 * side, 0, 0], np.float32)
        middle = (marks[wing] + marks[corner]) / 2 + out
        path = np.stack([marks[wing] + out * 0.6, middle, marks[corner] + out * 0.9])
        total = np.maximum(total, paint.line(path, 0.0028))
    return total


def _forehead(paint: _Painter, marks: FloatArray) -> FloatArray:
    total = np.zeros(len(paint.place), np.float32)
    for height, waver in ((0.016, 0.001), (0.026, -0.001), (0.036, 0.0015)):
        path = marks[[18, 19, 21, 22, 24, 25]] + _up(height)
        path[:, 1] += waver * np.array([1, -1, 1, -1, 1, -1], np.float32)
        total = np.maximum(total, 0.7 * paint.line(paint.on_surface(path), 0.0018))
    return total


def _beards(paint: _Painter, marks: FloatArray) -> dict[str, FloatArray]:
    lip = (marks[32:35] + marks[50:53]) / 2
    moustache = paint.line(np.vstack([marks[48], lip, marks[54]]), 0.008)
    chin = paint.near(np.vstack([marks[7:10], (marks[57] + marks[8]) / 2]), 0.017)
    sides = [paint.line(marks[[corner, 8]], 0.009) for corner in (48, 54)]
    goatee = np.maximum.reduce([moustache, chin, *sides])
    jaw = 0.95 * paint.line(marks[1:16], 0.022)
    under = paint.line(marks[3:14] - np.array([0, 0.012, 0.01], np.float32), 0.018)
    cheeks = [0.8 * paint.line(marks[list(ends)], 0.014) for ends in ((48, 4), (54, 12))]
    full = np.maximum.reduce([goatee, jaw, under, *cheeks])
    return {"moustache": moustache, "goatee": goatee, "full": full}
