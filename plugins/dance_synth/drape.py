"""Skirts and coat tails kept off the legs of a posed person.

Cloth follows the bones that its points hang on; a raised knee would come through it. Legs are
taken as tubes about their bones, as thick as the skin is in rest, and cloth inside one is moved
straight out of it. There are no folds and no swinging.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.compiled import compiled
from dance_synth.labelling import REGION, divided_skin
from dance_synth.parts import IntArray
from dancecli.types import FloatArray

STEPS = 8
"""Places along a bone at which its thickness is kept."""

OFF = 0.01
"""Room between leg and cloth, metres."""

TUBES = (("upperleg01", "lowerleg01", "upper_leg"), ("lowerleg01", "foot", "lower_leg"))
"""Bones at both ends of a tube, and the region of the skin that gives its thickness."""


@dataclass(frozen=True, eq=False)
class Drape:
    """The cloth and the tubes.

    rows: (H,) rows of the rig's points that hang. bones: (4,), ends: float32 (4, 2, 3) and radii:
    float32 (4, STEPS) of the tubes in rest, metres. rest: float32 (H, 4), how far from each tube's
    axis the cloth is in rest: it is not moved much farther than that.
    """

    rows: IntArray
    bones: NDArray[np.int64]
    ends: FloatArray
    radii: FloatArray
    rest: FloatArray

    def hung(self, points: FloatArray, moves: FloatArray) -> FloatArray:
        """The rig's points (P, 3) of a pose (bones moved by `moves`), the cloth off the legs."""
        turned = moves[self.bones]
        ends = np.einsum("bij,bkj->bki", turned[:, :, :3], self.ends) + turned[:, None, :, 3]
        out = points.copy()
        out[self.rows] = _pushed(points[self.rows], ends, self.radii, self.rest)
        return out


def drape(
    assets: Assets, base: FloatArray, heads: FloatArray, points: FloatArray, rows: IntArray
) -> Drape:
    """For points (P, 3) of which `rows` hang; all unposed, in the coordinates of the base."""
    skin = divided_skin(assets)
    whole = skin.extend(base)
    bones, ends, radii = [], [], []
    for side, letter in (("left", "L"), ("right", "R")):
        for start, end, region in TUBES:
            first, last = (assets.bone_names.index(f"{name}.{letter}") for name in (start, end))
            around = np.unique(skin.triangles[skin.region == REGION[f"{side}_{region}"]])
            bones.append(first)
            ends.append(heads[[first, last]])
            radii.append(_thickness(whole[around], heads[first], heads[last]))
    tubes = np.array(ends, np.float32)
    far = np.stack([_from_axis(points[rows], *tube)[1] for tube in tubes], 1)
    return Drape(rows, np.array(bones), tubes, np.array(radii, np.float32), far.astype(np.float32))


def _from_axis(
    points: FloatArray, start: FloatArray, end: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Place along the axis (0 start, 1 end) and distance from it."""
    axis = end - start
    place = np.asarray((points - start) @ axis / (axis @ axis), np.float32)
    far = np.linalg.norm(points - start - place[:, None] * axis, axis=1)
    return place, np.asarray(far, np.float32)


def _thickness(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    """Radius at STEPS places along a tube: what nine tenths of the skin there stay within."""
    place, far = _from_axis(points, start, end)
    step = np.clip(np.round(place * (STEPS - 1)), 0, STEPS - 1)
    return np.array([
        np.quantile(far[step == i], 0.9) if (step == i).any() else far.mean() for i in range(STEPS)
    ], np.float32)  # fmt: skip


@compiled
def _pushed(
    points: FloatArray, ends: FloatArray, radii: FloatArray, rest: FloatArray
) -> FloatArray:
    out = points.copy()
    axis, away = np.empty(3, np.float32), np.empty(3, np.float32)
    for _ in range(2):
        for tube in range(len(ends)):
            length = np.float32(0)
            for i in range(3):
                axis[i] = ends[tube, 1, i] - ends[tube, 0, i]
                length += axis[i] * axis[i]
            for p in range(len(out)):
                place = np.float32(0)
                for i in range(3):
                    place += (out[p, i] - ends[tube, 0, i]) * axis[i]
                place /= length
                if place <= 0 or place >= 1:
                    continue
                far = np.float32(0)
                for i in range(3):
                    away[i] = out[p, i] - ends[tube, 0, i] - place * axis[i]
                    far += away[i] * away[i]
                far = max(np.sqrt(far), np.float32(1e-6))
                at = place * (STEPS - 1)
                low = min(int(at), STEPS - 2)
                radius = radii[tube, low] + (at - low) * (radii[tube, low + 1] - radii[tube, low])
                # Room fades out towards the hip, where leg and trunk meet.
                share = min(place / np.float32(0.15), np.float32(1))
                most = min(radius, rest[p, tube]) + np.float32(OFF) * share
                if far < most:
                    for i in range(3):
                        out[p, i] += away[i] * (most / far - 1)
    return out
