"""`dance refine-face`: FR by itself on a finished video, equations 8 and 19.

The person's face is found in every frame and followed steadily, refined by the backend, and put
back inside the landmarks' hull. A frame without a face stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dancecli import cores, provenance
from dancecli.errors import NoPersonError, UsageError
from dancecli.job import PHOTO_SIDE, Job
from dancecli.media import (
    AudioSource,
    PartWriter,
    VideoStream,
    check_output,
    format_of,
    read_photo,
    sha256_of,
)
from dancecli.overlap import ordered_map, prefetched
from dancecli.progress import Progress
from dancecli.stages import DEFAULTS, Backend
from dancecli.steps.driver import open_driver
from dancecli.steps.faces import FaceTrack, face_in_photo, follow_face
from dancecli.steps.photo import fitted
from dancecli.steps.stages import Stages
from dancecli.types import Frame, LabelMap, PersonMask, Target
from dancecli.workdir import Entry, Journal, WorkDir

BACKEND = "freestyle"
"""The one with FR."""


@dataclass(frozen=True)
class Refinement:
    """What is asked for; names as in `Job`."""

    video: Path
    photo: Path
    out: Path
    person: str = "largest"
    photo_person: str = "largest"
    smooth: float = 1.0
    pose: str = DEFAULTS["dance.pose"]
    face_align: str = DEFAULTS["dance.face_align"]
    backend: str = BACKEND
    device: str = "auto"
    weights: str | None = None
    audio: bool = True
    force: bool = False
    licence: str = "any"

    def job(self) -> Job:
        """The same, as the steps of the pipeline take it."""
        plugins = {
            "dance.pose": self.pose,
            "dance.face_align": self.face_align,
            "dance.backend": self.backend,
        }
        return Job(
            self.photo, self.video, self.out, plugins, self.device, self.weights,
            person=self.person, photo_person=self.photo_person, smooth=self.smooth,
            audio=self.audio, force=self.force, licence=self.licence,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Refiner:
    """The backend with the photo's person, and the face's way through the video."""

    backend: Backend
    person: Any
    track: FaceTrack

    def __call__(self, frame: Frame) -> tuple[Frame, bool]:
        """The frame, refined where a face shows; whether one did."""
        strength = float(self.track.strength[frame.index])
        if strength == 0:
            return frame, False
        refined = self.backend.refine(self.person, frame, self.track.points[frame.index])
        if refined is frame:
            return frame, False
        if strength == 1:
            return refined, True
        change = refined.rgb.astype(np.float32) - frame.rgb
        mixed = np.rint(frame.rgb + strength * change).astype(np.uint8)
        return replace(refined, rgb=mixed), True


def refine_faces(ask: Refinement, work: WorkDir, progress: Progress) -> dict[str, Any]:
    """Refine the face of one person in a video; returns what was written and counts of frames.

    Raises LicenceError for plugins that --licence forbids, WeightsError without weights for FR,
    NoPersonError when photo or video show no face, UsageError for a backend that refines nothing,
    MediaError for files that cannot be used; what was finished before stays in `work` and is used
    again.
    """
    check_output(ask.out, ask.force, (ask.video, ask.photo))
    provenance.check_sidecar(ask.out, ask.force)
    job, video = ask.job(), VideoStream(ask.video)
    stages = Stages(job)
    stages.refuse_forbidden()
    backend = _backend(ask, stages)
    stages.settle()
    person = _prepared(job, stages)
    looked_at = open_driver(job)
    track = follow_face(job, looked_at, stages, work, progress)
    track = track.scaled(video.width / looked_at.width, video.height / looked_at.height)
    # Told before OUT is in place: it is not left without a sidecar.
    made_by = {"plugins": stages.describe(), "weights": stages.weights()}
    entry = work.entry("refine", _key(ask, stages))
    with entry.locked():
        refined = _write(ask, video, _Refiner(backend, person, track), entry, progress)
        entry.remove()
    counts = {"refined": refined, "untouched": video.count - refined}
    _write_sidecar(ask, made_by, counts)
    width, height = _size(ask, video)
    about = {"frames": video.count, **counts, "width": width, "height": height}
    return {"out": str(ask.out), **about}


def _backend(ask: Refinement, stages: Stages) -> Backend:
    if not stages.backend.refines:
        raise UsageError(
            f"--backend {ask.backend} refines no faces with the weights "
            f"{ask.weights or 'it comes with'}; give --weights that hold FR (dance train fr)"
        )
    return stages.backend


def _prepared(job: Job, stages: Stages) -> Any:
    """The photo's person as far as the face goes: nothing is parsed, since nothing is painted."""
    frame = fitted(read_photo(job.photo), PHOTO_SIDE)
    skeleton = face_in_photo(job, frame, stages)
    shape = (frame.height, frame.width)
    nothing = PersonMask(np.zeros(shape, np.float32)), LabelMap(np.zeros(shape, np.uint8))
    person = stages.backend.prepare(Target(frame, *nothing, skeleton))
    if stages.backend.refine(person, frame, skeleton.face) is frame:
        raise NoPersonError(
            f"{job.photo.name}: the face is too small or too hidden to refine others by; use a "
            "photo in which it is larger"
        )
    return person


def _key(ask: Refinement, stages: Stages) -> dict[str, object]:
    """Everything the output's frames depend on."""
    return {
        "video": sha256_of(ask.video),
        "photo": sha256_of(ask.photo),
        "people": [ask.person, ask.photo_person],
        "smooth": ask.smooth,
        "plugins": stages.identity("pose", "face_align", "backend"),
        "weights": stages.weights(),
        "device": ask.device,
        "format": ask.out.suffix,
    }


def _write(
    ask: Refinement, video: VideoStream, refiner: _Refiner, entry: Entry, progress: Progress
) -> int:
    """Write OUT; in how many of its frames the face was refined."""
    journal, size = entry.journal(), _size(ask, video)
    with PartWriter(ask.out, video.fps, size, video.count, False, entry.path / "frames") as writer:
        missing = writer.missing()
        done = video.count - sum(len(span) for span in missing)
        threads = cores.threads()
        with cores.shared(threads), progress.stage("refine", video.count, done) as step:
            frames = prefetched(_frames(video, missing))
            for frame, changed in ordered_map(refiner, frames, threads):
                journal.append([[frame.index, changed]])
                writer.write(np.ascontiguousarray(frame.rgb[: size[1], : size[0]]), frame.index)
                step()
        sound = AudioSource(ask.video, None, None)
        writer.finish(sound if ask.audio and video.info.has_audio else None, _tags())
    return _refined(journal)


def _frames(video: VideoStream, missing: list[range]) -> Iterator[Frame]:
    for span in missing:
        yield from video.frames(span.start, span.stop)


def _refined(journal: Journal) -> int:
    """Frames that were refined, also by earlier runs; some are in the journal twice."""
    return sum(dict(journal.read()).values())


def _size(ask: Refinement, video: VideoStream) -> tuple[int, int]:
    """(width, height) of OUT: the video's, less an odd column or row where the format needs it."""
    step = format_of(ask.out).step
    return video.width - video.width % step, video.height - video.height % step


def _tags() -> dict[str, str]:
    return provenance.container_tags(
        "Video with a synthetic face", "the face shown was refined after a photo"
    )


def _write_sidecar(ask: Refinement, made_by: dict[str, Any], counts: dict[str, int]) -> None:
    inputs = {"video": ask.video, "photo": ask.photo}
    options = {k: v for k, v in asdict(ask).items() if k not in (*inputs, "out", "force")}
    provenance.write_sidecar(
        ask.out, inputs=inputs, options=options, seed=0, faces=counts, **made_by,
    )  # fmt: skip
