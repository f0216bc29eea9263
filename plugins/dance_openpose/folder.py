"""Which file of a `--write_json` folder tells of which frame.

OpenPose names them after its input: `dance_000000000042_keypoints.json` for frame 42 of dance.mp4,
`photo_keypoints.json` for photo.jpg of an `--image_dir`, whose pictures may be numbered themselves.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from dancecli.errors import MediaError
from dancecli.media.files import named, one_line
from dancecli.types import Source

Found = TypeVar("Found")

SUFFIX = "_keypoints.json"

_NUMBERED = re.compile(r"(?P<clip>.*?)_?(?P<number>[0-9]{1,15})")


class Folder:
    """The names in a folder, read once; what is in the files is read by others."""

    def __init__(self, path: Path) -> None:
        """Raises MediaError when there is no such folder or nothing of OpenPose in it."""
        self.path = path
        if not self.pictures:
            raise MediaError(
                f"{named(path)}: no *{SUFFIX} in it; write some with openpose --write_json"
            )

    @cached_property
    def pictures(self) -> dict[str, Path]:
        """Name of a picture without extension -> file."""
        try:
            files = sorted(p for p in self.path.iterdir() if p.name.endswith(SUFFIX))
        except OSError as error:
            raise MediaError(f"cannot read the folder {named(self.path)}: {one_line(error)}") from (
                error
            )
        return {file.name.removesuffix(SUFFIX): file for file in files}

    @cached_property
    def clips(self) -> dict[str, dict[int, Path]]:
        """Name of a video without extension -> frame number -> file."""
        found: dict[str, dict[int, Path]] = {}
        for name, file in self.pictures.items():
            match = _NUMBERED.fullmatch(name)
            if match:
                found.setdefault(match["clip"], {})[int(match["number"])] = file
        return found

    def file(self, source: Source) -> Path | None:
        """The file of a frame, None where OpenPose wrote none for it.

        Raises MediaError where there is nothing at all of its picture or video.
        """
        name = source.path.stem
        if source.number is None:
            return self._there(self.pictures.get(name), source, f"{name}{SUFFIX}")
        clip = self.clips.get(name) or self._nameless()
        return self._there(clip, source, f"{name}_000000000000{SUFFIX}").get(source.number)

    def _nameless(self) -> dict[int, Path] | None:
        """Files with nothing but a number, as of a video's pictures: they fit any video.

        What saves a video as pictures often counts from 1.
        """
        clip = self.clips.get("")
        return clip and {number - min(clip): file for number, file in clip.items()}

    def _there(self, found: Found | None, source: Source, wanted: str) -> Found:
        if found is not None:
            return found
        raise MediaError(
            f"{named(self.path)} tells nothing of {named(Path(source.path.name))}: no "
            f"{named(Path(wanted))} is there; run openpose on it too, with --write_json, or give "
            "the file the name that it had then"
        )
