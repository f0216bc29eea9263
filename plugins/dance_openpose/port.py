"""OpenPose's published PyTorch port, through controlnet-aux: the COCO model, hands and face."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dance_openpose.layout import LICENCE, skeleton
from dancecli import libraries, weights
from dancecli.device import resolve
from dancecli.keypoints import best_in, largest_first
from dancecli.stages import Settings
from dancecli.types import Box, Frame, Skeleton, UInt8Array

if TYPE_CHECKING:
    from dance_openpose.networks import Port

INSTALL = (
    "pip install torchvision timm einops huggingface_hub && pip install --no-deps controlnet-aux"
)
"""Its own requirements would bring a second OpenCV, which overwrites the one that is here."""

FILES = ("openpose_body", "openpose_hand", "openpose_face")
"""Weights by the names of weights.toml."""

ROOM = 1.2
"""Sides of what is cut out about a box, over the box's."""

SMALLEST = 24
"""Pixels of a picture's shorter side; less shows nobody."""


class OpenPosePort:
    """Poses of `dance.pose` (OP of equation 2) by the PyTorch port of OpenPose.

    Its body model is COCO's, so that feet are not seen. Every result depends on its own frame
    alone.
    """

    INTERFACE_VERSION = 1
    LICENCE = f"{LICENCE}; controlnet-aux: Apache-2.0"
    COMMERCIAL = False

    def __init__(self, settings: Settings) -> None:
        """Loads its networks on first use.

        Raises PluginError without controlnet-aux, UsageError for a device that is not here,
        WeightsError without the weights.
        """
        libraries.require("openpose", INSTALL, "controlnet_aux", "torchvision", "timm", "einops")
        self.device = resolve(settings.device)
        self.files = [weights.locate(name) for name in FILES]

    @cached_property
    def port(self) -> Port:
        """The three networks."""
        library = libraries.load("openpose", INSTALL, "controlnet_aux.open_pose")
        from dance_openpose.networks import Port

        return Port(library, self.files, self.device)

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """People of a frame, as `dancecli.stages.PoseExtractor` says.

        Raises PluginError where controlnet-aux does not load, WeightsError for weights of
        something else.
        """
        if boxes is None:
            return largest_first(self._people(frame.rgb))
        found = (best_in(self._around(frame, box), box) for box in boxes)
        return [person for person in found if person is not None]

    def _around(self, frame: Frame, box: Box) -> list[Skeleton]:
        left, top, right, bottom = box.grown(ROOM).pixels(frame.width, frame.height)
        people = self._people(frame.rgb[top:bottom, left:right])
        return [person.moved(1, left, top) for person in people]

    def _people(self, rgb: UInt8Array) -> list[Skeleton]:
        from dance_openpose.networks import joints

        if min(rgb.shape[:2]) < SMALLEST:
            return []
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        people = []
        for body in self.port.people(bgr):
            hands = self.port.hands(bgr, body)
            face = self.port.face(bgr, body)
            person = skeleton(joints(body), hands.get("left"), hands.get("right"), face)
            people.append(person)
        return people
