"""Sheets put together into one surface: shared points, vertices split at uv seams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dance_synth.outfit import SLOTS
from dance_synth.parts import IntArray, Material
from dance_synth.surface import Sheet
from dancecli.types import FloatArray, UInt8Array

Charts = tuple[UInt8Array, FloatArray]
"""DensePose part (T,) and its U and V at the corners (T, 3, 2)."""


@dataclass(frozen=True, eq=False)
class Part:
    """A sheet of a person. slot: of its material. charts: of its triangles, None: no body.

    drawn, naked: whether it belongs to the dressed person, and to the undressed one. hangs: whether
    it is to be kept off the legs.
    """

    sheet: Sheet
    slot: str
    charts: Charts | None = None
    drawn: bool = True
    naked: bool = False
    hangs: bool = False


@dataclass(frozen=True, eq=False)
class Surface:
    """All parts as one: fields as in `Human`, where weld counts the rows of points (P, 3).

    hanging: rows of points of what hangs.
    """

    points: FloatArray
    bones: UInt8Array
    weights: FloatArray
    weld: IntArray
    uv: FloatArray
    triangles: IntArray
    material: UInt8Array
    materials: tuple[Material, ...]
    labels: UInt8Array
    part: UInt8Array
    part_uv: FloatArray
    naked: IntArray
    naked_part: UInt8Array
    naked_uv: FloatArray
    hanging: IntArray


def assembled(parts: Sequence[Part], materials: Mapping[str, Material]) -> Surface:
    """One surface of all parts. Parts whose points are one array, and uvs, share them."""
    used = [slot for slot in SLOTS if any(p.slot == slot and p.drawn for p in parts)]
    sheets = [part.sheet for part in parts]
    triangles, rows, whose = _numbered([s.points for s in sheets], [s.triangles for s in sheets])
    corners, uv_rows, uv_whose = _numbered([s.uvs for s in sheets], [s.corners for s in sheets])
    vertices, index = np.unique(triangles * len(uv_rows) + corners, return_inverse=True)
    index = index.reshape(-1, 3).astype(np.int32)
    owner = np.repeat(np.arange(len(parts)), [len(s.triangles) for s in sheets])
    drawn = np.array([part.drawn for part in parts])[owner]
    naked = np.array([part.naked for part in parts])[owner]
    slot = np.array([used.index(p.slot) if p.drawn else 0 for p in parts], np.uint8)[owner]
    part, part_uv = _all_charts(parts)
    return Surface(
        _gathered([s.points for s in sheets], rows, whose),
        _gathered([s.bones for s in sheets], rows, whose),
        _gathered([s.weights for s in sheets], rows, whose),
        (vertices // len(uv_rows)).astype(np.int32),
        _gathered([s.uvs for s in sheets], uv_rows, uv_whose)[vertices % len(uv_rows)],
        index[drawn], slot[drawn], tuple(materials[name] for name in used),
        np.concatenate([s.labels for s in sheets])[drawn], part[drawn], part_uv[drawn],
        index[naked], part[naked], part_uv[naked],
        np.flatnonzero(np.array([part.hangs for part in parts])[whose]).astype(np.int32),
    )  # fmt: skip


def _numbered(
    tables: Sequence[NDArray[Any]], users: Sequence[IntArray]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows that are used, numbered through: users' new numbers (T, 3); row and table of each."""
    starts = np.cumsum([0, *(len(table) for table in tables)])
    known: dict[int, int] = {}
    own = [known.setdefault(id(table), i) for i, table in enumerate(tables)]
    flat = np.concatenate([user + starts[i] for user, i in zip(users, own, strict=True)])
    rows, numbers = np.unique(flat, return_inverse=True)
    whose = np.asarray(np.searchsorted(starts, rows, side="right") - 1)
    return numbers.reshape(-1, 3).astype(np.int64), rows - starts[whose], whose


def _gathered(
    tables: Sequence[NDArray[Any]], rows: NDArray[np.int64], whose: NDArray[np.int64]
) -> Any:
    """The rows of their tables; rows are in the order of the tables."""
    return np.concatenate([table[rows[whose == i]] for i, table in enumerate(tables)])


def _all_charts(parts: Sequence[Part]) -> Charts:
    """Charts of all triangles; 0 for what is no body."""
    counts = [len(part.sheet.triangles) for part in parts]
    number = np.zeros(sum(counts), np.uint8)
    uv = np.zeros((sum(counts), 3, 2), np.float32)
    end = 0
    for part, count in zip(parts, counts, strict=True):
        if part.charts is not None:
            number[end : end + count], uv[end : end + count] = part.charts
        end += count
    return number, uv
