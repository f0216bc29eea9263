"""`dance composite`: equation 7 again, with a saved foreground and another plate."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from dancecli import provenance
from dancecli.composite import compose_rgba
from dancecli.errors import MediaError, UsageError
from dancecli.job import Job
from dancecli.media import AudioSource, PartWriter, VideoStream, check_output, sha256_of
from dancecli.media.files import named
from dancecli.plate import Plate, parse_background
from dancecli.progress import Progress
from dancecli.saved import BACKEND, Made, open_foreground, read_sidecar, refuse_terms
from dancecli.stages import DEFAULTS
from dancecli.steps.background import given_plate, plate_key
from dancecli.steps.photo import understand
from dancecli.steps.stages import Stages
from dancecli.types import Frame, UInt8Array
from dancecli.workdir import Entry, WorkDir, digest

LOOKS = ("dance.pose", "dance.mask", "dance.parser")
"""Plugins that look at the photo of --photo, for the backend."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recomposition:
    """What is asked for. photo: for a backend that refines faces, the person's photo."""

    foreground: Path
    background: str
    out: Path
    photo: Path | None = None
    backend: str | None = None
    device: str = "auto"
    weights: str | None = None
    audio: bool = True
    force: bool = False
    licence: str = "any"


def recomposite(ask: Recomposition, work: WorkDir, progress: Progress) -> dict[str, Any]:
    """Put the foreground on the background; returns what was written.

    The sidecar says what made the foreground and what refined its face. Raises UsageError for a
    background that needs the original inputs, MediaError for files that cannot be used,
    LicenceError for a foreground whose terms --licence forbids.
    """
    spec = parse_background(ask.background)
    if spec.kind in ("photo", "driving"):
        raise UsageError(
            f"--background {ask.background}: a saved foreground takes a colour, picture or video; "
            f"for {ask.background} run: dance reenact PHOTO VIDEO --background {ask.background}"
        )
    read = [path for path in (ask.foreground, spec.path, ask.photo) if path is not None]
    check_output(ask.out, ask.force, read)
    provenance.check_sidecar(ask.out, ask.force)
    video = open_foreground(ask.foreground)
    made = _known(ask)
    size = (video.width, video.height)
    plate = given_plate(spec, video, size)
    refiner = _refiner(ask, made, work, video.count)
    entry = work.entry("composite", _key(ask, refiner))
    with entry.locked():
        _write(ask, entry, video, plate, refiner, progress)
        entry.remove()
    _write_sidecar(ask, spec.path, made, refiner)
    return {"out": str(ask.out), "frames": video.count, "width": size[0], "height": size[1]}


def _known(ask: Recomposition) -> Made | None:
    """What made the foreground; refused where --licence forbids it."""
    made = read_sidecar(ask.foreground)
    refuse_terms(ask.licence, ask.foreground, made)
    if made is None:
        logger.warning(
            "%s has no sidecar: nothing is known of what made it%s",
            named(ask.foreground), "; its face is not refined" if ask.photo else "",
        )  # fmt: skip
    return made


@dataclass(frozen=True, eq=False)
class _Refiner:
    """The backend with the photo's person, and the face in each frame."""

    stages: Stages
    person: Any
    made: Made

    def key(self) -> dict[str, object]:
        """What refines, and where."""
        return {
            "plugins": self.stages.identity(*(g.removeprefix("dance.") for g in self.stages.infos)),
            "weights": self.stages.weights(),
            "landmarks": digest(np.zeros(0) if f is None else f for f in self.made.landmarks),
        }

    def __call__(self, frame: Frame) -> Frame:
        return self.stages.backend.refine(self.person, frame, self.made.landmarks[frame.index])


def _write(
    ask: Recomposition, entry: Entry, video: VideoStream, plate: Plate,
    refiner: _Refiner | None, progress: Progress,
) -> None:  # fmt: skip
    """The composed frames with their sound, what an earlier run has left over used again."""
    size = video.width, video.height
    with PartWriter(ask.out, video.fps, size, video.count, False, entry.path / "frames") as writer:
        missing = writer.missing()
        done = video.count - sum(len(span) for span in missing)
        with progress.stage("composite", video.count, done) as step:
            for span in missing:
                for index, rgba in _foreground(video, span):
                    frame = _composed(rgba, plate, index)
                    writer.write((refiner(frame) if refiner else frame).rgb, index)
                    step()
        sound = AudioSource(ask.foreground, None, None)
        writer.finish(
            sound if ask.audio and video.info.has_audio else None, provenance.container_tags()
        )


def _key(ask: Recomposition, refiner: _Refiner | None) -> dict[str, object]:
    """Everything the output's frames depend on."""
    return {
        "foreground": sha256_of(ask.foreground),
        "background": plate_key(ask.background),
        "photo": sha256_of(ask.photo) if ask.photo else None,
        "refined": refiner.key() if refiner else None,
        "device": ask.device,
        "format": ask.out.suffix,
    }


def _foreground(video: VideoStream, span: range) -> Iterator[tuple[int, UInt8Array]]:
    frames = video.frames_rgba(span.start, span.stop)
    yield from zip(span, islice(frames, len(span)), strict=False)


def _composed(rgba: UInt8Array, plate: Plate, index: int) -> Frame:
    return Frame(compose_rgba(rgba, plate.frame(index)), index)


def _refiner(ask: Recomposition, made: Made | None, work: WorkDir, frames: int) -> _Refiner | None:
    """The backend's refine step on a composed frame; None where it has none or no photo."""
    if ask.photo is None or made is None:
        return None
    plugins = {group: DEFAULTS[group] for group in LOOKS}
    job = Job(
        ask.photo, ask.foreground, ask.out, {**plugins, BACKEND: ask.backend or made.backend},
        device=ask.device, weights=ask.weights, licence=ask.licence,
    )  # fmt: skip
    stages = Stages(job)
    stages.refuse_forbidden()
    if not stages.backend.refines:
        return None
    if len(made.landmarks) != frames:
        gif = ask.foreground.suffix.lower() == ".gif" and frames < len(made.landmarks)
        why = ", or had more than the 50 a second that a GIF holds (save a .mov)" if gif else ""
        raise MediaError(
            f"the sidecar of {named(ask.foreground)} is of {len(made.landmarks)} frames, it has "
            f"{frames}: it was changed since{why}; leave out --photo to composite without refining "
            "faces"
        )
    return _Refiner(stages, stages.backend.prepare(understand(job, stages, work)), made)


def _write_sidecar(
    ask: Recomposition, background: Path | None, made: Made | None, refiner: _Refiner | None
) -> None:
    """What made the foreground, and what refined its face, under the terms of both."""
    inputs = {"foreground": ask.foreground, "background": background}
    plugins, extra = list(made.plugins) if made else [], {}
    if made:
        extra["weights"] = made.weights
    if refiner:
        inputs["photo"] = ask.photo
        described = refiner.stages.describe()
        plugins += [plugin for plugin in described if plugin not in plugins]
        extra["refined"] = {
            "backend": refiner.stages.infos[BACKEND].name, "weights": refiner.stages.weights()
        }  # fmt: skip
    provenance.write_sidecar(
        ask.out, inputs={role: path for role, path in inputs.items() if path is not None},
        options={"background": background.name if background else ask.background},
        plugins=plugins, seed=made.seed if made else 0, licences=made.licences if made else (),
        **extra,
    )  # fmt: skip
