"""What passes between the modules of the synthesiser.

    recipe ─► Human (mesh, textures, labels: once per person) ─► posed ─► Posed (per frame)
    Posed + View of the camera + Light + Backdrop ─► render ─► Rendered

World: metres, right-handed, y up, the rest pose faces +z, the person's left is +x.
Camera: x right, y down, depth z away from it. Pictures as in `dancecli.types`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dancecli.types import BoolArray, FloatArray, Skeleton, UInt8Array

IntArray = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Material:
    """How a surface looks.

    texture: uint8 (h, w, 4) sRGB and alpha; row (1-v)·h. kind: "skin", "cloth", "hair", "eye" or
    "leather". cutout: alpha decides whether there is anything at all (hair, brows, lashes).
    """

    texture: UInt8Array
    kind: str
    cutout: bool = False


@dataclass(frozen=True, eq=False)
class Human:
    """One dressed person: all that does not change with the pose.

    triangles: int32 (T, 3) into the V vertices, counter-clockwise from outside.
    weld: int32 (V,): vertices with one number are one point (split at uv seams), for normals.
    uv: float32 (V, 2), u right, v up. material: uint8 (T,) into materials.
    labels: uint8 (T,), 0-21. part: uint8 (T,), DensePose part 1-24 of the body below, and
    part_uv: float32 (T, 3, 2), its U and V in [0, 1] at the triangle's corners.
    naked: int32 (N, 3): triangles of the whole undressed skin into the same vertices, drawn or not
    (for checks of IUV), with naked_part (N,) and naked_uv (N, 3, 2).
    height: metres, standing.
    """

    triangles: IntArray
    weld: IntArray
    uv: FloatArray
    material: UInt8Array
    materials: tuple[Material, ...]
    labels: UInt8Array
    part: UInt8Array
    part_uv: FloatArray
    naked: IntArray
    naked_part: UInt8Array
    naked_uv: FloatArray
    height: float


@dataclass(frozen=True, eq=False)
class Posed:
    """A person in one pose, feet's lowest point at y = 0 when standing on the ground.

    vertices: float32 (V, 3). points: float32 (137, 3): BODY_25, left hand, right hand, face (as
    `Skeleton.points`), metres. normals: float32 (137, 3) of the surface at face points, zero
    elsewhere: a face point that looks away is not seen.
    """

    vertices: FloatArray
    points: FloatArray
    normals: FloatArray


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without roll.

    position: metres. yaw, pitch: radians; yaw 0 looks along -z (at the face of a person in rest),
    pitch above 0 looks down. focal: in pixels. height, width: of the picture.
    """

    position: tuple[float, float, float]
    yaw: float
    pitch: float
    focal: float
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class Rendered:
    """A rendered picture and its truth.

    rgb, plate: uint8 (H, W, 3), with and without people. labels: uint8 (H, W), 0-21 of the person.
    iuv: float32 (H, W, 3) as `DenseMap.iuv`. mask: bool (H, W), the person's pixels.
    people: bool (H, W), with others and what they hide.
    skeleton: picture pixels; confidence 1 seen, 0.5 hidden by the body itself or another thing
    but inside the picture, 0 outside; with `world`.
    """

    rgb: UInt8Array
    plate: UInt8Array
    labels: UInt8Array
    iuv: FloatArray
    mask: BoolArray
    people: BoolArray
    skeleton: Skeleton
