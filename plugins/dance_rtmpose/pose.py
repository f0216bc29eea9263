"""DWPose and RTMW as pose extractor: body with feet, hands and face of every person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from dance_rtmpose.layout import skeleton
from dance_rtmpose.networks import Networks, device_of, model_of
from dancecli import libraries, weights
from dancecli.keypoints import joints_seen, largest_first
from dancecli.stages import Settings
from dancecli.types import Box, Frame, Skeleton

INSTALL = "pip install onnxruntime tqdm && pip install --no-deps rtmlib"
"""Its own requirements would bring a second OpenCV, which overwrites the one that is here."""

MIN_JOINTS = 5
"""Main joints that must be seen; the network draws somebody into every box."""

SMALLEST = 8
"""Pixels of the shorter side of a picture or box; less shows nobody."""


class RTMPose:
    """Poses of `dance.pose` (OP of equation 2) by DWPose, or by RTMW as `rtmpose@rtmw`.

    Every result depends on its own frame alone. With boxes the detector is left out.
    """

    INTERFACE_VERSION = 1
    LICENCE = "DWPose, RTMW, YOLOX, rtmlib: Apache-2.0; terms of the training pictures unclear"
    COMMERCIAL = None
    OPTION = "[MODEL]"

    def __init__(self, settings: Settings) -> None:
        """Loads its networks on first use.

        Raises UsageError for an unknown model and for a device that onnxruntime does not have,
        PluginError without rtmlib or onnxruntime, WeightsError without the weights.
        """
        self.model = model_of(settings.option)
        libraries.require("rtmpose", INSTALL, "rtmlib", "onnxruntime")
        self.device = device_of(libraries.load("rtmpose", INSTALL, "onnxruntime"), settings.device)
        self.detector, self.pose = (weights.locate(n) for n in ("yolox_l", self.model.weights))

    @cached_property
    def networks(self) -> Networks:
        """Detector and whole-body network."""
        library = libraries.load("rtmpose", INSTALL, "rtmlib")
        return Networks(library, self.model, self.detector, self.pose, self.device)

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """People of a frame, as `dancecli.stages.PoseExtractor` says.

        Raises PluginError where rtmlib does not load, WeightsError for files of another network.
        """
        if boxes is None:
            return largest_first(self._inside(frame, self._found(frame)))
        return self._inside(frame, boxes)

    def _found(self, frame: Frame) -> list[Box]:
        return self.networks.boxes(frame.rgb) if _large_enough(frame) else []

    def _inside(self, frame: Frame, boxes: Sequence[Box]) -> list[Skeleton]:
        shown = [box.clipped(frame.width, frame.height) for box in boxes]
        shown = [box for box in shown if _large_enough(box)]
        people = [skeleton(points) for points in self.networks.points(frame.rgb, shown)]
        return [person for person in people if joints_seen(person) >= MIN_JOINTS]


def _large_enough(place: Frame | Box) -> bool:
    return min(place.width, place.height) >= SMALLEST
