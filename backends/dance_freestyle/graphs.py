"""A network's kernels as one CUDA graph: small networks wait for launches, not for the GPU."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MOST = 8
"""Graphs kept of one network; canvases differ from job to job, and each holds its memory."""

WARM = 3
"""Runs before a capture, in which libraries choose their kernels and take their memory."""


@dataclass(frozen=True, eq=False)
class Captured:
    """A graph, the tensors that it reads, and what it writes."""

    graph: Any
    inputs: tuple[Tensor, ...]
    output: Any


Capture = Callable[[Callable[..., Any], tuple[Tensor, ...]], Captured]


class Graphed:
    """A network that is called as before, on CUDA; its attributes are the network's.

    A graph is captured for each new set of shapes. The output is overwritten by the next call with
    the same shapes: what is to last must be copied by then.
    """

    def __init__(self, network: Any, capture: Capture | None = None) -> None:
        """capture: instead of CUDA's, where there is none."""
        self._network, self._capture = network, capture or captured
        self._kept: OrderedDict[tuple[Any, ...], Captured] = OrderedDict()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, *inputs: Tensor | None) -> Any:
        """The network's output for inputs on its device; those that are None are left out."""
        given = tuple(x for x in inputs if x is not None)
        key = tuple(None if x is None else (x.shape, x.dtype) for x in inputs)
        if key not in self._kept:
            where = iter(range(len(given)))
            places = [None if x is None else next(where) for x in inputs]
            self._kept[key] = self._capture(
                lambda *tensors: self._network(
                    *(None if place is None else tensors[place] for place in places)
                ),
                given,
            )
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        found = self._kept[key]
        for place, value in zip(found.inputs, given, strict=True):
            place.copy_(value, non_blocking=True)
        found.graph.replay()
        return found.output


def captured(call: Callable[..., Any], inputs: tuple[Tensor, ...]) -> Captured:
    """What `call` does with tensors like these, as a CUDA graph.

    Weights are cast anew within the graph: those that autocast keeps are gone when it ends.
    """
    places = tuple(x.clone() for x in inputs)
    kind = torch.get_autocast_dtype("cuda")
    side, enabled = torch.cuda.Stream(), torch.is_autocast_enabled("cuda")
    with (
        torch.autocast("cuda", kind, enabled=enabled, cache_enabled=False),
        torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True),
    ):
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM):
                call(*places)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = call(*places)
    return Captured(graph, places, output)
