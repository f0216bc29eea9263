"""Which part of the body each pixel of the photo belongs to.

Every pixel of the person gets a cost per part from the distance to that part's bones, from the
labels and, where limbs cross the torso, from colour. Costs are smoothed along the picture's own
edges (a guided filter, as in Hosni et al., "Fast Cost-Volume Filtering", 2011) and the cheapest
part wins.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from dancecli.labels import BODY_LABELS, Label
from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.anatomy import (
    ARM,
    HEAD,
    LEG,
    MID_HIP,
    NECK,
    SIDES,
    Figure,
    thighs_raised,
)
from dancecli.warp.crossing import leg_costs
from dancecli.warp.pixels import (
    nearest_fill,
    pixel_centres,
    polygon_distance,
    segment_distance,
    unit,
)

TORSO, HEAD_PART, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG = range(6)
"""What `owners` returns; 255 is nobody."""

NOBODY = 255

ARM_RADII = (0.040, 0.036, 0.040)
LEG_RADII = (0.062, 0.048, 0.045)
"""Half-widths of upper arm, forearm, hand and thigh, shin, foot, heights of the body."""


FLAT = 0.62
"""Depth of a trunk over its breadth."""


def torso_polygon(figure: Figure, flat: float = 0.0) -> FloatArray:
    """Float32 (5, 2): shoulders a little raised, hips widened and lowered, crotch.

    flat: depth over breadth of the trunk that shows beyond its joints where it is turned aside.
    """
    points = figure.points
    axis, middle = points[MID_HIP] - points[NECK], points[MID_HIP]
    side = _side(figure)
    shoulders = [end - 0.06 * axis for end in _ends(figure, ARM, flat * side)]
    hips = [middle + 1.5 * (end - middle) + 0.05 * axis for end in _ends(figure, LEG, flat * side)]
    crotch = middle + 0.22 * axis
    return np.array([shoulders[0], hips[0], crotch, hips[1], shoulders[1]], np.float32)


def _side(figure: Figure) -> FloatArray:
    """Unit vector (2,) across the spine, to where the left side is."""
    points = figure.points
    spine = points[MID_HIP] - points[NECK]
    across = unit(np.array([spine[1], -spine[0]], np.float32))
    left, right = (sum(points[limb[s][0]] for limb in (ARM, LEG)) for s in SIDES)
    return across if (left - right) @ across >= 0 else -across


def _ends(figure: Figure, limbs: dict[str, tuple[int, ...]], deep: FloatArray) -> list[FloatArray]:
    """Left and right end, (2,) each, of a trunk's outline at the roots of arms or legs.

    deep: (2,) where a pixel of depth shows.
    """
    left, right = (figure.points[limbs[side][0]] for side in SIDES)
    depth = float(figure.depth[limbs["left"][0]] - figure.depth[limbs["right"][0]])
    seen = float(np.hypot(*(left - right)))
    wider = (np.hypot(seen, depth * np.hypot(*deep)) - seen) / 2 * unit(deep)
    return [left + wider, right - wider]


def owners(rgb: UInt8Array, alpha: FloatArray, labels: UInt8Array, figure: Figure) -> UInt8Array:
    """Uint8 (H, W): the part 0-5 that owns each pixel of the person, 255 elsewhere."""
    person = alpha > 0.5
    costs = _bone_costs(figure, person)
    costs += _label_table()[:, labels]
    costs[HEAD_PART, np.isin(labels, ON_HEAD)] = 0  # long hair may hang anywhere
    hangs = _hanging(labels, figure)
    costs[TORSO, hangs] = np.minimum(costs[TORSO, hangs], HANGS)
    costs += _colour_costs(rgb, person, costs, labels, figure)
    costs = _edge_aware(costs, rgb, figure.size)
    owner = costs.argmin(0).astype(np.uint8)
    owner[~person] = NOBODY
    return _without_islands(owner)


HANGS = 1.2
"""What skirts cost the trunk at most, however long: more than sleeves beside them cost the arms,
less than they cost the legs."""


def _hanging(labels: UInt8Array, figure: Figure) -> BoolArray:
    """Below the hips of somebody who stands, skirts and dresses (H, W) that reach below the knees:
    shorter ones may be shorts."""
    points = figure.points
    axis = unit(points[MID_HIP] - points[NECK])
    below = (pixel_centres(*labels.shape) - points[MID_HIP]) @ axis
    skirt: BoolArray = np.isin(labels, (Label.SKIRT, Label.DRESS)) & (below > 0)
    knees = [float((points[knee] - points[MID_HIP]) @ axis) for _, knee, *_ in LEG.values()]
    long = skirt.any() and np.percentile(below[skirt], 95) > np.mean(knees)
    if not long or any(thighs_raised(figure)):
        return np.zeros_like(skirt)
    return skirt


def _bone_costs(figure: Figure, person: BoolArray) -> FloatArray:
    """Float32 (6, H, W): near 0 on a part's bones, near 1 at its usual outline. person: (H, W)."""
    height, width = person.shape
    pixels, size = pixel_centres(height, width), figure.size
    outside = polygon_distance(torso_polygon(figure, FLAT * _profile(figure)), height, width)
    costs = np.empty((6, height, width), np.float32)
    costs[TORSO] = 0.45 + np.maximum(outside, 0) / (0.075 * size)
    costs[HEAD_PART] = _head_cost(figure, pixels)
    for part, side in ((LEFT_ARM, "left"), (RIGHT_ARM, "right")):
        cost, front = _limb_cost(figure, pixels, ARM[side], ARM_RADII)
        over = outside < 0
        in_front = over & (front > 0.04 * size) & (cost < 1.05)
        costs[part] = np.where(in_front, 0.3 * cost, cost + 0.5 * over)
    legs = {side: _limb_cost(figure, pixels, LEG[side], LEG_RADII)[0] for side in SIDES}
    legs = leg_costs(figure, pixels, legs, person)
    for part, side in ((LEFT_LEG, "left"), (RIGHT_LEG, "right")):
        costs[part] = legs[side] + 1.5 * _above_hips(figure, pixels, side)
    return costs


PROFILE = 0.88, 0.97
"""Sine of the trunk's turn from which on its depth shows beyond its joints, and shows wholly."""


def _profile(figure: Figure) -> float:
    """How far shoulders and hips are seen from the side, 0 to 1."""
    pairs = [[figure.points[limbs[s][0]] for s in SIDES] for limbs in (ARM, LEG)]
    seen = sum(float(np.hypot(*(left - right))) for left, right in pairs)
    depths = [[float(figure.depth[limbs[s][0]]) for s in SIDES] for limbs in (ARM, LEG)]
    deep = sum(abs(left - right) for left, right in depths)
    sine = deep / max(float(np.hypot(seen, deep)), 1e-6)
    return float(np.clip((sine - PROFILE[0]) / (PROFILE[1] - PROFILE[0]), 0, 1))


def _limb_cost(
    figure: Figure, pixels: FloatArray, limb: tuple[int, ...], radii: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Distance in half-widths to the nearest bone, and that bone's depth, both (H, W)."""
    bones = list(itertools.pairwise(limb))
    distances = np.stack([
        segment_distance(pixels, figure.points[a], figure.points[b]) / (radius * figure.size)
        for (a, b), radius in zip(bones, radii, strict=True)
    ])  # fmt: skip
    depths = np.array([(figure.depth[a] + figure.depth[b]) / 2 for a, b in bones], np.float32)
    front = depths[distances.argmin(0)]
    return distances.min(0), front


def _above_hips(figure: Figure, pixels: FloatArray, side: str) -> FloatArray:
    """1 above the hips, 0 below, (H, W); 0 everywhere for a thigh that is raised."""
    axis = unit(figure.points[MID_HIP] - figure.points[NECK])
    hip, knee = LEG[side][:2]
    hanging = float(unit(figure.points[knee] - figure.points[hip]) @ axis)
    below = (pixels - figure.points[MID_HIP]) @ axis
    step = np.clip(0.5 - below / (0.04 * figure.size), 0, 1)
    above: FloatArray = step * np.clip((hanging - 0.2) / 0.4, 0, 1)
    return above.astype(np.float32)


def _head_cost(figure: Figure, pixels: FloatArray) -> FloatArray:
    """A disc about the ears and a thinner neck below it."""
    neck, centre, size = figure.points[NECK], figure.points[HEAD], figure.size
    disc = np.maximum(0, np.hypot(*np.moveaxis(pixels - centre, -1, 0)) - 0.06 * size)
    collar = neck + 0.2 * (centre - neck)
    throat = np.maximum(0, segment_distance(pixels, collar, centre) - 0.02 * size)
    below = (pixels - collar) @ unit(neck - centre)
    cost: FloatArray = np.minimum(disc / (0.05 * size), throat / (0.03 * size)) + 0.1
    return np.asarray(cost + np.clip(below / (0.02 * size), 0, 4), np.float32)


_CLOTH = (Label.UPPER_CLOTHES, Label.DRESS, Label.COAT, Label.PANTS, Label.SKIRT)
HANDS = (Label.LEFT_HAND, Label.RIGHT_HAND)
BARE_ARM = (Label.LEFT_ARM, Label.RIGHT_ARM, *HANDS)

COLOUR, CLOTH_COLOUR = 0.3, 0.9
"""Weight of colours, and that where labels and colours see cloth beyond the elbow of a bare arm."""

ON_HEAD = (Label.HAT, Label.HAIR, Label.SUNGLASSES, Label.FACE)


def _label_table() -> FloatArray:
    """Float32 (6, 22): what it costs a part to own a pixel of each label."""
    table = np.zeros((6, BODY_LABELS), np.float32)
    top = (Label.UPPER_CLOTHES, Label.DRESS, Label.COAT)
    table[:, ON_HEAD] = 3.0
    table[HEAD_PART, ON_HEAD] = 0.0
    for label in top:
        table[[HEAD_PART, LEFT_LEG, RIGHT_LEG], label] = 0.6
    for label in (Label.SKIRT, Label.DRESS):
        table[[LEFT_LEG, RIGHT_LEG], label] = 1.5
    table[[HEAD_PART, LEFT_ARM, RIGHT_ARM], Label.PANTS] = 1.8
    table[[LEFT_LEG, RIGHT_LEG], Label.TORSO_SKIN] = 0.6
    sided = (
        (LEFT_ARM, Label.LEFT_ARM), (LEFT_ARM, Label.LEFT_HAND), (RIGHT_ARM, Label.RIGHT_ARM),
        (RIGHT_ARM, Label.RIGHT_HAND), (LEFT_LEG, Label.LEFT_LEG), (LEFT_LEG, Label.LEFT_SHOE),
        (RIGHT_LEG, Label.RIGHT_LEG), (RIGHT_LEG, Label.RIGHT_SHOE),
    )  # fmt: skip
    for part, label in sided:
        table[:, label] = 0.6
        table[part, label] = 0.0
    table[HEAD_PART, [Label.LEFT_HAND, Label.RIGHT_HAND]] = 3.0
    return table


def _colour_costs(
    rgb: UInt8Array, person: BoolArray, costs: FloatArray, labels: UInt8Array, figure: Figure
) -> FloatArray:
    """Float32 (6, H, W): sleeves and bare arms told from the clothes of the torso behind them.

    Histograms of what is surely arm and surely torso are compared where either is possible. Cloth
    where a bare arm would be tells nothing of the arm: its hand may be behind the hip.
    """
    cloth = np.isin(labels, _CLOTH)
    bins = (rgb >> 5).astype(np.int32) @ np.array([64, 8, 1], np.int32)
    extra = np.zeros_like(costs)
    arms = costs[[LEFT_ARM, RIGHT_ARM]]
    torso = person & (costs[TORSO] < 0.5) & (arms.min(0) > 1.6)
    for part in (LEFT_ARM, RIGHT_ARM):
        others = np.delete(costs, part, 0).min(0)
        arm = person & (costs[part] < 0.6) & (costs[part] < others)
        doubtful = cloth & _bare_beyond(labels, arm, figure, part)
        arm &= ~doubtful
        if min(arm.sum(), torso.sum()) < 0.001 * figure.size**2:
            continue
        likelier = np.log(_histogram(bins, torso) / _histogram(bins, arm))[bins]
        weight = np.where(doubtful & (likelier > 0), CLOTH_COLOUR, COLOUR)
        extra[part] = weight * np.clip(likelier, -1.5, 1.5) * (costs[TORSO] < 0.9)
    return extra


def _bare_beyond(labels: UInt8Array, arm: BoolArray, figure: Figure, part: int) -> BoolArray:
    """All (H, W) that is nearer to the forearm than to the upper arm, if the forearm is bare; else
    nothing. arm: (H, W), what is surely the arm."""
    side = "left" if part == LEFT_ARM else "right"
    shoulder, elbow, wrist, _ = (figure.points[joint] for joint in ARM[side])
    pixels = pixel_centres(*labels.shape)
    lower = segment_distance(pixels, elbow, wrist) < segment_distance(pixels, shoulder, elbow)
    bone = wrist - elbow
    along = (pixels - elbow) @ bone / max(float(bone @ bone), 1e-6)
    forearm = labels[arm & lower & (along > 0.2) & (along < 0.8)]
    bare = np.isin(forearm, BARE_ARM).sum() > 0.7 * max(len(forearm), 1)
    return np.asarray(lower & bare)


def _histogram(bins: NDArray[np.int32], where: BoolArray) -> FloatArray:
    """Float32 (512,) colour frequencies, smoothed so that none is 0."""
    import cv2

    counts = np.bincount(bins[where], minlength=512).astype(np.float32).reshape(8, 64)
    cube = cv2.GaussianBlur(counts, (3, 3), 0.7).reshape(-1)
    frequencies: FloatArray = (cube / cube.sum() + 1e-3).astype(np.float32)
    return frequencies


def _edge_aware(costs: FloatArray, rgb: UInt8Array, size: float) -> FloatArray:
    """The costs smoothed along the picture's edges."""
    import cv2

    # OpenCV takes the variance in grey levels: of colours in [0, 1] it averaged over every edge.
    radius, variance = max(2, round(0.015 * size)), (0.032 * 255) ** 2
    filtered = [
        cv2.ximgproc.guidedFilter(rgb, np.minimum(cost, 4.0), radius, variance) for cost in costs
    ]
    return np.stack(filtered)


def _without_islands(owner: UInt8Array) -> UInt8Array:
    """Small loose pieces of a part go to the part that surrounds them."""
    import cv2

    loose = np.zeros(owner.shape, bool)
    for part in range(6):
        _, pieces, stats, _ = cv2.connectedComponentsWithStats((owner == part).astype(np.uint8))
        areas = stats[:, cv2.CC_STAT_AREA].copy()
        areas[0] = 0
        small = areas < max(0.25 * areas.max(), 1)
        small[0] = False
        loose |= small[pieces]
    return nearest_fill(owner, ~loose & (owner != NOBODY), loose)
