"""`dance composite`: equation 7 again, with a saved foreground and another plate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
from dancecli.steps.background import given_plate, plate_key
from dancecli.steps.photo import understand
from dancecli.steps.stages import Stages
from dancecli.types import FloatArray, Frame, UInt8Array
from dancecli.workdir import Entry, WorkDir

SIDECAR_LIMIT = 200_000_000
"""Bytes of a foreground's sidecar beyond which it is not one of ours."""

Landmarks = list["FloatArray | None"]


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

    Raises UsageError for a background that needs the original inputs, MediaError for files that
    cannot be used.
    """
    spec = parse_background(ask.background)
    if spec.kind in ("photo", "driving"):
        raise UsageError(
            f"--background {ask.background}: a saved foreground takes a colour, picture or video; "
            f"for {ask.background} run: dance reenact PHOTO VIDEO --background {ask.background}"
        )
    check_output(ask.out, ask.force, (ask.foreground, *([spec.path] if spec.path else [])))
    video = VideoStream(ask.foreground)
    size = (video.width, video.height)
    plate = given_plate(spec, video, size)
    refined = _refiner(ask, work, video.count)
    entry = work.entry("composite", _key(ask))
    with entry.locked():
        _write(ask, entry, video, plate, refined, progress)
        entry.remove()
    _write_sidecar(ask, spec.path)
    return {"out": str(ask.out), "frames": video.count, "width": size[0], "height": size[1]}


def _write(
    ask: Recomposition, entry: Entry, video: VideoStream, plate: Plate,
    refined: Callable[[Frame], Frame], progress: Progress,
) -> None:  # fmt: skip
    """The composed frames with their sound, what an earlier run has left over used again."""
    size = video.width, video.height
    with (
        PartWriter(ask.out, video.fps, size, video.count, False, entry.path / "frames") as writer,
        progress.stage("composite", video.count) as step,
    ):
        for span in writer.missing():
            for index, rgba in _foreground(video, span):
                writer.write(refined(_composed(rgba, plate, index)).rgb, index)
                step()
        sound = AudioSource(ask.foreground, None, None)
        writer.finish(
            sound if ask.audio and video.info.has_audio else None, provenance.container_tags()
        )


def _key(ask: Recomposition) -> dict[str, object]:
    return {
        "foreground": sha256_of(ask.foreground),
        "background": plate_key(ask.background),
        "photo": sha256_of(ask.photo) if ask.photo else None,
        "backend": [ask.backend, ask.weights],
        "format": ask.out.suffix,
    }


def _foreground(video: VideoStream, span: range) -> Iterator[tuple[int, UInt8Array]]:
    frames = video.frames_rgba(span.start, span.stop)
    yield from zip(span, islice(frames, len(span)), strict=False)


def _composed(rgba: UInt8Array, plate: Plate, index: int) -> Frame:
    return Frame(compose_rgba(rgba, plate.frame(index)), index)


def _refiner(ask: Recomposition, work: WorkDir, frames: int) -> Any:
    """The backend's refine step on a composed frame; nothing where it has none or no photo."""
    about = read_sidecar(ask.foreground)
    if ask.photo is None or about is None:
        return lambda frame: frame
    backend_name = ask.backend or about["backend"]
    job = Job(
        ask.photo, ask.foreground, ask.out, device=ask.device, weights=ask.weights,
        licence=ask.licence,
    )  # fmt: skip
    job.plugins["dance.backend"] = backend_name
    stages = Stages(job)
    if not stages.backend.refines:
        return lambda frame: frame
    person = stages.backend.prepare(understand(job, stages, work))
    landmarks: Landmarks = about["landmarks"]
    if len(landmarks) != frames:
        raise MediaError(
            f"the sidecar of {named(ask.foreground)} is of {len(landmarks)} frames, it has "
            f"{frames}: it was changed since; leave out --photo to composite without refining faces"
        )
    return lambda frame: stages.backend.refine(person, frame, landmarks[frame.index])


def read_sidecar(foreground: Path) -> dict[str, Any] | None:
    """Backend name and face landmarks (float32 (70, 3) per frame, or None) saved beside it.

    Raises MediaError for a sidecar that is not one of ours.
    """
    path = foreground.with_name(f"{foreground.name}.json")
    if not path.exists():
        return None
    try:
        if path.stat().st_size > SIDECAR_LIMIT:
            raise ValueError("it is too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        landmarks = [_points(points) for points in data["landmarks"]]
        named = [p["name"] for p in data["plugins"] if p["group"] == "dance.backend"]
        return {"backend": str(named[0]), "landmarks": landmarks}
    except (
        OSError, ValueError, KeyError, TypeError, IndexError, RecursionError,
    ) as error:  # fmt: skip
        raise MediaError(
            f"{path.name} is not the sidecar of a saved foreground ({error}); "
            "remove it to composite without refining the face"
        ) from error


def _points(values: Any) -> FloatArray | None:
    if values is None:
        return None
    points = np.array(values, np.float32)
    if points.shape != (70, 3) or not np.isfinite(points).all():
        raise ValueError(f"landmarks of shape {points.shape}")
    return points


def _write_sidecar(ask: Recomposition, background: Path | None) -> None:
    inputs = {"foreground": ask.foreground}
    if background is not None:
        inputs["background"] = background
    options = {"background": background.name if background else ask.background}
    provenance.write_sidecar(ask.out, inputs=inputs, options=options, plugins=[], seed=0)
