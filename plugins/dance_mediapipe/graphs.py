"""MediaPipe's models as small graphs of our own (`recipes.py`), run once per call, no memory.

The ready-made solutions keep one person and, in tracking mode, remember earlier frames. Here the
wheel's own subgraphs are wired without feedback, so a result depends on its input alone.
A graph must not be shared between threads: `graph` hands every thread its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from dance_mediapipe.loading import needed, quiet_stderr
from dance_mediapipe.recipes import RECIPES
from dancecli.errors import PluginError
from dancecli.types import FloatArray, UInt8Array


class Graph:
    """One running graph. `send` starts a run and returns at once; `collect` waits for it.

    All raise PluginError when the graph fails.
    """

    def __init__(self, name: str) -> None:
        mp, recipe = mediapipe(), RECIPES[name]
        self._api, self._name, self._outputs = mp, name, recipe.outputs
        self._clock, self._settled = 0, False
        self._results: dict[str, Any] = {}
        create = {int: mp.create.create_int, bool: mp.create.create_bool}
        with self._failures(), quiet_stderr():
            config = mp.text_format.Parse(recipe.text, mp.config())
            self._graph = mp.graph(graph_config=config)
            for stream in recipe.outputs:
                self._graph.observe_output_stream(stream, self._results.__setitem__, True)
            self._graph.start_run({k: create[type(v)](v) for k, v in recipe.constants.items()})
            # The models load on other threads: wait until they have logged what they will.
            self._graph.wait_until_idle()
        self._whole = "roi" in recipe.text.split("output_stream", 1)[0]

    def send(self, picture: UInt8Array) -> None:
        """Starts a run on an RGB picture, uint8 (H, W, 3)."""
        self._results.clear()
        self._clock += 1
        make, mp = self._api.create, self._api
        image = make.create_image_frame(
            data=np.ascontiguousarray(picture), image_format=mp.rgb_format
        )
        with self._failures(), contextlib.nullcontext() if self._settled else quiet_stderr():
            if self._whole:
                whole = mp.rect(x_center=0.5, y_center=0.5, width=1, height=1)
                roi = make.create_proto(whole).at(self._clock)
                self._graph.add_packet_to_input_stream("roi", roi)
            self._graph.add_packet_to_input_stream("image", image.at(self._clock))
            if not self._settled:
                self._graph.wait_until_idle()

    def collect(self) -> dict[str, Any]:
        """Output packets of the last `send` by stream name; what was not found is absent."""
        with self._failures():
            self._graph.wait_until_idle()
        found = {name: packet for name, packet in self._results.items() if not packet.is_empty()}
        # Some nodes log on their first real work, so the noise ends with the first full result.
        self._settled = self._settled or len(found) == len(self._outputs)
        return found

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise PluginError(f"MediaPipe's {self._name} graph failed: {reason}") from error

    def run(self, picture: UInt8Array) -> dict[str, Any]:
        """`send` a picture, RGB uint8 (H, W, 3), and `collect`."""
        self.send(picture)
        return self.collect()


_local = threading.local()


def graph(name: str, lane: int = 0) -> Graph:
    """This thread's graph of that name, built on first use.

    Graphs of different lanes run side by side. Raises PluginError when MediaPipe cannot load.
    """
    graphs: dict[tuple[str, int], Graph] = _local.__dict__.setdefault("graphs", {})
    if (name, lane) not in graphs:
        graphs[name, lane] = Graph(name)
    return graphs[name, lane]


def points(packet: Any) -> FloatArray:
    """Landmarks of a packet, float32 (N, 5): x, y, z, visibility, presence."""
    marks = mediapipe().get.get_proto(packet).landmark
    rows = [(m.x, m.y, m.z, m.visibility, m.presence) for m in marks]
    return np.array(rows, np.float32).reshape(-1, 5)


def detections(packet: Any) -> list[Any]:
    """Detection messages of a packet."""
    return list(mediapipe().get.get_proto_list(packet))


def message(packet: Any) -> Any:
    """The one message of a packet."""
    return mediapipe().get.get_proto(packet)


def plane(packet: Any) -> FloatArray:
    """A one-channel picture of a packet, float32 (H, W), a copy."""
    view = mediapipe().get.get_image_frame(packet).numpy_view()
    return np.array(view, np.float32).reshape(view.shape[:2])


class _Api(NamedTuple):
    graph: Any
    config: Any
    text_format: Any
    create: ModuleType
    get: ModuleType
    rect: Any
    rgb_format: Any


@cache
def mediapipe() -> _Api:
    """What is used of MediaPipe. Importing it takes about half a second, so it waits until here.

    Raises PluginError with the remedy where a system library is missing.
    """
    with needed("MediaPipe", "mediapipe==0.10.21"), quiet_stderr():
        # The messages imported for nothing but their side effect are named in the recipes.
        from google.protobuf import text_format
        from mediapipe.calculators.core import split_vector_calculator_pb2  # noqa: F401
        from mediapipe.framework import calculator_pb2
        from mediapipe.framework.formats import rect_pb2
        from mediapipe.modules.face_detection import face_detection_pb2  # noqa: F401
        from mediapipe.python import packet_creator, packet_getter
        from mediapipe.python._framework_bindings import (
            calculator_graph,
            image_frame,
            resource_util,
        )
    # .../site-packages, two above mediapipe/framework's package file: model paths start there
    root = Path(str(calculator_pb2.__file__)).parents[2]
    resource_util.set_resource_dir(str(root))
    return _Api(
        calculator_graph.CalculatorGraph,
        calculator_pb2.CalculatorGraphConfig,
        text_format,
        packet_creator,
        packet_getter,
        rect_pb2.NormalizedRect,
        image_frame.ImageFormat.SRGB,
    )
