"""Where the dancer touches the ground, and moving the retargeted body so that it does too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.body import TREAD
from dancecli.motion.gaps import interpolate, runs
from dancecli.motion.smoothing import gaussian
from dancecli.types import JOINT, FloatArray

Values = NDArray[np.floating[Any]]

SLOW, FAST = 0.25, 0.6
"""Body heights per second: a foot below the first stands, above the second moves."""

LOW = 0.06
"""Body heights above the lowest foot within which a foot can bear weight."""

LANDING = 0.15
"""Body heights below the deepest foot of the last seconds at which a foot is in the air."""

PASS = 0.06
"""Seconds (standard deviation) over which the correction passes from one foot to the other."""

HOLD = 0.12
"""Seconds (standard deviation) over which a standing foot is held."""

TREMBLE = 0.003
"""Body heights: what the extractor errs on a standing foot; from twice that on it is motion."""

GLIMPSE = 0.3
"""Seconds (standard deviation) within which feet are mostly seen that count as shown."""

HOP = 0.05
"""Body heights above the ground that feet out of the picture may be."""

_SOFT = 0.012
"""Body heights over which "the lowest point" passes from one to the next."""

_FEET = [[JOINT[f"{side}_{name}"] for name in TREAD] for side in ("right", "left")]
_SHOWN = [JOINT["right_ankle"], JOINT["left_ankle"], *(row for foot in _FEET for row in foot)]
_ANKLES = JOINT["right_ankle"], JOINT["left_ankle"]
_KNEES = JOINT["right_knee"], JOINT["left_knee"]
_TOUCHING = sorted(
    [row for foot in _FEET for row in foot]
    + [JOINT[f"{side}_{name}"] for side in ("right", "left") for name in ("knee", "wrist", "hip")]
)


@dataclass(frozen=True, eq=False)
class Contact:
    """standing: float64 (T, 2), 0-1, how much the right and the left foot bear.
    grounded: bool (T,), whether either does. shown: bool (T,), whether feet are in the picture."""

    standing: Values
    grounded: NDArray[np.bool_]
    shown: NDArray[np.bool_]


def _soft_lowest(y: Values, height: Values) -> Values:
    """Weights (T, n), sum 1, of the lowest of y (T, n)."""
    lift = (y - y.max(1, keepdims=True)) / (_SOFT * height[:, None])
    weight = np.exp(np.maximum(lift, -50))
    return np.asarray(weight / weight.sum(1, keepdims=True))


def sole(points: Values, height: Values, like: Values | None = None) -> Values:
    """(T, 2 feet, 2): the lowest point of each foot, weights taken from `like` (T, 25, 2)."""
    like = points if like is None else like
    feet = []
    for rows in _FEET:
        weight = _soft_lowest(like[:, rows, 1], height)
        feet.append((points[:, rows] * weight[..., None]).sum(1))
    return np.stack(feet, 1)


def lowest(points: Values, height: Values, like: Values | None = None) -> Values:
    """(T,) y of the body's lowest point: feet, or knees, hands and hips on the floor."""
    like = points if like is None else like
    weight = _soft_lowest(like[:, _TOUCHING, 1], height)
    return np.asarray((points[:, _TOUCHING, 1] * weight).sum(1))


def below_lowest(points: Values, height: Values) -> float:
    """Pixels from the soft `lowest` of the first frame down to the very lowest point.

    points: (T, K, 2), y down. height: (T,).
    """
    return float(points[0, _TOUCHING, 1].max() - lowest(points, height)[0])


def contacts(
    points: Values, height: Values, fps: float, seen: NDArray[np.bool_] | None = None
) -> Contact:
    """Of joints (T, 25, 2) in the scene's coordinates and standing heights (T,), one scene.

    seen: which joints (T, 25) are no guesses; None for all.
    """
    feet = sole(points, height)
    unit = feet / height[:, None, None]
    speed = np.zeros(unit.shape[:2])
    if len(unit) > 1:
        speed = np.linalg.norm(np.gradient(gaussian(unit, 0.04 * fps), axis=0), axis=-1) * fps
    calm = np.clip((FAST - speed) / (FAST - SLOW), 0, 1)
    y = unit[..., 1]
    low = np.clip(2 - (y.max(1, keepdims=True) - y) / LOW, 0, 1)
    deepest = _running_max(y.max(1), round(1.5 * fps))
    near = np.clip(2 - (deepest[:, None] - y) / LANDING, 0, 1)
    standing = calm * low * near
    standing = gaussian(standing, 0.05 * fps)
    grounded = standing.max(1) > 0.5
    for start, end in runs(grounded):
        if end - start < 0.1 * fps and end - start < len(grounded):
            grounded[start:end] = False  # the top of a jump
    shown = np.ones(len(y)) if seen is None else seen[:, _SHOWN].any(1).astype(float)
    return Contact(standing, grounded, gaussian(shown, GLIMPSE * fps) > 0.5)


def planted(points: Values, height: Values, contact: Contact, fps: float) -> Values:
    """Points (T, K, 2) with the trembling (`TREMBLE`) of standing feet taken out.

    A foot that bears is held at its mean over about `HOLD` seconds; its knee gives half.
    """
    out = points.copy()
    for side, rows in enumerate(_FEET):
        foot = points[:, rows].mean(1)  # its lowest point jumps from heel to toe
        weight = np.clip(5 * contact.standing[:, side, None] - 4, 0, 1)  # firmly only
        total = np.maximum(gaussian(weight, HOLD * fps), 1e-6)
        held = gaussian(weight * foot, HOLD * fps) / total
        shift = weight * (held - foot)
        size = np.linalg.norm(shift, axis=-1, keepdims=True) / height[:, None]
        shift *= np.clip(2 - size / TREMBLE, 0, 1)
        out[:, [_ANKLES[side], *rows]] += shift[:, None]
        out[:, _KNEES[side]] += shift / 2
    return out


def _running_max(values: Values, reach: int) -> Values:
    from scipy.ndimage import maximum_filter1d

    return np.asarray(maximum_filter1d(values, 2 * max(reach, 1) + 1, mode="nearest"))


def ground_path(low: Values, contact: Contact, fps: float) -> Values:
    """(T,) y of the ground under the dancer: the lowest point where it stands, lines between.

    Without any contact it is the deepest the feet come within a second.
    """
    stood = contact.grounded & contact.shown
    if not stood.any():
        return gaussian(_running_max(low, round(fps)), fps / 2)
    path = interpolate(low, stood)
    return np.asarray(np.where(contact.shown, np.maximum(path, low), path))


def to_ground(
    low: Values, path: Values, contact: Contact, height: Values, fps: float
) -> FloatArray:
    """Float32 (T, 2) to add to a dancer whose feet are not shown: on the ground, or a `HOP` above.

    Whoever may as well stand is not in the air; a camera that tilts is not followed that well.
    """
    lift = np.clip(path - low, 0, HOP * height)
    hidden = gaussian((~contact.shown).astype(float), GLIMPSE * fps)
    down = hidden * (path - low - lift)
    return np.stack([np.zeros(len(low)), down], 1, dtype=np.float32)


def grounded(
    points: Values, own: Values, height: Values, contact: Contact, fps: float
) -> tuple[Values, Values]:
    """The dancer (T, K, 2) on the ground where feet are not shown, and (T,) y of that ground.

    own: the driver's body (T, K, 2) in the same space, whose ground it is.
    """
    low = lowest(own, height)
    path = ground_path(low, contact, fps)
    if not contact.shown.all():  # the points of an hour are not copied for nothing
        points = points + to_ground(low, path, contact, height, fps)[:, None]
    return points, path


def start_of(points: Values, path: Values, height: Values) -> tuple[float, float]:
    """(x, y) where a dance of points (T, K, 2) begins on the ground `path` (T,): between the soles,
    and as far below that soft ground as the very lowest point."""
    first, tall = points[:1, :25], height[:1]
    x = float(sole(first, tall)[0, :, 0].mean())
    return x, float(path[0]) + below_lowest(first, tall)


def correction(
    driver: Values, body: Values, height: Values, contact: Contact, fps: float
) -> Values:
    """(T, 2) to add to the retargeted `body` (T, 25, 2), standing at the driver's hips.

    Vertically its lowest point comes to the driver's lowest point, whatever touches; horizontally
    the foot that bears comes to the driver's foot, so that a foot that stands does not slide.
    Between contacts the correction passes smoothly from one foot to the other.
    """
    y = gaussian(lowest(driver, height) - lowest(body, height, like=driver), PASS * fps)
    offset = sole(driver, height)[..., 0] - sole(body, height, like=driver)[..., 0]
    weight = contact.standing
    total = weight.sum(1)
    known = total > 0.2
    x = np.zeros(len(y))
    if known.any():
        mean = (weight * offset).sum(1) / np.maximum(total, 1e-6)
        x = gaussian(interpolate(np.where(known, mean, 0.0), known), PASS * fps)
    return np.stack([x, y], 1)
