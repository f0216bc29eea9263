"""Self-reenactment (paper, section 4): a clip's person driven by the clip itself.

The target is the first frame that shows all joints, never the last that shows anybody; later frames
are made from it and compared with what really happened. Always in the table: `still`, the target's
frame unmoved, and `posewarp` and its copy blurred by one pixel, since blur alone improves SSIM and
L1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from dancecli.composite import compose
from dancecli.errors import NoPersonError, UsageError
from dancecli.evaluate.compare import CROP, ROOM
from dancecli.job import Job
from dancecli.media import VideoStream, write_png
from dancecli.motion import State, Track
from dancecli.pipeline import paint
from dancecli.plate import Plate
from dancecli.progress import Progress
from dancecli.registry import split_name
from dancecli.stages import DEFAULTS
from dancecli.steps.background import make_plate
from dancecli.steps.driver import follow, open_driver
from dancecli.steps.painting import Painter
from dancecli.steps.photo import understand
from dancecli.steps.placing import Scene, needs_driving, set_scene
from dancecli.steps.stages import Stages
from dancecli.types import SEEN, Frame, Layer, Target
from dancecli.workdir import WorkDir

BASELINE = "posewarp"

BLURRED = "posewarp blurred"
"""The control."""


@dataclass(frozen=True)
class Contender:
    """One backend as it is measured.

    name: in the report. retarget: False is equation 2 raw. dense: the plugin that reads the driving
    video for it; None: the same as for the others.
    """

    name: str
    backend: str
    weights: str | None = None
    retarget: bool = False
    dense: str | None = None


def contenders(backends: tuple[str, ...], weights: str | None) -> list[Contender]:
    """Every backend with retargeting off (the paper's) and on; the baseline is always first.

    backends: `NAME` or `NAME@WEIGHTS`.
    """
    named = [BASELINE, *(name for name in backends if name != BASELINE)]
    found = []
    for text in named:
        name, own = split_name(text)
        given = own if own is not None else (weights if name != BASELINE else None)
        found += [
            Contender(text, name, given), Contender(f"{text} retargeted", name, given, True)
        ]  # fmt: skip
    return found


@dataclass(frozen=True)
class Protocol:
    """How clips are compared. plugins: entry-point group -> name, beyond the defaults."""

    contenders: tuple[Contender, ...]
    frames: int = 300
    plugins: dict[str, str] = field(default_factory=dict)
    device: str = "auto"
    seed: int = 0


class Clip:
    """One clip that is to be danced again, and what it should look like.

    Raises NoPersonError when nobody can be followed through it, MediaError when it is unreadable.
    """

    def __init__(self, job: Job, protocol: Protocol, work: WorkDir, progress: Progress) -> None:
        """job.photo need not exist before `target` is asked for."""
        self.protocol, self.work, self.job = protocol, work, job
        self.stages, self.video = Stages(job), open_driver(job)
        self.track = follow(job, self.video, self.stages, work, progress)
        self.span = range(min(self.video.count, protocol.frames))

    @cached_property
    def target(self) -> Target:
        """Equation 1 of the photo."""
        return understand(self.job, self.stages, self.work)

    @cached_property
    def plate(self) -> Plate:
        """The clip without its people."""
        return make_plate(self.job, self.target, self.video, self.track, self.stages, self.work)

    def real(self) -> Iterator[Frame]:
        """What the frames of `span` should look like."""
        return self.video.frames(self.span.start, self.span.stop)

    def baseline(self, driving: Frame) -> dict[str, Frame]:
        """What needs no method."""
        raise NotImplementedError

    def moments(self) -> Iterator[tuple[Frame, dict[str, Frame]]]:
        """Real frames and what every system makes of them, in order."""
        systems = [System(each, self) for each in self.protocol.contenders]
        driving = self.video.frames(self.span.start, self.span.stop)
        for frame, real in zip(driving, self.real(), strict=False):
            made = self.baseline(frame)
            plate = Frame(self.plate.frame(frame.index), frame.index, frame.time)
            for system in systems:
                made |= system.frames(plate, frame)
            yield real, made


class SelfClip(Clip):
    """The paper's protocol: the target is a frame of the clip, later frames are compared."""

    def __init__(
        self, path: Path, protocol: Protocol, work: WorkDir, room: Path, progress: Progress
    ) -> None:
        """room: a folder for the target's picture."""
        super().__init__(
            job_of(room / f"{path.stem}.png", path, protocol), protocol, work, progress
        )
        if (self.track.state == State.SEEN).sum() < 2:
            raise NoPersonError(
                f"{path}: somebody is seen in one frame only, but later ones are to be compared "
                "with it; use a video that shows a person for longer"
            )
        index, self.simple = chosen_target(self.track)
        self.span = range(index + 1, min(self.video.count, index + 1 + protocol.frames))
        frame = next(iter(self.video.frames(index, index + 1)))
        write_png(self.job.photo, frame.rgb)

    def baseline(self, driving: Frame) -> dict[str, Frame]:
        """The target unmoved."""
        return {"still": replace(driving, rgb=self.target.frame.rgb)}


def job_of(photo: Path, video: Path, protocol: Protocol) -> Job:
    """The dancer replaced where they danced, over the clip's own clean plate, without a shadow."""
    plugins = {**DEFAULTS, **protocol.plugins}
    unused = photo.with_name("unused.mp4")
    return Job(
        photo, video, unused, plugins, protocol.device, None, protocol.seed, "driving",
        size="driving", shadow=0.0, retarget=False,
    )  # fmt: skip


def chosen_target(track: Track) -> tuple[int, bool]:
    """The first frame that shows all 25 joints and whether there is one; else the fullest frame.

    Somebody is seen in a later frame too, or nothing could be compared; the track needs two.
    """
    *candidates, _ = np.flatnonzero(track.state == State.SEEN)
    confidence = np.array([track.skeletons[index].body[:, 2] for index in candidates])
    joints = (confidence >= SEEN).sum(1)
    best = int(joints.argmax())
    return int(candidates[best]), bool(joints[best] == confidence.shape[1])


def check_lengths(clips: Sequence[Path]) -> None:
    """Raises UsageError for a clip of a single frame, MediaError for one that is unreadable."""
    for path in clips:
        if VideoStream(path).count < 2:
            raise UsageError(
                f"{path} has a single frame: self-reenactment makes later frames of a video from "
                "an earlier one; give a longer video"
            )


class System:
    """A contender set up on a clip."""

    def __init__(self, contender: Contender, clip: Clip) -> None:
        self.contender = contender
        plugins = {**clip.job.plugins, "dance.backend": contender.backend}
        if contender.dense:
            plugins["dance.dense"] = contender.dense
        job = replace(
            clip.job, plugins=plugins, weights=contender.weights, retarget=contender.retarget
        )
        self.stages = Stages(job)
        self.scene: Scene = set_scene(
            job, clip.target, clip.video, clip.track, clip.plate, self.stages
        )
        self.painter = Painter.of_single_frames(self.stages.backend, clip.target)

    def frames(self, plate: Frame, driving: Frame) -> dict[str, Frame]:
        """This system's frame, and the baseline's blurred copy."""
        read = driving if needs_driving(self.stages) else None
        (painted,) = paint(self.scene, self.stages, self.painter, [(plate, read)])
        made = {self.contender.name: painted.frame}
        if self.contender.name == BASELINE:
            sigma = self.scene.height * ROOM / CROP[0]
            rgb = compose(blurred(painted.layer, sigma / painted.layer.canvas.scale), plate.rgb)
            made[BLURRED] = Frame(rgb, driving.index, driving.time)
        return made


def blurred(layer: Layer, sigma: float) -> Layer:
    """The layer, colour and alpha, under a Gaussian of so many of its pixels."""
    import cv2

    m = cv2.GaussianBlur(layer.m, (0, 0), sigma)
    zm = cv2.GaussianBlur(layer.z * layer.m[..., None], (0, 0), sigma)
    z = np.clip(zm / np.maximum(m, 1e-4)[..., None], 0, 1).astype(np.float32)
    return replace(layer, z=z, m=m)
