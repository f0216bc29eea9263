"""What `openpose --write_json` writes, made on the spot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dance_openpose.layout import COCO_18

from dancecli.figures import standing_skeleton
from dancecli.types import JOINT, FloatArray, Skeleton


def figure(width: int = 200, height: int = 320, score: float = 0.8) -> Skeleton:
    """A standing person with hands and a face, each point somewhere of its own."""
    body = standing_skeleton(width, height).body.copy()
    body[:, 2] = score

    def spread(count: int, joint: str) -> FloatArray:
        xy = body[JOINT[joint], :2] + np.arange(count)[:, None] * (0.1, 0.2)
        return np.column_stack([xy, np.full(count, score)]).astype(np.float32)

    hands = spread(21, "left_wrist"), spread(21, "right_wrist")
    return Skeleton(body, *hands, spread(70, "nose"))


def record(person: Skeleton, coco: bool = False) -> dict[str, Any]:
    """A person of the JSON; coco: of the model with 18 joints."""
    body = person.body[[JOINT[name] for name in COCO_18]] if coco else person.body
    parts = {
        "pose_keypoints_2d": body, "face_keypoints_2d": person.face,
        "hand_left_keypoints_2d": person.left_hand, "hand_right_keypoints_2d": person.right_hand,
    }  # fmt: skip
    empty: dict[str, Any] = {"person_id": [-1], "pose_keypoints_3d": []}
    return empty | {key: np.round(points, 3).ravel().tolist() for key, points in parts.items()}


def write_record(path: Path, people: Sequence[Skeleton], coco: bool = False) -> Path:
    """One file of a frame."""
    found = {"version": 1.3, "people": [record(person, coco) for person in people]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    return path
