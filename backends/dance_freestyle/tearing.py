"""Which gaps of the warped photo are torn, and not openings of the pose.

Between a forearm and the trunk, or between two shins, the ground shows; between a thigh and the
trunk, or the two halves of an arm, it does because the warp tore them apart. A network that sees
alpha alone cannot tell, and fills the openings with a haze.
"""

from __future__ import annotations

import cv2
import numpy as np

from dance_freestyle.presets import B2FPreset
from dance_freestyle.showing import pixels
from dancecli.types import FloatArray
from dancecli.warp import Warped, puppet

ARMPIT = 0.4
"""Share of `b2f.gap` that is closed between an upper arm and the trunk, which it opens from."""

TOGETHER = (
    (1.0, (puppet.TORSO_LAYER, puppet.HEAD_LAYER, puppet.LEFT_THIGH, puppet.RIGHT_THIGH)),
    (1.0, (puppet.LEFT_UPPER_ARM, puppet.LEFT_FOREARM)),
    (1.0, (puppet.RIGHT_UPPER_ARM, puppet.RIGHT_FOREARM)),
    (1.0, (puppet.LEFT_THIGH, puppet.LEFT_SHIN)),
    (1.0, (puppet.RIGHT_THIGH, puppet.RIGHT_SHIN)),
    (ARMPIT, (
        puppet.TORSO_LAYER, puppet.HEAD_LAYER, puppet.LEFT_UPPER_ARM, puppet.RIGHT_UPPER_ARM,
    )),
)  # fmt: skip
"""Layers of the warp between which nothing should open, and up to which share of the gap."""


def torn(warped: Warped, preset: B2FPreset) -> FloatArray:
    """Float32 (1, h, w), of the network's size: alpha with its gaps closed that are torn, as far as
    their sides are less than twice `b2f.gap` apart."""
    height, width = preset.size
    alpha = np.rint(warped.alpha * 255).astype(np.uint8)
    closed = np.zeros((height, width), np.uint8)
    for share, layers in TOGETHER:
        among = np.zeros(256, np.uint8)
        among[list(layers)] = 255
        part = cv2.bitwise_and(alpha, cv2.LUT(warped.layer, among))
        small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        side = 2 * pixels(share * preset.gap, height) + 1
        whole = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
        closed = np.maximum(closed, whole)
    return (closed[None] * np.float32(1 / 255)).astype(np.float32)
