"""Real frames beside the systems' frames: every metric of `measures`, frame by frame.

Everything is seen and compared on the paper's 512 x 320 crops about the real person (1.2 of the
height), one crop for everybody. What a system's frame does not show counts as wrong, never as
absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from dancecli.evaluate import bodies, pictures
from dancecli.evaluate.eyes import Eyes, Seen
from dancecli.evaluate.shapes import body_kept
from dancecli.types import Box, FloatArray, Frame, UInt8Array

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
        """LPIPS of two crops, by metric; those that are missing are left out.

        uint8 (H, W, 3), RGB, of one size.
        """
        ...

    def features(self, crop: UInt8Array) -> FloatArray | None:
        """What FID compares, float32 (F,) of a crop (H, W, 3); None without its network."""
        ...

    def distance(self, real: FloatArray, fake: FloatArray) -> float:
        """FID of two sets of features (N, F)."""
        ...


@dataclass
class Scores:
    """One system's values on a clip: per frame by metric (NaN: not defined there).

    features: of the real crop and of the system's, frame by frame, for FID.
    """

    frames: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    features: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)

    def add(self, index: int, values: dict[str, float]) -> None:
        """A frame's values; metrics that other frames had are NaN where missing."""
        self.frames.append(index)
        for name in {*self.values, *values}:
            column = self.values.setdefault(name, [])
            column += [math.nan] * (len(self.frames) - 1 - len(column))
            column.append(values.get(name, math.nan))

    def mean(self, name: str) -> float:
        """Of the frames where it is defined; NaN where it is nowhere."""
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

    def add(self, real: Frame, fakes: dict[str, Frame]) -> Crop | None:
        """One moment and where it was looked at; None where the real frame shows nobody."""
        found = self.eyes.find(real, self._box)
        box = found.box() if found else None
        crop = Crop.about(whole_body(box)) if box else None
        truth = self.eyes.look(crop.frame(real), crop.inside(box)) if crop and box else None
        if crop is None or box is None or truth is None or not truth.usable:
            self.passed_over += 1
            self._box = self._before = None
            return None
        self._box = box
        known = self.learned.features(truth.frame.rgb) if self.learned else None
        for name, fake in fakes.items():
            seen = self.eyes.look(crop.frame(fake), crop.inside(box))
            self._score(name, crop, truth, seen, known)
        self._before = (real, fakes)
        return crop

    def _score(
        self, name: str, crop: Crop, truth: Seen, seen: Seen, known: FloatArray | None
    ) -> None:
        """known: the features of the real crop."""
        values = compared(truth, seen)
        real, made = truth.frame.rgb, seen.frame.rgb
        if self._before is not None:
            before = (crop.cut(self._before[0].rgb), crop.cut(self._before[1][name].rgb))
            values |= pictures.changes((before[0], real), (before[1], made), truth.mask | seen.mask)
        scores = self.scores.setdefault(name, Scores())
        if self.learned:
            values |= self.learned.pair(real, made)
            if known is not None and (own := self.learned.features(made)) is not None:
                scores.features.append((known, own))
        scores.add(truth.frame.index, values)


def fids(clips: Sequence[Mapping[str, Scores]], learned: Learned) -> dict[str, float]:
    """System -> FID of all its frames of some clips together; absent with fewer than two."""
    found = {}
    for system in dict.fromkeys(name for clip in clips for name in clip):
        pairs = [pair for clip in clips if system in clip for pair in clip[system].features]
        if len(pairs) > 1:
            real, made = (np.stack(side) for side in zip(*pairs, strict=True))
            found[system] = learned.distance(real, made)
    return found


def compared(real: Seen, fake: Seen) -> dict[str, float]:
    """All metrics of two crops but flicker and the learned ones, by their names in `MEASURES`.

    `real` shows somebody; what `fake` lacks counts as wrong.
    """
    truth, made = real.frame.rgb, fake.frame.rgb
    assert real.skeleton is not None
    return {
        **pictures.structure(truth, made),
        "psnr": pictures.psnr(truth, made),
        "l1_mask": pictures.masked_l1(truth, made, real.mask),
        "l1_union": pictures.masked_l1(truth, made, real.mask | fake.mask),
        "head_l1": pictures.masked_l1(truth, made, np.isin(real.labels, HEAD)),
        "sharpness": pictures.sharpness(truth, made, real.mask),
        **bodies.labels_seen(real.labels, fake.labels),
        **bodies.dense_seen(real.iuv, fake.iuv),
        **bodies.joints_seen(real.skeleton, fake.skeleton, float(real.mask.sum())),
        **body_kept(real, fake),
    }


def whole_body(joints: Box) -> Box:
    """The box of a person by that of their joints, which end below the crown and above the sole."""
    up, down = 0.10 * joints.height, 0.03 * joints.height
    return Box(joints.left, joints.top - up, joints.right, joints.bottom + down)


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

    @property
    def scale(self) -> float:
        """Crop pixels per frame pixel."""
        return CROP[0] / self.box.height

    def frame(self, frame: Frame) -> Frame:
        """What the window shows of a frame."""
        return replace(frame, rgb=self.cut(frame.rgb))

    def inside(self, box: Box) -> Box:
        """A box of the frame in crop pixels."""
        left, top, scale = self.box.left, self.box.top, self.scale
        return Box(
            (box.left - left) * scale, (box.top - top) * scale,
            (box.right - left) * scale, (box.bottom - top) * scale,
        )  # fmt: skip

    def cut(self, rgb: UInt8Array) -> UInt8Array:
        """The window of a picture (H, W, 3), resampled without aliasing."""
        import cv2

        scale = self.scale
        left, top = (0.5 - 0.5 / scale - edge for edge in (self.box.left, self.box.top))
        move = np.array([[scale, 0, left * scale], [0, scale, top * scale]], np.float64)
        source = _softened(rgb, scale) if scale < 1 else rgb
        cut: UInt8Array = cv2.warpAffine(
            source, move, (CROP[1], CROP[0]), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        return cut


def _softened(rgb: UInt8Array, scale: float) -> UInt8Array:
    """Free of detail that the smaller crop cannot show."""
    import cv2

    soft: UInt8Array = cv2.GaussianBlur(rgb, (0, 0), 0.5 * math.sqrt(1 / scale**2 - 1) + 1e-6)
    return soft
