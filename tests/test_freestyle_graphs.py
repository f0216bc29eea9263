"""Networks as CUDA graphs, and all of the backend on CUDA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dance_freestyle import graphs
from dance_freestyle.b2f import B2F
from dance_freestyle.backend import FreestyleBackend
from dance_freestyle.fr import FR
from dance_freestyle.graphs import Captured, Graphed
from dance_freestyle.networks import Networks, assemble
from dance_freestyle.p2b import P2B
from dance_freestyle.presets import Preset
from freestyle_tiny import TINY, TINY_PAPER, b2f_inputs, p2b_inputs
from test_freestyle_backend import motions, target_with_face
from torch import Tensor, nn

from dancecli.stages import Settings

CLOSE = 0.05
"""Of values in [-1, 1]: bfloat16 has 8 bits."""


class Replayed:
    """A graph without a GPU: it computes from its own inputs when it is replayed."""

    captures = 0

    def __init__(self, call: Any, inputs: tuple[Tensor, ...]) -> None:
        self.call, self.inputs, self.output = call, inputs, call(*inputs)

    def replay(self) -> None:
        self.output.copy_(self.call(*self.inputs))


def replayed(call: Any, inputs: tuple[Tensor, ...]) -> Captured:
    Replayed.captures += 1
    graph = Replayed(call, tuple(x.clone() for x in inputs))
    return Captured(graph, graph.inputs, graph.output)


class Scaled(nn.Module):
    preset = "its preset"

    def forward(self, x: Tensor, by: Tensor, more: Tensor | None = None) -> Tensor:
        return x * by if more is None else x * by + more


def test_a_graphed_network_gives_what_the_network_gives() -> None:
    network = Scaled()
    graphed = Graphed(network, replayed)
    assert graphed.preset == "its preset"
    for count in (1, 3, 1):
        x, by, more = torch.rand(3, count, 4)
        assert torch.equal(graphed(x, by), network(x, by))
        assert torch.equal(graphed(x, by, None), network(x, by))
        assert torch.equal(graphed(x, by, more), network(x, by, more))


def test_a_shape_is_captured_once_and_only_so_many_are_kept() -> None:
    graphed = Graphed(Scaled(), replayed)
    Replayed.captures = 0
    for count in [1, 2, 1, 2, 2]:
        graphed(torch.rand(count, 4), torch.rand(count, 4))
    assert Replayed.captures == 2
    for count in range(3, 3 + graphs.MOST):
        graphed(torch.rand(count, 4), torch.rand(count, 4))
    Replayed.captures = 0
    graphed(torch.rand(2, 4), torch.rand(2, 4))
    assert Replayed.captures == 1


def networks_of(preset: Preset, device: str, graphed: bool = True) -> Networks:
    torch.manual_seed(0)
    return assemble(P2B(preset.p2b), B2F(preset.b2f), FR(preset.fr), device, graphed)


def near(one: Tensor, other: Tensor) -> bool:
    return bool((one.float().cpu() - other.float().cpu()).abs().max() < CLOSE)


@pytest.mark.gpu
@pytest.mark.parametrize("preset", [TINY, TINY_PAPER], ids=["compact", "paper"])
def test_on_cuda_graphs_give_what_single_kernels_give(preset: Preset) -> None:
    plain, fast = (networks_of(preset, "cuda", graphed) for graphed in (False, True))
    for seed in (1, 2):  # the second replays what the first captured
        torch.manual_seed(seed)
        bodies = [x.cuda() for x in p2b_inputs(3, preset.p2b)]
        looks = [x.detach().cuda() for x in b2f_inputs(3, B2F(preset.b2f))]
        face = torch.rand(2, 3, 3, preset.fr.size, preset.fr.size).cuda()
        owner = torch.rand(3, preset.fr.embedding).cuda()
        for networks in (plain, fast):
            with networks.running():
                maps = networks.body.p2b(*bodies).clone()
                painted = networks.body.b2f(*looks)
                z, m = painted.z.clone(), painted.m.clone()
                c, mask = networks.refiner.fr(face[0], owner, face[1])
            if networks is plain:
                wanted = maps, z, m, c.clone(), mask.clone()
        assert all(near(a, b) for a, b in zip(wanted, (maps, z, m, c, mask), strict=True))


@pytest.mark.gpu
def test_cuda_paints_what_the_processor_paints() -> None:
    target, layers = target_with_face(), {}
    for device in ("cpu", "cuda"):
        backend = FreestyleBackend(Settings(), networks_of(TINY, device))
        person = backend.prepare(target)
        layers[device] = [*backend.render(person, motions(3)), *backend.render(person, motions(1))]
    for one, other in zip(layers["cpu"], layers["cuda"], strict=True):
        assert np.abs(one.m - other.m).mean() < CLOSE / 10
        assert np.abs((one.z - other.z) * one.m[..., None]).mean() < CLOSE / 10
