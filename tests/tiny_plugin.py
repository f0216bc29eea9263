"""A distribution of plugins that behave and misbehave on demand, for tests of isolation.

It is built into a wheel and installed beside `tinylib` into an environment of its own. What a frame
asks for is in its index; `settings.weights` is a folder for what must outlive a worker.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tinylib

from dancecli.data.people import Options, Person, Skipped, View
from dancecli.errors import NoPersonError, PluginError
from dancecli.stages import Settings
from dancecli.types import Box, Frame, LabelMap, Layer, Motion, PersonMask, Skeleton, Target
from dancecli.weights import catalogue

PRINT, FAIL, NOBODY, EXIT, HANG, DOUBLE, CRASH, CHILD, LACK, QUIT = range(1, 11)


class ShyError(NoPersonError):
    """A plugin's own kind of an error."""


class Tiny:
    """What all of them declare."""

    INTERFACE_VERSION = 1
    LICENCE = f"MIT, tinylib {tinylib.VERSION}"
    COMMERCIAL = None

    def __init__(self, settings: Settings) -> None:
        self.folder = Path(settings.weights or os.devnull)

    def once(self, name: str) -> bool:
        """Whether this is the first time, in all workers together."""
        mark = self.folder / name
        first = not mark.exists()
        mark.touch()
        return first

    def weights(self) -> dict[str, Any]:
        """The environment, where a plugin would describe its weights."""
        seen = [name for name in ("click", "stevedore", "cv2") if importlib.util.find_spec(name)]
        files = [name for name in catalogue()[0] if name in ("tiny_weights", "schp_lip")]
        return {
            "tinylib": tinylib.VERSION, "numpy": np.__version__, "sees": seen, "files": files,
        }  # fmt: skip


class TinyPose(Tiny):
    """One person whose nose is the frame's mean colour, and its process' number as the neck."""

    RECORDED = True

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        if frame.index == PRINT:
            print("a line for a person", flush=True)
            os.write(1, b"\x00\x00 and bytes from C")
        if frame.index == FAIL:
            raise ValueError("the value\nis wrong")
        if frame.index == NOBODY:
            raise ShyError("nobody wants to be seen")
        if frame.index == LACK:
            raise PluginError("it needs it: pip install it")
        if frame.index == QUIT:
            sys.exit("no licence server")
        if frame.index == EXIT:
            print("the last words", file=sys.stderr, flush=True)
            os._exit(3)
        if frame.index == HANG:
            (self.folder / "pid").write_text(str(os.getpid()))
            time.sleep(600)
        if frame.index == CRASH:
            faulthandler._sigsegv()
        if frame.index == CHILD:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            (self.folder / "child").write_text(str(child.pid))
            child.wait()
        people = [None] if boxes is None else boxes
        return [self._person(frame) for _ in people]

    def _person(self, frame: Frame) -> Skeleton:
        body = np.zeros((25, 3), np.float64 if frame.index == DOUBLE else np.float32)
        body[0] = frame.rgb.mean((0, 1)) / 255
        body[1, 0] = os.getpid()
        return Skeleton(body)


class TinyBackend(Tiny):
    """Paints the colour of the photo, and dies once where the motion's number is 1."""

    batch, any_batch = 2, True
    canvas = None
    uses_dense = False
    refines = True

    def prepare(self, target: Target) -> Any:
        with (self.folder / "prepared").open("a") as file:
            file.write("x")
        return {"colour": target.frame.rgb[0, 0] / np.float32(255)}

    def render(self, person: Any, motions: Sequence[Motion]) -> list[Layer]:
        if any(motion.index == 1 for motion in motions) and self.once("render"):
            os._exit(1)
        shapes = [(motion.canvas.height, motion.canvas.width) for motion in motions]
        return [
            Layer(
                np.broadcast_to(person["colour"], (*shape, 3)).astype(np.float32),
                np.ones(shape, np.float32),
                motion.canvas,
            )
            for shape, motion in zip(shapes, motions, strict=True)
        ]

    def refine(self, person: Any, frame: Frame, landmarks: np.ndarray | None) -> Frame:
        return replace(frame, rgb=np.zeros_like(frame.rgb) + np.uint8(person["colour"][0] * 255))


class TinyParser(Tiny):
    """Labels nothing, and reads no weights, which it says."""

    takes_weights = False

    @classmethod
    def key(cls, settings: Settings) -> str:
        return f"tinylib {tinylib.VERSION}, {settings.seed}"

    def parse(
        self, frame: Frame, skeleton: Skeleton | None = None, mask: PersonMask | None = None
    ) -> LabelMap:
        return LabelMap(np.zeros((frame.height, frame.width), np.uint8))


class TinyReader(Tiny):
    """Three people, or what stands for them; dies once after the first."""

    layout = "ROOT/anything"

    def units(self, root: Path | None, options: Options) -> list[str]:
        return [f"{root}-{name}-{value}" for name, value in options.set.items()]

    def read(self, root: Path | None, unit: str, options: Options) -> Iterator[Person | Skipped]:
        mask = np.eye(4, dtype=bool)
        view = View(np.full((4, 4, 3), 7, np.uint8), mask=mask)
        yield Person("first", (view,), {"tall": [1, 2.5, None]})
        if self.once("read"):
            os._exit(1)
        yield Skipped(unit, "too small")
        yield Person("last", (view, replace(view, number=1)))


class TinyInpainter(Tiny):
    """Leaves the hole as it is, and has no weights to speak of."""

    def weights(self) -> None:
        return None

    def inpaint(self, frame: Frame, hole: np.ndarray) -> Frame:
        return frame


class TinyOld(Tiny):
    """Written for another `dance`."""

    INTERFACE_VERSION = 0
