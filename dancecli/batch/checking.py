"""What is wrong with rows, found before anything runs."""

from __future__ import annotations

import tempfile
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from dancecli import registry
from dancecli.batch.files import is_there, is_web, real_place
from dancecli.batch.orders import OUTPUTS, Order
from dancecli.data.stores import is_url, opened
from dancecli.device import resolve
from dancecli.errors import DanceError, MediaError, OutputExistsError, UsageError, one_line
from dancecli.job import Job
from dancecli.media import check_input, format_of
from dancecli.media.files import named


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be used."""

    number: int
    text: str


class BadRowsError(UsageError):
    """Some rows cannot be used; nothing was run."""

    def __init__(self, faults: Sequence[Fault], rows: int) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.number)
        bad = len({fault.number for fault in faults})
        super().__init__(
            f"{bad} of {rows} rows cannot be used, nothing was run; mend them and try again"
        )


def faults_of(
    orders: Sequence[Order], ours: Callable[[Order], bool], elsewhere: bool
) -> list[Fault]:
    """Everything wrong with the rows themselves and with rows beside each other.

    ours: whether the row's outputs may be overwritten without --force, as an earlier run's.
    elsewhere: the jobs run on other machines, whose devices and weights are not known here.
    """
    plugins = _names if elsewhere else _plugins
    faults = [fault for order in orders for fault in _own(order, ours(order), plugins)]
    return [*faults, *_clashes(orders)]


def _own(order: Order, ours: bool, plugins: Callable[[Order], None]) -> Iterator[Fault]:
    texts = []
    for check in (plugins, _inputs, _looks, lambda order: check_outputs(order, ours)):
        try:
            check(order)
        except DanceError as error:
            texts.append(one_line(error))
        except OSError as error:  # a name is too long, or a folder closed
            where = f": {named(Path(error.filename))}" if error.filename else ""
            texts.append(f"{one_line(error.strerror or error)}{where}")
    for text in dict.fromkeys(texts):
        yield Fault(order.number, text)


def _names(order: Order) -> None:
    for group, name in order.job.plugins.items():
        registry.find(group, name)


def _plugins(order: Order) -> None:
    job = order.job
    plugins = tuple(sorted(job.plugins.items()))
    devices = job.devices or (job.device,)
    answer = _ready(plugins, devices, job.weights, job.seed, job.licence)
    if isinstance(answer, DanceError):
        raise answer


@lru_cache
def _ready(
    plugins: tuple[tuple[str, str], ...], devices: tuple[str, ...], weights: str | None, seed: int,
    licence: str,
) -> DanceError | None:  # fmt: skip
    """What is wrong with these names, devices and weights; asked once for rows alike."""
    from dancecli.steps.stages import Stages

    nowhere = Path()
    job = Job(
        nowhere, nowhere, nowhere, dict(plugins), device="cpu", weights=weights, seed=seed,
        licence=licence,
    )  # fmt: skip
    try:
        stages = Stages(job)
        stages.refuse_forbidden()
        stages.settle()
        for device in devices:
            if device not in ("auto", "cpu"):
                resolve(device)
    except DanceError as error:
        return error
    return None


def _inputs(order: Order) -> None:
    for role in ("photo", "video"):
        if role not in order.urls:
            check_input(getattr(order.job, role), role)
    for role in ("photo", "video", "background"):
        url = order.urls.get(role)
        if url and not opened(url).size():
            raise MediaError(f"{role} {url} is empty (0 bytes)")
    poses = order.urls.get("poses", "")
    if is_web(poses) and not is_there(poses):
        raise MediaError(
            f"poses {poses} are not there, and none can be written to a web address; "
            "name a file, or leave them out"
        )


def _looks(order: Order) -> None:
    from dancecli.composite import output_size
    from dancecli.plate import parse_background

    output_size(order.job.size, None, (64, 64), (64, 64))
    if "background" not in order.urls:
        parse_background(order.job.background)


def check_outputs(order: Order, ours: bool) -> None:
    """Refuse what could not be written at the end, or stands in the way.

    Raises OutputExistsError, MediaError or UsageError.
    """
    from dancecli.steps.output import check_outputs as check

    force = ours or order.job.force
    _spare_inputs(order)
    check(replace(_placed(order), force=force))
    for url in (order.urls[role] for role in OUTPUTS if role in order.urls):
        if is_web(url):
            raise UsageError(
                f"{url}: nothing can be written to a web address; use s3://, gs:// ..."
            )
        if is_there(url) and not force:
            raise OutputExistsError(f"{url} exists: choose another name or give --force")


def _spare_inputs(order: Order) -> None:
    """Raises MediaError where the job would write over what it reads, poses aside."""
    read = {real_place(place) for role, place in order.inputs().items() if role != "poses"}
    for place in order.outputs().values():
        if real_place(place) in read:
            raise MediaError(f"{place} is an input: writing it would destroy it; rename OUT")


def _placed(order: Order) -> Job:
    """The job as if all behind URLs were local: the same names and formats are possible.

    Raises UsageError for a folder behind a URL, which could be seen half-written.
    """
    paths = {}
    for role, url in order.urls.items():
        name = getattr(order.job, role).name if role in OUTPUTS else ""
        if name and role != "contact_sheet" and format_of(Path(name)).is_folder:
            raise UsageError(f"{url}: a folder of pictures cannot lie behind a URL")
        paths[role] = _stand_in(url, name)
    # What is wrong with a background is told by `_looks`; here one only must not be written over.
    behind = order.inputs().get("background", "photo")
    paths["background"] = Path("photo" if is_url(behind) else behind)
    return order.given(paths)


def _stand_in(url: str, name: str) -> Path:
    """The local file that a URL names; for any other a new one."""
    real = real_place(url)
    new = Path(tempfile.gettempdir(), f"{uuid.uuid4().hex}{Path(name).suffix}")
    return new if is_url(real) else Path(real)


def _poses_of_others(orders: Sequence[Order]) -> Iterator[Fault]:
    """New files of poses that rows of different dances would share: the first one's for all."""
    first: dict[str, Order] = {}
    for order in orders:
        place = order.place("poses")
        if not place or not _is_new(place):
            continue
        writer = first.setdefault(real_place(place), order)
        if _dance(order) != _dance(writer):
            text = f"{place} is written by row {writer.number}, with the poses of another dance"
            yield Fault(order.number, text)


def _is_new(place: str) -> bool:
    try:
        return not is_there(place)
    except (DanceError, OSError):  # told by whoever reads or writes there
        return False


def _dance(order: Order) -> tuple[object, ...]:
    """What poses are of, who finds them, and how smooth they are."""
    job = order.job
    span = real_place(order.place("video") or ""), job.start or 0.0, job.end, job.preview
    return *span, job.person, job.smooth, job.plugins.get("dance.pose")


def _clashes(orders: Sequence[Order]) -> Iterator[Fault]:
    """Files that two rows write, or that one writes, be it a sidecar, and another reads."""
    yield from _poses_of_others(orders)
    readers: dict[str, list[int]] = defaultdict(list)
    for order in orders:
        for place in order.inputs().values():
            readers[real_place(place)].append(order.number)
    writers: dict[str, list[int]] = defaultdict(list)
    for order in orders:
        for place in order.outputs().values():
            real = real_place(place)
            if writers[real]:
                yield Fault(order.number, f"{place} is written by row {writers[real][0]} too")
            else:
                yield from _read_by_others(order, place, readers[real])
            writers[real].append(order.number)
        for place in order.sidecars():
            yield from _read_by_others(order, place, readers[real_place(place)])


def _read_by_others(order: Order, place: str, readers: Sequence[int]) -> Iterator[Fault]:
    others = [row for row in readers if row != order.number]
    if others:
        yield Fault(order.number, f"{place} is read by row {others[0]}")
