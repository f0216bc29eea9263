"""FAN and S3FD as the package face-alignment builds them, from files that are here."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch

from dancecli.errors import PluginError, WeightsError
from dancecli.keypoints import calibrated
from dancecli.media.files import one_line
from dancecli.types import SEEN, Box, FloatArray, UInt8Array

CROP_SIDE, CROP_SCALE = 512, 2.4
"""Pixels of a face's crop, and its side over that of the face; FAN looks at 2.05 faces, and rounds
its points to whole pixels."""

SMALLEST = 320
"""Pixels a side below which a picture is enlarged before faces are looked for."""


class Networks:
    """Where faces are, and the 68 points of one."""

    def __init__(self, library: ModuleType, fan: Path, s3fd: Path, device: str) -> None:
        """library: face_alignment. fan, s3fd: files. device: for torch.

        Raises PluginError for a library too old, WeightsError for files of other networks.
        """
        try:
            self._aligner = _class(library, fan)(
                library.LandmarksType.TWO_D, device=device, flip_input=True, compile=False,
                face_detector="sfd", face_detector_kwargs={"path_to_detector": str(s3fd)},
            )  # fmt: skip
        except PluginError:
            raise
        except Exception as error:
            raise WeightsError(
                f"{fan} and {s3fd} are not the weights of 2D-FAN and S3FD: {one_line(error)}"
            ) from error

    def faces(self, rgb: UInt8Array) -> list[Box]:
        """Faces of a picture, RGB (H, W, 3), the surest first, in its pixels."""
        scale = max(1.0, SMALLEST / min(rgb.shape[:2]))
        size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
        shown = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC) if scale > 1 else rgb
        found = self._aligner.face_detector.detect_from_image(shown)
        return [Box(*(float(v) / scale for v in face[:4])) for face in found]

    def points(self, rgb: UInt8Array, face: Box) -> FloatArray:
        """(68, 3) of a face, in the picture's pixels."""
        side = CROP_SCALE * max(face.width, face.height)
        scale, (x, y) = CROP_SIDE / side, face.center
        left, top = x - side / 2, y - side / 2
        to_crop = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        crop = cv2.warpAffine(rgb, to_crop, (CROP_SIDE, CROP_SIDE))
        box = [
            (face.left - left) * scale, (face.top - top) * scale,
            (face.right - left) * scale, (face.bottom - top) * scale,
        ]  # fmt: skip
        (xy,), (scores,), _ = self._aligner.get_landmarks_from_image(
            crop, detected_faces=[box], return_landmark_score=True
        )
        return landmarks(xy / scale + (left, top), scores)


def landmarks(xy: FloatArray, scores: FloatArray) -> FloatArray:
    """(68, 3) of FAN's points (68, 2) and the heights of its maps (68,).

    The maps of the picture and of its mirror image are added, so that 2 is full height.
    """
    return calibrated(np.column_stack([xy, scores / 2]), SEEN)


def _class(library: ModuleType, fan: Path) -> Any:
    """The library's class, which would fetch FAN by itself, with the file that is here."""
    if not hasattr(library.FaceAlignment, "_load_native"):
        raise PluginError(
            "plugin 'fan' needs face-alignment 1.5 or newer; install it: "
            "pip install -U --no-deps face-alignment"
        )

    class FromFile(library.FaceAlignment):  # type: ignore[misc, name-defined]
        def _load_native(self, name: str, size: int, device: str, dtype: torch.dtype) -> Any:
            network = library.api.FAN(size)
            network.load_state_dict(torch.load(fan, map_location="cpu", weights_only=True))
            return network.to(device, dtype=dtype).eval()

    return FromFile
