"""From a job to a folder of shards and their manifest: in this process, in many, or on a cluster.

Every way gives the same bytes. A shard is there whole or not at all, and `resume` makes only what
is missing. The folder holds `shard-NNNNNN.tar` and `.json`, `job.json` (what it is made from) from
the start, and `manifest.json` once it is finished.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dancecli.data import manifest
from dancecli.data.decoding import read_json
from dancecli.data.making import Made, here, in_processes, on_cluster
from dancecli.data.shards import (
    LARGEST_INDEX,
    SCHEMA,
    UNFINISHED,
    Index,
    fault,
    index_name,
    read_index,
)
from dancecli.data.stores import LocalFile, read_all
from dancecli.data.tasks import Task, Tick, Work, cut
from dancecli.errors import (
    DanceError,
    MediaError,
    NoPersonError,
    OutputExistsError,
    PluginError,
    UsageError,
)
from dancecli.holding import held
from dancecli.progress import Progress
from dancecli.workdir import write_aside

JOB = "job.json"

_HALF_WRITTEN = re.compile(
    rf"(shard-\d{{6,}}\.(tar|json)|{re.escape(JOB)}|{re.escape(manifest.NAME)})"
    rf"\.\d+{re.escape(UNFINISHED)}"
)
"""Names under which a run writes aside: what it makes, the process, ".part"."""


@dataclass(frozen=True)
class Summary:
    """What a run left. kept: shards of an earlier run. size: bytes of all shards."""

    out: Path
    units: int
    samples: int
    frames: int
    shards: int
    kept: int
    size: int
    seconds: float
    skipped: Mapping[str, int] = field(default_factory=dict)


def run(
    job: Work, out: Path, workers: int = 1, ray: str | None = None,
    progress: Progress | None = None, resume: bool = False, each: int | None = None,
) -> Summary:  # fmt: skip
    """Prepare all of a job into the folder `out`.

    workers: processes; with 1, all is done in this one. ray: address of a Ray cluster, or "local";
    workers then bounds the shards at a time (1: as many as it has processors). each: units per
    shard (default: by their number).

    Raises OutputExistsError when `out` holds data and `resume` is off, UsageError when it was begun
    with other options or there is nothing to do, NoPersonError when nobody could be used, and
    DanceError when the disk is full, workers keep dying or another run writes there.
    """
    began, progress = time.monotonic(), progress or Progress("quiet")
    units = job.units()
    if not units:
        raise UsageError("there is nothing to prepare: the data set has no pictures")
    tasks = cut(units, each)
    description = json.loads(json.dumps(job.describe()))
    digest = manifest.job_hash(description, [str(len(tasks)), *units])
    with held(out), _claimed(out, description, digest, resume):
        ready = _kept(out, tasks, digest, progress.say)
        left = [task for task in tasks if task.number not in ready]
        done = len(units) - sum(len(task.units) for task in left)
        with progress.stage("prepare", len(units), done, unit="unit") as tick:
            runner = _runner(job, left, out, digest, workers, ray, progress.say, tick)
            with closing(runner):  # its processes end here, whatever happens
                indices = _gathered(ready, runner)
        return _finish(out, description, digest, indices, len(ready), time.monotonic() - began)


def _runner(
    job: Work, tasks: Sequence[Task], out: Path, digest: str, workers: int, ray: str | None,
    say: Callable[[str], None], tick: Tick,
) -> Made:  # fmt: skip
    if ray and tasks:
        most = workers if workers > 1 else 0
        return on_cluster(job, tasks, out, digest, ray, most, say, tick)
    if workers > 1 and tasks:
        return in_processes(job, tasks, out, digest, workers, say, tick)
    return here(job, tasks, out, digest, tick)


def _gathered(ready: Mapping[int, Index], runner: Iterator[tuple[int, Index]]) -> list[Index]:
    """All indices in the shards' order.

    Raises PluginError when two shards hold samples of one name.
    """
    indices = dict(ready)
    owner = {key: number for number, index in ready.items() for key in index.frames}
    for number, index in runner:
        indices[number] = index
        for key in index.frames:
            if owner.setdefault(key, number) != number:
                raise PluginError(f"two samples are called {key}: a data set's keys must differ")
    return [indices[number] for number in sorted(indices)]


def _finish(
    out: Path, description: Mapping[str, Any], digest: str, indices: Sequence[Index], kept: int,
    seconds: float,
) -> Summary:  # fmt: skip
    whole = manifest.manifest_of(description, digest, indices)
    if not whole.counts["samples"]:
        why = ", ".join(f"{reason} ({n})" for reason, n in sorted(whole.skipped.items()))
        raise NoPersonError(f"nobody in this data set can be used: {why or 'it shows no people'}")
    manifest.write_manifest(out, whole)
    size = sum(index.size for index in indices)
    return Summary(out, whole.counts["units"], whole.counts["samples"], whole.counts["frames"],
                   len(indices), kept, size, seconds, whole.skipped)  # fmt: skip


@contextmanager
def _claimed(
    out: Path, description: Mapping[str, Any], digest: str, resume: bool
) -> Iterator[None]:
    """The folder as this job's, or raises what `_claim` does; nothing half-written stays in it."""
    _claim(out, description, digest, resume)
    try:
        _sweep(out)
        yield
    finally:
        _sweep(out)


def _sweep(out: Path) -> None:
    """Remove what runs that were killed left half-written; files of others end in .part too."""
    for path in out.glob(f"*{UNFINISHED}"):
        if _HALF_WRITTEN.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def _claim(out: Path, description: Mapping[str, Any], digest: str, resume: bool) -> None:
    """Write down what the folder is made from, or check that it is what is asked for now."""
    begun = out / JOB
    if not resume and (begun.exists() or any(out.glob("*.tar"))):
        raise OutputExistsError(
            f"{out} holds prepared data: go on with --resume, or choose another -o"
        )
    if begun.exists():
        stored = read_json(read_all(LocalFile(begun), LARGEST_INDEX), str(begun))
        if stored.get("hash") != digest:
            raise UsageError(
                f"{out} was begun with {_difference(stored.get('job'), description)}; "
                "--resume with the same, or choose another -o"
            )
    elif any(out.glob("*.tar")):
        raise UsageError(f"{out} holds shards of unknown making (no {JOB}): choose another -o")
    try:
        data = {"schema": SCHEMA, "hash": digest, "job": description}
        write_aside(begun, json.dumps(data, sort_keys=True, indent=1).encode())
    except OSError as error:
        raise DanceError(f"{begun} cannot be written: {error.strerror or error}") from error


def _difference(before: object, now: object, name: str = "") -> str:
    """The first thing that differs between two descriptions, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                return _difference(before.get(key), now.get(key), f"{name}.{key}".strip("."))
        return "other files"
    return f"{name or 'options'} {str(before)[:60]}, not {str(now)[:60]}"


def _kept(
    out: Path, tasks: Sequence[Task], digest: str, say: Callable[[str], None]
) -> dict[int, Index]:
    """Indices of the shards that an earlier run finished and that are still whole."""
    kept = {}
    for task in tasks:
        tar, beside = LocalFile(out / task.name), LocalFile(out / index_name(task.name))
        if not (tar.path.exists() and beside.path.exists()):
            continue
        try:
            index = read_index(beside)
            wrong = fault(tar, index, hashed=True)
        except MediaError as error:
            wrong = str(error)
        if not wrong and index.job != digest:
            wrong = "was made with other options"
        if wrong:
            say(f"{tar.name}: {wrong}; it is done again")
        else:
            kept[task.number] = index
    return kept
