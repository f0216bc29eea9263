"""The detector of people and the whole-body network, as rtmlib runs them."""

from __future__ import annotations

import contextlib
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np

from dance_rtmpose.layout import POINTS
from dancecli.errors import UsageError, WeightsError
from dancecli.keypoints import calibrated
from dancecli.media.files import named, one_line
from dancecli.types import Box, FloatArray, UInt8Array

PERSON = 0
"""Number of people among the 80 classes of COCO."""

PERSON_SEEN, SAME = 0.3, 0.45
"""Score from which the detector is believed, and overlap above which two boxes are one person's;
both DWPose's own."""

DETECTOR_SIZE = (640, 640)

LARGEST = 1 << 30
"""Bytes of a network."""


@dataclass(frozen=True)
class Model:
    """A whole-body network.

    weights: its name in weights.toml. size: (width, height) of its input. seen, sure: scores that
    become SEEN and 1.
    """

    weights: str
    size: tuple[int, int]
    seen: float
    sure: float


MODELS = {
    # DWPose draws points from 0.3 on; scores of clear people come to about 1.
    "dwpose": Model("dwpose", (288, 384), 0.3, 1.0),
    # Trained with beta 1 where DWPose was with 10, so a score is ten times as large; those of clear
    # people come to about 6 (open-mmlab/mmpose, issue 2939).
    "rtmw": Model("rtmw", (288, 384), 3.0, 6.0),
}


def model_of(option: str | None) -> Model:
    """The network of `rtmpose@NAME`; raises UsageError with the names there are."""
    name = option or "dwpose"
    if name not in MODELS:
        raise UsageError(f"--pose rtmpose@{name}: valid are {', '.join(MODELS)}")
    return MODELS[name]


class Networks:
    """Where people are, and the 133 points of one."""

    def __init__(
        self, library: ModuleType, model: Model, detector: Path, pose: Path, device: str
    ) -> None:
        """library: rtmlib. detector, pose: files. device: from `device_of`.

        Raises WeightsError for a file that holds no network.
        """
        self._model = model
        options = {"backend": "onnxruntime", "device": device}
        self._detector = _loaded(
            library.YOLOX, detector, model_input_size=DETECTOR_SIZE,
            det_mode="multiclass", nms_thr=SAME, score_thr=PERSON_SEEN, **options,
        )  # fmt: skip
        self._pose = _loaded(library.RTMPose, pose, model_input_size=model.size, **options)

    def boxes(self, rgb: UInt8Array) -> list[Box]:
        """People as the detector sees them; it was trained on BGR.

        rgb: (H, W, 3). Boxes in its pixels.
        """
        found, classes = self._detector(np.ascontiguousarray(rgb[..., ::-1]))
        return [Box(*map(float, box)) for box in found[classes == PERSON]]

    def points(self, rgb: UInt8Array, boxes: Sequence[Box]) -> list[FloatArray]:
        """(133, 3) of the person in each box; the network was trained on RGB.

        Raises WeightsError where the network gives another number of points.
        """
        if not boxes:
            return []
        asked = [[box.left, box.top, box.right, box.bottom] for box in boxes]
        xy, scores = self._pose(rgb, bboxes=asked)
        if xy.shape[1:] != (POINTS, 2):
            raise WeightsError(
                f"{self._model.weights}: {xy.shape[1]} points, {POINTS} expected: another network"
            )
        raw = np.concatenate([xy, scores[..., None]], axis=2)
        return [calibrated(each, self._model.seen, self._model.sure) for each in raw]


def device_of(onnxruntime: ModuleType, device: str) -> str:
    """What rtmlib calls the device; "auto" is CUDA where onnxruntime has it, else the CPU.

    Raises UsageError for one that this onnxruntime does not have.
    """
    names = {"CUDAExecutionProvider": "cuda", "CoreMLExecutionProvider": "mps"}
    have = [n for p, n in names.items() if p in onnxruntime.get_available_providers()] + ["cpu"]
    if device == "auto":
        return "cuda" if "cuda" in have else "cpu"
    if device.split(":")[0] not in have:
        raise UsageError(f"--device {device}: onnxruntime has {', '.join(have)} here")
    return device


def _loaded(kind: Callable[..., Any], file: Path, **options: Any) -> Any:
    """A network without the line that rtmlib prints."""
    try:
        with _network(file) as path, contextlib.redirect_stdout(io.StringIO()):
            return kind(str(path), **options)
    except Exception as error:
        raise WeightsError(
            f"{named(file)} does not load as {kind.__name__}: {one_line(error)}"
        ) from error


@contextlib.contextmanager
def _network(file: Path) -> Iterator[Path]:
    """The ONNX file; of an archive the one in it, unpacked for as long as it is needed."""
    if not zipfile.is_zipfile(file):
        yield file
        return
    with TemporaryDirectory(prefix="dance-rtmpose-") as room, zipfile.ZipFile(file) as archive:
        found = [each for each in archive.infolist() if each.filename.endswith(".onnx")]
        if len(found) != 1 or found[0].file_size > LARGEST:
            raise WeightsError(f"{len(found)} networks in the archive, 1 expected")
        path = Path(room, "network.onnx")
        with archive.open(found[0]) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield path
