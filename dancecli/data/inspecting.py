"""Looking at a prepared set: whether it is whole, what it is made of, and a contact sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dancecli.data.manifest import NAME, Manifest, read_manifest
from dancecli.data.reading import manifest_beside, open_stored
from dancecli.data.samples import Crop
from dancecli.data.scale import JOB
from dancecli.data.stored import StoredSample
from dancecli.data.stores import LocalFile, is_url
from dancecli.drawing import overlay, write
from dancecli.errors import MediaError
from dancecli.labels import BODY_LABELS, Label, colourize
from dancecli.sheet import contact_sheet
from dancecli.types import JOINT, SEEN, FloatArray, Skeleton, UInt8Array

MOST_FRAMES = 2000
"""Frames that are decoded for statistics, spread evenly over the set."""

COLUMNS = ("picture", "labels", "dense", "pose", "ground", "another")
"""Of the contact sheet; the last is another frame of the person."""

MOST_ROWS = 8


@dataclass(frozen=True)
class Inspection:
    """What was found. Shares are of the `looked` frames unless said otherwise.

    faults: shards that are left out and samples that cannot be read, one line each. manifest: what
    made the set, None where it is not finished; by folder where there are several sets.
    unfinished: folders of shards without a manifest, "." for `place` itself; none where a shard is
    looked at by itself. per_person: people by number of frames. sizes:
    frames by "HxW". labels: name -> (share of frames that show it, share of the people's pixels).
    seen: share of frames with a part of the pose, and of all 25 body joints ("joints").
    views: share of frames that show the whole body, the front, the back.
    """

    place: str
    samples: int
    frames: int
    looked: int
    faults: tuple[str, ...]
    manifest: Mapping[str, Any] | None
    per_person: Mapping[int, int]
    sizes: Mapping[str, int]
    datasets: Mapping[str, int]
    licences: Mapping[str, int]
    labels: Mapping[str, tuple[float, float]]
    seen: Mapping[str, float]
    views: Mapping[str, float]
    dense: float
    skipped: Mapping[str, int] = field(default_factory=dict)
    unfinished: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Finished, and without a fault."""
        return not self.unfinished and not self.faults

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "whole": self.whole}

    def as_text(self) -> str:
        """For people: a few lines."""
        lines = [
            f"{self.place}: {self.samples} people, {self.frames} frames, {self._state()}",
            *(f"  FAULT {fault}" for fault in self.faults),
            f"  frames per person  {_counts(self.per_person)}",
            f"  data sets          {_counts(self.datasets)}",
            f"  licences           {_counts(self.licences)}",
            f"  passed over        {_counts(self.skipped)}",
            f"of {self.looked} frames, spread evenly:",
            f"  sizes              {_counts(self.sizes)}",
            f"  poses              {_shares(self.seen)}",
            f"  views              {_shares(self.views)}",
            f"  dense maps         {self.dense:.0%}",
            "  label              frames   pixels",
            *(f"    {name:16} {a:7.1%}  {b:7.2%}" for name, (a, b) in self.labels.items()),
        ]
        return "\n".join(lines)

    def _state(self) -> str:
        if not self.unfinished:
            return "finished" if self.manifest else "one shard"
        where = "" if self.unfinished == (".",) else f" in {', '.join(self.unfinished)}"
        return f"not finished (no manifest{where})"


def inspect(
    place: str | Path, most: int = MOST_FRAMES, rows: int = MOST_ROWS, title: str = ""
) -> tuple[Inspection, UInt8Array | None]:
    """Check every hash of a set (of local shards) and look at some frames.

    Returns what was found and the contact sheet, uint8 (H, W, 3), None with `rows` 0. Raises
    UsageError where there are no samples, MediaError where all shards are corrupt or the manifest
    is.
    """
    faults: list[str] = []
    samples = open_stored([place], faults.append)
    faults = faults[:-1]  # the last line only counts the others
    found = _Counted()
    for sample, k in _spread(samples, most):
        try:
            found.add(sample, sample.crop(k))
        except MediaError as error:
            faults.append(str(error))
    picture = _sheet(samples, rows, title or str(place)) if rows else None
    return found.inspection(str(place), samples, faults), picture


def _spread(samples: Sequence[StoredSample], most: int) -> list[tuple[StoredSample, int]]:
    """At most so many frames, evenly over all."""
    starts = np.cumsum([0, *(sample.count for sample in samples)])
    places = np.unique(np.linspace(0, starts[-1] - 1, min(most, int(starts[-1]))).round())
    owners = np.searchsorted(starts, places, side="right") - 1
    return [(samples[n], int(p - starts[n])) for n, p in zip(owners, places, strict=True)]


class _Counted:
    """Sums over the frames looked at."""

    def __init__(self) -> None:
        self.looked = self.dense = 0
        self.sizes, self.datasets, self.licences = Counter[str](), Counter[str](), Counter[str]()
        self.shown, self.pixels = np.zeros((2, BODY_LABELS), np.int64)
        self.seen: dict[str, float] = {}
        self.views: dict[str, float] = {}
        self.people: set[tuple[str, str]] = set()

    def add(self, sample: StoredSample, crop: Crop) -> None:
        if (sample.where, sample.key) not in self.people:
            self.people.add((sample.where, sample.key))
            about = sample.meta()
            self.datasets[str(about.get("dataset", "unknown"))[:80]] += 1
            self.licences[str(about.get("licence", "unknown"))[:80]] += 1
        self.looked += 1
        self.dense += crop.dense is not None
        self.sizes["{}x{}".format(*crop.labels.shape)] += 1
        counts = np.bincount(crop.labels.ravel(), minlength=BODY_LABELS)
        self.shown += counts > 0
        self.pixels += counts
        for parts, test in ((self.seen, _parts_seen), (self.views, _views)):
            for name, value in test(crop.skeleton).items():
                parts[name] = parts.get(name, 0.0) + value

    def inspection(
        self, place: str, samples: Sequence[StoredSample], faults: Sequence[str]
    ) -> Inspection:
        made = _sets(place)
        total, people = max(self.looked, 1), max(int(self.pixels[1:].sum()), 1)
        labels = {
            Label(n).name.lower(): (float(self.shown[n] / total), float(self.pixels[n] / people))
            for n in range(1, BODY_LABELS)
        }
        return Inspection(
            place, len(samples), sum(sample.count for sample in samples), self.looked,
            tuple(faults), _jobs(made.finished),
            dict(sorted(Counter(sample.count for sample in samples).items())),
            dict(self.sizes), dict(self.datasets), dict(self.licences), labels,
            {name: count / total for name, count in self.seen.items()},
            {name: count / total for name, count in self.views.items()},
            self.dense / total, _skipped(made.finished.values()), made.unfinished,
        )  # fmt: skip


class _Sets(NamedTuple):
    """The sets of a place by folder, "." for its own: with their manifests, and without one."""

    finished: dict[str, Manifest]
    unfinished: tuple[str, ...]


def _sets(place: str) -> _Sets:
    if is_url(place):
        alone = place.partition("?")[0].endswith(".tar")
        return _Sets({} if alone else {".": read_manifest(manifest_beside(place))}, ())
    path = Path(place)
    if not path.is_dir():  # a shard by itself: open_stored has checked it by its index
        return _Sets({}, ())
    finished = {
        listing.parent.relative_to(path).as_posix(): read_manifest(LocalFile(listing))
        for listing in sorted(path.rglob(NAME))
    }
    begun = {file.parent for name in ("*.tar", JOB) for file in path.rglob(name)}
    without = {folder.relative_to(path).as_posix() for folder in begun} - set(finished)
    if not (finished or without):
        without = {"."}  # samples lie open in it
    return _Sets(finished, tuple(sorted(without)))


def _jobs(finished: Mapping[str, Manifest]) -> Mapping[str, Any] | None:
    jobs = {folder: known.job for folder, known in finished.items()}
    return next(iter(jobs.values()), None) if len(jobs) < 2 else jobs


def _skipped(finished: Iterable[Manifest]) -> Mapping[str, int]:
    return dict(sum((Counter(known.skipped) for known in finished), Counter[str]()))


def _parts_seen(skeleton: Skeleton) -> dict[str, float]:
    def most(points: FloatArray) -> bool:
        return bool((points[:, 2] >= SEEN).mean() > 0.5)

    return {
        "joints": float((skeleton.body[:, 2] >= SEEN).mean()),
        "left hand": most(skeleton.left_hand), "right hand": most(skeleton.right_hand),
        "face": most(skeleton.face),
    }  # fmt: skip


def _views(skeleton: Skeleton) -> dict[str, float]:
    shoulders = skeleton.seen("left_shoulder", "right_shoulder")
    left, right = (skeleton.body[JOINT[f"{side}_shoulder"], 0] for side in ("left", "right"))
    return {
        "whole body": skeleton.seen("neck", "left_ankle", "right_ankle"),
        "front": bool(shoulders and left > right), "back": bool(shoulders and left < right),
    }  # fmt: skip


def _sheet(samples: Sequence[StoredSample], rows: int, title: str) -> UInt8Array:
    """A row per person, evenly over the set; who cannot be read leaves empty fields."""
    chosen = np.unique(np.linspace(0, len(samples) - 1, min(rows, len(samples))).round())
    pictures = [_row(samples[int(n)]) for n in chosen]
    return contact_sheet(pictures, COLUMNS, [str(int(n)) for n in chosen], title)


def _row(sample: StoredSample) -> dict[str, UInt8Array]:
    try:
        crop = sample.crop(0)
        row = {name: draw(crop) for name, draw in _DRAWN.items()}
        if sample.count > 1:
            row["another"] = sample.crop(sample.count // 2).rgb
    except MediaError:
        return {}
    write(row["picture"], sample.key, (2, crop.rgb.shape[0]), crop.rgb.shape[0] / 24)
    return row


def _drawn_dense(crop: Crop) -> UInt8Array:
    if crop.dense is None:
        return np.zeros_like(crop.rgb)
    drawn: UInt8Array = (crop.dense.iuv * np.array([10, 255, 255], np.float32)).astype(np.uint8)
    return drawn


_DRAWN: dict[str, Callable[[Crop], UInt8Array]] = {
    "picture": lambda crop: crop.rgb.copy(),
    "labels": lambda crop: colourize(crop.labels),
    "dense": _drawn_dense,
    "pose": lambda crop: overlay(crop.rgb // np.uint8(2), crop.skeleton),
    "ground": lambda crop: crop.plate,
}


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
