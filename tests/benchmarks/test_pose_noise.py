"""Measures what `dancecli/data/noise.py` calls SYNTHETIC (`make bench`; -s shows the figures)."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from dancecli import registry
from dancecli.data.people import Options, Person, View
from dancecli.data.rules import person_box
from dancecli.motion.body import height_of
from dancecli.stages import Settings
from dancecli.types import BODY_25, JOINT, SEEN, Frame, Skeleton

pytestmark = pytest.mark.bench

REPOSITORY = Path(__file__).resolve().parents[2]
ASSETS = Path(
    os.environ.get("DANCE_TEST_ASSETS", REPOSITORY.parent / "shared" / "assets" / "humans")
)
PEOPLE, FRAMES, JOINTS, TALL = 80, 2, 14, 150
"""People and frames of each; joints in view and pixels of height that a frame must have."""


def views() -> list[View]:
    reader = registry.load("dance.dataset", "synth", Settings())
    options = Options(people=PEOPLE, frames=FRAMES)
    people = [p for unit in reader.units(ASSETS, options)
              for p in reader.read(ASSETS, unit, options) if isinstance(p, Person)]  # fmt: skip
    return [view for person in people for view in person.views]


def usable(truth: Skeleton) -> bool:
    return bool((truth.body[:, 2] >= 1).sum() >= JOINTS and height_of(truth) >= TALL)


def errors(found: np.ndarray, truth: np.ndarray, height: float) -> np.ndarray:
    """(N, 2) of the points that are in sight and were seen, in heights; NaN for the others."""
    use = (truth[:, 2] >= 1) & (found[:, 2] >= SEEN)
    return np.where(use[:, None], (found - truth)[:, :2] / height, np.nan)


def exchanged(found: Skeleton, truth: Skeleton, joints: tuple[str, ...]) -> bool | None:
    """Whether left and right fit the truth better the other way round; None where they are near."""
    left, right = ([JOINT[f"{side}_{joint}"] for joint in joints] for side in ("left", "right"))
    a, b = found.body[left + right], truth.body[left + right]
    if min(a[:, 2].min() / SEEN, b[:, 2].min()) < 1:
        return None
    if np.linalg.norm(b[: len(left), :2] - b[len(left) :, :2], axis=1).max() < 0.04 * height_of(
        truth
    ):
        return None
    same = np.linalg.norm((a - b)[:, :2], axis=1).sum()
    return bool(np.linalg.norm((np.roll(a, len(left), 0) - b)[:, :2], axis=1).sum() < 0.7 * same)


def test_mediapipe_on_synthetic_people() -> None:
    if not ASSETS.is_dir():
        pytest.skip(f"no human asset pack in {ASSETS} (set DANCE_TEST_ASSETS)")
    pose = registry.load("dance.pose", "mediapipe", Settings())
    body, parts, lost, swaps = [], defaultdict(list), defaultdict(list), defaultdict(list)
    used = [view for view in views() if view.skeleton and usable(view.skeleton)]
    for view in used:
        truth = view.skeleton
        assert truth is not None and view.mask is not None
        box = person_box(view.mask)
        assert box is not None
        found = pose.extract(Frame(view.rgb), [box.grown(1.15).clipped(*view.rgb.shape[1::-1])])
        if not found:
            continue
        seen, height = found[0], height_of(truth)
        body.append(np.linalg.norm(errors(seen.body, truth.body, height), axis=1))
        for part in ("left_hand", "right_hand", "face"):
            known, there = getattr(truth, part), getattr(seen, part)
            shows = (known[:68, 2] >= 1).mean() >= 0.5
            lost[part.split("_")[-1], shows].append(there[:, 2].max() < SEEN)
            if shows and there[:, 2].max() >= SEEN:
                off = errors(there[:68], known[:68], height)
                apart = np.linalg.norm(off - np.nanmean(off, 0), axis=1)
                whole = np.linalg.norm(np.nanmean(off, 0))
                parts[part.split("_")[-1]].append((whole, np.nanmean(apart)))
        for limb in (("elbow", "wrist"), ("knee", "ankle")):
            swaps[limb].append(exchanged(seen, truth, limb))
    away = np.stack(body)
    print(f"\n{len(body)} of {len(used)} found; median {np.nanmedian(away):.4f} of the height")
    print("spread of frames", np.log(np.nanmean(away, 1)).std())
    for name, values in zip(BODY_25, away.T, strict=True):
        print(f"  {name:18} {np.nanmedian(values):.4f}")
    for name, values in parts.items():
        print(f"  {name}: as a whole, besides: {np.median(values, 0)}")
    for (name, shows), values in sorted(lost.items()):
        print(f"  {name} {'in sight' if shows else 'hidden'}: lost {np.mean(values):.2f}")
    for limb, values in swaps.items():
        told = [value for value in values if value is not None]
        print(f"  {limb} exchanged {sum(told)} of {len(told)}")
    assert len(body) > 0.9 * len(used), "most people are found at all"
