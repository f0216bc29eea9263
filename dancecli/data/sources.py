"""What `--data` of `dance train` names: folders, shards, URLs, and data sets made on the way.

shards/            a folder, a .tar, or a name in $DANCE_DATA
s3://bucket/mhp    a folder with a manifest, or a shard with an index, behind any URL
synth:ASSETS?people=20000&frames=8    a `dance.dataset` plugin: samples are made when needed
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from dancecli import registry
from dancecli.data.job import Job
from dancecli.data.live import JobSamples
from dancecli.data.people import Options
from dancecli.data.plugins import StageNames
from dancecli.data.reading import Report, open_stored
from dancecli.data.rules import LEAST_HEIGHT, Rules
from dancecli.data.samples import Crop
from dancecli.data.stores import is_url
from dancecli.errors import UsageError

GROUP = "dance.dataset"


class Source(Protocol):
    """One person, read (`StoredSample`) or just made (`LiveSample`)."""

    @property
    def key(self) -> str:
        """The sample's name."""
        ...

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the frames in their video."""
        ...

    def crop(self, k: int) -> Crop:
        """Frame `k`."""
        ...


class Joined(Sequence[Source]):
    """Sequences one after the other."""

    def __init__(self, parts: Sequence[Sequence[Source]]) -> None:
        self.parts = [part for part in parts if len(part)]
        self.ends = list(accumulate(len(part) for part in self.parts))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    @property
    def frames(self) -> int:
        """Of all samples; stored ones know theirs unread, others count by `JobSamples.frames`."""
        return sum(
            part.frames if isinstance(part, JobSamples) else sum(len(one.numbers) for one in part)
            for part in self.parts
        )

    def __getitem__(self, index: int) -> Source:  # type: ignore[override]
        index = range(len(self))[index]
        place = next(n for n, end in enumerate(self.ends) if index < end)
        return self.parts[place][index - self.ends[place]]


def open_sources(data: str, report: Report | None = None, verify: bool = True) -> Joined:
    """All samples that `--data` names, with commas between the places.

    report, verify: as `open_stored` takes them. Raises UsageError for a place that is not there,
    MediaError where all shards are corrupt.
    """
    places = [_found(place) for place in data.split(",")]
    stored = [place for place in places if not _plugin(place)]
    live = [JobSamples(live_job(place)) for place in places if _plugin(place)]
    read = open_stored(stored, report, verify) if stored else []
    return Joined([read, *live])


def live_job(place: str) -> Job:
    """The job that `NAME:ROOT?option=value&...` asks for.

    people, frames, seed, min-height and device are those of `dance prepare-data`, gap is the most
    frames between two of a person; pose, mask, dense, parser, inpaint and noise choose plugins,
    parsed=on keeps what a parser says; all others are the reader's own.

    Raises UsageError for an unknown plugin, or a number that is none or too small.
    """
    head, _, query = place.partition("?")
    name, _, root = head.partition(":")
    given = dict(parse_qsl(query, keep_blank_values=True))
    numbers = {key: _number(place, key, given.pop(key)) for key in NUMBERS if key in given}
    stages = {key: given.pop(key) for key in STAGES if key in given}
    parsed, seed = _switch(place, "parsed", given.pop("parsed", "off")), numbers.get("seed", 0)
    rules, height = Rules(), given.pop("min-height", None)
    if height is not None:
        rules = replace(rules, height=_number(place, "min-height", height, LEAST_HEIGHT))
    names = StageNames(**stages, parsed=parsed, seed=seed)
    job = Job(name, Path(root) if root else None, Options(**numbers, set=given), names, rules)
    job.check()
    return job


NUMBERS = ("people", "frames", "seed", "gap")
STAGES = ("pose", "mask", "dense", "parser", "inpaint", "noise", "device")


def _switch(place: str, key: str, text: str) -> bool:
    if text not in ("on", "off"):
        raise UsageError(f"--data {place}: {key}={text}: say on or off")
    return text == "on"


def _number(place: str, key: str, text: str, least: int = 0) -> int:
    if not text.isdecimal() or len(text) > 12:
        raise UsageError(f"--data {place}: {key}={text} is not a whole number")
    if int(text) < least:
        raise UsageError(f"--data {place}: {key}={text} is below {least}")
    return int(text)


def _plugin(place: str) -> bool:
    """Whether this names a data set that is made, not one that lies somewhere."""
    name, colon, _ = place.partition(":")
    return bool(colon) and any(info.name == name for info in registry.installed(GROUP))


def _found(place: str) -> str:
    """A place as it is, or as a name in $DANCE_DATA or the user's data folder."""
    if is_url(place) or _plugin(place):
        return place
    if place and Path(place).exists():
        return place
    home = data_home() / place
    if place and home.exists():
        return str(home)
    raise UsageError(f"--data {place}: neither {place or '.'} nor {home} exists")


def data_home() -> Path:
    """$DANCE_DATA, or the user's data folder: where prepared sets lie by name."""
    if "DANCE_DATA" in os.environ:
        return Path(os.environ["DANCE_DATA"])
    import appdirs

    return Path(appdirs.user_data_dir("dancecli", appauthor=False))
