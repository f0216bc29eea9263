"""All jobs of a batch: in this process, in several, or on a Ray cluster."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dancecli.batch.checking import check_outputs
from dancecli.batch.doing import Done, Worker, do
from dancecli.batch.orders import Order
from dancecli.batch.planning import Step, next_of, sharing
from dancecli.batch.state import State
from dancecli.progress import MESSAGES, Progress
from dancecli.workdir import WorkDir
from dancecli.workers.cluster import run_ray
from dancecli.workers.processes import run_processes
from dancecli.workers.queue import Failure, Queue

logger = logging.getLogger(__name__)

Ran = Generator[tuple[Order, Done | Failure], None, None]


@dataclass
class Summary:
    """What became of a batch. jobs: one record per row, in the table's order."""

    state: Path
    seconds: float = 0.0
    jobs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Those that failed, now or before."""
        return [job for job in self.jobs if job["status"] == "failed"]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts = {
            status: sum(job["status"] == status for job in self.jobs)
            for status in ("done", "kept", "failed")
        }
        return {**counts, "seconds": round(self.seconds, 2), "state": str(self.state),
                "jobs": self.jobs}  # fmt: skip


def run(
    steps: Sequence[Step], state: State, root: Path | None, workers: int, ray: str | None,
    progress: Progress,
) -> Summary:  # fmt: skip
    """Do what the plan says; failures are recorded and stop nothing.

    root: of the work directory. workers: processes; with 1, all is done in this one. ray: address
    of a Ray cluster, or "local"; workers then bounds the jobs at a time (1: as many as it has
    processors). Raises UsageError without Ray or its cluster, MediaError when the state cannot be
    written.
    """
    began = time.monotonic()
    told = {step.order.number: _before(step) for step in steps}
    jobs = _Jobs(steps, state, progress)
    with closing(_runner(jobs, root, workers, ray, progress)) as runner:
        for order, made in runner:
            told[order.number] = jobs.finish(order, made)
    return Summary(state.path, time.monotonic() - began, [told[number] for number in sorted(told)])


def _runner(
    jobs: _Jobs, root: Path | None, workers: int, ray: str | None, progress: Progress
) -> Ran:
    worker = Worker(root, MESSAGES.as_json)
    if ray and jobs.waiting:
        return run_ray(worker, jobs, ray, workers if workers > 1 else 0)
    if workers > 1 and len(jobs.waiting) > 1:
        return run_processes(worker, jobs, workers)
    return _here(jobs, WorkDir(root), progress)


def _here(jobs: _Jobs, work: WorkDir, progress: Progress) -> Ran:
    while jobs.waiting:
        order, refused = jobs.take(())
        if refused:
            yield order, refused
            continue
        made: Done | Failure
        try:
            made = do(order, work, progress)
        except Exception as error:
            made = Failure.of(error)
        yield order, made


class _Jobs(Queue[Order]):
    """The rows that are to run, and what is said and written down about them."""

    def __init__(self, steps: Sequence[Step], state: State, progress: Progress) -> None:
        todo = sharing([step.order for step in steps if step.status == "run"])
        super().__init__(todo, progress.say)
        self.ours = {step.order.number for step in steps if step.ours}
        self.state, self.progress = state, progress
        self.seen: set[str] = set()
        self.total, self.count = len(todo), 0
        self.began: dict[int, float] = {}

    def choose(self, busy: Collection[Order]) -> int:
        return next_of(self.waiting, busy, self.seen)

    def begin(self, order: Order) -> None:
        """Raises DanceError where a file has appeared at an output since the rows were checked."""
        check_outputs(order, order.number in self.ours)
        self.state.begun(order)
        self.ours.add(order.number)
        self.began[order.number] = time.monotonic()
        out = order.place("out")
        text = f"{order.name}: {order.job.photo.name} dances {order.job.video.name}"
        self._report(order, text, status="begun", out=out)

    def finish(self, order: Order, made: Done | Failure) -> dict[str, Any]:
        """Write down and tell how a job ended; returns its record for the summary."""
        self.count += 1
        self.seen.add(order.place("video") or "")
        seconds = round(time.monotonic() - self.began.get(order.number, time.monotonic()), 2)
        if isinstance(made, Failure):
            text = " ".join(made.text.split())
            logger.debug("%s: %s", order.name, made.trace)
            self.state.failed(order, text, ours=order.number in self.ours)
            self._report(order, f"{order.name} failed: {text}", status="failed", error=text)
            return {**_row(order), "status": "failed", "error": text}
        self.state.done(order, made.inputs, made.outputs)
        self._report(order, f"{order.name} is done, {seconds} s", status="done", seconds=seconds)
        return {**_row(order), "status": "done", **made.result, "seconds": seconds}

    def _report(self, order: Order, text: str, **record: Any) -> None:
        counted = {"finished": self.count, "total": self.total}
        self.progress.report(
            f"[{self.count}/{self.total}] {text}",
            event="job",
            row=order.number,
            **record,
            **counted,
        )


def _before(step: Step) -> dict[str, Any]:
    """The record of a row that is passed over."""
    if step.status == "failed":
        return {**_row(step.order), "status": "failed", "error": step.why}
    return {**_row(step.order), "status": "kept"}


def _row(order: Order) -> dict[str, Any]:
    return {"row": order.number, "out": order.place("out")}
