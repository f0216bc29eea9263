"""The three networks of the PyTorch port and what is asked of them.

controlnet-aux builds the networks, groups joints into people and knows where a person's hands and
face lie. Their peaks are read here, since it keeps no scores of hands and face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch

from dance_openpose.layout import FACE, HAND
from dancecli.errors import WeightsError
from dancecli.media.files import named, one_line
from dancecli.types import FloatArray, UInt8Array

INPUT = 368
"""Pixels a side of the crops of hands and face, and rows of the picture for the joints."""

WIDEST = 4 * INPUT
"""Columns of that picture at most."""

Square = tuple[int, int, int]
"""Left, top and side of a box, pixels."""


class Port:
    """Body, hand and face networks on a device."""

    def __init__(self, library: ModuleType, files: Sequence[Path], device: str) -> None:
        """library: controlnet_aux.open_pose. files: of body, hand and face.

        Raises WeightsError for a file that does not hold the network's weights.
        """
        self._library, self._device = library, device
        body, hand, face = files
        self._body = self._network(library.Body, body)
        self._hand = self._network(library.Hand, hand).model
        self._face = self._network(library.Face, face).model

    def _network(self, kind: Callable[[str], Any], file: Path) -> Any:
        try:
            # The library loads with torch's own default, which runs what is in a pickle before 2.6.
            torch.load(file, map_location="cpu", weights_only=True)
            return kind(str(file)).to(self._device)
        except Exception as error:
            raise WeightsError(
                f"{named(file)} is not the weights of {kind.__name__}: {one_line(error)}"
            ) from error

    def people(self, bgr: UInt8Array) -> list[Any]:
        """The library's BodyResults: 18 joints in the picture's pixels, None where not seen.

        bgr: (H, W, 3), blue first, as the networks were trained.
        """
        height, width = bgr.shape[:2]
        scale = min(INPUT / height, WIDEST / width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        with torch.no_grad():
            candidates, subset = self._body(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA))
        found = self._body.format_body_result(candidates, subset)
        return [_enlarged(body, width / size[0], height / size[1]) for body in found]

    def hands(self, bgr: UInt8Array, body: Any) -> dict[str, FloatArray]:
        """Side -> (21, 3), for the hands whose arms are seen.

        The network knows right hands only; OpenPose shows it left ones in a mirror.
        """
        return {
            "left" if left else "right": self._peaks(self._hand, bgr, (x, y, side), HAND, left)
            for x, y, side, left in self._library.util.handDetect(body, bgr)
        }

    def face(self, bgr: UInt8Array, body: Any) -> FloatArray | None:
        """(70, 3), None where the head is not seen."""
        box = self._library.util.faceDetect(body, bgr)
        return None if box is None else self._peaks(lambda x: self._face(x)[-1], bgr, box, FACE)

    def _peaks(
        self, network: Callable[..., Any], bgr: UInt8Array, box: Square, count: int,
        mirrored: bool = False,
    ) -> FloatArray:  # fmt: skip
        """(count, 3): the highest place of each of a network's maps of a box."""
        left, top, side = box
        crop = bgr[top : top + side, left : left + side]
        crop = cv2.resize(crop[:, ::-1] if mirrored else crop, (INPUT, INPUT))
        seen = torch.from_numpy(crop.transpose(2, 0, 1).astype(np.float32) / 256 - 0.5)
        with torch.no_grad():
            maps = network(seen[None].to(self._device))[0].cpu().numpy()
        points = np.array([_peak(each) for each in maps[:count]], np.float32)
        if mirrored:
            points[:, 0] = INPUT - points[:, 0]
        points[:, :2] = points[:, :2] * side / INPUT + (left, top)
        return points


def _peak(heat: FloatArray) -> tuple[float, float, float]:
    """x, y in pixels of the network's input, and the height, of a map's highest place."""
    large = cv2.resize(heat, (INPUT, INPUT), interpolation=cv2.INTER_CUBIC)
    row, column = divmod(int(large.argmax()), INPUT)
    return column + 0.5, row + 0.5, float(large[row, column])


def joints(body: Any) -> FloatArray:
    """(18, 3) of a BodyResult; zeros where a joint is not seen."""
    return np.array(
        [(p.x, p.y, p.score) if p is not None else (0, 0, 0) for p in body.keypoints], np.float32
    )


def _enlarged(body: Any, x: float, y: float) -> Any:
    points = [
        p and p._replace(x=(p.x + 0.5) * x, y=(p.y + 0.5) * y, score=float(p.score))
        for p in body.keypoints
    ]
    return body._replace(keypoints=points)
