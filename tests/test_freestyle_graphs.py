"""Networks made fast for CUDA: fused, as graphs, and all of the backend there."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dance_freestyle import graphs
from dance_freestyle.accelerate import fuse
from dance_freestyle.b2f import B2F
from dance_freestyle.backend import FreestyleBackend
from dance_freestyle.fr import FR
from dance_freestyle.graphs import Graphed, Replay
from dance_freestyle.networks import Networks, assemble
from dance_freestyle.p2b import P2B
from dance_freestyle.presets import Preset
from dance_freestyle.transfers import fetched, sent
from freestyle_tiny import TINY, TINY_PAPER, b2f_inputs, p2b_inputs
from made_dancers import motions, target_with_face
from torch import Tensor, nn

from dancecli.stages import Settings
from dancecli.types import Layer

CLOSE = 0.05
"""Of values in [-1, 1]: bfloat16 has 8 bits."""

both = pytest.mark.parametrize("preset", [TINY, TINY_PAPER], ids=["compact", "paper"])


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    one: Tensor
    other: Tensor | None = None


def scaled(x: Tensor, by: Tensor, more: Tensor | None = None) -> tuple[Pair, Tensor]:
    return Pair(x * by), x * by if more is None else x * by + more


class Recorder:
    """Recordings without a GPU: a replay computes from the buffers into the outputs."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, call: Any, given: graphs.Inputs) -> Replay:
        self.count += 1
        held = [None if x is None else torch.full_like(x, torch.nan) for x in given]
        made = call(*held)

        def launch() -> None:
            (pair, more), (one, other) = made, call(*held)
            pair.one.copy_(one.one)
            more.copy_(other)

        return Replay(held, launch, made)


def test_a_replay_gives_what_the_function_gives() -> None:
    graphed, kept = Graphed(scaled, Recorder()), []
    with torch.inference_mode():
        for count in (1, 3, 1):
            x, by, more = torch.rand(3, count, 4)
            for given in ((x, by), (x, by, None), (x, by, more)):
                kept.append((graphed(*given), scaled(*given)))
    for (pair, more), (wanted, other) in kept:  # what later replays leave alone
        assert torch.equal(pair.one, wanted.one) and pair.other is None
        assert torch.equal(more, other)


def test_a_shape_is_recorded_once_and_only_so_many_are_kept() -> None:
    record = Recorder()
    graphed = Graphed(scaled, record, most=3)

    def call(count: int) -> int:
        graphed(torch.rand(count, 4), torch.rand(count, 4))
        return record.count

    with torch.inference_mode():
        assert [call(count) for count in (1, 2, 1, 2, 3)] == [1, 2, 2, 2, 3]
        assert [call(count) for count in (1, 4, 1)] == [3, 4, 4]
        assert [call(count) for count in (3, 2)] == [4, 5], "the one used longest ago goes"


def test_types_and_left_out_inputs_have_recordings_of_their_own() -> None:
    x = torch.rand(2, 4)
    keys = [(x, x), (x, x.double()), (x, None), (x,), (x[:1], x)]
    assert len({graphs.signature(each) for each in keys}) == len(keys)
    assert graphs.signature((x, x)) == graphs.signature((x + 1, x.T.contiguous().T))


def test_what_cannot_be_recorded_is_called_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_call: Any, _given: graphs.Inputs) -> Replay:
        raise RuntimeError("operation not permitted\nmore about it")

    graphed, x = Graphed(scaled, refuse), torch.rand(2, 4)
    with torch.inference_mode():
        for _ in range(3):
            assert torch.equal(graphed(x, x)[1], x * x)
    (said,) = caplog.messages
    assert "(operation not permitted)" in said


def test_with_gradients_the_function_itself_is_called() -> None:
    record = Recorder()
    x = torch.rand(2, 4, requires_grad=True)
    assert Graphed(scaled, record)(x, x)[1].requires_grad and record.count == 0


@both
def test_fused_networks_give_the_same(preset: Preset) -> None:
    torch.manual_seed(0)
    p2b, fr = P2B(preset.p2b), FR(preset.fr)
    b2f = B2F(preset.b2f)
    face = torch.rand(2, 2, 3, preset.fr.size, preset.fr.size)
    calls = [
        (p2b, p2b_inputs(2, preset.p2b)),
        (b2f, b2f_inputs(2, b2f)),
        (fr, (face[0], torch.rand(2, preset.fr.embedding), face[1])),
    ]
    assemble(p2b, b2f, fr).refiner  # noqa: B018
    for network, given in calls:
        unlike_one(network)
        with torch.inference_mode():
            wanted = tensors(network(*given))
            fuse(network)
            for one, other in zip(tensors(network(*given)), wanted, strict=True):
                torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def unlike_one(network: nn.Module) -> None:
    """Weights, biases and batch norms that all change something."""
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.normal_(part.bias, std=0.1)
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.5, 2)


def tensors(made: Any) -> list[Tensor]:
    """What a network gives: P2B's logits, B2F's z and m, FR's c and m^c."""
    if isinstance(made, Tensor):
        return [made]
    return list(made) if isinstance(made, tuple) else [made.z, made.m]


def test_transfers_on_the_processor_change_nothing() -> None:
    x = torch.rand(2, 3, 4).movedim(-1, 1)
    assert sent(x, "cpu") is x
    for found, wanted in zip(fetched(x, x[0] > 0.5), (x, x[0] > 0.5), strict=True):
        assert np.array_equal(found, wanted.numpy())


def networks_of(preset: Preset, device: str, graphed: bool = True) -> Networks:
    torch.manual_seed(0)
    fr = FR(preset.fr)
    unlike_one(fr)
    return assemble(P2B(preset.p2b), B2F(preset.b2f), fr, device, graphed)


def near(one: Tensor, other: Tensor) -> bool:
    return bool((one.float().cpu() - other.float().cpu()).abs().max() < CLOSE)


def recordings(network: Any) -> int:
    """Graphs kept; a network that fell back to single kernels has none."""
    return len(network.forward._kept)


@pytest.mark.gpu
@both
def test_on_cuda_graphs_give_what_single_kernels_give(preset: Preset) -> None:
    plain, fast = (networks_of(preset, "cuda", graphed) for graphed in (False, True))
    larger = [96, 60]
    for seed in (1, 2, 3):  # the second replays what the first recorded; then another canvas
        torch.manual_seed(seed)
        side = preset.fr.sides[-1 if seed == 3 else 0]
        face = torch.rand(2, 3, 3, side, side).cuda()
        owner = torch.rand(3, preset.fr.embedding).cuda()
        bodies = [x.cuda() for x in p2b_inputs(3, preset.p2b)]
        looks = [x.detach().cuda() for x in b2f_inputs(3, B2F(preset.b2f))]
        if seed == 3:
            looks[2] = torch.nn.functional.interpolate(looks[2], larger)
        found = []
        for networks in (plain, fast):
            with networks.running():
                made = (networks.body.p2b(*bodies), networks.body.b2f(*looks),
                        networks.refiner.fr(face[0], owner, face[1]))  # fmt: skip
                found.append([each for one in made for each in tensors(one)])
        assert all(near(a, b) for a, b in zip(*found, strict=True))
    assert recordings(fast.body.p2b) == 1
    assert recordings(fast.refiner.fr) == len({preset.fr.sides[0], preset.fr.sides[-1]})
    assert recordings(fast.body.b2f) == 2
    assert not isinstance(plain.body.p2b.forward, Graphed)


def assert_alike(one: Layer, other: Layer) -> None:
    """But for bfloat16, and labels that were a toss-up."""
    assert np.abs(one.m - other.m).mean() < CLOSE / 10
    assert np.abs((one.z - other.z) * one.m[..., None]).mean() < CLOSE / 10


@pytest.mark.gpu
def test_cuda_paints_what_the_processor_paints() -> None:
    target, layers = target_with_face(), {}
    for device in ("cpu", "cuda"):
        backend = FreestyleBackend(Settings(), networks_of(TINY, device))
        person = backend.prepare(target)
        layers[device] = [*backend.render(person, motions(3)), *backend.render(person, motions(1))]
    for one, other in zip(layers["cpu"], layers["cuda"], strict=True):
        assert_alike(one, other)


@pytest.mark.gpu
@both
def test_a_filled_batch_on_cuda_gives_what_single_frames_give(preset: Preset) -> None:
    backend = FreestyleBackend(Settings(), networks_of(preset, "cuda"))
    person, clip = backend.prepare(target_with_face()), motions(3, preset.b2f.canvas[0])
    filled = clip + [clip[-1]] * (backend.batch - len(clip))
    together = backend.render(person, filled)
    assert len(together) == backend.batch
    for motion, layer in zip(clip, together, strict=False):
        (alone,) = backend.render(person, [motion])
        assert_alike(layer, alone)


@pytest.mark.gpu
def test_threads_share_the_graphs() -> None:
    from concurrent.futures import ThreadPoolExecutor

    backend = FreestyleBackend(Settings(), networks_of(TINY, "cuda"))
    person, clip = backend.prepare(target_with_face()), motions(8)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda motion: backend.render(person, [motion])[0], clip * 4))
    for motion, layer in zip(clip * 4, found, strict=True):
        assert_alike(layer, backend.render(person, [motion])[0])
    assert recordings(backend.nets.body.p2b) == 1


@pytest.mark.gpu
@pytest.mark.parametrize("role", ["p2b", "b2f", "parser"])
def test_training_goes_on_cuda_in_bfloat16(role: str, tmp_path: Path) -> None:
    from dance_freestyle.training import settings
    from dance_freestyle.training.samples import open_samples
    from dance_freestyle.training.tasks import build
    from dance_freestyle.training.trainer import Trainer
    from made_samples import made_set

    people = open_samples([made_set(tmp_path / "made", people=3)])
    how = settings.Settings(steps=2, batch=2, device="cuda", bf16=True)
    run = Trainer(build(role, getattr(TINY, role), 0), people, how, tmp_path / "run")
    for _ in range(2):
        assert all(np.isfinite(value) for value in run.one_step().values())
