"""`cut`: from a photo's person to a puppet, once per photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from dancecli.types import FloatArray, Target
from dancecli.warp.anatomy import HEAD, MID_HIP, NECK, Figure
from dancecli.warp.behind import far_head
from dancecli.warp.hem import skirted
from dancecli.warp.hiding import limb_radii, owner_at
from dancecli.warp.layers import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TORSO
from dancecli.warp.limbs import limb_skin, smoothstep
from dancecli.warp.missing import LIMBS, OTHER, chain_of, shown
from dancecli.warp.picture import Picture, picture_of
from dancecli.warp.pixels import segment_distance, unit
from dancecli.warp.puppet import (
    HEAD_LAYER,
    LEFT_THIGH,
    LEFT_UPPER_ARM,
    RIGHT_THIGH,
    RIGHT_UPPER_ARM,
    TORSO_LAYER,
    HeadPose,
    LimbPose,
    Part,
    Puppet,
    TorsoPose,
)
from dancecli.warp.raster import Mesh, grid_mesh
from dancecli.warp.round import (
    HEAD_BUILD,
    TORSO_BUILD,
    Place,
    Profile,
    aside,
    profile,
    round_meshes,
    round_skin,
    solid,
)
from dancecli.warp.stance import Stance, stance
from dancecli.warp.texture import (
    Piece,
    face_piece,
    head_piece,
    limb_pieces,
    made_up,
    torso_piece,
)

CELL, MARGIN = 0.022, 0.05
"""Side of a mesh cell, and how far meshes reach past smoothed outlines, heights of the body."""

_LAYERS = {
    LEFT_ARM: LEFT_UPPER_ARM, RIGHT_ARM: RIGHT_UPPER_ARM,
    LEFT_LEG: LEFT_THIGH, RIGHT_LEG: RIGHT_THIGH,
}  # fmt: skip

_ARM_BIAS, _LEG_BIAS = (0.08, 0.03), (-0.1, -0.1)
"""Arms pass in front of the torso and thighs behind it unless depth is clear, heights."""


def cut(target: Target) -> Puppet:
    """The photo's person as a puppet."""
    picture = picture_of(target)
    figure = picture.figure
    here = stance(figure, figure)
    cell = CELL * figure.size
    torso, pieces = torso_piece(picture), cache(partial(limb_pieces, picture))
    parts = _torso_parts(picture, torso, here, cell) + _head_parts(picture, torso, here, cell)
    for part in LIMBS:
        parts += _limb_parts(picture, pieces, part, cell)
    return Puppet(figure, tuple(parts))


def _textures(piece: Piece) -> tuple[Piece, ...]:
    """The piece at full, half, quarter and eighth size."""
    import cv2

    levels = [piece]
    for power in (1, 2, 3):
        size = tuple(max(1, round(side / 2**power)) for side in piece.real.shape[::-1])
        rgba = cv2.resize(piece.rgba, size, interpolation=cv2.INTER_AREA)
        real = cv2.resize(piece.real, size, interpolation=cv2.INTER_AREA)
        levels.append(Piece(rgba, real, piece.left, piece.top))
    return tuple(levels)


def _torso_parts(picture: Picture, near: Piece, here: Stance, cell: float) -> list[Part]:
    outline = _outline(near, here.torso, picture)
    meshes = round_meshes(here.torso, outline, MARGIN * picture.figure.size, cell)
    vertices = meshes[0].vertices
    length = _torso_length(picture.figure)
    legs, follows = _hanging(picture, here.torso, vertices)
    meshes = meshes[0], _with_rim(meshes, follows.sum(0))
    return [
        Part(TORSO_LAYER, _textures(half.piece), half.mesh, TorsoPose(
            round_skin(here.torso, outline, vertices, length, TORSO_BUILD, half.far),
            half.far, half.turned_only, legs, follows,
        ))
        for half in _halves(near, made_up(near), here.torso, outline, meshes)
    ]  # fmt: skip


def _with_rim(meshes: tuple[Mesh, Mesh], follows: FloatArray) -> Mesh:
    """The mesh that ends at the outline, with the rim of the other where vertices follow legs by
    more than half: a thigh, which they meet, has its rim on whichever side."""
    whole, inner = meshes
    known = {tuple(corners) for corners in inner.triangles.tolist()}
    beyond = np.array([tuple(corners) not in known for corners in whole.triangles.tolist()])
    rim = whole.triangles[beyond & (follows[whole.triangles].min(1) > 0.5)]
    return Mesh(inner.vertices, np.concatenate([inner.triangles, rim]))


@dataclass(frozen=True, eq=False)
class _Half:
    """One sheet of a cylinder. turned_only: drawn only when the cylinder has turned."""

    piece: Piece
    mesh: Mesh
    far: bool
    turned_only: bool


def _halves(
    near: Piece, far: Piece, place: Place, outline: Profile, meshes: tuple[Mesh, Mesh]
) -> list[_Half]:
    """The sheets of a cylinder, lowest first.

    Turned, the soft outlines of the photo lie in the middle of the body: there solid copies of
    both sheets close the seam.
    """
    return [
        _Half(solid(far, place, outline), meshes[1], True, False),
        _Half(solid(near, place, outline), meshes[1], False, True),
        _Half(near, meshes[0], False, False),
    ]


def _hanging(
    picture: Picture, torso: Place, vertices: FloatArray
) -> tuple[tuple[LimbPose, LimbPose], FloatArray]:
    """Leg skins over the torso's vertices, and how far each vertex follows each leg.

    From a little above the hips downwards the torso moves as the legs do there, so that hips,
    seat and skirts stay in one piece with the thighs.
    """
    below = (vertices - torso.origin) @ torso.axis / _torso_length(picture.figure)
    low = smoothstep((below - 0.6) / 0.3)  # a chest bent over the thighs stays a chest
    poses, shares, distances = [], [], []
    for part in (LEFT_LEG, RIGHT_LEG):
        chain = chain_of(picture, part)
        widths = limb_radii(picture, part, chain)
        skin = limb_skin(chain, vertices, widths, half=0, inwards=_inwards(picture.figure, part))
        poses.append(LimbPose(skin, LIMBS[part], 0, 0.0))
        past = chain.past(vertices, 0, widths[0])
        shares.append(low * smoothstep(past / widths[0] + 1.6))
        distances.append(segment_distance(vertices, *chain.joints[:2]))
    nearer = (distances[1] - distances[0]) / (0.14 * picture.figure.size)
    left = smoothstep(nearer + 0.5)
    follows = np.stack([shares[0] * left, shares[1] * (1 - left)])
    return (poses[0], poses[1]), follows.astype(np.float32)


def _inwards(figure: Figure, part: int) -> FloatArray | None:
    """(2,): towards the other hip, as long as the photo shows the hips' breadth, at most 1; None
    for an arm."""
    if part in (LEFT_ARM, RIGHT_ARM):
        return None
    breadth = figure.points[LIMBS[OTHER[part]][0]] - figure.points[LIMBS[part][0]]
    return unit(breadth) * min(1.0, float(np.hypot(*breadth)) / (0.1 * figure.size))


def _torso_length(figure: Figure) -> float:
    return max(float(np.hypot(*(figure.points[MID_HIP] - figure.points[NECK]))), 1.0)


def _outline(piece: Piece, place: Place, picture: Picture) -> Profile:
    """The piece's silhouette in rows along a place's axis."""
    mask = np.zeros(picture.alpha.shape, bool)
    height, width = piece.real.shape
    mask[piece.top : piece.top + height, piece.left : piece.left + width] = (
        piece.rgba[..., 3] > 127
    )[: mask.shape[0] - piece.top, : mask.shape[1] - piece.left]
    return profile(mask, place)


def _head_parts(picture: Picture, torso: Piece, here: Stance, cell: float) -> list[Part]:
    near = head_piece(picture)
    outline = _outline(near, here.head, picture)
    meshes = round_meshes(here.head, outline, MARGIN * picture.figure.size, 0.6 * cell)
    vertices = meshes[0].vertices
    figure, length = picture.figure, _torso_length(picture.figure)
    axis = figure.points[HEAD] - figure.points[NECK]
    across = np.array([-axis[1], axis[0]]) / max(float(axis @ axis), 1e-6)
    beside = np.abs((vertices - figure.points[NECK]) @ across)
    torso_outline = _outline(torso, here.torso, picture)
    kept = aside(here.head.yaw)
    base = round_skin(here.torso, torso_outline, vertices, length, TORSO_BUILD, False, kept)
    throat = float(np.hypot(*axis))
    places = figure.rise(vertices), beside.astype(np.float32)

    def pose(far: bool, turned_only: bool, face: bool) -> HeadPose:
        skin = round_skin(here.head, outline, vertices, length, HEAD_BUILD, far, kept)
        return HeadPose(skin, turned_only, base, *places, throat, face)

    halves = _halves(near, far_head(picture, near), here.head, outline, meshes)
    parts = [
        Part(HEAD_LAYER, _textures(half.piece), half.mesh, pose(half.far, half.turned_only, False))
        for half in halves
    ]
    face = _textures(face_piece(picture, near))
    return [*parts, Part(HEAD_LAYER, face, meshes[0], pose(False, False, True))]


def _biases(picture: Picture, part: int) -> tuple[float, float]:
    """Of the upper and the lower half. What a skirt hides in the photo, thighs or shins as well, is
    behind it wherever it goes."""
    if part in (LEFT_ARM, RIGHT_ARM):
        return _ARM_BIAS
    if not skirted(picture.owner, picture.labels, picture.figure):
        return _LEG_BIAS
    knee = chain_of(picture, part).joints[1]
    return BEHIND, BEHIND if owner_at(picture, knee) == TORSO else _LEG_BIAS[1]


BEHIND = -1.0
"""Bias of what is behind the trunk whatever its depth."""


def _limb_parts(
    picture: Picture, pieces: Callable[[int], tuple[Piece, Piece]], part: int, cell: float
) -> list[Part]:
    """Upper and lower half, from the other side if only that shows them.

    Both come from one side where it shows both, for only then do they meet without a step.
    """
    own, other = shown(picture, part), shown(picture, OTHER[part])
    biases = _biases(picture, part)
    whole = min(own) < 0.5 and min(other) > 0.75
    parts = []
    for half in (0, 1):
        mirrored = whole or (own[half] < 0.5 and other[half] > 0.75)
        side = OTHER[part] if mirrored else part
        piece = pieces(side)[half]
        if mirrored:
            piece = made_up(piece)
        mesh, chain = grid_mesh(piece, cell), chain_of(picture, side)
        radii, inwards = limb_radii(picture, side, chain), _inwards(picture.figure, side)
        skin = limb_skin(chain, mesh.vertices, radii, mirrored, half, inwards)
        pose = LimbPose(skin, LIMBS[part], half, biases[half])
        parts.append(Part(_LAYERS[part] + half, _textures(piece), mesh, pose))
    return parts
