"""What the person looks like, once per person: equations 4 and 5."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from dance_freestyle import encoders
from dance_freestyle.encoders import IMAGENET_MEAN
from dance_freestyle.presets import B2FPreset
from dancecli.labels import APPEARANCE_PARTS
from dancecli.types import BoolArray, Box, UInt8Array

PARTS = len(APPEARANCE_PARTS)

SMALLEST = 64
"""Pixels below which a part counts as absent."""

FACE_MARGIN = 1.3
"""How much the face's box is enlarged, as VGGFace2's own preparation does [ox-vgg/vgg_face2]."""

MEAN_COLOUR = tuple(round(255 * value) for value in IMAGENET_MEAN)


@dataclass(frozen=True, eq=False)
class Parts:
    """t1-t5 of equation 4.

    images: uint8 (5, S, S, 3), RGB. present: bool (5,), False where the part is not in the photo;
    its image is then ImageNet's mean colour.
    """

    images: UInt8Array
    present: BoolArray


def separate(rgb: UInt8Array, labels: UInt8Array, size: int) -> Parts:
    """l(I, p^M*), equation 4: the boxes of five parts, each S x S.

    rgb: (H, W, 3). labels: (H, W). Face and hair (t1) keep their surroundings, in the other parts
    all else is ImageNet's mean colour.
    """
    images = np.full((PARTS, size, size, 3), MEAN_COLOUR, np.uint8)
    present = np.zeros(PARTS, np.bool_)
    for index in range(PARTS):
        inside = _MEMBERS[index][labels]
        if np.count_nonzero(inside) < SMALLEST:
            continue
        box = _square(inside, FACE_MARGIN if index == 0 else 1.0)
        masked = rgb if index == 0 else _alone(rgb, inside, box)
        images[index] = crop(masked, box, size, MEAN_COLOUR)
        present[index] = True
    return Parts(images, present)


_MEMBERS = [
    np.isin(np.arange(256), [int(label) for label in members]) for members in APPEARANCE_PARTS
]
"""Whether a label belongs to a part: bool (256,) for each."""


def _alone(rgb: UInt8Array, inside: BoolArray, box: Box) -> UInt8Array:
    """The picture with the mean colour around the part; set near its box, where it is looked at."""
    left, top, right, bottom = box.pixels(rgb.shape[1], rgb.shape[0])
    near = (slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1))
    masked = np.empty_like(rgb)
    masked[near] = np.array(MEAN_COLOUR, np.uint8)
    np.copyto(masked[near], rgb[near], where=inside[near][..., None])
    return masked


def _square(inside: BoolArray, margin: float) -> Box:
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    tight = Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    (x, y), half = tight.center, max(tight.width, tight.height) * margin / 2
    return Box(x - half, y - half, x + half, y + half)


def crop(picture: UInt8Array, box: Box, size: int, fill: tuple[int, ...] = (0, 0, 0)) -> UInt8Array:
    """A square box of a picture (H, W, 3) at (size, size), bilinear, averaged where it shrinks.

    uint8 (size, size, 3). The box's longer side counts, from its left and top. What lies outside
    the picture takes the fill.
    """
    left, top = round(box.left), round(box.top)
    side = max(1, round(max(box.width, box.height)))
    height, width = picture.shape[:2]
    inner = picture[max(top, 0) : top + side, max(left, 0) : left + side]
    pads = (
        max(-top, 0), max(top + side - height, 0), max(-left, 0), max(left + side - width, 0)
    )  # fmt: skip
    padded = cv2.copyMakeBorder(inner, *pads, cv2.BORDER_CONSTANT, value=fill)
    smooth = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(padded, (size, size), interpolation=smooth), np.uint8)


def as_tensors(parts: Parts, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """(1, 5, 3, S, S) in [0, 1] and (1, 5) of 0 or 1."""
    images = torch.from_numpy(parts.images).to(device).movedim(-1, 1).float() / 255
    return images[None], torch.from_numpy(parts.present).to(device).float()[None]


class _Encoders(nn.Module):
    """e_z = [face(t1), part(t2), ..., part(t5)], equation 5; zero where a part is absent."""

    face: nn.Module
    part: nn.Module

    def forward(self, images: Tensor, present: Tensor) -> Tensor:
        """images (N, 5, 3, S, S) in [0, 1], present (N, 5), to e_z (N, face + 4·part)."""
        face = self.face.embed(images[:, 0])  # type: ignore[operator]
        rest = self.part.embed(images[:, 1:].flatten(0, 1))  # type: ignore[operator]
        rest = rest.unflatten(0, (-1, PARTS - 1)) * present[:, 1:, None]
        return torch.cat([face * present[:, :1], rest.flatten(1)], 1)


class PublishedEncoders(_Encoders):
    """Equation 5 as printed: VGGFace2 for the face, one VGG-19 for the other four, both frozen."""

    def __init__(self) -> None:
        """Raises WeightsError when a published file is missing."""
        super().__init__()
        self.face = encoders.vggface2()
        self.part = encoders.vgg19()


class SmallEncoders(_Encoders):
    """Equation 5 with encoders that are trained with B2F and are part of its file."""

    def __init__(self, preset: B2FPreset) -> None:
        super().__init__()
        self.face = encoders.SmallEncoder(preset.face_embedding)
        self.part = encoders.SmallEncoder(preset.part_embedding)
