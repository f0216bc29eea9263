"""`dance.parser` schp, schp-global, schp-lip, schp-atr, and the last two through onnxruntime.

CIHP's labels are ours 0-19, so `schp` is the one to take. LIP has no torso-skin and ATR none of
torso-skin, gloves, socks and coat; ATR's belt goes with the trousers (`dance_datasets.labels`).
Hands are in no set: where they are needed they are drawn from the skeleton later.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from dance_schp import checkpoints
from dance_schp.checkpoints import Checkpoint, Run
from dance_schp.fitting import Region, fitted, labels_in
from dancecli import weights
from dancecli.data.rules import required_person
from dancecli.device import resolve
from dancecli.stages import Settings
from dancecli.types import Frame, LabelMap, PersonMask, Skeleton

RESEARCH = "code MIT; SCHP's weights MIT, trained on {}, whose pictures are for research only"


class SchpParser:
    """HumanParser of one checkpoint; the subclasses name it."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str]
    COMMERCIAL: ClassVar[bool | None]

    takes_weights = False
    checkpoint: ClassVar[Checkpoint]

    def __init__(self, settings: Settings, run: Run | None = None) -> None:
        """run: instead of the published network, for tests.

        Raises WeightsError when the file is missing, damaged or of another network.
        """
        self.device = resolve(settings.device)
        self._run = run or self._open()

    def _open(self) -> Run:
        return checkpoints.open_torch(self.checkpoint, self._path(), self.device)

    def _path(self) -> Path:
        return weights.locate(self.checkpoint.weights)

    def parse(
        self, frame: Frame, skeleton: Skeleton | None = None, mask: PersonMask | None = None
    ) -> LabelMap:
        """Labels 0-19, uint8 (H, W): 0 where alpha < 0.5 and where the network sees nobody.

        Raises NoPersonError when the mask is missing or empty.
        """
        inside, box = required_person(mask)
        known, size = self.checkpoint, (frame.width, frame.height)
        region = Region(0, 0, *size) if known.whole else Region.about(box, *size)
        found = labels_in(self._run(fitted(frame.rgb, region, known.side)), region, known.side)
        labels = np.zeros(inside.shape, np.uint8)
        region.of(labels)[:] = known.table[found]
        return LabelMap(np.where(inside, labels, 0).astype(np.uint8))


class SchpCihp(SchpParser):
    """CIHP, one person cut out."""

    LICENCE = RESEARCH.format("CIHP")
    COMMERCIAL = False
    checkpoint = checkpoints.CIHP_LOCAL


class SchpCihpGlobal(SchpCihp):
    """CIHP, the whole picture: for a person who fills it, or whom others touch."""

    checkpoint = checkpoints.CIHP_GLOBAL


class SchpLip(SchpParser):
    """LIP, one person cut out; jumpsuits become dresses."""

    LICENCE = RESEARCH.format("LIP")
    COMMERCIAL = False
    checkpoint = checkpoints.LIP_PERSON


class SchpAtr(SchpParser):
    """ATR, one person cut out."""

    LICENCE = "code MIT; SCHP's weights MIT, trained on ATR, whose terms are unclear"
    COMMERCIAL = None
    checkpoint = checkpoints.ATR_PERSON


class OnnxParser(SchpParser):
    """A checkpoint exported to ONNX. Raises PluginError too, where onnxruntime is missing."""

    def _open(self) -> Run:
        checkpoints.needs_onnxruntime()
        return checkpoints.open_onnx(self.checkpoint, self._path(), self.device)


class SchpLipOnnx(OnnxParser):
    """LIP through onnxruntime."""

    LICENCE, COMMERCIAL = SchpLip.LICENCE, SchpLip.COMMERCIAL
    checkpoint = checkpoints.LIP_ONNX


class SchpAtrOnnx(OnnxParser):
    """ATR through onnxruntime."""

    LICENCE, COMMERCIAL = SchpAtr.LICENCE, SchpAtr.COMMERCIAL
    checkpoint = checkpoints.ATR_ONNX
