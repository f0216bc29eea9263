"""Where the dance happens in the output: retargeted skeletons, canvases and shadows per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dancecli.composite import (
    SHADOW,
    Placement,
    canvas_for,
    contact_shadow,
    ground_point,
    place_at,
    place_centred,
    shown,
    standing_height,
)
from dancecli.job import Job
from dancecli.media import VideoStream
from dancecli.motion import Track, retarget, warp_dense
from dancecli.plate import Plate, parse_background
from dancecli.stages import Backend
from dancecli.steps.framing import framing, in_photo, tell_cut
from dancecli.steps.stages import Stages
from dancecli.types import Canvas, DenseMap, FloatArray, Frame, Layer, Motion, Skeleton, Target
from dancecli.workdir import digest

GROUND_WINDOW = 1.0
"""Seconds within which a dancer is expected to touch the ground, for the shadow of a jump."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The output frames before anything is painted.

    skeletons: retargeted, output pixels. driver: the same frames' own skeletons, driving pixels.
    canvases: what the backend's layers cover. ground: float32 (T,), y of the floor. height: the
    person's standing height, output pixels. size: (width, height). shadow: strength, 0 for none.
    """

    plate: Plate
    skeletons: tuple[Skeleton, ...]
    driver: tuple[Skeleton, ...]
    canvases: tuple[Canvas, ...]
    ground: FloatArray
    height: float
    size: tuple[int, int]
    fps: Fraction
    shadow: float

    @property
    def count(self) -> int:
        """Output frames."""
        return len(self.skeletons)

    def key(self) -> dict[str, object]:
        """What of the scene the pictures depend on beyond photo, video and options."""
        bodies = (
            part
            for skeleton in (*self.skeletons, *self.driver)
            for part in (skeleton.points(), skeleton.world)
            if part is not None
        )
        return {"bodies": digest(bodies), "ground": digest([self.ground]), "size": list(self.size)}

    def motion(self, index: int, driving: Frame | None, stages: Stages) -> Motion:
        """P^S and P^D of a frame, in canvas pixels (equation 2, on the target's body)."""
        canvas = self.canvases[index]
        skeleton = canvas.from_frame(self.skeletons[index])
        dense = self._dense(index, skeleton, driving, stages)
        return Motion(skeleton, dense, canvas, index)

    def _dense(
        self, index: int, skeleton: Skeleton, driving: Frame | None, stages: Stages
    ) -> DenseMap | None:
        if not stages.backend.uses_dense:
            return None
        canvas, poser = self.canvases[index], stages.dense
        height, width = dense_size(stages.backend, canvas)
        skeleton = skeleton.moved(height / canvas.height, 0, 0)
        if poser.from_skeleton or driving is None:
            blank = Frame(np.zeros((height, width, 3), np.uint8), index)
            return poser.dense(blank, skeleton.box(), skeleton)
        own = self.driver[index]
        return warp_dense(poser.dense(driving, own.box(), own), own, skeleton, (width, height))

    def shaded(self, layer: Layer, index: int) -> Layer:
        """The layer with the shadow of its feet."""
        canvas = layer.canvas
        return contact_shadow(
            layer, canvas.from_frame(self.skeletons[index]), self.height / canvas.scale,
            self.shadow, (float(self.ground[index]) - canvas.y) / canvas.scale,
        )  # fmt: skip


def scalable(backend: Backend) -> bool:
    """Whether it paints canvases smaller than its own."""
    return bool(getattr(backend, "scalable", False))


def dense_size(backend: Backend, canvas: Canvas) -> tuple[int, int]:
    """(height, width) of P^D that it asks for, else the canvas's."""
    size: tuple[int, int] | None = getattr(backend, "dense_size", None)
    return size or (canvas.height, canvas.width)


def needs_driving(stages: Stages) -> bool:
    """Whether frames of the driving video are needed while painting."""
    return stages.backend.uses_dense and not stages.dense.from_skeleton


def set_scene(
    job: Job, target: Target, video: VideoStream, track: Track, plate: Plate, stages: Stages
) -> Scene:
    """The dance on the target's body, put where --background and --place say."""
    photo = (target.frame.width, target.frame.height)
    size = (plate.width, plate.height)
    kind = parse_background(job.background).kind
    on_driving = kind == "driving" and job.place is None
    as_photo = in_photo(job, target)
    fit = framing(job, target, video, track, size)
    if as_photo:
        tell_cut(target, fit, size)
    danced = retarget(
        track, target.skeleton, photo, retarget=job.retarget,
        stabilise=kind != "driving", frame="driving" if on_driving else "photo",
        view=shown(fit, size) if as_photo else None,
    )  # fmt: skip
    placement = fit if as_photo or on_driving else placed(job, danced, size)
    skeletons = tuple(placement.apply(skeleton) for skeleton in danced)
    height = standing_height(skeletons)
    shadow = job.shadow if job.shadow is not None else (0.0 if kind == "colour" else SHADOW)
    return Scene(
        plate, skeletons, track.skeletons,
        tuple(canvas_for(skeletons, stages.backend.canvas, size, scalable(stages.backend))),
        floor_levels(skeletons, height, track), height, size, video.fps, shadow,
    )  # fmt: skip


def placed(job: Job, skeletons: Sequence[Skeleton], size: tuple[int, int]) -> Placement:
    """On what is neither the photo nor the video, or where --place says."""
    if job.place is not None:
        return place_at(job.place.x, job.place.y, job.place.height, skeletons, size)
    return place_centred(skeletons, size)


def floor_levels(skeletons: Sequence[Skeleton], height: float, track: Track) -> FloatArray:
    """The lowest level the feet reach around each frame of a scene, so that a jump leaves its
    shadow below: float32 (T,), y in output pixels."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d

    low = np.array([ground_point(skeleton, height)[1] for skeleton in skeletons])
    window = 2 * round(GROUND_WINDOW * float(track.fps) / 2) + 1
    smooth = np.zeros(len(low), np.float32)
    for scene in track.scenes():
        reached = maximum_filter1d(low[scene], window, mode="nearest")
        smooth[scene] = gaussian_filter1d(reached, window / 6, mode="nearest")
    return smooth
