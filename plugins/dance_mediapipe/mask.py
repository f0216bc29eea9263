"""MediaPipe as person masker: one person's silhouette, cut out along the picture's edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dance_mediapipe import graphs, people, silhouette
from dance_mediapipe.body import body_25
from dance_mediapipe.detector import REGION_SCALE, people_in
from dance_mediapipe.outline import follow_edges, softened
from dance_mediapipe.people import Person
from dance_mediapipe.regions import Region
from dance_mediapipe.search import alike
from dance_mediapipe.window import Window
from dancecli.stages import Settings
from dancecli.types import SEEN, Box, FloatArray, Frame, PersonMask, Skeleton, UInt8Array

HOLE = 4e-4
"""Largest hole to fill, in squares of the region: gaps between limbs are larger."""

BONE_SUPPORT = 0.15
"""Segmentation above which a pixel on a bone belongs to the person, though below one half."""


TRUNK = 0.6, 4.0
"""Shortest and longest way from between the shoulders to the hips, in their breadth as seen."""

ONE_BODY = 0.4
"""IoU of two skeletons' boxes from which on they are of one person, read in two ways: of people who
stand before each other the boxes of what is seen overlap by less than half of that."""

NEAR = 0.05
"""Body heights about the limbs within which the selfie model is believed."""


class View(NamedTuple):
    """A segmentation, float32 (S, S), [0, 1], of one region of the frame."""

    region: Region
    segmentation: FloatArray

    def box(self) -> Box:
        """The frame's upright box of what is segmented, with a margin; empty if nothing is."""
        rows, columns = np.nonzero(self.segmentation > 0.05)
        if len(rows) == 0:
            return Box(0, 0, 0, 0)
        side, margin = self.segmentation.shape[0], 8
        us = np.array([columns.min() - margin, columns.max() + margin]) / side
        vs = np.array([rows.min() - margin, rows.max() + margin]) / side
        corners = self.region.to_frame(np.array([(u, v) for u in us for v in vs], np.float32))
        (left, top), (right, bottom) = corners.min(0), corners.max(0)
        return Box(float(left), float(top), float(right), float(bottom))


class MediaPipeMasker:
    """Masks of `dance.mask` from the segmentation that comes with MediaPipe's pose."""

    INTERFACE_VERSION = 1
    LICENCE = "MediaPipe 0.10, code and models: Apache-2.0, Google"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Settings are not needed: it runs on the CPU and loads its models on first use."""

    def mask(self, frame: Frame, skeleton: Skeleton) -> PersonMask:
        """Alpha of the person with this skeleton; all 0 when fewer than two joints are seen.

        Raises PluginError when MediaPipe cannot be loaded.
        """
        height, width = frame.height, frame.width
        region = skeleton_region(skeleton)
        views = segment(frame.rgb, region, skeleton) if region else []
        boxes = [box for view in views if (box := view.box()).width > 0]
        window = Window.around(boxes, width, height)
        if region is None or window is None:
            return PersonMask(np.zeros((height, width), np.float32))
        others = [window.skeleton(s) for s in bystanders(frame.rgb, region, skeleton)]
        cell = region.size * window.scale / people.CROP_SIDE
        rough = mean_segmentation(window, views)
        alpha = cut_out(window.cut(frame.rgb), rough, window.skeleton(skeleton), others, cell)
        return PersonMask(window.restore(alpha, width, height))


def skeleton_region(skeleton: Skeleton) -> Region | None:
    """Where the pose model should look for a skeleton: the circle about its hips.

    Those may be outside the picture, of a close-up, where an extractor guesses them.
    """
    body = skeleton.body[skeleton.body[:, 2] >= SEEN, :2]
    box = skeleton.box()
    if box is None or len(body) < 2:
        return None
    there = skeleton.seen("mid_hip") or _likely_hips(skeleton)
    x, y = skeleton.joint("mid_hip") if there else box.center
    reach = float(np.linalg.norm(body - (x, y), axis=1).max())
    return Region(float(x), float(y), max(2.2 * reach * REGION_SCALE, 8.0))


def _likely_hips(skeleton: Skeleton) -> bool:
    """Whether unseen hips lie where those below seen shoulders may be; they may be anything."""
    if not skeleton.seen("left_shoulder", "right_shoulder"):
        return False
    left, right = (skeleton.joint(f"{side}_shoulder") for side in ("left", "right"))
    middle, breadth = (left + right) / 2, float(np.linalg.norm(left - right))
    below = skeleton.joint("mid_hip") - middle
    return bool(below[1] > 0 and TRUNK[0] < np.linalg.norm(below) / max(breadth, 1) < TRUNK[1])


def segment(picture: UInt8Array, region: Region, skeleton: Skeleton) -> list[View]:
    """Views of the skeleton's person in a picture, RGB (H, W, 3): at least one.

    First by the skeleton, then by what the model says from there; their mean is steadier than
    either. Where the model sees another person or nobody, the selfie model, which knows no single
    person, has to do. Raises PluginError.
    """
    for start in (region, *people_in(picture, region.box)):
        found = people.look(picture, start)
        if found is None or not agrees(found[0], skeleton):
            continue
        again = people.look(picture, found[1])
        persons = [found[0], again[0]] if again and agrees(again[0], skeleton) else [found[0]]
        return [View(person.region, person.segmentation) for person in persons]
    return [selfie(picture, region, skeleton)]


def selfie(picture: UInt8Array, region: Region, skeleton: Skeleton) -> View:
    """What the selfie model segments near the skeleton; of itself it takes in everybody.

    picture: RGB (H, W, 3). Raises PluginError.
    """
    side = people.CROP_SIDE
    plane = graphs.plane(graphs.graph("selfie").run(region.cut(picture, side))["mask"])
    scale = side / region.size
    crop = skeleton.moved(scale, side / 2 - region.x * scale, side / 2 - region.y * scale)
    reach = NEAR * silhouette.body_height(crop)
    return View(region, plane * (silhouette.closeness(crop, plane.shape) < reach))


def mean_segmentation(window: Window, views: list[View]) -> FloatArray:
    """Float32 (h, w): the views' mean at every pixel that any of them shows, else 0."""
    total = sum(window.paste(*view) for view in views)
    shown = sum(window.paste(v.region, np.ones_like(v.segmentation)) for v in views)
    mean: FloatArray = total / np.maximum(shown, 1e-3)
    return mean


def agrees(person: Person, skeleton: Skeleton) -> bool:
    """Whether the landmarks are of the skeleton's person."""
    body, _ = body_25(person)
    seen = skeleton.body[:, 2] >= SEEN
    apart = np.linalg.norm(body[seen, :2] - skeleton.body[seen, :2], axis=1)
    return bool(np.median(apart) < people.SAME * person.region.size)


def bystanders(picture: UInt8Array, region: Region, skeleton: Skeleton) -> list[Skeleton]:
    """Skeletons of other people in a person's region, as far as the detector sees them.

    Bodies alone, without hands and faces. Raises PluginError.
    """
    found = []
    for proposal in people_in(picture, region.box):
        if alike(proposal, region):
            continue
        other = people.read(picture, proposal)
        if other and other.support() > 0.5 and not agrees(other, skeleton):
            found.append(Skeleton(body_25(other)[0]))
    return [s for s in found if not _one_body(s, skeleton)]


def _one_body(one: Skeleton, other: Skeleton) -> bool:
    a, b = (Skeleton(s.body).box() for s in (one, other))
    return a is not None and b is not None and a.iou(b) > ONE_BODY


def cut_out(
    picture: UInt8Array, rough: FloatArray, mine: Skeleton, others: list[Skeleton], cell: float
) -> FloatArray:
    """Alpha, float32 (H, W), from a rough mask of people: one person, along the edges.

    cell: pixels of the picture per cell of the model that made the rough mask.
    """
    bones = silhouette.bones(mine, rough.shape) & (rough > BONE_SUPPORT)
    bones |= silhouette.fingers(mine, rough.shape)
    rough = np.where(bones, np.maximum(rough, 0.9), rough)
    keep = silhouette.owned(mine, others, rough.shape)
    mask = silhouette.connected((rough > 0.5) & keep, mine)
    rough = np.where(mask | (rough <= 0.5) & keep, rough, 0).astype(np.float32)
    mask = follow_edges(picture, rough, cell) | bones & keep
    mask = silhouette.without_specks(mask, HOLE * (people.CROP_SIDE * cell) ** 2)
    return softened(silhouette.connected(mask, mine))
