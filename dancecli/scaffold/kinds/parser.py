"""Labels by the nearest bone: sleeves, trousers and shoes are guessed, colours are not read.

Replace `parse` by your own network, and map its classes to `dancecli.labels.Label`.
"""

from __future__ import annotations

import numpy as np

from dancecli.errors import NoPersonError
from dancecli.labels import Label
from dancecli.stages import Settings
from dancecli.types import FloatArray, Frame, LabelMap, PersonMask, Skeleton

BONES = (
    (Label.FACE, "nose", "nose"), (Label.FACE, "right_ear", "left_ear"),
    (Label.UPPER_CLOTHES, "neck", "mid_hip"), (Label.UPPER_CLOTHES, "right_shoulder", "right_hip"),
    (Label.UPPER_CLOTHES, "left_shoulder", "left_hip"), (Label.PANTS, "right_hip", "right_knee"),
    (Label.PANTS, "left_hip", "left_knee"), (Label.RIGHT_LEG, "right_knee", "right_ankle"),
    (Label.LEFT_LEG, "left_knee", "left_ankle"), (Label.RIGHT_SHOE, "right_heel", "right_big_toe"),
    (Label.LEFT_SHOE, "left_heel", "left_big_toe"), (Label.RIGHT_ARM, "right_elbow", "right_wrist"),
    (Label.RIGHT_ARM, "right_shoulder", "right_elbow"),
    (Label.LEFT_ARM, "left_shoulder", "left_elbow"), (Label.LEFT_ARM, "left_elbow", "left_wrist"),
)  # fmt: skip
"""What is worn about each bone."""

INSIDE = 0.5
"""Alpha from which a pixel is the person's."""


class MyParser:
    """`HumanParser`: every pixel of the person gets the label of the nearest bone."""

    INTERFACE_VERSION = 1
    LICENCE = "MIT"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Load weights here, or on first use: `settings.weights`, `settings.device`."""

    def parse(
        self, frame: Frame, skeleton: Skeleton | None = None, mask: PersonMask | None = None
    ) -> LabelMap:
        """Labels of the person in the mask, 0 elsewhere.

        Raises NoPersonError when the skeleton or the mask is missing or empty.
        """
        if skeleton is None or mask is None:
            raise NoPersonError("the parser needs a pose and a person mask")
        rows, columns = np.nonzero(mask.alpha >= INSIDE)
        bones = [bone for bone in BONES if skeleton.seen(*bone[1:])]
        if len(rows) == 0 or not bones:
            raise NoPersonError("nobody is seen; use a photo that shows the person")
        pixels = np.stack([columns, rows], -1) + np.float32(0.5)
        nearest = np.full(len(pixels), np.inf)
        labels = np.zeros((frame.height, frame.width), np.uint8)
        for label, start, end in bones:
            apart = distance(pixels, skeleton.joint(start), skeleton.joint(end))
            closer = apart < nearest
            nearest[closer] = apart[closer]
            labels[rows[closer], columns[closer]] = label
        return LabelMap(labels)


def distance(pixels: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    """Of pixels (N, 2) from the line between two points."""
    bone = end - start
    along = (pixels - start) @ bone / max(float(bone @ bone), 1e-6)
    apart: FloatArray = np.linalg.norm(
        pixels - start - np.clip(along, 0, 1)[:, None] * bone, axis=1
    )
    return apart
