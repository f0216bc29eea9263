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
    POSE_MIRROR,
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
"""Plain looks at most; parts of the region by which the joints of two may differ at the last."""

SETTLED, SETTLED_SIZE, SETTLED_TURN = 0.05, 0.1, 0.25
"""A look is where the person is if the next region would be shifted by less than the first (parts
of the region), of a size whose logarithm differs by less than the second, and turned by less than
the third (radians)."""

AGREED, AGREED_METRES = 0.05, 0.1
"""Parts of the region, and metres of `world`, by which a landmark may lie elsewhere in the mirrored
look to be averaged with it."""

MAX_MOVED, SURE = 0.06, 0.03
"""Parts of the region by which the joints of two looks that are believed may differ, and those of a
look and its mirror image that settle it."""

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
    moved: how far the main joints lie elsewhere in a second look, in parts of the region.
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

    @property
    def spine(self) -> float:
        """From the middle of the shoulders to that of the hips, pixels."""
        ends = self.marks[list(SHOULDERS)].mean(0) - self.marks[[LEFT_HIP, RIGHT_HIP]].mean(0)
        return float(np.hypot(*ends))

    @property
    def legged(self) -> bool:
        """Whether the picture shows them down to a foot, or to both knees."""
        ankles, knees = (LEFT_ANKLE, RIGHT_ANKLE), (LEFT_KNEE, RIGHT_KNEE)
        foot = self.confidence[list(ankles)].max() > 0.5
        return bool(foot or self.confidence[list(knees)].min() > 0.4)

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

    Looks again where the look before says that the person is, until it would look at the same
    place. That makes the result nearly independent of the first guess. The last look is at the
    mirror image: the model errs otherwise there, and the mean of both errs less. Where it takes
    the mirror image for another pose, as it may from behind or of somebody half hidden, plain
    looks go on until the joints rest.
    """
    last: Person | None = None
    for _ in range(MAX_LOOKS):
        found = look(picture, region)
        if found is None:
            return None
        (person, region), looked = found, region
        if _settled(looked, region) and (both := _both(picture, region, person)):
            return both
        if last is not None:
            person = replace(person, moved=_moved(person, last))
            if person.moved < RESTING:
                break
        last = person
    return person


def _both(picture: UInt8Array, region: Region, person: Person) -> Person | None:
    """What a look at the mirror image agrees to; None where it shows another pose or nobody."""
    mirrored = look(picture, region, mirrored=True)
    both = None if mirrored is None else averaged(person, mirrored[0])
    return both if both is not None and both.moved < SURE else None


def _settled(region: Region, then: Region) -> bool:
    shift = max(abs(region.x - then.x), abs(region.y - then.y)) / then.size
    turn = abs((region.angle - then.angle + np.pi) % (2 * np.pi) - np.pi)
    grown = abs(float(np.log(region.size / then.size)))
    return shift < SETTLED and grown < SETTLED_SIZE and turn < SETTLED_TURN


def averaged(person: Person, mirrored: Person) -> Person:
    """The mean of two looks, landmark by landmark; the first where they are of two minds."""
    marks, world = mirrored.marks - person.marks, mirrored.world - person.world
    near = np.linalg.norm(marks, axis=1) < AGREED * person.region.size
    # The same place in the picture may be taken for one before and one behind the body.
    deep = near & (np.linalg.norm(world, axis=1) < AGREED_METRES)
    half = np.float32(0.5)
    # The mirrored look was at the region that the other one led to.
    return replace(
        person,
        region=mirrored.region,
        segmentation=mirrored.segmentation,
        marks=person.marks + half * near[:, None] * marks,
        world=person.world + half * deep[:, None] * world,
        moved=_moved(person, mirrored),
    )


def _moved(one: Person, other: Person) -> float:
    return _apart(one, other) / one.region.size


def _apart(one: Person, other: Person) -> float:
    """Mean distance in pixels between the main joints, by their confidence."""
    weight = (one.confidence * other.confidence)[MAIN_JOINTS] + 1e-6
    steps = np.linalg.norm((one.marks - other.marks)[MAIN_JOINTS], axis=1)
    return float((steps * weight).sum() / weight.sum())


def look(
    picture: UInt8Array, region: Region, mirrored: bool = False
) -> tuple[Person, Region] | None:
    """One pass, at the region or at its mirror image: the person, and the region to look at next.

    picture: RGB uint8 (H, W, 3). None where the model sees nobody. Either way what comes out is of
    the picture as it is; a mirrored look's `segmentation` too. Raises PluginError.
    """
    crop = region.cut(picture, CROP_SIDE)
    found = graphs.graph("pose").run(np.ascontiguousarray(crop[:, ::-1]) if mirrored else crop)
    if "landmarks" not in found or "world" not in found:
        return None
    rows, ends = graphs.points(found["landmarks"]), graphs.points(found["auxiliary"])
    world, segmentation = graphs.points(found["world"])[:, :3], graphs.plane(found["mask"])
    if mirrored:
        rows, world = rows[POSE_MIRROR], world[POSE_MIRROR]
        segmentation = np.ascontiguousarray(segmentation[:, ::-1])
        rows[:, 0], ends[:, 0] = 1 - rows[:, 0], 1 - ends[:, 0]
        world[:, 0] *= -1
    marks = region.to_frame(rows[:, :2])
    height, width = picture.shape[:2]
    inside = (marks >= 0).all(1) & (marks <= (width, height)).all(1)
    confidence = (rows[:, 3] * rows[:, 4] * np.where(inside, 1.0, 0.15)).astype(np.float32)
    world[:, :2] = world[:, :2] @ region.rotation().T
    person = Person(marks, confidence, world, region, segmentation, 1.0)
    middle, end = region.to_frame(ends[:, :2])[:2]
    return person, circle(middle, end)


def same(one: Person, other: Person) -> bool:
    """Whether two results are of one person: all joints agree, or head and neck do."""
    if _apart(one, other) < SAME * min(one.region.size, other.region.size):
        return True
    tops = [np.stack([p.marks[NOSE], p.marks[SHOULDERS].mean(0)]) for p in (one, other)]
    apart = float(np.linalg.norm(tops[0] - tops[1], axis=1).mean())
    return apart < SAME_TOP * max(one.region.size, other.region.size)
