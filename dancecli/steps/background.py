"""What the person dances in front of: b of equation 7."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from dancecli.composite import Placement, output_size
from dancecli.composite.size import Size, even_size
from dancecli.errors import NoPersonError
from dancecli.job import PREVIEW_SIDE, Job
from dancecli.media import VideoStream, probe, read_photo, sha256_of
from dancecli.motion import State, Track
from dancecli.motion.body import height_of
from dancecli.motion.people import middle, same_person
from dancecli.plate import (
    WIDE,
    BackgroundSpec,
    DrivingPlate,
    Plate,
    StillPlate,
    VideoPlate,
    body_region,
    colour_plate,
    parse_background,
    person_hole,
)
from dancecli.steps.framing import framing
from dancecli.steps.photo import bystanders, photo_key
from dancecli.steps.stages import Stages
from dancecli.types import FloatArray, Frame, Skeleton, Target, UInt8Array
from dancecli.workdir import WorkDir

ROUGHLY = 0.25, 2.0
"""Body heights and factor within which somebody found is the dancer of the smoothed track."""

FILLING = 2
"""Raised when the same plugins are asked for another filling of the same photo."""


def plate_key(background: str) -> list[object]:
    """What a plate shows, for cache keys: files by their content."""
    spec = parse_background(background)
    content = sha256_of(spec.path) if spec.path else None
    return [spec.kind, spec.colour, content]


def frame_size(job: Job, photo: Size, driving: Size) -> Size:
    """(width, height) of the output: --size, else the plate's own, small for a preview.

    photo, driving: sizes of the two inputs. Raises UsageError for a size that is none.
    """
    plate = natural_size(parse_background(job.background), photo, driving)
    size = output_size(job.size, plate, photo, driving)
    return even_size(size, PREVIEW_SIDE) if job.preview else size


def check_background(job: Job, driving: Size) -> None:
    """Raises what `frame_size` and the background's file would after minutes of poses."""
    frame_size(job, driving, driving)  # whatever the photo's size is, the same can be wrong


def natural_size(spec: BackgroundSpec, photo: Size, driving: Size) -> Size | None:
    """The plate's own size; None for a colour, which has none."""
    if spec.kind == "photo":
        return photo
    if spec.kind == "driving":
        return driving
    if spec.path is None:
        return None
    if spec.kind == "image":
        picture = read_photo(spec.path, "background")
        return picture.width, picture.height
    info = probe(spec.path)
    return info.width, info.height


def make_plate(
    job: Job, target: Target, video: VideoStream, track: Track, stages: Stages, work: WorkDir
) -> Plate:
    """The plate of the job, at the output's size."""
    photo = (target.frame.width, target.frame.height)
    size = frame_size(job, photo, (video.width, video.height))
    spec = parse_background(job.background)
    fit = framing(job, target, video, track, size)
    if spec.kind == "photo":
        return StillPlate(empty_photo(job, target, stages, work).rgb, size, fit)
    if spec.kind == "driving":
        return _driving(video, track, stages, size, fit)
    return given_plate(spec, video, size)


def given_plate(spec: BackgroundSpec, timing: VideoStream, size: Size) -> Plate:
    """A plate that needs neither photo nor dancer: a colour, a picture or a video.

    timing: the stream whose frame rate the output has.
    """
    if spec.colour is not None:
        return colour_plate(spec.colour, size)
    assert spec.path is not None
    if spec.kind == "image":
        return StillPlate(read_photo(spec.path, "background").rgb, size)
    return VideoPlate(VideoStream(spec.path, fps=timing.fps), size)


def empty_photo(job: Job, target: Target, stages: Stages, work: WorkDir) -> Frame:
    """The photo without its person, inpainted once and kept."""
    key = {**photo_key(job, stages), "inpaint": stages.identity("inpaint"), "filling": FILLING}
    entry = work.entry("plate", key)
    with entry.locked():
        stored = entry.load("photo")
        if stored is not None:
            return Frame(stored["rgb"])
        rgb = _emptied(target, bystanders(job, target, stages, work), stages)
        entry.save("photo", {"rgb": rgb})
        return Frame(rgb)


def _emptied(target: Target, others: FloatArray | None, stages: Stages) -> UInt8Array:
    """The photo with its person painted out from behind the others, who are no background to
    copy from and stay."""
    frame, hole = target.frame, person_hole(target.mask.alpha, WIDE)
    if others is None:
        return stages.inpaint.inpaint(frame, hole).rgb
    behind = stages.inpaint.inpaint(frame, np.maximum(hole, person_hole(others))).rgb
    shown = np.where(hole > 0, others * (1 - target.mask.alpha), 1)[..., None]
    return np.asarray(np.rint(behind + shown * (frame.rgb.astype(np.float32) - behind)), np.uint8)


def _driving(video: VideoStream, track: Track, stages: Stages, size: Size, fit: Placement) -> Plate:
    def dancer(frame: Frame) -> FloatArray:
        """Alpha of the dancer; where the track only guesses, the drawn body joins the mask."""
        index = min(frame.index, len(track) - 1)
        skeleton = track.skeletons[index]
        alpha = stages.mask.mask(frame, skeleton).alpha
        if track.state[index] == State.SEEN:
            return alpha
        shape = (frame.height, frame.width)
        guessed = body_region(skeleton, shape, height_of(skeleton))
        return np.maximum(alpha, guessed.astype(np.float32) / 255)

    def people(frame: Frame) -> tuple[FloatArray, bool]:
        """Alpha of everybody found, and whether somebody else is among them."""
        found = stages.pose.extract(frame)
        own = track.skeletons[min(frame.index, len(track) - 1)]
        alphas = []
        for each in found:
            with suppress(NoPersonError):  # somebody whom the mask does not find hides little
                alphas.append(stages.mask.mask(frame, each).alpha)
        together: FloatArray = np.max([dancer(frame), *alphas], axis=0)
        return together, bool(others(found, own))

    cameras = list(track.camera)
    return DrivingPlate(video, cameras, track.cuts, dancer, stages.inpaint, size, people, fit)


def others(found: Sequence[Skeleton], dancer: Skeleton) -> list[Skeleton]:
    """The people found in a frame but the one who is likeliest the dancer, if anybody can be."""

    def away(person: Skeleton) -> float:
        return float(np.linalg.norm(middle(person) - middle(dancer)))

    likeliest = min(found, key=away, default=None)
    if not same_person(likeliest, dancer, *ROUGHLY):
        return list(found)
    return [person for person in found if person is not likeliest]
