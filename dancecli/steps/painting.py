"""Who paints: the backend and its person, once per device, and batches of frames for each."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from dancecli import cores, registry
from dancecli.job import Job
from dancecli.overlap import ordered_map
from dancecli.plate import parse_background
from dancecli.stages import Backend
from dancecli.steps.background import empty_photo
from dancecli.steps.stages import Stages
from dancecli.types import Target
from dancecli.workdir import WorkDir

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Painter:
    """A backend on one device, and the person as that backend knows them.

    batch: motions that it is given at a time; the last ones are repeated to fill, so that a frame
    is the same whichever others it is painted with.
    """

    backend: Backend
    person: Any
    batch: int = 1

    @classmethod
    def of_single_frames(cls, backend: Backend, target: Target) -> Painter:
        """For frames that are painted one by one, as a camera gives them.

        Raises what `Backend.prepare` raises.
        """
        batch = 1 if getattr(backend, "any_batch", False) else batch_of(backend)
        return cls(backend, backend.prepare(target), batch)


def batch_of(backend: Backend) -> int:
    """The motions that it is given at a time."""
    return int(getattr(backend, "batch", 1))


class Studio:
    """The painters of a job, each ready to paint its share of the frames."""

    def __init__(self, job: Job, stages: Stages, target: Target) -> None:
        """Equations 4 and 5, once per device. Raises what `Backend.prepare` raises."""
        backends = list(_backends(job, stages))
        self.batch: int = job.batch_size or batch_of(backends[0])
        self.painters = [Painter(each, each.prepare(target), self.batch) for each in backends]
        self.threads = max(cores.threads(job.threads), len(self.painters))

    def paint(self, work: Callable[[Painter, T], R], batches: Iterable[T]) -> Iterator[R]:
        """work(painter, batch) for each batch, in order, by threads that share the painters."""
        free: queue.SimpleQueue[Painter] = queue.SimpleQueue()
        for number in range(self.threads):
            free.put(self.painters[number % len(self.painters)])

        def lent(batch: T) -> R:
            painter = free.get()
            try:
                return work(painter, batch)
            finally:
                free.put(painter)

        with cores.shared(self.threads):
            yield from ordered_map(lent, batches, self.threads)


def ready(job: Job, target: Target, stages: Stages, work: WorkDir) -> Studio:
    """What the photo alone decides, so that it can be done while the dancer is followed.

    That is the studio, and the photo's empty plate in the work directory where one is wanted; if
    that fails, it is tried again, and its error told, where the plate is needed.
    Raises what `Studio` raises.
    """
    studio = Studio(job, stages, target)
    if parse_background(job.background).kind == "photo":
        with suppress(Exception):
            empty_photo(job, target, stages, work)
    return studio


def _backends(job: Job, stages: Stages) -> Iterator[Backend]:
    """The job's backend, and another like it for each further device."""
    yield stages.backend
    for device in job.devices[1:]:
        info = stages.infos["dance.backend"]
        settings = replace(stages.settings, device=device)
        yield registry.load("dance.backend", info.asked, settings)
