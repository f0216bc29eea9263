"""From a pose of the bones to the points of the skin: linear blend skinning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.compiled import compiled
from dancecli.errors import UsageError
from dancecli.types import FloatArray, UInt8Array


@dataclass(frozen=True, eq=False)
class RigPose:
    """How the 79 bones (`Assets.bone_names`, parents before children) are turned.

    rotations: float32 (79, 3, 3), in the WORLD's axes (not the parent's): bone b carries a rest
        direction d to rotations[b] @ d; all identity is the rest pose (an A-pose: arms 45 degrees
        down). A bone's head follows its parent: head[b] = head[parent] + rotations[parent] @
        (rest_head[b] - rest_head[parent]).
    shift: float32 (3,), metres, by which the root bone's head leaves its place in rest, where the
        sole of the lowest foot or shoe is at y = 0 and the root bone at x = z = 0.
    grounded: the lowest point of the posed person is put on y = 0, whatever shift[1] is (for
        stills and standing; not for jumps).
    """

    rotations: FloatArray
    shift: FloatArray
    grounded: bool = True


@dataclass(frozen=True, eq=False)
class Rig:
    """What moves a person's points.

    rest: float32 (P, 3), unposed, lowest at y = 0. bones: uint8 (P, 8) and weights: float32
    (P, 8), largest first. heads: float32 (79, 3), pivots of the bones in rest. parents: (79,), -1
    for the root.
    """

    rest: FloatArray
    bones: UInt8Array
    weights: FloatArray
    heads: FloatArray
    parents: NDArray[np.int64]


def bone_heads(assets: Assets, base: FloatArray) -> FloatArray:
    """Pivots (79, 3) of the bones on a morphed, unposed base.

    Those of trunk and head are put in the middle; two neck bones of the pack lie 5 cm beside it.
    """
    heads = base[assets.body["bone_head_verts"]].mean(1)
    middle = [not name.endswith((".L", ".R")) for name in assets.bone_names]
    heads[middle, 0] = 0
    return np.asarray(heads, np.float32)


def transforms(rig: Rig, pose: RigPose) -> FloatArray:
    """Float32 (79, 3, 4): what takes each bone's points from rest to the pose.

    Raises UsageError for rotations or a shift of another shape.
    """
    rotations = np.asarray(pose.rotations, np.float32)
    shift = np.asarray(pose.shift, np.float32)
    if rotations.shape != (len(rig.heads), 3, 3) or shift.shape != (3,):
        raise UsageError(
            f"a pose has rotations ({len(rig.heads)}, 3, 3) and a shift (3,), "
            f"not {rotations.shape} and {shift.shape}"
        )
    heads = np.empty_like(rig.heads)
    for bone, parent in enumerate(rig.parents):
        if parent < 0:
            heads[bone] = rig.heads[bone] + shift
        else:
            arm = rig.heads[bone] - rig.heads[parent]
            heads[bone] = heads[parent] + rotations[parent] @ arm
    place = heads - np.einsum("bij,bj->bi", rotations, rig.heads)
    return np.concatenate([rotations, place[:, :, None]], 2)


def skinned(
    rest: FloatArray, bones: UInt8Array, weights: FloatArray, moves: FloatArray
) -> FloatArray:
    """Points (P, 3) moved by their bones (P, 8), by their weights (P, 8), largest first."""
    return np.asarray(_blend(rest, bones, weights, np.ascontiguousarray(moves)))


def turned(
    directions: FloatArray, bones: UInt8Array, weights: FloatArray, moves: FloatArray
) -> FloatArray:
    """Directions (N, 3) turned by their bones; unit length, zero stays zero."""
    blended = np.einsum("nk,nkij->nij", weights, moves[bones, :, :3])
    out = np.einsum("nij,nj->ni", blended, directions)
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return np.asarray(out / np.maximum(length, 1e-9), np.float32)


@compiled
def _blend(
    rest: FloatArray, bones: UInt8Array, weights: FloatArray, moves: FloatArray
) -> FloatArray:
    out = np.empty_like(rest)
    m = np.empty(12, np.float32)
    for p in range(len(rest)):
        m[:] = 0
        for k in range(bones.shape[1]):
            weight = weights[p, k]
            if weight == 0:
                break
            bone = bones[p, k]
            for i in range(3):
                for j in range(4):
                    m[4 * i + j] += weight * moves[bone, i, j]
        x, y, z = rest[p, 0], rest[p, 1], rest[p, 2]
        for i in range(3):
            out[p, i] = m[4 * i] * x + m[4 * i + 1] * y + m[4 * i + 2] * z + m[4 * i + 3]
    return out
