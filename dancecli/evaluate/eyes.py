"""What the chosen perception plugins see of one person: the ground on which bodies are compared.

The same plugins look at real and made frames; they are not truth, and the report names them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dancecli import registry
from dancecli.errors import NoPersonError
from dancecli.loading import Plugins
from dancecli.stages import Settings
from dancecli.types import BoolArray, Box, FloatArray, Frame, Skeleton, UInt8Array

GROUPS = ("pose", "mask", "parser", "dense")

SEARCH = 1.4
"""How much larger than the person's box the place is in which they are looked for."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One person in one frame, all the size of the frame; empty where nobody was found.

    mask: bool (H, W). labels: uint8 (H, W). iuv: float32 (H, W, 3).
    """

    frame: Frame
    skeleton: Skeleton | None
    mask: BoolArray
    labels: UInt8Array
    iuv: FloatArray

    @property
    def usable(self) -> bool:
        """Whether somebody was found."""
        return self.skeleton is not None and bool(self.mask.any())


class Eyes(Plugins):
    """Pose, mask, parser and dense plugins by name, loaded when first used."""

    def __init__(self, plugins: dict[str, str], device: str = "auto") -> None:
        """plugins: "pose", "mask", "parser", "dense" -> name; an unknown name raises UsageError."""
        names = {f"dance.{group}": plugins[group] for group in GROUPS}
        super().__init__(Settings(device=device), names)
        self.infos = {group: registry.find(group, name) for group, name in names.items()}

    def describe(self) -> list[dict[str, str]]:
        """Names and versions, for the report."""
        return [info.as_dict() for info in self.infos.values()]

    def find(self, frame: Frame, near: Box | None) -> Skeleton | None:
        """The person in a place, or the largest of all without one."""
        boxes = None if near is None else [near.grown(SEARCH).clipped(frame.width, frame.height)]
        people = self.pose.extract(frame, boxes)
        return people[0] if people else None

    def look(self, frame: Frame, near: Box | None) -> Seen:
        """All that is seen of the person in a place."""
        skeleton = self.find(frame, near)
        shape = (frame.height, frame.width)
        nothing = np.zeros(shape, np.uint8)
        if skeleton is None:
            return Seen(frame, None, nothing > 0, nothing, np.zeros((*shape, 3), np.float32))
        mask = self.mask.mask(frame, skeleton)
        try:
            labels = self.parser.parse(frame, skeleton, mask).labels
        except NoPersonError:
            labels = nothing
        iuv = self.dense.dense(frame, skeleton.box(), skeleton).iuv
        return Seen(frame, skeleton, mask.alpha >= 0.5, labels, iuv)
