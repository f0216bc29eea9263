"""What passes between stages: frozen dataclasses, nothing else crosses a seam.

Conventions that hold everywhere:

- Arrays are numpy, C order. Pictures are (height, width, channels), RGB, origin at the top left,
  x to the right, y down. Pixel (i, j) covers [j, j+1) x [i, i+1); a keypoint lies in those
  continuous coordinates.
- A keypoint is (x, y, confidence), float32, pixels and [0, 1]. Confidence 0 means "not seen";
  its x and y are then meaningless.
- "Left" and "right" are the person's own, as in OpenPose.
- Arrays inside these classes are never written to; make a new object (`dataclasses.replace`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

UInt8Array: TypeAlias = NDArray[np.uint8]
FloatArray: TypeAlias = NDArray[np.float32]
BoolArray: TypeAlias = NDArray[np.bool_]

BODY_25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
    "left_elbow", "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip",
    "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe",
    "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip
"""Joint names in OpenPose's BODY_25 order (openpose:src/openpose/pose/poseParameters.cpp)."""

JOINT = {name: index for index, name in enumerate(BODY_25)}
"""Joint name -> row of `Skeleton.body`."""

SEEN = 0.2
"""Confidence below which a keypoint counts as not seen (OpenPose uses 0.05-0.4)."""


@dataclass(frozen=True)
class Source:
    """The file that a frame was decoded from.

    number: which of the video's own frames it shows, from 0, in the order shown; trimming, another
    frame rate or a preview do not change it. None where the file is a photo. width, height: the
    file's pixels, upright; the frame may be a scaled copy.
    """

    path: Path
    number: int | None
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture, a photo or a frame of a video.

    rgb: uint8 (H, W, 3), RGB, 0-255.
    index: position in the constant-rate stream, from 0. time: seconds from the stream's start.
    source: where all of its pixels come from; None for a picture made or cut out by `dance`.
    """

    rgb: UInt8Array
    index: int = 0
    time: float = 0.0
    source: Source | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.rgb.shape[1])


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels; right and bottom are exclusive, values may be fractional."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels, may be zero."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels, may be zero."""
        return self.bottom - self.top

    @property
    def center(self) -> tuple[float, float]:
        """(x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def grown(self, factor: float) -> Box:
        """The box about the same centre with both sides multiplied by `factor`."""
        (x, y), w, h = self.center, self.width * factor / 2, self.height * factor / 2
        return Box(x - w, y - h, x + w, y + h)

    def clipped(self, width: int, height: int) -> Box:
        """The part inside a picture of that size."""
        return Box(
            min(max(self.left, 0), width), min(max(self.top, 0), height),
            min(max(self.right, 0), width), min(max(self.bottom, 0), height),
        )  # fmt: skip

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 for two empty boxes."""
        w = min(self.right, other.right) - max(self.left, other.left)
        h = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(w, 0.0) * max(h, 0.0)
        total = self.width * self.height + other.width * other.height - shared
        return shared / total if total > 0 else 0.0

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) as integers that cover the box inside a picture."""
        box = self.clipped(width, height)
        return (
            int(np.floor(box.left)), int(np.floor(box.top)),
            int(np.ceil(box.right)), int(np.ceil(box.bottom)),
        )  # fmt: skip


def _no_points(count: int) -> Any:
    return lambda: np.zeros((count, 3), np.float32)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """One person's pose in one picture, in OpenPose's layout.

    body: float32 (25, 3), BODY_25. left_hand, right_hand: float32 (21, 3), wrist first.
    face: float32 (70, 3), OpenPose's 68 contour points and two pupils.
    world: float32 (25, 3) or None: joints in metres about the middle of the hips, x right, y down,
        z away from the camera; NaN rows where unknown.
    """

    body: FloatArray
    left_hand: FloatArray = field(default_factory=_no_points(21))
    right_hand: FloatArray = field(default_factory=_no_points(21))
    face: FloatArray = field(default_factory=_no_points(70))
    world: FloatArray | None = None

    def seen(self, *joints: str, threshold: float = SEEN) -> bool:
        """Whether all the named body joints are at or above the threshold."""
        return all(self.body[JOINT[name], 2] >= threshold for name in joints)

    def joint(self, name: str) -> FloatArray:
        """(x, y) of a body joint, pixels, seen or not."""
        return self.body[JOINT[name], :2]

    def points(self) -> FloatArray:
        """All keypoints stacked, float32 (137, 3): body, left hand, right hand, face."""
        return np.concatenate([self.body, self.left_hand, self.right_hand, self.face])

    def box(self, threshold: float = SEEN) -> Box | None:
        """The tight box of all seen points, None when fewer than two are seen."""
        points = self.points()
        points = points[points[:, 2] >= threshold, :2]
        if len(points) < 2:
            return None
        (left, top), (right, bottom) = points.min(0), points.max(0)
        return Box(float(left), float(top), float(right), float(bottom))

    def depth(self) -> FloatArray | None:
        """Float32 (25,) pixels towards the camera, mid-hip 0, by weak perspective from `world`.

        The pixel/metre scale is the least-squares fit of world x, y to the seen joints.
        None without `world` or with fewer than four joints to fit; NaN rows stay NaN.
        """
        if self.world is None:
            return None
        use = (self.body[:, 2] >= SEEN) & np.isfinite(self.world).all(1)
        if use.sum() < 4:
            return None
        world, image = self.world[use, :2], self.body[use, :2]
        world, image = world - world.mean(0), image - image.mean(0)
        spread = float((world**2).sum())
        scale = float((world * image).sum()) / spread if spread > 1e-9 else 0.0
        return (-scale * self.world[:, 2]).astype(np.float32)

    def moved(self, scale: float, dx: float, dy: float) -> Skeleton:
        """Every keypoint at scale * (x, y) + (dx, dy); `world` is metric and stays."""

        def move(points: FloatArray) -> FloatArray:
            out = points.copy()
            out[:, :2] = points[:, :2] * scale + np.array([dx, dy], np.float32)
            return out

        return replace(
            self,
            body=move(self.body), left_hand=move(self.left_hand),
            right_hand=move(self.right_hand), face=move(self.face),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class PersonMask:
    """Where one person is: alpha, float32 (H, W), 0 background to 1 person, soft at the edge."""

    alpha: FloatArray


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Human parsing: labels, uint8 (H, W), values 0-21 of `dancecli.labels`, 0 is background."""

    labels: UInt8Array


@dataclass(frozen=True, eq=False)
class DenseMap:
    """Surface coordinates of one person.

    iuv: float32 (H, W, 3): part index 0-24 (DensePose's numbers, 0 is background), U and V in
    [0, 1] within the part, 0 off the body.
    """

    iuv: FloatArray


@dataclass(frozen=True, eq=False)
class Target:
    """All that is known of the person in the photo, in the photo's pixels.

    Backends read this once per person: equations 1 and 4 of the paper start here.
    """

    frame: Frame
    mask: PersonMask
    labels: LabelMap
    skeleton: Skeleton


@dataclass(frozen=True)
class Canvas:
    """Where a generated layer lies in the output frame: frame = canvas * scale + (x, y).

    width, height: the layer's size in its own pixels.
    """

    width: int
    height: int
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def from_frame(self, skeleton: Skeleton) -> Skeleton:
        """A skeleton of the output frame, in canvas pixels."""
        return skeleton.moved(1 / self.scale, -self.x / self.scale, -self.y / self.scale)

    def to_frame(self, points: FloatArray) -> FloatArray:
        """Canvas keypoints (N, 3) in output-frame pixels."""
        out = points.copy()
        out[:, :2] = points[:, :2] * self.scale + np.array([self.x, self.y], np.float32)
        return out


@dataclass(frozen=True, eq=False)
class Motion:
    """One frame of the dance as a backend sees it, in canvas pixels.

    skeleton: retargeted to the target's body (P^S). dense: drawn or warped to it (P^D), over the
        canvas, in as many pixels as the backend's `dense_size` says.
    index: output frame number, so that a backend can seed anything random by it.
    """

    skeleton: Skeleton
    dense: DenseMap | None
    canvas: Canvas
    index: int = 0


@dataclass(frozen=True, eq=False)
class Layer:
    """What a backend paints for one frame (z, m of equation 6), on its canvas.

    z: float32 (h, w, 3), RGB in [0, 1] (the paper's tanh range mapped affinely), not premultiplied.
    m: float32 (h, w), [0, 1], how much of z shows (equation 7).
    labels: the body map it was painted from (P^M), or None.
    landmarks: float32 (70, 3) face points in canvas pixels, or None where no face shows; what
        `Backend.refine` aligns by.
    """

    z: FloatArray
    m: FloatArray
    canvas: Canvas
    labels: LabelMap | None = None
    landmarks: FloatArray | None = None


def stack_points(skeletons: Sequence[Skeleton]) -> FloatArray:
    """Float32 (T, 137, 3): `Skeleton.points` of a clip."""
    return np.stack([s.points() for s in skeletons])
