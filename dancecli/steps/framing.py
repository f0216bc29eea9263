"""Which part of the photo or of the video an output of another shape shows."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from dancecli.composite import Placement, cover, place_cut_off, place_within, reach, shown
from dancecli.composite.size import Size
from dancecli.job import Job
from dancecli.media import VideoStream
from dancecli.motion import Track
from dancecli.motion.body import FOOT, height_of
from dancecli.motion.placing import place_of
from dancecli.motion.proportions import of_target
from dancecli.plate import parse_background
from dancecli.types import Box, Skeleton, Target

logger = logging.getLogger(__name__)

FEW = 0.9
"""Share of the photo's person below which an output is said to cut somebody."""

ABOVE = 0.15
"""Body heights above the ground at which a silhouette ends that lacks more than the feet."""

FEET = tuple(f"{side}_{part}" for side in ("left", "right") for part in FOOT)


def framing(job: Job, target: Target, video: VideoStream, track: Track, size: Size) -> Placement:
    """How the photo, or the driving video, lies in an output of `size`: its person in view.

    Where --place says where the dance is, it is centred.
    """
    if parse_background(job.background).kind == "driving":
        return _framed(job, (video.width, video.height), size, track.skeletons)
    return photo_framing(job, target, size)


def photo_framing(job: Job, target: Target, size: Size) -> Placement:
    """The same where the video is not seen."""
    photo = target.frame.width, target.frame.height
    if in_photo(job, target) and parse_background(job.background).kind != "photo":
        return place_cut_off(photo, size, target.skeleton, lowest_row(target))
    return _framed(job, photo, size, [target.skeleton])


def in_photo(job: Job, target: Target) -> bool:
    """Whether the dance keeps to the photo's frame: before its own ground, and before any other
    but the video where the photo shows no legs. A portrait is cut off where it was.
    """
    kind = parse_background(job.background).kind
    if job.place is not None or kind == "driving":
        return False
    return kind == "photo" or ends_above_ground(target)


def ends_above_ground(target: Target) -> bool:
    """Whether no foot is seen and the silhouette ends well above where the ground must be."""
    if any(target.skeleton.seen(name) for name in FEET):
        return False
    body = of_target(target.skeleton)
    frame = Box(0, 0, target.frame.width, target.frame.height)
    ground = place_of(target.skeleton, frame, body).y
    return lowest_row(target) < ground - ABOVE * body.height


def lowest_row(target: Target) -> float:
    """Where the silhouette ends, photo pixels."""
    rows = np.flatnonzero((target.mask.alpha > 0.5).any(1))
    return float(rows[-1] + 1) if len(rows) else float(target.frame.height)


def _framed(job: Job, picture: Size, size: Size, people: Sequence[Skeleton]) -> Placement:
    """The same for a picture of that size that shows these people."""
    if job.place is not None:
        return cover(picture, size)
    return place_within(picture, size, people)


def tell_cut(target: Target, fit: Placement, size: Size) -> None:
    """Says so where the output is too flat for the photo's person, and what to do."""
    person = reach([target.skeleton], height_of(target.skeleton))
    person = person.clipped(target.frame.width, target.frame.height)
    view = shown(fit, size)
    share = (min(person.bottom, view.bottom) - max(person.top, view.top)) / max(person.height, 1)
    if share < FEW:
        logger.warning(
            "an output of %dx%d shows %.0f%% of the person's height: for more, use --size photo, "
            "or --place 0.5,0.92,0.75",
            *size, 100 * share,
        )  # fmt: skip
