"""BODY_25, hands and face points of a person: means of base vertices, moved with the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dance_synth.assets import Assets
from dance_synth.parts import IntArray
from dance_synth.skinning import skinned, turned
from dance_synth.surface import base_skin, group_sheet, normals
from dancecli.types import BODY_25, FloatArray, UInt8Array

POINTS = 137
"""BODY_25, left hand, right hand (21 each), face (70)."""

FACE = 67
"""The first face point."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """What the keypoints are means of.

    rest, bones, weights: of K base vertices, as in `Rig` (unposed). mean: float32 (137, K).
    normals: float32 (137, 3) of the surface in rest at face points, zero elsewhere. first: (137,)
    of the K, one that each point is a mean of.
    """

    rest: FloatArray
    bones: UInt8Array
    weights: FloatArray
    mean: FloatArray
    normals: FloatArray
    first: IntArray

    def posed(self, moves: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The points and normals, both (137, 3), after the bones' moves (`transforms`)."""
        points = self.mean @ skinned(self.rest, self.bones, self.weights, moves)
        rows = self.first
        return points, turned(self.normals, self.bones[rows], self.weights[rows], moves)


def keypoints(assets: Assets, base: FloatArray) -> Keypoints:
    """The keypoints of a morphed, unposed base, float32 (V, 3), metres."""
    rows, mean, first = assets.once("keypoint_mean", lambda: _means(assets))
    bones, weights = base_skin(assets)
    out = normals(base, group_sheet(assets, base, "body").triangles)
    directions = np.zeros((POINTS, 3), np.float32)
    contour = [group[0] for group in assets.keypoints["face70"][:68]]
    directions[FACE : FACE + 68] = out[contour]
    # The pupils are cubes inside the eyes: they look ahead.
    directions[FACE + 68 :] = (0, 0, 1)
    return Keypoints(base[rows], bones[rows], weights[rows], mean, directions, first)


def _groups(assets: Assets) -> list[list[int]]:
    """The base vertices of each of the 137 points."""
    file = assets.keypoints
    body = file["body25"]
    both = {
        "neck": body["LShoulder"] + body["RShoulder"], "mid_hip": body["LHip"] + body["RHip"],
    }  # fmt: skip

    def of(name: str) -> list[int]:
        words = name.split("_")
        words[0] = {"left": "L", "right": "R"}.get(words[0], words[0])
        found: list[int] = both.get(name) or body["".join(w[0].upper() + w[1:] for w in words)]
        return found

    return [*map(of, BODY_25), *file["hand_left"], *file["hand_right"], *file["face70"]]


def _means(assets: Assets) -> tuple[IntArray, FloatArray, IntArray]:
    groups = _groups(assets)
    rows = np.unique([vertex for group in groups for vertex in group]).astype(np.int32)
    mean = np.zeros((len(groups), len(rows)), np.float32)
    for number, group in enumerate(groups):
        np.add.at(mean[number], np.searchsorted(rows, group), np.float32(1 / len(group)))
    first = np.searchsorted(rows, [group[0] for group in groups]).astype(np.int32)
    return rows, mean, first
