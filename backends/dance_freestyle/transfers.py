"""Between the processor's memory and the device's, without waiting where CUDA can do without."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def sent(batch: Tensor, device: str) -> Tensor:
    """The batch on the device; to CUDA from pinned memory, while Python goes on."""
    if not device.startswith("cuda"):
        return batch.to(device)
    return batch.pin_memory().to(device, non_blocking=True)


def fetched(*made: Tensor) -> list[NDArray[Any]]:
    """The tensors, all of one device, as arrays; CUDA is waited for once for all of them.

    At least one; shapes and types stay. An array of a CPU tensor shares its memory.
    """
    device = made[0].device
    if device.type != "cuda":
        return [each.cpu().numpy() for each in made]
    held = [torch.empty(x.shape, dtype=x.dtype, pin_memory=True) for x in made]
    for buffer, each in zip(held, made, strict=True):
        buffer.copy_(each.contiguous(), non_blocking=True)
    torch.cuda.current_stream(device).synchronize()
    return [buffer.numpy() for buffer in held]
