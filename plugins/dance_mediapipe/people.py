"""Reading one person's 33 landmarks and segmentation from their own crop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from dance_mediapipe import graphs
from dance_mediapipe.detector import circle
from dance_mediapipe.mapping import (
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
)
from dance_mediapipe.regions import Region
from dancecli.types import Box, FloatArray, UInt8Array

CROP_SIDE = 256
"""Pixels of the landmark model's input and of its segmentation."""

MAX_LOOKS, RESTING = 4, 0.02
"""Looks at most; parts of the region by which resting joints may still move."""

SAME, SAME_TOP = 0.1, 0.06
"""Parts of the region by which the joints, and head and neck alone, of two results of one person
may differ."""

SHOULDERS = [LEFT_SHOULDER, RIGHT_SHOULDER]
MAIN_JOINTS = np.array(
    [
        NOSE, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST,
        LEFT_HIP, RIGHT_HIP, LEFT_KNEE, RIGHT_KNEE, LEFT_ANKLE, RIGHT_ANKLE,
    ]
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Person:
    """What the landmark model says of one person.

    marks: float32 (33, 2), frame pixels. confidence: float32 (33,), visibility times presence,
    next to nothing outside the picture. world: float32 (33, 3), metres about the mid-hip, axes
    of `Skeleton.world`. segmentation: float32 (256, 256), [0, 1], over `region`.
    moved: how far the main joints went in the last pass, in parts of the region.
    """

    marks: FloatArray
    confidence: FloatArray
    world: FloatArray
    region: Region
    segmentation: FloatArray
    moved: float

    @property
    def box(self) -> Box:
        """The upright box of the landmarks inside the picture, or of all if none is."""
        seen = self.confidence > 0.3
        marks = self.marks[seen] if seen.sum() > 1 else self.marks
        (left, top), (right, bottom) = marks.min(0), marks.max(0)
        return Box(float(left), float(top), float(right), float(bottom))

    def support(self) -> float:
        """Mean segmentation at the seen main joints, [0, 1]; a person's lie on the person."""
        joints = self.marks[MAIN_JOINTS][self.confidence[MAIN_JOINTS] > 0.5]
        if len(joints) == 0:
            return 0.0
        offset = (joints - (self.region.x, self.region.y)) @ self.region.rotation()
        cells = np.floor((offset / self.region.size + 0.5) * CROP_SIDE).astype(int)
        u, v = np.clip(cells, 0, CROP_SIDE - 1).T
        smooth = cv2.blur(self.segmentation, (9, 9))
        return float(smooth[v, u].mean())


def read(picture: UInt8Array, region: Region) -> Person | None:
    """The person in a region, None where the model sees nobody.

    Looks again where the look before says that the person is, until the joints rest. That makes
    the result nearly independent of the first guess.
    """
    before: Person | None = None
    for _ in range(MAX_LOOKS):
        found = look(picture, region)
        if found is None:
            return None
        person, region = found
        if before is not None:
            person = replace(person, moved=_apart(person, before) / person.region.size)
            if person.moved < RESTING:
                break
        before = person
    return person


def _apart(one: Person, other: Person) -> float:
    """Mean distance in pixels between the main joints, by their confidence."""
    weight = (one.confidence * other.confidence)[MAIN_JOINTS] + 1e-6
    steps = np.linalg.norm((one.marks - other.marks)[MAIN_JOINTS], axis=1)
    return float((steps * weight).sum() / weight.sum())


def look(picture: UInt8Array, region: Region) -> tuple[Person, Region] | None:
    """One pass: the person, and the region to look at next."""
    found = graphs.graph("pose").run(region.cut(picture, CROP_SIDE))
    if "landmarks" not in found or "world" not in found:
        return None
    rows = graphs.points(found["landmarks"])
    marks = region.to_frame(rows[:, :2])
    height, width = picture.shape[:2]
    inside = (marks >= 0).all(1) & (marks <= (width, height)).all(1)
    confidence = rows[:, 3] * rows[:, 4] * np.where(inside, 1.0, 0.15)
    world = graphs.points(found["world"])[:, :3]
    world[:, :2] = world[:, :2] @ region.rotation().T
    ends = region.to_frame(graphs.points(found["auxiliary"])[:, :2])
    segmentation = graphs.plane(found["mask"])
    person = Person(marks, confidence.astype(np.float32), world, region, segmentation, 1.0)
    return person, circle(ends[0], ends[1])


def same(one: Person, other: Person) -> bool:
    """Whether two results are of one person: all joints agree, or head and neck do."""
    if _apart(one, other) < SAME * min(one.region.size, other.region.size):
        return True
    tops = [np.stack([p.marks[NOSE], p.marks[SHOULDERS].mean(0)]) for p in (one, other)]
    apart = float(np.linalg.norm(tops[0] - tops[1], axis=1).mean())
    return apart < SAME_TOP * max(one.region.size, other.region.size)
