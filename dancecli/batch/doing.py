"""One job of a batch, in whatever process: inputs fetched, outputs put in place."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dancecli.batch.files import Print, fetched, is_there, print_of, put
from dancecli.batch.orders import OUTPUTS, SIDECARS, Order
from dancecli.job import Job
from dancecli.progress import Progress, log_to_stderr
from dancecli.provenance import sidecar_path
from dancecli.workdir import WorkDir
from dancecli.workers.queue import Tell


@dataclass(frozen=True)
class Done:
    """A finished job. result: as `dance reenact --json`. inputs, outputs: role -> print."""

    result: Mapping[str, Any]
    inputs: Mapping[str, Print]
    outputs: Mapping[str, Print]


@dataclass(frozen=True)
class Worker:
    """What a process or a node of a cluster does.

    root: of the work directory. as_json: whether its messages are JSON lines.
    """

    root: Path | None
    as_json: bool = False

    def __call__(self, order: Order, _tell: Tell) -> Done:
        log_to_stderr(self.as_json)
        # Waiting for another worker's poses is nothing to warn of.
        logging.getLogger("dancecli.workdir").setLevel(logging.ERROR)
        return do(order, WorkDir(self.root), Progress("quiet"))


def do(order: Order, work: WorkDir, progress: Progress) -> Done:
    """Run a job and put its outputs where they belong, whole or not at all.

    Raises whatever `pipeline.reenact` raises, MediaError for files behind URLs.
    """
    from dancecli.pipeline import reenact

    before = _prints(order.inputs())
    with _local(order, work) as job:
        result = reenact(job, work, progress).as_dict()
        put(_made(order, job))
    outputs = order.outputs()
    written = [
        outputs["out"],
        *(outputs[role] for role in reversed(OUTPUTS[:-1]) if role in outputs),
    ]
    result |= {"out": outputs["out"], "written": written}
    return Done(result, _prints(order.inputs()) | before, _prints(outputs))


def _prints(places: Mapping[str, str]) -> dict[str, Print]:
    prints = {role: print_of(place) for role, place in places.items()}
    return {role: found for role, found in prints.items() if found}


@contextmanager
def _local(order: Order, work: WorkDir) -> Iterator[Job]:
    """The job on files of this machine; what was checked before may be overwritten now."""
    with tempfile.TemporaryDirectory(prefix="dance-") as folder:
        paths = {}
        for role, url in order.urls.items():
            if role in OUTPUTS or (role == "poses" and not is_there(url)):
                own = Path(folder) / role
                own.mkdir()
                paths[role] = own / str(getattr(order.job, role).name)
            else:
                paths[role] = fetched(url, work)
        yield order.given(paths, force=True)


def _made(order: Order, job: Job) -> dict[Path, str]:
    """Which local files go to which URLs, OUT last."""
    made: dict[Path, str] = {}
    for role in (role for role in ("poses", *OUTPUTS) if role in order.urls):
        path: Path = getattr(job, role)
        if role in SIDECARS:
            made[sidecar_path(path)] = order.urls[role] + ".json"
        made[path] = order.urls[role]
    return made
