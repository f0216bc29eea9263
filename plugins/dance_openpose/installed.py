"""OpenPose as a program that somebody installed, run on one frame at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dance_openpose.folder import SUFFIX
from dance_openpose.layout import LICENCE
from dance_openpose.records import read_people
from dancecli.errors import PluginError
from dancecli.keypoints import best_in, largest_first
from dancecli.media import write_png
from dancecli.media.files import named, one_line
from dancecli.stages import Settings
from dancecli.types import Box, Frame, Skeleton, UInt8Array

VARIABLE = "DANCE_OPENPOSE"
PROGRAMS = ("openpose", "openpose.bin", "OpenPoseDemo", "OpenPoseDemo.exe")
"""Names that are looked for on PATH."""

HOME = "https://github.com/CMU-Perceptual-Computing-Lab/openpose"

TIME_LIMIT = 300.0
"""Seconds for one frame; loading the models alone takes some."""

ROOM = 1.2
"""Sides of what is cut out about a box, over the box's."""

SMALLEST = 8
"""Pixels; less is not looked at."""


class OpenPoseInstalled:
    """Poses of `dance.pose` (OP of equation 2) from an installed OpenPose, body, hands and face.

    Each call starts the program, which loads its models again: for a whole video, let OpenPose
    write JSON once and read that (`written.py`).
    """

    INTERFACE_VERSION = 1
    LICENCE = LICENCE
    COMMERCIAL = False
    OPTION = "[MODELS]"

    def __init__(self, settings: Settings) -> None:
        """settings.option: OpenPose's folder `models`, where it is not above the program.

        Raises PluginError where there is no program or no such folder.
        """
        self.program = find_program()
        self.models = Path(settings.option) if settings.option else _models(self.program)
        if self.models is not None and not self.models.is_dir():
            raise PluginError(
                f"openpose-bin@{named(self.models)}: no such folder; name OpenPose's models folder"
            )

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """People of a frame, as `dancecli.stages.PoseExtractor` says.

        Raises PluginError when OpenPose fails or takes more than TIME_LIMIT.
        """
        if boxes is None:
            (people,) = self._look([frame.rgb])
            return largest_first(people)
        places = [box.grown(ROOM).pixels(frame.width, frame.height) for box in boxes]
        cuts = [frame.rgb[top:bottom, left:right] for left, top, right, bottom in places]
        found = [
            best_in([person.moved(1, left, top) for person in people], box)
            for people, (left, top, _, _), box in zip(self._look(cuts), places, boxes, strict=True)
        ]
        return [person for person in found if person is not None]

    def _look(self, pictures: Sequence[UInt8Array]) -> list[list[Skeleton]]:
        """The people of each picture, all in one run; nobody in those too small to look at."""
        shown = {f"{n}": rgb for n, rgb in enumerate(pictures) if min(rgb.shape[:2]) >= SMALLEST}
        with TemporaryDirectory(prefix="dance-openpose-") as room:
            inside, outside = Path(room, "in"), Path(room, "out")
            inside.mkdir()
            for name, rgb in shown.items():
                write_png(inside / f"{name}.png", np.ascontiguousarray(rgb))
            if shown:
                self._run(inside, outside)
            return [
                self._written(outside / f"{n}{SUFFIX}") if f"{n}" in shown else []
                for n in range(len(pictures))
            ]

    def _written(self, path: Path) -> list[Skeleton]:
        if not path.is_file():
            raise PluginError(f"{named(self.program)} ended well and wrote no poses")
        return read_people(path)

    def _run(self, inside: Path, outside: Path) -> None:
        command = [
            str(self.program), "--image_dir", str(inside), "--write_json", str(outside),
            "--model_pose", "BODY_25", "--face", "--hand", "--keypoint_scale", "0",
            "--display", "0", "--render_pose", "0",
        ]  # fmt: skip
        if self.models is not None:
            command += ["--model_folder", f"{self.models.absolute()}{os.sep}"]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", timeout=TIME_LIMIT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise PluginError(
                f"{named(self.program)} took more than {TIME_LIMIT:g} s for a frame; does it find "
                "its GPU? run it by hand, or read its --write_json with --pose openpose-json@FOLDER"
            ) from None
        except OSError as error:
            raise PluginError(
                f"{named(self.program)} does not start: {one_line(error)}; set ${VARIABLE}"
            ) from error
        if done.returncode:
            raise PluginError(
                f"{named(self.program)} failed ({done.returncode}): "
                f"{told(done.stderr or done.stdout)}"
            )


def find_program() -> Path:
    """$DANCE_OPENPOSE, or the first of PROGRAMS on PATH.

    Raises PluginError that says where OpenPose was looked for.
    """
    given = os.environ.get(VARIABLE)
    if given:
        if not Path(given).is_file():
            raise PluginError(f"${VARIABLE} is {given}: no such file; name OpenPose's program")
        return Path(given).absolute()
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise PluginError(
            f"plugin 'openpose-bin' needs OpenPose: none of {', '.join(PROGRAMS)} is on PATH; "
            f"install it: {HOME}, then set ${VARIABLE} to its program"
        )
    return Path(found).absolute()


def _models(program: Path) -> Path | None:
    """The folder `models` of the tree that holds the program; OpenPose looks for it in the working
    folder otherwise."""
    above = (folder / "models" for folder in program.resolve().parents)
    return next((folder for folder in above if (folder / "pose").is_dir()), None)


def told(output: str) -> str:
    """What OpenPose says went wrong: the first line after its heading "Error:"."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    heading = next((n for n, line in enumerate(lines) if line.startswith("Error")), -1)
    after = lines[heading].partition(":")[2].strip() if heading >= 0 else ""
    rest = lines[heading + 1 :] if heading >= 0 else lines[-1:]
    return after or next(iter(rest), "it says nothing")
