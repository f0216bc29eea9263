"""The networks by themselves, beside generators of the same size in plain torch (`make bench`).

On the processor with all its cores, and on CUDA where there is one. A ratio says how many times as
fast ours is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from conftest import Record
from dance_freestyle.b2f import B2F
from dance_freestyle.backend import FreestyleBackend
from dance_freestyle.fr import FR
from dance_freestyle.networks import Networks, assemble
from dance_freestyle.p2b import P2B, hard_labels
from dance_freestyle.presets import PRESETS, Preset
from made_dancers import made_landmarks, motions, target_with_face
from references import Pix2PixHD, SpadeGenerator
from torch import Tensor

from dancecli.stages import Settings
from dancecli.types import Frame

pytestmark = pytest.mark.bench

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

LONG = 2.0 if DEVICES == ["cpu"] else 0.5
"""Seconds that are measured at least."""


SHORT = 0.25
"""As LONG, for what is timed on CUDA alone, in many ways."""

THREADS = min(8, os.cpu_count() or 1)
"""As `dance` takes by default."""


def seconds(call: Callable[[], object], device: str, long: float = LONG) -> float:
    """Per call, the median of several."""

    def once() -> float:
        began = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    once()
    taken = [once()]
    while sum(taken) < long or len(taken) < 3:
        taken.append(once())
    return sorted(taken)[len(taken) // 2]


def inputs(preset: Preset, count: int, device: str) -> tuple[list[Tensor], list[Tensor]]:
    """What P2B and B2F take: p*, P^S, P^D; P^B, the start, the texture where there is one."""
    p2b, b2f = preset.p2b, preset.b2f
    ours = [torch.rand(count, n, *p2b.size, device=device) for n in (p2b.labels, 3, 3)]
    width = b2f.style if b2f.texture == "warp" else b2f.channels[0]
    shapes = [(b2f.labels, *b2f.size), (width, 4, 4)]
    if b2f.texture == "warp":
        shapes.append((6, *b2f.canvas))
    return ours, [torch.rand(count, *each, device=device) for each in shapes]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["compact", "paper"])
def test_ours_and_plain_torch(record: Record, name: str, device: str) -> None:
    preset = PRESETS[name].with_overrides({"b2f.encoders": "small", "fr.encoders": "small"})
    with torch.device(device):
        given = P2B(preset.p2b), B2F(preset.b2f), FR(preset.fr)
        plain = Pix2PixHD(preset.p2b).eval(), SpadeGenerator(preset.b2f).eval()
    networks = assemble(*given, device=device, graphs=False)
    took = {}
    for count in (1, 8) if device == "cuda" else (1,):
        ours, theirs = inputs(preset, count, device)
        flat = torch.cat(ours, 1)
        face = torch.rand(count, 3, preset.fr.size, preset.fr.size, device=device)
        owner = torch.rand(count, preset.fr.embedding, device=device)
        latent = torch.rand(count, preset.b2f.channels[0], 4, 4, device=device)
        with networks.running():
            took["P2B"] = seconds(lambda a=ours: networks.body.p2b(*a), device)
            took["B2F"] = seconds(lambda a=theirs: networks.body.b2f(*a), device)
            took["FR"] = seconds(lambda a=face, e=owner: networks.refiner.fr(a, e, a), device)
        with torch.inference_mode():
            took["pix2pixHD"] = seconds(lambda a=flat: plain[0](a), device)
            took["SPADE"] = seconds(lambda a=theirs[0], z=latent: plain[1](a, z), device)
        where = f"{name}, {device}, batch {count}"
        for network, spent in took.items():
            record(f"{network}, {where}", spent / count, "s")
        record(f"P2B over pix2pixHD, {where}", took["pix2pixHD"] / took["P2B"], "x")
        record(f"B2F over SPADE, {where}", took["SPADE"] / took["B2F"], "x")


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


def networks_of(name: str, graphs: bool = True) -> tuple[Preset, Networks]:
    preset = PRESETS[name].with_overrides({"b2f.encoders": "small", "fr.encoders": "small"})
    with torch.device("cuda"):
        given = P2B(preset.p2b), B2F(preset.b2f), FR(preset.fr)
    return preset, assemble(*given, device="cuda", graphs=graphs)


Steps = dict[str, Callable[[], object]]


def steps(networks: Networks, preset: Preset, count: int) -> Steps:
    """Each network for a batch, and the three as a frame needs them."""
    p2b, b2f = inputs(preset, count, "cuda")
    face = torch.rand(count, 3, preset.fr.size, preset.fr.size, device="cuda")
    owner = torch.rand(count, preset.fr.embedding, device="cuda")
    body, fr = networks.body, networks.refiner.fr

    def generators() -> None:
        hard_labels(body.p2b(*p2b))
        body.b2f(*b2f)
        fr(face, owner, face)

    return {
        "P2B": lambda: body.p2b(*p2b), "B2F": lambda: body.b2f(*b2f),
        "FR": lambda: fr(face, owner, face), "three generators": generators,
    }  # fmt: skip


@cuda
@pytest.mark.parametrize("graphs", [False, True], ids=["kernels", "graphs"])
@pytest.mark.parametrize("name", ["compact", "paper"])
def test_generators_on_cuda(record: Record, name: str, graphs: bool) -> None:
    """With what `accelerate` does and without: seconds a frame, and frames/s of all three."""
    how = "graphs" if graphs else "kernels"
    preset, networks = networks_of(name, graphs)
    for count in (1, 8, 32):
        with networks.running():
            for step, call in steps(networks, preset, count).items():
                took = seconds(call, "cuda", SHORT)
                record(f"{step}, {how}, {name}, cuda, batch {count}", took / count, "s")
        record(f"three generators, {how}, {name}, cuda, at {count}", count / took, "1/s")
    record(f"{how}, {name}, cuda, peak memory", torch.cuda.max_memory_allocated() / 2**20, "MiB")
    torch.cuda.reset_peak_memory_stats()


@cuda
@pytest.mark.parametrize("name", ["compact", "paper"])
def test_a_backend_on_cuda(record: Record, name: str) -> None:
    """`render` with its drawing, warping and transfers, by one thread and by several; `refine`."""
    preset, networks = networks_of(name)
    backend = FreestyleBackend(Settings(), networks)
    person = backend.prepare(target_with_face())
    clip = motions(backend.batch, preset.b2f.canvas[0])
    took = seconds(lambda: backend.render(person, clip), "cuda", SHORT)
    record(f"render, {name}, cuda, batch {backend.batch}", backend.batch / took, "1/s")
    took = seconds(lambda: backend.render(person, clip[:1]), "cuda", SHORT)
    record(f"render, {name}, cuda, one frame", took, "s")
    with ThreadPoolExecutor(THREADS) as pool:

        def together() -> None:
            list(pool.map(lambda _: backend.render(person, clip), range(2 * THREADS)))

        took = seconds(together, "cuda", SHORT) / (2 * THREADS)
    record(f"render, {name}, cuda, {THREADS} threads", backend.batch / took, "1/s")
    frame = Frame(np.full((640, 400, 3), 90, np.uint8))
    face = made_landmarks((200, 200), 150)
    took = seconds(lambda: backend.refine(person, frame, face), "cuda", SHORT)
    record(f"refine, {name}, cuda, one frame", took, "s")
