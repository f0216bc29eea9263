"""Which file of a `--write_json` folder tells of which frame.

OpenPose names them after its input: `dance_000000000042_keypoints.json` for frame 42 of dance.mp4,
`photo_keypoints.json` for photo.jpg of an `--image_dir`, whose pictures may be numbered themselves.
A photo 3.jpg whose file lies beside those of a numbered video is no frame of it: the numbers of one
video are written in one way.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TypeVar

from dancecli.errors import MediaError
from dancecli.media.files import named, one_line
from dancecli.types import Source

Found = TypeVar("Found")

logger = logging.getLogger(__name__)

SUFFIX = "_keypoints.json"

_NUMBERED = re.compile(r"(?P<clip>.*?)(?P<sign>_?)(?P<digits>[0-9]{1,15})")

Number = tuple[str, str]
"""A frame's number as it is written: what stands before it, and its digits."""


class Folder:
    """The names in a folder, read once; what is in the files is read by others."""

    def __init__(self, path: Path) -> None:
        """Raises MediaError when there is no such folder or nothing of OpenPose in it."""
        self.path = path
        self._clips, self._sorting = dict[str, dict[int, Path]](), Lock()
        if not self.pictures:
            raise MediaError(
                f"{named(path)}: no *{SUFFIX} in it; write some with openpose --write_json"
            )

    @cached_property
    def pictures(self) -> dict[str, Path]:
        """Name of a picture without extension -> file. Raises MediaError if it cannot be listed."""
        try:
            files = sorted(p for p in self.path.iterdir() if p.name.endswith(SUFFIX))
        except OSError as error:
            raise MediaError(f"cannot read the folder {named(self.path)}: {one_line(error)}") from (
                error
            )
        return {file.name.removesuffix(SUFFIX): file for file in files}

    @cached_property
    def numbered(self) -> dict[str, dict[Number, Path]]:
        """Name of a video without extension -> number -> file, photos of such names among them."""
        found: dict[str, dict[Number, Path]] = {}
        for name, file in self.pictures.items():
            match = _NUMBERED.fullmatch(name)
            if match:
                found.setdefault(match["clip"], {})[match["sign"], match["digits"]] = file
        return found

    def file(self, source: Source) -> Path | None:
        """The file of a frame, None where OpenPose wrote none for it.

        Raises MediaError where there is nothing at all of its picture or video.
        """
        name = source.path.stem
        if source.number is None:
            return self._there(self.pictures.get(name), source, f"{name}{SUFFIX}")
        clip = self.clip(name) or self.clip("")
        return self._there(clip or None, source, f"{name}_000000000000{SUFFIX}").get(source.number)

    def clip(self, name: str) -> dict[int, Path]:
        """Frame number -> file of a video called so, empty where there is none.

        Files with nothing but a number, those of "", fit any video; what saves a video as pictures
        often counts from 1. Says once which files are left out.
        """
        with self._sorting:
            if name not in self._clips:
                self._clips[name] = _sorted_out(self.numbered.get(name, {}), counted=bool(name))
            return self._clips[name]

    def _there(self, found: Found | None, source: Source, wanted: str) -> Found:
        if found is not None:
            return found
        raise MediaError(
            f"{named(self.path)} tells nothing of {named(Path(source.path.name))}: no "
            f"{named(Path(wanted))} is there; run openpose on it too, with --write_json, or give "
            "the file the name that it had then"
        )


def _sorted_out(files: Mapping[Number, Path], counted: bool) -> dict[int, Path]:
    """Frame number -> file of one video; counted: the numbers are those of its frames."""
    if not files:
        return {}
    ours = _of_one_video(files)
    left_out = [file.name for number, file in files.items() if number not in ours]
    if left_out:
        _tell(left_out, len(ours))
    first = 0 if counted else min(int(digits) for _, digits in ours)
    return {int(number[1]) - first: files[number] for number in ours}


def _of_one_video(numbers: Collection[Number]) -> set[Number]:
    """The most that can be one video's: alike in length, or counting on from there.

    9 and 10 can, and 09 and 100; 3 and 0001 cannot, nor can 3 and 1000.
    """
    lengths = {(sign, len(digits)) for sign, digits in numbers}
    groups = [_from(sign, length, numbers) for sign, length in sorted(lengths)]
    return max(reversed(groups), key=len)  # of as many, OpenPose's own: the longest


def _from(sign: str, length: int, numbers: Collection[Number]) -> set[Number]:
    """Numbers of this many digits, and the longer ones that these lead to, 9 to 10, 99 to 100."""
    found = {number for number in numbers if number[0] == sign and len(number[1]) == length}
    longer = found
    while longer:
        length += 1
        first = (sign, str(10 ** (length - 1)))
        if first not in numbers or (sign, "9" * (length - 1)) not in found:
            break
        longer = {n for n in numbers
                  if n[0] == sign and len(n[1]) == length and not n[1].startswith("0")}  # fmt: skip
        found = found | longer
    return found


def _tell(left_out: list[str], count: int) -> None:
    more = f" and {len(left_out) - 1} more" if len(left_out) > 1 else ""
    logger.warning(
        "%s%s: taken for no frame of the video, whose %d files have numbers of another form; if it "
        "is one, name it like them", named(Path(left_out[0])), more, count,
    )  # fmt: skip
