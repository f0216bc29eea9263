"""One JSON file of OpenPose -> people. Its content is not trusted.

The format: openpose:doc/02_output.md, "JSON Output Format".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dance_openpose.layout import FACE, HAND, ORDERS, skeleton
from dancecli.errors import MediaError
from dancecli.media.files import named, one_line
from dancecli.types import FloatArray, Skeleton

LARGEST = 16 << 20
"""Bytes of a file; a person takes some 4,000."""

MOST_PEOPLE = 1000

FARTHEST = 1e5
"""Pixels from the picture's origin; no picture is larger."""

REMEDY = "write it again with openpose --write_json"


def read_people(path: Path) -> list[Skeleton]:
    """The people of a frame in OpenPose's order, in pixels of the picture that it saw.

    Raises MediaError, one line with the file's name, for anything that OpenPose does not write.
    """
    people = _loaded(path)
    try:
        return [_person(each) for each in people]
    except ValueError as error:
        raise MediaError(f"{named(path)}: {error}; {REMEDY}") from None


def _loaded(path: Path) -> list[Any]:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise MediaError(f"{named(path)}: {size} bytes, no frame of OpenPose has so many")
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise MediaError(f"cannot read {named(path)}: {one_line(error)}") from error
    except (ValueError, RecursionError) as error:  # ValueError: bad UTF-8 and huge numbers too
        raise MediaError(f"{named(path)}: not JSON: {one_line(error)}; {REMEDY}") from None
    people = record.get("people") if isinstance(record, dict) else None
    if not isinstance(people, list) or len(people) > MOST_PEOPLE:
        raise MediaError(f"{named(path)}: no list 'people' as OpenPose writes it; {REMEDY}")
    return people


def _person(record: Any) -> Skeleton:
    if not isinstance(record, dict):
        raise ValueError(f"a person is {type(record).__name__}, not an object")
    body = _points(record, "pose_keypoints_2d", *ORDERS)
    if body is None:
        raise ValueError("a person has no pose_keypoints_2d")
    return skeleton(
        body,
        _points(record, "hand_left_keypoints_2d", HAND),
        _points(record, "hand_right_keypoints_2d", HAND),
        _points(record, "face_keypoints_2d", FACE),
    )


def _points(record: dict[str, Any], key: str, *counts: int) -> FloatArray | None:
    """(n, 3) of a flat list of x, y, score; None where it is absent or empty.

    Raises ValueError for another number of points, or for numbers that are none.
    """
    flat = record.get(key)
    if flat is None or flat == []:
        return None
    if not isinstance(flat, list) or len(flat) not in [3 * count for count in counts]:
        found = f"{len(flat)} numbers" if isinstance(flat, list) else type(flat).__name__
        wanted = " or ".join(str(3 * count) for count in counts)
        raise ValueError(f"{key} has {found}, {wanted} expected")
    if not all(type(number) in (int, float) and abs(number) < FARTHEST for number in flat):
        raise ValueError(f"{key} holds what is no coordinate and no score")
    return _checked(key, np.array(flat, np.float32).reshape(-1, 3))


def _checked(key: str, points: FloatArray) -> FloatArray:
    seen = points[points[:, 2] > 0]
    if len(seen) > 1 and np.abs(seen[:, :2]).max() <= 1:
        raise ValueError(f"{key} is in fractions of the picture: run openpose --keypoint_scale 0")
    return points
