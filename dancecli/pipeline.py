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
skeleton is retargeted to the target's own limb lengths before anything is drawn from it
(`--no-retarget` gives the raw one).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import repeat

from dancecli.composite import compose
from dancecli.job import Job
from dancecli.media import VideoStream
from dancecli.overlap import ordered_map, prefetched
from dancecli.progress import Progress
from dancecli.steps.background import make_plate
from dancecli.steps.driver import follow, open_driver
from dancecli.steps.output import Outputs, Painted, Result, check_outputs
from dancecli.steps.photo import understand
from dancecli.steps.placing import Scene, needs_driving, set_scene
from dancecli.steps.stages import Stages
from dancecli.types import Frame
from dancecli.workdir import WorkDir

PAINTERS = 2
"""Threads that render and composite; the encoder has threads of its own."""


def reenact(job: Job, work: WorkDir, progress: Progress) -> Result:
    """Make the person of job.photo dance like the person of job.video.

    Raises DanceError subclasses; what was finished before stays in `work` and is used again.
    """
    check_outputs(job)
    stages, video = Stages(job), open_driver(job)
    stages.refuse_forbidden()
    stages.settle_backend()
    target = understand(job, stages, work)  # I, p^M*: eq. 1
    track = follow(job, video, stages, work, progress)  # P^S: eq. 2
    plate = make_plate(job, target, video, track, stages, work)  # b
    scene = set_scene(job, target, video, track, plate, stages)
    with Outputs(job, target, video, scene, stages, work, progress) as outputs:
        missing = outputs.missing()
        if missing:
            person = stages.backend.prepare(target)  # t, e_z: eqs. 4 and 5
            paint = partial(paint_moment, person, scene, stages)
            moments = prefetched(_moments(scene, video, stages, missing))
            for painted in ordered_map(paint, moments, PAINTERS):
                outputs.write(painted)
        return outputs.finish(track)


def _moments(
    scene: Scene, video: VideoStream, stages: Stages, missing: list[range]
) -> Iterator[tuple[Frame, Frame | None]]:
    """Plate b, and the driving frame where the dense poser reads it, of each frame to make."""
    read = needs_driving(stages)
    for span in missing:
        driving = video.frames(span.start, span.stop) if read else repeat(None)
        for index, frame in zip(span, driving, strict=False):
            yield Frame(scene.plate.frame(index), index, index / float(scene.fps)), frame


def paint_moment(
    person: object, scene: Scene, stages: Stages, moment: tuple[Frame, Frame | None]
) -> Painted:
    """One output frame. moment: the plate's frame, and the driving one where it is read."""
    plate, driving = moment
    motion = scene.motion(plate.index, driving, stages)  # P^S, P^D: eq. 2
    (layer,) = stages.backend.render(person, [motion])  # P^M, z, m: eqs. 3 and 6
    f0 = replace(plate, rgb=compose(scene.shaded(layer, plate.index), plate.rgb))  # eq. 7
    landmarks = None if layer.landmarks is None else layer.canvas.to_frame(layer.landmarks)
    frame = stages.backend.refine(person, f0, landmarks)  # f: eq. 8
    return Painted(plate.index, frame, layer, landmarks)
