"""A saved foreground: whether it is one, what made it, and on which terms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dancecli import licences
from dancecli.errors import LicenceError, MediaError
from dancecli.media import VideoStream
from dancecli.media.files import named
from dancecli.media.pixels import keeps_alpha
from dancecli.media.probe import opened
from dancecli.provenance import sidecar_path
from dancecli.types import FloatArray

SIDECAR_LIMIT = 200_000_000
"""Bytes of a foreground's sidecar beyond which it is not one of ours."""

BACKEND = "dance.backend"


@dataclass(frozen=True, eq=False)
class Made:
    """What a foreground's sidecar says.

    plugins, licences, seed, weights: as it has them. landmarks: of the face, float32 (70, 3) per
    frame, or None.
    """

    plugins: tuple[dict[str, Any], ...]
    licences: tuple[str, ...]
    seed: int
    weights: Any
    landmarks: tuple[FloatArray | None, ...]

    @property
    def backend(self) -> str:
        """The name of the one that painted it."""
        return str(next(p["name"] for p in self.plugins if p["group"] == BACKEND))

    def terms(self) -> Iterator[tuple[str, bool | None, str]]:
        """(what it was made with, whether commercial use is allowed, its licence)."""
        about = self.weights if isinstance(self.weights, Mapping) else {}
        if self.weights:
            name = about.get("name") if about else self.weights
            licence = about.get("licence") or "none declared"
            yield f"the weights '{name}'", about.get("commercial"), licence
        for plugin in self.plugins:
            commercial = plugin.get("commercial")
            if plugin["group"] == BACKEND and commercial is None:
                commercial = about.get("commercial")  # a backend's terms may be its weights'
            what = f"{plugin['group']} '{plugin['name']}'"
            yield what, commercial, plugin.get("licence") or "none declared"


def open_foreground(path: Path) -> VideoStream:
    """Raises MediaError for what is no video, or shows nothing of what is put behind it."""
    if path.is_dir():
        raise MediaError(
            f"{named(path)} is a folder: composite takes the .mov, .webm or .gif that "
            "--save-foreground wrote; run dance reenact again with --save-foreground FILE.mov"
        )
    video = VideoStream(path)
    if not (_keeps_alpha(path) and any((f[..., 3] < 255).any() for f in video.frames_rgba())):
        raise MediaError(
            f"{named(path)} has no transparency: give the file that --save-foreground wrote"
        )
    return video


def _keeps_alpha(path: Path) -> bool:
    """Whether its format can hold alpha."""
    with opened(path) as (_, stream):
        return keeps_alpha(stream)


def refuse_terms(wanted: str, foreground: Path, made: Made | None) -> None:
    """Raises LicenceError when `wanted` is "commercial" and what made it may not be used so."""
    if wanted == licences.ANY:
        return
    if made is None:
        raise LicenceError(
            f"--licence commercial refuses {named(foreground)}: nothing is known of its terms "
            f"without its sidecar {named(sidecar_path(foreground))}; put that beside it, or leave "
            "--licence out"
        )
    for what, commercial, licence in made.terms():
        made_with = f"{named(foreground)}, made with {_shown(what)}"
        licences.refuse(wanted, made_with, commercial, _shown(licence))


def _shown(text: str) -> str:
    """Part of a one-line message, whatever a sidecar holds."""
    return "".join(c if c.isprintable() else " " for c in text[:200])


def read_sidecar(foreground: Path) -> Made | None:
    """What is saved beside it; None where nothing is.

    Raises MediaError for a sidecar that is not one of ours.
    """
    path = sidecar_path(foreground)
    if not path.exists():
        return None
    try:
        if path.stat().st_size > SIDECAR_LIMIT:
            raise ValueError("it is too large")
        return _made(json.loads(path.read_text(encoding="utf-8")))
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, StopIteration,
        OverflowError,
    ) as error:  # fmt: skip
        raise MediaError(
            f"{named(path)} is not the sidecar of a saved foreground ({error}); "
            "remove it to composite without refining the face"
        ) from error


def _made(data: dict[str, Any]) -> Made:
    plugins = tuple(dict(plugin) for plugin in data["plugins"])
    made = Made(
        plugins, tuple(str(licence) for licence in data.get("licences", ())),
        int(data.get("seed", 0)), data.get("weights"),
        tuple(_points(points) for points in data["landmarks"]),
    )  # fmt: skip
    for _, commercial, licence in made.terms():
        if commercial not in (True, False, None) or not isinstance(licence, str):
            raise ValueError("its terms are damaged")
    if not made.backend:
        raise ValueError("it names no backend")
    return made


def _points(values: Any) -> FloatArray | None:
    if values is None:
        return None
    points = np.array(values, np.float32)
    if points.shape != (70, 3) or not np.isfinite(points).all():
        raise ValueError(f"landmarks of shape {points.shape}")
    return points
