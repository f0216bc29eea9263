"""Other looks for the same labels: the photos are real and the training pictures are not.

Colours, patterns, grounds, things in front, lenses and codecs change; what is where does not, but
for what gets hidden. Everything random comes from the generator that is passed in. Pictures are
uint8 (H, W, 3) RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, UInt8Array

GARMENTS = (
    Label.HAT, Label.GLOVE, Label.UPPER_CLOTHES, Label.DRESS, Label.COAT, Label.SOCKS, Label.PANTS,
    Label.SCARF, Label.SKIRT,
)  # fmt: skip
"""What may get any colour and pattern; shoes are recoloured as a pair."""

SHOES = (Label.LEFT_SHOE, Label.RIGHT_SHOE)


def pattern(rng: Generator, shape: tuple[int, int]) -> FloatArray:
    """A texture in [0, 1], float32 (H, W, 3): plain, stripes, checks, blobs, gradient or noise."""
    height, width = shape
    ground, ink = rng.random((2, 3)).astype(np.float32)
    kind = rng.integers(6)
    if kind == 0:
        return np.broadcast_to(ground, (height, width, 3)).astype(np.float32)
    if kind == 5:
        return _blobs(rng, shape, int(rng.integers(20, 60)), 3)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    along = rows * np.cos(angle) + columns * np.sin(angle)
    across = columns * np.cos(angle) - rows * np.sin(angle)
    period = rng.uniform(4, 30)
    weight = {
        1: (np.sin(2 * np.pi * along / period) > rng.uniform(-0.5, 0.8)),
        2: (np.sin(2 * np.pi * along / period) > 0) ^ (np.sin(2 * np.pi * across / period) > 0),
        3: _blobs(rng, shape, int(rng.integers(8, 40)), 1)[..., 0] > 0.55,
        4: (along - along.min()) / max(float(np.ptp(along)), 1.0),
    }[int(kind)]  # fmt: skip
    share = np.asarray(weight, np.float32)[..., None]
    return (ground * (1 - share) + ink * share).astype(np.float32)


def _blobs(rng: Generator, shape: tuple[int, int], cells: int, channels: int) -> FloatArray:
    """Smooth noise with about that many bumps down the picture."""
    coarse = rng.random((cells, max(2, cells * shape[1] // shape[0]), channels))
    smooth = cv2.resize(
        coarse.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC
    )
    return np.clip(smooth.reshape(*shape, channels), 0, 1)


def redressed(rgb: UInt8Array, labels: UInt8Array, rng: Generator, share: float) -> UInt8Array:
    """Some garments in other colours and patterns; folds and shadows stay.

    labels: uint8 (H, W). share: how likely each garment is to change.
    """
    out = rgb.astype(np.float32)
    for garment in (*((label,) for label in GARMENTS), SHOES):
        area = np.isin(labels, garment)
        if not area.any() or rng.random() >= share:
            continue
        light = out[area].mean(1, keepdims=True)
        shade = light / max(float(light.mean()), 1.0)
        cloth = pattern(rng, labels.shape)[area]
        out[area] = 255 * cloth * shade ** rng.uniform(0.5, 1.2)
    return _eight_bit(out)


def regrounded(rgb: UInt8Array, person: BoolArray, rng: Generator) -> UInt8Array:
    """The person, bool (H, W), in front of a texture or of smooth noise, softly cut out."""
    shape = person.shape
    ground = pattern(rng, shape)
    if rng.random() < 0.6:
        detail = _blobs(rng, shape, int(rng.integers(3, 12)), 3)
        ground = 0.5 * ground + 0.5 * detail
    alpha = cv2.GaussianBlur(person.astype(np.float32), (0, 0), rng.uniform(0.4, 1.2))[..., None]
    return _eight_bit(rgb * alpha + 255 * ground * (1 - alpha))


def occluded(rgb: UInt8Array, rng: Generator, most: int = 2) -> tuple[UInt8Array, BoolArray]:
    """The picture with textured bars, boxes and ellipses in front, and where they are.

    Where: bool (H, W). most: how many there are, at most; at least one.
    """
    shape = rgb.shape[:2]
    cover = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(1, most + 1))):
        x, y = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
        a, b = (int(size) for size in rng.uniform(0.04, 0.22, 2) * shape[0])
        if rng.random() < 0.5:
            cv2.ellipse(cover, (x, y), (a, b), float(rng.uniform(0, 180)), 0, 360, 1, -1)
        else:
            box = cv2.boxPoints(((x, y), (2 * a, b / 2), float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(cover, np.rint(box).astype(np.int32), 1)
    hidden = cover > 0
    out = rgb.copy()
    out[hidden] = _eight_bit(255 * pattern(rng, shape))[hidden]
    return out, hidden


def recoloured(rgb: UInt8Array, rng: Generator, strength: float = 1.0) -> UInt8Array:
    """Another camera's colours: channels mixed, gain, offset, gamma, saturation."""
    x = rgb.astype(np.float32) / 255
    mixing = np.eye(3) + rng.normal(0, 0.06 * strength, (3, 3))
    x = x @ mixing.T.astype(np.float32)
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(1 - 0.6 * strength, 1 + 0.4 * strength)
    x = x * rng.uniform(1 - 0.3 * strength, 1 + 0.3 * strength) + rng.normal(0, 0.05 * strength)
    x = np.clip(x, 0, 1) ** np.exp(rng.normal(0, 0.3 * strength))
    return _eight_bit(255 * x)


@dataclass(frozen=True, eq=False)
class Tint:
    """A strong map of colours: skin and cloth of any hue.

    mixing: (3, 3). offset: (3,). gamma: above 0.
    """

    mixing: FloatArray
    offset: FloatArray
    gamma: np.float32
    inverted: bool

    def of(self, rgb: FloatArray) -> FloatArray:
        """Float32 (..., 3), [0, 1], to the same."""
        flat = np.ascontiguousarray(rgb, np.float32).reshape(1, -1, 3)
        mixed = cv2.transform(flat, np.concatenate([self.mixing, self.offset[:, None]], 1))
        bent = cv2.pow(np.clip(mixed, 0, 1), float(self.gamma)).reshape(rgb.shape)
        return np.asarray(1 - bent if self.inverted else bent, np.float32)


def drawn_tint(rng: Generator) -> Tint:
    """One at random: channels exchanged and mixed, gain, offset, gamma, sometimes a negative."""
    mixing = np.eye(3)[rng.permutation(3)] if rng.random() < 0.7 else np.eye(3)
    mixing = (mixing + rng.normal(0, 0.18, (3, 3))) * rng.uniform(0.75, 1.25)
    return Tint(
        mixing.astype(np.float32), rng.normal(0, 0.06, 3).astype(np.float32),
        np.float32(np.exp(rng.normal(0, 0.35))), bool(rng.random() < 0.12),
    )  # fmt: skip


def tinted(rgb: UInt8Array, tint: Tint) -> UInt8Array:
    """The picture under the map."""
    return _eight_bit(255 * tint.of(rgb / np.float32(255)))


def photographed(rgb: UInt8Array, rng: Generator) -> UInt8Array:
    """Through a lens, a sensor and a codec: blur or a smaller size, noise, JPEG."""
    out = rgb
    draw = rng.random(4)
    if draw[0] < 0.3:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.6))
    if draw[1] < 0.25:
        scale = rng.uniform(0.35, 0.9)
        size = (max(8, round(out.shape[1] * scale)), max(8, round(out.shape[0] * scale)))
        small = cv2.resize(out, size, interpolation=cv2.INTER_AREA)
        out = cv2.resize(small, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR)
    if draw[2] < 0.5:
        noise = rng.normal(0, rng.uniform(1, 12), out.shape)
        out = _eight_bit(out + noise)
    if draw[3] < 0.5:
        out = coded(np.asarray(out, np.uint8), int(rng.integers(25, 95)))
    return np.asarray(out, np.uint8)


def coded(rgb: UInt8Array, quality: int) -> UInt8Array:
    """Through JPEG, which keeps brightness finer than colour and must know red from blue.

    quality: 1-100, libjpeg's.
    """
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return np.asarray(decoded, np.uint8)


def segmented(person: BoolArray, rng: Generator) -> FloatArray:
    """The silhouette as a segmenter gives it, float32 (H, W) in [0, 1]: soft, grown, with faults.

    MediaPipe's mask of rendered people has an IoU of 0.96 with the truth.
    """
    mask = person.astype(np.float32)
    wobble = _blobs(rng, person.shape, int(rng.integers(6, 24)), 1)[..., 0] - 0.5
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 2.5))
    soft = soft + wobble * rng.uniform(0, 0.5) * (cv2.GaussianBlur(mask, (0, 0), 4) > 0.02)
    if rng.random() < 0.15:
        _, fault = occluded(np.zeros((*person.shape, 3), np.uint8), rng, 1)
        near = cv2.dilate(person.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        soft = np.where(fault & near, float(rng.integers(2)), soft)
    steep = np.float32(rng.uniform(2, 8))
    return np.clip((soft - rng.uniform(0.35, 0.65)) * steep + 0.5, 0, 1).astype(np.float32)


def _eight_bit(values: NDArray[np.floating]) -> UInt8Array:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
