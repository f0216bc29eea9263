"""How much memory a training step takes beside the networks, found without allocating it.

The step runs on torch's meta device, where tensors have shapes and no numbers: forward and backward
of the network and of the discriminators, with the real losses. Every storage is counted from the
operation that makes it until it is freed; the most at a time is the result.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dance_freestyle import encoders
from dance_freestyle.appearance import PARTS, PublishedEncoders
from dance_freestyle.parser import HINTS
from dance_freestyle.training.tasks import TASKS, Batch, Task


def activations(role: str, preset: Any, count: int) -> int:
    """Bytes at most for a step of `count` samples, in single precision.

    What single kernels use within themselves, and what an allocator loses, come on top.
    """
    with torch.device("meta"):
        task: Task = TASKS[role](preset, **_published(role, preset))
        for part in (task.frozen, task.judges):
            part.eval()
        for network in (task.network, task.critics):
            for parameter in network.parameters():
                parameter.grad = torch.zeros_like(parameter)
        with _Counter() as counter:
            _step(task, BLANK[role](preset, count))
    return counter.most


def _step(task: Task, batch: Batch) -> None:
    """Both passes, as `Trainer` makes them."""
    output = task.forward(batch)
    task.critics.requires_grad_(False)
    terms = list(task.generator_terms(batch, output).values())
    if task.role == "b2f" and task.judges:
        terms += _judged(task, batch, output)
    torch.stack(terms).sum().backward()  # type: ignore[no-untyped-call]
    del terms
    task.critics.requires_grad_(True)
    task.critic_loss(batch, output).backward()  # type: ignore[no-untyped-call]


def _judged(task: Any, batch: Batch, painted: Any) -> list[Tensor]:
    """Equation 18 for a face per picture and, where wanted, appendix H's four regions.

    Boxes have no number without a picture, so that the losses leave them out here.
    """
    weights, side = task.preset.loss, task.preset.crop
    wanted = [("faces", 1)] * bool(weights.face) + [("regions", 4)] * bool(weights.region)

    def crops(pictures: Tensor, times: int) -> Tensor:
        return nn.functional.interpolate(pictures.repeat(times, 1, 1, 1), (side, side))

    return [task.judges[name](crops(batch["x"], n), crops(painted.z, n)) for name, n in wanted]


class _Counter(TorchDispatchMode):
    """Bytes of the storages that operations made and that are not yet freed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        taken = {x.untyped_storage()._cdata for x in _tensors((args, kwargs))}
        for tensor in _tensors(made):
            storage = tensor.untyped_storage()
            if storage._cdata not in taken:
                self._count(storage)
        return made

    def _count(self, storage: Any) -> None:
        size = storage.nbytes()
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._freed, size)

    def _freed(self, size: int) -> None:
        self.now -= size


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _published(role: str, preset: Any) -> dict[str, nn.Module]:
    """The published encoders' layouts, whose weights need not be here to be counted."""
    if getattr(preset, "encoders", None) != "published":
        return {}
    made: nn.Module = encoders.VggFace2() if role == "fr" else _Layouts()
    return {"published": made.eval().requires_grad_(False)}


class _Layouts(PublishedEncoders):
    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.face, self.part = encoders.VggFace2(), encoders.Vgg19()


def _p2b(preset: Any, count: int) -> Batch:
    zeros = torch.zeros
    batch = {
        "p_star": zeros(count, preset.labels, *preset.size),
        "P_S": zeros(count, 3, *preset.size),
        "P_M": zeros(count, *preset.size, dtype=torch.uint8),
    }
    return {**batch, "P_D": zeros(count, 3, *preset.size)} if preset.use_dp else batch


def _b2f(preset: Any, count: int) -> Batch:
    zeros = torch.zeros
    batch = {
        "images": zeros(count, PARTS, 3, preset.crop, preset.crop),
        "present": zeros(count, PARTS),
        "P_B": zeros(count, preset.labels, *preset.size),
        "x": zeros(count, 3, *preset.canvas),
        "plate": zeros(count, 3, *preset.canvas),
    }
    warped = {"texture": zeros(count, 6, *preset.canvas)} if preset.texture == "warp" else {}
    return {**batch, **warped}


def _fr(preset: Any, count: int) -> Batch:
    face = torch.zeros(count, 3, preset.size, preset.size)
    batch = {"c0": face, "truth": face.clone()}
    batch["identity"] = torch.zeros(count, 3, preset.crop, preset.crop)
    return {**batch, "photo": face.clone()} if preset.photo else batch


def _parser(preset: Any, count: int) -> Batch:
    return {
        "rgb": torch.zeros(count, 3, *preset.size),
        "hints": torch.zeros(count, HINTS, *preset.size),
        "labels": torch.zeros(count, *preset.size, dtype=torch.uint8),
    }


def _embedder(preset: Any, count: int) -> Batch:
    return {name: torch.zeros(count, 3, preset.crop, preset.crop) for name in ("one", "two")}


BLANK = {"p2b": _p2b, "b2f": _b2f, "fr": _fr, "parser": _parser, "embedder": _embedder}
"""A batch as `Task.ready` makes it, without numbers and without boxes."""
