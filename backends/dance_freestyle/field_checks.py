"""What the settings of a network must be beside their type; each raises ValueError."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def check_shares(preset: Any, *names: str) -> None:
    """Those settings are from 0 to 1. Raises ValueError naming the one that is not."""
    for name in names:
        value = getattr(preset, name)
        if not 0 <= value <= 1:
            raise ValueError(f"{name} {value} is not in 0..1")


def check_shapes(size: tuple[int, int], canvas: tuple[int, int]) -> None:
    """Both (height, width) have one shape, to the pixel. Raises ValueError."""
    if abs(size[0] * canvas[1] - size[1] * canvas[0]) >= canvas[0]:
        raise ValueError(
            f"size {size[0]}x{size[1]} is of another shape than canvas {canvas[0]}x{canvas[1]}"
        )


def check_weights(loss: Any) -> None:
    """No term is rewarded: whatever of a loss is a real number is the weight of one.

    Raises ValueError naming a weight below 0.
    """
    for each in fields(loss):
        value = getattr(loss, each.name)
        if isinstance(value, float) and value < 0:
            raise ValueError(f"the weight {each.name} is {value:g}; it must be 0 or more")


def check_adam(rate: float, **betas: float) -> None:
    """What Adam takes, and learns by: rate above 0, betas in [0, 1).

    Raises ValueError naming the one that is not.
    """
    if rate <= 0:
        raise ValueError(f"rate is {rate:g}; it must be more than 0")
    for name, value in betas.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} is {value:g}; it must be 0 or more, and below 1")
