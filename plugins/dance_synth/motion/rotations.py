"""Rotations as 3x3 matrices (of column vectors) and unit quaternions (w, x, y, z)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64Array: TypeAlias = NDArray[np.float64]

MIRROR: Float64Array = np.diag([-1.0, 1.0, 1.0])
"""Left and right exchanged; `MIRROR @ R @ MIRROR` is the mirrored rotation."""


def about_axis(axis: int, angle: ArrayLike) -> Float64Array:
    """Right-handed, about x, y or z (axis 0, 1 or 2); radians (...) -> (..., 3, 3)."""
    angles = np.asarray(angle, np.float64)
    second, third = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angles.shape, 3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., second, second] = matrix[..., third, third] = np.cos(angles)
    matrix[..., third, second] = np.sin(angles)
    matrix[..., second, third] = -np.sin(angles)
    return matrix


def about(vector: ArrayLike, angle: float) -> Float64Array:
    """Right-handed, about any direction (3,), radians -> (3, 3). Rodrigues' formula."""
    x, y, z = unit(np.asarray(vector, np.float64))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned: Float64Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turned


def from_vector(vector: ArrayLike) -> Float64Array:
    """Rotation vector (3,), its direction the axis and its length the angle -> (3, 3)."""
    vectors = np.asarray(vector, np.float64)
    angle = float(np.linalg.norm(vectors))
    return about(vectors, angle) if angle > 1e-12 else np.eye(3)


def between(start: ArrayLike, end: ArrayLike) -> Float64Array:
    """The smallest rotation that turns direction start (3,) into direction end (3,)."""
    first, second = unit(np.asarray(start, np.float64)), unit(np.asarray(end, np.float64))
    axis = np.cross(first, second)
    if np.linalg.norm(axis) < 1e-9:
        axis = np.cross(first, np.eye(3)[np.abs(first).argmin()])
    return about(axis, float(np.arccos(np.clip(first @ second, -1, 1))))


def unit(vector: Float64Array) -> Float64Array:
    """Vectors (..., n) at length 1."""
    scaled: Float64Array = vector / np.linalg.norm(vector, axis=-1, keepdims=True)
    return scaled


def quaternions(matrices: Float64Array) -> Float64Array:
    """(..., 3, 3) -> (..., 4) with w >= 0.

    Shepperd's method ("Quaternion from rotation matrix", 1978): the largest of the four squares
    is taken by root, so that nothing small is divided by.
    """
    m = matrices.reshape(-1, 3, 3)
    diagonal = np.diagonal(m, axis1=1, axis2=2)
    trace = diagonal.sum(1, keepdims=True)
    squares = np.concatenate([1 + trace, 1 - trace + 2 * diagonal], 1)
    skew = np.stack([m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]], 1)
    products = np.empty((len(m), 4, 4))
    products[:, 0, 1:] = products[:, 1:, 0] = skew
    products[:, 1:, 1:] = m + m.transpose(0, 2, 1)
    products[:, range(4), range(4)] = squares
    rows = products[np.arange(len(m)), squares.argmax(1)]
    found = unit(rows * np.where(rows[:, :1] < 0, -1.0, 1.0))
    return found.reshape(*matrices.shape[:-2], 4)


def matrices(quaternion: Float64Array) -> Float64Array:
    """(..., 4), of any length but zero -> (..., 3, 3)."""
    w, x, y, z = np.moveaxis(unit(quaternion), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def partway(start: Float64Array, end: Float64Array, share: float) -> Float64Array:
    """The rotation that share (0-1) of the way from start to end is, (..., 3, 3) each."""
    first, second = quaternions(start), quaternions(end)
    cosine = (first * second).sum(-1, keepdims=True)
    second = np.where(cosine < 0, -second, second)
    angle = np.arccos(np.clip(np.abs(cosine), 0, 1))
    near = angle < 1e-6
    sine = np.where(near, 1, np.sin(angle))
    weights = [np.where(near, s, np.sin(s * angle) / sine) for s in (1 - share, share)]
    return matrices(weights[0] * first + weights[1] * second)


def continuous(quaternion: Float64Array) -> Float64Array:
    """Quaternions in time, (F, ..., 4), with signs chosen so that neighbours are near."""
    flips = (quaternion[1:] * quaternion[:-1]).sum(-1) < 0
    signs = np.where(np.cumsum(flips, 0) % 2, -1.0, 1.0)
    steady = quaternion.copy()
    steady[1:] *= signs[..., None]
    return steady


def smooth(values: Float64Array, position: float) -> Float64Array:
    """Catmull-Rom curve through values (F, ...), at a position in frames, held at both ends."""
    last = len(values) - 1
    position = float(np.clip(position, 0, last))
    index = min(int(position), max(last - 1, 0))
    before, start, end, after = (
        values[int(np.clip(index + step, 0, last))] for step in (-1, 0, 1, 2)
    )
    s = position - index
    found: Float64Array = 0.5 * (
        2 * start + (end - before) * s
        + (2 * before - 5 * start + 4 * end - after) * s**2
        + (3 * (start - end) + after - before) * s**3
    )  # fmt: skip
    return found
