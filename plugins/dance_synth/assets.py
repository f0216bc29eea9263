"""The asset pack of synthetic humans: CC0 meshes, morph targets, textures; CMU motions.

A file is read when it is first asked for, and only if its size and SHA-256 are the manifest's.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dance_synth.parts import IntArray
from dancecli.errors import WeightsError
from dancecli.types import FloatArray

MANIFEST = "MANIFEST.json"

FETCH = "get the pack again (`dance weights fetch humans --from PATH`), or give another folder"


@dataclass(frozen=True, eq=False)
class Fitted:
    """A mesh bound to the base: clothes, hair, eyes, teeth.

    bind_index (n, 3), bind_weight (n, 3), bind_offset (n, 3) metres, scale_verts (3, 2) and
    scale_ref (3,) as the pack's README has them. faces, corners: int32 (f, 4), vertices and uv
    rows of quads; a triangle repeats its first. uvs: float32. component: int (f,) of each face.
    """

    bind_index: IntArray
    bind_weight: FloatArray
    bind_offset: FloatArray
    scale_verts: IntArray
    scale_ref: FloatArray
    faces: IntArray
    corners: IntArray
    uvs: FloatArray
    component: IntArray

    def place(self, base: FloatArray) -> FloatArray:
        """Its vertices (n, 3) on a morphed, unposed base (19158, 3)."""
        first, second = self.scale_verts.T
        axes = np.arange(3)
        scale = np.abs(base[first, axes] - base[second, axes]) / self.scale_ref
        mixed = np.einsum("ni,nij->nj", self.bind_weight, base[self.bind_index])
        return np.asarray(mixed + self.bind_offset * scale, np.float32)


@dataclass(frozen=True, eq=False)
class Assets:
    """The pack in a folder; what is read stays in memory. Every access may raise WeightsError."""

    folder: Path
    manifest: Mapping[str, Mapping[str, Any]]
    _kept: dict[str, Any] = field(default_factory=dict)

    def content(self, name: str) -> bytes:
        """The bytes of a file, checked against the manifest."""
        if name not in self.manifest:
            raise WeightsError(f"the human assets have no {name!r}: {self.folder / MANIFEST}")
        path = self.folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"cannot read {path} ({error.strerror}); {FETCH}") from error
        if hashlib.sha256(data).hexdigest() != self.manifest[name]["sha256"]:
            raise WeightsError(f"{path} is damaged: {len(data)} bytes, wrong SHA-256; {FETCH}")
        return data

    def names(self, folder: str, suffix: str) -> tuple[str, ...]:
        """Files of a folder without folder and suffix, sorted: names("hair", ".npz")."""
        found = (Path(n) for n in self.manifest if n.startswith(f"{folder}/"))
        return tuple(sorted(p.stem for p in found if p.suffix == suffix))

    def meshes(self, kind: str) -> tuple[str, ...]:
        """Names of the meshes of a kind ("clothes", "hair", "eyebrows", "eyelashes", ...)."""
        return self.names(kind, ".npz")

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """All arrays of an npz file; nothing pickled is loaded."""
        try:
            with np.load(io.BytesIO(self.content(name)), allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (ValueError, OSError, KeyError) as error:
            raise WeightsError(f"{self.folder / name} cannot be read: {error}") from error

    def fitted(self, kind: str, name: str) -> Fitted:
        """A mesh by kind and name."""
        found: Fitted = self.once(f"{kind}/{name}", lambda: self._fitted(kind, name))
        return found

    def _fitted(self, kind: str, name: str) -> Fitted:
        file = self.arrays(f"{kind}/{name}.npz")

        def whole(key: str) -> IntArray:
            return np.asarray(file[key], np.int32)

        def real(key: str) -> FloatArray:
            return np.asarray(file[key], np.float32)

        return Fitted(
            whole("bind_index"), real("bind_weight"), real("bind_offset"), whole("scale_verts"),
            real("scale_ref"), whole("faces"), whole("face_uvs"), real("uvs"), whole("face_comp"),
        )  # fmt: skip

    def once(self, key: str, make: Any) -> Any:
        """What make() returns, made once per key: for what does not depend on the person."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    @cached_property
    def body(self) -> dict[str, NDArray[Any]]:
        """body.npz: the base mesh, its groups, bones and skin weights."""
        return self.arrays("body.npz")

    @cached_property
    def vertex_labels(self) -> dict[str, NDArray[Any]]:
        """vertex_labels.npz: parts and labels of the base mesh's vertices."""
        return self.arrays("vertex_labels.npz")

    @cached_property
    def keypoints(self) -> dict[str, Any]:
        """keypoints.json: base vertices of each point, and which bones a BVH joint drives."""
        found: dict[str, Any] = json.loads(self.content("keypoints.json"))
        return found

    @cached_property
    def garments(self) -> dict[str, dict[str, Any]]:
        """garments.json: gender, slots with their components and textures of each garment."""
        found: dict[str, dict[str, Any]] = json.loads(self.content("garments.json"))
        return found

    @cached_property
    def targets(self) -> dict[str, NDArray[Any]]:
        """targets.npz: names, offsets, index, delta."""
        return self.arrays("targets.npz")

    @cached_property
    def target_names(self) -> dict[str, int]:
        """Name of a morph target -> its number."""
        return {str(name): number for number, name in enumerate(self.targets["names"])}

    @cached_property
    def bone_names(self) -> tuple[str, ...]:
        """The 79 bones, parents before children."""
        return tuple(str(name) for name in self.body["bone_names"])

    def group(self, name: str) -> NDArray[np.bool_]:
        """Which faces of the base mesh belong to a group ("body", "helper-tights", ...): bool (F,).

        Raises ValueError for an unknown group.
        """
        number = [str(n) for n in self.body["group_names"]].index(name)
        return np.asarray(self.body["face_group"] == number)


def open_assets(folder: str | Path) -> Assets:
    """The pack in a folder, its manifest read. Raises WeightsError where there is none."""
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        files = {name: dict(about) for name, about in manifest.items() if "sha256" in about}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise WeightsError(f"{folder} holds no human assets ({path}: {error}); {FETCH}") from error
    if "body.npz" not in files:
        raise WeightsError(f"{path} is not the human assets' manifest: no body.npz; {FETCH}")
    return Assets(Path(folder), files)
