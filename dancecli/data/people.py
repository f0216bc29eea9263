"""What passes between a data set's reader, its preparation and the shards.

    reader ─► Person (whole pictures, what the set knows) ─► prepare ─► Sample (crops) ─► shard

Conventions are those of `dancecli.types`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dancecli.types import BoolArray, DenseMap, Skeleton, UInt8Array


@dataclass(frozen=True, eq=False)
class View:
    """One person in one whole picture, as a data set gives it; None is what it does not know.

    rgb: uint8 (H, W, 3) RGB. number: in its video, 0 for a still.
    labels: uint8 (H, W), 0-21, this person's only. mask: bool (H, W), this person's pixels.
    people: bool (H, W), all people's pixels, this one's among them.
    skeleton: in picture pixels, and dense: the size of the picture, where they are truth.
    plate: uint8 (H, W, 3), the same picture without people.
    """

    rgb: UInt8Array
    number: int = 0
    labels: UInt8Array | None = None
    mask: BoolArray | None = None
    people: BoolArray | None = None
    skeleton: Skeleton | None = None
    dense: DenseMap | None = None
    plate: UInt8Array | None = None


@dataclass(frozen=True, eq=False)
class Person:
    """One person of a data set in one or more pictures, in the order of their numbers.

    key: unique within the set, of [A-Za-z0-9_-]. about: goes into `meta.json` as it is.
    """

    key: str
    views: tuple[View, ...]
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """A file or person that cannot serve. reason: a few words, the same for the same cause."""

    where: str
    reason: str


@dataclass(frozen=True)
class Options:
    """What `dance prepare-data` asks a reader for.

    people: at most so many (None: all, or the reader's default). frames: views per person, at
    most. seed: of anything chosen at random; a unit's choices depend on it and the unit's name
    alone. gap: most frames between two views of one sample (paper 3.1). set: what `--set` gave,
    by name, read and checked by the reader.
    """

    people: int | None = None
    frames: int = 8
    seed: int = 0
    gap: int = 250
    set: Mapping[str, str] = field(default_factory=dict)
