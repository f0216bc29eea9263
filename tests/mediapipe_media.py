"""Pictures for the tests of the MediaPipe plugin, and Frames made of them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from dancecli.types import Frame, UInt8Array

REPOSITORY = Path(__file__).resolve().parents[1]
DEMO = REPOSITORY / "docs" / "media"
MEDIA = Path(os.environ.get("DANCE_TEST_MEDIA", REPOSITORY.parent / "shared" / "media"))


def media(name: str) -> Path:
    """A file of the shared test media; skips the test where it is absent."""
    if not (MEDIA / name).is_file():
        pytest.skip(f"test media {name} not found in {MEDIA} (set DANCE_TEST_MEDIA)")
    return MEDIA / name


@cache
def picture(path: Path) -> Frame:
    """A photo as a frame."""
    return Frame(np.asarray(Image.open(path).convert("RGB")))


@cache
def stills(path: Path, count: int) -> list[Frame]:
    """Frames of a video, evenly spread."""
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    chosen = np.linspace(0, len(frames) - 1, count).astype(int)
    return [Frame(frames[i], int(i)) for i in chosen]


def mirror(frame: Frame) -> Frame:
    """The frame as in a mirror."""
    return Frame(np.ascontiguousarray(frame.rgb[:, ::-1]))


def side_by_side(left: Frame, right: Frame) -> Frame:
    """Two frames of any size in one, aligned at the top, grey below the shorter."""
    height, width = max(left.height, right.height), left.width + right.width
    rgb: UInt8Array = np.full((height, width, 3), 128, np.uint8)
    rgb[: left.height, : left.width] = left.rgb
    rgb[: right.height, left.width :] = right.rgb
    return Frame(rgb)


def noise(height: int, width: int, seed: int = 0) -> Frame:
    """A frame of random pixels."""
    return Frame(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))
