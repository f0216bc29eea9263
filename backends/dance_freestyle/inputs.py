"""From what the stages pass to what the networks see: P^S, P^D, p^M*, P^B and the texture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dance_freestyle.presets import B2FPreset, P2BPreset
from dance_freestyle.tearing import torn
from dance_freestyle.transfers import sent
from dancecli.drawing import face_labels, hand_labels, stick_figure
from dancecli.labels import ALL_LABELS, BODY_LABELS, Label
from dancecli.motion.camera import centred
from dancecli.types import (
    SEEN,
    Box,
    DenseMap,
    FloatArray,
    Motion,
    Skeleton,
    Target,
    UInt8Array,
)
from dancecli.warp import Warped

MARGIN = 1.2
"""Height of the target's crop, in heights of the person."""

DENSE_PARTS = 24
"""The largest of DensePose's part indices, by which P^D's first channel is divided."""

ON_FACE = 0.5
"""Share of the landmarks' hull that must lie on the face label for them to stay where they are."""


def channels_of(hands: bool, face: bool = False) -> NDArray[np.int64]:
    """Label 0-26 -> channel, int64 (27,).

    Hands that are not told apart are arms, parts of the face are face.
    """
    table = np.arange(ALL_LABELS)
    if not face:
        table[BODY_LABELS:] = Label.FACE
    if not hands:
        table[[Label.LEFT_HAND, Label.RIGHT_HAND]] = Label.LEFT_ARM, Label.RIGHT_ARM
        table[BODY_LABELS:] -= 2 * face
    return table


def label_channels(
    labels: UInt8Array, preset: P2BPreset | B2FPreset, device: str = "cpu"
) -> Tensor:
    """Labels 0-26 (N, H, W) as the one-hot channels (N, C, H, W) that a preset asks for."""
    face = isinstance(preset, B2FPreset) and preset.face_labels
    table = channels_of(preset.hand_labels, face)
    if device.startswith("cuda"):  # a byte per pixel on the way, and no 64-bit integers there
        there = sent(torch.from_numpy(table.astype(np.uint8)[labels]), device)
        count = torch.arange(preset.labels, dtype=torch.uint8, device=device)
        return (there[..., None] == count).movedim(-1, 1).float()
    flat = torch.from_numpy(table[labels])
    one_hot = torch.nn.functional.one_hot(flat, preset.labels).movedim(-1, 1)
    return one_hot.float().contiguous().to(device)


def with_hands(labels: UInt8Array, skeleton: Skeleton, preset: P2BPreset | B2FPreset) -> UInt8Array:
    """Labels (H, W) with the skeleton's hands drawn in (section 3.1), unless hand_labels=off."""
    return hand_labels(labels, skeleton) if preset.hand_labels else labels


def target_map(target: Target, preset: P2BPreset) -> UInt8Array:
    """p^M* of equation 1, with the hands if P2B knows them, uint8 of its (height, width).

    The crop is centred on the person, MARGIN times their height, at the canvas's proportions.
    """
    size, labels = preset.size, with_hands(target.labels.labels, target.skeleton, preset)
    box = _target_box(labels, size)
    scale = size[0] / box.height
    shift = np.array([[scale, 0, -box.left * scale], [0, scale, -box.top * scale]])
    fitted = cv2.warpAffine(labels, centred(shift), (size[1], size[0]), flags=cv2.INTER_NEAREST)
    return np.asarray(fitted, np.uint8)


def _target_box(labels: UInt8Array, size: tuple[int, int]) -> Box:
    """Where in the photo p^M* is taken from, in its pixels; it may reach past the photo's edges.

    labels: (H, W). size: of p^M*, (height, width). All of the photo where nobody is labelled.
    """
    rows, columns = np.flatnonzero(labels.any(1)), np.flatnonzero(labels.any(0))
    if len(rows) == 0:
        return Box(0, 0, labels.shape[1], labels.shape[0])
    person = Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    height = MARGIN * max(person.height, person.width * size[0] / size[1])
    (x, y), width = person.center, height * size[1] / size[0]
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def at_size(motion: Motion, size: tuple[int, int]) -> Skeleton:
    """The motion's skeleton in pixels of a picture of that size."""
    return motion.skeleton.moved(size[0] / motion.canvas.height, 0, 0)


def sticks(skeletons: Sequence[Skeleton], size: tuple[int, int], device: str) -> Tensor:
    """P^S (N, 3, H, W) in [0, 1]."""
    drawn = [torch.from_numpy(stick_figure(each, *size)).movedim(-1, 0) for each in skeletons]
    return sent(torch.stack(drawn), device).float() / 255


def dense_maps(found: Iterable[DenseMap | None], size: tuple[int, int], device: str) -> Tensor:
    """P^D (N, 3, H, W), each as of `dense_tensor`."""
    return sent(torch.stack([dense_tensor(each, size) for each in found]), device)


def dense_tensor(dense: DenseMap | None, size: tuple[int, int]) -> Tensor:
    """P^D (3, H, W): I/24, U, V, each in [0, 1]; all zero where nothing is known."""
    if dense is None:
        return torch.zeros(3, *size)
    iuv = cv2.resize(dense.iuv, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return torch.from_numpy(iuv / np.array([DENSE_PARTS, 1, 1], np.float32)).movedim(-1, 0)


def parser_hints(mask: FloatArray, skeleton: Skeleton | None) -> UInt8Array:
    """What the parser is told beside the picture: uint8 (H, W, 4), mask and stick figure.

    mask: float32 (H, W), [0, 1]. skeleton: in the same pixels.
    """
    drawn = np.zeros((*mask.shape, 3), np.uint8)
    if skeleton is not None:
        drawn = stick_figure(skeleton, *mask.shape)
    return np.concatenate([np.rint(mask * 255).astype(np.uint8)[..., None], drawn], axis=2)


def with_face(labels: UInt8Array, landmarks: FloatArray, preset: B2FPreset) -> UInt8Array:
    """P^B: the body map (H, W) with the driver's five face labels drawn in (section 3.2), unless
    face_labels=off."""
    if not preset.face_labels:  # as face they would cover hair and hands
        return labels
    return face_labels(labels, on_face(landmarks, labels == Label.FACE))


def on_face(landmarks: FloatArray, face: NDArray[np.bool_]) -> FloatArray:
    """The landmarks (70, 3), moved onto the face label where they mostly miss it."""
    seen = landmarks[:68][landmarks[:68, 2] >= SEEN, :2]
    if len(seen) < 3 or not face.any():
        return landmarks
    hull = np.zeros(face.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(seen - 0.5).astype(np.int32)), 1)
    if (face & (hull > 0)).sum() >= ON_FACE * max(1, hull.sum()):
        return landmarks
    rows, columns = np.nonzero(face)
    target = np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]])
    low, high = seen.min(0), seen.max(0)
    scale = float(np.min((target[1] - target[0]) / np.maximum(high - low, 1e-3)))
    moved = landmarks.copy()
    moved[:, :2] = (landmarks[:, :2] - (low + high) / 2) * scale + target.mean(0)
    return moved


def resized(labels: UInt8Array, size: tuple[int, ...]) -> UInt8Array:
    """Labels (H, W) at another (height, width), each pixel keeping one of them."""
    if labels.shape == size:
        return labels
    picture = cv2.resize(labels, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(picture, np.uint8)


def textures(found: Iterable[Warped], device: str) -> Tensor:
    """(N, 6, H, W), each as of `texture_tensor`."""
    return sent(torch.stack([texture_tensor(each) for each in found]), device)


def tears(found: Iterable[Warped], preset: B2FPreset, device: str) -> Tensor:
    """(N, 1, h, w), each as of `tearing.torn`."""
    return sent(torch.stack([torch.from_numpy(torn(each, preset)) for each in found]), device)


def texture_tensor(warped: Warped) -> Tensor:
    """(6, H, W) as `dance_freestyle.texture.CHANNELS` describes."""
    height, width = warped.alpha.shape
    stacked = np.empty((6, height, width), np.float32)
    for channel in range(3):
        np.subtract(warped.colour[..., channel] * 2, 1, out=stacked[channel])
    stacked[:3] *= warped.alpha > 0
    stacked[3], stacked[4] = warped.alpha, warped.validity
    np.divide(warped.depth, height, out=stacked[5])
    return torch.from_numpy(stacked)
