"""Motion clips in Biovision's BVH format, read with the suspicion that any file deserves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dance_synth.motion.rotations import Float64Array, about_axis
from dancecli.errors import MediaError

LONGEST_FILE = 64 << 20  # bytes; an hour of the usual 43 joints at 30 fps
MOST_JOINTS = 512
MOST_FRAMES = 1_000_000

_CHANNELS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")


@dataclass(frozen=True, eq=False)
class Clip:
    """A recorded motion.

    joints: J names, a parent before its children. parents: of each joint, -1 for the root.
    offsets: float64 (J, 3) from the parent in the zero pose, in the file's unit.
    root: float64 (F, 3), the root's positions, same unit. rotations: float64 (F, J, 3, 3), each
    joint's rotation within its parent. fps: frames per second.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Float64Array
    root: Float64Array
    rotations: Float64Array
    fps: float

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return (len(self.rotations) - 1) / self.fps


@dataclass(frozen=True)
class _Joint:
    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...]


class _Words:
    """The file word by word; whatever is missing or not as expected is an error that names it."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        if len(data) > LONGEST_FILE:
            raise self.error(f"is longer than {LONGEST_FILE >> 20} MB")
        if not data.isascii():
            raise self.error("is not a text of ASCII characters")
        self._words: Iterator[str] = iter(data.decode("ascii").split())

    def error(self, what: str) -> MediaError:
        return MediaError(f"Motion clip {self.name} {what}; a BVH file is needed")

    def next(self) -> str:
        word = next(self._words, None)
        if word is None:
            raise self.error("ends too early")
        return word

    def expect(self, *words: str) -> None:
        for wanted in words:
            found = self.next()
            if found.lower() != wanted.lower():
                raise self.error(f"has {found[:40]!r} where {wanted!r} was expected")

    def number(self) -> float:
        word = self.next()
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(f"has {word[:40]!r} where a number was expected")
        return value

    def count(self, most: int) -> int:
        value = self.number()
        if value != int(value) or not 0 <= value <= most:
            raise self.error(f"has {value:g} where a whole number up to {most} was expected")
        return int(value)

    def rest(self) -> list[str]:
        return list(self._words)


def read_bvh(path: Path) -> Clip:
    """The clip in a BVH file. Raises MediaError as `parse_bvh`, and for an unreadable file."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise MediaError(f"Cannot read motion clip {path}: {error.strerror}") from error
    return parse_bvh(path.stem, data)


def parse_bvh(name: str, data: bytes) -> Clip:
    """The clip in the bytes of a BVH file.

    A joint's rotation is the product of its channels' rotations in the order of its CHANNELS
    line, which may differ from joint to joint.

    Raises MediaError for anything that is not a whole, finite BVH file of sensible size.
    """
    words = _Words(name, data)
    words.expect("HIERARCHY", "ROOT")
    joints = _hierarchy(words)
    words.expect("Frames:")
    frames = words.count(MOST_FRAMES)
    words.expect("Frame", "Time:")
    step = words.number()
    if frames < 1 or not 1e-4 <= step <= 10:
        raise words.error(f"has {frames} frames of {step:g} s")
    return _clip(name, joints, _values(words, frames, joints), 1 / step)


def _hierarchy(words: _Words) -> list[_Joint]:
    joints: list[_Joint] = []
    open_joints = [-1]
    _open_joint(words, joints, open_joints)
    while len(open_joints) > 1:
        word = words.next().lower()
        if word == "joint":
            _open_joint(words, joints, open_joints)
        elif word == "end":
            words.expect("Site", "{", "OFFSET")
            _ = [words.number() for _ in range(3)]
            words.expect("}")
        elif word == "}":
            open_joints.pop()
        else:
            raise words.error(f"has {word[:40]!r} inside its hierarchy")
    words.expect("MOTION")
    return joints


def _open_joint(words: _Words, joints: list[_Joint], open_joints: list[int]) -> None:
    name = words.next()
    if len(joints) == MOST_JOINTS or any(joint.name == name for joint in joints):
        raise words.error(f"repeats joint {name[:40]!r} or has more than {MOST_JOINTS}")
    words.expect("{", "OFFSET")
    offset = (words.number(), words.number(), words.number())
    words.expect("CHANNELS")
    channels = tuple(words.next() for _ in range(words.count(6)))
    if len(set(channels)) < len(channels) or not set(channels) <= set(_CHANNELS):
        raise words.error(f"has channels {' '.join(channels)[:80]!r} at joint {name[:40]!r}")
    joints.append(_Joint(name, open_joints[-1], offset, channels))
    open_joints.append(len(joints) - 1)


def _values(words: _Words, frames: int, joints: list[_Joint]) -> Float64Array:
    """The motion table, (frames, channels)."""
    width = sum(len(joint.channels) for joint in joints)
    rest = words.rest()
    if len(rest) != frames * width:
        raise words.error(f"has {len(rest)} values for {frames} frames of {width} channels")
    try:
        table = np.array(rest, np.float64).reshape(frames, width)
    except ValueError as problem:
        raise words.error("has a motion table that is not all numbers") from problem
    if not np.isfinite(table).all():
        raise words.error("has a motion table that is not all finite")
    return table


def _clip(name: str, joints: list[_Joint], table: Float64Array, fps: float) -> Clip:
    frames = len(table)
    rotations = np.tile(np.eye(3), (frames, len(joints), 1, 1))
    root = np.tile(np.array(joints[0].offset), (frames, 1))
    column = 0
    for number, joint in enumerate(joints):
        for channel in joint.channels:
            axis, values = "XYZ".index(channel[0]), table[:, column]
            column += 1
            if channel.endswith("rotation"):
                rotations[:, number] = rotations[:, number] @ about_axis(axis, np.radians(values))
            elif number == 0:
                root[:, axis] = values
    return Clip(
        name, tuple(joint.name for joint in joints), tuple(joint.parent for joint in joints),
        np.array([joint.offset for joint in joints]), root, rotations, fps,
    )  # fmt: skip
