"""A dancer's skeleton as a picture of the target: equations 2 to 8 for one frame."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dancecli.composite import (
    SHADOW,
    LiveCanvas,
    Placement,
    output_size,
    shown,
    standing_height,
)
from dancecli.composite.placing import SOLE
from dancecli.composite.size import Size
from dancecli.errors import UsageError
from dancecli.job import Job
from dancecli.media import read_photo
from dancecli.motion import LiveMotion
from dancecli.motion.clip import whole_body
from dancecli.pipeline import paint
from dancecli.plate import Plate, StillPlate, colour_plate, parse_background
from dancecli.steps.background import empty_photo, natural_size
from dancecli.steps.framing import in_photo, photo_framing, tell_cut
from dancecli.steps.painting import Painter
from dancecli.steps.photo import understand
from dancecli.steps.placing import Scene, placed, scalable
from dancecli.steps.stages import Stages
from dancecli.types import Frame, Skeleton, Target, UInt8Array
from dancecli.workdir import WorkDir

RATE = Fraction(25)
"""Frames per second that are written nowhere."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame of the camera and the dancer in it. skeleton: on the target's body, photo pixels."""

    frame: Frame
    dancer: Skeleton
    skeleton: Skeleton


class LiveStage:
    """The target before a plate that does not move, ready to be painted in any pose."""

    def __init__(self, job: Job, work: WorkDir) -> None:
        """Look at the photo and prepare the person: seconds, before any camera is opened.

        job: its video and outputs are not read. Raises what `pipeline.reenact` raises of a photo,
        UsageError for a background that moves.
        """
        self.job, self.stages = job, Stages(job)
        self.stages.refuse_forbidden()
        kind = _kind(job)
        self.stages.settle()
        self.target = understand(job, self.stages, work)
        photo = (self.target.frame.width, self.target.frame.height)
        self.size = _size(job, photo)
        fit = photo_framing(job, self.target, self.size)
        self.plate = _plate(job, self.target, self.stages, work, self.size, fit)
        self._in_photo = in_photo(job, self.target)
        if self._in_photo:
            tell_cut(self.target, fit, self.size)
        self.placement = fit if self._in_photo else placed(job, [self.target.skeleton], self.size)
        self.height = standing_height([self.placement.apply(self.target.skeleton)])
        self.shadow = _shadow(job, kind)
        self.floor = self.placement.point(0.0, self.motion().place.y)[1] + SOLE * self.height
        backend = self.stages.backend
        self.canvas = LiveCanvas(self.height, backend.canvas, self.size, scalable(backend))
        self.painter = Painter.of_single_frames(backend, self.target)

    def motion(self) -> LiveMotion:
        """What puts a dancer's skeletons on this target."""
        photo = (self.target.frame.width, self.target.frame.height)
        job, view = self.job, shown(self.placement, self.size) if self._in_photo else None
        return LiveMotion(
            self.target.skeleton, photo, retarget=job.retarget, smooth=job.smooth, view=view
        )

    def paint(self, moment: Moment) -> UInt8Array:
        """The picture, RGB uint8 (height, width, 3)."""
        skeleton = self.placement.apply(moment.skeleton)
        scene = Scene(
            self.plate, (skeleton,), (moment.dancer,), (self.canvas.step(skeleton),),
            np.array([self.floor], np.float32), self.height, self.size, RATE,
            self.shadow,
        )  # fmt: skip
        plate = Frame(self.plate.frame(0))
        (painted,) = paint(scene, self.stages, self.painter, [(plate, moment.frame)])
        return painted.frame.rgb

    def at_rest(self) -> UInt8Array:
        """The target as photographed, before anybody dances; as `paint` gives it."""
        target = self.target
        body = whole_body(target.skeleton)  # a canvas covers no more than there is of it
        return self.paint(Moment(target.frame, target.skeleton, body))


def _kind(job: Job) -> str:
    """Of the background. Raises UsageError for what is not known before the camera ends."""
    kind = parse_background(job.background).kind
    if (job.size or "").strip().lower() == "driving":
        raise UsageError("--size driving: live, say photo or WxH such as 360x640")
    if kind in ("driving", "video"):
        raise UsageError(
            f"--background {job.background}: live, it is photo, a colour or a picture "
            "(what moves needs the whole video: dance reenact)"
        )
    return kind


def _size(job: Job, photo: Size) -> Size:
    """The output's (width, height)."""
    spec = parse_background(job.background)
    return output_size(job.size, natural_size(spec, photo, photo), photo, photo)


def _plate(
    job: Job, target: Target, stages: Stages, work: WorkDir, size: Size, fit: Placement
) -> Plate:
    """The plate at the output's size; the photo as `fit`."""
    spec = parse_background(job.background)
    if spec.colour is not None:
        return colour_plate(spec.colour, size)
    if spec.path is not None:
        return StillPlate(read_photo(spec.path, "background").rgb, size)
    return StillPlate(empty_photo(job, target, stages, work).rgb, size, fit)


def _shadow(job: Job, kind: str) -> float:
    if job.shadow is not None:
        return job.shadow
    return 0.0 if kind == "colour" else SHADOW
