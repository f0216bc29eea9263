"""What a camera makes of light: focus, exposure, white balance, noise, sRGB and JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dancecli.types import FloatArray, UInt8Array

_STEPS = 4096


def _table() -> UInt8Array:
    light = np.linspace(0, 1, _STEPS, dtype=np.float64)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * value).astype(np.uint8)


_ENCODED = _table()


@dataclass(frozen=True)
class Effects:
    """One camera's habits; those of a still photograph by default: none.

    gain: of each channel (exposure and white balance). blur: sigma in pixels. shot, read: noise
    deviations at light 1 and at none. jpeg: quality, 0 for none. shoulder: light above which
    highlights are bent to fit.
    """

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    blur: float = 0.0
    shot: float = 0.0
    read: float = 0.0
    jpeg: int = 0
    shoulder: float = 0.75


def effects(rng: np.random.Generator) -> Effects:
    """A camera at random, mostly a good one."""
    exposure = float(np.exp(rng.normal(0, 0.2)))
    warm, green = rng.normal(0, 0.06), rng.normal(0, 0.02)
    gain = (exposure * (1 + warm), exposure * (1 + green), exposure * (1 - warm))
    noisy = float(rng.random() ** 3)
    return Effects(
        gain, float(rng.uniform(0.2, 0.8)), 0.03 * noisy, 0.006 * noisy,
        int(rng.integers(70, 98)) if rng.random() < 0.8 else 0, float(rng.uniform(0.6, 0.85)),
    )  # fmt: skip


def exposed(light: FloatArray, camera: Effects) -> FloatArray:
    """Light (H, W, 3) as it reaches the sensor, 0-1: the same for the picture and its plate."""
    out = light * np.float32(camera.gain)
    if camera.blur > 0:
        out = cv2.GaussianBlur(out, (0, 0), camera.blur)
    bend = np.float32(camera.shoulder)
    over = np.maximum(out - bend, 0)
    room = 1 - bend
    return np.minimum(out, bend) + room * over / (over + room)  # type: ignore[no-any-return]


def developed(light: FloatArray, camera: Effects, rng: np.random.Generator | None) -> UInt8Array:
    """The sRGB picture, uint8 (H, W, 3), of light on the sensor, as `exposed` gives it.

    Without rng, as without noise and JPEG.
    """
    if rng is not None and camera.shot + camera.read > 0:
        noise = rng.standard_normal(light.shape, np.float32)
        light = light + noise * (
            np.float32(camera.shot) * np.sqrt(np.maximum(light, 0)) + np.float32(camera.read)
        )
    step = np.clip(light * (_STEPS - 1) + 0.5, 0, _STEPS - 1).astype(np.uint16)
    picture = _ENCODED[step]
    if rng is None or not camera.jpeg:
        return picture
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
