"""Image-based dense maps carried from the driver's body onto the retargeted one, part by part.

DensePose shows the driver; each of its 24 parts is moved with the bone it lies on: turned with
the bone, stretched along it as the bone is, and scaled across as the whole body is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.body import height_of
from dancecli.motion.camera import Affine, centred, identity
from dancecli.types import JOINT, DenseMap, FloatArray, Skeleton

Values = NDArray[np.float64]

_PART_BONES: dict[tuple[int, ...], tuple[str, str]] = {
    (3,): ("right_elbow", "right_wrist"),
    (4,): ("left_elbow", "left_wrist"),
    (5,): ("left_ankle", "left_big_toe"),
    (6,): ("right_ankle", "right_big_toe"),
    (7, 9): ("right_hip", "right_knee"),
    (8, 10): ("left_hip", "left_knee"),
    (11, 13): ("right_knee", "right_ankle"),
    (12, 14): ("left_knee", "left_ankle"),
    (15, 17): ("left_shoulder", "left_elbow"),
    (16, 18): ("right_shoulder", "right_elbow"),
    (19, 21): ("left_elbow", "left_wrist"),
    (20, 22): ("right_elbow", "right_wrist"),
}
"""DensePose part numbers -> the bone they follow."""

_TORSO = ("right_shoulder", "left_shoulder", "right_hip", "left_hip")
_HEAD = ("neck", "nose", "right_ear", "left_ear", "right_eye", "left_eye")
_FIXED_ORDER = ((1, 2), (23, 24), *_PART_BONES)
"""Back to front where depth is unknown; parts of one bone stay together."""

SHORTEST = 0.04
"""Bones shorter than this share of height point at the camera: moved, not stretched."""


def warp_dense(
    dense: DenseMap, source: Skeleton, moved: Skeleton, size: tuple[int, int]
) -> DenseMap:
    """The dense map of `source` on `moved`, in a picture of `size` (width, height).

    source: skeleton in the pixels of `dense`; moved: the same person retargeted, in the pixels
    of the result. Parts are laid over each other back to front by the depth of their bones
    (`Skeleton.depth`), and seams of up to a few pixels between them are closed.
    """
    import cv2

    width, height = size
    out = np.zeros((height, width, 3), np.float32)
    before, after = height_of(source), height_of(moved)
    ratio = after / before if before and after else 1.0
    for parts in _back_to_front(moved):
        mask = np.isin(dense.iuv[..., 0], parts)
        if not mask.any():
            continue
        affine = centred(_part_map(parts, source, moved, ratio))
        flags = cv2.INTER_NEAREST  # U and V jump between parts: mixing neighbours would invent
        shown = np.where(mask[..., None], dense.iuv, np.float32(0))
        part = np.asarray(cv2.warpAffine(shown, affine, size, flags=flags))
        out = np.where(part[..., :1] > 0, part, out)
    return DenseMap(_closed(out, max(1, round(0.006 * after))))


def _back_to_front(skeleton: Skeleton) -> list[tuple[int, ...]]:
    depth = skeleton.depth()
    if depth is None:
        return list(_FIXED_ORDER)

    def near(parts: tuple[int, ...]) -> float:
        joints = _joints(parts)
        values = [float(depth[JOINT[name]]) for name in joints]
        known = [value for value in values if np.isfinite(value)]
        return float(np.mean(known)) if known else 0.0

    return sorted(_FIXED_ORDER, key=near)  # stable: ties keep the fixed order


def _joints(parts: tuple[int, ...]) -> tuple[str, ...]:
    if parts == (1, 2):
        return _TORSO
    return _HEAD if parts == (23, 24) else _PART_BONES[parts]


def _part_map(parts: tuple[int, ...], source: Skeleton, moved: Skeleton, ratio: float) -> Affine:
    """Source pixels to result pixels for one bone's parts."""
    names = [name for name in _joints(parts) if source.seen(name) and moved.seen(name)]
    old = np.array([source.joint(name) for name in names], np.float64).reshape(-1, 2)
    new = np.array([moved.joint(name) for name in names], np.float64).reshape(-1, 2)
    if len(names) == 2 and parts in _PART_BONES:
        turn = _bone_turn(old[1] - old[0], new[1] - new[0], ratio, SHORTEST * height_of(source))
        # Hands follow the forearm but keep their place at the wrist.
        anchor = 1 if parts in ((3,), (4,)) else 0
        return _anchored(turn, old[anchor], new[anchor])
    if len(names) >= 2:
        return _similarity(old, new)
    if len(names) == 1:
        return _anchored(ratio * np.eye(2), old[0], new[0])
    return _similarity_of_bodies(source, moved, ratio)


def _bone_turn(old: Values, new: Values, ratio: float, shortest: float) -> Values:
    """(2, 2): `old` to `new`; across the bone `ratio`, and along it where it is too short."""
    a, b = float(np.linalg.norm(old)), float(np.linalg.norm(new))
    if a < shortest or b < shortest * ratio:
        return np.asarray(ratio * np.eye(2))
    u, v = old / a, new / b
    along, across = np.outer(v, u) * (b / a), np.outer([-v[1], v[0]], [-u[1], u[0]]) * ratio
    return np.asarray(along + across)


def _anchored(turn: Values, old: Values, new: Values) -> Affine:
    return np.column_stack([turn, new - turn @ old])


def _similarity(old: Values, new: Values) -> Affine:
    """Least-squares similarity (Umeyama 1991, without reflection) of at least two points."""
    a, b = old - old.mean(0), new - new.mean(0)
    spread = max(float((a**2).sum()), 1e-9)
    cos = float((a * b).sum()) / spread
    sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    return _anchored(np.array([[cos, -sin], [sin, cos]]), old.mean(0), new.mean(0))


def _similarity_of_bodies(source: Skeleton, moved: Skeleton, ratio: float) -> Affine:
    both = (source.body[:, 2] > 0) & (moved.body[:, 2] > 0)
    if not both.any():
        return identity()
    old, new = (s.body[both, :2].astype(np.float64).mean(0) for s in (source, moved))
    return _anchored(ratio * np.eye(2), old, new)


def _closed(iuv: FloatArray, reach: int) -> FloatArray:
    """Background gaps narrower than 2 x reach filled from the nearest body pixel."""
    import cv2
    from scipy.ndimage import distance_transform_edt

    body = (iuv[..., 0] > 0).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    gaps = (cv2.morphologyEx(body, cv2.MORPH_CLOSE, kernel) > 0) & (body == 0)
    if not gaps.any() or not body.any():
        return iuv
    rows, columns = distance_transform_edt(body == 0, return_distances=False, return_indices=True)
    out = iuv.copy()
    out[gaps] = iuv[rows[gaps], columns[gaps]]
    return out
