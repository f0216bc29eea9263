"""A photo's pose, looked at in turned copies too.

A landmark model trembles: of one person it finds a little else in every frame of a video, by 0.6 %
of the height. A video's poses are smoothed over time; a photo has no time, and its errors bend
every frame that is made of it. Turned by a few degrees it is another picture to the model, and what
the looks agree in errs a fifth less (docs/evaluation.md).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from dancecli.errors import DanceError
from dancecli.motion.body import height_of
from dancecli.motion.track import skeleton_of
from dancecli.stages import PoseExtractor
from dancecli.types import SEEN, Box, FloatArray, Frame, Skeleton

logger = logging.getLogger(__name__)

TURNS = -14, -7, 7, 14
"""Degrees, clockwise, by which the copies are turned about the person."""

SAME_POSE = 0.02
"""Parts of the height by which the body's joints lie elsewhere in a copy, in the mean and at most,
where it shows the same pose: a model may take left for right there, and one that reads files sees
no turn."""

AGREED, AGREED_METRES = 0.03, 0.1
"""Parts of the height from the median, and metres, within which a point of a look counts."""


def steadied(frame: Frame, skeleton: Skeleton, pose: PoseExtractor) -> Skeleton:
    """The skeleton with its seen points, and their depths, where the looks agree that they are.

    skeleton: what `pose` found in the frame; its confidences stay. Looks that fail do not count.
    """
    height, box = height_of(skeleton), skeleton.box()
    if not height or box is None:
        return skeleton
    points, world = skeleton.points(), skeleton.world
    looks = [(points, world), *_looks(frame, skeleton, box, height, pose)]
    seen = points[:, 2:] >= SEEN
    places = np.stack([np.where(p[:, 2:] >= SEEN, p, points)[:, :2] for p, _ in looks])
    points[:, :2] = np.where(seen, _agreed(places, AGREED * height), points[:, :2])
    depths = [metres for _, metres in looks if metres is not None]
    if world is not None:
        world = np.where(seen[: len(world)], _agreed(np.stack(depths), AGREED_METRES), world)
    return skeleton_of(points, world)


def _looks(
    frame: Frame, skeleton: Skeleton, box: Box, height: float, pose: PoseExtractor
) -> Iterator[tuple[FloatArray, FloatArray | None]]:
    """Points (137, 3), in the frame, and metres (25, 3), of each copy that shows the same pose."""
    import cv2

    points, seen = skeleton.points(), skeleton.points()[:, 2] >= SEEN
    body = np.flatnonzero(skeleton.body[:, 2] >= SEEN)
    for turn in TURNS:
        matrix = cv2.getRotationMatrix2D(box.center, -turn, 1)
        copy = cv2.warpAffine(frame.rgb, matrix, (frame.width, frame.height))
        there = points[seen, :2] @ matrix[:, :2].T + matrix[:, 2]
        around = Box(*(float(x) for x in (*there.min(0), *there.max(0))))
        around = around.clipped(frame.width, frame.height)
        for found in _found(Frame(copy, frame.index, frame.time), around, pose):
            back = found.points()
            back[:, :2] = (back[:, :2] - matrix[:, 2]) @ matrix[:, :2]  # a rotation's inverse
            both = body[back[body, 2] >= SEEN]
            apart = np.linalg.norm(back[both, :2] - points[both, :2], axis=1)
            if len(both) > len(body) / 2 and apart.mean() < SAME_POSE * height:
                yield back, _turned_back(found.world, matrix)


def _found(copy: Frame, around: Box, pose: PoseExtractor) -> list[Skeleton]:
    """Who is in a turned copy, if its extractor can tell: the photo itself was read."""
    try:
        return pose.extract(copy, [around])[:1]
    except DanceError as error:
        logger.debug("a turned copy of the photo was not read: %s", error)
        return []


def _turned_back(world: FloatArray | None, matrix: FloatArray) -> FloatArray | None:
    if world is None:
        return None
    turned = world.copy()
    turned[:, :2] = world[:, :2] @ matrix[:, :2]
    return turned


def _agreed(looks: FloatArray, within: float) -> FloatArray:
    """The mean, point by point, of the looks near their median; the first where none is.

    looks: (K, N, D).
    """
    apart = np.linalg.norm(looks - np.median(looks, axis=0), axis=2, keepdims=True)
    near = apart < within
    mean = (looks * near).sum(0) / np.maximum(near.sum(0), 1)
    return np.where(near.any(0), mean, looks[0]).astype(np.float32)
