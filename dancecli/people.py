"""`--list-people`: a picture of the photo and of the video's first people, with their numbers."""

from __future__ import annotations

from itertools import islice

import numpy as np

from dancecli.drawing import number_people
from dancecli.errors import NoPersonError, UsageError
from dancecli.job import PHOTO_SIDE, Job
from dancecli.media import VideoStream, check_output, read_photo, write_png
from dancecli.motion import left_to_right
from dancecli.stages import PoseExtractor
from dancecli.steps.driver import VIDEO_SIDE
from dancecli.steps.photo import fitted
from dancecli.steps.stages import Stages
from dancecli.types import Frame, Skeleton, UInt8Array

HEIGHT = 720
"""Pixels of the written picture."""

LOOKS = 300
"""Frames of the video that are looked at before giving up."""


def number(job: Job) -> dict[str, int]:
    """Write the numbered picture to the job's `out`; returns how many people photo and video show.

    The numbers are what --photo-person and --person take, counted from the left, with the same
    --start and --end.
    Raises NoPersonError when there is nobody in either, UsageError where `out` is no .png,
    LicenceError for a pose extractor that --licence forbids.
    """
    photo, video, out = job.photo, job.video, job.out
    if out.suffix.lower() != ".png":
        raise UsageError(f"-o {out}: the picture of --list-people is a .png")
    check_output(out, job.force, inputs=(photo, video))
    extractor = Stages(job).pose
    still = fitted(read_photo(photo), PHOTO_SIDE)
    in_photo = left_to_right(extractor.extract(still))
    clip = VideoStream(video, job.start, job.end, max_side=VIDEO_SIDE)
    moving, in_video = _first_people(clip, extractor)
    if not in_photo and not in_video:
        raise NoPersonError(f"nobody found in {photo.name}, nor in {video.name}")
    panels = [number_people(still.rgb, in_photo), number_people(moving.rgb, in_video)]
    write_png(out, np.concatenate([_scaled(panel) for panel in panels], axis=1))
    return {"photo_people": len(in_photo), "video_people": len(in_video)}


def _first_people(video: VideoStream, pose: PoseExtractor) -> tuple[Frame, list[Skeleton]]:
    """The first frame with anybody, which is where a dancer is chosen by number."""
    first = None
    for frame in islice(video.frames(), LOOKS):
        first = first or frame
        if found := pose.extract(frame):
            return frame, left_to_right(found)
    assert first is not None  # a video has one frame at least
    return first, []


def _scaled(rgb: UInt8Array) -> UInt8Array:
    import cv2

    height, width = rgb.shape[:2]
    size = (max(1, round(width * HEIGHT / height)), HEIGHT)
    scaled: UInt8Array = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return scaled
