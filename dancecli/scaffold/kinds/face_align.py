"""A mean face in the square that OpenCV's cascade finds: it does not follow the expression.

Replace `landmarks` by your own network. Point numbers are OpenPose's; see `dancecli.types`.
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from dancecli.stages import Settings
from dancecli.types import Box, FloatArray, Frame, UInt8Array

MODEL = Path(cv2.__file__).with_name("data") / "haarcascade_frontalface_alt.xml"

SIDE = 400
"""Pixels to which the surroundings of a hint are enlarged: small faces are missed."""


class MyAligner:
    """`FaceAligner`: the face nearest the hint, or the largest."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT; OpenCV and its cascade: Apache-2.0 and BSD"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""
        self.cascade = cv2.CascadeClassifier(str(MODEL))
        self.lock = threading.Lock()

    def landmarks(self, frame: Frame, hint: FloatArray | None = None) -> FloatArray | None:
        """Float32 (70, 3) points of a face that looks at the camera, or None."""
        near = about(hint) if hint is not None and (hint[:, 2] > 0).any() else None
        faces = self.faces_in(frame.rgb, near, SIDE) if near else []
        faces = faces or self.faces_in(frame.rgb, Box(0, 0, frame.width, frame.height))
        if not faces:
            return None
        if near is None:
            return mean_face(max(faces, key=lambda face: face.width))
        return mean_face(min(faces, key=lambda face: apart(face, near)))

    def faces_in(self, rgb: UInt8Array, place: Box, side: int = 0) -> list[Box]:
        """Squares about the faces in a part of rgb (H, W, 3), enlarged to `side` pixels."""
        left, top, right, bottom = place.pixels(rgb.shape[1], rgb.shape[0])
        if right - left < 2 or bottom - top < 2:
            return []
        grey = cv2.cvtColor(rgb[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
        scale = max(1.0, side / max(grey.shape))
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        with self.lock:  # frames come from several threads, and a cascade serves one at a time
            found = self.cascade.detectMultiScale(grey, 1.1, 5)
        squares = [[float(value) / scale for value in square] for square in found]
        return [Box(left + x, top + y, left + x + w, top + y + h) for x, y, w, h in squares]


def about(hint: FloatArray) -> Box:
    """Three times the box of the hint's points (N, 3) that are seen."""
    points = hint[hint[:, 2] > 0, :2]
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return Box(left, top, right, bottom).grown(3)


def apart(face: Box, place: Box) -> float:
    """Pixels between the middles of two boxes."""
    return float(np.hypot(face.center[0] - place.center[0], face.center[1] - place.center[1]))


def mean_face(square: Box) -> FloatArray:
    """The 70 points, float32 (70, 3), in a square of the frame; all are sure of 0.5."""
    points = np.full((70, 3), 0.5, np.float32)
    points[:, :2] = SHAPE * (square.width, square.height) + (square.left, square.top)
    return points


def _arc(x: float, y: float, across: float, down: float, *degrees: float) -> list[list[float]]:
    angles = np.radians(degrees)
    points = np.stack([x + across * np.cos(angles), y + down * np.sin(angles)], -1)
    return [[float(value) for value in point] for point in points]


SHAPE = np.array(
    [
        *_arc(0.5, 0.45, 0.4, 0.5, *np.linspace(180, 0, 17)),
        *_arc(0.32, 0.36, 0.13, 0.06, *np.linspace(200, 340, 5)),
        *_arc(0.68, 0.36, 0.13, 0.06, *np.linspace(200, 340, 5)),
        *([0.5, y] for y in (0.42, 0.48, 0.54, 0.6)),
        *([x, 0.66] for x in (0.42, 0.46, 0.5, 0.54, 0.58)),
        *_arc(0.32, 0.42, 0.08, 0.03, 180, 240, 300, 0, 60, 120),
        *_arc(0.68, 0.42, 0.08, 0.03, 180, 240, 300, 0, 60, 120),
        *_arc(0.5, 0.8, 0.16, 0.06, *np.linspace(180, 510, 12)),
        *_arc(0.5, 0.8, 0.12, 0.02, *np.linspace(180, 495, 8)),
        [0.32, 0.42],
        [0.68, 0.42],
    ],
    np.float32,
)
"""x, y of jaw, brows, nose, eyes, lips, inner lips and pupils in a square about the face."""
