"""The whole story on one page: section 3 of "Single-Shot Freestyle Dance Reenactment".

    p^M*      = HP(I)                    (1)  understand
    P^D, P^S  = DP(v), OP(v)             (2)  follow, retarget, Stages.dense
    P^M       = P2B(p^M*, P^S, P^D)      (3)  Backend.render
    t1..t5    = l(I, p^M*)               (4)  Backend.prepare
    e_z       = [VGGFace2(t1), VGG(t)]   (5)  Backend.prepare
    (z, m)    = B2F(P^M, e_z)            (6)  Backend.render
    f0        = z m + b (1 - m)          (7)  compose
    f         = FR(f0, t1)               (8)  Backend.refine

I is the photo, v the driving video, b the plate. Equation 2 is departed from in one point: the
skeleton is retargeted before anything is drawn from it, to the target's limb lengths as far as one
photo tells them (`--no-retarget` gives the raw one).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import repeat

from dancecli.composite import compose
from dancecli.job import Job
from dancecli.media import VideoStream
from dancecli.overlap import batched, beside, prefetched
from dancecli.progress import Progress
from dancecli.steps.background import check_background, make_plate
from dancecli.steps.driver import follow, given_track, open_driver
from dancecli.steps.output import Outputs, Painted, Result, check_outputs
from dancecli.steps.painting import Painter, ready
from dancecli.steps.photo import understand
from dancecli.steps.placing import Scene, needs_driving, set_scene
from dancecli.steps.stages import Stages
from dancecli.types import Frame, Layer
from dancecli.workdir import WorkDir

Moment = tuple[Frame, Frame | None]
"""Plate b of a frame to make, and its driving frame where the dense poser reads it."""


def reenact(job: Job, work: WorkDir, progress: Progress) -> Result:
    """Make the person of job.photo dance like the person of job.video.

    Raises DanceError subclasses; what was finished before stays in `work` and is used again.
    """
    check_outputs(job)
    stages, video = Stages(job), open_driver(job)
    check_background(job, (video.width, video.height))
    stages.refuse_forbidden()
    stages.settle()
    given = given_track(job, video)  # P^S, where --poses has it
    target = understand(job, stages, work)  # I, p^M*: eq. 1
    with beside(ready, job, target, stages, work) as studio:  # t, e_z: eqs. 4 and 5
        track = given or follow(job, video, stages, work, progress)  # P^S: eq. 2
    plate = make_plate(job, target, video, track, stages, work)  # b
    scene = set_scene(job, target, video, track, plate, stages)
    with Outputs(job, target, video, track, scene, stages, work, progress) as outputs:
        missing = outputs.missing()
        if missing:
            moments = prefetched(_moments(scene, video, stages, missing))
            for painted in studio().paint(
                partial(paint, scene, stages), batched(moments, studio().batch)
            ):
                for each in painted:
                    outputs.write(each)
        return outputs.finish()


def _moments(
    scene: Scene, video: VideoStream, stages: Stages, missing: list[range]
) -> Iterator[Moment]:
    read = needs_driving(stages)
    for span in missing:
        driving = video.frames(span.start, span.stop) if read else repeat(None)
        for index, frame in zip(span, driving, strict=False):
            yield Frame(scene.plate.frame(index), index, index / float(scene.fps)), frame


def paint(
    scene: Scene, stages: Stages, painter: Painter, moments: Sequence[Moment]
) -> list[Painted]:
    """Output frames, one per moment."""
    backend, person = painter.backend, painter.person
    motions = [scene.motion(b.index, frame, stages) for b, frame in moments]  # P^S, P^D: eq. 2
    filling = [motions[-1]] * (painter.batch - len(motions))
    layers = backend.render(person, motions + filling)  # P^M, z, m: eqs. 3 and 6
    return [
        finish(scene, painter, layer, b) for layer, (b, _) in zip(layers, moments, strict=False)
    ]


def finish(scene: Scene, painter: Painter, layer: Layer, plate: Frame) -> Painted:
    """The layer before its plate, with its face restored."""
    f0 = replace(plate, rgb=compose(scene.shaded(layer, plate.index), plate.rgb))  # eq. 7
    landmarks = None if layer.landmarks is None else layer.canvas.to_frame(layer.landmarks)
    frame = painter.backend.refine(painter.person, f0, landmarks)  # f: eq. 8
    return Painted(plate.index, frame, layer, landmarks)
