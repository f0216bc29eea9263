"""Poses that OpenPose wrote before, with `--write_json`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from dance_openpose.folder import Folder
from dance_openpose.layout import LICENCE
from dance_openpose.records import read_people
from dancecli.keypoints import best_in, largest_first
from dancecli.stages import Settings
from dancecli.types import Box, Frame, Skeleton


class OpenPoseWritten:
    """Poses of `dance.pose` (OP of equation 2) from a folder of OpenPose's JSON files.

    The folder tells of the photo and of the video, by their names. A frame without a file shows
    nobody, as does a picture that comes from no file.
    """

    INTERFACE_VERSION = 1
    LICENCE = LICENCE
    COMMERCIAL = False
    OPTION = "FOLDER"
    RECORDED = True

    def __init__(self, settings: Settings) -> None:
        """The folder is settings.option; it is looked into on first use."""
        self.path = Path(settings.option or "")
        self._read = lru_cache(maxsize=16)(read_people)

    @cached_property
    def folder(self) -> Folder:
        """What the folder holds; raises MediaError where it is none."""
        return Folder(self.path)

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """People of a frame, as `dancecli.stages.PoseExtractor` says.

        Raises MediaError where the folder tells nothing of the frame's file, or a file of it is
        damaged.
        """
        people = largest_first(self._people(frame))
        if boxes is None:
            return people
        found = (best_in(people, box) for box in boxes)
        return [person for person in found if person is not None]

    def _people(self, frame: Frame) -> list[Skeleton]:
        source = frame.source
        file = None if source is None else self.folder.file(source)
        if source is None or file is None:
            return []
        # Frames keep their shape when they are scaled, but for rounding to whole pixels.
        scale = (frame.width / source.width + frame.height / source.height) / 2
        return [person.moved(scale, 0, 0) for person in self._read(file)]
