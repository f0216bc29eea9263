"""From costs to labels: cost-volume filtering, resolution of the photo, no crumbs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, UInt8Array

RADIUS = 0.013
"""Radius of the guided filter, / longer side of the window."""

EPSILON = (0.03 * 255) ** 2
"""Variance of the guide below which the filter averages freely."""

CRUMB = 0.0015
"""Area below which an island of one label goes to its neighbours, / the person's area."""


def cheapest(
    rgb: UInt8Array, person: BoolArray, costs: dict[Label, FloatArray], size: tuple[int, int]
) -> UInt8Array:
    """The label of lowest smoothed cost, uint8 of `size` (height, width), nowhere 0.

    rgb, person: (h, w), the window at working size. costs: (N,) for its N person pixels.
    """
    nearest = _nearest_inside(person)
    inside = rgb[person]
    guide = cv2.ximgproc.createGuidedFilter(
        inside[nearest], max(2, round(RADIUS * max(person.shape))), EPSILON
    )
    best = np.full(size, np.inf, np.float32)
    labels = np.zeros(size, np.uint8)
    for label, cost in sorted(costs.items()):
        plane = cv2.resize(guide.filter(cost.astype(np.float32)[nearest]), size[::-1])
        better = plane < best
        labels[better], best[better] = label, plane[better]
    whole = cv2.resize(person.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return _without_crumbs(labels, whole)


def _nearest_inside(person: BoolArray) -> NDArray[np.int64]:
    """For every pixel of the window, the number of the nearest person pixel."""
    _, owner = cv2.distanceTransformWithLabels(
        (~person).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(int(owner.max()) + 1, np.int64)
    number[owner[person]] = np.arange(int(person.sum()))
    nearest: NDArray[np.int64] = number[owner]
    return nearest


def _without_crumbs(labels: UInt8Array, person: BoolArray) -> UInt8Array:
    """Gives islands of a label below CRUMB to what surrounds them.

    labels: uint8 (H, W). person: (H, W).
    """
    least = CRUMB * max(int(person.sum()), 1)
    keep = np.zeros(labels.shape, bool)
    for label in np.unique(labels[person]):
        _, pieces, stats, _ = cv2.connectedComponentsWithStats(
            ((labels == label) & person).astype(np.uint8), connectivity=8
        )
        large = stats[:, cv2.CC_STAT_AREA] >= least
        large[0] = False
        keep |= large[pieces]
    if not keep.any():
        return labels
    return np.asarray(labels[keep][_nearest_inside(keep)], np.uint8)
