"""What is checked of an `Inpainter`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dancecli.testing import pictures
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite
from dancecli.testing.judging import is_frame, or_refuses, require
from dancecli.types import Frame, Target, UInt8Array

GREY = 128
"""Of the ground behind the drawn figure."""


def _hole(target: Target) -> UInt8Array:
    return np.where(target.mask.alpha > 0, 255, 0).astype(np.uint8)


def _filled(plugin: Any, frame: Frame, hole: UInt8Array) -> Frame:
    filled: Frame = plugin.inpaint(frame, hole)
    is_frame(filled, frame, "inpaint")
    kept = np.array_equal(filled.rgb[hole == 0], frame.rgb[hole == 0])
    require(kept, "pixels outside the hole changed")
    return filled


def _painted_out(filled: Frame, hole: UInt8Array) -> None:
    left = np.abs(filled.rgb[hole > 0].astype(int) - GREY).max()
    require(left < 64, "the figure on a grey ground is not painted out")


def _keeps(case: Case) -> None:
    target = pictures.figure(120, 192)
    hole = _hole(target)
    _painted_out(_filled(case.plugin, target.frame, hole), hole)


def _two(case: Case) -> None:
    larger, smaller = pictures.two_people(pictures.figure(120, 192))
    hole = np.maximum(_hole(larger), _hole(smaller))
    _painted_out(_filled(case.plugin, larger.frame, hole), hole)


def _nothing(case: Case) -> None:
    frame = pictures.figure().frame
    _filled(case.plugin, frame, np.zeros(frame.rgb.shape[:2], np.uint8))


def _everything(case: Case) -> None:
    frame = pictures.figure(80, 128).frame
    hole = np.full(frame.rgb.shape[:2], 255, np.uint8)
    or_refuses(lambda: _filled(case.plugin, frame, hole))


def _tiny(case: Case) -> None:
    for target in pictures.tiny():
        hole = np.zeros(target.frame.rgb.shape[:2], np.uint8)
        hole[0, 0] = 255
        or_refuses(lambda frame=target.frame, hole=hole: _filled(case.plugin, frame, hole))  # type: ignore[misc]


SUITE: Suite = {
    "fills the hole and nothing else": _keeps,
    "fills two holes": _two,
    "changes nothing without a hole": _nothing,
    "takes a picture that is all hole": _everything,
    "takes a picture of a few pixels": _tiny,
    **behaviour(
        lambda plugin, target: plugin.inpaint(target.frame, _hole(target)),
        lambda case: (pictures.figure(80, 128), pictures.figure(60, 80)),
    ),
}
