"""Backend `posewarp`: the photo's own pixels bent to each pose; nothing is learned.

This is the "pose warping" kind of baseline that learned generators are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dancecli import warp
from dancecli.stages import Settings
from dancecli.types import FloatArray, Frame, Layer, Motion, Target
from dancecli.warp import Puppet


class PoseWarpBackend:
    """Paints at the output's own resolution, on the CPU."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "MIT"
    COMMERCIAL: ClassVar[bool | None] = True

    canvas: tuple[int, int] | None = None
    uses_dense = False
    refines = False
    takes_weights = False

    def __init__(self, settings: Settings) -> None:
        """Settings are not needed: nothing is random, nothing is loaded."""

    def prepare(self, target: Target) -> Puppet:
        """Equations 1 and 4: the person, cut into the pieces that move on their own."""
        return warp.cut(target)

    def render(self, person: Puppet, motions: Sequence[Motion]) -> list[Layer]:
        """Equation 6: z and m of each motion."""
        return [self._layer(person, motion) for motion in motions]

    def _layer(self, person: Puppet, motion: Motion) -> Layer:
        canvas = motion.canvas
        warped = person.pose(motion.skeleton, canvas.height, canvas.width)
        return Layer(warped.colour, warped.alpha, canvas)

    def refine(self, person: Puppet, frame: Frame, landmarks: FloatArray | None) -> Frame:
        """Equation 8 has nothing to restore: the face is the photo's."""
        return frame
