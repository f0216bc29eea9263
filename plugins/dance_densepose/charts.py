"""From what DensePose finds in boxes to the surface map of one person in the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dancecli.types import SEEN, Box, DenseMap, FloatArray, Skeleton

PARTS = 24
"""Parts of the surface, numbered from 1."""

NEAR = 0.1
"""IoU with the person's box below which a detection is of somebody else."""

RIVAL = 0.5
"""Share of the best IoU from which a detection may be the person as well."""


@dataclass(frozen=True, eq=False)
class Charts:
    """One detection, resampled to whole pixels of its box.

    left, top: where the box lies in the frame. labels: int64 (h, w), parts 0-24.
    uv: float32 (2, h, w), about [0, 1].
    """

    left: int
    top: int
    labels: NDArray[np.int64]
    uv: FloatArray


@dataclass(frozen=True, eq=False)
class Detections:
    """The people of a frame, best first.

    boxes: in frame pixels. charts: of the one with that number, made when it is asked for, since
    resampling 75 planes to a large box takes longer than choosing.
    """

    boxes: tuple[Box, ...]
    charts: Callable[[int], Charts]


def charts_of(found: Detections, box: Box, skeleton: Skeleton) -> Charts | None:
    """The charts of the person with this box and skeleton, None where nobody is near.

    Where boxes overlap much, of two who dance together, it is who covers more of the joints.
    """
    overlaps = [box.iou(other) for other in found.boxes]
    best = max(overlaps, default=0.0)
    if best < NEAR:
        return None
    rivals = [i for i, overlap in enumerate(overlaps) if overlap >= RIVAL * best]
    rivals.sort(key=lambda i: -overlaps[i])
    shown = [found.charts(i) for i in rivals]
    return max(shown, key=lambda charts: covered(charts, skeleton)) if len(shown) > 1 else shown[0]


def covered(charts: Charts, skeleton: Skeleton) -> float:
    """Share of the skeleton's seen joints that lie on the surface."""
    seen = skeleton.body[skeleton.body[:, 2] >= SEEN, :2]
    height, width = charts.labels.shape
    columns, rows = np.floor(seen - (charts.left, charts.top)).astype(int).T
    within = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    hits = charts.labels[rows[within], columns[within]] > 0
    return float(hits.sum()) / max(len(seen), 1)


def in_frame(charts: Charts, width: int, height: int) -> DenseMap:
    """The surface map of the frame's size; what of the box lies outside is cut off."""
    iuv = np.zeros((height, width, 3), np.float32)
    rows, columns = charts.labels.shape
    box = Box(charts.left, charts.top, charts.left + columns, charts.top + rows)
    left, top, right, bottom = box.pixels(width, height)
    part = np.s_[top - charts.top : bottom - charts.top, left - charts.left : right - charts.left]
    labels = charts.labels[part]
    body = (labels > 0) & (labels <= PARTS)
    # U and V are regressed and overshoot.
    uv = np.clip(np.moveaxis(charts.uv, 0, -1)[part], 0, 1)
    shown = np.concatenate([labels[..., None], uv], 2).astype(np.float32)
    iuv[top:bottom, left:right] = np.where(body[..., None], shown, np.float32(0))
    return DenseMap(iuv)
