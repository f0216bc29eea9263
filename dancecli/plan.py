"""`--dry-run`: what a run would do, without doing it."""

from __future__ import annotations

from typing import Any

from dancecli.job import Job
from dancecli.media import read_photo
from dancecli.steps.background import frame_size
from dancecli.steps.driver import driver_key, given_track, open_driver
from dancecli.steps.output import check_outputs
from dancecli.steps.stages import Stages
from dancecli.workdir import WorkDir


def draw_up(job: Job, work: WorkDir) -> dict[str, Any]:
    """The plan as JSON values; every input and option is checked as a run would check it."""
    check_outputs(job)
    stages, video, photo = Stages(job), open_driver(job), read_photo(job.photo)
    stages.refuse_forbidden()
    driving = (video.width, video.height)
    still = (photo.width, photo.height)
    size = frame_size(job, still, driving)
    stages.settle()
    given = given_track(job, video)
    entry = work.entry("driver", driver_key(job, video, stages))
    known = len(entry.journal().read(False) if given is None else given)
    return {
        "photo": {"path": str(job.photo), "width": photo.width, "height": photo.height},
        "video": {
            "path": str(job.video), "width": video.info.width, "height": video.info.height,
            "seconds": round(video.count / float(video.fps), 3), "audio": video.info.has_audio,
        },
        "out": {
            "path": str(job.out), "width": size[0], "height": size[1], "fps": str(video.fps),
            "frames": video.count, "audio": job.audio and video.info.has_audio,
        },
        "background": job.background,
        "plugins": {group: info.asked for group, info in stages.infos.items()},
        "device": ",".join(job.devices) or job.device,
        "poses_known": min(known, video.count),
        "work_dir": str(work.root),
    }  # fmt: skip


def as_text(plan: dict[str, Any]) -> str:
    """The plan for people."""
    photo, video, out = plan["photo"], plan["video"], plan["out"]
    plugins = ", ".join(f"{g.removeprefix('dance.')} {n}" for g, n in plan["plugins"].items())
    sound = "sound kept" if out["audio"] else "no sound"
    return "\n".join(
        (
            f"photo       {photo['path']}  {photo['width']}x{photo['height']}",
            f"video       {video['path']}  {video['width']}x{video['height']}, "
            f"{video['seconds']} s",
            f"out         {out['path']}  {out['width']}x{out['height']}, {out['frames']} frames "
            f"at {out['fps']}/s, {sound}",
            f"background  {plan['background']}",
            f"plugins     {plugins}",
            f"device      {plan['device']}",
            f"poses       {plan['poses_known']} of {out['frames']} frames known from before",
            f"work dir    {plan['work_dir']}",
        )
    )
