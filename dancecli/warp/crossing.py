"""Legs that cross, as in a walk: the one in front is whole, and the other goes on behind it.

By the nearer bone alone each leg would end at the other where their bones cross, and both would
hang together by a corner.
"""

from __future__ import annotations

import itertools

import numpy as np

from dancecli.types import BoolArray, FloatArray
from dancecli.warp.anatomy import LEG, SIDES, Figure

Crossing = tuple[FloatArray, str]
"""A place (x, y) and the side whose leg lies in front there."""

REACH = 0.12
"""Heights of the body about a crossing within which the leg in front takes all of its breadth."""

FRONT, EDGE = 0.3, 0.3
"""What the leg in front costs there, of what it costs else, and over how many of its half-widths
about its outline that ends."""

SLIM, STOUT, USUAL = 0.75, 1.15, 1.0
"""Least, most and usual breadth of a leg in the half-widths that costs are measured in."""


def crossings(figure: Figure) -> list[Crossing]:
    """Where thighs and shins cross; nothing where depth is unknown, or a knee that was not seen."""
    if not (figure.has_depth and figure.known[[LEG[side][1] for side in SIDES]].all()):
        return []
    left, right = (list(itertools.pairwise(LEG[side][:3])) for side in SIDES)
    found = []
    for one, other in itertools.product(left, right):
        at = _meeting(*(figure.points[joint] for joint in (*one, *other)))
        if at is not None:
            s, t = at
            depths = [
                (1 - u) * figure.depth[a] + u * figure.depth[b]
                for u, (a, b) in ((s, one), (t, other))
            ]
            place = (1 - s) * figure.points[one[0]] + s * figure.points[one[1]]
            found.append((place, "left" if depths[0] > depths[1] else "right"))
    return found


def _meeting(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> FloatArray | None:
    """How far along a-b and c-d, (2,) of 0 to 1, the two segments meet; None where they do not."""
    ways = np.stack([b - a, c - d], 1).astype(np.float64)
    if abs(np.linalg.det(ways)) < 1e-6:
        return None
    along = np.linalg.solve(ways, (c - a).astype(np.float64))
    return along if ((along >= 0) & (along <= 1)).all() else None


def leg_costs(
    figure: Figure, pixels: FloatArray, costs: dict[str, FloatArray], person: BoolArray
) -> dict[str, FloatArray]:
    """What it costs each leg, "left" and "right", to own pixels (H, W, 2), with the one in front
    cheaper where they cross. costs: (H, W), half-widths from the bones. person: (H, W)."""
    costs = dict(costs)
    for place, side in crossings(figure):
        away = np.hypot(*np.moveaxis(pixels - place, -1, 0)) / (REACH * figure.size)
        other = costs["left" if side == "right" else "right"]
        apart = person & (away > 1) & (costs[side] < np.minimum(other, 2))
        inside = np.clip((_breadth(costs[side][apart]) - costs[side]) / EDGE + 0.5, 0, 1)
        near = np.clip(2 * (1 - away), 0, 1) * inside
        costs[side] = costs[side] * (1 - (1 - FRONT) * near)
    return costs


def _breadth(costs: FloatArray) -> float:
    """How broad a leg is where nothing hides it, in half-widths; costs: (N,) of its pixels."""
    found = float(np.quantile(costs, 0.9)) if len(costs) else USUAL
    return float(np.clip(found, SLIM, STOUT))
