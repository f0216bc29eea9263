"""`--poses FILE`: the track as JSON that people can read, edit, or bring from OpenPose.

    {"version": 1, "tool": "...", "fps": "30000/1001", "width": 640, "height": 360,
     "frames": [{"time": 0.0, "state": "seen", "cut": false, "camera": [6 numbers],
                 "people": [{"pose_keypoints_2d": [75], "hand_left_keypoints_2d": [63],
                             "hand_right_keypoints_2d": [63], "face_keypoints_2d": [210],
                             "pose_keypoints_3d": [100]}]}]}

Keypoints are OpenPose's: x, y, confidence in pixels of the video; 3-D ones are x, y, z in metres
about the hips (y down, z away from the camera) and 1, or four zeros where unknown. `camera` maps
the frame's pixels to those of the first frame of its scene. All but `people` may be left out of a
frame, all but the body out of a person, and a frame may show nobody: it is then filled in. A list
of OpenPose's own files ({"people": [...]}) is read as well.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import MediaError, UsageError
from dancecli.motion.camera import Affine, compose, identity, inverse
from dancecli.motion.observation import Observation
from dancecli.motion.track import State, Track, build_track
from dancecli.types import FloatArray, Skeleton

VERSION = 1
MAX_BYTES = 1 << 30
MAX_FRAMES = 500_000
MAX_SIDE = 16_384
MAX_NUMBER = 1e6

_PARTS = {
    "pose_keypoints_2d": ("body", 25),
    "hand_left_keypoints_2d": ("left_hand", 21),
    "hand_right_keypoints_2d": ("right_hand", 21),
    "face_keypoints_2d": ("face", 70),
}


def write_poses(path: Path, track: Track, tool: str = "dance") -> None:
    """The track as JSON; `read_poses` gives the same numbers. Raises MediaError when it cannot be
    written; nothing half-written is left."""
    width, height = track.size
    head = {"version": VERSION, "tool": tool, "fps": str(track.fps), "width": width,
            "height": height}  # fmt: skip
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(json.dumps(head)[:-1] + ', "frames": [\n')
            for index, frame in enumerate(_frames(track)):
                file.write((",\n" if index else "") + json.dumps(frame))
            file.write("\n]}\n")
        aside.replace(path)
    except OSError as error:
        raise MediaError(f"poses cannot be written to {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _frames(track: Track) -> Iterator[dict[str, Any]]:
    cuts = set(track.cuts)
    for index, skeleton in enumerate(track.skeletons):
        yield {
            "time": float(index / track.fps),
            "state": State(int(track.state[index])).name.lower(),
            "cut": index in cuts,
            "camera": track.camera[index].ravel().tolist(),
            "people": [_person(skeleton)],
        }


def _person(skeleton: Skeleton) -> dict[str, list[float]]:
    person = {key: _numbers(getattr(skeleton, name)) for key, (name, _) in _PARTS.items()}
    if skeleton.world is not None:
        known = np.isfinite(skeleton.world).all(1, keepdims=True)
        world = np.where(known, skeleton.world, np.float32(0))
        person["pose_keypoints_3d"] = _numbers(np.hstack([world, known]).astype(np.float32))
    return person


def _numbers(array: FloatArray) -> list[float]:
    """The shortest decimals that read back as the same float32."""
    return [float(text) for text in array.ravel().astype(str)]


def read_poses(
    path: Path, *, fps: Fraction | None = None, size: tuple[int, int] | None = None
) -> Track:
    """The track of a file written by `write_poses`, by hand or by OpenPose.

    `fps` and `size` of the video stand in for what the file does not say. Of several people in a
    frame the first counts. Raises MediaError, naming the field and the frame, for a file that is
    not such a file or holds impossible values; UsageError if the rate or the size is said nowhere;
    NoPersonError if no frame shows anybody.
    """
    reader = _Reader(path)
    document = reader.load()
    if isinstance(document, list):
        document = {"frames": document}
    if not isinstance(document, dict):
        reader.fail("an object or a list is needed at the top")
    if document.get("version", VERSION) != VERSION:
        reader.fail(f"version {document['version']!r} is unknown, this dance reads {VERSION}")
    fps = reader.rate(document.get("fps"), fps)
    size = reader.size(document, size)
    frames = document.get("frames")
    if not isinstance(frames, list) or not 0 < len(frames) <= MAX_FRAMES:
        reader.fail(f"frames: a list of 1-{MAX_FRAMES} frames is needed")
    return _track(reader, frames, fps, size)


def _track(reader: _Reader, frames: Sequence[Any], fps: Fraction, size: tuple[int, int]) -> Track:
    people, states, cuts, cameras = [], [], [], []
    for index, frame in enumerate(frames):
        reader.frame = index
        if not isinstance(frame, dict):
            reader.fail("an object is needed")
        people.append(reader.skeleton(frame.get("people")))
        states.append(reader.state(frame.get("state", "seen")))
        cuts.append(reader.flag(frame.get("cut", False)) and index > 0)
        cameras.append(reader.camera(frame.get("camera")))
    observations = [
        Observation(skeleton, _step(cameras, cuts, index), cuts[index])
        for index, skeleton in enumerate(people)
    ]
    track = build_track(observations, fps, size, smooth=0.0, given=True)
    # What is given stands as it is; the track's is what was to be filled in.
    given = np.array([skeleton is not None for skeleton in people])
    return replace(
        track,
        skeletons=tuple(own or made for own, made in zip(people, track.skeletons, strict=True)),
        state=np.where(given, np.array(states, np.uint8), track.state),
        camera=np.stack(cameras),
    )


def _step(cameras: Sequence[Affine], cuts: Sequence[bool], index: int) -> Affine:
    """The previous frame's pixels to this frame's."""
    if index == 0 or cuts[index]:
        return identity()
    return compose(inverse(cameras[index]), cameras[index - 1])


class _Reader:
    """Checks values of one file; `fail` names the file and the frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frame: int | None = None

    def fail(self, why: str) -> NoReturn:
        where = "" if self.frame is None else f", frame {self.frame}"
        raise MediaError(f"poses {self.path}{where}: {why}")

    def load(self) -> Any:
        try:
            size = self.path.stat().st_size
            if size > MAX_BYTES:
                self.fail(f"{size} bytes are more than {MAX_BYTES}")
            with self.path.open(encoding="utf-8-sig") as file:
                return json.load(file)
        except OSError as error:
            self.fail(f"cannot be read: {error.strerror or error}")
        except (ValueError, RecursionError) as error:
            self.fail(f"is not JSON: {error}")

    def rate(self, value: Any, video: Fraction | None) -> Fraction:
        if value is None and video is None:
            raise UsageError(f"poses {self.path}: fps is missing; add it or give the video")
        if value is None and video is not None:
            return video
        try:
            if isinstance(value, bool):
                raise TypeError
            rate = Fraction(value) if isinstance(value, int | str) else \
                Fraction(float(value)).limit_denominator(1001)  # fmt: skip
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            self.fail(f'fps: a rate such as 25 or "30000/1001" is needed, not {value!r:.40}')
        if not 0 < rate <= 1000:
            self.fail(f"fps: {value!r:.40} is not between 0 and 1000")
        return rate

    def size(self, document: Mapping[str, Any], video: tuple[int, int] | None) -> tuple[int, int]:
        if "width" not in document and "height" not in document and video is None:
            raise UsageError(f"poses {self.path}: width and height are missing; add them")
        given = dict(zip(("width", "height"), video or (None, None), strict=True))
        sides = []
        for name in ("width", "height"):
            side = document.get(name, given[name])
            if isinstance(side, bool) or not isinstance(side, int) or not 0 < side <= MAX_SIDE:
                self.fail(f"{name}: an integer of 1-{MAX_SIDE} is needed, not {side!r:.40}")
            sides.append(side)
        return sides[0], sides[1]

    def skeleton(self, people: Any) -> Skeleton | None:
        if not isinstance(people, list):
            self.fail("people: a list is needed")
        if not people:
            return None
        person = people[0]
        if not isinstance(person, dict):
            self.fail("people[0]: an object is needed")
        if "pose_keypoints_2d" not in person:
            self.fail("people[0].pose_keypoints_2d is missing")
        parts = {
            name: self._points(person[key], key, count)
            for key, (name, count) in _PARTS.items()
            if person.get(key)
        }
        if "body" not in parts:
            self.fail("people[0].pose_keypoints_2d: 75 numbers are needed, none found")
        skeleton = Skeleton(**parts, world=self._world(person.get("pose_keypoints_3d")))
        return skeleton if (skeleton.points()[:, 2] > 0).any() else None

    def _points(self, values: Any, key: str, count: int) -> FloatArray:
        points = self._array(values, f"people[0].{key}", 3 * count).reshape(count, 3)
        if points[:, 2].min() < 0 or points[:, 2].max() > 1.5:  # OpenPose exceeds 1 a little
            self.fail(f"people[0].{key}: a confidence is not between 0 and 1")
        points[:, 2] = np.minimum(points[:, 2], 1.0)
        return points.astype(np.float32)

    def _world(self, values: Any) -> FloatArray | None:
        if not values:
            return None
        rows = self._array(values, "people[0].pose_keypoints_3d", 100).reshape(25, 4)
        return np.where(rows[:, 3:] > 0, rows[:, :3], np.nan).astype(np.float32)

    def _array(self, values: Any, name: str, count: int) -> NDArray[np.float64]:
        if not isinstance(values, list) or len(values) != count:
            found = len(values) if isinstance(values, list) else type(values).__name__
            self.fail(f"{name}: {count} numbers are needed, found {found}")
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | float) or not (
                math.isfinite(value) and abs(value) <= MAX_NUMBER
            ):  # fmt: skip
                self.fail(f"{name}: {value!r:.40} is not a number within {MAX_NUMBER:g}")
        return np.array(values, np.float64)

    def state(self, value: Any) -> int:
        names = [state.name.lower() for state in State]
        if value not in names:
            self.fail(f"state: {value!r:.40} is unknown, say {', '.join(names)}")
        return int(State[value.upper()])

    def flag(self, value: Any) -> bool:
        if not isinstance(value, bool):
            self.fail(f"cut: true or false is needed, not {value!r:.40}")
        return bool(value)

    def camera(self, values: Any) -> Affine:
        if values is None:
            return identity()
        affine = self._array(values, "camera", 6).reshape(2, 3)
        if not 1e-4 < float(np.linalg.det(affine[:, :2])) < 1e4:
            self.fail("camera: the map cannot be undone, or it is a mirror")
        return affine
