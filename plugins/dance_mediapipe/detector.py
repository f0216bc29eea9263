"""Where people and faces might be: proposals, to be checked on their own crops."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from dance_mediapipe import graphs
from dance_mediapipe.regions import Region
from dancecli.types import Box, FloatArray, UInt8Array

DETECTOR_SIDE = {"people": 224, "faces": 192}
"""Pixels to which a part of a picture is shrunk for a detector."""

REGION_SCALE = 1.25
"""Side of a person's region over the diameter of their circle, as MediaPipe was trained."""


MAX_STRETCH = 4
"""Squares, without overlap, into which a long picture is cut at most."""


def parts(width: int, height: int) -> list[Box]:
    """Where to look: the whole picture and overlapping squares along its long side."""
    whole, short, long = Box(0, 0, width, height), min(width, height), max(width, height)
    if long < 1.2 * short:
        return [whole]
    side = max(short, long / MAX_STRETCH)
    starts = [float(s) for s in np.linspace(0, long - side, int(np.ceil(long / side / 0.6)))]
    if width > height:
        return [whole, *(Box(s, 0, s + side, height) for s in starts)]
    return [whole, *(Box(0, s, width, s + side) for s in starts)]


def beside(region: Region, width: int, height: int) -> list[Box]:
    """Squares left and right of a person, of their own size, that lie in the picture."""
    step = 0.55 * region.size
    squares = [Region(region.x + dx, region.y, region.size).box for dx in (-step, step)]
    return [box for box in squares if box.clipped(width, height).width > 0.4 * region.size]


def people_in(picture: UInt8Array, part: Box) -> list[Region]:
    """Regions of the people that the detector sees in a part, most certain first.

    picture: RGB (H, W, 3). part and regions: in its pixels. Raises PluginError as `graphs.graph`.
    """
    return [
        circle(*(np.array([k.x, k.y]) * extent + corner for k in keys[:2]))
        for detection, extent, corner in _detect("people", picture, part)
        for keys in [detection.location_data.relative_keypoints]
    ]


def faces_in(picture: UInt8Array, part: Box) -> list[Region]:
    """Squares about the faces that the detector sees in a part, most certain first.

    As `people_in`, but never turned.
    """
    regions = []
    for detection, extent, corner in _detect("faces", picture, part):
        box = detection.location_data.relative_bounding_box
        x, y = np.array([box.xmin + box.width / 2, box.ymin + box.height / 2]) * extent + corner
        regions.append(Region(float(x), float(y), max(float(box.width * extent[0]), 2.0)))
    return regions


def circle(centre: FloatArray, end: FloatArray) -> Region:
    """The region of a person from the middle of the hips and the top end of their circle.

    Both (2,), frame pixels.
    """
    dx, dy = (float(d) for d in end - centre)
    size = max(2 * float(np.hypot(dx, dy)) * REGION_SCALE, 4.0)
    return Region(float(centre[0]), float(centre[1]), size, float(np.arctan2(dx, -dy)))


def _detect(name: str, picture: UInt8Array, part: Box) -> list[tuple[Any, FloatArray, FloatArray]]:
    """Detections in a part with its extent and corner, (x, y) pixels."""
    left, top, right, bottom = part.pixels(picture.shape[1], picture.shape[0])
    if right - left < 2 or bottom - top < 2:
        return []
    extent = np.array([right - left, bottom - top], np.float32)
    corner = np.array([left, top], np.float32)
    scale = DETECTOR_SIDE[name] / float(extent.max())
    width, height = (max(2, round(float(side) * scale)) for side in extent)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture[top:bottom, left:right], (width, height), interpolation=way)
    found = graphs.graph(name).run(np.asarray(small, np.uint8)).get("detections")
    return [(d, extent, corner) for d in graphs.detections(found)] if found else []
