"""Surface coordinates drawn about the skeleton: every bone is a flat strip.

Replace `dense` by your own network, and set `from_skeleton` to False if it reads the pixels.
Part numbers are DensePose's. Conventions: `dancecli.types`.
"""

from __future__ import annotations

import numpy as np

from dancecli.stages import Settings
from dancecli.types import Box, DenseMap, FloatArray, Frame, Skeleton

STRIPS = (
    (2, "neck", "mid_hip", 0.08), (9, "right_hip", "right_knee", 0.04),
    (10, "left_hip", "left_knee", 0.04), (13, "right_knee", "right_ankle", 0.03),
    (14, "left_knee", "left_ankle", 0.03), (6, "right_heel", "right_big_toe", 0.02),
    (5, "left_heel", "left_big_toe", 0.02), (18, "right_shoulder", "right_elbow", 0.025),
    (17, "left_shoulder", "left_elbow", 0.025), (22, "right_elbow", "right_wrist", 0.02),
    (21, "left_elbow", "left_wrist", 0.02), (23, "right_eye", "right_ear", 0.04),
    (24, "left_eye", "left_ear", 0.04),
)  # fmt: skip
"""Part, bone, and half the strip's width in heights of the person; later ones cover earlier."""


class MyDense:
    """`DensePoser`: U runs along a bone, V across it."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT"
    COMMERCIAL = True

    from_skeleton = True
    """Drawn from the skeleton alone, so it is asked for after retargeting."""

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""

    def dense(self, frame: Frame, box: Box | None, skeleton: Skeleton) -> DenseMap:
        """The strips of all bones that are seen, over an empty map of the frame's size."""
        iuv = np.zeros((frame.height, frame.width, 3), np.float32)
        whole = skeleton.box()
        for part, start, end, half in STRIPS:
            if whole is not None and skeleton.seen(start, end):
                ends = (skeleton.joint(start), skeleton.joint(end))
                draw(iuv, part, *ends, half * whole.height)
        return DenseMap(iuv)


def draw(iuv: FloatArray, part: int, start: FloatArray, end: FloatArray, half: float) -> None:
    """Paints a strip into iuv (H, W, 3), which is changed.

    start, end: (2,), x and y. half: its half width. All in pixels.
    """
    height, width = iuv.shape[:2]
    x, y = np.arange(width) + 0.5 - start[0], np.arange(height)[:, None] + 0.5 - start[1]
    length = max(float(np.hypot(*(end - start))), 1.0)
    along_x, along_y = (end - start) / length
    u = (x * along_x + y * along_y) / length
    v = (y * along_x - x * along_y) / (2 * half) + 0.5
    inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    iuv[inside] = np.stack([np.full_like(u, part), u, v], -1)[inside]
