"""What is checked of a `Backend`.

How good its pictures are, and whether left stays left in them, is measured by `dance evaluate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dancecli import registry
from dancecli.figures import standing_skeleton
from dancecli.labels import BODY_LABELS
from dancecli.stages import DEFAULTS, Settings
from dancecli.steps.placing import dense_size
from dancecli.testing import pictures
from dancecli.testing.behaviour import behaviour
from dancecli.testing.case import Case, Suite
from dancecli.testing.judging import (
    alike,
    in_unit,
    is_array,
    is_frame,
    or_refuses,
    require,
    same,
)
from dancecli.types import (
    Canvas,
    DenseMap,
    FloatArray,
    Frame,
    LabelMap,
    Layer,
    Motion,
    Skeleton,
    Target,
    UInt8Array,
)

SIZE = (160, 100)
"""Height and width of layers from a backend that paints any size."""

SCALED = 0.02
"""Share of a canvas by which what is covered may differ on one of half its size."""


def _person() -> Target:
    """Smaller than a photo, since it is prepared often."""
    return pictures.figure(120, 192)


def _motion(plugin: Any, skeleton: Skeleton | None = None, index: int = 0) -> Motion:
    """Somebody stands on the plugin's canvas."""
    height, width = plugin.canvas or SIZE
    skeleton = skeleton or standing_skeleton(width, height)
    canvas = Canvas(width, height)
    return Motion(skeleton, _dense(plugin, skeleton, canvas), canvas, index)


def _dense(plugin: Any, skeleton: Skeleton, canvas: Canvas) -> DenseMap | None:
    """What the default plugin draws, for backends that read it."""
    if not plugin.uses_dense:
        return None
    default = registry.load("dance.dense", DEFAULTS["dance.dense"], Settings(device="cpu"))
    height, width = dense_size(plugin, canvas)
    frame = Frame(np.zeros((height, width, 3), np.uint8))
    skeleton = skeleton.moved(height / canvas.height, 0, 0)
    dense: DenseMap = default.dense(frame, skeleton.box(), skeleton)
    return dense


def _waving(plugin: Any) -> Motion:
    """The same with the right arm up."""
    body = _motion(plugin).skeleton.body.copy()
    body[[3, 4], 1] = body[2, 1] - (body[[3, 4], 1] - body[2, 1])
    return _motion(plugin, Skeleton(body), 1)


def _rendered(plugin: Any, person: Any, motions: Sequence[Motion]) -> list[Layer]:
    """Layers of as many motions at a time as a run would give it, the last ones repeated."""
    batch = getattr(plugin, "batch", 1)
    if batch == 1:  # more are given to it by --batch-size
        return _answered(plugin, person, motions)
    batches = [list(motions[at : at + batch]) for at in range(0, len(motions), batch)]
    filled = (each + [each[-1]] * (batch - len(each)) for each in batches)
    layers = [layer for each in filled for layer in _answered(plugin, person, each)]
    return layers[: len(motions)]


def _answered(plugin: Any, person: Any, motions: Sequence[Motion]) -> list[Layer]:
    layers: list[Layer] = plugin.render(person, motions)
    require(len(layers) == len(motions), f"{len(layers)} layers for {len(motions)} motions")
    return layers


def _layers(plugin: Any, person: Any, motions: Sequence[Motion]) -> list[Layer]:
    layers = _rendered(plugin, person, motions)
    for layer, motion in zip(layers, motions, strict=True):
        _is_layer(layer, motion)
    return layers


def _is_layer(layer: Any, motion: Motion) -> None:
    require(isinstance(layer, Layer), f"{type(layer).__name__} is not a Layer")
    require(layer.canvas == motion.canvas, "a layer has another canvas than its motion")
    size = (motion.canvas.height, motion.canvas.width)
    is_array(layer.z, np.float32, (*size, 3), "z")
    is_array(layer.m, np.float32, size, "m")
    in_unit(layer.z, "z")
    in_unit(layer.m, "m")
    if layer.labels is not None:
        require(isinstance(layer.labels, LabelMap), "labels are not a LabelMap")
        is_array(layer.labels.labels, np.uint8, size, "labels")
        require(layer.labels.labels.max() < BODY_LABELS, "a label is above 21")
    if layer.landmarks is not None:
        is_array(layer.landmarks, np.float32, (70, 3), "landmarks")


def _says(case: Case) -> None:
    canvas = case.plugin.canvas
    pair = isinstance(canvas, tuple) and len(canvas) == 2 and min(canvas) > 0
    require(canvas is None or pair, f"canvas is {canvas!r}")
    dense = getattr(case.plugin, "dense_size", None)
    if dense is not None and canvas is not None:
        alike = dense[0] * canvas[1] == dense[1] * canvas[0]
        require(alike, f"dense_size {dense} has another shape than canvas {canvas}")
    batch = getattr(case.plugin, "batch", 1)
    require(isinstance(batch, int) and batch > 0, f"batch is {batch!r}, not a number above 0")
    for name in ("uses_dense", "refines"):
        require(isinstance(getattr(case.plugin, name), bool), f"{name} is not a bool")


def _renders(case: Case) -> None:
    plugin, target = case.plugin, _person()
    person = plugin.prepare(target)
    layers = _layers(plugin, person, [_motion(plugin), _waving(plugin), _motion(plugin)])
    require(alike(layers[0].z, layers[2].z), "equal motions give different pictures")
    require(layers[0].m.max() > 0.5, "nothing is painted for a standing person")
    require(_layers(plugin, person, []) == [], "layers without a motion")


def _scales(case: Case) -> None:
    """The same person, a quarter of the pixels."""
    plugin, motion = case.plugin, _motion(case.plugin)
    if not getattr(plugin, "scalable", False):
        return
    half = Canvas(motion.canvas.width // 2, motion.canvas.height // 2, 2.0)
    skeleton = motion.skeleton.moved(0.5, 0, 0)
    smaller = Motion(skeleton, _dense(plugin, skeleton, half), half)
    person = plugin.prepare(_person())
    (full,), (small,) = (_layers(plugin, person, [each]) for each in (motion, smaller))
    away = abs(float(full.m.mean() - small.m.mean()))
    require(away < SCALED, f"on half the canvas the person covers {away:.2f} more or less of it")


def _any_order(case: Case) -> None:
    plugin = case.plugin
    person, motions = plugin.prepare(_person()), [_motion(plugin), _waving(plugin)]
    there = _layers(plugin, person, motions)
    back = _layers(plugin, person, motions[::-1])[::-1]
    require(alike(there, back), "a layer depends on the motions beside its own")


def _two(case: Case) -> None:
    plugin, motion = case.plugin, _motion(case.plugin)
    one = plugin.prepare(_person())
    alone = _layers(plugin, one, [motion])
    plugin.prepare(recoloured(_person()))
    beside = _layers(plugin, one, [motion])
    require(same(alone, beside), "preparing another person changes the first")


def recoloured(target: Target) -> Target:
    """Somebody in other clothes."""
    rgb: UInt8Array = np.where(target.mask.alpha[..., None] > 0, 255 - target.frame.rgb, 128)
    return replace(target, frame=Frame(rgb.astype(np.uint8)))


def _nobody(case: Case) -> None:
    plugin = case.plugin
    or_refuses(lambda: plugin.prepare(pictures.nobody()))
    person = plugin.prepare(_person())
    unseen = _motion(plugin, Skeleton(np.zeros((25, 3), np.float32)))
    or_refuses(lambda: _layers(plugin, person, [unseen]))


def _tiny(case: Case) -> None:
    plugin = case.plugin
    for target in pictures.tiny():
        or_refuses(lambda target=target: plugin.prepare(target))  # type: ignore[misc]
    if plugin.canvas is None:
        person = plugin.prepare(_person())
        for height, width in pictures.TINY:
            skeleton = standing_skeleton(width, height)
            motion = Motion(skeleton, None, Canvas(width, height))
            if plugin.uses_dense:
                motion = replace(motion, dense=_dense(plugin, skeleton, motion.canvas))
            or_refuses(lambda motion=motion: _layers(plugin, person, [motion]))  # type: ignore[misc]


def _refined(plugin: Any, landmarks: FloatArray | None) -> tuple[Frame, Frame]:
    """A frame before and after."""
    frame = replace(_person().frame, index=3, time=0.1)
    refined = plugin.refine(plugin.prepare(_person()), frame, landmarks)
    is_frame(refined, frame, "refine")
    return frame, refined


def _no_face(case: Case) -> None:
    frame, refined = _refined(case.plugin, None)
    require(np.array_equal(refined.rgb, frame.rgb), "a frame without a face must not change")


def _face(case: Case) -> None:
    frame, refined = _refined(case.plugin, _landmarks(_person().skeleton))
    kept = np.array_equal(refined.rgb, frame.rgb)
    require(kept or case.plugin.refines, "refine changes a frame, but `refines` is False")


def _landmarks(skeleton: Skeleton) -> FloatArray:
    """Seventy points about the nose, the eyes where they are."""
    face = np.ones((70, 3), np.float32)
    face[:, :2] = skeleton.joint("nose")
    face[36:42, :2], face[42:48, :2] = skeleton.joint("right_eye"), skeleton.joint("left_eye")
    face[48:68, 1] += abs(skeleton.joint("neck")[1] - skeleton.joint("nose")[1]) / 3
    return face


SUITE: Suite = {
    "says canvas, uses_dense and refines": _says,
    "renders a layer per motion": _renders,
    "renders smaller canvases if it says so": _scales,
    "renders motions in any order": _any_order,
    "keeps two people apart": _two,
    "takes a picture and a motion without anybody": _nobody,
    "takes a picture and a canvas of a few pixels": _tiny,
    "leaves a frame without a face alone": _no_face,
    "refines only if it says so": _face,
    **behaviour(
        lambda plugin, target: _rendered(plugin, plugin.prepare(target), [_motion(plugin)]),
        lambda case: (_person(), pictures.figure(60, 100)),
    ),
}
