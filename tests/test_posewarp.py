"""Backend `posewarp`: the pipeline's view of the warp."""

from __future__ import annotations

import numpy as np
from dance_posewarp.backend import PoseWarpBackend
from warp_people import HEIGHT, WIDTH, bent, photo_of, standing

from dancecli import warp
from dancecli.stages import Backend, Settings
from dancecli.types import Canvas, Motion


def test_layers_come_in_order_each_on_its_canvas() -> None:
    backend = PoseWarpBackend(Settings())
    assert isinstance(backend, Backend) and backend.canvas is None
    target = photo_of(standing())
    person = backend.prepare(target)
    poses = [standing(), bent(standing(), left_elbow=-90)]
    canvases = [Canvas(WIDTH, HEIGHT), Canvas(WIDTH + 20, HEIGHT + 30, 0.5, 3, 4)]
    motions = [Motion(p, None, c, i) for i, (p, c) in enumerate(zip(poses, canvases, strict=True))]
    layers = backend.render(person, motions)
    for layer, pose, canvas in zip(layers, poses, canvases, strict=True):
        expected = warp.cut(target).pose(pose, canvas.height, canvas.width)
        assert layer.canvas == canvas
        assert np.array_equal(layer.z, expected.colour)
        assert np.array_equal(layer.m, expected.alpha)


def test_the_composed_frame_is_left_as_it_is() -> None:
    backend, target = PoseWarpBackend(Settings()), photo_of(standing())
    assert backend.refine(backend.prepare(target), target.frame, None) is target.frame
