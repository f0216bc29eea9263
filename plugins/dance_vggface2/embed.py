"""`dance.face_embed` vggface2: the network that the preset `paper` embeds faces with, by itself."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
import torch
from dance_freestyle.encoders import VggFace2, vggface2

from dancecli.device import resolve
from dancecli.errors import PluginError
from dancecli.stages import Settings
from dancecli.types import FloatArray, UInt8Array

SHORT, SEEN_SIDE = 256, 224
"""The face is resized to the first and its middle of the second is seen [ox-vgg/vgg_face2]."""


class VggFace2Embedder:
    """FaceEmbedder of 2,048 numbers, the penultimate layer."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = (
        "code MIT; weights converted from VGGFace2's, whose pictures are for research only"
    )
    COMMERCIAL: ClassVar[bool | None] = False
    size = VggFace2.size

    def __init__(self, settings: Settings, network: VggFace2 | None = None) -> None:
        """network: instead of the published one, for tests.

        Raises WeightsError when the file is missing, damaged or of another network.
        """
        self.device = resolve(settings.device)
        self._network = (network or vggface2()).to(self.device).eval()

    def embed(self, face: UInt8Array) -> FloatArray:
        """Float32 (2048,) of an aligned face, uint8 (S, S, 3) RGB, S = 256 unless resized to it.

        Raises PluginError for anything else.
        """
        if face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3 or not face.size:
            raise PluginError(f"embed: the face is {face.dtype} {face.shape}, not uint8 (S, S, 3)")
        seen = np.ascontiguousarray(middle(face))
        with torch.inference_mode():
            rgb = torch.from_numpy(seen).to(self.device).movedim(-1, 0).float()[None] / 255
            found = self._network.embed(rgb)[0]
        return np.asarray(found.float().cpu().numpy(), np.float32)


def middle(face: UInt8Array) -> UInt8Array:
    """The middle (224, 224, 3) of the face at 256 pixels on the short side."""
    height, width = face.shape[:2]
    if (scale := SHORT / min(height, width)) != 1:
        size = (max(SHORT, round(width * scale)), max(SHORT, round(height * scale)))
        face = np.asarray(cv2.resize(face, size, interpolation=cv2.INTER_AREA))
    top, left = ((side - SEEN_SIDE) // 2 for side in face.shape[:2])
    cut: UInt8Array = face[top : top + SEEN_SIDE, left : left + SEEN_SIDE]
    return cut
