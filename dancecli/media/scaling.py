"""How swscale converts pixels: the exact ways where this PyAV can ask for them."""

from __future__ import annotations

from typing import Any


def exact(way: str, chroma: str) -> Any:
    """PyAV's flag for interpolation `way`, with accurate rounding and full chroma (`chroma`).

    Before PyAV 18, the last for Python 3.10, ways cannot be combined; rounding then is swscale's
    usual one, at most a level off.
    """
    from av.video.reformatter import Interpolation

    chosen = Interpolation[way]
    if not hasattr(Interpolation, "ACCURATE_RND"):
        return chosen
    return chosen | Interpolation["ACCURATE_RND"] | Interpolation[chroma]
