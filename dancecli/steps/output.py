"""Frames out: the video, the foreground, the sidecars and the contact sheet."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from dancecli import provenance
from dancecli.composite import foreground
from dancecli.errors import UsageError
from dancecli.job import Job
from dancecli.media import (
    AudioSource,
    PartWriter,
    VideoStream,
    check_folder,
    check_output,
    format_of,
)
from dancecli.media.files import named
from dancecli.motion import Track
from dancecli.plate import parse_background
from dancecli.progress import Progress
from dancecli.steps.background import plate_key
from dancecli.steps.driver import driver_key
from dancecli.steps.photo import photo_key
from dancecli.steps.placing import Scene
from dancecli.steps.sheet import RunSheet
from dancecli.steps.stages import Stages
from dancecli.types import FloatArray, Frame, Layer, Target
from dancecli.workdir import WorkDir, digest


@dataclass(frozen=True, eq=False)
class Painted:
    """One finished frame, its layer, and the face points in frame pixels."""

    index: int
    frame: Frame
    layer: Layer
    landmarks: FloatArray | None


@dataclass(frozen=True)
class Result:
    """What a run made. written: OUT first, then what else was asked for."""

    written: tuple[Path, ...]
    frames: int
    fps: str
    size: tuple[int, int]
    seconds: float
    poses: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "out": str(self.written[0]),
            "written": [str(path) for path in self.written],
            "frames": self.frames,
            "fps": self.fps,
            "width": self.size[0],
            "height": self.size[1],
            "seconds": round(self.seconds, 2),
            "poses": self.poses,
        }


@dataclass(frozen=True, eq=False)
class _Wanted:
    """A video to write, and those of its frames that no earlier run has finished."""

    writer: PartWriter
    frames: set[int]


class Outputs:
    """Everything a run writes, resumable: parts of frames in the work directory until complete.

    Within its `with`, while the work is held: out, foreground (None where none is saved): the
    videos; step: counts a frame.
    """

    out: _Wanted
    foreground: _Wanted | None
    step: Callable[[], None]

    def __init__(
        self, job: Job, target: Target, video: VideoStream, track: Track, scene: Scene,
        stages: Stages, work: WorkDir, progress: Progress,
    ) -> None:  # fmt: skip
        self.job, self.video, self.scene, self.stages = job, video, scene, stages
        self.track = track
        self.progress, self.began = progress, time.monotonic()
        self.sheet = (
            RunSheet(job.contact_sheet, target, video, scene) if job.contact_sheet else None
        )
        self.entry = work.entry("render", render_key(job, video, track, scene, stages))
        self.landmarks = self.entry.journal()
        self.open, self.counting = ExitStack(), ExitStack()

    def __enter__(self) -> Outputs:
        saved = self.job.save_foreground
        with ExitStack() as opening:
            opening.enter_context(self.entry.locked())
            self.out = self._wanted(opening, self.job.out, "frames", False)
            self.foreground = self._wanted(opening, saved, "foreground", True) if saved else None
            opening.enter_context(self.counting)
            done = self.scene.count - len(self._left())
            stage = self.progress.stage("dance", self.scene.count, done)
            self.step = self.counting.enter_context(stage)
            self.open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.open.__exit__(kind, error, trace)

    def _wanted(self, opening: ExitStack, out: Path, name: str, alpha: bool) -> _Wanted:
        scene, parts = self.scene, self.entry.path / name
        writer = PartWriter(out, scene.fps, scene.size, scene.count, alpha, parts)
        opening.enter_context(writer)
        return _Wanted(writer, {number for span in writer.missing() for number in span})

    def _left(self) -> set[int]:
        """Frames that at least one output still lacks."""
        saved = self.foreground.frames if self.foreground else set()
        return self.out.frames | saved | (self.sheet.wanted if self.sheet else set())

    def missing(self) -> list[range]:
        """The same as runs, in order."""
        return _spans(sorted(self._left()))

    def write(self, painted: Painted) -> None:
        """Take one frame; frames come in ascending order."""
        index, saved = painted.index, self.foreground
        if index in self.out.frames:
            self.out.writer.write(painted.frame.rgb, index)
        if saved and index in saved.frames:
            # First the record: a part that is whole has all of its frames'.
            self.landmarks.append([_rounded(index, painted.landmarks)])
            saved.writer.write(foreground(painted.layer, self.scene.size), index)
        if self.sheet:
            self.sheet.add(index, painted.frame.rgb, painted.layer)
        self.step()

    def finish(self) -> Result:
        """Join the parts, add sound, tags and sidecars, put everything in place."""
        self.counting.close()
        job = self.job
        tags = provenance.container_tags()
        audio = self._audio()
        written = [job.out]
        # First what may still fail, so that no video is put in place without its sidecar.
        made_by = {"plugins": self.stages.describe(), "weights": self.stages.weights()}
        self.out.writer.finish(audio, tags)
        self._sidecar(job.out, {**made_by, "poses": self.track.summary()})
        if job.save_foreground and self.foreground:
            self.foreground.writer.finish(audio, tags)
            self._sidecar(job.save_foreground, {**made_by, "landmarks": self._landmarks()})
            written.append(job.save_foreground)
        if self.sheet:
            self.sheet.write(f"{job.photo.name} dances {job.video.name}")
            written.append(self.sheet.path)
        self.entry.remove()
        return Result(
            tuple(written), self.scene.count, str(self.scene.fps), self.scene.size,
            time.monotonic() - self.began, self.track.summary(),
        )  # fmt: skip

    def _audio(self) -> AudioSource | None:
        job = self.job
        if not (job.audio and self.video.info.has_audio):
            return None
        return AudioSource(job.video, job.start, job.end)

    def _sidecar(self, out: Path, extra: dict[str, Any]) -> None:
        job = self.job
        provenance.write_sidecar(
            out, inputs={"photo": job.photo, "video": job.video}, options=job.options(),
            seed=job.seed, **extra,
        )  # fmt: skip

    def _landmarks(self) -> list[Any]:
        found = {record["frame"]: record["points"] for record in self.landmarks.read()}
        return [found.get(index) for index in range(self.scene.count)]


def render_key(
    job: Job, video: VideoStream, track: Track, scene: Scene, stages: Stages
) -> dict[str, object]:
    """Everything the output's frames depend on."""
    return {
        "weights": stages.weights(),
        "photo": photo_key(job, stages),
        "driver": driver_key(job, video, stages),
        "plugins": stages.identity(*(g.removeprefix("dance.") for g in stages.infos)),
        "options": job.options(),
        "scene": scene.key(),
        "track": digest([track.camera, np.array(track.cuts), track.state]),
        "plate": plate_key(job.background),
        "formats": [p.suffix if p else None for p in (job.out, job.save_foreground)],
    }


def check_outputs(job: Job) -> None:
    """Refuse, before any work, what could not be written at the end.

    Raises OutputExistsError, MediaError or UsageError.
    """
    behind = parse_background(job.background).path
    inputs = [path for path in (job.photo, job.video, behind, job.poses) if path is not None]
    format_of(job.out)
    saved = job.save_foreground
    if saved is not None and not format_of(saved).keeps_alpha:
        raise UsageError(
            f"--save-foreground {saved}: it needs alpha; use .mov, .webm or .gif (a folder of PNG "
            "is written too, but dance composite takes none)"
        )
    sheet = job.contact_sheet
    if sheet is not None and sheet.suffix.lower() != ".png":
        raise UsageError(f"--contact-sheet {sheet}: a contact sheet is a .png")
    written = (job.out, saved, sheet)
    for path in written:
        if path is not None:
            check_output(path, job.force, inputs)
            if path is not sheet:
                provenance.check_sidecar(path, job.force)
    if job.poses is not None:
        check_folder(job.poses)
    _check_apart([path for path in (*written, job.poses) if path is not None])


def _check_apart(written: list[Path]) -> None:
    """Raises UsageError where two of the files to write, or their sidecars, are one."""
    names = [path.resolve() for path in written]
    names += [provenance.sidecar_path(path) for path in names]
    twice = next((path for path in names if names.count(path) > 1), None)
    if twice is not None:
        raise UsageError(f"{named(twice)} would be written twice: give each output its own name")


def _spans(numbers: list[int]) -> list[range]:
    spans: list[range] = []
    for number in numbers:
        if spans and spans[-1].stop == number:
            spans[-1] = range(spans[-1].start, number + 1)
        else:
            spans.append(range(number, number + 1))
    return spans


def _rounded(index: int, landmarks: FloatArray | None) -> dict[str, Any]:
    points = None if landmarks is None else np.round(landmarks.astype(float), 2).tolist()
    return {"frame": index, "points": points}
