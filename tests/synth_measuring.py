"""How far a pose extractor is from the truth of rendered people: what a noise model needs.

python tests/synth_measuring.py ASSETS OUT.json [FRAMES]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.data.people import Options, Person, View
from dancecli.motion.body import height_of
from dancecli.stages import Settings
from dancecli.types import BODY_25, SEEN, Frame, Skeleton

GROUPS = {name.split("_")[-1] if "toe" not in name else "toe" for name in BODY_25}
GROUPS = sorted(GROUPS)

MISSED = 0.25
"""Median error, in heights, from which what was found is not this person."""


def full_views(assets: Path, count: int, seed: int = 0) -> Iterator[View]:
    """Frames of people alone, in full view of the camera (at least 22 points inside)."""
    from dance_synth.reader import SynthReader

    reader, options = (
        SynthReader(Settings()),
        Options(people=10 * count, frames=2, seed=seed, set={"others": "0", "things": "0"}),
    )
    left = count
    for unit in reader.units(assets, options):
        for person in reader.read(assets, unit, options):
            assert isinstance(person, Person)
            for view, about in zip(person.views, person.about["frames"], strict=True):
                whole = about["shot"] == "full" and (view.skeleton.body[:, 2] > 0).all()
                if whole and left:
                    left -= 1
                    yield view
        if not left:
            return


def found_in(view: View, extractor: Any) -> Skeleton | None:
    """The extractor's skeleton that is this person's, None where there is none."""
    people = extractor.extract(Frame(view.rgb))
    errors = [np.nanmedian(_errors(view.skeleton, each)) for each in people]
    errors = [error if np.isfinite(error) else 9.0 for error in errors]
    best = int(np.argmin(errors)) if errors else 0
    return people[best] if errors and errors[best] < MISSED else None


def _errors(truth: Skeleton, found: Skeleton) -> NDArray[np.float64]:
    """Distances (25,) in heights, NaN where one of them has no point."""
    apart = np.hypot(*(found.body[:, :2] - truth.body[:, :2]).T) / height_of(truth)
    there = (truth.body[:, 2] > 0) & (found.body[:, 2] >= SEEN)
    return np.where(there, apart, np.nan)


def swapped(truth: Skeleton, found: Skeleton, parts: tuple[str, ...]) -> bool | None:
    """Whether left and right are exchanged; None where they are too close to tell."""
    left, right = (
        [BODY_25.index(f"{side}_{part}") for part in parts] for side in ("left", "right")
    )
    a, b = truth.body[left, :2], truth.body[right, :2]
    if np.hypot(*(a - b).T).mean() < 0.08 * height_of(truth):
        return None
    p, q = found.body[left, :2], found.body[right, :2]
    own = np.hypot(*(p - a).T).sum() + np.hypot(*(q - b).T).sum()
    return bool(np.hypot(*(p - b).T).sum() + np.hypot(*(q - a).T).sum() < own)


def measure(pairs: list[tuple[View, Skeleton | None]]) -> dict[str, Any]:
    """Shares and, in body heights, mean, median and 95th percentile of distances."""
    hits = [(view.skeleton, found) for view, found in pairs if found is not None]
    errors = np.stack([_errors(*pair) for pair in hits])
    truths = np.stack([truth.body[:, 2] for truth, _ in hits])
    doubts = np.stack([found.body[:, 2] for _, found in hits])
    of_frame = np.nanmean(np.where(truths > 0, errors, np.nan), 1)
    out: dict[str, Any] = {
        "frames": len(pairs), "found": len(hits) / len(pairs),
        "frame_error": {"mean": of_frame.mean(), "median": float(np.median(of_frame)),
                        "log_spread": float(np.log(of_frame).std()), "largest": of_frame.max()},
    }  # fmt: skip
    for group in GROUPS:
        rows = [k for k, name in enumerate(BODY_25) if name.endswith(group)]
        for state, seen in (("seen", truths[:, rows] == 1), ("hidden", truths[:, rows] == 0.5)):
            lost = (doubts[:, rows] < SEEN)[seen]
            here = errors[:, rows][seen]
            out.setdefault(group, {})[state] = _summary(here) | {
                "lost": float(lost.mean()) if lost.size else None,
                "confidence": float(doubts[:, rows][seen].mean()) if lost.size else None,
            }
    for name in ("left_hand", "right_hand", "face"):
        out[name] = _part(hits, name)
    for name, parts in (("arms", ("elbow", "wrist")), ("legs", ("knee", "ankle"))):
        told = [s for s in (swapped(*pair, parts) for pair in hits) if s is not None]
        out[f"{name}_swapped"] = {"share": float(np.mean(told)), "of": len(told)}
    return out


def _part(hits: list[tuple[Skeleton, Skeleton]], name: str) -> dict[str, Any]:
    """Of hands or faces of which at least half shows: how often found, and how far off."""
    showing = [(getattr(t, name), getattr(f, name), height_of(t)) for t, f in hits
               if (getattr(t, name)[:, 2] == 1).mean() >= 0.5]  # fmt: skip
    hidden = [getattr(f, name) for t, f in hits if (getattr(t, name)[:, 2] == 1).mean() < 0.5]
    there = [each for each in showing if (each[1][:, 2] > 0).any()]
    apart = [np.hypot(*(f[:, :2] - t[:, :2]).T) / height for t, f, height in there]
    return _summary(np.array(apart).ravel()) | {
        "showing": len(showing), "found": len(there) / max(len(showing), 1),
        "found_though_hidden": float(np.mean([(f[:, 2] > 0).any() for f in hidden]))
        if hidden else None,
    }  # fmt: skip


def _summary(values: NDArray[np.float64]) -> dict[str, Any]:
    values = values[np.isfinite(values)]
    if not values.size:
        return {"count": 0}
    middle, high = np.percentile(values, [50, 95])
    return {
        "count": int(values.size), "mean": float(values.mean()),
        "median": float(middle), "p95": float(high),
    }  # fmt: skip


def main() -> None:
    """See the module."""
    from dance_mediapipe.pose import MediaPipePose

    assets, out = Path(sys.argv[1]), Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    extractor = MediaPipePose(Settings())
    pairs = [(view, found_in(view, extractor)) for view in full_views(assets, count)]
    out.write_text(json.dumps(measure(pairs), indent=1, default=float))


if __name__ == "__main__":
    main()
