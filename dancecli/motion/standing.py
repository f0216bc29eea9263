"""Legs that the driving video never shows: they stand, and bend and lean under the hips.

Hung below the hips they would be carried along with every breath, feet and all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.motion.gaps import runs
from dancecli.motion.smoothing import gaussian
from dancecli.types import JOINT

Values = NDArray[np.floating[Any]]

RARELY, BRIEFLY = 0.05, 0.3
"""Share of a scene's frames up to which, and seconds at a time for which, a leg that is seen is
taken for a mistake."""

WITHIN = 1.5
"""Seconds to either side whose highest hips say where the feet stand: legs never get longer."""

SWAY = 0.8
"""Seconds (standard deviation) over which the feet follow hips that move aside or in depth."""

_SIDES = [
    [JOINT[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "big_toe", "small_toe", "heel")]
    for side in ("right", "left")
]
LEGS = [row for leg in _SIDES for row in leg[1:]]
"""Rows of the body below the hips."""


def never_shown(seen: NDArray[np.bool_], fps: float) -> bool:
    """Whether a scene shows no legs below the hips, but for glimpses; seen: (T, 25)."""
    glimpsed = seen[:, LEGS].any(1)
    longest = max((end - start for start, end in runs(glimpsed)), default=0)
    return bool(glimpsed.mean() <= RARELY and longest <= BRIEFLY * fps)


def on_planted_feet(joints: Values, fps: float) -> Values:
    """Joints (T, 25, 2) of one scene, whose legs hang from the hips, with feet that stay.

    A leg that is shorter than it was is bent towards the camera: it keeps to its line.
    """
    from scipy.ndimage import minimum_filter1d

    out, reach = joints.copy(), 1 + 2 * round(WITHIN * fps)
    for hip, knee, *foot in _SIDES:
        hanging = joints[:, foot[0]]
        highest = minimum_filter1d(hanging[:, 1], reach, mode="nearest")
        planted = gaussian(np.column_stack([hanging[:, 0], highest]), SWAY * fps)
        planted[:, 1] = np.minimum(planted[:, 1], hanging[:, 1])
        long = np.maximum((hanging - joints[:, hip])[:, 1:], 1e-6)
        bent = np.clip((planted - joints[:, hip])[:, 1:] / long, 0, 1)
        thigh = (joints[:, knee] - joints[:, hip]) * bent
        aside = planted[:, 0] - hanging[:, 0]
        out[:, foot] += (planted - hanging)[:, None]
        out[:, knee] = joints[:, hip] + thigh
        out[:, knee, 0] += aside / 2
    return out
