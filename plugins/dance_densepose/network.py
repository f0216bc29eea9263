"""detectron2 with its DensePose project: one frame in, people's charts out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dance_freestyle.weight_files import check_state, content, named

from dance_densepose.charts import Charts, Detections
from dance_densepose.models import Model
from dancecli import libraries
from dancecli.errors import WeightsError
from dancecli.types import Box, UInt8Array

SOURCE = "git+https://github.com/facebookresearch/detectron2"

INSTALL = (
    "pip install torchvision av scipy setuptools wheel && "
    f"pip install --no-build-isolation '{SOURCE}' && "
    f"pip install --no-build-isolation --no-deps '{SOURCE}#subdirectory=projects/DensePose'"
)
"""The last without its requirements, since one of them is a second copy of OpenCV."""


def require_library() -> None:
    """Raises PluginError with the command that installs detectron2 and DensePose."""
    libraries.require("densepose", INSTALL, "detectron2", "densepose")
    libraries.load("densepose", INSTALL, "densepose")  # registers its networks with detectron2


class ChartNetwork:
    """A chart model that sees frames with the short side at `short` pixels, the long at most so.

    The published models were tested at 800 and 1333.
    """

    def __init__(self, model: Model, path: Path, device: str, short: int, long: int) -> None:
        """Raises WeightsError when the file is another network's or cannot be read safely."""
        from detectron2.data.transforms import ResizeShortestEdge
        from detectron2.modeling import build_model

        self._network = build_model(configuration(model, device))
        load_weights(self._network, path)
        self._network.eval().requires_grad_(False)
        self._resize = ResizeShortestEdge([short, short], long)

    @torch.inference_mode()
    def detect(self, rgb: UInt8Array, box: Box | None = None) -> Detections:
        """The people of a picture (H, W, 3); with a box, of whoever is in it, not looked for."""
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        small = self._resize.get_transform(bgr).apply_image(bgr)
        picture = torch.from_numpy(small.astype(np.float32).transpose(2, 0, 1).copy())
        height, width = rgb.shape[:2]
        entry = {"image": picture, "height": height, "width": width}
        given = None if box is None else [_given(box, small.shape[:2], (height, width))]
        (answer,) = self._network.inference([entry], given)
        return detections(answer["instances"])


def configuration(model: Model, device: str) -> Any:
    """detectron2's settings for a model."""
    from densepose import add_densepose_config
    from detectron2.config import get_cfg

    settings = get_cfg()
    add_densepose_config(settings)
    changes = {**model.settings(), "MODEL.DEVICE": device}
    settings.merge_from_list([each for pair in changes.items() for each in pair])
    return settings


def load_weights(network: Any, path: Path) -> None:
    """Raises WeightsError unless the file has every tensor of the network, in its shape."""
    held = content(path)
    state = held.get("model", held) if isinstance(held, Mapping) else held
    expected, found = network.state_dict(), {}
    for key, value in named(path, state).items():
        # Anchors and pixel means were kept in older files; the network makes its own.
        if key in expected:
            found[key] = value
    if not found:
        raise WeightsError(f"{path}: none of the network's tensors is in it")
    check_state(path, expected, found)
    network.load_state_dict(found)


def _given(box: Box, seen: tuple[int, int], frame: tuple[int, int]) -> Any:
    """A box of the frame as detectron2's known instance, in pixels of what the network sees."""
    from detectron2.structures import Boxes, Instances

    y, x = seen[0] / frame[0], seen[1] / frame[1]
    edges = [[box.left * x, box.top * y, box.right * x, box.bottom * y]]
    classes = torch.zeros(1, dtype=torch.int64)
    return Instances(seen, pred_boxes=Boxes(torch.tensor(edges)), pred_classes=classes)


def detections(instances: Any) -> Detections:
    """What detectron2 found; its DensePose project resamples charts to their box."""
    boxes = instances.pred_boxes.tensor.cpu().numpy()

    def charts(number: int) -> Charts:
        from densepose.converters import ToChartResultConverter

        one = instances[number]
        result = ToChartResultConverter.convert(one.pred_densepose, one.pred_boxes)
        # The converter cuts the corner to whole pixels in the same way.
        left, top = (int(edge) for edge in boxes[number, :2])
        return Charts(left, top, result.labels.cpu().numpy(), result.uv.cpu().numpy())

    return Detections(tuple(Box(*map(float, box)) for box in boxes), charts)
