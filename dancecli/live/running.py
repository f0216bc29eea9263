"""Camera, pose and painting side by side, each taking the newest there is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dancecli.live.camera import begun
from dancecli.live.newest import Newest
from dancecli.live.screens import Screen
from dancecli.live.stage import LiveStage, Moment
from dancecli.motion import Tracker
from dancecli.progress import LINE_EVERY, Progress
from dancecli.types import Frame, UInt8Array

RECENT = 100_000
"""Latencies that the percentiles are taken of: the last hour at 25 frames per second."""

PATIENCE = 5.0
"""Seconds that a thread has to end."""


@dataclass
class Watch:
    """How a session goes. frames: that the camera gave. unseen: of which nobody was followed yet.

    latencies: seconds from the camera to the screen, of the last frames shown.
    """

    frames: int = 0
    unseen: int = 0
    shown: int = 0
    dropped: int = 0
    began: float = field(default_factory=time.monotonic)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; latencies in milliseconds, None before anything was shown."""
        seconds = time.monotonic() - self.began
        p50, p95 = (self._percentile(q) for q in (50, 95))
        return {
            "frames": self.frames, "shown": self.shown, "dropped": self.dropped,
            "unseen": self.unseen, "seconds": round(seconds, 2),
            "per_second": round(self.shown / max(seconds, 1e-6), 2),
            "latency_ms": {"p50": p50, "p95": p95},
        }  # fmt: skip

    def as_text(self) -> str:
        """For people."""
        told = self.as_dict()
        late = told["latency_ms"]
        latency = f"latency {late['p50']} ms (p50), {late['p95']} ms (p95)" if self.shown else ""
        return (
            f"{told['shown']} of {told['frames']} frames shown, {told['per_second']}/s, "
            f"{told['dropped']} dropped, {told['unseen']} without a dancer; {latency}".rstrip("; ")
        )

    def _percentile(self, q: float) -> float | None:
        if not self.latencies:
            return None
        return round(1000 * float(np.percentile(np.array(self.latencies), q)), 1)


class Session:
    """One dancer before one camera. `run` it once; `watch` tells how it went."""

    def __init__(self, stage: LiveStage, person: str, progress: Progress) -> None:
        """person: whom to follow, as --person."""
        self.stage, self.progress = stage, progress
        self.watch = Watch()
        self._tracker, self._motion = Tracker(stage.stages.pose, person), stage.motion()
        self._shots, self._moments = Newest[tuple[float, Frame]](), Newest[tuple[float, Moment]]()

    def run(
        self, frames: Iterator[Frame], screens: Sequence[Screen], seconds: float | None = None
    ) -> None:
        """Until the camera ends, nobody looks any more, or `seconds` are over.

        Raises what the camera and the stages raise.
        """
        resting = self._warm()
        frames = begun(frames)  # where there is no camera, no screen is opened
        with ExitStack() as stack:
            for screen in screens:
                stack.enter_context(screen)
                screen.show(resting)
            self.watch = Watch()
            threads = [
                self._shots.filled_by(self._counted(frames, seconds)),
                self._moments.filled_by(self._followed()),
            ]
            try:
                self._show(screens)
            finally:
                self._shots.close()
                self._moments.close()
                for thread in threads:
                    thread.join(PATIENCE)
                self._count_dropped()

    def _warm(self) -> UInt8Array:
        """The target at rest, after loading all that the first frame would wait for."""
        self.stage.stages.pose.extract(self.stage.target.frame)
        return self.stage.at_rest()

    def _counted(
        self, frames: Iterator[Frame], seconds: float | None
    ) -> Iterator[tuple[float, Frame]]:
        for frame in frames:
            now = time.monotonic()
            if seconds is not None and now - self.watch.began > seconds:
                return
            self.watch.frames += 1
            yield now, frame

    def _followed(self) -> Iterator[tuple[float, Moment]]:
        """The dancer in each frame that was taken; a frame before anybody is seen shows nothing."""
        for taken, frame in self._shots:
            dancer = self._tracker.step(frame).skeleton
            skeleton = self._motion.step(dancer, frame.time)
            if skeleton is None:
                self.watch.unseen += 1
            else:
                yield taken, Moment(frame, dancer or skeleton, skeleton)

    def _show(self, screens: Sequence[Screen]) -> None:
        told = time.monotonic()
        for taken, moment in self._moments:
            rgb = self.stage.paint(moment)
            if not all(screen.show(rgb) for screen in screens):
                return
            now = time.monotonic()
            self.watch.shown += 1
            self.watch.latencies.append(now - taken)
            if now - told > LINE_EVERY:
                told = now
                self._count_dropped()
                self.progress.report(self.watch.as_text(), event="live", **self.watch.as_dict())

    def _count_dropped(self) -> None:
        self.watch.dropped = self._shots.dropped + self._moments.dropped
