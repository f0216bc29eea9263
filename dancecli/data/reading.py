"""Prepared samples where they lie: folders, shards, and shards behind a URL.

A shard with an index is opened without looking into its tar, and a sample behind a URL is one
request. Nothing is unpacked to disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dancecli.data import manifest
from dancecli.data.shards import (
    LARGEST_COUNT,
    Index,
    Member,
    fault,
    index_name,
    read_index,
    scan_tar,
)
from dancecli.data.stored import LooseFiles, Members, StoredSample, whole
from dancecli.data.stores import LocalFile, Store, is_url, opened
from dancecli.errors import MediaError, UsageError

Report = Callable[[str], None]
"""Takes one line for the user."""

THREADS = 4
"""Shards that are checked at a time."""

_NAME = re.compile(
    r"(?P<key>[^\\]+?)[./](?P<field>meta\.json|"
    r"\d{1,6}\.(?:jpg|labels\.png|dense\.png|parsed\.png|pose\.json|plate\.jpg))"
)


@dataclass(frozen=True)
class Part:
    """A shard to be opened, and what its manifest says of it."""

    store: Store
    entry: manifest.Entry | None = None


def open_stored(
    places: Sequence[str | Path], report: Report | None = None, verify: bool = True
) -> list[StoredSample]:
    """All samples of shards (`*.tar`), folders (of shards or of files) and URLs, in a fixed order.

    A URL names a shard that has an index, or a folder that has a manifest. A shard that is not what
    manifest and index say is told to `report` by name and left out, and the last line counts them;
    without `report` it raises. verify: read local shards whole to check their SHA-256; what is read
    later is checked by CRC-32 either way.

    Raises MediaError where all shards are corrupt, UsageError where a place holds no samples.
    """
    opening = _Opening(report, verify)
    samples: list[StoredSample] = []
    for place in places:
        before = opening.left_out
        found = list(opening.samples(str(place)))
        if not found and opening.left_out == before:
            raise UsageError(f"{place}: holds no samples (K.jpg, K.labels.png, ... and meta.json)")
        samples += found
    opening.conclude(bool(samples))
    return samples


def manifest_beside(place: str) -> Store:
    """The manifest of a folder or URL, whether it is there or not."""
    path, mark, query = place.partition("?") if is_url(place) else (place, "", "")
    return opened(f"{path.rstrip('/')}/{manifest.NAME}{mark}{query}")


class _Opening:
    """Opens places one after the other and counts what had to be left out."""

    def __init__(self, report: Report | None, verify: bool) -> None:
        self.report, self.verify = report, verify
        self.shards = self.left_out = 0
        self.fields: dict[tuple[str, ...], tuple[str, ...]] = {}

    def samples(self, place: str) -> Iterator[StoredSample]:
        parts, loose = self._parts(place)
        self.shards += len(parts)
        with ThreadPoolExecutor(THREADS) as pool:
            for outcome in pool.map(self._opened, parts):
                if isinstance(outcome, MediaError):
                    self._leave_out(outcome)
                else:
                    yield from outcome
        yield from loose

    def _parts(self, place: str) -> tuple[list[Part], list[StoredSample]]:
        """Shards of a place, and samples that lie open in it."""
        if is_url(place):
            return self._remote(place), []
        path = Path(place)
        if not path.is_dir():
            return [Part(LocalFile(path))], []
        parts: dict[Path, Part] = {}
        for listing in sorted(path.rglob(manifest.NAME)):
            entries = manifest.read_manifest(LocalFile(listing)).shards
            parts |= {listing.with_name(e.name): Part(LocalFile(listing.with_name(e.name)), e)
                      for e in entries}  # fmt: skip
        finished = {tar.parent for tar in parts}
        for tar in path.rglob("*.tar"):
            if tar not in parts:
                if tar.parent in finished:
                    self._leave_out(MediaError(f"{tar}: not in the manifest beside it"))
                    self.shards += 1
                else:
                    parts[tar] = Part(LocalFile(tar))
        return [parts[tar] for tar in sorted(parts)], self._loose(path)

    def _remote(self, url: str) -> list[Part]:
        if url.partition("?")[0].endswith(".tar"):
            return [Part(opened(url))]
        listing = manifest_beside(url)
        entries = manifest.read_manifest(listing).shards
        return [Part(listing.beside(entry.name), entry) for entry in entries]

    def _opened(self, part: Part) -> list[StoredSample] | MediaError:
        try:
            return self._shard(part)
        except MediaError as error:
            return error

    def _shard(self, part: Part) -> list[StoredSample]:
        store = part.store
        index = self._index(part)
        if index is None:
            assert isinstance(store, LocalFile)
            return self._grouped(store, scan_tar(store.path), None)
        wrong = fault(store, index, self.verify)
        if wrong:
            raise MediaError(f"{store.name}: {wrong}")
        return self._grouped(store, index.members, index.frames)

    def _index(self, part: Part) -> Index | None:
        """The index beside a shard, and what the manifest says of it; None for a bare tar."""
        store, entry = part.store, part.entry
        beside = store.beside(index_name(store.name.partition("?")[0].rpartition("/")[2]))
        bare = isinstance(beside, LocalFile) and not beside.path.exists()
        if bare and entry is None:
            return None
        index = read_index(beside)
        if entry and (manifest.sha256(index.encoded()), index.sha256) != (
            entry.index,
            entry.sha256,
        ):
            raise MediaError(f"{store.name}: its index is not the one that the manifest names")
        return index

    def _grouped(
        self, store: Store, members: Iterable[Member], frames: Mapping[str, list[int]] | None
    ) -> list[StoredSample]:
        groups: dict[str, dict[str, tuple[int, int, int]]] = {}
        for name, offset, size, crc in members:
            match = _NAME.fullmatch(name.removeprefix("./"))
            if match:
                span = (offset, size, -1 if crc is None else crc)
                groups.setdefault(match["key"], {})[match["field"]] = span
        return [
            whole(key, store.name, self._members(store, files), frames)
            for key, files in sorted(groups.items())
        ]

    def _members(self, store: Store, files: Mapping[str, tuple[int, int, int]]) -> Members:
        # Most samples have the same names: one tuple serves all.
        fields = self.fields.setdefault(tuple(files), tuple(files))
        return Members(store, fields, np.array(list(files.values()), np.int64))

    def _loose(self, folder: Path) -> list[StoredSample]:
        groups: dict[str, dict[str, Path]] = {}
        for name, path in _plain_files(folder):
            match = _NAME.fullmatch(name)
            if match:
                groups.setdefault(match["key"], {})[match["field"]] = path
        return [
            whole(key, str(folder), LooseFiles(files), None)
            for key, files in sorted(groups.items())
        ]

    def _leave_out(self, error: MediaError) -> None:
        self.left_out += 1
        if self.report is None:
            raise error
        self.report(str(error))

    def conclude(self, any_left: bool) -> None:
        """Count what was left out; raises MediaError when nothing remains."""
        if self.left_out and not any_left:
            raise MediaError(f"all {self.shards} shards are corrupt; prepare the data again")
        if self.left_out and self.report:
            self.report(f"{self.left_out} of {self.shards} shards are left out")


def _plain_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The plain files of a folder by their path in it; symbolic links are not followed."""
    count = 0
    for root, directories, names in os.walk(folder):
        directories.sort()
        for path in (Path(root, name) for name in names):
            if path.suffix in (".jpg", ".png", ".json") and not path.is_symlink():
                count += 1
                if count > LARGEST_COUNT:
                    raise MediaError(f"{folder}: more than {LARGEST_COUNT} files")
                yield path.relative_to(folder).as_posix(), path
