"""A finished data set: what made it, and the shards that belong to it (`manifest.json`).

    {"schema": 1, "job": {...}, "hash": of the job, "counts": {"units", "samples", "frames"},
     "skipped": {reason: count},
     "shards": [{"name", "size", "sha256", "index", "samples", "frames"}, ...]}

"job" is `Job.describe()`: the reader, all plugins with their versions, and the options. "index" is
the SHA-256 of the shard's index. Without a manifest, a set is unfinished.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dancecli.data.shards import HASH, SCHEMA, Index, read_table, shard_name
from dancecli.data.stores import Store
from dancecli.errors import DanceError, MediaError
from dancecli.workdir import write_aside

NAME = "manifest.json"

_SHARD = re.compile(r"[A-Za-z0-9_-]{1,100}\.tar")


@dataclass(frozen=True)
class Entry:
    """One shard. size, sha256: of the tar. index: SHA-256 of its index."""

    name: str
    size: int
    sha256: str
    index: str
    samples: int
    frames: int


@dataclass(frozen=True)
class Manifest:
    """A finished data set."""

    job: Mapping[str, Any]
    hash: str
    counts: Mapping[str, int]
    skipped: Mapping[str, int]
    shards: tuple[Entry, ...]
    schema: int = SCHEMA

    def encoded(self) -> bytes:
        """As JSON; the same for the same set."""
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode()


def manifest_of(job: Mapping[str, Any], job_hash: str, indices: Sequence[Index]) -> Manifest:
    """The manifest of all shards of a job, in their order."""
    entries = tuple(
        Entry(shard_name(n), index.size, index.sha256, sha256(index.encoded()),
              len(index.frames), index.pictures)
        for n, index in enumerate(indices)
    )  # fmt: skip
    counts = {
        "units": sum(index.units for index in indices),
        "samples": sum(entry.samples for entry in entries),
        "frames": sum(entry.frames for entry in entries),
    }
    skipped = Counter(reason for index in indices for _, reason in index.skipped)
    return Manifest(job, job_hash, counts, dict(skipped), entries)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it aside and rename it. Raises DanceError when the disk is full."""
    try:
        write_aside(folder / NAME, manifest.encoded())
    except OSError as error:
        raise DanceError(
            f"{folder / NAME} cannot be written ({error.strerror or error})"
        ) from error


def read_manifest(store: Store) -> Manifest:
    """A manifest from outside: shard names are plain and no twins.

    Raises MediaError naming the file and what is wrong with it.
    """
    data = read_table(store)
    try:
        entries = tuple(_entry(row) for row in data["shards"])
        counts, skipped = ({str(k): int(v) for k, v in data[n].items()} for n in
                           ("counts", "skipped"))  # fmt: skip
        manifest = Manifest(dict(data["job"]), str(data["hash"]), counts, skipped, entries)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MediaError(f"{store.name}: not the manifest of a data set") from error
    if len({entry.name for entry in entries}) < len(entries):
        raise MediaError(f"{store.name}: names a shard twice")
    return manifest


def _entry(row: Mapping[str, Any]) -> Entry:
    entry = Entry(**row)
    hashes = HASH.fullmatch(entry.sha256) and HASH.fullmatch(entry.index)
    counts = (entry.size, entry.samples, entry.frames)
    if not _SHARD.fullmatch(entry.name) or not hashes:
        raise ValueError(entry.name)
    if not all(type(n) is int and 0 <= n < 2**53 for n in counts):
        raise ValueError(counts)
    return entry


def sha256(data: bytes) -> str:
    """Hex digits."""
    return hashlib.sha256(data).hexdigest()


def job_hash(description: Mapping[str, Any], units: Sequence[str]) -> str:
    """Changes with anything that shapes the shards; JSON values only."""
    return sha256(json.dumps([SCHEMA, description, list(units)], sort_keys=True).encode())
