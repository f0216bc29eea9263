"""What one frame of the driving video gave, and its exact form on disk."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import CacheError
from dancecli.motion.camera import Affine, identity
from dancecli.types import FloatArray, Skeleton

_ROWS = {"body": 25, "left_hand": 21, "right_hand": 21, "face": 70, "world": 25}


def _nothing() -> FloatArray:
    return np.zeros(0, np.float32)


@dataclass(frozen=True, eq=False)
class Observation:
    """One frame.

    skeleton: the tracked person, frame pixels; None where they were not found.
    camera: float64 (2, 3), the previous frame's pixels to this frame's; identity at the first
        frame and after a cut.
    cut: a scene begins here.
    appearance: float32 (n,), colour histogram of the clothes, empty where not seen.
    drift: float16 (137, 3), how the picture moved at the person's points since the previous frame
        and doubt of it, pixels (`flow.drift`); None where they are not in both frames or flow was
        not asked for.
    """

    skeleton: Skeleton | None = None
    camera: Affine = field(default_factory=identity)
    cut: bool = False
    appearance: FloatArray = field(default_factory=_nothing)
    drift: NDArray[np.float16] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values from which `from_json` gives the same bits."""
        skeleton = self.skeleton
        points = None if skeleton is None else {
            name: _pack(value) for name in _ROWS if (value := getattr(skeleton, name)) is not None
        }  # fmt: skip
        return {
            "skeleton": points,
            "camera": [float(v).hex() for v in self.camera.ravel()],
            "cut": self.cut,
            "appearance": _pack(self.appearance),
            "drift": None if self.drift is None else _pack(self.drift, "<f2"),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Observation:
        """The observation that `to_json` wrote; raises CacheError on anything else."""
        try:
            points = value["skeleton"]
            camera = np.array([float.fromhex(v) for v in value["camera"]]).reshape(2, 3)
            skeleton = None if points is None else Skeleton(
                **{name: _unpack(text).reshape(_ROWS[name], 3) for name, text in points.items()}
            )  # fmt: skip
            drift = value.get("drift")
            return cls(
                skeleton, camera, bool(value["cut"]), _unpack(value["appearance"]),
                None if drift is None else _unpack(drift, "<f2").reshape(137, 3),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
            raise CacheError(
                f"a cached pose is damaged ({error!r}); it is computed again"
            ) from error


def _pack(array: NDArray[np.floating[Any]], kind: str = "<f4") -> str:
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode("ascii")


def _unpack(text: str, kind: str = "<f4") -> NDArray[Any]:
    raw = base64.b64decode(text, validate=True)
    return np.frombuffer(raw, kind).astype(np.dtype(kind).newbyteorder("="))
