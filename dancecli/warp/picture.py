"""The photo around the person, at the size the textures are kept in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, Target, UInt8Array
from dancecli.warp.anatomy import Figure, photo_figure, thighs_raised
from dancecli.warp.before import with_hands
from dancecli.warp.cleaning import without_background
from dancecli.warp.fingers import without_cloth
from dancecli.warp.hem import hemmed
from dancecli.warp.layers import NOBODY, owners
from dancecli.warp.pixels import nearest_fill

AnyArray: TypeAlias = NDArray[Any]

WORKING_SIZE = 900
"""Height of the body at which textures are kept, pixels; smaller photos stay as they are."""

PARSING_SIZE = 400
"""Height of the body at which the parts are told apart, pixels."""


@dataclass(frozen=True, eq=False)
class Picture:
    """The photo around the person, at working size.

    rgb: uint8 (H, W, 3). alpha: float32 (H, W), 0 outside the photo. photo: bool (H, W), False
    in the border added for limbs that the photo cuts off. labels, owner: uint8 (H, W). figure:
    in the picture's pixels. face: its landmarks there, float32 (70, 3), as in `Skeleton`.
    """

    rgb: UInt8Array
    alpha: FloatArray
    photo: BoolArray
    labels: UInt8Array
    owner: UInt8Array
    figure: Figure
    face: FloatArray


def picture_of(target: Target) -> Picture:
    """The photo cropped to the person with room for missing limbs, at working size, and parsed."""
    height, width = target.mask.alpha.shape
    whole = photo_figure(target.skeleton, width, height)
    left, top, right, bottom = _crop(whole, target.mask.alpha)
    scale = min(1.0, WORKING_SIZE / whole.size)

    def taken(image: AnyArray) -> AnyArray:
        return _resized(_window(image, left, top, right, bottom), scale)

    figure = whole.moved(scale, -left * scale, -top * scale)
    rgb, alpha = taken(target.frame.rgb), taken(target.mask.alpha)
    labels = taken(with_hands(target.labels.labels, target.skeleton, whole))
    labels = _on_bent_legs(labels, figure)
    photo = taken(np.ones((height, width), np.uint8)) > 0
    alpha = without_background(rgb, alpha, figure.size)
    owner = hemmed(_owners(rgb, alpha, labels, figure), labels, figure)
    owner = without_cloth(owner, rgb, labels, figure)
    face = target.skeleton.moved(scale, -left * scale, -top * scale).face
    return Picture(rgb, alpha, photo, labels, owner, figure, face)


def _on_bent_legs(labels: UInt8Array, figure: Figure) -> UInt8Array:
    """The labels, with the skirt of somebody who sits or squats as trousers.

    It lies on the thighs and moves with them. Shorts, for which it may be mistaken, do so anyway.
    """
    bent = all(thighs_raised(figure))
    return np.where((labels == Label.SKIRT) & bent, np.uint8(Label.PANTS), labels)


def _crop(figure: Figure, alpha: FloatArray) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of all joints and the silhouette, with a margin."""
    rows, columns = np.flatnonzero((alpha > 0.5).any(1)), np.flatnonzero((alpha > 0.5).any(0))
    places = figure.points
    if len(rows):
        corners = [[columns[0], rows[0]], [columns[-1], rows[-1]]]
        places = np.concatenate([places, np.array(corners, np.float32)])
    margin = 0.06 * figure.size
    left, top = np.floor(places.min(0) - margin).astype(int)
    right, bottom = np.ceil(places.max(0) + margin).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _window(image: AnyArray, left: int, top: int, right: int, bottom: int) -> AnyArray:
    """A copy of the window, zero outside the image."""
    out = np.zeros((bottom - top, right - left, *image.shape[2:]), image.dtype)
    height, width = image.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x1 > x0 and y1 > y0:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return out


def _resized(image: AnyArray, scale: float) -> AnyArray:
    """Smaller by area; label maps (uint8, two axes) by nearest pixel."""
    import cv2

    if scale == 1:
        return image
    flat = image.ndim == 2 and image.dtype == np.uint8
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    method = cv2.INTER_NEAREST if flat else cv2.INTER_AREA
    out: AnyArray = cv2.resize(image, size, interpolation=method)
    return out


def _owners(rgb: UInt8Array, alpha: FloatArray, labels: UInt8Array, figure: Figure) -> UInt8Array:
    """Owners of all pixels, parsed small; a little way off the person the nearest part owns."""
    import cv2

    scale = min(1.0, PARSING_SIZE / figure.size)
    small = [_resized(image, scale) for image in (rgb, alpha, labels)]
    owner = owners(small[0], small[1], small[2], figure.moved(scale, 0, 0))
    person = owner != NOBODY
    near = cv2.dilate(person.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=12) > 0
    owner = nearest_fill(owner, person, near & ~person)
    size = alpha.shape[::-1]
    votes = [
        cv2.resize(cv2.GaussianBlur((owner == part).astype(np.float32), (0, 0), 1.0), size)
        for part in range(6)
    ]
    large: UInt8Array = np.argmax(votes, 0).astype(np.uint8)
    large[(np.max(votes, 0) < 0.1) | (alpha < 0.02)] = NOBODY
    return large
