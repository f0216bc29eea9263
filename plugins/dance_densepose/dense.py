"""`dance.dense` densepose, densepose-r50, densepose-legacy and densepose-low.

The surface of the driver's body as the frame shows it, parts and coordinates as DensePose has them;
`dancecli.motion` bends it onto the retargeted skeleton. Not interchangeable with `template`, whose
U and V are drawn otherwise: a network trained with one wants that one.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from dance_densepose import models
from dance_densepose.charts import Detections, charts_of, in_frame
from dance_densepose.models import Model
from dance_densepose.network import ChartNetwork, require_library
from dancecli import weights
from dancecli.device import resolve
from dancecli.stages import Settings
from dancecli.types import Box, DenseMap, Frame, Skeleton, UInt8Array

ROOM = 1.2
"""Sides of a person over those of the joints' box, where a missed person is looked at anyway."""


class Network(Protocol):
    """What finds charts: `ChartNetwork`, or a stand-in of tests."""

    def detect(self, rgb: UInt8Array, box: Box | None = None) -> Detections:
        """See `ChartNetwork.detect`."""
        ...


class DensePose:
    """The most accurate model, as the paper: ResNet-101 with DeepLab's head."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = (
        "code MIT; detectron2 and DensePose Apache-2.0; weights CC BY-SA 3.0, "
        "trained on annotations under CC BY-NC"
    )
    COMMERCIAL: ClassVar[bool | None] = None
    from_skeleton = False
    model: ClassVar[Model] = models.R101_DL
    sides: ClassVar[tuple[int, int]] = (800, 1333)
    """Short side of what the network sees, and the most that the long one may have, pixels."""

    def __init__(self, settings: Settings, network: Network | None = None) -> None:
        """network: instead of the published one, for tests.

        Raises PluginError where detectron2 is missing; WeightsError when the file is missing,
        damaged or of another network.
        """
        self.device = resolve(settings.device)
        self._network = network or self._open()

    def _open(self) -> Network:
        require_library()
        path = weights.locate(self.model.weights)
        return ChartNetwork(self.model, path, self.device, *self.sides)

    def dense(self, frame: Frame, box: Box | None, skeleton: Skeleton) -> DenseMap:
        """The person of the skeleton, or of the box where one is given; all 0 where none shows."""
        wanted = box or skeleton.box()
        wanted = wanted and wanted.clipped(frame.width, frame.height)
        if wanted is None or min(wanted.width, wanted.height) < 1:
            return DenseMap(np.zeros((frame.height, frame.width, 3), np.float32))
        charts = charts_of(self._network.detect(frame.rgb), wanted, skeleton)
        if charts is None:  # the detector misses who is upside down; the skeleton knows better
            about = wanted.grown(ROOM).clipped(frame.width, frame.height)
            charts = self._network.detect(frame.rgb, about).charts(0)
        return in_frame(charts, frame.width, frame.height)


class DensePoseR50(DensePose):
    """ResNet-50: less accurate, faster."""

    model = models.R50


class DensePoseLegacy(DensePose):
    """ResNet-50 trained as in 2018: the paper's ablation without an accurate DensePose."""

    model = models.R50_LEGACY


class DensePoseLow(DensePose):
    """The most accurate model on a picture of 0.4 times the size (appendix G, to save time)."""

    sides = (320, 533)
