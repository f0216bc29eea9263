"""MediaPipe as pose extractor: body, hands and face of every person, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

from dance_mediapipe.body import body_25
from dance_mediapipe.face import finish_face, start_face
from dance_mediapipe.hands import find_hands
from dance_mediapipe.people import Person
from dance_mediapipe.search import everyone, in_box
from dancecli.stages import Settings
from dancecli.types import Box, Frame, Skeleton, UInt8Array


class MediaPipePose:
    """Poses of `dance.pose` (OP of equation 2) by MediaPipe, in OpenPose's layout.

    Every result depends on its own frame alone: no tracking, no smoothing.
    """

    INTERFACE_VERSION = 1
    LICENCE = "MediaPipe 0.10, code and models: Apache-2.0, Google"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Settings are not needed: it runs on the CPU and loads its models on first use."""

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """People of a frame, as `dancecli.stages.PoseExtractor` says.

        Raises PluginError when MediaPipe cannot be loaded.
        """
        if boxes is None:
            found = everyone(frame.rgb)
        else:
            found = [p for box in boxes if (p := in_box(frame.rgb, box))]
        return [_skeleton(frame.rgb, person) for person in found]


def _skeleton(picture: UInt8Array, person: Person) -> Skeleton:
    head = start_face(picture, person)  # runs beside the hands
    hands = find_hands(picture, person)
    face = finish_face(person, head, picture.shape)
    body, world = body_25(person)
    return Skeleton(body, hands["left"], hands["right"], face, world)
