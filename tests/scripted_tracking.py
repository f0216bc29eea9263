"""Painted clips for the tracker, and an extractor that knows who is where in them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from motion_puppet import bones, puppet

from dancecli.motion import Observation, Tracker
from dancecli.types import Box, Frame, Skeleton

WIDTH, HEIGHT = 480, 360
RED, GREEN, BLUE = (200, 40, 40), (40, 160, 60), (50, 60, 190)


def wall(seed: int = 0, side: int = 900) -> np.ndarray:
    """A picture full of corners."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(40, 215, (side // 20, side // 20, 3), np.uint8)
    return cv2.resize(blocks, (side, side), interpolation=cv2.INTER_NEAREST)


def person(x: float, tall: float = 200, y: float = 330) -> Skeleton:
    return puppet(bones(tall), foot=(x, y))


def painted(
    background: np.ndarray, people: Sequence[tuple[Skeleton, tuple[int, int, int]]], index: int = 0
) -> Frame:
    """The people as coloured figures before the top left part of the background."""
    rgb = background[:HEIGHT, :WIDTH].copy()
    for skeleton, colour in people:
        box = skeleton.box()
        assert box is not None
        left, right = box.center[0] - 0.2 * box.height, box.center[0] + 0.2 * box.height
        cv2.rectangle(
            rgb, (int(left), int(box.top)), (int(right), int(box.bottom)), colour, cv2.FILLED
        )
    return Frame(rgb, index, index / 25)


class Script:
    """An extractor that knows who is where in each frame, and counts its whole-frame searches."""

    def __init__(self, people: Sequence[Sequence[Skeleton]]) -> None:
        self.people, self.whole = people, []

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        here = list(self.people[frame.index])
        if boxes is None:
            self.whole.append(frame.index)
            return sorted(here, key=lambda s: -s.box().height)
        best = [max(here, key=lambda s: s.box().iou(box), default=None) for box in boxes]
        return [s for s, box in zip(best, boxes, strict=True)
                if s is not None and s.box().iou(box) > 0.05]  # fmt: skip


def run(frames: Sequence[Frame], script: Script, which: str = "largest") -> list[Observation]:
    tracker = Tracker(script, which)
    return [tracker.step(frame) for frame in frames]
