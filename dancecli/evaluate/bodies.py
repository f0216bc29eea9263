"""Metrics of what perception networks see in two pictures: silhouettes, parts, joints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.types import JOINT, SEEN, BoolArray, Skeleton, UInt8Array

SEMANTIC = range(1, 20)
"""Labels that SSIS compares: the paper's parser has no hands (method.md I)."""

DENSE = range(1, 25)
"""Parts that DPIS compares."""

_COCO = {
    "nose": 0.026, "left_eye": 0.025, "right_eye": 0.025, "left_ear": 0.035, "right_ear": 0.035,
    "left_shoulder": 0.079, "right_shoulder": 0.079, "left_elbow": 0.072, "right_elbow": 0.072,
    "left_wrist": 0.062, "right_wrist": 0.062, "left_hip": 0.107, "right_hip": 0.107,
    "left_knee": 0.087, "right_knee": 0.087, "left_ankle": 0.089, "right_ankle": 0.089,
}  # fmt: skip
"""COCO's constants (cocodataset/cocoapi: pycocotools/cocoeval.py); kappa is twice these."""


def iou(real: BoolArray, fake: BoolArray) -> float:
    """Intersection over union of masks (H, W), 0 to 1; NaN for two empty ones."""
    union = int((real | fake).sum())
    return int((real & fake).sum()) / union if union else math.nan


def _parts_iou(real: NDArray[Any], fake: NDArray[Any], parts: range) -> tuple[float, float]:
    """Mean IoU over parts in both conventions: `all` (absent = 0) and `present` (in either).

    real, fake: part numbers (H, W). `present` is NaN when neither shows any part.
    """
    each = [iou(real == part, fake == part) for part in parts]
    present = [value for value in each if not math.isnan(value)]
    mean = sum(present) / len(present) if present else math.nan
    return sum(present) / len(parts), mean


def labels_seen(real: UInt8Array, fake: UInt8Array) -> dict[str, float]:
    """SSBS and SSIS of two label maps (H, W), 0 to 1; hands count as arms."""
    everything, present = _parts_iou(_armed(real), _armed(fake), SEMANTIC)
    return {
        "ssbs": iou(real > 0, fake > 0), "ssis_all": everything, "ssis_present": present
    }  # fmt: skip


def _armed(labels: UInt8Array) -> UInt8Array:
    """Hands as arms, as in the paper's 20 labels."""
    table = np.arange(256, dtype=np.uint8)
    table[20], table[21] = 14, 15
    return table[labels]


def dense_seen(real: NDArray[Any], fake: NDArray[Any]) -> dict[str, float]:
    """DPBS and DPIS of two IUV pictures (H, W, 3)."""
    everything, present = _parts_iou(real[..., 0], fake[..., 0], DENSE)
    return {
        "dpbs": iou(real[..., 0] > 0, fake[..., 0] > 0),
        "dpis_all": everything, "dpis_present": present,
    }  # fmt: skip


def joints_seen(real: Skeleton, fake: Skeleton | None, area: float) -> dict[str, float]:
    """PCK and OKS; a fake without a person, or without a joint, is wrong there.

    area: of the real person in pixels. NaN where the real frame shows no joints.
    """
    seen = real.body[:, 2] >= SEEN
    if not seen.any():
        return {"pck_05": math.nan, "pck_10": math.nan, "oks": math.nan}
    far = np.full(len(seen), np.inf)
    if fake is not None:
        both = seen & (fake.body[:, 2] >= SEEN)
        far[both] = np.linalg.norm(real.body[both, :2] - fake.body[both, :2], axis=1)
    box = real.box()
    tall = box.height if box else math.nan
    return {
        "pck_05": float((far[seen] <= 0.05 * tall).mean()),
        "pck_10": float((far[seen] <= 0.10 * tall).mean()),
        "oks": _oks(far, seen, area),
    }


def _oks(far: NDArray[Any], seen: NDArray[Any], area: float) -> float:
    rows = [JOINT[name] for name in _COCO]
    use = seen[rows]
    if not use.any() or area <= 0:
        return math.nan
    spread = 2 * np.array(list(_COCO.values()))
    each = np.exp(-(far[rows] ** 2) / (2 * area * spread**2))
    return float(each[use].mean())
