"""Changes of a sample that training sees: shared moves, squeezed maps, mirrors, worn-out faces.

Everything random comes from the generator that is passed in; the trainer seeds one per position.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from dance_freestyle.training.appearances import coded
from dance_freestyle.training.samples import Shot
from dancecli.labels import mirrored as mirrored_labels
from dancecli.mirror import mirrored_skeleton
from dancecli.motion.camera import centred
from dancecli.types import BoolArray, FloatArray, Skeleton, UInt8Array

ROTATION = 15.0
SCALES = (0.8, 1.2)
SHIFT = 0.05
"""Degrees, factors and share of each side that all of a sample moves by together."""

SQUEEZE_X, SQUEEZE_Y = (0.75, 1.3), (0.9, 1.1)
SQUEEZED = 0.7
"""Factors by which label maps alone are squeezed or stretched, and how often."""

Matrix = NDArray[np.float64]
"""(2, 3), from the sample's continuous pixel coordinates to those of the result."""


def drawn_move(rng: Generator, size: tuple[int, int]) -> Matrix:
    """A rotation, scale and shift about the middle of a picture of that (height, width)."""
    angle, scale = np.radians(rng.uniform(-ROTATION, ROTATION)), rng.uniform(*SCALES)
    shift = rng.uniform(-SHIFT, SHIFT, 2) * (size[1], size[0])
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.array([size[1], size[0]]) / 2
    return np.concatenate([turn, (middle + shift - turn @ middle)[:, None]], axis=1)


def fitted(shot: Shot, size: tuple[int, int]) -> Shot:
    """The shot at another (height, width): pictures averaged where they shrink, maps nearest."""
    height, width = shot.labels.shape
    if (height, width) == size:
        return shot
    across, down = size[1] / width, size[0] / height
    matrix = np.array([[across, 0, 0], [0, down, 0]], np.float64)
    smooth = cv2.INTER_AREA if down < 1 else cv2.INTER_LINEAR
    return replace(
        shot,
        rgb=_resized(shot.rgb, size, smooth), plate=_resized(shot.plate, size, smooth),
        labels=_resized(shot.labels, size, cv2.INTER_NEAREST_EXACT),
        dense=None if shot.dense is None else _nearest_resized(shot.dense, size),
        skeleton=moved_skeleton(shot.skeleton, matrix),
    )  # fmt: skip


def _resized(picture: UInt8Array, size: tuple[int, int], how: int) -> UInt8Array:
    return np.asarray(cv2.resize(picture, (size[1], size[0]), interpolation=how), np.uint8)


def _nearest_resized(iuv: FloatArray, size: tuple[int, int]) -> FloatArray:
    resized = cv2.resize(iuv, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.float32)


def moved(shot: Shot, matrix: Matrix) -> Shot:
    """All of a shot under one move, at its own size; what comes in from outside is no person."""
    dense = None if shot.dense is None else _warped(shot.dense, matrix, cv2.INTER_NEAREST)
    edge = cv2.BORDER_REPLICATE
    return replace(
        shot,
        rgb=_warped(shot.rgb, matrix, cv2.INTER_LINEAR, edge).astype(np.uint8),
        plate=_warped(shot.plate, matrix, cv2.INTER_LINEAR, edge).astype(np.uint8),
        labels=_warped(shot.labels, matrix, cv2.INTER_NEAREST).astype(np.uint8),
        dense=None if dense is None else dense.astype(np.float32),
        skeleton=moved_skeleton(shot.skeleton, matrix),
    )


def _warped(
    picture: NDArray[np.generic], matrix: Matrix, how: int, edge: int = cv2.BORDER_CONSTANT
) -> NDArray[np.generic]:
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpAffine(picture, centred(matrix), size, flags=how, borderMode=edge))


def moved_skeleton(skeleton: Skeleton, matrix: Matrix) -> Skeleton:
    """Every keypoint under the move; metric joints turn with the picture and keep their lengths."""

    def move(points: FloatArray) -> FloatArray:
        places = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        return np.concatenate([places, points[:, 2:]], axis=1).astype(np.float32)

    world = skeleton.world
    if world is not None:
        scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        turned = world[:, :2] @ (matrix[:, :2] / scale).T
        world = np.concatenate([turned, world[:, 2:]], axis=1).astype(np.float32)
    return Skeleton(
        move(skeleton.body), move(skeleton.left_hand), move(skeleton.right_hand),
        move(skeleton.face), world,
    )  # fmt: skip


def drawn_squeeze(rng: Generator) -> tuple[float, float] | None:
    """Factors across and down, or None for the share of samples that stay as they are."""
    if rng.random() >= SQUEEZED:
        return None
    return float(rng.uniform(*SQUEEZE_X)), float(rng.uniform(*SQUEEZE_Y))


def squeezed(labels: UInt8Array, factors: tuple[float, float] | None) -> UInt8Array:
    """A label map squeezed or stretched about the person's middle (section 3.1); nearest label.

    labels: (H, W), of the same size after it, 0 where nothing was. factors: across and down; None
    changes nothing.
    """
    if factors is None or not labels.any():
        return labels
    rows, columns = np.flatnonzero(labels.any(1)), np.flatnonzero(labels.any(0))
    middle = np.array([columns[0] + columns[-1] + 1, rows[0] + rows[-1] + 1]) / 2
    scale = np.diag(factors)
    matrix = np.concatenate([scale, (middle - scale @ middle)[:, None]], axis=1)
    return _warped(labels, matrix, cv2.INTER_NEAREST).astype(np.uint8)


def mirrored(shot: Shot) -> Shot:
    """The shot in a mirror, left and right exchanged in labels and skeleton.

    Without its dense map, whose U and V do not mirror; P2B, which sees it, is never shown mirrors.
    """
    return replace(
        shot,
        rgb=np.ascontiguousarray(shot.rgb[:, ::-1]),
        plate=np.ascontiguousarray(shot.plate[:, ::-1]),
        labels=np.ascontiguousarray(mirrored_labels(shot.labels)),
        dense=None,
        skeleton=mirrored_skeleton(shot.skeleton, shot.labels.shape[1]),
    )


def dropped(present: BoolArray, share: float, rng: Generator) -> BoolArray:
    """Which of the parts t1-t5, bool (5,), are shown, a share of them left out at random."""
    return present & (rng.random(len(present)) >= share)


def worn(
    face: UInt8Array, rng: Generator, moving: float = 1.0, waves: float = 1.0, least: float = 2.0
) -> UInt8Array:
    """A face (S, S, 3) made worse, as generated ones are: bent, moved, blurred, coded, tinted.

    moving, waves: shares of the usual turn and scale, and of the usual bending. least: of the
    factors up to 6 by which it is made smaller.
    """
    bent = _bent(face, rng, moving, waves)
    side = face.shape[0]
    small = max(4, round(side / rng.uniform(least, 6)))
    coarse = cv2.resize(bent, (small, small), interpolation=cv2.INTER_AREA)
    back = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    blurred = cv2.GaussianBlur(back, (0, 0), rng.uniform(0.3, 0.01 * side))
    decoded = coded(np.asarray(blurred, np.uint8), int(rng.integers(30, 91)))
    tinted = decoded * rng.uniform(0.9, 1.1, 3)
    return np.clip(np.rint(tinted), 0, 255).astype(np.uint8)


ELASTIC = 6 / 256
"""Standard deviation of the elastic bending along each axis, in sides of the face."""

INTERPOLATED = 0.9
"""What cubic interpolation leaves of the deviation of a 4x4 grid's values (0.897 to 0.899)."""


def _bent(face: UInt8Array, rng: Generator, moving: float, waves: float) -> UInt8Array:
    """Scaled by up to 8%, turned by up to 8 degrees and bent smoothly; by shares of that."""
    side = face.shape[0]
    turn = cv2.getRotationMatrix2D(
        ((side - 1) / 2, (side - 1) / 2),
        moving * rng.uniform(-8, 8),
        1 + moving * rng.uniform(-0.08, 0.08),
    )
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    flat = np.stack([columns, rows, np.ones_like(rows)], -1) @ turn.T
    deviation = waves * ELASTIC * side / INTERPOLATED
    coarse = rng.normal(0, deviation, (4, 4, 2)).astype(np.float32)
    places = (flat + cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)).astype(
        np.float32
    )
    bent = cv2.remap(
        face, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(bent, np.uint8)
