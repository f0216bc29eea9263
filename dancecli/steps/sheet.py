"""The contact sheet of a run: an output like the others, that wants a few frames only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dancecli.drawing import stick_figure
from dancecli.labels import colourize
from dancecli.media import VideoStream, write_png
from dancecli.provenance import container_tags
from dancecli.sheet import SheetCollector, moments
from dancecli.steps.placing import Scene
from dancecli.types import Layer, Target, UInt8Array


class RunSheet:
    """Photo, driving frame, retargeted pose, labels and result at a few moments.

    Labels are the backend's own (P^M) where it has them, else the photo's (p^M*).
    """

    def __init__(self, path: Path, target: Target, video: VideoStream, scene: Scene) -> None:
        self.path, self.video, self.scene = path, video, scene
        self.wanted = set(moments(scene.count))
        photo = {"photo": target.frame.rgb, "labels": colourize(target.labels.labels)}
        self.collector = SheetCollector(sorted(self.wanted), photo)

    def add(self, index: int, result: UInt8Array, layer: Layer) -> None:
        """Take a finished frame (H, W, 3); those that the sheet does not show are ignored."""
        if index not in self.wanted:
            return
        width, height = self.scene.size
        pictures = {
            "driving": next(self.video.frames(index, index + 1)).rgb,
            "pose": stick_figure(self.scene.skeletons[index], height, width),
            "result": result,
        }
        if layer.labels is not None:
            pictures["labels"] = _in_frame(layer, colourize(layer.labels.labels), width, height)
        self.collector.add(index, index / float(self.scene.fps), **pictures)

    def write(self, title: str) -> None:
        """Write the PNG."""
        sheet = self.collector.sheet(title=title)
        write_png(self.path, sheet, container_tags(title="Contact sheet of a synthetic video"))


def _in_frame(layer: Layer, rgb: UInt8Array, width: int, height: int) -> UInt8Array:
    import cv2

    canvas = layer.canvas
    place = np.array([[canvas.scale, 0, canvas.x], [0, canvas.scale, canvas.y]])
    placed: UInt8Array = cv2.warpAffine(rgb, place, (width, height), flags=cv2.INTER_NEAREST)
    return placed
