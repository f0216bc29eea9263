"""CUDA graphs: what a network launches, recorded once per shape of its inputs and replayed.

One frame of a network is hundreds of kernels, most of them shorter than Python needs to launch one.
A replay launches all of them in one call.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

MOST = 8
"""Recordings of a network that are kept; each holds the memory of one run."""

WARM_UPS = 3
"""Runs before one is recorded, in which cuDNN chooses its kernels by timing them."""

Inputs = Sequence[Tensor | None]
Call = Callable[..., Any]
"""Of tensors or None. What comes out is a tensor, None, or a tuple or dataclass of such."""

logger = logging.getLogger(__name__)

_turns = threading.RLock()
"""All recordings' and replays': their buffers are shared by threads, and torch records one graph
at a time."""


@dataclasses.dataclass(frozen=True, eq=False)
class Replay:
    """A recording. held: its input buffers; made: its output buffers, valid after `launch`."""

    held: Inputs
    launch: Callable[[], object]
    made: Any

    def __call__(self, given: Inputs) -> Any:
        """Copies of the outputs, which the next replay leaves alone."""
        for buffer, tensor in zip(self.held, given, strict=True):
            if buffer is not None and tensor is not None:
                buffer.copy_(tensor, non_blocking=True)
        self.launch()
        return copied(self.made)


class Graphed:
    """A function of tensors, replayed; the same results as calling it.

    Several threads may call it, each on its device's default stream. Where recording fails, for
    want of memory or because an operation cannot be recorded, it says so once and calls the
    function from then on. Outside of inference mode it always does.
    """

    def __init__(
        self, eager: Call, record: Callable[[Call, Inputs], Replay] | None = None, most: int = MOST
    ) -> None:
        """record: gives the recording of a call; by default a CUDA graph."""
        self.eager, self._record, self._most = eager, record or recorded, most
        self._kept: OrderedDict[object, Replay] = OrderedDict()
        self._failed = False

    def __call__(self, *given: Tensor | None) -> Any:
        if torch.is_inference_mode_enabled():
            with _turns:
                replay = self._replay(given)
                if replay is not None:
                    return replay(given)
        return self.eager(*given)

    def _replay(self, given: Inputs) -> Replay | None:
        if self._failed:
            return None
        key = signature(given)
        if key not in self._kept:
            try:
                self._kept[key] = self._record(self.eager, given)
            except RuntimeError as error:
                self._give_up(error)
                return None
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _give_up(self, error: RuntimeError) -> None:
        self._failed = True
        self._kept.clear()
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        logger.warning("no CUDA graph could be recorded (%s); painting is slower without", reason)


def signature(given: Inputs) -> object:
    """What a recording is good for: the inputs' shapes, types and devices, and autocast."""
    kinds = tuple(None if x is None else (tuple(x.shape), x.dtype, x.device) for x in given)
    return torch.is_autocast_enabled(), kinds


def recorded(call: Call, given: Inputs) -> Replay:
    """A CUDA graph of call(*given).

    Raises RuntimeError when it cannot be recorded.
    """
    (device, *_) = (x.device for x in given if x is not None)
    with torch.cuda.device(device):
        held = [None if x is None else x.clone() for x in given]
        before, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(before)
        # Outside of `torch.cuda.graph`, which leaves its stream current when recording fails.
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                call(*held)
            graph = torch.cuda.CUDAGraph()
            # Other threads may allocate and wait meanwhile.
            with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
                made = call(*held)
        before.wait_stream(side)
    return Replay(held, graph.replay, made)


def copied(made: Any) -> Any:
    """The same with each tensor copied."""
    if isinstance(made, Tensor):
        return made.clone()
    if isinstance(made, tuple):
        return tuple(copied(each) for each in made)
    if dataclasses.is_dataclass(made):
        fields = {f.name: copied(getattr(made, f.name)) for f in dataclasses.fields(made)}
        return dataclasses.replace(cast("Any", made), **fields)
    return made
