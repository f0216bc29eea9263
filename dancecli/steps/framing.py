"""Which part of the photo or of the video an output of another shape shows."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from dancecli.composite import Placement, cover, place_within, reach, shown
from dancecli.job import Job
from dancecli.media import VideoStream
from dancecli.motion import Track
from dancecli.motion.body import height_of
from dancecli.plate import parse_background
from dancecli.types import Skeleton, Target

logger = logging.getLogger(__name__)

FEW = 0.9
"""Share of the photo's person below which an output is said to cut somebody."""

Size = tuple[int, int]
"""(width, height) in pixels."""


def framing(job: Job, target: Target, video: VideoStream, track: Track, size: Size) -> Placement:
    """How the photo, or the driving video, lies in an output of `size`: its person in view.

    Where --place says where the dance is, it is centred.
    """
    if parse_background(job.background).kind == "driving":
        return framed(job, (video.width, video.height), size, track.skeletons)
    return framed(job, (target.frame.width, target.frame.height), size, [target.skeleton])


def framed(job: Job, picture: Size, size: Size, people: Sequence[Skeleton]) -> Placement:
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
