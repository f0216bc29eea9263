"""How long each part of a person is: of a dancer over a clip, and of a target in one photo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.body import (
    BONES,
    EAR_TO_EAR,
    EARS,
    EYE_TO_EYE,
    EYES,
    LONG,
    MIRRORS,
    NECK_TO_EARS,
    NOSE_TO_EARS,
    PALM,
    PLAUSIBLE,
    SHARES,
    bone_vectors,
    bones_seen,
)
from dancecli.motion.gaps import interpolate
from dancecli.motion.smoothing import gaussian, median
from dancecli.types import JOINT, SEEN, Skeleton

Values = NDArray[np.floating[Any]]

LONGEST = 75
"""Percentile of a bone's length over a clip that counts as its length. Higher ones are noise and
make a standing person crouch."""

DEPTH_TRUST = 0.95
"""Factor on 3-D lengths, of photos and clips alike: the extractor's are too short in the legs."""

BELIEVED = {"bones": 0.25, "palm": 0.25, "neck": 0.1, "larger head": 0.45, "smaller head": 0.1}
"""Share of a ratio's logarithm that is true: read from one photo, most of it is foreshortening and
the extractor's error. By 24 pairs of synthetic people (docs/evaluation.md)."""

FLAT_HAND = 0.95
STEADY = 0.06
"""Relative change of size within a scene that is taken for noise."""

_NECK, _NOSE = JOINT["neck"], JOINT["nose"]
_UPRIGHT = [i for i in LONG if BONES[i].share > 0.2]
_TRUNK_AND_LIMBS = np.arange(1, 15)


@dataclass(frozen=True, eq=False)
class Proportions:
    """Lengths in one unit.

    bones: float64 (len(BONES),). neck: neck to the middle of the ears. height: standing.
    head, palm: sizes as the standing height of the person they would fit by the table.
    """

    bones: Values
    neck: float
    head: float
    palm: float
    height: float

    def scaled(self, factor: float) -> Proportions:
        """The same body in another unit."""
        return replace(
            self, bones=self.bones * factor, neck=self.neck * factor, head=self.head * factor,
            palm=self.palm * factor, height=self.height * factor,
        )  # fmt: skip


def of_target(skeleton: Skeleton) -> Proportions:
    """The person of a photo, pixels: the larger of 2-D and `DEPTH_TRUST` x 3-D, other side where
    one is missing, the table where both are."""
    body = skeleton.body[None].astype(np.float64)
    points, confidence = body[..., :2], body[..., 2]
    seen = bones_seen(confidence)[0]
    bones = np.where(seen, np.linalg.norm(bone_vectors(points)[0], axis=-1), np.nan)
    neck, head = _neck_and_head(points, confidence)
    if skeleton.world is not None:
        world = skeleton.world[None].astype(np.float64)
        scale = DEPTH_TRUST * float(pixels_per_metre(points, confidence, world)[0])
        deep = np.linalg.norm(bone_vectors(world)[0], axis=-1) * scale
        bones = np.where(seen, np.fmax(bones, deep), np.nan)
        neck = np.fmax(neck, _neck_and_head(world, confidence)[0] * scale)
    whole = _completed(bones, float(neck[0]), float(head[0]), _hand_size(skeleton))
    # A hand in one photo is seldom parallel to it: never smaller than nearly the table's.
    return replace(whole, palm=max(whole.palm, FLAT_HAND * whole.height))


def of_driver(
    points: Values, confidence: Values, scale: Values, world: Values | None = None
) -> Proportions:
    """The dancer of a clip, in units of `scale` (T,) pixels: points (T, 137, 2).

    world: (T, 25, 3) metres, NaN where unknown. Each frame is measured as a photo is
    (`of_target`), so that a person has one length in both.
    """
    unit = points[:, :25] / scale[:, None, None]
    seen = bones_seen(confidence[:, :25])
    lengths = np.where(seen, np.linalg.norm(bone_vectors(unit), axis=-1), np.nan)
    neck, head = _neck_and_head(unit, confidence[:, :25])
    if world is not None:
        metre = DEPTH_TRUST * pixels_per_metre(points[:, :25], confidence[:, :25], world) / scale
        deep = np.linalg.norm(bone_vectors(world), axis=-1) * metre[:, None]
        lengths = np.where(seen, np.fmax(lengths, deep), np.nan)
        neck = np.fmax(neck, _neck_and_head(world, confidence[:, :25])[0] * metre)
    palms = [
        np.where(_hand_seen(confidence, start), np.linalg.norm(
            points[:, start + 9] - points[:, start], axis=-1) / scale, np.nan)
        for start in (25, 46)
    ]  # fmt: skip
    return _completed(
        _longest(lengths), float(_longest(neck)), float(_longest(head)),
        float(_longest(np.concatenate(palms)) / PALM),
    )  # fmt: skip


def told_apart(body: Proportions, driver: Proportions) -> Proportions:
    """The target's proportions in the driver's unit and height, as far as a photo tells them.

    Ratios are drawn to one (`BELIEVED`), continuously: no bone jumps where a ratio passes one.
    """
    alike = body.scaled(driver.height / body.height)
    head = "larger head" if alike.head > driver.head else "smaller head"
    return replace(
        alike,
        bones=_between(driver.bones, alike.bones, BELIEVED["bones"]),
        neck=float(_between(driver.neck, alike.neck, BELIEVED["neck"])),
        head=float(_between(driver.head, alike.head, BELIEVED[head])),
        palm=float(_between(driver.palm, alike.palm, BELIEVED["palm"])),
    )


def _between(one: Values | float, other: Values | float, share: float) -> Values:
    """`share` of the way in logarithms from one length to the other."""
    return np.asarray(one * (np.asarray(other) / np.asarray(one)) ** share)


def _longest(values: Values) -> Values:
    """`LONGEST` percentile over the first axis, NaN where nothing is known."""
    never = ~np.isfinite(values).any(0)
    percentile = np.nanpercentile(np.where(never, 0.0, values), LONGEST, axis=0)
    return np.where(never, np.nan, percentile)


def _hand_seen(confidence: Values, start: int) -> NDArray[np.bool_]:
    return np.asarray((confidence[:, start] >= SEEN) & (confidence[:, start + 9] >= SEEN))


def _hand_size(skeleton: Skeleton) -> float:
    """By the longer palm, as a standing height; NaN where no hand is seen."""
    palms = [
        float(np.linalg.norm(hand[9, :2] - hand[0, :2])) / PALM
        for hand in (skeleton.left_hand, skeleton.right_hand)
        if min(hand[0, 2], hand[9, 2]) >= SEEN
    ]
    return max(palms, default=float("nan"))


def _neck_and_head(points: Values, confidence: Values) -> tuple[Values, Values]:
    """(T,) neck-to-ears length and head size (as a standing height), NaN where not seen."""

    def span(a: Values, b: Values, *rows: int) -> Values:
        seen = (confidence[:, list(rows)] >= SEEN).all(1)
        return np.where(seen, np.linalg.norm(a - b, axis=-1), np.nan)

    ears = points[:, EARS].mean(1)
    neck = span(ears, points[:, _NECK], *EARS, _NECK)
    sizes = (
        span(points[:, EARS[0]], points[:, EARS[1]], *EARS) / EAR_TO_EAR,
        span(points[:, EYES[0]], points[:, EYES[1]], *EYES) / EYE_TO_EYE,
        span(points[:, _NOSE], ears, _NOSE, *EARS) / NOSE_TO_EARS,
    )
    return neck, np.fmax(np.fmax(sizes[0], sizes[1]), sizes[2])


def _completed(bones: Values, neck: float, head: float, palm: float) -> Proportions:
    """Measured lengths, NaN where unknown, made symmetric, plausible and whole."""
    bones = np.fmax(bones, bones[MIRRORS])
    height = _standing(bones, neck, head)

    def within(value: Values | float, share: Values | float) -> Values:
        ratio = np.clip(np.asarray(value) / (np.asarray(share) * height), *PLAUSIBLE)
        return np.asarray(np.where(np.isfinite(ratio), ratio, 1.0) * share * height)

    return Proportions(
        within(bones, SHARES), float(within(neck, NECK_TO_EARS)), float(within(head, 1.0)),
        float(within(palm, 1.0)), height,
    )  # fmt: skip


def _standing(bones: Values, neck: float, head: float) -> float:
    """Height of the person with these bones: spine and legs, else arms, else the head."""
    for group in (_UPRIGHT, list(LONG), list(range(len(BONES)))):
        known = [i for i in group if np.isfinite(bones[i])]
        if known:
            return float(bones[known].sum() / SHARES[known].sum())
    known_sizes = [v for v in (neck / NECK_TO_EARS, head) if np.isfinite(v)]
    return max(known_sizes, default=1.0)


def scale_path(
    points: Values,
    confidence: Values,
    world: Values,
    fps: float,
    scenes: Iterable[slice],
) -> Values:
    """(T,) size of the dancer in pixels of (T, 25, 2), in a unit that is the same in all frames.

    Pixels per metre where the extractor gives `world`; otherwise the least foreshortened bones
    against their own clip-long lengths. Changes below `STEADY` within a scene are noise; the
    rest is travel towards or away from the camera and kept, slowly varying.
    """
    raw = pixels_per_metre(points, confidence, world)
    if np.isfinite(raw).mean() < 0.8:
        raw = _bone_scale(points, confidence)
    out = np.ones(len(points))
    for scene in scenes:
        known = np.isfinite(raw[scene]) & (raw[scene] > 0)
        if known.any():
            out[scene] = _steady(np.where(known, raw[scene], 1.0), known, fps)
        else:
            out[scene] = np.nan
    known = np.isfinite(out)
    return interpolate(np.where(known, out, 0.0), known) if known.any() else np.ones(len(out))


def _steady(raw: Values, known: NDArray[np.bool_], fps: float) -> Values:
    log = interpolate(np.log(raw), known)
    log = median(log, 2 * max(1, round(fps / 2)) + 1)
    log = gaussian(log, fps / 2)
    middle = np.median(log)
    away = log - middle
    # Soft threshold: continuous, so that nobody pops when the change starts to count.
    return np.asarray(np.exp(middle + np.sign(away) * np.maximum(np.abs(away) - STEADY, 0)))


def pixels_per_metre(points: Values, confidence: Values, world: Values) -> Values:
    """(T,) pixels per metre by weak perspective over trunk and limbs; NaN with too few joints.

    The ratio of the spreads, so that a turned picture (stabilised camera) changes nothing.
    """
    rows = _TRUNK_AND_LIMBS
    use = (confidence[:, rows] >= SEEN) & np.isfinite(world[:, rows]).all(-1)
    count = use.sum(1)

    def spread(values: Values) -> Values:
        values = np.where(use[..., None], values, 0.0)
        mean = values.sum(1, keepdims=True) / np.maximum(count, 1)[:, None, None]
        return np.asarray((np.where(use[..., None], values - mean, 0.0) ** 2).sum((1, 2)))

    ratio = np.sqrt(spread(points[:, rows]) / np.maximum(spread(world[:, rows, :2]), 1e-9))
    return np.where(count >= 6, ratio, np.nan)


def _bone_scale(points: Values, confidence: Values) -> Values:
    """(T,) size relative to the clip: the third largest of length / clip-long length."""
    seen = bones_seen(confidence)[:, LONG]
    lengths = np.where(seen, np.linalg.norm(bone_vectors(points), axis=-1)[:, LONG], np.nan)
    reference = _longest(lengths)
    ratio = np.where(seen & (reference > 0), lengths / np.maximum(reference, 1e-9), 0.0)
    ordered = np.sort(ratio, 1)[:, ::-1]
    third = ordered[:, 2]
    return np.where(third > 0, third, np.where(ordered[:, 0] > 0, ordered[:, 0], np.nan))
