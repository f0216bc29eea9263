"""Photos cut into puppets once per run: cutting takes longer than all else that B2F's items need.

A file per frame, named by what the puppet is made from, so that a run finds the cuts of its last
start. Beyond `MOST` bytes nothing more is kept and puppets are cut anew.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import is_dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import dancecli.warp
from dance_freestyle.training import appearances, augment
from dance_freestyle.training.samples import Shot
from dancecli.types import BoolArray, Frame, LabelMap, PersonMask, Target, UInt8Array
from dancecli.warp import Puppet, cut
from dancecli.workdir import write_aside

MOST = 4 << 30
"""Bytes on disk per run."""

MISTAKEN = 0.5
"""Share of frames whose silhouette is that of a segmenter, with its faults, and not the truth."""


class Cuts:
    """The puppets of source frames, kept in a folder; without one, cut each time."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def puppet(self, shot: Shot, canvas: tuple[int, int]) -> Puppet:
        """The person of a frame, cut out at the canvas's size."""
        key = _key(shot, canvas)
        kept = self._kept(key)
        if kept is not None:
            return kept
        rng = np.random.default_rng(int(key[:16], 16))
        puppet = cut(target_of(augment.fitted(shot, canvas), rng))
        self._keep(key, puppet)
        return puppet

    def _kept(self, key: str) -> Puppet | None:
        """Damaged files count as absent."""
        if self.folder is None:
            return None
        try:
            with (self.folder / f"{key}.puppet").open("rb") as file:
                found = _PuppetUnpickler(file).load()
        except (OSError, EOFError, pickle.UnpicklingError, AttributeError, TypeError, ValueError):
            return None
        return found if isinstance(found, Puppet) else None

    def _keep(self, key: str, puppet: Puppet) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        data = pickle.dumps(puppet, 5)
        # Every file is about as large: counting them is enough.
        if len(data) * sum(1 for _ in self.folder.iterdir()) < MOST:
            write_aside(self.folder / f"{key}.puppet", data)


class _PuppetUnpickler(pickle.Unpickler):
    """Knows numeric arrays and the dataclasses of `dancecli.warp`, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """The class or array function; raises UnpicklingError for any other."""
        arrays = ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer")
        if module.split(".")[0] == "numpy" and name in arrays:
            return super().find_class(module, name)
        if module.startswith(f"{dancecli.warp.__name__}."):
            found = getattr(import_module(module), name, None)
            if is_dataclass(found):
                return found
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def target_of(shot: Shot, rng: np.random.Generator | None = None) -> Target:
    """What the warp needs to know of a photo; with rng, the silhouette may have faults."""
    person = shot.labels > 0
    if rng is None or rng.random() >= MISTAKEN or not person.any():
        mask, labels = person.astype(np.float32), shot.labels
    else:
        mask = appearances.segmented(person, rng)
        labels = _spread(shot.labels, mask >= 0.5)
    return Target(Frame(shot.rgb), PersonMask(mask), LabelMap(labels), shot.skeleton)


def _spread(labels: UInt8Array, inside: BoolArray) -> UInt8Array:
    """The nearest label where there is none inside; none outside."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    return np.where(inside, labels[tuple(nearest)], 0).astype(np.uint8)


def _key(shot: Shot, canvas: tuple[int, int]) -> str:
    digest = hashlib.sha256(_code())
    for array in (shot.rgb, shot.labels, shot.skeleton.points()):
        digest.update(np.ascontiguousarray(array).tobytes())
    if shot.skeleton.world is not None:
        digest.update(np.ascontiguousarray(shot.skeleton.world).tobytes())
    digest.update(repr((canvas, MISTAKEN)).encode())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=1)
def _code() -> bytes:
    """Changes when the warp does."""
    folder = Path(str(dancecli.warp.__file__)).parent
    return hashlib.sha256(
        b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    ).digest()
