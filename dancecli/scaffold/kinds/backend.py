"""A whole generator: the dancer as a stick figure.

A real backend would learn the person's looks in `prepare` and paint them in `render`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dancecli.drawing import stick_figure
from dancecli.stages import Settings
from dancecli.types import FloatArray, Frame, Layer, Motion, Target


class MyBackend:
    """`Backend`: ignores the photo and draws the retargeted skeleton."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT"
    COMMERCIAL = True

    canvas = None
    """Any size: layers come at the output's own pixels."""

    uses_dense = False
    """`Motion.dense` is not read, so it need not be computed."""

    refines = False
    """A stick figure has no face to restore."""

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""

    def prepare(self, target: Target) -> None:
        """Nothing to learn."""

    def render(self, person: None, motions: Sequence[Motion]) -> list[Layer]:
        """One layer per motion: the drawn figure as z, where something is drawn as m."""
        return [layer(motion) for motion in motions]

    def refine(self, person: None, frame: Frame, landmarks: FloatArray | None) -> Frame:
        """The frame as it is."""
        return frame


def layer(motion: Motion) -> Layer:
    """The stick figure on the motion's canvas."""
    canvas = motion.canvas
    drawn = stick_figure(motion.skeleton, canvas.height, canvas.width)
    alpha = (drawn.max(axis=2) > 0).astype(np.float32)
    return Layer(drawn.astype(np.float32) / 255, alpha, canvas)
