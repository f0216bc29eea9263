"""Faces cut out upright and pasted back: the crops of equation 19."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dancecli.keypoints import LEFT_EYE, MOUTH, NOSE, RIGHT_EYE
from dancecli.motion.camera import centred
from dancecli.types import SEEN, FloatArray, UInt8Array

ARCFACE = np.array(
    [(38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20)], np.float64
)
"""ArcFace's five points in a picture 112 wide: the eyes from the left, nose, mouth corners."""

SCALE, OFFSET, SIDE = 1.7, 32.8, 256
"""Where the template lies in FR's 256 x 256 crops: x · 1.7 + 32.8."""

SMALLEST_FACE = 12.0
"""Pixels between eyes and mouth below which there is nothing to refine."""

GROWTH = 0.15
"""How far past the landmarks' hull a refined face may reach, in eye-to-mouth distances."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a face lies in a frame.

    to_crop: (2, 3), frame pixels to crop pixels. landmarks: (n, 2), those seen, frame pixels.
    side: of the crop.
    """

    to_crop: NDArray[np.float64]
    landmarks: FloatArray
    side: int


def five_points(landmarks: FloatArray) -> NDArray[np.float64] | None:
    """Eye centres, nose tip and mouth corners (5, 2) of the 70 points; None if any is unseen."""
    groups = (RIGHT_EYE, LEFT_EYE, (NOSE,), *((corner,) for corner in MOUTH))
    if any(landmarks[list(group), 2].min() < SEEN for group in groups):
        return None
    return np.array([landmarks[list(group), :2].mean(0) for group in groups], np.float64)


def align(landmarks: FloatArray | None, side: int) -> Alignment | None:
    """The alignment of a face (70, 3) to the template in a crop of that side.

    None where no face shows, where it is too small, or where its points are not a face (mirrored).
    """
    points = None if landmarks is None else five_points(landmarks)
    if points is None or landmarks is None:
        return None
    if np.linalg.norm(points[:2].mean(0) - points[3:].mean(0)) < SMALLEST_FACE:
        return None
    template = (ARCFACE * SCALE + OFFSET) * (side / SIDE)
    seen = landmarks[:68][landmarks[:68, 2] >= SEEN, :2]
    return Alignment(similarity(points, template), seen, side)


def align_finely(landmarks: FloatArray | None, sides: Sequence[int]) -> Alignment | None:
    """As `align`, to the first of the sides that is as fine as the frame, or the last.

    sides: of crops, in pixels, smallest first.
    """
    found = None
    for side in sides:
        found = align(landmarks, side)
        if found is None or _scale(found) >= 1:
            break
    return found


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation, scale and shift (2, 3) that takes source to target (N, 2) in least squares.

    Umeyama 1991, equations 40-42, without reflection.
    """
    mean_s, mean_t = source.mean(0), target.mean(0)
    centred_s, centred_t = source - mean_s, target - mean_t
    u, sizes, v = np.linalg.svd(centred_t.T @ centred_s / len(source))
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(v))])
    rotation = (u * signs) @ v
    scale = (sizes * signs).sum() / (centred_s**2).sum(1).mean()
    return np.concatenate([scale * rotation, (mean_t - scale * rotation @ mean_s)[:, None]], axis=1)


def cut(rgb: UInt8Array, alignment: Alignment) -> UInt8Array:
    """The aligned face, uint8 (side, side, 3); what lies outside the frame repeats its edge."""
    part, seen = _around(rgb, alignment, _corners(alignment))
    shrink = 1 / _scale(seen)
    if shrink > 1:  # else a large face would alias, and flicker as it moves
        part = cv2.GaussianBlur(part, (0, 0), (shrink - 1) / 2, borderType=cv2.BORDER_REPLICATE)
    face = cv2.warpAffine(
        part, centred(seen.to_crop), (seen.side, seen.side),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(face, np.uint8)


def cut_aligned(rgb: UInt8Array, landmarks: FloatArray | None, side: int) -> UInt8Array | None:
    """`cut` by the landmarks (70, 3); None where `align` finds no face in them."""
    alignment = align(landmarks, side)
    return None if alignment is None else cut(rgb, alignment)


def paste(rgb: UInt8Array, alignment: Alignment, face: FloatArray, mask: FloatArray) -> UInt8Array:
    """The frame with a face (side, side, 3), 0-255, blended over it by mask (side, side), [0, 1].

    Only inside the landmarks' hull, a little enlarged and soft at its edge; other pixels stay.
    """
    out = rgb.copy()
    part, seen = _around(out, alignment, alignment.landmarks, _reach(alignment))
    height, width = part.shape[:2]
    matrix = centred(seen.to_crop)
    back = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    warped = cv2.warpAffine(
        face, matrix, (width, height), flags=back, borderMode=cv2.BORDER_REPLICATE
    )
    weight = cv2.warpAffine(mask, matrix, (width, height), flags=back) * hull(seen, part.shape)
    part[:] = np.clip(np.rint(part + weight[..., None] * (warped - part)), 0, 255)
    return out


def hull(alignment: Alignment, shape: tuple[int, ...]) -> FloatArray:
    """Float32 (H, W), 1 within the landmarks' hull, falling to 0 over the growth about it."""
    inside = np.zeros(shape[:2], np.uint8)
    points = np.rint(alignment.landmarks - 0.5).astype(np.int32)
    cv2.fillConvexPoly(inside, cv2.convexHull(points), 1)
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    return np.asarray(np.clip(1 - distance / _reach(alignment), 0, 1), np.float32)


def hull_in_crop(alignment: Alignment) -> FloatArray:
    """`hull` on the aligned crop, float32 (side, side)."""
    points = alignment.landmarks @ alignment.to_crop[:, :2].T + alignment.to_crop[:, 2]
    own = Alignment(np.eye(2, 3), points.astype(np.float32), alignment.side)
    return hull(own, (alignment.side, alignment.side))


def _reach(alignment: Alignment) -> float:
    """Frame pixels over which the hull's edge falls to 0."""
    template = (ARCFACE * SCALE + OFFSET) * (alignment.side / SIDE)
    eyes_to_mouth = float(np.linalg.norm(template[:2].mean(0) - template[3:].mean(0)))
    return max(1.0, GROWTH * eyes_to_mouth / _scale(alignment))


def _scale(alignment: Alignment) -> float:
    """Crop pixels per frame pixel."""
    return float(np.sqrt(abs(np.linalg.det(alignment.to_crop[:, :2]))))


def _corners(alignment: Alignment) -> NDArray[np.float64]:
    """The crop's corners (4, 2), frame pixels."""
    back = np.linalg.inv(alignment.to_crop[:, :2])
    side = alignment.side
    corners = np.array([[0, 0], [0, side], [side, 0], [side, side]], np.float64)
    return np.asarray((corners - alignment.to_crop[:, 2]) @ back.T)


def _around(
    rgb: UInt8Array, alignment: Alignment, points: NDArray[Any], reach: float = 0.0
) -> tuple[UInt8Array, Alignment]:
    """A view of the frame about those points, at least a pixel of it, and the face's place there.

    Work on a face then costs what the face is large, not what the frame is.
    """
    height, width = rgb.shape[:2]
    low, high = np.floor(points.min(0) - reach - 2), np.ceil(points.max(0) + reach + 2)
    left, top = np.clip(low, 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(high, (left + 1, top + 1), (width, height)).astype(int)
    shift = np.array([left, top])
    to_crop = alignment.to_crop.copy()
    to_crop[:, 2] += to_crop[:, :2] @ shift
    landmarks = (alignment.landmarks - shift).astype(np.float32)
    return rgb[top:bottom, left:right], Alignment(to_crop, landmarks, alignment.side)
