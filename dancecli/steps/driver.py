"""Who dances in the video: one person followed through the clip (OP of equation 2)."""

from __future__ import annotations

import logging
from dataclasses import replace

from dancecli import cores
from dancecli.errors import CacheError, UsageError
from dancecli.job import PREVIEW_FRAMES, PREVIEW_SIDE, Job
from dancecli.media import VideoStream, sha256_of
from dancecli.motion import (
    Closer,
    Observation,
    Track,
    Tracker,
    build_track,
    follow_in_pieces,
    read_poses,
    scaled,
    write_poses,
)
from dancecli.motion.pieces import PIECE
from dancecli.overlap import prefetched
from dancecli.progress import Progress
from dancecli.stages import PoseExtractor
from dancecli.steps.stages import Stages
from dancecli.workdir import Entry, Journal, WorkDir

logger = logging.getLogger(__name__)

VIDEO_SIDE = 1280
"""Pixels of the video's longest side that stages work on; larger videos are scaled down."""


GLIMPSES = 24
"""Frames that are looked at closer before a whole video is, which takes several times as long."""

FOLLOWERS = 4
"""Threads that follow by default: each has some 300 MB of frames and models of its own."""


def open_driver(job: Job) -> VideoStream:
    """The driving video as asked for: trimmed, and thinned out for a preview.

    Raises MediaError for an unreadable video.
    """
    if not job.preview:
        return VideoStream(job.video, job.start, job.end, max_side=VIDEO_SIDE)
    whole = VideoStream(job.video, job.start, job.end)
    fps = whole.fps / max(1, round(whole.count / PREVIEW_FRAMES))
    return VideoStream(job.video, job.start, job.end, fps=fps, max_side=PREVIEW_SIDE)


def follow(
    job: Job, video: VideoStream, stages: Stages, work: WorkDir, progress: Progress
) -> Track:
    """The dancer's smoothed, gapless poses, from the work directory as far as they are there.

    They are written to --poses if that is asked for. Raises NoPersonError when nobody dances.
    """
    size = video.width, video.height
    # Not by a name: what was observed is let go of while the track is built.
    track = build_track(_dancer(job, video, stages, work, progress), video.fps, size, job.smooth)
    if job.poses:
        write_poses(job.poses, track)
    return track


def given_track(job: Job, video: VideoStream) -> Track | None:
    """The poses of --poses, None where they are still to be found.

    They may be of the same clip at another size. Raises UsageError for a file of another clip,
    MediaError for one that is damaged.
    """
    poses = job.poses
    if poses is None or not poses.exists():
        return None
    filmed = video.info.width, video.info.height
    track = read_poses(poses, fps=video.fps, size=filmed)
    if len(track) != video.count:
        raise UsageError(
            f"--poses {poses}: it has {len(track)} frames, the video as asked for {video.count}; "
            "give the same --start and --end as when it was written, or another file"
        )
    fitted = scaled(track, (video.width, video.height))
    if fitted is None:
        raise UsageError(
            f"--poses {poses}: their pictures have {track.size[0]}x{track.size[1]} pixels, the "
            f"video's {filmed[0]}x{filmed[1]}, which is another shape; give this video's poses"
        )
    return replace(fitted, fps=video.fps)


def driver_key(job: Job, video: VideoStream, stages: Stages) -> dict[str, object]:
    """Everything the observations depend on."""
    return {
        "video": sha256_of(job.video),
        "start": job.start,
        "end": job.end,
        "fps": str(video.fps),
        "size": [video.width, video.height],
        "person": job.person,
        "plugins": stages.identity("pose"),
        "drift": True,
    }


def observe(
    job: Job, video: VideoStream, stages: Stages, work: WorkDir, progress: Progress
) -> list[Observation]:
    """One observation per frame; those of an earlier, stopped run are not made again."""
    key = driver_key(job, video, stages)
    return _observed(job, video, stages.pose, work.entry("driver", key), progress)


def _dancer(
    job: Job, video: VideoStream, stages: Stages, work: WorkDir, progress: Progress
) -> list[Observation]:
    """As `observe`; where nobody is seen, some frames are looked at closer, if it helps all."""
    seen, closer = observe(job, video, stages, work, progress), Closer(stages.pose)
    if any(observation.skeleton for observation in seen) or not _glimpsed(video, closer):
        return seen
    progress.say("nobody was found: looking closer, for parts of a person and far away")
    entry = work.entry("driver", {**driver_key(job, video, stages), "closer": True})
    return _observed(job, video, closer, entry, progress)


def _glimpsed(video: VideoStream, pose: PoseExtractor) -> bool:
    """Whether any of `GLIMPSES` frames, evenly spread, shows somebody."""
    step = max(1, video.count // GLIMPSES)
    return any(
        pose.extract(frame)
        for number in range(0, video.count, step)
        for frame in video.frames(number, number + 1)
    )


def _observed(
    job: Job, video: VideoStream, pose: PoseExtractor, entry: Entry, progress: Progress
) -> list[Observation]:
    with entry.locked():
        journal = entry.journal()
        known = _known(journal)[: video.count]
        if len(known) < video.count:
            # Whole pieces, as they were written: what damage left of one is followed anew.
            known = known[: len(known) // PIECE * PIECE]
            journal.cut(len(known))
            known = _watch(job, video, pose, journal, known, progress)
        return known


def _known(journal: Journal) -> list[Observation]:
    try:
        return [Observation.from_json(record) for record in journal.read()]
    except CacheError as error:
        logger.warning("%s", error)
        journal.path.unlink()
        return []


def _watch(
    job: Job,
    video: VideoStream,
    pose: PoseExtractor,
    journal: Journal,
    known: list[Observation],
    progress: Progress,
) -> list[Observation]:
    """Adds to the journal piece by piece: a kill costs those that were being looked at."""
    tracker = Tracker(pose, job.person, (video.width, video.height), drift=True)
    frames, seen = prefetched(video.frames(max(0, len(known) - 1))), list(known)
    threads = job.threads or min(FOLLOWERS, cores.threads())
    with progress.stage("pose", video.count, len(known)) as step:
        for found in follow_in_pieces(tracker, frames, known, threads):
            journal.append([observation.to_json() for observation in found])
            seen.extend(found)
            for _ in found:
                step()
    return seen
