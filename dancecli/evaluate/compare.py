"""Real frames beside the systems' frames: every metric of `measures`, frame by frame.

Pictures are compared on the paper's 512 x 320 crops about the real person (1.2 of the height), one
crop for everybody. What a system's frame does not show counts as wrong, never as absent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from dancecli.evaluate import bodies, pictures
from dancecli.evaluate.eyes import Eyes, Seen
from dancecli.evaluate.shapes import body_kept
from dancecli.types import BoolArray, Box, FloatArray, Frame, UInt8Array

CROP = (512, 320)
"""Height and width of what is compared (paper, section 4)."""

ROOM = 1.2
"""Height of the crop over the person's."""

HEAD = (1, 2, 4, 13)
"""Hat, hair, sunglasses, face."""


class Learned(Protocol):
    """Metrics that need published networks."""

    missing: dict[str, str]
    """Metric -> why it is not measured."""

    def pair(self, real: UInt8Array, fake: UInt8Array) -> dict[str, float]:
        """LPIPS of two crops, by metric; those that are missing are left out."""
        ...

    def features(self, crop: UInt8Array) -> FloatArray | None:
        """What FID compares; None where its network is missing."""
        ...

    def distance(self, real: FloatArray, fake: FloatArray) -> float:
        """FID of two sets of features (N, F)."""
        ...


@dataclass
class Scores:
    """One system's values: per frame by metric (NaN: not defined there), and of the whole set."""

    frames: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    whole: dict[str, float] = field(default_factory=dict)
    features: list[FloatArray] = field(default_factory=list)

    def add(self, index: int, values: dict[str, float]) -> None:
        """A frame's values; metrics that other frames had are NaN where missing."""
        self.frames.append(index)
        for name in {*self.values, *values}:
            column = self.values.setdefault(name, [])
            column += [math.nan] * (len(self.frames) - 1 - len(column))
            column.append(values.get(name, math.nan))

    def mean(self, name: str) -> float:
        """Of the frames where it is defined; NaN where it is nowhere."""
        if name in self.whole:
            return self.whole[name]
        known = [value for value in self.values.get(name, ()) if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan


class Comparison:
    """Walks along a clip; `add` a moment at a time, in order, then read `scores`."""

    def __init__(self, eyes: Eyes, learned: Learned | None = None) -> None:
        self.eyes, self.learned = eyes, learned
        self.scores: dict[str, Scores] = {}
        self.passed_over = 0
        self._box: Box | None = None
        self._before: tuple[Frame, dict[str, Frame]] | None = None
        self._truth: list[FloatArray] = []

    def add(self, real: Frame, fakes: dict[str, Frame]) -> Crop | None:
        """One moment and where it was looked at; None where the real frame shows nobody."""
        near = self._box  # the same place for everybody, so that equal frames look equal
        truth = self.eyes.look(real, near)
        box = truth.skeleton.box() if truth.skeleton else None
        if box is None or not truth.mask.any():
            self.passed_over += 1
            self._box = self._before = None
            return None
        self._box = box
        crop = Crop.about(_person(truth.mask, box))
        if self.learned and (known := self.learned.features(crop.cut(real.rgb))) is not None:
            self._truth.append(known)
        for name, fake in fakes.items():
            self._score(name, crop, truth, self.eyes.look(fake, near))
        self._before = (real, fakes)
        return crop

    def _score(self, name: str, crop: Crop, truth: Seen, seen: Seen) -> None:
        values = compared(crop, truth, seen)
        real, made = crop.cut(truth.frame.rgb), crop.cut(seen.frame.rgb)
        if self._before is not None:
            before = (crop.cut(self._before[0].rgb), crop.cut(self._before[1][name].rgb))
            either = crop.cut(truth.mask | seen.mask)
            values |= pictures.changes((before[0], real), (before[1], made), either)
        scores = self.scores.setdefault(name, Scores())
        if self.learned:
            values |= self.learned.pair(real, made)
            if (known := self.learned.features(made)) is not None:
                scores.features.append(known)
        scores.add(truth.frame.index, values)

    def finish(self) -> dict[str, Scores]:
        """Scores by system, with what is measured over all frames together."""
        for scores in self.scores.values():
            if self.learned and len(self._truth) > 1:
                scores.whole["fid"] = self.learned.distance(
                    np.stack(self._truth), np.stack(scores.features)
                )
        return self.scores


def compared(crop: Crop, real: Seen, fake: Seen) -> dict[str, float]:
    """All metrics of one moment but flicker and the learned ones."""
    truth, made = crop.cut(real.frame.rgb), crop.cut(fake.frame.rgb)
    mask, other = crop.cut(real.mask), crop.cut(fake.mask)
    labels = crop.cut(real.labels)
    assert real.skeleton is not None
    return {
        **pictures.structure(truth, made),
        "psnr": pictures.psnr(truth, made),
        "l1_mask": pictures.masked_l1(truth, made, mask),
        "l1_union": pictures.masked_l1(truth, made, mask | other),
        "head_l1": pictures.masked_l1(truth, made, np.isin(labels, HEAD)),
        "sharpness": pictures.sharpness(truth, made, mask),
        **bodies.labels_seen(labels, crop.cut(fake.labels)),
        **bodies.dense_seen(crop.cut(real.iuv), crop.cut(fake.iuv)),
        **bodies.joints_seen(real.skeleton, fake.skeleton, float(real.mask.sum())),
        **body_kept(real, fake),
    }


def _person(mask: BoolArray, box: Box) -> Box:
    """The box of silhouette and joints."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Box(
        min(box.left, columns[0]), min(box.top, rows[0]),
        max(box.right, columns[-1] + 1), max(box.bottom, rows[-1] + 1),
    )  # fmt: skip


@dataclass(frozen=True)
class Crop:
    """A 512 x 320 window on frames; outside of them it is black."""

    box: Box

    @classmethod
    def about(cls, person: Box) -> Crop:
        """The window with a person's box in its middle, as in training (paper 3.1)."""
        height = max(person.height * ROOM, person.width * ROOM * CROP[0] / CROP[1], 8.0)
        (x, y), width = person.center, height * CROP[1] / CROP[0]
        return cls(Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2))

    def cut(self, picture: Any) -> Any:
        """Pictures are resampled (area or linear), masks, labels and IUV take the nearest."""
        import cv2

        picture = np.asarray(picture)
        as_mask = picture.dtype == np.bool_
        scale = CROP[0] / self.box.height
        left, top = (0.5 - 0.5 / scale - edge for edge in (self.box.left, self.box.top))
        move = np.array([[scale, 0, left * scale], [0, scale, top * scale]], np.float64)
        smooth = picture.ndim == 3 and picture.dtype == np.uint8
        source = picture.astype(np.uint8) if as_mask else picture
        if smooth and scale < 1:
            source = _softened(source, scale)
        way = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
        out = cv2.warpAffine(source, move, (CROP[1], CROP[0]), flags=way)
        return out > 0 if as_mask else out


def _softened(rgb: UInt8Array, scale: float) -> UInt8Array:
    """Free of detail that the smaller crop cannot show."""
    import cv2

    soft: UInt8Array = cv2.GaussianBlur(rgb, (0, 0), 0.5 * math.sqrt(1 / scale**2 - 1) + 1e-6)
    return soft
