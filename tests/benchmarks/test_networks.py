"""The networks by themselves, beside generators of the same size in plain torch (`make bench`).

On the processor with all its cores, and on CUDA where there is one. A ratio says how many times as
fast ours is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from conftest import Record
from dance_freestyle.b2f import B2F
from dance_freestyle.fr import FR
from dance_freestyle.networks import assemble
from dance_freestyle.p2b import P2B, hard_labels
from dance_freestyle.presets import PRESETS, Preset
from references import Pix2PixHD, SpadeGenerator
from torch import Tensor

pytestmark = pytest.mark.bench

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

LONG = 2.0 if DEVICES == ["cpu"] else 0.5
"""Seconds that are measured at least."""


def seconds(call: Callable[[], object], device: str) -> float:
    """Per call, the median of several."""

    def once() -> float:
        began = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    once()
    taken = [once()]
    while sum(taken) < LONG or len(taken) < 3:
        taken.append(once())
    return sorted(taken)[len(taken) // 2]


def inputs(preset: Preset, count: int, device: str) -> tuple[list[Tensor], list[Tensor]]:
    """What P2B and B2F take: p*, P^S, P^D; P^B, the start, the texture where there is one."""
    p2b, b2f = preset.p2b, preset.b2f
    ours = [torch.rand(count, n, *p2b.size, device=device) for n in (p2b.labels, 3, 3)]
    width = b2f.style if b2f.texture == "warp" else b2f.channels[0]
    theirs = [torch.rand(count, b2f.labels, *b2f.size), torch.rand(count, width, 4, 4)]
    if b2f.texture == "warp":
        theirs.append(torch.rand(count, 6, *b2f.canvas))
    return ours, [each.to(device) for each in theirs]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["compact", "paper"])
def test_ours_and_plain_torch(record: Record, name: str, device: str) -> None:
    preset = PRESETS[name].with_overrides({"b2f.encoders": "small", "fr.encoders": "small"})
    networks = assemble(
        P2B(preset.p2b), B2F(preset.b2f), FR(preset.fr), device=device, graphs=False
    )
    plain = Pix2PixHD(preset.p2b).to(device).eval(), SpadeGenerator(preset.b2f).to(device).eval()
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("name", ["compact", "paper"])
def test_three_generators_as_graphs(record: Record, name: str) -> None:
    """P2B, B2F and FR for each frame: in batches, and one frame alone."""
    preset = PRESETS[name].with_overrides({"b2f.encoders": "small", "fr.encoders": "small"})
    for graphs in (False, True):
        networks = assemble(
            P2B(preset.p2b), B2F(preset.b2f), FR(preset.fr), device="cuda", graphs=graphs
        )
        for count in (1, 8, 32):
            p2b, b2f = inputs(preset, count, "cuda")
            face = torch.rand(count, 3, preset.fr.size, preset.fr.size, device="cuda")
            owner = torch.rand(count, preset.fr.embedding, device="cuda")
            how = f"{'graphs' if graphs else 'kernels'}, {name}, cuda, batch {count}"

            def frames(p2b=p2b, b2f=b2f, face=face, owner=owner) -> None:  # type: ignore[no-untyped-def]
                hard_labels(networks.body.p2b(*p2b))  # noqa: B023
                networks.body.b2f(*b2f)  # noqa: B023
                networks.refiner.fr(face, owner, face)  # noqa: B023

            with networks.running():
                took = seconds(frames, "cuda")
            record(f"three generators, {how}", took / count, "s")
            record(f"frames of three generators, {how}", count / took, "1/s")
