"""People as OpenCV's pedestrian detector sees them, each as a figure that stands still.

Replace `people_in` and `standing` by your own pose network. Conventions: `dancecli.types`.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from dancecli.figures import standing_skeleton
from dancecli.stages import Settings
from dancecli.types import Box, Frame, Skeleton, UInt8Array

WORK_SIDE = 480
"""Longest side in pixels that is searched; the smallest person found is 128 high there."""

LEAST = 0.3
"""The detector's score from which a box counts."""


class MyPose:
    """`PoseExtractor`: the detector's boxes, with joints where a standing person has them."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT; OpenCV: Apache-2.0"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""
        self.detector = cv2.HOGDescriptor()
        self.detector.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """People of a frame, largest first, or the one in each box; nothing is remembered."""
        people = self.people_in(frame.rgb)
        if boxes is not None:
            inside = [[p for p in people if within(p, box)] for box in boxes]
            people = [
                max(each, key=box.iou) for each, box in zip(inside, boxes, strict=True) if each
            ]
        return [standing(person) for person in people]

    def people_in(self, rgb: UInt8Array) -> list[Box]:
        """Boxes about people in rgb (H, W, 3), largest first."""
        scale = min(1.0, WORK_SIDE / max(rgb.shape[:2]))
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if small.shape[0] < 128 or small.shape[1] < 64:
            return []
        found, scores = self.detector.detectMultiScale(small, winStride=(8, 8), padding=(16, 16))
        boxes = [
            Box(left / scale, top / scale, (left + width) / scale, (top + height) / scale)
            for (left, top, width, height), score in zip(found, np.ravel(scores), strict=True)
            if score > LEAST
        ]
        return sorted(boxes, key=lambda box: -box.height)


def within(person: Box, box: Box) -> bool:
    """Whether the middle of the person lies in the box."""
    x, y = person.center
    return box.left < x < box.right and box.top < y < box.bottom


def standing(box: Box) -> Skeleton:
    """Somebody who faces the camera, all joints seen, in a box with the detector's margin."""
    figure = standing_skeleton(round(box.width), round(box.height))
    return figure.moved(1, box.left, box.top)
