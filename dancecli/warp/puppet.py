"""The person as a puppet: pieces of the photo on meshes, posed by a skeleton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dancecli.types import FloatArray, Skeleton
from dancecli.warp.anatomy import MID_HIP, NECK, Figure, driven_figure
from dancecli.warp.blending import Warped, blend
from dancecli.warp.limbs import LimbSkin, ease, smoothstep
from dancecli.warp.raster import Mesh, Painted, paint
from dancecli.warp.round import RoundSkin
from dancecli.warp.stance import Stance, stance
from dancecli.warp.texture import Piece

(
    TORSO_LAYER, HEAD_LAYER, LEFT_UPPER_ARM, LEFT_FOREARM, RIGHT_UPPER_ARM, RIGHT_FOREARM,
    LEFT_THIGH, LEFT_SHIN, RIGHT_THIGH, RIGHT_SHIN,
) = range(1, 11)  # fmt: skip
"""Values of `Warped.layer`; 0 is background."""


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the photo on its mesh.

    textures: the piece at sizes 1, 1/2, 1/4 ... of the picture, each a smaller copy.
    """

    layer: int
    textures: tuple[Piece, ...]
    mesh: Mesh
    skin: Skin


@dataclass(frozen=True, eq=False)
class Posed:
    """Vertices of a part in a stance.

    points: float32 (n, 2), canvas pixels. depth: float32 (n,), towards the camera. facing: float32
    (n,), below 0 where the surface is turned away and hides behind its other half; None if it
    never does.
    """

    points: FloatArray
    depth: FloatArray
    facing: FloatArray | None = None


class Skin(Protocol):
    """How a part's vertices follow a stance."""

    def posed(self, stance: Stance) -> Posed | None:
        """Where the vertices go; None where the part is not wanted."""
        ...

    def nearness(self, stance: Stance) -> float:
        """The part's place in the order of drawing; nearer parts are larger."""
        ...


HANGING = 1.5
"""How many times longer what hangs over a foreshortened thigh may get: it lies before the thigh and
does not reach as far along it as it seems."""


@dataclass(frozen=True, eq=False)
class LimbPose:
    """Skin of one half of a limb.

    joints: the four joints in the figure; bone: the one that this half is drawn in order of.
    bias: heights of the body by which the part counts as nearer than its depth.
    """

    skin: LimbSkin
    joints: tuple[int, ...]
    bone: int
    bias: float

    def posed(self, stance: Stance, most: float = np.inf) -> Posed:
        """most: how many times longer than in the photo a bone may get, beside the body."""
        joints = stance.figure.points[list(self.joints)]
        bones = np.diff(joints, axis=0)
        source = np.hypot(*np.diff(self.skin.source.joints, axis=0).T)
        along = np.hypot(*bones.T) / np.maximum(source, 1e-3)
        kept = np.minimum(1, most * stance.scale / np.maximum(along, 1e-6))
        joints[1:] = joints[0] + np.cumsum(kept[:, None] * bones, 0)
        along = kept * along
        along[2] = np.clip(along[2], 0.7 * stance.scale, 1.4 * stance.scale)
        facing = float(np.cos(stance.torso.yaw)) ** 2
        points = self.skin.posed(joints, stance.root_turn, along, stance.scale, stance.back, facing)
        depths = stance.figure.depth[list(self.joints)]
        depth = np.interp(self.skin.place, np.arange(4), depths)
        return Posed(np.stack([points.real, points.imag], 1), depth.astype(np.float32))

    def nearness(self, stance: Stance) -> float:
        a, b = self.joints[self.bone], self.joints[self.bone + 1]
        depth = stance.figure.depth
        return float(depth[a] + depth[b]) / 2 + self.bias * stance.figure.size


@dataclass(frozen=True, eq=False)
class TorsoPose:
    """Skin of the near or far half of the torso; what hangs below the hips follows the legs.

    far: of the far half. turned_only: not drawn while the torso faces us as in the photo.
    legs: skins of the left and right leg over all vertices. follows: float32 (2, n), how far each
    vertex follows each leg; the rest is the torso's.
    """

    skin: RoundSkin
    far: bool
    turned_only: bool
    legs: tuple[LimbPose, LimbPose]
    follows: FloatArray

    def posed(self, stance: Stance) -> Posed | None:
        if self.turned_only and not self.skin.turned(stance.torso.yaw):
            return None
        points, depth, facing = self.skin.posed(stance.torso)
        follows = self.follows.sum(0)
        points = points * (1 - follows)[:, None]
        for leg, share in zip(self.legs, self.follows, strict=True):
            points += share[:, None] * leg.posed(stance, HANGING).points
        # Legs do not turn about their axes: what goes with them shows one side or the other.
        side = 1.0 if self.far == stance.back else -1.0
        return Posed(points, depth, facing + follows * (side - facing))

    def nearness(self, stance: Stance) -> float:
        return float(stance.figure.depth[[NECK, MID_HIP]].mean())


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Skin of the near or far half of the head; the neck goes over into the torso.

    turned_only: not drawn while the head faces us as in the photo.
    rise, aside: float32 (n,), heights of the vertices over the neck, 1 at the ears, and how far
    they lie beside the line between, in the same unit.
    throat: pixels from the neck to the ears in the photo.
    face: a sheet of the face alone, drawn over the neck where the head sinks into it.
    """

    skin: RoundSkin
    turned_only: bool
    torso: RoundSkin
    rise: FloatArray
    aside: FloatArray
    throat: float
    face: bool = False

    def posed(self, stance: Stance) -> Posed | None:
        if self.turned_only and not self.skin.turned(stance.head.yaw):
            return None
        points, depth, facing = self.skin.posed(stance.head)
        sunk = self._sunk(stance)
        if self.face:
            return Posed(points, depth, facing) if sunk > 0 else None
        base, _, _ = self.torso.posed(stance.torso)
        fold = sunk * (1 - _follows(self.aside, JAW))  # hair beside it is squeezed as it hangs
        drawn, folded = (_follows(self.rise, between) for between in (STRETCH, FOLD))
        moved = ((1 - fold) * drawn + fold * folded)[:, None] * (points - base)
        # No lower than where the neck begins to fold: the rest of it is behind the chin.
        most = np.maximum(self.rise - FOLD[0], 0) * self.throat * stance.scale
        excess = fold * np.maximum(moved @ stance.torso.axis - most, 0)
        return Posed(base + moved - excess[:, None] * stance.torso.axis, depth, facing)

    def _sunk(self, stance: Stance) -> float:
        """From 0 to 1, how far the chin lies over the neck: by how much nearer the head is to the
        collar than in the photo. One that leans to a side is as far from it as before."""
        apart = float(np.hypot(*(stance.head.origin - stance.torso.origin)))
        low, high = SUNK
        nearer = 1 - apart / max(self.throat * stance.scale, 1e-3)
        return ease((nearer - low) / (high - low))

    def nearness(self, stance: Stance) -> float:
        torso = float(stance.figure.depth[[NECK, MID_HIP]].mean())
        return max(stance.head.depth[0], torso) + 0.01 * stance.figure.size


STRETCH, FOLD = (0.15, 0.55), (0.35, 0.55)
"""Heights over the neck, 1 at the ears, between which vertices go over from the torso to the head:
as a neck is drawn out, and where the chin comes to lie over it, so that the collar stays round."""

JAW = 0.3, 0.5
"""How far beside the line from neck to ears, in its length, the neck folds, and no more."""

SUNK = 0.02, 0.2
"""Throats by which the head has sunk between which the neck begins to fold and does so entirely;
less is noise, which would make the face's sheet come and go."""


def _follows(rise: FloatArray, between: tuple[float, float]) -> FloatArray:
    """(n,): 0 up to the first place, 1 from the second on: where a vertex moves with the torso and
    with the head."""
    low, high = between
    return smoothstep(((rise - low) / (high - low)).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Puppet:
    """A photo's person, ready to be posed. Made by `cut`."""

    figure: Figure
    parts: tuple[Part, ...]

    def pose(self, skeleton: Skeleton, height: int, width: int) -> Warped:
        """The person in that pose on a canvas of that size; skeleton in canvas pixels.

        Nothing is painted where the skeleton shows neither neck nor hips.
        """
        figure = driven_figure(skeleton, self.figure)
        if figure is None:
            return blend([], height, width, 1.0)
        where = stance(figure, self.figure)
        layers = [
            (part.skin.nearness(where), part.layer, self._paint(part, where, height, width))
            for part in self.parts
        ]
        layers.sort(key=lambda layer: layer[0])
        painted = [(number, piece) for _, number, piece in layers if piece is not None]
        return blend(painted, height, width, figure.size)

    def _paint(self, part: Part, where: Stance, height: int, width: int) -> Painted | None:
        """The part on the canvas, from the texture whose pixels are about as large."""
        posed, triangles = part.skin.posed(where), part.mesh.triangles
        if posed is None:
            return None
        if posed.facing is not None:
            triangles = triangles[posed.facing[triangles].mean(1) > 0]
        level = int(np.clip(np.round(-np.log2(where.scale) - 0.2), 0, len(part.textures) - 1))
        return paint(
            part.textures[level], 0.5**level, posed.points, part.mesh.vertices, triangles,
            posed.depth, (height, width),
        )  # fmt: skip
